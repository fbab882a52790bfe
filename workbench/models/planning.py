"""How large a test has to be, before any simulation: closed forms on the scale of the log lift.

With c = sd / mean of one customer's value, the log of treatment / control is estimated with the variance
v = c² (1/n_C + 1/n_T). A true log lift δ with belief N(m, s²) then gives

    estimate         l ~ N(m, s² + v)
    posterior        N(w l + (1 − w) m₀, w v), w = s₀² / (s₀² + v), with the analysis prior N(m₀, s₀²);
                     N(l, v) without one
    assurance        P(the posterior mean is one at which the rule adopts)
                     O'Hagan, Stevens, Campbell (2005), "Assurance in clinical trial design", Pharm. Stat. 4
    expected loss of taking what looks better at the end
                     = E[max(δ, 0)] − E[max(E[δ | l], 0)] with E[δ | l] ~ N(m, s⁴ / (s² + v)) and
                     E[max(N(m, t²), 0)] = m Φ(m/t) + t φ(m/t)
                     Raiffa, Schlaifer (1961), Applied Statistical Decision Theory, chapter 5
    sample size      (z_{1−α/2} + z_power)² sd² (1/n_C + 1/n_T) = difference², and, since the variance is
                     not known, z²_{1−α/2} / 4 an arm more: Guenther (1981), The American Statistician 35(4)

Losses are shares of the control's mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, exp, expm1, inf, pi, sqrt
from typing import NamedTuple

from scipy import optimize, special

from workbench.errors import check_between
from workbench.locale import say
from workbench.models.lift import LiftPrior
from workbench.models.stopping import Metric, Rule

_FOUR_IN_FIVE = 0.8


def sample_size(
    variance: float,
    difference: float,
    power: float = _FOUR_IN_FIVE,
    alpha: float = 0.05,
    shares: tuple[float, float] = (0.5, 0.5),
) -> tuple[int, int]:
    """Customers of control and treatment so that a two-sided t test of size `alpha` sees `difference`.

    Args:
        variance: Of one customer's value, in both arms.
        difference: Of the means.
        power: How often it has to be seen.
        shares: How customers are split between the two.

    >>> sum(sample_size(100, 0.3, power=0.85))
    39906
    """
    check_between(power, 0, 1, say("power"), open_low=True, open_high=True)
    check_between(alpha, 0, 1, say("size of the test"), open_low=True, open_high=True)
    check_between(abs(difference), 0, inf, say("difference"), open_low=True)
    z = special.ndtri(1 - alpha / 2) + special.ndtri(power)
    control, treatment = (share / sum(shares) for share in shares)
    total = (z / difference) ** 2 * variance * (1 / control + 1 / treatment)
    unknown_variance = special.ndtri(1 - alpha / 2) ** 2 / 4
    return ceil(total * control + unknown_variance), ceil(total * treatment + unknown_variance)


def log_lift_sd(metric: Metric, control: float, treatment: float) -> float:
    """How exactly the log lift is known from so many customers."""
    if min(control, treatment) <= 0:
        return inf
    return metric.sd / metric.mean * sqrt(1 / control + 1 / treatment)


def assurance_at_end(belief: LiftPrior, sd: float, rule: Rule) -> float:
    """Chance that the rule adopts at one look at the end, whatever the lift is.

    Args:
        belief: Of the log lift.
        sd: What `log_lift_sd` gives.
        rule: Its weeks and its zone of practical equivalence play no part.
    """
    sign = -1 if rule.lower_is_better else 1
    weight, prior_mean = 1.0, 0.0
    if rule.prior is not None:
        weight = rule.prior.sd**2 / (rule.prior.sd**2 + sd**2)
        prior_mean = sign * rule.prior.mean
    spread = sqrt(weight) * sd
    least = special.ndtri(rule.probability)
    if rule.loss is not None:
        least = max(least, _standard_loss_below(rule.loss / spread))
    threshold = (least * spread - (1 - weight) * prior_mean) / weight
    return float(special.ndtr((sign * belief.mean - threshold) / sqrt(belief.sd**2 + sd**2)))


def loss_at_end(belief: LiftPrior, sd: float) -> float:
    """Expected loss of taking what looks better after the test, as a share of the control's mean."""
    learned = belief.sd**2 / sqrt(belief.sd**2 + sd**2)
    return max(0.0, _gain(belief.mean, belief.sd) - _gain(belief.mean, learned))


