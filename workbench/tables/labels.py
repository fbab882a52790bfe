"""One label for what people write in many ways: countries, devices, several values in one cell.

What is not known stays as it was written: it is a level of its own, and never lost.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from babel import Locale
from babel.core import get_global

from workbench.locale import LANGUAGES, Message, say
from workbench.tables.schema import Table

_LISTED = 12
_NO_COUNTRIES = ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"]
"""Codes of the Unicode consortium's list that ISO 3166 does not give to a country."""

_OTHER_NAMES = {
    "GB": "UK, Great Britain, Britain, Gran Bretaña, England, Inglaterra, Scotland, Escocia, Wales, Gales",
    "US": "U.S., U.S.A., United States of America, Estados Unidos de América, EEUU, EE. UU., EUA",
    "NL": "Holland, Holanda, The Netherlands",
    "CZ": "Czech Republic, República Checa",
    "TR": "Turkey",
    "CI": "Ivory Coast, Costa de Marfil",
    "KR": "Korea, Republic of Korea, Corea, República de Corea",
    "RU": "Russian Federation, Federación Rusa",
    "HK": "Hong Kong",
    "MO": "Macao, Macau",
    "MX": "Méjico",
    "MK": "Macedonia",
    "VA": "Vatican, Vaticano",
    "VN": "Viet Nam",
    "IR": "Iran, Islamic Republic of Iran",
    "SY": "Syrian Arab Republic",
    "BO": "Plurinational State of Bolivia",
    "VE": "Bolivarian Republic of Venezuela",
    "MD": "Republic of Moldova",
    "TZ": "United Republic of Tanzania",
    "TW": "Taiwan, Province of China",
    "AE": "UAE, EAU",
    "IE": "Republic of Ireland, Eire",
}


def country(text: str) -> str | None:
    """The ISO 3166 alpha-2 code of a country by its code or its name in English or Spanish.

    Names are those of the Unicode CLDR (as Babel has them), and others in common use.

    >>> [country(name) for name in ("España", "united states", "MEX", "uk", "es", "Atlantis")]
    ['ES', 'US', 'MX', 'GB', 'ES', None]
    """
    return _countries().get(_plain(text))


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in LANGUAGES:
        territories = Locale.parse(language).territories
        codes = [code for code in territories if len(code) == 2 and code not in _NO_COUNTRIES]
        names |= {_plain(territories[code]): code for code in codes}
    names |= {_plain(name): code for code, text in _OTHER_NAMES.items() for name in text.split(", ")}
    aliases = get_global("territory_aliases").items()  # of codes with three letters or digits
    names |= {_plain(alias): to[0] for alias, to in aliases if len(alias) == 3 and to[0] in codes}
    return names | {_plain(code): code for code in codes}


_DEVICES: Final = {
    "app": "app apps aplicacion aplicaciones webview",
    "tablet": "tablet tablets tableta tabletas ipad ipads",
    "mobile": "mobile mobiles movil moviles phone phones smartphone smartphones celular celulares telefono"
    " telefonos iphone handset",
    "desktop": "desktop desktops computer computers ordenador ordenadores computadora computadoras pc pcs"
    " laptop laptops portatil portatiles escritorio sobremesa mac windows",
    "other": "other others otro otros otra tv ctv television televisor console consola wearable watch reloj"
    " smarttv",
}
"""Device → words that mean it; the first that is said holds."""

_WORDS = {word: device for device, text in _DEVICES.items() for word in text.split()}
_AGENT = re.compile(r"Mozilla/|Opera/|AppleWebKit|CFNetwork|okhttp|Dalvik/|\bbot\b", re.IGNORECASE)
_AGENT_RULES = (
    ("other", r"bot\b|crawl|spider|slurp|smart-?tv|appletv|googletv|hbbtv|roku|playstation|xbox|nintendo"),
    ("app", r"cfnetwork|okhttp|dalvik/|; wv\)|fban/|fbav/|instagram"),
    ("tablet", r"ipad|tablet|kindle|silk/|playbook|android(?!.*mobile)"),
    ("mobile", r"iphone|ipod|mobile|android|blackberry|opera mini|windows phone"),
    ("desktop", r"windows nt|macintosh|x11|cros|linux"),
)
"""What a user agent is, by the first of these patterns that it holds; after MDN, "Browser detection using the
user agent": a tablet's Android does not say Mobile."""


def device(text: str) -> str | None:
    """The kind of device by a word in English or Spanish, or by a browser's user agent.

    >>> [device(name) for name in ("Móvil", "Computers", "iPad", "Mobile app", "smart tv", "Nokia 3310")]
    ['mobile', 'desktop', 'tablet', 'app', 'other', None]
    """
    if text in _DEVICES:
        return text
    if _AGENT.search(text):
        low = text.lower()
        return next((kind for kind, pattern in _AGENT_RULES if re.search(pattern, low)), None)
    said = {_WORDS[word] for word in re.findall(r"[a-z]+", _plain(text, " ")) if word in _WORDS}
    return next((kind for kind in _DEVICES if kind in said), None)


def _plain(text: str, between: str = "") -> str:
    """Without accents, capitals and what is no letter."""
    letters = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in letters if not unicodedata.combining(c)).lower().replace("&", "and")
    return re.sub(r"[^a-z0-9]+", between, bare)


_LABELS: Mapping[str, tuple[Callable[[str], str | None], Message]] = {
    "country": (
        country,
        say("Countries written in other ways: {names:listing}."),
    ),
    "device": (device, say("Devices written in other ways: {names:listing}.")),
}


def labelled(rows: pa.Table, table: Table, notes: list[Message]) -> pa.Table:
    """The rows with their countries and devices under one label each.

    Args:
        rows: Rows of the table.
        table: Its declaration: only columns that it declares are looked at.
        notes: Gets the labels that were written in another way.
    """
    for name, (label, told) in _LABELS.items():
        if name not in rows.column_names or table.column(name) is None:
            continue
        known = _each(rows[name], label)
        changed = {text: made for text, made in known.items() if made is not None and made != text}
        if not changed:
            continue
        rows = _replaced(rows, name, {text: made or text for text, made in known.items()})
        listed = [f"{text[:60]} → {made}" for text, made in sorted(changed.items())[:_LISTED]]
        more = [say("{n:count} more", n=len(changed) - _LISTED)] if len(changed) > _LISTED else []
        notes.append(Message(told.text, {"names": [*listed, *more]}))
    return rows


def split_values(rows: pa.Table, separators: Mapping[str, str]) -> pa.Table:
    """The rows with the values in one cell each once, in order, and joined by `|`.

    Args:
        rows: Converted rows.
        separators: Column → what stands between two values.
    """
    for name, separator in separators.items():

        def tidy(text: str, separator: str = separator) -> str | None:
            return "|".join(sorted({part.strip() for part in text.split(separator)} - {""})) or None

        rows = _replaced(rows, name, _each(rows[name], tidy))
    return rows


def _each(column: pa.ChunkedArray, label: Callable[[str], str | None]) -> dict[str, str | None]:
    """Text → label, for every text in the column."""
    return {text: label(text) for text in pc.unique(column).to_pylist() if text is not None}


def _replaced(rows: pa.Table, name: str, labels: Mapping[str, str | None]) -> pa.Table:
    place = pc.index_in(rows[name], pa.array(labels, pa.string()))
    made = pa.chunked_array([pa.array(labels.values(), pa.string())]).take(place)
    return rows.set_column(rows.column_names.index(name), name, made)
