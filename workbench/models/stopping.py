"""A rule for ending a test, asked at one look after the other, of many tests at once.

At every look each arm has the posterior that the lab gives it (`models.arms`): Beta(a + s, b + n − s) for a
share, Student t for a mean. With D_r = T − (1 + r) C for a treatment T and the control C the rule asks for
    P(T is better)        = P(D_0 > 0)
    expected loss         = E[max(−D_0, 0)], and E[max(D_0, 0)] of staying with control
    practically the same  = P(D_{−r} > 0) − P(D_r > 0)
With a Normal prior of the log lift it asks the same of the closed form of `models.lift`, whose estimate is
the log of the ratio of the arms' posterior means. Held against `models.tied_arms`, which the lab shows, a
probability of being better is wrong by at most 0.005 where it is above 0.9 and a decision can fall; elsewhere
by up to 0.02 with a thousand customers an arm, 0.005 with twenty thousand.

D_r has the cumulants κ_k(T) + (−1 − r)^k κ_k(C). With its skewness g and excess kurtosis h, Edgeworth's
expansion (Abramowitz and Stegun, 26.2.48) gives at z = −E[D] / sd(D)
    P(D <= 0)              = Φ(z) − φ(z) (g He₂(z) / 6 + h He₃(z) / 24 + g² He₅(z) / 72)
    E[max(−D, 0)] / sd(D)  = z Φ(z) + φ(z) (1 + g He₁(z) / 6 + h He₂(z) / 24 + g² He₄(z) / 72)
the second being the integral of the first. Held against the integrals of `models.comparison`, with at least
ten conversions and ten failures an arm, and arms up to four times as large as the other, a probability is
wrong by at most 0.001, what lies within ±1 % of no lift by 0.0015, a loss by 0.0004 control means.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from workbench.errors import ModelError, check_between, check_choice
from workbench.locale import say
from workbench.models.lift import LiftPrior, posterior

type Array = NDArray[np.float64]
type Whole = NDArray[np.int64]

FEWEST: Final = {"share": 10, "mean": 30}
"""Conversions, or customers, that every arm needs before a look may end a test."""
NOTHING, ADOPT, DROP, SAME = range(4)


class Measured(NamedTuple):
    """A number from a simulation and its Monte Carlo error, one standard deviation."""

    value: float
    error: float


@dataclass(frozen=True)
class Rule:
    """When a test may end, and how.

    Attributes:
        probability: How sure one has to be, of either direction.
        loss: What the choice may lose on average at most, as a share of the mean that is planned with; None
            for any.
        rope: Smallest lift that matters; within ±rope the arms are practically the same. 0 for no such end.
        min_weeks: Whole weeks before which a look ends nothing.
        prior: Of the log lift; None where nothing is believed of it.
        lower_is_better: Whether the metric should go down.
    """

    probability: float = 0.975
    loss: float | None = None
    rope: float = 0.0
    min_weeks: int = 0
    prior: LiftPrior | None = None
    lower_is_better: bool = False

    def __post_init__(self) -> None:
        check_between(self.probability, 0.5, 1, say("probability"), open_low=True, open_high=True)
        check_between(self.rope, 0, 1, say("smallest lift that matters"), open_high=True)
        check_between(self.min_weeks, 0, 520, say("number of weeks"))
        if self.prior is not None:
            check_choice(self.prior.scale, ["log"], say("scale of an effect"))
        if self.loss is not None:
            check_between(self.loss, 0, 1, say("largest expected loss"), open_low=True)


@dataclass(frozen=True)
class Looks:
    """When one looks, and how many customers each arm has by then, the control first.

    Attributes:
        weeks: Weeks since the start, increasing.
        customers: For each look the customers of each arm, in all.
    """

    weeks: tuple[float, ...]
    customers: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        n = np.array(self.customers)
        if n.ndim != 2 or n.shape[0] != len(self.weeks) or n.shape[1] < 2 or not len(self.weeks):
            raise ModelError("A test needs two arms and at least one look.")
        if (np.diff(n, axis=0, prepend=0) < 0).any() or (np.diff(self.weeks, prepend=0.0) <= 0).any():
            raise ModelError("Looks have to come one after the other, each with no fewer customers.")

    @property
    def added(self) -> Whole:
        """Customers that come to each arm between looks, shape (looks, arms)."""
        return np.array(np.diff(np.array(self.customers), axis=0, prepend=0), dtype=np.int64)


class Posterior(NamedTuple):
    """The first four cumulants of arms' posteriors, arrays of one shape."""

    mean: Array
    variance: Array
    third: Array
    fourth: Array


