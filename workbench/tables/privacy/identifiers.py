"""Columns that say directly who somebody is, found by their name and by their cells.

Such columns are not kept unless somebody asks for them by name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from workbench.locale import Message, say
from workbench.tables.guess import words
from workbench.tables.privacy.freetext import mask_text
from workbench.tables.privacy.names import Kind, named_identifier

SAMPLE_ROWS = 5_000
_FLAGS: Final = frozenset({"0", "1", "true", "false", "yes", "no", "y", "n", "si", "sí", "t", "f"})
_BARE_PHONE: Final = re.compile(r"(?:34)?([67]\d{8}|[89][1-8]\d{7})")
_NEARLY_ALL = 0.95
_LEAST_CELLS = 20
_LEAST_BEGINNINGS = 10
_VERSION: Final = frozenset({"version", "build", "release", "firmware"})
_KIND_NAMES: Final[dict[Kind, Message]] = {
    "e-mail": say("e-mail address"),
    "phone": say("phone number"),
    "name": say("person's name"),
    "address": say("postal address"),
    "identity document": say("number of an identity document"),
    "IP address": say("IP address"),
    "card": say("card number"),
    "IBAN": say("bank account"),
    "birth date": say("date of birth"),
    "account": say("name or number of an account"),
    "device": say("identifier of a device or a click"),
    "location": say("exact place"),
    "secret": say("password or token"),
}


def kind_name(kind: Kind) -> Message:
    """The kind in words.

    >>> str(kind_name("IBAN"))
    'bank account'
    """
    return _KIND_NAMES[kind]


def direct_identifiers(rows: pa.Table, columns: Sequence[str] | None = None) -> dict[str, Kind]:
    """Columns of a sample that identify people, with what they hold.

    A column is one by its name, unless its cells say only yes or no; or because more than half of its filled
    cells are nothing but an e-mail address, a phone number and so on. Nine bare digits are a phone number
    only where nearly all cells are such and begin in many ways, as numbers given out in a row do not.

    Args:
        rows: Some rows of the file as they stand, text or typed; the first 5,000 are looked at.
        columns: The columns in question; all when None.
    """
    found: dict[str, Kind] = {}
    unsure: dict[str, list[str]] = {}
    for name in rows.column_names if columns is None else columns:
        cells = _texts(rows[name].slice(0, SAMPLE_ROWS))
        kind = named_identifier(name)
        if cells and {text.lower() for text in cells} <= _FLAGS:
            continue
        if kind is None:
            unsure[name] = cells
        else:
            found[name] = kind
    masked, _ = mask_text(pa.chunked_array(list(unsure.values()), pa.string()))
    for (name, cells), chunk in zip(unsure.items(), masked.chunks, strict=True):
        kind = _held(name, cells, chunk)
        if kind is not None:
            found[name] = kind
    return found


def _held(name: str, cells: list[str], masked: pa.Array) -> Kind | None:
    """What most of the cells are, if anything that identifies a person."""
    whole = Counter(text for text, cell in zip(masked.to_pylist(), cells, strict=True) if text != cell)
    for kind in _KIND_NAMES:
        is_version = kind == "IP address" and not _VERSION.isdisjoint(words(name))
        if 2 * whole[f"[{kind}]"] > len(cells) and not is_version:
            return kind
    bare = [match[1] for match in map(_BARE_PHONE.fullmatch, cells) if match]
    if len(bare) >= max(_LEAST_CELLS, _NEARLY_ALL * len(cells)):
        beginnings = {number[:3] for number in bare}
        return "phone" if len(beginnings) >= _LEAST_BEGINNINGS else None
    return None


def _texts(column: pa.ChunkedArray) -> list[str]:
    """The filled cells as text; whole numbers stay whole where they are stored as floats, others go."""
    if pa.types.is_floating(column.type):
        column = column.filter(pc.equal(column, pc.floor(column))).cast(pa.int64(), safe=False)
    if pa.types.is_integer(column.type) or pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return []
    return [text.strip() for text in column.drop_null().to_pylist() if text.strip()]
