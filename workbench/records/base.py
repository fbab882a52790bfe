"""What every record has: settings and checks in words, numbers, the data and the versions it came from."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from workbench.locale import Message

SIGNIFICANT_DIGITS = 10
SMALLEST_GROUP = 10
"""Nothing is published of fewer people."""
_PACKAGES = ("duckdb", "ibis-framework", "numpy", "scipy", "pymc", "nutpie", "personalization-workbench")


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return {"text": value.text, "values": {key: _plain(item) for key, item in value.values.items()}}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def message(value: Any) -> Any:
    """A message as it is once it has been written and read back: equal on a rerun, and to what is kept."""
    if isinstance(value, Message):
        return Message(value.text, {key: message(item) for key, item in value.values.items()})
    if isinstance(value, dict) and value.keys() == {"text", "values"}:
        return message(Message(value["text"], value["values"]))
    if isinstance(value, list | tuple):
        return [message(item) for item in value]
    return value.isoformat() if isinstance(value, datetime | date) else _rounded(value)


def _rounded(value: Any) -> Any:
    """Ten significant digits: parallel sums differ in the last bits from run to run, these do not."""
    if isinstance(value, float) and math.isfinite(value) and value:
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return value


def _unsaid(value: Any) -> bool:
    return value in (None, ())


Text = Annotated[Message, BeforeValidator(message), PlainSerializer(_plain)]
Number = Annotated[float, BeforeValidator(_rounded)]
Interval = tuple[Number, Number]
Word = Literal["effect", "association"]
Assignment = Literal["random", "adaptive", "rule", "self", "unknown"]


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


@lru_cache(maxsize=1)
def _package_versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        found[name] = importlib.metadata.version(name)
    return found


def package_versions() -> dict[str, str]:
    """Python and the packages that numbers depend on."""
    return dict(_package_versions())
