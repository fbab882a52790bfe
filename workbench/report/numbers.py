"""Every number of a record, a line each, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench.locale import Message
from workbench.records import AnyRecord, message

_LABELS = ("arm", "segment", "group", "start", "name", "what", "rung", "covariate", "level")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
PICTURES = frozenset({"density", "draws"})
"""What of a record is only drawn."""


def as_csv(record: AnyRecord) -> str:
    """Lines of `name,value`: where a number stands in the record, and the number with all its digits."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["name", "value"])
    lines.writerow(["record", record.id])
    for part in ("settings", "summary"):
        for name, value in _flat(getattr(record, part).model_dump(mode="json")):
            lines.writerow([f"{part}.{name}", _harmless(value)])
    return text.getvalue()


def rows_as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a table for spreadsheets, with the columns of the first and all digits."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(list(rows[0]) if rows else [])
    lines.writerows([_harmless(row[name]) for name in rows[0]] for row in rows)
    return text.getvalue()


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        said = message(value)
        if isinstance(said, Message):
            yield name, str(said)
            return
        for key, item in value.items():
            if key not in PICTURES:
                yield from _flat(item, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _flat(item, f"{name}[{_label(item, place)}]")
    elif value is not None:
        yield name, value


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet does not take for a formula; people's files can hold anything."""
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA else value


def _label(item: Any, place: int) -> str:
    """What a thing in a list is called, rather than its place, where it says so."""
    if isinstance(item, dict):
        said = [str(item[key]) for key in _LABELS if isinstance(item.get(key), str)]
        if said:
            return " ".join(said)
    return str(place)
