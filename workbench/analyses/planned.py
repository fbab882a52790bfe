"""What is planned of a test: the settings of a design, and what follows from them alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import expm1
from typing import Literal

from pydantic import Field

from workbench.decisions import sure
from workbench.errors import check_between
from workbench.locale import say
from workbench.models.lift import LiftPrior
from workbench.models.stopping import Looks, Rule
from workbench.protocol import PlannedRule, Protocol
from workbench.records import EffectSettings, OtherMetric
from workbench.records.base import Frozen

When = Literal["daily", "weekly", "end"]
LONGEST = 52
"""Weeks."""


class DesignSettings(Frozen):
    """What is planned.

    Attributes:
        metric: A metric of what customers do; see `metrics.actions`.
        window_days: Days after entering in which outcomes count.
        population: A saved segment that people have to be in when they enter; None for everybody.
        weeks: Whole weeks in which people enter.
        looks: When one looks at the result.
        split: Share of each arm, the control first; they need not sum to 1.
        traffic: Share of those who could enter that do.
        believed: Between which lifts the effect is expected to lie (95 %).
        prior_in_analysis: Whether the analysis uses that belief as its prior, too.
        prior: Beta prior of a conversion rate.
        level: Of the intervals; "sure" means more than 1 − (1 − level) / 2.
        loss: What the choice may lose on average at most, as a share of the control's mean; None for any.
        min_weeks: Whole weeks before which nothing ends the test.
        rope: Smallest lift that matters.
        lower_is_better: Whether the metric should go down.
        mean, sd, zeros: Of one customer's value, by hand; None to take them from the project. Of a share,
            only the mean counts.
        weekly: New customers a week, by hand; None to take them from the project.
        worth: The lift that is worth finding, for levels and sample size.
        assured: How sure one wants to be that the test ends with an adoption.
        hold_out: Share of customers that a global hold-out would keep from all personalisation.
        several, few: Groups at the middle levels of personalisation.
        splits: How often one's own customers are split at random for an A/A test; 0 for none.
        simulations: Tests that are simulated for each true lift.
    """

    metric: str = "conversion"
    window_days: int = 14
    population: str | None = None
    weeks: int = 3
    looks: When = "weekly"
    split: tuple[float, ...] = (0.5, 0.5)
    traffic: float = 1.0
    believed: tuple[float, float] = (-0.1, 0.2)
    prior_in_analysis: bool = False
    prior: tuple[float, float] = (1.0, 1.0)
    level: float = 0.95
    loss: float | None = 0.005
    min_weeks: int = 2
    rope: float = 0.01
    lower_is_better: bool = False
    mean: float | None = None
    sd: float | None = None
    zeros: float | None = None
    weekly: float | None = None
    worth: float = 0.05
    assured: float = 0.5
    hold_out: float = 0.05
    several: int = Field(default=4, ge=2)
    few: int = Field(default=20, ge=2)
    splits: int = 0
    simulations: int = 4000
    seed: int = 0


def check(settings: DesignSettings) -> None:
    """Make sure that every setting is within its range.

    Raises:
        WorkbenchError: naming the one that is not.
    """
    check_between(settings.window_days, 1, 3650, say("number of days in the window"))
    check_between(settings.weeks, 1, LONGEST, say("number of weeks"))
    check_between(settings.traffic, 0, 1, say("share of the traffic"), open_low=True)
    check_between(len(settings.split), 2, 6, say("number of arms"))
    check_between(min(settings.split), 0, 1e9, say("planned share of an arm"), open_low=True)
    check_between(settings.worth, 0, 10, say("lift worth finding"), open_low=True)
    check_between(settings.assured, 0, 1, say("wanted chance of adopting"), open_low=True, open_high=True)
    check_between(settings.hold_out, 0, 1, say("share of the hold-out"), open_low=True, open_high=True)
    check_between(settings.level, 0.5, 1, say("level"), open_low=True, open_high=True)


def rule_of(settings: DesignSettings) -> Rule:
    """The rule that is planned."""
    return Rule(
        probability=sure(settings.level),
        loss=settings.loss,
        rope=settings.rope,
        min_weeks=min(settings.min_weeks, settings.weeks),
        prior=LiftPrior.between(*settings.believed) if settings.prior_in_analysis else None,
        lower_is_better=settings.lower_is_better,
    )


def looks_of(settings: DesignSettings, entering: Sequence[float], weeks: int) -> Looks:
    """The looks of a test of so many weeks.

    Args:
        settings: What is planned.
        entering: Customers in the test by the end of each week.
        weeks: Whole weeks.
    """
    steps = {"end": 1, "weekly": weeks, "daily": weeks * 7}[settings.looks]
    times = [weeks * (step + 1) / steps for step in range(steps)]
    whole = sum(settings.split)
    customers = [
        tuple(int(_by(entering, time) * share / whole) for share in settings.split) for time in times
    ]
    return Looks(tuple(times), tuple(customers))


def _by(entering: Sequence[float], time: float) -> float:
    """Customers by a time in weeks; within a week they come evenly."""
    week = int(time)
    before = entering[week - 1] if week else 0.0
    return before if time == week else before + (time - week) * (entering[week] - before)


def expected_lift(settings: DesignSettings) -> float:
    """The lift that is expected, on average over the belief."""
    belief = LiftPrior.between(*settings.believed)
    return expm1(belief.mean + belief.sd**2 / 2)


def protocol_of(
    settings: DesignSettings,
    *,
    experiment: str,
    arms: Sequence[str],
    mean: float,
    looks: Sequence[float],
    hypothesis: str = "",
    unit: str = "customer",
    start: date | None = None,
    excluded: tuple[tuple[date, date], ...] = (),
    others: tuple[OtherMetric, ...] = (),
    segments: tuple[str, ...] = (),
) -> Protocol:
    """The design as a protocol.

    Args:
        settings: What is planned.
        experiment: Its name in the tables to come.
        arms: Their names in the order of the split, the control first.
        mean: Of one customer's value without the test; the largest loss is a share of it.
        looks: In weeks.
        hypothesis, unit, start, segments: As in `Protocol`.
        excluded: Stretches of days that will not count.
        others: Secondary metrics and guardrails.
    """
    analysis = EffectSettings(
        experiment=experiment,
        metric=settings.metric,
        control=arms[0],
        assignment="random",
        level=settings.level,
        window_days=settings.window_days,
        prior=settings.prior,
        lift_prior=settings.believed if settings.prior_in_analysis else None,
        rope=settings.rope,
        planned_split=dict(zip(arms, settings.split, strict=True)),
        lower_is_better=settings.lower_is_better,
        excluded=excluded,
        others=others,
    )
    loss = None if settings.loss is None else settings.loss * mean
    return Protocol(
        analysis=analysis,
        hypothesis=hypothesis,
        unit=unit,
        population=settings.population or "",
        rule=PlannedRule(probability=sure(settings.level), loss=loss, min_weeks=settings.min_weeks),
        looks=tuple(looks),
        weeks=settings.weeks,
        start=start,
        segments=segments,
    )