def detectable_at_end(sd: float, rule: Rule, power: float = _FOUR_IN_FIVE) -> float:
    """The lift that one look at the end adopts with probability `power`, with no prior of the lift."""
    return expm1(min((special.ndtri(rule.probability) + special.ndtri(power)) * sd, 50.0))


def first_week(customers: Sequence[float], fits: Callable[[float], bool]) -> int | None:
    """The first whole week, from 1, whose number of customers fits; None when none does."""
    return next((week for week, n in enumerate(customers, start=1) if fits(n)), None)


def _gain(mean: float, sd: float) -> float:
    """E[max(x, 0)] of a Normal x."""
    if sd <= 0:
        return max(mean, 0.0)
    z = mean / sd
    return float(mean * special.ndtr(z) + sd * exp(-z * z / 2) / sqrt(2 * pi))


def _standard_loss_below(loss: float) -> float:
    """The z at which φ(z) − z (1 − Φ(z)) has fallen to `loss`."""
    if loss >= _gain(0.0, 1.0):
        return 0.0
    return float(optimize.brentq(lambda z: _gain(-z, 1.0) - loss, 0.0, 38.0))


# --- a global hold-out ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """What customers bring in a stretch of time.

    Attributes:
        days: How long it is.
        customers: How many there are.
        mean, sd: Of what one of them brings.
    """

    days: int
    customers: int
    mean: float
    sd: float

    def precision(self, share: float, level: float) -> float:
        """Half the width of the interval of what personalisation brings with all of them.

        Args:
            share: Of the customers that get none.
            level: Of the interval.
        """
        each = self.sd * sqrt(1 / (share * self.customers) + 1 / ((1 - share) * self.customers))
        return float(special.ndtri((1 + level) / 2)) * each * self.customers


class HoldOut(NamedTuple):
    """What a hold-out of one size tells, and costs.

    Attributes:
        share: Of the customers that get no personalisation.
        customers: How many those are in a year.
        year, quarter: Half the width of the interval of the value that personalisation brings; None where
            the period is not known.
        forgone: Expected value that is given up in a year.
    """

    share: float
    customers: float
    year: float
    quarter: float | None
    forgone: float


def hold_outs(
    year: Period, quarter: Period | None, belief: LiftPrior, shares: Sequence[float], level: float = 0.95
) -> list[HoldOut]:
    """Hold-outs of these sizes.

    Args:
        year: Customers and what they bring in a year.
        quarter: The same of a quarter.
        belief: Of the lift of all personalisation together.
        shares: Each above 0 and below 1.
    """
    lift = expm1(belief.mean + belief.sd**2 / 2)
    for share in shares:
        check_between(share, 0, 1, say("share of the hold-out"), open_low=True, open_high=True)
    return [
        HoldOut(
            share,
            share * year.customers,
            year.precision(share, level),
            quarter.precision(share, level) if quarter else None,
            share * year.customers * year.mean * lift,
        )
        for share in shares
    ]


# --- levels of personalisation --------------------------------------------------------------------------


class Level(NamedTuple):
    """How fine personalisation may be and still be measured.

    Attributes:
        groups: How many groups get something of their own.
        customers: In each of them, in the weeks looked at.
        lift: The smallest lift that one look at the end finds four times in five; None for a single person.
        weeks: Whole weeks until the lift that is worth finding is found; None when it never is.
        measurable: Whether that is no later than the weeks looked at.
    """

    groups: float
    customers: float
    lift: float | None
    weeks: int | None
    measurable: bool


def level_of(
    groups: float,
    metric: Metric,
    rule: Rule,
    customers: Sequence[float],
    treated: float,
    worth: float,
    weeks: int = 4,
) -> Level:
    """One level.

    Args:
        groups: How many groups there are, equally large.
        customers: In the test by the end of each whole week, of all groups.
        treated: Share of them in the treatment.
        worth: The lift that is worth finding.
        weeks: Weeks looked at.
    """

    def lift_of(n: float) -> float:
        return detectable_at_end(log_lift_sd(metric, n * (1 - treated), n * treated), rule)

    there = customers[min(weeks, len(customers)) - 1] / groups
    # a single person cannot be in two arms
    alone = there < 2
    needed = None if alone else first_week(customers, lambda n: lift_of(n / groups) <= worth)
    return Level(
        groups, there, None if alone else lift_of(there), needed, needed is not None and needed <= weeks
    )
