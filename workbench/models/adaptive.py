"""Means of arms whose shares changed while the experiment ran: a bandit, a ramp-up, strata.

Customer t got arm A_t, which they did with the logged probability e_t, and did y_t. Where e_t moves with what
was seen before, the plain mean of an arm is biased: an arm that starts unlucky is drawn less often after it,
so its luck never evens out. Where it moves with the calendar, arms are held against each other in different
weeks. The logged probabilities repair both. With w_t = 1 / e_t, N customers, of whom n_a got arm a:

    Horvitz–Thompson  μ̂_a = Σ_{A_t = a} w_t y_t / N
    Hájek (SNIPS)     μ̂_a = Σ_{A_t = a} w_t y_t / Σ_{A_t = a} w_t
                      se² = n_a / (n_a − 1) · Σ w² (y − μ̂)² / (Σ w)²
    doubly robust     μ̂_a = (1/N) Σ_t Γ_t,  Γ_t = m_s + [A_t = a] w_t (y_t − m_s)
                      se² = Σ_s Σ_{t in s} (Γ_t − Γ̄_s)² / N²,

with m_s the Hájek mean of the arm in the periods before s (its own in the first). Given the past Γ_t is right
on average, whatever m_s is (Hadad et al.), and it is right, too, where m_s is and e_t is not.
All three need sums over customers only, by arm and period, so they add up. The mean of all customers is
estimated, not of those in the arm. Horvitz–Thompson pays for arms that happened to be large; Hájek does not
and is what the comparisons are made of; doubly robust is the second witness.

Weights without bound make sums that are not Normal: below e = 1 % of any customer it is refused. How often
intervals held the truth is measured in `tests/models/test_thompson.py`.

Horvitz & Thompson (1952), JASA 47:663; Hájek (1971), in Godambe & Sprott, p. 236; Swaminathan & Joachims
(2015), "The self-normalized estimator for counterfactual learning"; Dudík, Erhan, Langford, Li (2014),
"Doubly robust policy evaluation and optimization", Statistical Science 29:485; Hadad, Hirshberg, Zhan, Wager,
Athey (2021), "Confidence intervals for policy evaluation in adaptive experiments", PNAS 118(15).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt

from scipy import special

from workbench.errors import ModelError
from workbench.models.linearised import as_mean
from workbench.moments import Moments, WeightedMoments

LEAST = 0.01
"""The smallest probability of an arm with which its customers can still stand for all."""


@dataclass(frozen=True)
class Propensities:
    """The probabilities with which customers got the arm that they got; disjoint groups add up.

    Attributes:
        n: Customers.
        known: Those whose probability is.
        low, high: The smallest and the largest.
        few: Customers whose probability is below `LEAST`.
        total, variance: Σ e and Σ e (1 − e).
        weights, squares: Σ 1/e and Σ 1/e².
    """

    n: int
    known: int
    low: float
    high: float
    few: int
    total: float
    variance: float
    weights: float
    squares: float

    def __add__(self, other: Propensities) -> Propensities:
        return Propensities(
            self.n + other.n,
            self.known + other.known,
            min(self.low, other.low),
            max(self.high, other.high),
            self.few + other.few,
            self.total + other.total,
            self.variance + other.variance,
            self.weights + other.weights,
            self.squares + other.squares,
        )


@dataclass(frozen=True)
class Period:
    """An arm in one of the periods into which an experiment is cut.

    Attributes:
        arm: Its customers; y is what is asked for. None when it had none.
        everybody: Customers of all arms in this period.
    """

    arm: WeightedMoments | None
    everybody: int


def check_overlap(arms: Mapping[str, Propensities]) -> None:
    """That every customer's probability is known, one, and not too small.

    Raises:
        ModelError: when it is not.
    """
    missing = sum(arm.n - arm.known for arm in arms.values())
    if missing:
        raise ModelError(
            "The shares of the arms changed while the experiment ran, and {n:count} customers come without "
            "the probability with which they got their arm; load it for all of them (p_assign), since plain "
            "means of the arms would be biased.",
            n=missing,
        )
    for name, arm in arms.items():
        if not 0 < arm.low <= arm.high <= 1:
            raise ModelError(
                "In “{arm}” the probabilities of getting the arm (p_assign) run from {low:number} to "
                "{high:number}; each has to be above 0 and at most 1.",
                arm=name,
                low=arm.low,
                high=arm.high,
            )
    few = {name: arm.few for name, arm in arms.items() if arm.few}
    if few:
        name = max(few, key=lambda one: few[one])
        raise ModelError(
            "{n:count} customers got “{arm}” with a probability below {least:percent}, so that each of them "
            "would have to stand for more than {times:count} others; leave out the days on which it was so "
            "small.",
            n=few[name],
            arm=name,
            least=LEAST,
            times=1 / LEAST,
        )


def horvitz_thompson(arm: WeightedMoments, everybody: int) -> Moments:
    """The weighted total over all customers, as the moments of a mean that is as sure.

    Args:
        arm: The customers in it.
        everybody: Customers of all arms.
    """
    mean = arm.sums.wy / everybody
    return Moments(everybody, mean, max(arm.sums.wwyy - everybody * mean**2, 0.0))


def hajek(arm: WeightedMoments) -> Moments:
    """The weighted mean, as the moments of a mean that is as sure."""
    return arm.y


def doubly_robust(periods: Sequence[Period]) -> Moments:
    """The mean over all customers of all periods, in their order, as the moments of a mean that is as sure.

    Raises:
        ModelError: nobody was in the arm.
    """
    arms = [period.arm for period in periods if period.arm is not None]
    if not arms:
        raise ModelError("There is no customer in this arm.")
    before, model = None, arms[0].mean_y
    total = variance = 0.0
    for period in periods:
        n, arm = period.everybody, period.arm
        off = square = 0.0  # of Γ − m, which is nothing for those in other arms
        if arm is not None:
            sums = arm.sums
            off = sums.wy - model * sums.w
            square = sums.wwyy - 2 * model * sums.wwy + model**2 * sums.ww
        total += n * model + off
        variance += max(square - off**2 / n, 0.0) if n else 0.0
        if arm is not None:
            before = arm if before is None else before + arm
            model = before.mean_y
    everybody = sum(period.everybody for period in periods)
    n = sum(arm.n for arm in arms)
    return as_mean(n, total / everybody, sqrt(variance) / everybody)


def assignment_p_value(arms: Sequence[Propensities]) -> float:
    """Probability of arms at least this uneven when customers got them with these probabilities.

    A sample ratio for splits that change. Of two arms, the first has Σ e customers on average, with a
    variance of Σ e (1 − e), both over all customers, since those in the other have 1 − e of theirs. Of more,
    the probabilities of the others are not known; but E Σ_{A_t = a} 1/e_t is the number of all customers,
    with a variance of Σ (1/e − 1), of which Σ_{A_t = a} (1/e − 1)/e is an estimate. The worst arm, times the
    number of arms (Bonferroni).

    >>> even = [Propensities(n, n, 0.5, 0.5, 0, n / 2, n / 4, 2 * n, 4 * n) for n in (1000, 1200)]
    >>> assignment_p_value(even)  # that of an even split
    2.00...e-05
    """
    everybody = sum(arm.n for arm in arms)
    if len(arms) == 2:
        one, other = arms
        off, variance = one.n - (one.total + other.n - other.total), one.variance + other.variance
        return 2 * float(special.ndtr(-abs(off) / sqrt(variance))) if variance > 0 else float(abs(off) < 0.5)
    found = []
    for arm in arms:
        variance = arm.squares - arm.weights
        off = abs(arm.weights - everybody)
        z = off / sqrt(variance) if variance > 0 else (inf if off > 1e-9 * everybody else 0.0)
        found.append(2 * float(special.ndtr(-z)))
    return min(1.0, min(found) * len(found))
