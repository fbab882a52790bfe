"""How often customers buy again, and whether they still will: models of purchases on compressed rows.

    bg-nbd      customers may leave after each repeat purchase      `beta_geometric`
    mbg-nbd     ... and after the first purchase of all             `beta_geometric`
    pareto-nbd  customers may leave at any time                     `pareto_nbd`

Identical customers share a row: a million of them make some 16,000 rows of weeks, and the likelihood of the
rows is that of the customers. BG/NBD calls every one-time buyer alive (`PurchaseRows.one_time_share` says how
many there are); the others do not, and MBG/NBD is the default.

Whatever the model, with A = P(alive | history) and X the purchases of the next t weeks of a customer alive,

    E[X | history] = A ∫ rate(u) e^(-δu) du,   P(no purchase | history) = 1 - A + A P(X = 0),

the integral taken at Gauss-Legendre nodes in the logarithm of time, with or without a discount δ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import ModelError, check_choice
from workbench.locale import say
from workbench.models import importance
from workbench.models.beta_geometric import BetaGeometric
from workbench.models.buying import PurchaseModel, PurchaseRows, Values, dot
from workbench.models.importance import Array, Fit, NormalPrior, Seed, importance_sample, with_prior
from workbench.models.pareto_nbd import ParetoNbd

__all__ = [
    "MODELS",
    "PurchaseDraws",
    "PurchaseRows",
    "default_prior",
    "expected_purchases",
    "log_likelihood",
    "maximum_likelihood",
    "model_of",
    "possible_purchases",
    "posterior",
    "probability_alive",
    "probability_of_no_purchase",
    "probability_still_customer",
    "purchase_probabilities",
    "total_purchases",
]

_MODELS: dict[str, PurchaseModel] = {
    "bg-nbd": BetaGeometric(0),
    "mbg-nbd": BetaGeometric(1),
    "pareto-nbd": ParetoNbd(),
}
MODELS = tuple(_MODELS)
WEEKS_PER_YEAR = 365.2425 / 7

# Gauss-Legendre on (0, 1). Tried on parameters of every size, the short rule (1 + weeks/scale below e^4) errs
# by 2e-8 at most, the long one by 3e-5, for horizons without end.
_SHORT, _LONG = ((np.polynomial.legendre.leggauss(n) + np.array([[1.0], [0.0]])) / 2 for n in (12, 24))


@dataclass(frozen=True)
class PurchaseDraws:
    """Draws of the parameters of a model; `draws["alpha"]` are those of one.

    Attributes:
        parameters: Each parameter's draws by name, shape (draws,): r and alpha (weeks) of the purchase rates
            between customers; a and b of the chances to leave in BG/NBD and MBG/NBD, s and beta (weeks) of
            the rates of leaving in Pareto/NBD.
        model: One of `MODELS`.
        checks: What the sampler says of itself, such as khat and the effective sample size.
    """

    parameters: Mapping[str, Array]
    model: str = "mbg-nbd"
    checks: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def point(cls, model: str, **parameters: float) -> PurchaseDraws:
        """A single draw, such as an estimate: `PurchaseDraws.point("bg-nbd", **fit.parameters)`."""
        return cls({name: np.array([value]) for name, value in parameters.items()}, model)

    @classmethod
    def of_free(cls, u: Array, model: str, checks: Mapping[str, float]) -> PurchaseDraws:
        """From draws of the model's unconstrained vector, shape (draws, parameters)."""
        known = model_of(model).parameters
        return cls(dict(zip(known.names, known.of_free(u).T, strict=True)), model, checks)

    def __getitem__(self, name: str) -> Array:
        return self.parameters[name]

    def __len__(self) -> int:
        return len(next(iter(self.parameters.values())))

    def take(self, chosen: NDArray[np.intp]) -> PurchaseDraws:
        """The draws at these places."""
        return PurchaseDraws(
            {name: values[chosen] for name, values in self.parameters.items()}, self.model, self.checks
        )

    def one(self, index: int) -> PurchaseDraws:
        """A single one of them."""
        return self.take(np.array([index]))

    def thin(self, draws: int) -> PurchaseDraws:
        """At most `draws` of them, evenly spaced."""
        return self.take(np.linspace(0, len(self) - 1, min(draws, len(self))).round().astype(int))


def model_of(name: str) -> PurchaseModel:
    """The model of this name.

    Raises:
        WorkbenchError: when there is none.
    """
    return _MODELS[check_choice(name, MODELS, say("purchase model"))]


def default_prior(rows: PurchaseRows, model: str = "mbg-nbd") -> NormalPrior:
    """The prior on the model's unconstrained vector, centred by the data's own rate of purchase.

    Raises:
        ModelError: when nobody has bought again.
    """
    known = model_of(model)
    if rows.n @ rows.x == 0:
        raise ModelError(
            "None of the {n:count} customers has bought again, so nothing can be said of repeat purchases; "
            "use a longer period of observation.",
            n=rows.customers,
        )
    return known.prior(rows)


