"""Lifetime value held against simulated customers whose truth is known.

Parameters drawn from a prior, customers from the parameters and a posterior from the customers: the truth
then takes every place among the draws equally often (Talts, Betancourt, Simpson, Vehtari & Gelman 2018, arXiv
1804.06788). The same is asked of the difference between two arms, whose parameters are fixed: where they do
not differ, the place of nought is one less the probability that the treatment is worth more.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator

from tests.models.buyers import counted, histories, opportunities, spending, subscribers
from tools.calibrate.tally import workers
from workbench.errors import ModelError
from workbench.models import bg_bb, contracts, purchases, spend
from workbench.models.contracts import ContractDraws
from workbench.models.importance import Array, NormalPrior
from workbench.models.newcomers import Newcomers
from workbench.models.purchases import PurchaseDraws, expected_purchases
from workbench.models.spend import SpendDraws, bin_spend, expected_spend
from workbench.models.unit_economics import Gains, earned

type Found = Mapping[str, float]

DRAWS = 1000
AT_ONCE = 10
"""Data sets in a piece of work; each piece has a seed of its own, whoever does it."""
DIFFERENCE, BETTER, FOUND, TRUE = "difference", "probability", "found", "true"
"""What is found of two arms: the place of the true difference, P(above nought), its mean, the truth."""

_WEEKS, _DISCOUNT, _MARGIN = 104.0, 0.1, 0.4
_CUSTOMERS = 3000
_SPEND = (6.25, 3.74, 15.44)
# estimates from CDNOW: Fader, Hardie & Lee (2005); Batislam, Denizel & Filiztekin (2007)
_BUYING: dict[str, dict[str, float]] = {
    "bg-nbd": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426},
    "mbg-nbd": {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614},
    "pareto-nbd": {"r": 0.553, "alpha": 10.58, "s": 0.606, "beta": 11.67},
}
_CHANGED = {"alpha": 1 / 1.1, "b": 1.2, "s": 1 / 1.2}
"""What the known difference multiplies, beside what a purchase brings."""
_DEARER = 1.05
_PRIORS = {
    "bg-nbd": NormalPrior(np.array([np.log(0.35), -0.2, -1.0, 1.0]), np.full(4, 0.5)),
    "mbg-nbd": NormalPrior(np.array([np.log(0.35), -0.2, -1.0, 1.0]), np.full(4, 0.5)),
    "pareto-nbd": NormalPrior(np.array([np.log(0.35), -0.2, np.log(0.06), 0.0]), np.full(4, 0.5)),
}
_SPEND_PRIOR = NormalPrior(np.array([3.0, 1.5, 1.3]), np.full(3, 0.3))
# At the ends of the default priors nobody buys, or everybody has left: nothing could be simulated there.
_DONATION_PRIOR = NormalPrior(bg_bb.PRIOR.mean, bg_bb.PRIOR.sd * 0.4)
_CONTRACT_SPREAD = 0.6
_WORDS = {
    "bg-nbd": "BG/NBD", "mbg-nbd": "MBG/NBD", "pareto-nbd": "Pareto/NBD", "sbg": "sBG", "bdw": "BdW",
}  # fmt: skip


@dataclass(frozen=True)
class Study:
    """Data sets of one kind.

    Attributes:
        name: Which model, of what.
        simulated: From what, in words.
        ask: Simulates a data set and says what was found: by quantity the place of the truth among the draws,
            0 to 1, and of two arms also `BETTER`, `FOUND` and `TRUE`.
        data_sets: How many.
    """

    name: str
    simulated: str
    ask: Callable[[Generator], Found]
    data_sets: int


@dataclass(frozen=True, eq=False)
class Places:
    """What was found in all data sets of a study.

    Attributes:
        study: It.
        asked: How many data sets.
        by_quantity: Quantity → values, one a data set that was answered.
    """

    study: Study
    asked: int
    by_quantity: Mapping[str, Array]

    @property
    def answered(self) -> int:
        return len(next(iter(self.by_quantity.values()), ()))


def _place(truth: Array, draws: Array) -> float:
    """The share of draws below the truth."""
    return float(np.mean(draws < truth[0]))


def _seed(rng: Generator) -> int:
    return int(rng.integers(2**31))


def _repeat_purchases(model: str, rng: Generator) -> Found:
    prior = _PRIORS[model]
    truth = PurchaseDraws.of_free(rng.normal(prior.mean, prior.sd)[None], model, {})
    T = np.repeat(np.arange(8.0, 20.0), 20)
    x, last = histories(model, {name: float(value[0]) for name, value in truth.parameters.items()}, T, rng)
    # the middle of half a week, as large data are counted
    rows = counted(x, np.where(x > 0, np.floor(2 * last) / 2 + 0.25, 0.0), T, 2)
    draws = purchases.posterior(rows, model, DRAWS, _seed(rng), prior)
    found = {name: _place(value, draws[name]) for name, value in truth.parameters.items()}
    return {
        **found,
        "a year of purchases": _place(expected_purchases(truth, 52), expected_purchases(draws, 52)),
        "purchases, discounted, two years": _place(
            Newcomers(truth).purchases(_WEEKS, _DISCOUNT), Newcomers(draws).purchases(_WEEKS, _DISCOUNT)
        ),
    }


def _opportunities(rng: Generator) -> Found:
    truth = bg_bb.to_parameters(rng.normal(_DONATION_PRIOR.mean, _DONATION_PRIOR.sd))
    alpha, beta, gamma, delta = map(float, truth)
    rows = opportunities((alpha, beta, gamma, delta), 400, 10, _seed(rng))
    draws = bg_bb.posterior(rows, DRAWS, _seed(rng), _DONATION_PRIOR)
    point = bg_bb.OpportunityDraws.point(alpha, beta, gamma, delta)
    found = {name: _place(getattr(point, name), getattr(draws, name)) for name in bg_bb.PARAMETERS}
    ahead = (bg_bb.expected_purchases(of, 10)[:, 0] for of in (point, draws))
    return {**found, "ten opportunities ahead": _place(*ahead)}


def _contracts(model: str, rng: Generator) -> Found:
    usual = contracts.default_prior(model)
    prior = NormalPrior(usual.mean, usual.sd * _CONTRACT_SPREAD)
    u = rng.normal(prior.mean, prior.sd)
    mean, size, c = 1 / (1 + np.exp(-u[0])), np.exp(u[1]), float(np.exp(u[2])) if model == "bdw" else 1.0
    point = ContractDraws.point(float(mean * size), float((1 - mean) * size), c)
    rows = subscribers(float(point.alpha[0]), float(point.beta[0]), c, _seed(rng), 1000)
    draws = contracts.posterior(rows, model, DRAWS, _seed(rng), prior)
    names = ("alpha", "beta", "c") if model == "bdw" else ("alpha", "beta")
    found = {name: _place(getattr(point, name), getattr(draws, name)) for name in names}
    for periods in (6, 24):
        kept = (contracts.survivors(of, float(periods)) for of in (point, draws))
        found[f"share kept after {periods} periods"] = _place(*kept)
    return found


def _amounts(rng: Generator) -> Found:
    truth = SpendDraws(*spend.to_parameters(rng.normal(_SPEND_PRIOR.mean, _SPEND_PRIOR.sd))[:, None])
    x = rng.geometric(0.4, 250).astype(float)
    known = float(truth.p[0]), float(truth.q[0]), float(truth.v[0])
    draws = spend.posterior(bin_spend(x, spending(known, x, rng)), DRAWS, _seed(rng), _SPEND_PRIOR)
    found = {name: _place(getattr(truth, name), getattr(draws, name)) for name in spend.PARAMETERS}
    # Mean spend is pv/(q − 1) where q is above 1, and endless elsewhere, which is more than any other.
    means = (np.where(of.q > 1, of.p * of.v / np.maximum(of.q - 1, 1e-300), np.inf) for of in (truth, draws))
    return {**found, "mean spend": _place(*means)}


def _arm(model: str, values: Mapping[str, float], spent: tuple[float, float, float], rng: Generator) -> Array:
    """Draws of the value of a newly acquired customer, from the histories of an arm's customers."""
    T = rng.choice(np.array([16.0, 32.0, 48.0]), _CUSTOMERS)
    x, last = histories(model, values, T, rng)
    buying = purchases.posterior(counted(x, last, T, 1), model, DRAWS, _seed(rng))
    again = x > 0
    money = spend.posterior(bin_spend(x[again], spending(spent, x[again], rng)), DRAWS, _seed(rng))
    return _value(buying, money)


