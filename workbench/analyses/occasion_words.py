"""What is found about occasions, in words."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.analyses.histories import Grouping
from workbench.analyses.occasions_found import (
    Difference,
    Foretold,
    GroupOccasions,
    OccasionSettings,
    action_name,
    periods_name,
)
from workbench.locale import Message, say
from workbench.records import Check

_FEW_PERIODS = 3
_FEW_CUSTOMERS = 100


def sentence(
    groups: Sequence[GroupOccasions], differences: Sequence[Difference], settings: OccasionSettings
) -> Message:
    """The answer."""
    asked = {
        "ahead": settings.horizon,
        "periods": periods_name(settings.period, settings.horizon),
        "action": action_name(settings),
        "level": settings.level,
    }
    if differences:
        one = differences[0]
        taken = {group.group: group.new.value for group in groups}
        return say(
            "Of the first {ahead:count} {periods} a customer of “{first}” is expected to take {taken:number} "
            "({action}), one of “{second}” {other:number}: a difference of {difference:signed_number} "
            "(between {low:signed_number} and {high:signed_number} with {level:whole_percent}); it is above "
            "zero with {probability:percent}.",
            first=one.groups[0],
            second=one.groups[1],
            taken=taken[one.groups[0]],
            other=taken[one.groups[1]],
            difference=one.new.value,
            low=one.new.low,
            high=one.new.high,
            probability=one.probability_positive,
            **asked,
        )
    group = groups[0]
    return say(
        "{active:percent} of {n:count} customers are still active (between {low:percent} and {high:percent} "
        "with {level:whole_percent}). Of the next {ahead:count} {periods} a customer is expected to take "
        "{taken:number} ({action}), on average over all of them.",
        active=group.active.value,
        n=group.customers,
        low=group.active.low,
        high=group.active.high,
        taken=group.ahead.value,
        **asked,
    )


def foretold_sentence(found: Foretold, settings: OccasionSettings) -> Message:
    """What was foretold of the periods that were held back, and what came."""
    return say(
        "Of {customers:count} customers the model foretold that they would take {predicted:count} occasions "
        "in the last {held:count} {periods} (between {low:count} and {high:count}); they took {came:count}.",
        customers=found.customers,
        held=len(found.periods),
        periods=periods_name(settings.period, len(found.periods)),
        predicted=found.total.value,
        low=found.total.low,
        high=found.total.high,
        came=found.came,
    )


def occasion_checks(
    foretold: Foretold | None,
    groups: Sequence[GroupOccasions],
    left_out: Sequence[str],
    grouping: Grouping,
    settings: OccasionSettings,
    *,
    most: int,
) -> list[Check]:
    """What was looked at; the hold-out first."""
    checks = []
    if foretold is None:
        text = say("There are too few periods to hold some back and see whether the model foretells them.")
        checks.append(Check(name="holdout", status="warn", detail=text))
    else:
        inside = foretold.total.low <= foretold.came <= foretold.total.high
        better = foretold.root_errors["model"] <= min(foretold.root_errors.values())
        text = foretold_sentence(foretold, settings)
        checks.append(Check(name="holdout", status="ok" if inside else "warn", detail=text))
        if not better:
            text = say("Of single customers a rule of thumb foretold more exactly how many they would take.")
            checks.append(Check(name="single_customers", status="warn", detail=text))
    if most < _FEW_PERIODS:
        text = say(
            "No customer has had more than {n:count} occasions, which hardly tells those who left from those "
            "who take few: much of the answer is what the model expects beforehand.",
            n=most,
        )
        checks.append(Check(name="few_periods", status="warn", detail=text))
    small = [one for one in groups if one.customers < _FEW_CUSTOMERS]
    if small:
        text = say(
            "With {n:count} customers the intervals are wide, and rightly so.",
            n=min(one.customers for one in small),
        )
        checks.append(Check(name="few_customers", status="warn", detail=text))
    if settings.by is not None and len(groups) > 1 and grouping.word == "association":
        text = say("The groups were not made at random, so differences are associations.")
        checks.append(Check(name="assignment", status="warn", detail=text))
    if left_out and settings.by is not None:
        text = say(
            "{n:count} groups are left out, since nobody in them did it again or too little is known: "
            "{names:listing}.",
            n=len(left_out),
            names=list(left_out),
        )
        checks.append(Check(name="small_groups", status="warn", detail=text))
    return checks
