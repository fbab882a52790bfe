"""The record of a lifetime value: what was asked of which customers, and what came out."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field, model_validator

from workbench.records.base import Density, Frozen, Interval, Number, Record, Text, Word
from workbench.records.value_pooled import Alone, PooledGroups, Within

Definition = Literal["revenue", "margin", "net"]


def _nothing(value: Any) -> bool:
    return value is None


class ValueSettings(Frozen):
    """What was asked about lifetime value.

    Where no definition is named, what is given says which: costs make a net value, a margin a margin.

    Attributes:
        by: A column of customers, a saved segment or an experiment; None for everybody.
        within: A column of customers or saved segments, in whose groups the arms of the experiment `by` are
            compared as well.
        model: Of the purchases.
        definition: What a value is: `revenue`; the `margin` on it; or `net`, the margin less all costs below.
        margin: Share of revenue that is kept, or `measured` from the margin that the orders carry.
        cost_per_order: What a purchase costs beyond what the margin has been reduced by, in money.
        service_cost_per_year: What a customer costs a year for as long as they are one.
        acquisition_cost: What it cost to win a customer: one amount, one for each group, or `measured` from
            the table of spend; None where that is left out.
        first_purchase: Whether the first purchase is counted too, or repeat purchases only.
        horizon_weeks: Weeks after the first purchase; None for an endless horizon, which needs a discount.
        discount_per_year: A purchase a year from now is worth 1 / (1 + discount) of one today.
        until: Last day that is used; None for all.
        confirm: Whether PyMC samples the same posterior as well.
    """

    by: str | None = None
    # left out where nothing was asked, so that records from before it was there keep their id
    within: str | None = Field(default=None, exclude_if=_nothing)
    model: Literal["bg-nbd", "mbg-nbd", "pareto-nbd"] = "bg-nbd"
    definition: Definition = "revenue"
    margin: float | Literal["measured"] = 1.0
    cost_per_order: float = 0.0
    service_cost_per_year: float = 0.0
    acquisition_cost: float | dict[str, float] | Literal["measured"] | None = None
    first_purchase: bool = False
    horizon_weeks: int | None = 52
    discount_per_year: float = 0.1
    level: float = 0.95
    until: date | None = None
    confirm: bool = False

    @model_validator(mode="before")
    @classmethod
    def _defined(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("definition") is None:
            costs = ("cost_per_order", "service_cost_per_year", "acquisition_cost")
            kept = given.get("margin", 1.0) != 1.0
            named = "net" if any(given.get(cost) for cost in costs) else "margin" if kept else "revenue"
            return {**given, "definition": named}
        return given


class Estimate(Frozen):
    """A posterior mean and standard deviation."""

    mean: Number
    sd: Number


class Curve(Frozen):
    """What a customer has brought by the end of some weeks, before the cost of winning them."""

    weeks: list[Number]
    mean: list[Number]
    low: list[Number]
    high: list[Number]


class Acquisition(Frozen):
    """What winning a customer cost, and whether it came back.

    Attributes:
        mean, interval: Of the cost.
        ratio, ratio_interval: Of what a customer brings within the horizon to that cost.
        payback_weeks: Median of the weeks until a customer has brought more than they cost; None where it is
            likelier that they do not within the horizon.
        payback_interval: Its interval; None for an end that lies beyond.
        never: The probability that it takes longer than the horizon.
    """

    mean: Number
    interval: Interval
    ratio: Number
    ratio_interval: Interval
    payback_weeks: Number | None
    payback_interval: tuple[Number | None, Number | None]
    never: Number


class GroupValue(Frozen):
    """Expected discounted value of one newly acquired customer of a group, as the settings define it.

    Groups that are no arms of an experiment are drawn towards each other as far as they are alike.

    Attributes:
        purchases: Repeat purchases within the horizon, each counted whole; None without an end.
        spend: Revenue of a purchase.
        margin: Share of revenue that is kept, where it was measured.
        curve: Value to date, week by week.
        acquisition: What winning a customer cost; None where that is left out.
        top: The probability that no other group is worth more.
        rank: The interval of the group's place among all, one being the most valuable.
        alone: The value by the group's own customers alone; None where groups are not drawn towards each
            other, or too few of its customers bought again.
        confirmed: The value by the full sampler, where that was asked for.
    """

    group: str | None
    customers: int
    mean: Number
    sd: Number
    interval: Interval
    purchases: Number | None
    spend: Number
    khat: Number
    parameters: dict[str, Estimate]
    density: Density
    margin: Estimate | None = None
    curve: Curve | None = None
    acquisition: Acquisition | None = None
    top: Number | None = None
    rank: tuple[int, int] | None = None
    alone: Alone | None = Field(default=None, exclude_if=_nothing)
    confirmed: Estimate | None = Field(default=None, exclude_if=_nothing)


class DifferencePart(Frozen):
    """What one of the things that two groups differ in has brought of their difference.

    Attributes:
        name: `retention`, `frequency`, `order_value` or `acquisition`.
    """

    name: str
    mean: Number
    interval: Interval
    probability_positive: Number


class ValueDifference(Frozen):
    """The value of the first group less that of the second.

    Attributes:
        parts: What it is made of; their means add up to its mean. Empty where that was not asked for.
    """

    groups: tuple[str, str]
    mean: Number
    sd: Number
    interval: Interval
    probability_positive: Number
    density: Density
    word: Word
    parts: list[DifferencePart] = Field(default_factory=list)


class Holdout(Frozen):
    """Repeat purchases after a date, foretold from what was known at that date."""

    split: date
    weeks: Number
    predicted: Number
    interval: Interval
    actual: int


class ValueSummary(Frozen):
    """What came out of `ValueSettings`; parameters are those of all customers together.

    Attributes:
        pooled: How alike the groups are; None where they were not drawn towards each other.
        within: The arms of the experiment in the groups of `within`.
    """

    model: str
    customers: int
    rows: int
    khat: Number
    parameters: dict[str, Estimate]
    maximum_likelihood: dict[str, Number]
    confirmed: dict[str, Estimate] | None = None
    value: list[GroupValue]
    differences: list[ValueDifference]
    holdout: Holdout | None = None
    pooled: PooledGroups | None = Field(default=None, exclude_if=_nothing)
    within: Within | None = Field(default=None, exclude_if=_nothing)


class ValueRecord(Record):
    """What customers are worth."""

    kind: Literal["value"] = "value"
    settings: ValueSettings
    summary: ValueSummary
    verdict: Text
