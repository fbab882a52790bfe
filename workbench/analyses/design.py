"""What a test could tell us, how long it takes, and how often the rule would be wrong; before it begins.

    view = design(project, DesignSettings(metric="conversion", weeks=3))

Rates and traffic come from what customers did before, or are given by hand; the rule is the lab's own, and
its error rates are simulated (`models.operating`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, log10
from typing import TYPE_CHECKING

from workbench.analyses.baseline import Base, base_of, period
from workbench.analyses.planned import LONGEST, DesignSettings, check, looks_of, rule_of
from workbench.errors import DataError
from workbench.locale import Message, say
from workbench.models import planning
from workbench.models.lift import LiftPrior
from workbench.models.operating import (
    Characteristics,
    FalseWins,
    assurance,
    detectable,
    false_wins,
    operating,
)
from workbench.models.planning import HoldOut, Level, Period
from workbench.models.stopping import Looks, Measured, Metric, Rule, Share

if TYPE_CHECKING:
    from workbench.project import Project

HORIZON = 12
"""Weeks that are looked at at least."""
POWER = 0.8
HOLD_OUTS = tuple(percent / 100 for percent in range(1, 21))
LEVEL_WEEKS = 4
LEVELS = ("general", "several", "few", "individual")
YEAR, QUARTER = 365, 91


@dataclass(frozen=True)
class Week:
    """What a test of so many weeks is good for.

    Attributes:
        customers: In all arms.
        adopted: Chance that the rule has adopted by then, whatever the lift is.
        loss: Expected loss of taking what looks better at its end, as a share of the control's mean.
    """

    week: int
    customers: float
    adopted: Measured
    loss: float


@dataclass(frozen=True)
class DesignView:
    """Everything that is known of a design.

    Attributes:
        looks: When one looks, and the customers of each arm by then.
        rule: As it is simulated.
        truths: The rule's characteristics at true lifts, in their order.
        weeks: Tests of one week, two weeks, …
        smallest: The smallest lift that is adopted four times in five; None where none up to the largest is.
        best_adopted: The chance of adopting that no length of a test exceeds: that there is a gain.
        weeks_for_loss: The first week at whose end the expected loss is small enough; None where none is.
        weeks_for_assurance: The first week by which an adoption is as likely as wanted; None where none is.
        weeks_for_worth: The first week at whose end one look finds the lift worth finding four times in five.
        customers_for_worth: Customers of all arms that this takes.
        year, quarter: What customers bring in a year and in a quarter; None where the project does not say.
        hold_outs: Global hold-outs of 1 % to 20 %; empty where the year is not known.
        levels: By name, how fine personalisation may be and still be measured.
        false_wins: What an A/A test on one's own customers gave; None where none was asked for.
        notes: What has to be known when this is read.
    """

    settings: DesignSettings
    base: Base
    looks: Looks
    rule: Rule
    truths: list[Characteristics]
    weeks: list[Week]
    smallest: float | None
    best_adopted: float
    weeks_for_loss: int | None
    weeks_for_assurance: int | None
    weeks_for_worth: int | None
    customers_for_worth: int
    year: Period | None
    quarter: Period | None
    hold_outs: list[HoldOut]
    levels: dict[str, Level]
    false_wins: FalseWins | None = None
    notes: list[Message] = field(default_factory=list)

    @property
    def no_effect(self) -> Characteristics:
        """The rule's characteristics where there is no effect."""
        return next(one for one in self.truths if one.lift == 0)

    @property
    def in_arm(self) -> int:
        """Customers of the smallest arm at the end."""
        return min(self.looks.customers[-1])


def design(project: Project, settings: DesignSettings) -> DesignView:
    """What a test as planned could tell.

    Raises:
        DataError: the metric, the population or what rates are taken from is not there.
        ModelError: a rate or a mean cannot be planned with, such as a conversion of nought.
        WorkbenchError: a setting is out of its range.
    """
    check(settings)
    base = base_of(project, settings)
    rule = rule_of(settings)
    belief = LiftPrior.between(*settings.believed)
    entering = [n * settings.traffic for n in base.reach]
    looks = looks_of(settings, entering, settings.weeks)
    lifts = _lifts(base.metric, looks, rule, settings.lower_is_better)
    truths = operating(base.metric, looks, rule, lifts, settings.simulations, settings.seed)
    weeks = _weeks(settings, base.metric, entering, rule, belief)
    year, quarter = (period(project, settings, days) for days in (YEAR, QUARTER))
    hold_outs = planning.hold_outs(year, quarter, belief, HOLD_OUTS, settings.level) if year else []
    needed = planning.sample_size(
        base.metric.sd**2, base.metric.mean * settings.worth, POWER, 1 - settings.level, _pair(settings)
    )
    in_all = round(sum(needed) / sum(_pair(settings)) * sum(settings.split))
    return DesignView(
        settings=settings,
        base=base,
        looks=looks,
        rule=rule,
        truths=truths,
        weeks=weeks,
        smallest=detectable(truths, POWER, lower=settings.lower_is_better),
        best_adopted=planning.assurance_at_end(belief, 1e-9, Rule(lower_is_better=rule.lower_is_better)),
        weeks_for_loss=next((w.week for w in weeks if w.loss <= (settings.loss or 0.0)), None),
        weeks_for_assurance=next((w.week for w in weeks if w.adopted.value >= settings.assured), None),
        weeks_for_worth=planning.first_week(entering, lambda n: n >= in_all),
        customers_for_worth=in_all,
        year=year,
        quarter=quarter,
        hold_outs=hold_outs,
        levels=_levels(settings, base.metric, entering, rule),
        false_wins=_split_at_random(settings, base, rule) if settings.splits else None,
        notes=_notes(settings, base, looks),
    )


