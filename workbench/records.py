"""The frozen record of an analysis: what was asked, of which data, with what, and what came out.

A record holds no customer, only settings, checks, a summary and thinned draws; it is all a published page
has. Texts in it are `Message`s, so the same record reads in either language. `project.rerun(record)` gives
the same numbers, or says which data have changed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from workbench.locale import Message

SIGNIFICANT_DIGITS = 10
_PACKAGES = ("duckdb", "ibis-framework", "numpy", "scipy", "pymc", "nutpie", "personalization-workbench")


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return {"text": value.text, "values": {key: _plain(item) for key, item in value.values.items()}}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def _message(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"text", "values"}:
        return Message(value["text"], {key: _message(item) for key, item in value["values"].items()})
    return [_message(item) for item in value] if isinstance(value, list | tuple) else value


def _rounded(value: Any) -> Any:
    """Ten significant digits: parallel sums differ in the last bits from run to run, these do not."""
    if isinstance(value, float) and math.isfinite(value) and value:
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return value


def _unsaid(value: Any) -> bool:
    return value in (None, ())


Text = Annotated[Message, BeforeValidator(_message), PlainSerializer(_plain)]
Number = Annotated[float, BeforeValidator(_rounded)]
Interval = tuple[Number, Number]
Word = Literal["effect", "association"]
Assignment = Literal["random", "rule", "self", "unknown"]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Check(Frozen):
    """One thing that was looked at before a number was shown.

    Attributes:
        name: Its stable name, for scripts.
        status: `fail` withholds the verdict.
        detail: What was seen, and what to do when it is not fine.
        count: How many rows, days, customers … it is about.
        share: Their share of all.
        examples: A few of them: days, order numbers, amounts, names of events; never a customer.
    """

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: Text
    # left out where nothing is said, so that records from before these were there keep their id
    count: int | None = Field(default=None, exclude_if=_unsaid)
    share: Number | None = Field(default=None, exclude_if=_unsaid)
    examples: tuple[str, ...] = Field(default=(), exclude_if=_unsaid)


def failures_first(checks: Iterable[Check]) -> list[Check]:
    """Checks in the order in which they should be read."""
    return sorted(checks, key=lambda check: ("fail", "warn", "ok").index(check.status))


class Density(Frozen):
    """A posterior density on a grid, and fifty equally likely values of it."""

    x: list[Number]
    y: list[Number]
    dots: list[Number]


class ArmResult(Frozen):
    """One arm over everybody: customers, posterior mean of the metric and its interval."""

    arm: str
    n: int
    total: Number
    mean: Number
    sd: Number
    interval: Interval
    probability_best: Number
    expected_loss: Number
    buyers: int | None = None
    value_per_buyer: Number | None = None


class Pooled(Frozen):
    """A segment's effect, drawn towards the effect over all segments as far as the data say.

    Attributes:
        probability_above_overall: Probability that the segment's effect lies above the typical one; far
            from a half where the segment differs from the rest.
    """

    difference: Number
    difference_interval: Interval
    lift: Number | None
    lift_interval: Interval | None
    probability_better: Number
    probability_above_overall: Number


class Comparison(Frozen):
    """An arm against the control, over everybody or in one segment.

    Attributes:
        segment: The segment, or None for everybody.
        n: Customers in the arm and in the control, together.
        difference: Posterior mean of arm − control, in the metric's unit per customer.
        lift: arm / control − 1; None when the control's mean is not clearly above zero.
        expected_loss: What choosing the arm loses on average if it is the worse one, per customer.
        expected_loss_control: The same for staying with the control.
        rope: Probability of a lift below, inside and above the zone that does not matter.
    """

    arm: str
    control: str
    segment: str | None
    n: int
    control_mean: Number
    arm_mean: Number
    difference: Number
    difference_sd: Number
    difference_interval: Interval
    lift: Number | None
    lift_interval: Interval | None
    probability_better: Number
    expected_loss: Number
    expected_loss_control: Number
    rope: tuple[Number, Number, Number] | None = None
    pooled: Pooled | None = None
    density: Density | None = None
    word: Word


class EffectSettings(Frozen):
    """What was asked of an experiment.

    Attributes:
        metric: `conversion`, `revenue`, or the name of an outcome that was loaded.
        by: A column of customers, a saved segment, or `segments` for all of them; None for everybody.
        control: The arm the others are held against.
        assignment: How people came into their arm.
        level: Probability of the intervals; "sure" means more than 1 − (1 − level) / 2.
        window_days: Days after the first exposure in which outcomes count.
        prior: Beta prior of a conversion rate, as its two parameters.
        rope: Smallest relative lift that matters; lifts within ±rope are called practically nothing.
        planned_split: Planned share of each arm; None means equal shares.
        lower_is_better: Whether the metric should go down.
    """

    experiment: str
    metric: str
    by: str | None = None
    control: str | None = None
    assignment: Assignment | None = None
    level: float = 0.95
    window_days: int = 14
    prior: tuple[float, float] = (1.0, 1.0)
    rope: float = 0.01
    planned_split: dict[str, float] | None = None
    lower_is_better: bool = False


class EffectSummary(Frozen):
    """What came out of `EffectSettings`; `kind` is `binary` or `mean`, money or not is `unit`."""

    metric: str
    kind: Literal["binary", "mean"]
    unit: Literal["share", "money", "number"]
    control: str
    assignment: Assignment
    word: Word
    arms: list[ArmResult]
    comparisons: list[Comparison]
    probability_best: dict[str, Number]
    customers: int
    pooled_on: str | None = None


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


class Source(Frozen):
    """The data an analysis read."""

    fingerprints: dict[str, str]
    first: datetime | None
    until: datetime | None


class Header(Frozen):
    """The project as it was: what a page says at its top and writes money in."""

    name: str
    currency: str
    timezone: str
    language: str


class Record(Frozen):
    """A frozen analysis.

    Attributes:
        id: Hash of everything but the time it was made.
        draws: Thinned posterior draws by quantity, at most 500 each.
        definitions: The rules of the segments that were used.
    """

    id: str = ""
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    project: Header
    source: Source
    versions: dict[str, str] = Field(default_factory=lambda: package_versions())
    seed: int
    checks: list[Check]
    definitions: dict[str, str] = Field(default_factory=dict)
    draws: dict[str, list[Number]] = Field(default_factory=dict)

    def model_post_init(self, _context: Any) -> None:
        if not self.id:
            content = self.model_dump(mode="json", exclude={"id", "created"})
            digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
            object.__setattr__(self, "id", digest[:16])

    @property
    def failed(self) -> list[Check]:
        """The checks that withhold the verdict."""
        return [check for check in self.checks if check.status == "fail"]


class EffectRecord(Record):
    """An experiment's answer."""

    kind: Literal["effect"] = "effect"
    settings: EffectSettings
    summary: EffectSummary
    verdict: Text
    outcome: Literal["adopt", "drop", "keep_measuring", "withheld", "describe"]


class ValueRecord(Record):
    """What customers are worth."""

    kind: Literal["value"] = "value"
    settings: ValueSettings
    summary: ValueSummary
    verdict: Text


AnyRecord = Annotated[EffectRecord | ValueRecord, Field(discriminator="kind")]


class _Envelope(BaseModel):
    record: AnyRecord


def from_json(text: str) -> EffectRecord | ValueRecord:
    """Read a record back.

    Raises:
        pydantic.ValidationError: when the text is not one.
    """
    return _Envelope.model_validate({"record": json.loads(text)}).record


def package_versions() -> dict[str, str]:
    """Python and the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        found[name] = importlib.metadata.version(name)
    return found
