"""What the text of one cell means, as SQL for DuckDB.

Every conversion first asks whether the text has the shape it should have, and only then casts: a bare cast of
DuckDB drops an offset (`01:30+0100`) and an afternoon (`1:02 PM`) without a word, and takes the `1.034` of
somebody who wrote a thousand for a little more than one.

Each function takes SQL for a text (already `filled`, so never blank) and gives SQL for its value, NULL where
the text is no such thing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal

import duckdb
import pyarrow as pa

from workbench.errors import DataError

DateOrder = Literal["dmy", "mdy"]
DecimalMark = Literal[".", ","]

_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
ISO: Final = rf"{_DAY}(?:[ T]{_TIME})?"
MOMENT: Final = rf"{_DAY}[ T]{_TIME}\s?(?:Z|UTC|[+-]\d{{2}}(?::?\d{{2}})?)"
LOCAL: Final = r"(\d{1,2})[/.-](\d{1,2})[/.-](?:\d{4}|\d{2})(?:,?[ T].*)?"
COMPACT: Final = r"(?:19|20)\d{6}"
SECONDS: Final = r"1\d{9}(?:\.\d{1,6})?"
MILLISECONDS: Final = r"1\d{12}"
MICROSECONDS: Final = r"1\d{15}"
WORDED: Final = r".*\d.*[A-Za-z]{3}.*|.*[A-Za-z]{3}.*\d.*"
_TWELVE_HOURS = rf"{_DAY} \d{{1,2}}:\d{{2}}(?::\d{{2}})? ?[AaPp]\.?[Mm]\.?"
_WORDED_FORMS = [
    day + time
    for day in ("%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y")
    for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p")
]

_BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(8239)"
_MONEY = "[€$£]|EUR|USD|GBP"
PLAIN: Final[dict[DecimalMark, str]] = {
    ".": r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?",
    ",": r"[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?",
}
GROUPED: Final[dict[DecimalMark, str]] = {
    ".": r"[+-]?\d{1,3}(?:[,' \x{a0}\x{202f}]\d{3})+(?:\.\d+)?",
    ",": r"[+-]?\d{1,3}(?:[.' \x{a0}\x{202f}]\d{3})+(?:,\d+)?",
}
YES: Final = ("1", "1.0", "true", "t", "yes", "y", "sí", "si", "s", "verdadero")
NO: Final = ("0", "0.0", "false", "f", "no", "n", "falso")
ERRORS: Final = (
    *("#n/a", "#ref!", "#value!", "#div/0!", "#name?", "#num!", "#null!", "#data!"),
    *("#n/d", "#¡ref!", "#¡valor!", "#¡div/0!", "#¿nombre?", "#¡num!", "#¡nulo!"),
)
_NO_TEXT = ("null", "nan", r"\n")
_NO_VALUE = (*_NO_TEXT, "na", "n/a", "none", "-")


def open_database() -> duckdb.DuckDBPyConnection:
    """A connection without tables to a DuckDB in memory that reaches no file and writes times in UTC."""
    return _database(os.getpid()).cursor()


@lru_cache(maxsize=1)
def _database(process: int) -> duckdb.DuckDBPyConnection:
    """The DuckDB behind the connections; starting one takes longer than reading a small file.

    Args:
        process: The process it belongs to: its threads do not live on in a fork.
    """
    database = duckdb.connect()
    database.execute("SET GLOBAL TimeZone = 'UTC'; SET enable_external_access = false")
    return database


def check_timezone(database: duckdb.DuckDBPyConnection, timezone: str) -> None:
    """Raise a `DataError` unless `timezone` is the IANA name of a zone."""
    if not database.execute("SELECT 1 FROM pg_timezone_names() WHERE name = ?", [timezone]).fetchall():
        raise DataError(
            "There is no time zone “{zone}”; use a name such as Europe/Madrid or UTC.", zone=timezone
        )


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def one_of(s: str, words: Iterable[str]) -> str:
    """Whether the text is one of these words, whatever its capitals."""
    return f"lower({s}) IN ({', '.join(map(literal, words))})"


def matches(s: str, pattern: str) -> str:
    """Whether the whole text has this shape."""
    return f"regexp_full_match({s}, {literal(pattern)})"


def is_text(kind: pa.DataType) -> bool:
    """Whether cells of this Arrow type are text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def text_of(column: str, kind: pa.DataType) -> str:
    """The text of a cell of any type; a whole number stays one even where it is stored as a float."""
    if is_text(kind):
        return column
    text = f"CAST({column} AS VARCHAR)"
    if pa.types.is_floating(kind):
        whole = f"CAST(CAST({column} AS BIGINT) AS VARCHAR)"
        return f"CASE WHEN {column} = floor({column}) AND abs({column}) < 1e15 THEN {whole} ELSE {text} END"
    return text


def trimmed(cell: str) -> str:
    """A cell without the blanks around it; NULL when nothing is left."""
    first, last = f"ascii({cell})", f"ascii(right({cell}, 1))"  # looking is quicker than trimming
    return (
        f"CASE WHEN {first} BETWEEN 33 AND 126 AND {last} BETWEEN 33 AND 126 THEN {cell}"
        f" ELSE nullif(trim({cell}, {_BLANKS}), '') END"
    )


def is_error(s: str) -> str:
    """SQL for whether a text is what a spreadsheet, English or Spanish, shows where a formula failed."""
    return f"coalesce({s} LIKE '#%' AND {one_of(s, ERRORS)}, false)"