@dataclass(frozen=True)
class Share:
    """A yes-or-no metric: the share in the control, and the Beta prior of each arm."""

    rate: float
    prior: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self) -> None:
        check_between(self.rate, 0, 1, say("conversion"), open_low=True, open_high=True)
        check_between(min(self.prior), 0, 1e9, say("prior"), open_low=True)

    @property
    def mean(self) -> float:
        """Per customer."""
        return self.rate

    @property
    def sd(self) -> float:
        """Of one customer's value."""
        return sqrt(self.rate * (1 - self.rate))

    @property
    def most(self) -> float:
        """The largest lift there can be."""
        return 1 / self.rate - 1

    def draw(self, rng: np.random.Generator, growth: Array, added: Whole) -> tuple[Array, Array]:
        """Sums, and sums of squares, over the customers that come between looks.

        Args:
            growth: 1 + lift of each arm, shape (simulations, 1, arms).
            added: Customers, shape (looks, arms).
        """
        rate = np.minimum(self.rate * growth, 1.0)
        successes = rng.binomial(added, np.broadcast_to(rate, (len(growth), *added.shape))).astype(float)
        return successes, successes

    def posterior(self, n: Array, totals: Array, _squares: Array) -> Posterior:
        """Of the share, from customers and successes."""
        a, b = self.prior[0] + totals, self.prior[1] + n - totals
        s = a + b
        mean = a / s
        variance = mean * (1 - mean) / (s + 1)
        third = variance * 2 * (1 - 2 * mean) / (s + 2)
        excess = 6 * ((1 - 2 * mean) ** 2 * (s + 1) / (mean * (1 - mean)) - (s + 2)) / ((s + 2) * (s + 3))
        return Posterior(mean, variance, third, excess * variance * variance)

    def enough(self, n: Array, totals: Array) -> NDArray[np.bool_]:
        """Whether every arm has what the lab asks for before it gives a verdict."""
        return totals.min(axis=-1) >= FEWEST["share"]


@dataclass(frozen=True)
class Average:
    """A metric with a mean, such as revenue per customer.

    In a simulation those who are not zero have Gamma values, and a lift makes all of them larger. Their
    coefficient of variation is taken as known: the sample variance follows the number and mean of buyers.

    Attributes:
        mean, sd: Of one value a customer in the control.
        zeros: Share of customers whose value is 0.
    """

    mean: float
    sd: float
    zeros: float = 0.0
    most = float("inf")

    def __post_init__(self) -> None:
        check_between(self.mean, 0, 1e15, say("mean"), open_low=True)
        check_between(self.sd, 0, 1e15, say("standard deviation"), open_low=True)
        check_between(self.zeros, 0, 1, say("share of zeros"), open_high=True)
        if self._squared_variation < -1e-9:
            least = self.mean * sqrt(self.zeros / (1 - self.zeros))
            raise ModelError(
                "With {zeros:percent} zeros and a mean of {mean:number} the standard deviation is at least "
                "{least:number}; it is {sd:number}.",
                zeros=self.zeros,
                mean=self.mean,
                least=least,
                sd=self.sd,
            )

    @property
    def _squared_variation(self) -> float:
        """(sd / mean)² of the values that are not zero."""
        return (self.sd**2 + self.mean**2) * (1 - self.zeros) / self.mean**2 - 1

    def draw(self, rng: np.random.Generator, growth: Array, added: Whole) -> tuple[Array, Array]:
        """As `Share.draw`."""
        shape = (len(growth), *added.shape)
        buyers = rng.binomial(added, 1 - self.zeros, shape) if self.zeros else np.broadcast_to(added, shape)
        spread, value = self._squared_variation, self.mean / (1 - self.zeros)
        alike = spread < 1e-9
        sums = buyers.astype(float) if alike else rng.standard_gamma(buyers / spread) * spread
        # Σx² = b x̄² + (b − 1) s², s² being the known share of x̄²
        each = sums / np.maximum(buyers, 1)
        squares = each * each * (buyers + np.maximum(buyers - 1, 0) * max(spread, 0.0))
        return sums * value * growth, squares * (value * growth) ** 2

    def posterior(self, n: Array, totals: Array, squares: Array) -> Posterior:
        """Student t of the mean, from the sums."""
        n = np.maximum(n, 6.0)
        mean = totals / n
        dof = n - 1
        variance = np.maximum(squares - totals * mean, 1e-300) / (dof * n) * dof / (dof - 2)
        return Posterior(mean, variance, np.zeros_like(mean), 6 / (dof - 4) * variance * variance)

    def enough(self, n: Array, totals: Array) -> NDArray[np.bool_]:
        """As `Share.enough`."""
        return np.broadcast_to(n.min(axis=-1) >= FEWEST["mean"], totals.shape[:-1]) & (totals > 0).all(
            axis=-1
        )


type Metric = Share | Average


def below_and_loss(treatment: Posterior, control: Posterior, scale: float = 1.0) -> tuple[Array, Array]:
    """P(T <= scale · C), and E[max(scale · C − T, 0)] in the metric's unit, for arrays of posteriors."""
    mean = treatment.mean - scale * control.mean
    variance = treatment.variance + scale**2 * control.variance
    sd = np.sqrt(variance)
    g = (treatment.third - scale**3 * control.third) / (variance * sd)
    h = (treatment.fourth + scale**4 * control.fourth) / (variance * variance)
    z = -mean / sd
    squared = z * z
    density = np.exp(-squared / 2) * (1 / sqrt(2 * np.pi))
    he3, he4 = z * (squared - 3), squared * (squared - 6) + 3
    he5 = z * (squared * (squared - 10) + 15)
    cdf = special.ndtr(z)
    below = cdf - density * (g / 6 * (squared - 1) + h / 24 * he3 + g * g / 72 * he5)
    part = z * cdf + density * (1 + g / 6 * z + h / 24 * (squared - 1) + g * g / 72 * he4)
    return np.clip(below, 0.0, 1.0), np.maximum(part, 0.0) * sd