def maximum_likelihood(rows: PurchaseRows, model: str = "mbg-nbd") -> Fit:
    """The parameters that make the rows most likely, with standard errors.

    Raises:
        ModelError: when nobody has bought again, or the likelihood has no maximum.
    """
    start, known = default_prior(rows, model).mean, model_of(model)
    return importance.maximum_likelihood(known.likelihood(rows), known.parameters, start)


def posterior(
    rows: PurchaseRows,
    model: str = "mbg-nbd",
    draws: int = 2000,
    seed: Seed = 0,
    prior: NormalPrior | None = None,
) -> PurchaseDraws:
    """Draws from the posterior by importance sampling; the same seed gives the same draws.

    Args:
        rows: The histories.
        model: One of `MODELS`.
        draws: How many draws.
        seed: Groups that are compared need independent seeds, see `importance.independent_seeds`.
        prior: On the model's unconstrained vector; `default_prior` unless given.

    Raises:
        ModelError: when nobody has bought again, or when khat is 0.7 or more or the effective sample size
            400 or less: the result is withheld.
    """
    prior, known = prior or default_prior(rows, model), model_of(model)
    density = with_prior(known.parameters.free(known.likelihood(rows)), prior)
    sample = importance_sample(density, prior.mean, draws, seed)
    return PurchaseDraws.of_free(sample.draws, model, {"khat": sample.khat, "ess": sample.ess})


def log_likelihood(draws: PurchaseDraws, rows: PurchaseRows) -> Array:
    """The log likelihood of one customer of each row, shape (draws, rows).

    >>> rows = PurchaseRows([0, 2], [0, 30.43], [38.86, 38.86], [1, 1])
    >>> log_likelihood(PurchaseDraws.point("bg-nbd", r=0.243, alpha=4.414, a=0.793, b=2.426), rows).round(4)
    array([[-0.5547, -9.4586]])
    """
    known, values = model_of(draws.model), _values(draws, 1)
    gone = known.log_odds_gone(values, rows.x, rows.t_x, rows.T)
    return known.log_there(values, rows.x, rows.T) + np.logaddexp(0, gone)


