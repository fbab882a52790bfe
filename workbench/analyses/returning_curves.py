"""Curves of the arms, and an arm held against the control, from life tables."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np
from scipy import special

from workbench.analyses.returning_answer import (
    FEWEST_FOLLOWED,
    About,
    Against,
    ArmCurve,
    ByDay,
    Curves,
    Point,
    Ratio,
    ReturningSettings,
)
from workbench.analyses.returning_counts import Counts, Lived
from workbench.errors import ModelError
from workbench.models.arms import BetaArm
from workbench.models.comparison import compare
from workbench.models.survival import Curve, LifeTable, LogRatio, drift, log_odds_ratio
from workbench.records import Word


def curves(
    counts: Counts, about: About, word: Word, arms: Sequence[str], control: str, asked: ReturningSettings
) -> Curves:
    """The curves of all arms, and each against the control."""
    lived = {arm: counts.lived(about, arm) for arm in arms}
    drawn = drawn_of(lived)
    shown = {
        arm: ArmCurve(
            arm=arm,
            people=one.people,
            events=round(float(one.seen.events.sum())),
            points=_points(drawn[arm], one, about, asked.level),
        )
        for arm, one in lived.items()
    }
    comparisons = []
    for arm in arms:
        if arm == control:
            continue
        horizon = min(shown[arm].end, shown[control].end)
        pair = against(counts, about, (arm, control), lived, drawn, horizon, asked)
        found = ratio_of(counts, about, (arm, control), horizon)
        if found is not None:
            pair = pair.model_copy(update={"hazard_ratio": ratio(found, asked.level)})
            sides = strata(counts, about, (arm, control), horizon)
            parts = drift(*sides)
            if parts is not None:
                named = {"early": parts.early, "late": parts.late, "change": parts.change}
                said = {name: ratio(one, asked.level) for name, one in named.items()}
                pair = pair.model_copy(update={"split": parts.split, **said})
        comparisons.append(pair)
    return Curves(about=about, word=word, arms=tuple(shown.values()), comparisons=tuple(comparisons))


def drawn_of(lived: dict[str, Lived]) -> dict[str, Curve]:
    """The posterior curve of each arm; the prior's centre is that of all of them together."""
    every = [one.table for one in lived.values()]
    common = sum(every[1:], every[0])
    return {arm: Curve(one.table, common) for arm, one in lived.items()}


def _points(curve: Curve, lived: Lived, about: About, level: float) -> tuple[Point, ...]:
    at_risk = [*lived.seen.at_risk, lived.left]
    found = []
    for day in range(lived.table.followed(FEWEST_FOLLOWED) + 1):
        arm = _share_of(curve, day, about)
        share = 1.0 if about == "churn" else 0.0
        low = high = share
        if arm is not None:
            share = arm.mean
            low, high = (float(end) for end in arm.ppf([(1 - level) / 2, (1 + level) / 2]))
        found.append(Point(day=day, share=share, interval=(low, high), at_risk=round(at_risk[day])))
    return tuple(found)


def _share_of(curve: Curve, day: int, about: About) -> BetaArm | None:
    """The share that is shown: of customers, who is still there; of orders, who has placed one."""
    return curve.without(day) if about == "churn" else curve.happened(day)


def against(
    counts: Counts,
    about: About,
    arms: tuple[str, str],
    lived: dict[str, Lived],
    drawn: dict[str, Curve],
    horizon: int,
    asked: ReturningSettings,
) -> Against:
    """An arm against the control by shares and days, up to the day `horizon`; without ratios.

    Args:
        counts: What was read.
        about: The event.
        arms: The arm and the control.
        lived, drawn: Of both.
        horizon: How far both are followed.
        asked: The question.
    """
    arm, control = arms
    level, marks = asked.level, [day for day in asked.days if day <= horizon] or [horizon]
    both = sum((lived[one].seen.between(0, horizon) for one in arms[1:]), lived[arm].seen.between(0, horizon))
    own, other = (drawn[one].restricted_mean(horizon) for one in arms)
    less, sd = other[0] - own[0], float(np.hypot(own[1], other[1]))
    reach = float(special.ndtri((1 + level) / 2)) * sd
    pair = drawn[arm], drawn[control]
    return Against(
        arm=arm,
        control=control,
        horizon=horizon,
        by_day=tuple(one for day in marks if (one := _by_day(pair, day, about, level)) is not None),
        hazard_ratio=None,
        split=None,
        early=None,
        late=None,
        change=None,
        largest_hazard=float((both.events / np.maximum(both.at_risk, 1)).max(initial=0.0)),
        days_less=less,
        days_interval=(less - reach, less + reach),
    )


def _by_day(pair: tuple[Curve, Curve], day: int, about: About, level: float) -> ByDay | None:
    arm, control = (_share_of(one, day, about) for one in pair)
    if arm is None or control is None:
        return None
    found = compare(arm, control, level)
    return ByDay(
        day=day,
        arm_share=arm.mean,
        control_share=control.mean,
        difference=found.difference,
        interval=found.difference_interval,
        probability_better=found.probability_better,
    )


def strata(
    counts: Counts, about: About, arms: tuple[str, str], horizon: int, group: str | None = None
) -> tuple[list[LifeTable], list[LifeTable]]:
    """The tables of both arms up to the day `horizon`, stratum by stratum, where both have somebody."""
    one, other = (counts.strata(about, arm, group) for arm in arms)
    both = sorted(one.keys() & other.keys())
    return [one[s].between(0, horizon) for s in both], [other[s].between(0, horizon) for s in both]


def ratio_of(
    counts: Counts, about: About, arms: tuple[str, str], horizon: int, group: str | None = None
) -> LogRatio | None:
    """The log of the hazard ratio; None where nothing happened while both were followed."""
    try:
        return log_odds_ratio(*strata(counts, about, arms, horizon, group))
    except ModelError:
        return None


def ratio(found: LogRatio, level: float) -> Ratio:
    """As it is kept."""
    low, middle, high = (exp(value) for value in found.ppf([(1 - level) / 2, 0.5, (1 + level) / 2]))
    return Ratio(value=middle, interval=(low, high), probability_below=float(found.cdf(0.0)))
