"""When customers come back, by arm of an experiment: exposures → counts by day → curves → one sentence.

A curve says which share has ordered (or has bought again, or is still a customer) after each day, with those
who were exposed lately counted for as long as they have been followed (`models.survival`). It ends where
fewer than 30 are. What is held against the control is the share after 30, 60, 90 and 180 days, the ratio of
the hazards, and the days until it happens, among the first so many.

Only random assignment makes an effect. Buying again is counted among those who bought after the exposure, and
the arms may differ in who that is; it is an association whatever the assignment, and beside it stands the
share of all customers who have ordered twice, which is not.

Where the shares of the arms changed while it ran, customers count in the curves with one over the probability
of their arm, and the ratio of the hazards is that within strata of customers with the same one. By group, an
arm is held against the control in each, and the ratios are drawn towards each other.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from workbench.analyses import propensities
from workbench.analyses import returning_words as words
from workbench.analyses.checks import believed
from workbench.analyses.experiment import control_of, recorded_assignment
from workbench.analyses.returning_answer import Against, Curves, Outcome, Returning, ReturningSettings
from workbench.analyses.returning_counts import Counts
from workbench.analyses.returning_curves import curves
from workbench.analyses.returning_groups import groups
from workbench.engines import Engine, has, span, table
from workbench.errors import DataError, check_between, check_choice
from workbench.locale import say
from workbench.metrics.cells import ask
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
        DataError: when the experiment is not there, has no times or one arm, or its shares moved and the
            probabilities of the arms are not given, or there is nothing to split by of that name.
        ModelError: when these probabilities cannot be worked with.
        WorkbenchError: when a setting is out of its range.
    """
    engine = project.engine
    asked, outcome = _checked(
        engine, ReturningSettings.model_validate({"experiment": experiment, **settings})
    )
    exposures = table(engine, "exposures")
    recorded = recorded_assignment(engine, exposures, asked.experiment)
    assignment = believed(recorded, asked.assignment)
    until = _until(project, asked)
    adaptive = _is_adaptive(engine, exposures, asked, recorded)
    counts = Counts(project, asked, until, adaptive=adaptive)
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
    main = curves(counts, outcome, "association" if conditional else word, arms, control, asked)
    beside = curves(counts, "second", word, arms, control, asked) if conditional else None
    arm = check_choice(asked.arm, others, say("arm")) if asked.arm else _best(main)
    by_group, small, more = groups(counts, outcome, (arm, control), asked)
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
        propensities=counts.propensities,
        small=small,
        more=more,
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
        groups=by_group,
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


def _is_adaptive(
    engine: Engine, exposures: object, asked: ReturningSettings, recorded: Assignment | None
) -> bool:
    """Whether customers have to count with one over the probability of their arm."""
    about = EffectSettings(experiment=asked.experiment, metric="conversion", assignment=asked.assignment)
    return propensities.is_adaptive(engine, exposures, about, recorded)


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


def _best(curves: Curves) -> str:
    """The arm that is likeliest better than the control."""

    def chance(one: Against) -> float:
        return one.by_day[-1].probability_better if one.by_day else 0.0

    return max(curves.comparisons, key=chance).arm
