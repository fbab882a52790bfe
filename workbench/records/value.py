"""The record of a lifetime value: what was asked of which customers, and what came out."""

from __future__ import annotations

from datetime import date
from typing import Literal

from workbench.records.base import Density, Frozen, Interval, Number, Record, Text, Word


class ValueSettings(Frozen):
    """What was asked about lifetime value.

    Attributes:
        by: A column of customers, a saved segment or an experiment; None for everybody.
        model: `bg-nbd` or `mbg-nbd`.
        horizon_weeks: Weeks after the first purchase.
        discount_per_year: A purchase a year from now is worth 1 / (1 + discount) of one today.
        margin: Share of revenue that is kept.
        until: Last day that is used; None for all.
        confirm: Whether PyMC samples the same posterior as well.
    """

    by: str | None = None
    model: Literal["bg-nbd", "mbg-nbd"] = "bg-nbd"
    horizon_weeks: int = 52
    discount_per_year: float = 0.1
    margin: float = 1.0
    level: float = 0.95
    until: date | None = None
    confirm: bool = False


class Estimate(Frozen):
    """A posterior mean and standard deviation."""

    mean: Number
    sd: Number


class GroupValue(Frozen):
    """Expected discounted margin of one newly acquired customer of a group, from repeat purchases."""

    group: str | None
    customers: int
    mean: Number
    sd: Number
    interval: Interval
    purchases: Number
    spend: Number
    khat: Number
    parameters: dict[str, Estimate]
    density: Density


class ValueDifference(Frozen):
    """The value of the first group less that of the second."""

    groups: tuple[str, str]
    mean: Number
    sd: Number
    interval: Interval
    probability_positive: Number
    density: Density
    word: Word


class Holdout(Frozen):
    """Repeat purchases after a date, foretold from what was known at that date."""

    split: date
    weeks: Number
    predicted: Number
    interval: Interval
    actual: int


class ValueSummary(Frozen):
    """What came out of `ValueSettings`; parameters are those of all customers together."""

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


class ValueRecord(Record):
    """What customers are worth."""

    kind: Literal["value"] = "value"
    settings: ValueSettings
    summary: ValueSummary
    verdict: Text
