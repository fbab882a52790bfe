"""The record of cohorts: what was asked, and what customers who began together did at the same age."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from workbench.records.base import Frozen, Interval, Number, Record, Text, Word

FIRST_ORDER, SIGNED_UP, EXPOSED = "first_order", "signed_up", "exposure:"
"""What begins a cohort; after `EXPOSED` comes the name of an experiment."""

Measure = Literal["active", "orders", "revenue", "margin", "value"]
MEASURES: tuple[Measure, ...] = ("active", "orders", "revenue", "margin", "value")
"""Share who bought, orders, revenue and margin a customer at an age; `value` is what they brought so far."""


class CohortSettings(Frozen):
    """What is asked about cohorts.

    Attributes:
        start: What begins a cohort: `first_order`, `signed_up`, or `exposure:` and an experiment.
        period: Of ages and, unless `by` is given, of beginnings.
        by: A column of customers whose values are the cohorts, whenever they began; None for beginnings.
        mix_by: A column of customers whose shares in each cohort are told.
        margin: Share of revenue that is kept, where orders carry no margin of their own.
        compare: Two cohorts by name; None for the newest that has lived long enough and the oldest.
        age: The age at which they are compared, in periods, from 0; None for the last that both have lived.
        until: Last day that is used; None for all.
        project_periods: How far value is foretold.
        level: Probability of the intervals.
    """

    start: str = FIRST_ORDER
    period: str = "month"
    by: str | None = None
    mix_by: str | None = None
    margin: float = 1.0
    compare: tuple[str, str] | None = None
    age: int | None = None
    until: date | None = None
    project_periods: int = 12
    level: float = 0.95


class CohortCell(Frozen):
    """A cohort at an age; sums are over those who have lived through it.

    What is None is not published, since it would tell of few people.

    Attributes:
        age: In periods, from 0.
        customers: Who have lived through it; `whole` says whether all of the cohort have.
        active: Of them, who bought.
        orders, revenue, margin: Of them together.
        value: Revenue, or margin where it is measured or a share is given, a customer brought until its end.
    """

    age: int
    customers: int
    whole: bool
    active: int | None
    orders: int | None
    revenue: Number | None
    margin: Number | None
    value: Number | None

    def a_customer(self, measure: Measure) -> float | None:
        """The measure a customer."""
        total = getattr(self, measure)
        return total if total is None or measure == "value" else float(total) / self.customers


class Projected(Frozen):
    """What a customer of a cohort will have brought, some periods from now.

    Attributes:
        age: Mean age of its customers then, in periods.
        value, interval: Posterior mean, and where it lies.
    """

    age: Number
    value: Number
    interval: Interval


class Cohort(Frozen):
    """Customers who began together, or are alike.

    Attributes:
        name: The day on which the period began (ISO), or the value of the column.
        begin: That day; None for a column.
        customers: How many.
        running: Whether the period in which they begin is still going on.
        cells: Age by age, as far as anybody has lived.
        ahead: What is to come, from now on; empty where it cannot be foretold. The first is today.
        mix: Value of `mix_by` → customers.
    """

    name: str
    begin: date | None
    customers: int
    running: bool
    cells: tuple[CohortCell, ...]
    ahead: tuple[Projected, ...] = ()
    mix: dict[str, int] = Field(default_factory=dict)


class CohortDifference(Frozen):
    """What a customer of the first cohort brought by an age, less one of the second."""

    cohorts: tuple[str, str]
    age: int
    means: tuple[Number, Number]
    customers: tuple[int, int]
    mean: Number
    interval: Interval
    probability_positive: Number
    word: Word = "association"


class CohortSummary(Frozen):
    """What was found about cohorts.

    Attributes:
        until: The last day of the data that is used.
        cohorts: The oldest first, or the largest first for a column.
        measured_margin: Share of the orders that carry a margin; below one half a share of revenue counts.
        difference: None where there are not two that have lived through one age.
    """

    word: Literal["association"] = "association"
    until: date
    cohorts: tuple[Cohort, ...]
    measured_margin: Number
    difference: CohortDifference | None


class CohortRecord(Record):
    """What was found about cohorts.

    Attributes:
        verdict: The answer.
    """

    kind: Literal["cohorts"] = "cohorts"
    settings: CohortSettings
    summary: CohortSummary
    verdict: Text

    def rows(self) -> list[dict[str, str | int | float | bool | None]]:
        """Every cell, with all digits."""
        return [
            {"cohort": one.name, "cohort_customers": one.customers, **dict(cell)}
            for one in self.summary.cohorts
            for cell in one.cells
        ]