def _value(buying: PurchaseDraws, money: SpendDraws) -> Array:
    none = np.zeros(len(buying))
    gains = Gains(_MARGIN * expected_spend(money), none, 0.0, none)
    return earned(Newcomers(buying), gains, _WEEKS, _DISCOUNT)


def _two_arms(model: str, differ: bool, rng: Generator) -> Found:
    before = _BUYING[model]
    after = {name: value * _CHANGED.get(name, 1.0) for name, value in before.items()} if differ else before
    p, q, v = _SPEND
    dearer = (p, q, v * _DEARER) if differ else _SPEND
    control, treatment = _arm(model, before, _SPEND, rng), _arm(model, after, dearer, rng)
    was, became = (
        _value(PurchaseDraws.point(model, **values), SpendDraws.point(*spent))
        for values, spent in ((before, _SPEND), (after, dearer))
    )
    return {
        "value of a customer": _place(was, control),
        DIFFERENCE: _place(became - was, treatment - control),
        BETTER: float(np.mean(treatment > control)),
        FOUND: float(np.mean(treatment - control)),
        TRUE: float((became - was)[0]),
    }


def _ranked() -> Iterator[Study]:
    """Truths from a prior, which is the model's own."""
    for model in purchases.MODELS:
        yield _study(
            _WORDS[model], "240 customers known for 8 to 19 weeks", partial(_repeat_purchases, model)
        )
    yield _study("BG/BB", "400 customers, 10 opportunities to buy", _opportunities)
    for model in contracts.MODELS:
        yield _study(_WORDS[model], "1,000 contracts begun over 12 periods", partial(_contracts, model))
    yield _study("Gamma-Gamma", "250 customers with 2.5 purchases on average", _amounts)


