"""What a model of repeat purchases is given, and what it has to say.

Each model here gives every customer a rate of purchase λ ~ Gamma(r, rate α) while they are a customer, and a
way of leaving. Of a customer with x repeat purchases, the last at t_x, watched until T, it says

    log L = log P(x purchases, and still there at T) + ln(1 + e^d),   P(alive) = 1/(1 + e^d),

d being the log odds that the customer is gone. All models are conjugate: who is alive after a history behaves
as a customer just acquired would under other values of the parameters (`of_alive`), so that what is to come
has to be worked out for customers without a history only.

`purchases` asks these questions for draws of the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.locale import say
from workbench.models.importance import Array, NormalPrior, Parameters

Values = Mapping[str, Array]
"""Values of a model's parameters by name, of shapes that can be broadcast."""


@dataclass(frozen=True)
class PurchaseRows:
    """Customers with the same history, counted.

    Attributes:
        x: Repeat purchases (days with a purchase after the first), shape (rows,).
        t_x: Weeks from the first purchase to the last; zero where x is zero.
        T: Weeks from the first purchase to the end of observation.
        n: How many customers have this history.

    Raises:
        DataError: when a history is impossible.
    """

    x: Array
    t_x: Array
    T: Array
    n: Array

    def __post_init__(self) -> None:
        for name in ("x", "t_x", "T", "n"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=float))
        x, t_x, T, n = self.x, self.t_x, self.T, self.n
        if x.ndim != 1 or len(x) == 0 or not x.shape == t_x.shape == T.shape == n.shape:
            raise DataError("There are no purchase histories, or their columns differ in length.")
        rules = [
            (say("the number of repeat purchases has to be a whole number"), (x >= 0) & (x == np.rint(x))),
            (say("the weeks observed have to be zero or more"), (T >= 0) & np.isfinite(T)),
            (say("the last purchase cannot be after the end of observation"), t_x <= T),
            (
                say("the last purchase is later than the first only with repeat purchases"),
                (x > 0) == (t_x > 0),
            ),
            (say("the number of customers has to be above zero"), (n > 0) & np.isfinite(n)),
        ]
        for rule, holds in rules:
            if not np.all(holds):
                row = int(np.argmin(holds))
                raise DataError(
                    "A purchase history is impossible (x {x}, t_x {t_x}, T {T}, customers {n}): {rule}.",
                    x=float(x[row]),
                    t_x=float(t_x[row]),
                    T=float(T[row]),
                    n=float(n[row]),
                    rule=rule,
                )

    @property
    def customers(self) -> float:
        """How many customers the rows stand for."""
        return float(self.n.sum())

    @property
    def one_time_share(self) -> float:
        """The share of customers who bought once: BG/NBD calls every one of them alive."""
        return float(self.n[self.x == 0].sum() / self.n.sum())

    @property
    def mean_rate(self) -> float:
        """Repeat purchases a week, over all customers and all weeks that they were watched."""
        return float(self.n @ self.x / (self.n @ self.T))

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> PurchaseRows:
        """The rows for which `chosen`, shape (rows,), is true, or at the places that it lists."""
        return PurchaseRows(self.x[chosen], self.t_x[chosen], self.T[chosen], self.n[chosen])


class Likelihood(Protocol):
    """The log likelihood of compressed rows.

    Attributes:
        tables: The arrays it is computed from, by name; `nuts` computes it from them once more.
    """

    tables: dict[str, Any]

    def __call__(self, parameters: Array, gradient: bool = True) -> tuple[float, Array]:
        """The log likelihood at the parameters and its gradient; zeros without `gradient`."""


class PurchaseModel(Protocol):
    """A model of repeat purchases.

    Histories are arrays that can be broadcast with the values of the parameters.
    """

    @property
    def parameters(self) -> Parameters:
        """Their names, and the unconstrained vector that stands for them."""

    def prior(self, rows: PurchaseRows) -> NormalPrior:
        """The prior on the unconstrained vector; what it learns from the rows makes it free of the unit."""

    def likelihood(self, rows: PurchaseRows) -> Likelihood:
        """The log likelihood of the rows."""

    def log_there(self, values: Values, x: Array, T: Array) -> Array:
        """The log likelihood of x purchases at their times and of being a customer still at T."""

    def log_odds_gone(self, values: Values, x: Array, t_x: Array, T: Array) -> Array:
        """The log odds that the customer has left, minus infinity where that cannot be."""

    def of_alive(self, values: Values, x: Array, T: Array) -> Values:
        """The values under which a new customer behaves as one with this history does who is alive."""

    def stays(self, values: Values, weeks: Array) -> Array:
        """The probability that a customer alive is one still after these weeks."""

    def buys_nothing(self, values: Values, weeks: Array) -> Array:
        """The probability that a customer alive does not buy in these weeks."""

    def counts(self, values: Values, weeks: float, k: Array) -> Array:
        """The probabilities that a customer alive buys k times in these weeks, for k on the last axis."""

    def rate(self, order: int, values: Values, ahead: Array) -> Array:
        """The rate at which a customer alive makes purchases (order 1), or ordered pairs of them (order 2).

        After these weeks; a pair counts when its second purchase is made. Integrated over time they give E[X]
        and E[X(X-1)].
        """

    def time_scale(self, order: int, values: Values) -> Array:
        """Weeks within which that rate begins to fall."""

    def futures(self, rng: np.random.Generator, values: Values, weeks: float) -> Array:
        """Numbers of purchases that customers alive may make in these weeks, one for each of the values."""


def rate_centre(rows: PurchaseRows) -> float:
    """Where the prior of ln(r/α), purchases a week of a customer, is centred: twice the rows' own mean rate.

    Twice, since some of the weeks were watched after the customer had left.
    """
    return float(np.log(2 * rows.mean_rate))


def dot(a: Array, b: Array) -> float:
    """Σab without BLAS, whose threads take longer to start than a product of this size takes."""
    return float(np.einsum("i,i->", a, b))
