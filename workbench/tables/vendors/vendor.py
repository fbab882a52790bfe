"""What is declared of a system's export."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.locale import Message
from workbench.tables.cells import DateOrder, literal, open_database, text_of
from workbench.tables.guess import same_name
from workbench.tables.schema import standard
from workbench.tables.vendors.extras import with_extras

RAW_LINE: Final = "@line"
Spread = Literal["object", "pairs"]

FILLED: Final = f"""(SELECT "{RAW_LINE}", nullif(trim(COLUMNS(* EXCLUDE ("{RAW_LINE}"))), '') FROM raw)"""
"""`raw` with its cells trimmed and blank ones empty, for queries that choose between cells."""


@dataclass(frozen=True)
class Vendor:
    """How one kind of export becomes standard tables.

    Attributes:
        name: A short name, such as `ga4`.
        title: What people call the export.
        source: Address of the document that describes it; empty where none is public.
        about: What a reader should know: the unit of time, what repeats and what is done about it, whose
            identifiers are merged.
        columns: The columns of the export that the queries read; those that a file lacks are empty.
        required: Those of them that no file of this kind lacks: they tell it from others.
        tables: Standard table → a DuckDB SELECT over `raw`. There each cell of the export is text, a nested
            one as JSON text; the column `"@line"` is the line of the file and has to be selected as it is.
            What is selected are columns of the standard table by name, as text or value. Identifiers that
            are made of cells go through `keyed`, so that nobody can try out what the cells were.
        extras: The table that keeps columns of the export that no query reads, as further attributes.
        spread: Column of JSON → how its contents become further attributes of `extras`: the keys of an
            `object`, or `pairs` of key and value in a list.
        personal: Columns, or keys of spread ones, that are never kept, since they say who somebody is.
        date_order: Which comes first in dates such as 03/04/2026.
        timezone: The zone of times without an offset, where the export fixes it.
        synonyms: Column → what it is called in other languages or versions of the export; capitals, accents
            and the order of words make no difference.
    """

    name: str
    title: str
    source: str
    about: Message
    columns: tuple[str, ...]
    required: tuple[str, ...]
    tables: Mapping[str, str]
    extras: str | None = None
    spread: Mapping[str, Spread] = field(default_factory=dict)
    personal: tuple[str, ...] = ()
    date_order: DateOrder | None = None
    timezone: str | None = None
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def fits(self, columns: Collection[str]) -> bool:
        """Whether a file with these columns may be such an export."""
        return set(self.required) <= set(self.recognised(list(columns)))

    def recognised(self, columns: Sequence[str]) -> list[str]:
        """The columns of a file under the names that the queries use; others keep theirs."""
        names = list(columns)
        for declared, others in self.synonyms.items():
            if declared not in names:
                places = (
                    place
                    for known in (declared, *others)
                    for place, name in enumerate(names)
                    if name not in self.columns and same_name(name, known)
                )
                if (place := next(places, None)) is not None:
                    names[place] = declared
        return names

    def translate(self, rows: pa.Table, lines: NDArray[np.int64], *, salt: str = "") -> dict[str, pa.Table]:
        """Rows of the export as rows of each standard table, with the column `RAW_LINE`.

        Args:
            rows: Columns of the export, as a `Source` hands them over.
            lines: Where each row stands in the file.
            salt: Goes into what `keyed` makes of cells.
        """
        rows = rows.rename_columns(self.recognised(rows.column_names))
        missing = [name for name in self.columns if name not in rows.column_names]
        for name in missing:
            rows = rows.append_column(name, pa.nulls(rows.num_rows, pa.string()))
        raw = _texts(rows).append_column(RAW_LINE, pa.array(lines, pa.int64()))
        database = open_database()
        database.register("raw", raw)
        database.execute(f"CREATE OR REPLACE TEMP MACRO keyed(cells) AS md5({literal(salt)} || cells)")
        made = {table: database.sql(query).to_arrow_table() for table, query in self.tables.items()}
        if self.extras is not None:
            made[self.extras] = with_extras(
                made[self.extras], raw, self, RAW_LINE, standard(self.extras).names
            )
        return made


def _texts(rows: pa.Table) -> pa.Table:
    """The rows with every cell as text, and blank ones as nulls."""
    database = open_database()
    database.register("rows", rows.rename_columns([f"c{place}" for place in range(rows.num_columns)]))
    cells = ", ".join(
        f"nullif(trim({text_of(f'c{place}', field.type)}), '') AS c{place}"
        for place, field in enumerate(rows.schema)
    )
    return database.sql(f"SELECT {cells} FROM rows").to_arrow_table().rename_columns(rows.column_names)
