"""What is checked of curves, and the one sentence that they come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from workbench.analyses.checks import FEWEST_CONVERSIONS, effect_checks
from workbench.analyses.consent import consent_checks
from workbench.analyses.experiment import Experiment
from workbench.analyses.propensities import ByGroup
from workbench.analyses.returning_answer import (
    FEWEST_FOLLOWED,
    About,
    Against,
    ByDay,
    Curves,
    Ratio,
    ReturningSettings,
)
from workbench.decisions import sure
from workbench.locale import Message, say
from workbench.records import Assignment, Check, EffectSettings, failures_first

if TYPE_CHECKING:
    from workbench.project import Project

STALE_DAYS = 14
SAME_DAY = 0.2
LARGE_HAZARD = 0.1


@dataclass(frozen=True)
class Facts:
    """What the checks and the sentence are made of; see `returning_answer.Returning`.

    Attributes:
        people: Customers by arm. two_arms: Those seen in several.
        recorded, planned: What the data say of the assignment and of the arms' shares.
        gone: Customers in no curve: of `churn` those who had left before.
        last: The day of the last row of the table that the outcome is in.
        propensities: The probabilities of the arms, where the shares changed.
        small: Groups of which nothing can be said. more: How many are not shown.
    """

    settings: ReturningSettings
    control: str
    arm: str
    assignment: Assignment
    main: Curves
    people: Mapping[str, int]
    two_arms: int
    recorded: Assignment | None
    planned: dict[str, float] | None
    gone: int
    last: date | None
    until: date
    propensities: ByGroup | None
    small: Sequence[str]
    more: int

    @property
    def pair(self) -> Against:
        """The arm that is spoken of against the control."""
        return self.main.against(self.arm)


# --- checks ---------------------------------------------------------------------------------------------


def checks(project: Project, facts: Facts) -> list[Check]:
    """Failures first."""
    found = [*_of_the_experiment(facts), *_enough(facts), *_followed(facts), *_fresh(facts)]
    found += [*_proportional(facts), *_conditional(facts), *_gone(facts), *_large(facts)]
    found += [*_weighted(facts), *_groups(facts)]
    return failures_first([*found, *consent_checks(project, "exposures")])


def _of_the_experiment(facts: Facts) -> list[Check]:
    """How people were assigned, who was seen in two arms, and whether the arms are as large as planned."""
    asked = facts.settings
    found = Experiment(
        kind="binary",
        unit="share",
        cells={},
        assigned=dict(facts.people),
        tables=(),
        two_arms=facts.two_arms,
        recorded=facts.recorded,
        planned=facts.planned,
        times=True,
        propensities=facts.propensities,
    )
    settings = EffectSettings(
        experiment=asked.experiment,
        metric="conversion",
        control=asked.control,
        assignment=asked.assignment,
        planned_split=asked.planned_split,
    )
    own = ("enough_data", "propensities")  # are checked of the curves
    return [one for one in effect_checks(found, settings, facts.control) if one.name not in own]


def _enough(facts: Facts) -> Iterator[Check]:
    for one in facts.main.arms:
        if one.arm not in (facts.arm, facts.control):
            continue
        words = {"arm": one.arm, "n": one.people, "least": FEWEST_FOLLOWED}
        if not one.end:
            yield Check(
                name="enough_data",
                status="fail",
                detail=say(
                    "It is too early: “{arm}” has {n:count} customers, and fewer than {least:count} of them "
                    "could be followed for a day.",
                    **words,
                ),
            )
        elif one.events < FEWEST_CONVERSIONS:
            yield Check(
                name="enough_data",
                status="fail",
                detail=say(
                    "It is too early: in “{arm}” it has happened to {few:count} of {n:count} customers, and "
                    "below {least:count} no verdict is given.",
                    arm=one.arm,
                    few=one.events,
                    n=one.people,
                    least=FEWEST_CONVERSIONS,
                ),
            )


def _followed(facts: Facts) -> Iterator[Check]:
    last, horizon = facts.settings.days[-1], facts.pair.horizon
    if horizon == last:
        detail = say(
            "At least {least:count} customers of each arm are followed for all of the {days:count} days.",
            least=FEWEST_FOLLOWED,
            days=last,
        )
        yield Check(name="followed", status="ok", detail=detail)
    elif horizon:
        detail = say(
            "After {days:count} days fewer than {least:count} customers of an arm are followed for longer, "
            "so the curves are compared up to there, not up to day {last:count}; ask again later.",
            days=horizon,
            least=FEWEST_FOLLOWED,
            last=last,
        )
        yield Check(name="followed", status="warn", detail=detail)


def _fresh(facts: Facts) -> Iterator[Check]:
    """A table that ends earlier than the others looks as if nothing happened any more."""
    if facts.last is None or (facts.until - facts.last).days <= STALE_DAYS:
        return
    detail = say(
        "The data go to {until:date}, but the last row about this is of {last:date}. If the file ended "
        "there, give that as the last day that counts: as it is, nobody seems to come or go after it.",
        until=facts.until,
        last=facts.last,
    )
    yield Check(name="fresh", status="warn", detail=detail)


def _proportional(facts: Facts) -> Iterator[Check]:
    pair = facts.pair
    if pair.early is None or pair.late is None or pair.change is None:
        return
    words = {"day": pair.split, "early": pair.early.value, "late": pair.late.value}
    if _differs(pair.change, facts.settings.level):
        detail = say(
            "The ratio is not the same all along: {early:number} before day {day:count} and {late:number} "
            "from then on. One ratio for all days hides that; read the shares after each number of days.",
            **words,
        )
        yield Check(name="proportional", status="warn", detail=detail)
    else:
        detail = say(
            "The ratio may well be the same early and late: {early:number} before day {day:count}, "
            "{late:number} from then on.",
            **words,
        )
        yield Check(name="proportional", status="ok", detail=detail)


def _differs(change: Ratio, level: float) -> bool:
    return max(change.probability_below, 1 - change.probability_below) >= sure(level)


def _conditional(facts: Facts) -> Iterator[Check]:
    if facts.main.about != "repeat":
        return
    detail = say(
        "Only those count who bought after they were shown something, and the arms may differ in who that "
        "is: a difference here is one of who bought as well as of what came after. The share of all "
        "customers who have ordered twice, shown as well, is free of that."
    )
    yield Check(name="conditional", status="warn", detail=detail)
    soon = sum(one.points[1].share * one.people for one in facts.main.arms if one.end)
    events = sum(one.events for one in facts.main.arms)
    if events and soon > SAME_DAY * events:
        detail = say(
            "{share:percent} of the second orders came within a day of the first: if your shop splits "
            "deliveries into orders, they are no second purchases.",
            share=min(1.0, soon / events),
        )
        yield Check(name="same_day", status="warn", detail=detail)


def _gone(facts: Facts) -> Iterator[Check]:
    if facts.main.about == "churn" and facts.gone:
        detail = say(
            "{n:count} customers had left before they were shown anything; they are left out.", n=facts.gone
        )
        yield Check(name="gone", status="ok", detail=detail)


def _large(facts: Facts) -> Iterator[Check]:
    if facts.pair.largest_hazard > LARGE_HAZARD:
        detail = say(
            "On one day it happened to {share:percent} of those to whom it still could: the ratio is one of "
            "odds, and where so much happens in a day it lies further from 1 than that of the chances.",
            share=facts.pair.largest_hazard,
        )
        yield Check(name="large_hazard", status="ok", detail=detail)


def _weighted(facts: Facts) -> Iterator[Check]:
    """How much the curves say where customers do not count alike, and of whom the ratio is."""
    if facts.propensities is None:
        return
    arms = {arm: one for (arm, group), one in facts.propensities.items() if group is None}
    words = {
        "low": min(one.low for one in arms.values()),
        "high": max(one.high for one in arms.values()),
        "parts": [
            say("{arm} {n:count}", arm=name, n=one.weights**2 / one.squares)
            for name, one in sorted(arms.items())
        ],
    }
    if len(arms) == 2:
        detail = say(
            "The probabilities of the arms ran from {low:percent} to {high:percent}: in the curves every "
            "customer counts with one over their own, so that the arms say as much as this many who count "
            "alike ({parts:listing}); the hazard ratio is that among customers with the same probability.",
            **words,
        )
    else:
        detail = say(
            "The probabilities of the arms ran from {low:percent} to {high:percent}: in the curves every "
            "customer counts with one over their own, so that the arms say as much as this many who count "
            "alike ({parts:listing}). With more than two arms it is not known who had the same "
            "probabilities, so no hazard ratio is given.",
            **words,
        )
    yield Check(name="propensities", status="ok", detail=detail)


def _groups(facts: Facts) -> Iterator[Check]:
    if facts.small:
        detail = say(
            "{n:count} groups have too few customers, or too few to whom it has happened, to say anything: "
            "{names:listing}.",
            n=len(facts.small),
            names=list(facts.small),
        )
        yield Check(name="small_segments", status="warn", detail=detail)
    if facts.more:
        detail = say(
            "{n:count} smaller groups are not shown; choose a column with fewer, or define segments.",
            n=facts.more,
        )
        yield Check(name="more_groups", status="ok", detail=detail)


# --- the sentence ---------------------------------------------------------------------------------------


def verdict(facts: Facts, found: Sequence[Check]) -> Message:
    """What was seen, how sure we are, and whether it is an effect."""
    failed = [check for check in found if check.status == "fail"]
    if failed:
        return say("No verdict. {reason}", reason=failed[0].detail)
    if not facts.pair.by_day:
        return say("No verdict. It has happened to too few customers so far.")
    last = facts.pair.by_day[-1]
    seen = shares(facts.main.about, facts.arm, facts.control, last)
    if facts.main.about == "repeat":
        return say(
            "{seen} This is an association, not an effect: who bought at all may differ between the arms.",
            seen=seen,
        )
    if facts.main.word == "association":
        if facts.assignment == "unknown":
            return say(
                "{seen} This is an association, not an effect, as long as it is not known who decided who "
                "got what.",
                seen=seen,
            )
        return say(
            "{seen} This is an association, not an effect: who got what was not left to chance.", seen=seen
        )
    threshold, p = sure(facts.settings.level), last.probability_better
    if threshold > p > 1 - threshold:
        low, high = last.interval
        return say(
            "No clear difference yet. {seen} The difference lies between {low:points} and {high:points} "
            "points ({level:whole_percent}); keep measuring.",
            seen=seen,
            low=low,
            high=high,
            level=facts.settings.level,
        )
    lead = _lead(facts.main.about, facts.arm, facts.control, better=p > 0.5)
    return say("{lead} {seen} We are {p:percent} sure.", lead=lead, seen=seen, p=max(p, 1 - p))


def _lead(about: About, arm: str, control: str, *, better: bool) -> Message:
    words = {"arm": arm, "control": control}
    if about == "churn":
        if better:
            return say("“{arm}” keeps more customers than “{control}”.", **words)
        return say("“{arm}” loses more customers than “{control}”.", **words)
    if better:
        return say("“{arm}” leads more customers to an order than “{control}”.", **words)
    return say("“{arm}” leads fewer customers to an order than “{control}”.", **words)


def shares(about: About, arm: str, control: str, one: ByDay) -> Message:
    """The two shares after a number of days as a sentence."""
    words = {
        "arm": arm,
        "control": control,
        "day": one.day,
        "own": one.arm_share,
        "other": one.control_share,
    }
    if about == "churn":
        return say(
            "After {day:count} days {own:share} of “{arm}” are still customers, {other:share} of "
            "“{control}”.",
            **words,
        )
    if about == "repeat":
        return say(
            "{day:count} days after their first order {own:share} of the buyers of “{arm}” have bought "
            "again, {other:share} of those of “{control}”.",
            **words,
        )
    if about == "second":
        return say(
            "After {day:count} days {own:share} of all customers of “{arm}” have ordered twice, "
            "{other:share} of “{control}”.",
            **words,
        )
    return say(
        "After {day:count} days {own:share} of “{arm}” have ordered, {other:share} of “{control}”.", **words
    )