def probability_alive(draws: PurchaseDraws, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Array:
    """The probability that customers with these histories are customers still.

    Returns:
        Shape (draws, *histories).
    """
    x, t_x, T = _floats(x, t_x, T)
    gone = model_of(draws.model).log_odds_gone(_values(draws, x.ndim), x, t_x, T)
    return np.exp(-np.logaddexp(0, gone))


def probability_still_customer(
    draws: PurchaseDraws, weeks: ArrayLike, x: ArrayLike = 0, t_x: ArrayLike = 0, T: ArrayLike = 0
) -> Array:
    """The probability that customers will not have left in the next weeks; without a history, a new one.

    Its integral over time is how long customers have to be served.

    Args:
        draws: Parameters.
        weeks: How far ahead.
        x: Repeat purchases so far.
        t_x: Weeks from the first purchase to the last.
        T: Weeks from the first purchase until now. `weeks` and the history are broadcast together.

    Returns:
        Shape (draws, *broadcast shape).

    >>> published = PurchaseDraws.point("pareto-nbd", r=0.553, alpha=10.578, s=0.606, beta=11.669)
    >>> probability_still_customer(published, [0, 52]).round(3)
    array([[1.   , 0.358]])
    """
    ahead, x, t_x, T = _floats(weeks, x, t_x, T)
    known = model_of(draws.model)
    alive = known.of_alive(_values(draws, x.ndim), x, T)
    return probability_alive(draws, x, t_x, T) * known.stays(alive, ahead)


def probability_of_no_purchase(
    draws: PurchaseDraws, weeks: ArrayLike, x: ArrayLike = 0, t_x: ArrayLike = 0, T: ArrayLike = 0
) -> Array:
    """The probability that customers do not buy in the next weeks, gone or not; arguments as above.

    Returns:
        Shape (draws, *broadcast shape).

    >>> published = PurchaseDraws.point("bg-nbd", r=0.243, alpha=4.414, a=0.793, b=2.426)
    >>> probability_of_no_purchase(published, 39).round(4)
    array([0.5738])
    """
    ahead, x, t_x, T = _floats(weeks, x, t_x, T)
    known = model_of(draws.model)
    alive = known.of_alive(_values(draws, x.ndim), x, T)
    return 1 - probability_alive(draws, x, t_x, T) * (1 - known.buys_nothing(alive, ahead))


def expected_purchases(
    draws: PurchaseDraws,
    weeks: ArrayLike,
    x: ArrayLike = 0,
    t_x: ArrayLike = 0,
    T: ArrayLike = 0,
    discount_per_year: float = 0.0,
) -> Array:
    """Expected repeat purchases of customers in the next weeks; without a history, of one just acquired.

    Args:
        draws: Parameters.
        weeks: How far ahead; infinite is allowed with a discount.
        x: Repeat purchases so far.
        t_x: Weeks from the first purchase to the last.
        T: Weeks from the first purchase until now. `weeks` and the history are broadcast together.
        discount_per_year: A purchase s weeks ahead counts 1/(1 + discount)^(s/52.1775).

    Returns:
        Shape (draws, *broadcast shape).

    Raises:
        ModelError: for an infinite time without a discount.

    >>> published = PurchaseDraws.point("bg-nbd", r=0.243, alpha=4.414, a=0.793, b=2.426)
    >>> expected_purchases(published, [1, 3, 32]).round(3)
    array([[0.053, 0.151, 1.045]])
    >>> expected_purchases(published, 39, x=2, t_x=30.43, T=38.86).round(3)
    array([1.226])
    """
    ahead, x, t_x, T = _floats(weeks, x, t_x, T)
    discount_per_week = np.log1p(discount_per_year) / WEEKS_PER_YEAR
    if np.any(np.isinf(ahead)):
        if discount_per_week <= 0:
            raise ModelError("Without a discount, purchases cannot be added up over an endless horizon.")
        # What lies beyond counts less than 1e-9 each.
        ahead = np.minimum(ahead, np.log(1e9) / discount_per_week)
    known = model_of(draws.model)
    alive = known.of_alive(_values(draws, x.ndim), x, T)
    return probability_alive(draws, x, t_x, T) * _alive_moment(known, 1, ahead, alive, discount_per_week)


def total_purchases(draws: PurchaseDraws, rows: PurchaseRows, weeks: float) -> tuple[Array, Array]:
    """Mean and variance, for each draw, of the purchases that all customers make in the next weeks.

    The variance is the exact one of a sum over independent customers, whose rates are unknown and who may
    leave: for one of them E[X(X-1)] + E[X] - E[X]².

    Returns:
        Mean and variance, each of shape (draws,).
    """
    # What a customer alive will do depends on x and T only, so it is computed once for each pair of those.
    pairs, pair_of = np.unique(np.column_stack([rows.x, rows.T]), axis=0, return_inverse=True)
    x, T = pairs.T
    known, ahead = model_of(draws.model), np.asarray(weeks, dtype=float)
    moments = np.empty((2, len(draws)))
    for i in range(len(draws)):
        one = draws.one(i)
        alive = known.of_alive(one.parameters, x, T)
        there = probability_alive(one, rows.x, rows.t_x, rows.T)[0]
        mean, ordered_pairs = (there * _alive_moment(known, k, ahead, alive)[pair_of] for k in (1, 2))
        moments[:, i] = dot(rows.n, mean), dot(rows.n, ordered_pairs + mean - mean**2)
    return moments[0], moments[1]


def purchase_probabilities(draws: PurchaseDraws, weeks: float, most: int) -> Array:
    """The probabilities of 0, 1, ..., `most` repeat purchases in the first weeks, shape (draws, most + 1)."""
    known, k, zero = model_of(draws.model), np.arange(most + 1.0), np.zeros(1)
    alive = known.of_alive(_values(draws, 1), zero, zero)
    there = probability_alive(draws, zero, zero, zero)
    return there * known.counts(alive, weeks, k) + np.where(k == 0, 1 - there, 0)


def possible_purchases(
    draws: PurchaseDraws,
    weeks: float,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    rng: np.random.Generator,
) -> Array:
    """Purchases that customers may make in the next weeks: one future of each, simulated.

    Each customer's comes from one of the draws, taken in turn and shuffled, so that futures of many customers
    with one history are its predictive distribution.

    Args:
        draws: Parameters.
        weeks: How far ahead; finite.
        x: Repeat purchases so far of each customer.
        t_x: Weeks from the first purchase to the last.
        T: Weeks from the first purchase until now; broadcast with the others.
        rng: Where chance comes from.

    Returns:
        Of the histories' broadcast shape.
    """
    x, t_x, T = _floats(x, t_x, T)
    known = model_of(draws.model)
    turn = rng.permutation(np.arange(x.size) % len(draws)).reshape(x.shape)
    values = {name: each[turn] for name, each in draws.parameters.items()}
    gone = known.log_odds_gone(values, x, t_x, T)
    futures = known.futures(rng, known.of_alive(values, x, T), weeks)
    return np.where(rng.random(x.shape) < np.exp(-np.logaddexp(0, gone)), futures, 0.0)


def _floats(*values: ArrayLike) -> tuple[Array, ...]:
    """As arrays of one shape."""
    return tuple(np.asarray(value, dtype=float) for value in np.broadcast_arrays(*values))


def _values(draws: PurchaseDraws, axes: int) -> Values:
    """The parameters with `axes` trailing axes of length one."""
    return {name: values.reshape(-1, *(1,) * axes) for name, values in draws.parameters.items()}


def _alive_moment(
    model: PurchaseModel, order: int, weeks: Array, values: Values, discount_per_week: float = 0.0
) -> Array:
    """E[X] (order 1) or E[X(X-1)] (order 2) of the purchases X in the next weeks of a customer alive."""
    scale = model.time_scale(order, values)
    end = np.log1p(weeks / scale)[..., None]
    nodes, node_weights = _SHORT if np.max(end) < 4 else _LONG
    ahead = scale[..., None] * np.expm1(end * nodes)
    rate = model.rate(order, {name: value[..., None] for name, value in values.items()}, ahead)
    discounted = rate * np.exp(-discount_per_week * ahead) * (scale[..., None] + ahead)
    return np.sum(end * discounted * node_weights, axis=-1)
