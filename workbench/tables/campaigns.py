"""Where a visit came from, read from the address of the page it began on.

Links of campaigns carry their source, medium and name (https://support.google.com/analytics/answer/10917952),
and the click identifier of the network that showed them. Addresses are masked later on, so this has to be
read before. What a file says itself goes before its addresses, and so do the names of a campaign before a
click identifier, which only tells the network.
"""

from __future__ import annotations

import re
from functools import reduce
from typing import Final
from urllib.parse import unquote_plus

import pyarrow as pa
import pyarrow.compute as pc

from workbench.locale import Message, say
from workbench.tables.columns import words
from workbench.tables.privacy.freetext import mask_text

ORIGIN: Final = ("source", "medium", "campaign")
CLICKS: Final = {
    "gclid": ("google", "cpc"),
    "gbraid": ("google", "cpc"),
    "wbraid": ("google", "cpc"),
    "msclkid": ("bing", "cpc"),
    "fbclid": ("facebook", "social"),
}
"""Click identifier → source and medium. Those of Google and Microsoft are added to ads only, while Facebook
adds its own to every link that leads out, paid or not."""

_TABLES = ("events", "customers")
_HINT: Final = rf"[?&;#](?:utm_(?:{'|'.join(ORIGIN)})|{'|'.join(CLICKS)})="
_PARAMETER: Final = re.compile(r"[?&;#]([a-z_]+)=([^&#]*)", re.IGNORECASE)
_ADDRESS = {"page", "pages", "url", "landing", "location", "pagina", "entrada", "destino"}
_ELSEWHERE = {"referrer", "referer", "ref", "image", "img", "photo", "logo", "previous", "anterior", "next"}


def origin(address: str) -> tuple[str | None, str | None, str | None]:
    """Source, medium and campaign that an address names; None for what it does not.

    >>> origin("https://shop.example/?utm_source=News&utm_medium=email&utm_campaign=Oto%C3%B1o+26")
    ('News', 'email', 'Otoño 26')
    >>> origin("https://shop.example/p/7?size=9&gclid=Cj0KCQ")
    ('google', 'cpc', None)
    """
    named: dict[str, str] = {}
    for name, value in _PARAMETER.findall(address):
        if text := _decoded(value).strip():
            named.setdefault(name.lower(), text)
    source, medium, campaign = (named.get(f"utm_{name}") for name in ORIGIN)
    click = next((CLICKS[name] for name in CLICKS if name in named), None)
    if click is None or medium is not None:
        return source, medium, campaign
    return source or click[0], click[1], campaign


def _decoded(value: str) -> str:
    """Percent signs and pluses turned back; in the older encoding where they are no UTF-8."""
    try:
        return unquote_plus(value, errors="strict")
    except UnicodeDecodeError:
        return unquote_plus(value, encoding="cp1252", errors="replace")


def with_campaigns(rows: pa.Table, table: str, notes: list[Message]) -> pa.Table:
    """The rows with empty cells of source, medium and campaign filled from their addresses.

    A row is left as it is where it names another source, medium or campaign than its address does: the two
    speak of different visits then.

    Args:
        rows: Rows of a standard table, with its further attributes; the columns that are called like
            addresses of pages are looked at, the declared one first.
        table: Its name; nothing is done to tables but `events` and `customers`.
        notes: Gets how many rows were filled.
    """
    if table not in _TABLES:
        return rows
    filled = 0
    for column in _addresses(rows):
        found = _origins(rows[column])
        if found is None:
            continue
        names = [_called(rows, name) for name in ORIGIN]
        given = [_texts(rows, name) for name in names]
        unlike = [
            pc.fill_null(pc.not_equal(pc.utf8_lower(mine), pc.utf8_lower(theirs)), False)
            for mine, theirs in zip(given, found, strict=True)
        ]
        agreed = pc.invert(reduce(pc.or_, unlike))
        touched = []
        for name, mine, theirs in zip(names, given, found, strict=True):
            taken = pc.and_(agreed, pc.and_(pc.is_null(mine), pc.is_valid(theirs)))
            if pc.any(taken).as_py():
                touched.append(taken)
                rows = _put(rows, name, pc.if_else(taken, theirs, mine))
        filled += pc.sum(reduce(pc.or_, touched)).as_py() if touched else 0
    if filled:
        notes.append(
            say(
                "{table}: rows whose source, medium or campaign was read from the address of a page:"
                " {n:count}.",
                table=table,
                n=filled,
            )
        )
    return rows


def _addresses(rows: pa.Table) -> list[str]:
    """Columns of text that are called like the address of a page that somebody visited; `page` is first."""

    def visited(name: str) -> bool:
        said = set(words(name))
        return bool(said & _ADDRESS) and not said & _ELSEWHERE and pa.types.is_string(rows[name].type)

    return sorted(filter(visited, rows.column_names), key=lambda name: name != "page")


def _origins(addresses: pa.ChunkedArray) -> list[pa.ChunkedArray] | None:
    """Source, medium and campaign of each address; None where none names any."""
    telling = pc.match_substring_regex(addresses, _HINT, ignore_case=True)
    found = {text: origin(text) for text in pc.unique(addresses.filter(telling)).to_pylist()}
    if not found:
        return None
    place = pc.index_in(addresses, pa.array(found, pa.string()))
    parts = (pa.array(part, pa.string()) for part in zip(*found.values(), strict=True))
    return [mask_text(part)[0].take(place) for part in parts]  # people put addresses into campaigns, too


def _called(rows: pa.Table, name: str) -> str:
    """The column as it is called there: capitals make no difference, since databases do not see them."""
    return next((column for column in rows.column_names if column.lower() == name), name)


def _texts(rows: pa.Table, name: str) -> pa.ChunkedArray:
    if name in rows.column_names:
        return rows[name].cast(pa.string())
    return pa.chunked_array([pa.nulls(rows.num_rows, pa.string())])


def _put(rows: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    if name in rows.column_names:
        return rows.set_column(rows.column_names.index(name), name, column)
    return rows.append_column(name, column)
