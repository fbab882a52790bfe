"""Every number of a record, a line each, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from workbench.records import EffectRecord, ValueRecord

_LABELS = ("arm", "segment", "group", "start", "name", "what")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PICTURES = frozenset({"density", "draws"})


def as_csv(record: EffectRecord | ValueRecord) -> str:
    """Lines of `name,value`: where a number stands in the record, and the number with all its digits."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["name", "value"])
    lines.writerow(["record", record.id])
    for part in ("settings", "summary"):
        for name, value in _flat(getattr(record, part).model_dump(mode="json")):
            lines.writerow([f"{part}.{name}", _harmless(value)])
    return text.getvalue()


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _PICTURES:
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
