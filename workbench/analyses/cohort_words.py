"""What is found about cohorts, in words."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.locale import Message, say
from workbench.records import Check
from workbench.records.cohorts import FIRST_ORDER, Cohort, CohortDifference, CohortSettings
from workbench.report.cohorts import PERIOD_NAMES, named

_FEW = 30


def sentence(
    cohorts: Sequence[Cohort], difference: CohortDifference | None, settings: CohortSettings
) -> Message:
    """The answer: the difference where there is one, else how many came back."""
    if difference is not None:
        first, second = difference.cohorts
        low, high = difference.interval
        return say(
            "By the end of their {period} {age:count} customers of {first} had brought {one:money} each, "
            "those of {second} {other:money}: a difference of {gap:signed_money} (between "
            "{low:signed_money} and {high:signed_money} with {level:whole_percent}).",
            period=PERIOD_NAMES[settings.period],
            age=difference.age + 1,
            first=named(first, settings),
            second=named(second, settings),
            one=difference.means[0],
            other=difference.means[1],
            gap=difference.mean,
            low=low,
            high=high,
            level=settings.level,
        )
    total = sum(one.customers for one in cohorts)
    return say(
        "{n:count} customers began in {k:count} cohorts, no two of which are large and old enough to be "
        "compared.",
        n=total,
        k=len(cohorts),
    )


def cohort_checks(
    cohorts: Sequence[Cohort], settings: CohortSettings, measured: float, *, foretold: bool
) -> list[Check]:
    """What was looked at."""
    checks = [
        Check(
            name="association",
            status="warn",
            detail=say(
                "Cohorts differ by more than the time at which they began, so differences are associations."
            ),
        )
    ]
    few = [one for one in cohorts if one.customers < _FEW]
    if few:
        text = say(
            "{n:count} of {k:count} cohorts have fewer than {few:count} customers; they say little.",
            n=len(few),
            k=len(cohorts),
            few=_FEW,
        )
        checks.append(Check(name="small_cohorts", status="warn", detail=text))
    if 0 < measured < 1:
        text = say("{share:percent} of the orders carry a margin.", share=measured)
        checks.append(Check(name="margin", status="warn", detail=text))
    if settings.start == FIRST_ORDER and settings.by is None and not foretold and settings.project_periods:
        text = say(
            "What is to come is not drawn: the model of purchases cannot be fitted to these orders, which "
            "have too few customers who came back."
        )
        checks.append(Check(name="projection", status="warn", detail=text))
    return checks