class Answers(NamedTuple):
    """What the rule asks about at each look: probabilities, and losses in the metric's unit per customer."""

    better: Array
    loss: Array
    loss_control: Array
    same: Array


def answers(treatment: Posterior, control: Posterior, rule: Rule) -> Answers:
    """From the posteriors of a treatment and the control, arrays of one shape."""
    if rule.prior is not None:
        found = _answers_with_prior(treatment, control, rule.prior, rule.rope)
    else:
        below, loss = below_and_loss(treatment, control)
        gain = loss + treatment.mean - control.mean
        same = np.zeros_like(below)
        if rule.rope:
            ends = [below_and_loss(treatment, control, 1 + end)[0] for end in (-rule.rope, rule.rope)]
            same = ends[1] - ends[0]
        found = Answers(1 - below, loss, gain, same)
    if rule.lower_is_better:
        return Answers(1 - found.better, found.loss_control, found.loss, found.same)
    return found


def _answers_with_prior(treatment: Posterior, control: Posterior, prior: LiftPrior, rope: float) -> Answers:
    positive = np.minimum(treatment.mean, control.mean) > 0
    # an arm that may be zero says nothing about a ratio, and ends no test
    means = [np.where(positive, arm.mean, 1.0) for arm in (treatment, control)]
    se = np.sqrt(treatment.variance / means[0] ** 2 + control.variance / means[1] ** 2)
    known = posterior(np.log(means[0] / means[1]), np.where(positive, se, 1e3), prior)
    loss, gain = known.expected_losses()
    same = known.rope(-rope, rope)[1]
    return Answers(known.probability_above(), loss * control.mean, gain * control.mean, same)


@dataclass(frozen=True)
class Ends:
    """How simulated tests ended.

    Attributes:
        outcome: `NOTHING`, `ADOPT`, `DROP` or `SAME`, one a test.
        look: The look that ended it; the last one for `NOTHING`.
        arm: The treatment that was spoken of there, 1 for the first.
    """

    outcome: Whole
    look: Whole
    arm: Whole

    def by_look(self, looks: int, outcome: int, arm: int = 1) -> list[Measured]:
        """Share of tests that had ended so, with this arm, by each look."""
        ended = (self.outcome == outcome) & (self.arm == arm)
        return [proportion(int((ended & (self.look <= look)).sum()), len(ended)) for look in range(looks)]


def proportion(count: int, n: int) -> Measured:
    """A share of simulations; its error is that of a Beta(½, ½) posterior, so never nothing."""
    middle = (count + 0.5) / (n + 1)
    return Measured(count / n, sqrt(middle * (1 - middle) / (n + 2)))


def ends(metric: Metric, looks: Looks, rule: Rule, totals: Array, squares: Array) -> Ends:
    """Where the rule ends each test.

    Args:
        totals, squares: Sums and sums of squares of the customers that came between looks, shape
            (tests, looks, arms), the control first.
    """
    n = np.array(looks.customers, dtype=float)
    totals = totals.cumsum(axis=1)
    squares = totals if isinstance(metric, Share) else squares.cumsum(axis=1)
    known = metric.posterior(n, totals, squares)
    # of several treatments the lab speaks of the one that is likeliest to be the best
    worth = -known.mean if rule.lower_is_better else known.mean
    arm = worth[..., 1:].argmax(axis=-1) + 1
    if n.shape[1] == 2:
        treatment = Posterior(*(part[..., 1] for part in known))
    else:
        at = arm[..., None]
        treatment = Posterior(*(np.take_along_axis(part, at, axis=-1)[..., 0] for part in known))
    found = answers(treatment, Posterior(*(part[..., 0] for part in known)), rule)
    adopt, drop = found.better >= rule.probability, found.better <= 1 - rule.probability
    same = found.same >= rule.probability if rule.rope else np.zeros_like(adopt)
    if rule.loss is not None:
        most = rule.loss * metric.mean
        adopt, drop = adopt & (found.loss <= most), drop & (found.loss_control <= most)
    outcome = np.where(same, SAME, np.where(adopt, ADOPT, np.where(drop, DROP, NOTHING)))
    allowed = metric.enough(n, totals) & (np.array(looks.weeks) >= rule.min_weeks)
    outcome = np.where(allowed, outcome, NOTHING)
    ended = outcome != NOTHING
    look = np.where(ended.any(axis=1), ended.argmax(axis=1), len(looks.weeks) - 1)
    tests = np.arange(len(look))
    return Ends(outcome[tests, look], look, arm[tests, look])