def _study(name: str, simulated: str, ask: Callable[[Generator], Found]) -> Study:
    return Study(name, simulated, ask, 200)


def _compared(differ: bool) -> Iterator[Study]:
    """Arms of the same customers, or of some who buy more often, for more, and stay longer."""
    which = "a known difference" if differ else "arms that do not differ"
    changed = "; in the treatment 10 % more purchases a week, 5 % dearer, of customers who stay longer"
    about = f"{_CUSTOMERS:,} customers an arm, known for 16, 32 or 48 weeks, who buy as CDNOW's did"
    for model in purchases.MODELS:
        many = 60 if differ else 200
        if model == "pareto-nbd":  # three times as slow as the others
            many //= 2
        yield Study(
            f"{_WORDS[model]}, {which}", about + changed * differ, partial(_two_arms, model, differ), many
        )


RANKED = {one.name: one for one in _ranked()}
ALIKE = {one.name: one for one in _compared(False)}
APART = {one.name: one for one in _compared(True)}
STUDIES: dict[str, Study] = {**RANKED, **ALIKE, **APART}


def find(study: Study, count: int, piece: int = 0) -> list[Found]:
    """So many data sets; nothing where the model withheld its answer."""
    rng = np.random.default_rng([zlib.crc32(study.name.encode()), piece])
    found: list[Found] = []
    for _ in range(count):
        try:
            found.append(study.ask(rng))
        except ModelError:  # too little to say anything: the workbench says so
            found.append({})
    return found


def gathered(study: Study, found: Sequence[Found]) -> Places:
    """By quantity what was found in the data sets that were answered."""
    answers = [one for one in found if one]
    names = answers[0] if answers else {}
    return Places(study, len(found), {name: np.array([one[name] for one in answers]) for name in names})


def places(quick: bool = False) -> Iterator[Places]:
    """Ask all data sets, a tenth of them if quick, in two processes of low priority."""
    with workers() as pool:
        asked = {
            name: [pool.submit(_piece, name, *piece) for piece in _pieces(one, quick)]
            for name, one in STUDIES.items()
        }
        for name, pieces in asked.items():
            yield gathered(STUDIES[name], [one for piece in pieces for one in piece.result()])


def _pieces(study: Study, quick: bool) -> Iterator[tuple[int, int]]:
    wanted = study.data_sets // 10 if quick else study.data_sets
    for piece in range(-(-wanted // AT_ONCE)):
        yield min(AT_ONCE, wanted - piece * AT_ONCE), piece


def _piece(name: str, count: int, piece: int) -> list[Found]:
    return find(STUDIES[name], count, piece)
