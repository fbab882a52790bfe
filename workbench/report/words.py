"""How a number and its interval are said, wherever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.locale import Texts
from workbench.records import Interval
from workbench.segments import NOT_KNOWN, REST

type Row = dict[str, str]


@dataclass(frozen=True)
class Figure:
    """One number to be read at a glance: what it is, the number, and its interval in words."""

    label: str
    value: str
    detail: str


def between(t: Texts, interval: Interval, level: float, wording: Any) -> str:
    """An interval in words; `wording` turns a number into text or a `Message`."""
    low, high = (wording(end) for end in interval)
    return t("between {low} and {high} ({level:whole_percent})", low=low, high=high, level=level)


def group_name(group: str | None, t: Texts) -> str:
    """A group as a reader calls it: everybody, the rest, those not known, or its own name."""
    known = {None: t("everybody"), REST: t("the rest"), NOT_KNOWN: t("not known")}
    return known.get(group) or str(group)
