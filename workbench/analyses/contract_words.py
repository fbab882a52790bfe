"""What is found about contracts, in words."""

from __future__ import annotations

from workbench.analyses.contracts_found import (
    FEWEST_ENDED,
    ContractSettings,
    Difference,
    Foretold,
    GroupContracts,
)
from workbench.analyses.histories import Grouping
from workbench.locale import Message, say
from workbench.records import Check


def sentence(
    groups: tuple[GroupContracts, ...], differences: tuple[Difference, ...], settings: ContractSettings
) -> Message:
    """The answer."""
    if differences:
        first = differences[0]
        values = {
            "first": first.groups[0],
            "second": first.groups[1],
            "difference": first.worth.mean,
            "low": first.worth.interval[0],
            "high": first.worth.interval[1],
            "level": settings.level,
            "probability": first.probability_positive,
            "payments": settings.horizon,
        }
        return say(
            "A new contract of “{first}” and one of “{second}” differ by {difference:signed_money} over "
            "{payments:count} payments (between {low:signed_money} and {high:signed_money} with "
            "{level:whole_percent}); the first brings more with {probability:percent}.",
            **values,
        )
    one = groups[0]
    return say(
        "Of new contracts {renewal:percent} are renewed the first time and {later:percent} the time after "
        "{periods:count} renewals; one that begins now brings {worth:money} over {payments:count} payments "
        "(between {low:money} and {high:money} with {level:whole_percent}).",
        renewal=one.renewal.mean,
        later=one.renewed_later[1].mean,
        periods=one.renewed_later[0],
        worth=one.new.mean,
        payments=settings.horizon,
        low=one.new.interval[0],
        high=one.new.interval[1],
        level=settings.level,
    )


def contract_checks(
    foretold: Foretold | None,
    left_out: list[str],
    grouping: Grouping,
    settings: ContractSettings,
    shown: int,
) -> list[Check]:
    """What was looked at; arguments as of `ContractsView`, and the groups that are too small."""
    checks = []
    if foretold is None:
        text = say("There are too few periods to hold some back and see whether the model foretells them.")
        checks.append(Check(name="holdout", status="warn", detail=text))
    else:
        low, high = foretold.interval
        inside = low <= foretold.actual <= high
        text = say(
            "Of {of:count} contracts kept {periods:count} periods ago the model foretold that "
            "{predicted:count} would still be (between {low:count} and {high:count}); {actual:count} are.",
            of=foretold.of,
            periods=foretold.periods,
            predicted=foretold.predicted,
            low=low,
            high=high,
            actual=foretold.actual,
        )
        checks.append(Check(name="holdout", status="ok" if inside else "warn", detail=text))
    if settings.by is not None and shown > 1 and grouping.word == "association":
        text = say("The groups were not made at random, so differences are associations.")
        checks.append(Check(name="assignment", status="warn", detail=text))
    if left_out and settings.by is not None:
        text = say(
            "{n:count} groups have fewer than {least:count} contracts that ended and are left out: "
            "{names:listing}.",
            n=len(left_out),
            least=FEWEST_ENDED,
            names=left_out,
        )
        checks.append(Check(name="small_groups", status="warn", detail=text))
    return checks