def filled(s: str, *, text: bool) -> str:
    """A trimmed cell; NULL when it is a word that programs write for nothing.

    Args:
        s: SQL for the trimmed cell.
        text: It should be a text, where `NA` is a country and `-` an answer.
    """
    words = _NO_TEXT if text else _NO_VALUE
    return f"CASE WHEN length({s}) > 4 OR NOT {one_of(s, words)} THEN {s} END"


def number(s: str, decimal: DecimalMark) -> str:
    """The number that a text means with this decimal mark; thousands and a currency may be marked."""
    bare = f"trim(regexp_replace(replace({s}, '−', '-'), '^(?:{_MONEY})|(?:{_MONEY})$', ''), {_BLANKS})"
    marks = literal(r"[" + ("," if decimal == "." else ".") + r"' \x{a0}\x{202f}]")

    def cast(text: str) -> str:
        point = text if decimal == "." else f"replace({text}, ',', '.')"
        return f"CASE WHEN isfinite(TRY_CAST({point} AS DOUBLE)) THEN TRY_CAST({point} AS DOUBLE) END"

    without_marks = f"regexp_replace({bare}, {marks}, '', 'g')"
    return (
        f"CASE WHEN {matches(s, PLAIN[decimal])} THEN {cast(s)}"
        f" WHEN {matches(bare, PLAIN[decimal])} THEN {cast(bare)}"
        f" WHEN {matches(bare, GROUPED[decimal])} THEN {cast(without_marks)} END"
    )


def whole_number(s: str, decimal: DecimalMark) -> str:
    """The number that a text means, when it is a whole one."""
    value = number(s, decimal)
    return f"CASE WHEN ({value}) = floor({value}) AND abs({value}) < 1e15 THEN CAST({value} AS BIGINT) END"


def yes_or_no(s: str) -> str:
    """Yes or no in English or Spanish, or 1 or 0."""
    return f"CASE WHEN {one_of(s, YES)} THEN true WHEN {one_of(s, NO)} THEN false END"


def measure(s: str, decimal: DecimalMark) -> str:
    """A number, or yes and no as 1 and 0."""
    return f"coalesce({number(s, decimal)}, CAST({yes_or_no(s)} AS DOUBLE))"


def choice(s: str, allowed: Iterable[str]) -> str:
    """The text in lower case, when it is one of those allowed."""
    return f"CASE WHEN {one_of(s, allowed)} THEN lower({s}) END"


def iso_order(s: str, order: DateOrder) -> str:
    """A local day such as `3/4/26 10:00` put into the order of ISO 8601; any other text as it is."""
    day, month = ("1", "2") if order == "dmy" else ("2", "1")
    long_year = literal(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}),?")
    short_year = literal(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{2})(?:,?([ T].*))?$")
    long = f"regexp_replace({s}, {long_year}, '\\3-\\{month}-\\{day}')"
    both = f"regexp_replace({long}, {short_year}, '20\\3-\\{month}-\\{day}\\4')"
    return f"CASE WHEN {matches(s, LOCAL)} THEN {both} ELSE {s} END"


def local_time(s: str, iso: str) -> str:
    """A time without an offset; `iso` is the text in `iso_order`."""
    twelve = f"regexp_replace(replace(replace(upper({iso}), '.', ''), '/', '-'), ' ?([AP]M)', ' \\1')"
    return (
        f"CASE WHEN {matches(iso, ISO)} THEN TRY_CAST({iso} AS TIMESTAMP)"
        f" WHEN {matches(iso, _TWELVE_HOURS)}"
        f" THEN try_strptime({twelve}, ['%Y-%m-%d %I:%M %p', '%Y-%m-%d %I:%M:%S %p'])"
        f" WHEN {matches(s, COMPACT)} THEN try_strptime({s}, '%Y%m%d')"
        f" WHEN {matches(s, WORDED)} AND NOT {matches(iso, MOMENT)}"
        f" THEN try_strptime({s}, {_WORDED_FORMS}) END"
    )


def moment(s: str, iso: str) -> str:
    """A time with an offset, or counted from 1970, in UTC; `iso` is the text in `iso_order`."""
    close = f"regexp_replace(replace({iso}, 'UTC', 'Z'), '\\s+(Z|[+-])', '\\1')"
    return (
        f"CASE WHEN {matches(iso, MOMENT)} THEN timezone('UTC', TRY_CAST({close} AS TIMESTAMPTZ))"
        f" WHEN {matches(s, SECONDS)}"
        f" THEN make_timestamp(CAST(round(CAST({s} AS DOUBLE) * 1e6) AS BIGINT))"
        f" WHEN {matches(s, MILLISECONDS)} THEN make_timestamp(1000 * CAST({s} AS BIGINT))"
        f" WHEN {matches(s, MICROSECONDS)} THEN make_timestamp(CAST({s} AS BIGINT)) END"
    )


def clock_change(local: str, timezone: str) -> str:
    """1 where the clocks of the zone show a local time twice (at another moment too) or never, else 0."""
    zone = literal(timezone)
    moment_of = f"timezone({zone}, {local})"
    back = f"timezone({zone}, {moment_of})"
    before, after = (f"timezone({zone}, {moment_of} {sign} INTERVAL 1 HOUR)" for sign in "-+")
    return f"coalesce(CAST({back} <> {local} OR {before} = {local} OR {after} = {local} AS UTINYINT), 0)"
