"""When customers come back, by arm of an experiment: exposures → counts by day → curves → one sentence.

A curve says which share has ordered (or has bought again, or is still a customer) after each day, with those
who were exposed lately counted for as long as they have been followed (`models.survival`). It ends where
fewer than 30 are. What is held against the control is the share after 30, 60, 90 and 180 days, the ratio of
the hazards, and the days until it happens, among the first so many.

Only random assignment makes an effect. Buying again is counted among those who bought after the exposure, and
the arms may differ in who that is; it is an association whatever the assignment, and beside it stands the
share of all customers who have ordered twice, which is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import exp
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from scipy import special

from workbench.analyses import propensities
from workbench.analyses import returning_words as words
from workbench.analyses.checks import believed
from workbench.analyses.experiment import control_of, recorded_assignment
from workbench.analyses.returning_answer import (
    FEWEST_FOLLOWED,
    About,
    Against,
    ArmCurve,
    ByDay,
    Curves,
    Outcome,
    Point,
    Ratio,
    Returning,
    ReturningSettings,
)
from workbench.engines import Engine, has, span, table
from workbench.errors import DataError, check_between, check_choice
from workbench.locale import say
from workbench.metrics import exposure
from workbench.metrics.cells import ask
from workbench.metrics.returning import KEYS, lives
from workbench.models.arms import BetaArm
from workbench.models.comparison import compare
from workbench.models.survival import Curve, LifeTable, LogRatio, drift, log_odds_ratio
from workbench.records import Assignment, EffectSettings, Word

if TYPE_CHECKING:
    from workbench.project import Project

MOST_DAYS = 1825
MOST_MARKS = 8


def analyse(project: Project, experiment: str, **settings: object) -> Returning:
    """Follow the customers of an experiment from their first exposure on.

    Args:
        project: Where the tables are.
        experiment: Its name.
        settings: Those of `ReturningSettings`.

    Raises:
        DataError: when the experiment is not there, has no times or one arm, or its shares moved.
        WorkbenchError: when a setting is out of its range.
    """
    engine = project.engine
    asked, outcome = _checked(
        engine, ReturningSettings.model_validate({"experiment": experiment, **settings})
    )
    exposures = table(engine, "exposures")
    recorded = recorded_assignment(engine, exposures, asked.experiment)
    _not_adaptive(engine, exposures, asked, recorded)
    assignment = believed(recorded, asked.assignment)
    until = _until(project, asked)
    counts = _Counts(engine, asked, until)
    arms = sorted(counts.people)
    control = check_choice(asked.control or control_of(arms), arms, say("arm"))
    others = [arm for arm in arms if arm != control]
    if not others:
        raise DataError(
            "Experiment “{name}” has only one arm, “{arm}”; a comparison needs at least two.",
            name=asked.experiment,
            arm=control,
        )
    word: Word = "effect" if assignment == "random" else "association"
    conditional = outcome == "repeat"
    main = _curves(counts, outcome, "association" if conditional else word, arms, control, asked)
    beside = _curves(counts, "second", word, arms, control, asked) if conditional else None
    arm = check_choice(asked.arm, others, say("arm")) if asked.arm else _best(main)
    zone = ZoneInfo(project.settings.timezone)
    facts = words.Facts(
        settings=asked,
        control=control,
        arm=arm,
        assignment=assignment,
        main=main,
        people=counts.people,
        two_arms=counts.two_arms,
        recorded=recorded,
        planned=propensities.planned(engine, exposures, asked.experiment, arms),
        gone=sum(counts.people.values()) - sum(one.people for one in main.arms),
        last=_last(engine, outcome, until, zone),
        until=datetime.fromtimestamp(until, zone).date(),
    )
    checks = words.checks(project, facts)
    return Returning(
        settings=asked,
        control=control,
        arm=arm,
        assignment=assignment,
        outcomes=tuple(outcomes(engine)),
        until=facts.until,
        main=main,
        beside=beside,
        checks=tuple(checks),
        verdict=words.verdict(facts, checks),
    )


def experiments(engine: Engine) -> list[str]:
    """The experiments whose exposures have times."""
    if not has(engine, "exposures"):
        return []
    rows = table(engine, "exposures")
    found = ask(engine, rows.group_by("experience_id").aggregate(times=rows.ts.count())).to_pylist()
    return sorted(row["experience_id"] for row in found if row["times"])


def outcomes(engine: Engine) -> list[Outcome]:
    """What the tables say about coming back and leaving."""
    found: list[Outcome] = []
    if has(engine, "orders"):
        found += ["order", "repeat"]
    if has(engine, "churn"):
        found.append("churn")
    return found


# --- what is read ---------------------------------------------------------------------------------------


def _checked(engine: Engine, asked: ReturningSettings) -> tuple[ReturningSettings, Outcome]:
    """What was asked, in order and with what is waited for."""
    check_between(asked.level, 0.5, 1, say("level"), open_low=True, open_high=True)
    check_between(len(set(asked.days)), 1, MOST_MARKS, say("number of days to compare after"))
    for day in asked.days:
        check_between(day, 1, MOST_DAYS, say("number of days"))
    check_choice(asked.experiment, experiments(engine), say("experiment with times"))
    there = outcomes(engine)
    if not there:
        raise DataError("This project has neither orders nor ends of customers; load a file with them first.")
    outcome = asked.outcome or there[0]
    check_choice(outcome, there, say("outcome"))
    return asked.model_copy(update={"outcome": outcome, "days": tuple(sorted(set(asked.days)))}), outcome


def _not_adaptive(
    engine: Engine, exposures: object, asked: ReturningSettings, recorded: Assignment | None
) -> None:
    moved = EffectSettings(experiment=asked.experiment, metric="conversion", assignment=asked.assignment)
    if propensities.is_adaptive(engine, exposures, moved, recorded):
        raise DataError(
            "The shares of the arms of “{name}” changed while it ran, so that customers count with weights, "
            "and curves with weights are not computed; the effect lab’s results have the share that ordered.",
            name=asked.experiment,
        )


def _until(project: Project, asked: ReturningSettings) -> int:
    """The end of what counts, in seconds since 1970."""
    seconds = span(project.engine, "orders", "events", "exposures")
    assert seconds is not None  # there is an experiment with times
    if asked.until is None:
        return seconds[1]
    day = asked.until + timedelta(days=1)
    midnight = datetime.combine(day, time(), ZoneInfo(project.settings.timezone))
    return min(seconds[1], int(midnight.timestamp()) - 1)


def _last(engine: Engine, outcome: Outcome, until: int, zone: ZoneInfo) -> date | None:
    """The day of the last row of the table that the outcome is in."""
    seconds = span(engine, "churn" if outcome == "churn" else "orders")
    if seconds is None:
        return None
    return datetime.fromtimestamp(min(seconds[1], until), UTC).astimezone(zone).date()


class _Lived(NamedTuple):
    """A life table, how many people are in it, and how many are left at its end."""

    table: LifeTable
    people: int
    left: int


class _Counts:
    """The engine's answer as life tables, by what they are about and arm.

    Attributes:
        people: Customers by arm, without those seen in several.
        two_arms: Those.
    """

    def __init__(self, engine: Engine, asked: ReturningSettings, until: int) -> None:
        self._days = asked.days[-1]
        everyone = exposure.assigned(table(engine, "exposures"), asked.experiment)
        orders = table(engine, "orders") if has(engine, "orders") else None
        churn = table(engine, "churn") if has(engine, "churn") else None
        found = lives(everyone, orders, churn, until=until, days=self._days)
        self._rows = ask(engine, found, KEYS).to_pylist()
        self.people: dict[str, int] = {}
        self.two_arms = 0
        for row in self._rows:
            if row["about"] == "people" and row["arm"] is None:
                self.two_arms += int(row["n"])
            elif row["about"] == "people":
                self.people[row["arm"]] = int(row["n"])
        if not self.people:
            raise DataError(
                "Nobody was in one arm of “{name}” before the end of what counts; choose a later last day.",
                name=asked.experiment,
            )

    def lived(self, about: About, arm: str) -> _Lived:
        """One arm of one kind of event."""
        events, censored = np.zeros(self._days), np.zeros(self._days + 1)
        for row in self._rows:
            if row["about"] == about and row["arm"] == arm:
                (events if row["event"] else censored)[int(row["day"])] += int(row["n"])
        people = round(float(events.sum() + censored.sum()))
        return _Lived(LifeTable.of(events, censored), people, round(float(censored[-1])))


# --- curves ---------------------------------------------------------------------------------------------


def _curves(
    counts: _Counts, about: About, word: Word, arms: Sequence[str], control: str, asked: ReturningSettings
) -> Curves:
    lived = {arm: counts.lived(about, arm) for arm in arms}
    every = [one.table for one in lived.values()]
    common = sum(every[1:], every[0])
    curves = {arm: Curve(one.table, common) for arm, one in lived.items()}
    shown = {
        arm: ArmCurve(
            arm=arm,
            people=one.people,
            events=round(float(one.table.events.sum())),
            points=_points(curves[arm], one, about, asked.level),
        )
        for arm, one in lived.items()
    }
    comparisons = tuple(
        _against(
            arm,
            control,
            (curves[arm], curves[control]),
            (lived[arm].table, lived[control].table),
            min(shown[arm].end, shown[control].end),
            about,
            asked,
        )
        for arm in arms
        if arm != control
    )
    return Curves(about=about, word=word, arms=tuple(shown.values()), comparisons=comparisons)


def _points(curve: Curve, lived: _Lived, about: About, level: float) -> tuple[Point, ...]:
    at_risk = [*lived.table.at_risk, lived.left]
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


def _against(
    arm: str,
    control: str,
    curves: tuple[Curve, Curve],
    tables: tuple[LifeTable, LifeTable],
    horizon: int,
    about: About,
    asked: ReturningSettings,
) -> Against:
    level, marks = asked.level, [day for day in asked.days if day <= horizon] or [horizon]
    treated, untreated = (one.between(0, horizon) for one in tables)
    both = treated + untreated
    ratio = early = late = change = split = None
    if ((treated.at_risk > 0) & (untreated.at_risk > 0) & (both.events > 0)).any():
        ratio = _ratio(log_odds_ratio(treated, untreated), level)
        parts = drift(treated, untreated)
        if parts is not None:
            split = parts.split
            early, late, change = (_ratio(one, level) for one in (parts.early, parts.late, parts.change))
    own, other = (curve.restricted_mean(horizon) for curve in curves)
    less, sd = other[0] - own[0], float(np.hypot(own[1], other[1]))
    reach = float(special.ndtri((1 + level) / 2)) * sd
    return Against(
        arm=arm,
        control=control,
        horizon=horizon,
        by_day=tuple(one for day in marks if (one := _by_day(curves, day, about, level)) is not None),
        hazard_ratio=ratio,
        split=split,
        early=early,
        late=late,
        change=change,
        largest_hazard=float((both.events / np.maximum(both.at_risk, 1)).max(initial=0.0)),
        days_less=less,
        days_interval=(less - reach, less + reach),
    )


def _by_day(curves: tuple[Curve, Curve], day: int, about: About, level: float) -> ByDay | None:
    arm, control = (_share_of(one, day, about) for one in curves)
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


def _ratio(found: LogRatio, level: float) -> Ratio:
    low, middle, high = (exp(value) for value in found.ppf([(1 - level) / 2, 0.5, (1 + level) / 2]))
    return Ratio(value=middle, interval=(low, high), probability_below=float(found.cdf(0.0)))


def _best(curves: Curves) -> str:
    """The arm that is likeliest better than the control."""

    def chance(one: Against) -> float:
        return one.by_day[-1].probability_better if one.by_day else 0.0

    return max(curves.comparisons, key=chance).arm
