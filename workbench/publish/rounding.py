"""Counts and sentences as they are published: rounded to tens, without few people and hidden names."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from workbench.locale import Message, say
from workbench.records import SMALLEST_GROUP, Check

_ROUND_TO = 10
_COUNTS = frozenset({"n", "few", "kept", "people", "all_people", "rows", "all_rows"})
"""Names under which sentences hold counts of people or of what they did."""


def rounded(count: float) -> int:
    """A count as it is published."""
    return round(count / _ROUND_TO) * _ROUND_TO


def left_out(groups: int, least: int = SMALLEST_GROUP) -> list[Check]:
    """Says that so many groups are not shown."""
    if not groups:
        return []
    detail = say(
        "{n:count} groups are not shown, so that nobody can be recognised in one of fewer than "
        "{least:count} people.",
        n=groups,
        least=least,
    )
    return [Check(name="small_groups", status="ok", detail=detail)]


def said(value: Any, names: Collection[str], least: int = 0) -> Any:
    """A sentence without hidden names; with `least`, counts are rounded, and not told below it."""
    if isinstance(value, Message):
        few = least > 0 and any(
            _is_count(key, item) and 0 < item < least for key, item in value.values.items()
        )
        return Message(
            value.text, {key: _value(key, item, names, least, few) for key, item in value.values.items()}
        )
    if isinstance(value, list | tuple):
        kept = [said(item, names, least) for item in value if not (isinstance(item, str) and item in names)]
        return kept if len(kept) == len(value) else [*kept, say("small groups")]
    return say("a small group") if isinstance(value, str) and value in names else value


def _value(key: str, item: Any, names: Collection[str], least: int, few: bool) -> Any:
    if least and _is_count(key, item):
        return say("fewer than {least:count}", least=least) if 0 < item < least else rounded(item)
    if few and key == "share":  # of those few
        return round(item, 2)
    return said(item, names, least)


def _is_count(key: str, item: Any) -> bool:
    return key in _COUNTS and isinstance(item, int | float) and not isinstance(item, bool)