def _lifts(metric: Metric, looks: Looks, rule: Rule, lower: bool) -> list[float]:
    """True lifts in round steps; four steps are about what one look at the end finds four times in five."""
    sd = planning.log_lift_sd(metric, *looks.customers[-1][:2])
    most = min(planning.detectable_at_end(sd, rule, POWER), metric.most / 2, 2.0)
    step = _round(max(most, 1e-4) / 4)
    gains = [step * k for k in range(-4, 7)]
    return sorted(gain for gain in ([-g for g in gains] if lower else gains) if -0.95 < gain < metric.most)


def _round(step: float) -> float:
    """The nearest of 1, 2, 2.5, 5 times a power of ten that is no smaller."""
    power = 10.0 ** floor(log10(step))
    return next(round(m * power, 10) for m in (1, 2, 2.5, 5, 10, 20) if m * power >= step * 0.999)


def _weeks(
    settings: DesignSettings, metric: Metric, entering: Sequence[float], rule: Rule, belief: LiftPrior
) -> list[Week]:
    horizon = min(max(HORIZON, 2 * settings.weeks), LONGEST) if settings.looks == "daily" else LONGEST
    whole, treated = sum(settings.split), settings.split[1]
    adopted: list[Measured] = []
    if settings.looks == "end":
        for week in range(1, horizon + 1):
            looks = looks_of(settings, entering, week)
            early = Looks((max(week, rule.min_weeks),), looks.customers)
            adopted += assurance(metric, early, rule, belief, settings.simulations, settings.seed)
    else:
        looks = looks_of(settings, entering, horizon)
        found = assurance(metric, looks, rule, belief, settings.simulations, settings.seed)
        step = len(found) // horizon
        adopted = found[step - 1 :: step]
    weeks = []
    for week, (customers, chance) in enumerate(zip(entering[:horizon], adopted, strict=True), start=1):
        control, treatment = (customers * share / whole for share in (settings.split[0], treated))
        sign = -1 if settings.lower_is_better else 1
        gain = LiftPrior(sign * belief.mean, belief.sd)
        loss = planning.loss_at_end(gain, planning.log_lift_sd(metric, control, treatment))
        weeks.append(Week(week, customers, chance, loss))
    return weeks


def _pair(settings: DesignSettings) -> tuple[float, float]:
    return settings.split[0], settings.split[1]


def _levels(
    settings: DesignSettings, metric: Metric, entering: Sequence[float], rule: Rule
) -> dict[str, Level]:
    everybody = entering[min(LEVEL_WEEKS, len(entering)) - 1]
    groups = (1, settings.several, settings.few, max(everybody, 1.0))
    treated = settings.split[1] / sum(_pair(settings))
    return {
        name: planning.level_of(n, metric, rule, entering, treated, settings.worth, LEVEL_WEEKS)
        for name, n in zip(LEVELS, groups, strict=True)
    }


def _split_at_random(settings: DesignSettings, base: Base, rule: Rule) -> FalseWins:
    """The rule on halves of one's own customers, as many as planned or as many as there are."""
    if base.histogram is None or base.customers is None:
        raise DataError("An A/A test splits your own customers; take the rate from the project for it.")
    looks = looks_of(settings, [n * settings.traffic for n in base.reach], settings.weeks)
    scale = min(1.0, base.customers / sum(looks.customers[-1]))
    fewer = tuple(tuple(int(n * scale) for n in row) for row in looks.customers)
    return false_wins(
        base.histogram.values,
        base.histogram.counts,
        base.metric,
        Looks(looks.weeks, fewer),
        rule,
        settings.splits,
        settings.seed,
    )


def _notes(settings: DesignSettings, base: Base, looks: Looks) -> list[Message]:
    notes = []
    if settings.weeks > base.known_weeks:
        notes.append(
            say(
                "The data cover {known:count} weeks; later ones are taken to be like the last.",
                known=base.known_weeks,
            )
        )
    few = looks.customers[-1][0] * base.metric.mean if isinstance(base.metric, Share) else 1e9
    if few < 30:
        notes.append(
            say(
                "Only about {n:count} conversions are to be expected in the control; below 10 in an arm no "
                "verdict is given.",
                n=few,
            )
        )
    if settings.min_weeks > settings.weeks:
        notes.append(
            say(
                "The rule asks for {least:count} whole weeks, the test has {weeks:count}; it is simulated as "
                "if the rule asked for no more.",
                least=settings.min_weeks,
                weeks=settings.weeks,
            )
        )
    return notes
