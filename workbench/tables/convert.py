"""Turning blocks of cells into columns of values, and marking the cells that are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.locale import Message
from workbench.tables import cells
from workbench.tables.cells import DateOrder, DecimalMark
from workbench.tables.report import (
    NO_CUSTOMER,
    NO_EXPERIENCE,
    NO_TIME,
    NO_VALUE,
    NO_VARIANT,
    NOT_A_DATE,
    NOT_A_NUMBER,
    NOT_A_WHOLE_NUMBER,
    NOT_ALLOWED,
    NOT_YES_OR_NO,
    SPREADSHEET_ERROR,
)
from workbench.tables.schema import Column

CellType = Literal["string", "int64", "float64", "bool", "timestamp", "day", "measure"]
"""A column's type, with two more: `day` has no time zone, `measure` is a number or yes/no as 1/0."""

_BLANK = {
    "customer_id": NO_CUSTOMER,
    "ts": NO_TIME,
    "date": NO_TIME,
    "variant": NO_VARIANT,
    "experience_id": NO_EXPERIENCE,
}
_FAULTS: dict[CellType, Message] = {
    "string": SPREADSHEET_ERROR,
    "int64": NOT_A_WHOLE_NUMBER,
    "float64": NOT_A_NUMBER,
    "measure": NOT_A_NUMBER,
    "bool": NOT_YES_OR_NO,
    "timestamp": NOT_A_DATE,
    "day": NOT_A_DATE,
}


@dataclass(frozen=True)
class Field:
    """A column to be made, and the cell it is made from.

    Attributes:
        name: The name of the new column.
        type: What its cells become.
        column: The file's column; None when every row has the same text.
        text: That text.
        blank: Why a row without it is rejected; None when it may be blank.
        allowed: The only values it may have, in lower case.
    """

    name: str
    type: CellType = "string"
    column: str | None = None
    text: str = ""
    blank: Message | None = None
    allowed: tuple[str, ...] = ()

    @classmethod
    def of(cls, declared: Column, column: str | None, text: str = "") -> Field:
        """The field that fills a declared column."""
        kind: CellType = "day" if declared.day else "string" if declared.type == "id" else declared.type
        blank = _BLANK.get(declared.name, NO_VALUE) if declared.required else None
        return cls(declared.name, kind, column, text, blank, declared.allowed)

    @property
    def fault(self) -> Message | None:
        """Why a cell that is not blank may be rejected; None when any text will do."""
        return NOT_ALLOWED if self.allowed else _FAULTS.get(self.type)


@dataclass(frozen=True)
class Converted:
    """A block of rows as values.

    Attributes:
        values: One column a field, every row; empty where the cell is blank or faulty.
        blank: Field → rows that lack a cell they need.
        faulty: Field → rows whose cell cannot be what it should be.
        clock_changes: Field → rows whose time the clocks showed twice, or never, because they were changed.
    """

    values: pa.Table
    blank: Mapping[str, NDArray[np.bool_]]
    faulty: Mapping[str, NDArray[np.bool_]]
    clock_changes: Mapping[str, NDArray[np.bool_]]


class Converter:
    """Converts blocks of rows, all in one way.

    Args:
        fields: What to make.
        timezone: IANA name of the zone of times without an offset.
        date_order: How `03/04/2026` is read.
        decimal: The decimal mark of numbers that are written as text.

    Raises:
        DataError: when there is no such time zone.
    """

    def __init__(
        self, fields: Sequence[Field], *, timezone: str, date_order: DateOrder, decimal: DecimalMark
    ) -> None:
        self._fields = list(fields)
        self._columns = list(dict.fromkeys(made.column for made in fields if made.column is not None))
        self._timezone = timezone
        self._date_order = date_order
        self._decimal = decimal
        self._database = cells.open_database()
        cells.check_timezone(self._database, timezone)

    def __call__(self, rows: pa.Table) -> Converted:
        """The values of a block; `rows` has at least the columns that the fields name."""
        block = rows.select(self._columns).rename_columns([f"b{i}" for i in range(len(self._columns))])
        block = block.append_column("row", pa.array(np.arange(rows.num_rows)))
        self._database.register("block", block)
        made = self._database.sql(self._query(block.schema)).to_arrow_table()
        self._database.unregister("block")
        if made.num_rows != rows.num_rows:
            raise AssertionError("rows were lost while converting")

        def marked(letter: str, state: int) -> dict[str, NDArray[np.bool_]]:
            return {
                field.name: made[f"{letter}{place}"].to_numpy() == state
                for place, field in enumerate(self._fields)
                if f"{letter}{place}" in made.column_names
            }

        values = pa.table({field.name: made[f"v{place}"] for place, field in enumerate(self._fields)})
        return Converted(values, marked("e", 1), marked("e", 2), marked("d", 1))

    def _query(self, block: pa.Schema) -> str:
        """SQL in layers, since each needs the one before it several times.

        Trimmed cell (c), filled text (s), for times the text in ISO order (i), the time without offset (l)
        and with one (m), value (v); what is wrong with it (e: 1 blank, 2 faulty) and clock changes (d).
        """
        layers: dict[str, list[str]] = {
            name: [] for name in ("cells", "texts", "orders", "locals", "moments")
        }
        values, out = [], []
        for place, field in enumerate(self._fields):
            c, s, iso, local, moment, v = (f"{letter}{place}" for letter in "csilmv")
            cell, decimal = self._cell(field, block)
            layers["cells"].append(f"{cells.trimmed(cell)} AS {c}")
            layers["texts"].append(f"{cells.filled(c, text=field.type == 'string')} AS {s}")
            if field.type in ("timestamp", "day"):
                layers["orders"].append(f"{cells.iso_order(s, self._date_order)} AS {iso}")
                layers["locals"].append(f"{cells.local_time(s, iso)} AS {local}")
                with_offset = f"CASE WHEN {local} IS NULL THEN {cells.moment(s, iso)} END"
                layers["moments"].append(f"{with_offset} AS {moment}")
            values.append(f"{self._value(field, place, decimal)} AS {v}")
            out.append(v)
            if field.fault or field.blank:
                blank = 1 if field.blank else 0
                state = f"CASE WHEN {v} IS NOT NULL THEN 0 WHEN {s} IS NULL THEN {blank} ELSE 2 END"
                out.append(f"CAST({state} AS UTINYINT) AS e{place}")
            if field.type == "timestamp" and self._timezone != "UTC":
                out.append(f"{cells.clock_change(local, self._timezone)} AS d{place}")
        query = "block"
        for made in layers.values():
            query = f"(SELECT *, {', '.join(made)} FROM {query})" if made else query
        return f"SELECT {', '.join(out)} FROM (SELECT *, {', '.join(values)} FROM {query}) ORDER BY row"

    def _cell(self, field: Field, block: pa.Schema) -> tuple[str, DecimalMark]:
        """SQL for the text of a field's cell, and its decimal mark: numbers that are no text have a point."""
        if field.column is None:
            return cells.literal(field.text), self._decimal
        column = block.field(self._columns.index(field.column))
        return cells.text_of(column.name, column.type), self._decimal if cells.is_text(column.type) else "."

    def _value(self, field: Field, place: int, decimal: DecimalMark) -> str:
        s, local, moment = f"s{place}", f"l{place}", f"m{place}"
        if field.allowed:
            return cells.choice(s, field.allowed)
        if field.type == "string":
            return f"CASE WHEN NOT {cells.is_error(s)} THEN {s} END"
        if field.type == "bool":
            return cells.yes_or_no(s)
        if field.type == "float64":
            return cells.number(s, decimal)
        if field.type == "int64":
            return cells.whole_number(s, decimal)
        if field.type == "measure":
            return cells.measure(s, decimal)
        if field.type == "day":
            return f"date_trunc('day', coalesce({local}, {moment}))"
        if self._timezone == "UTC":
            return f"coalesce({moment}, {local})"
        return f"coalesce({moment}, timezone('UTC', timezone({cells.literal(self._timezone)}, {local})))"


def tighten(rows: pa.Table, names: Sequence[str], decimal: DecimalMark) -> pa.Table:
    """Further attributes, read as text, as numbers or true/false where every one of their cells is one.

    A column with leading zeros (postcodes, telephones) stays text.
    """
    database = cells.open_database()
    for name in names:
        database.register("attribute", pa.table({"c": rows[name]}))
        number = cells.number("c", decimal)
        filled, whole, numbers, truths, padded = database.sql(
            f"""SELECT count(c), count(*) FILTER ({cells.matches("c", r"[+-]?\d{1,15}")}), count({number}),
                       count(*) FILTER ({cells.one_of("c", ("true", "false"))}),
                       count(*) FILTER ({cells.matches("c", r"[+-]?0\d.*")})
                FROM attribute"""
        ).fetchall()[0]
        if not filled or padded:
            continue
        if whole == filled:
            value = "CAST(c AS BIGINT)"
        elif numbers == filled:
            value = number
        elif truths == filled:
            value = "lower(c) = 'true'"
        else:
            continue
        column = database.sql(f"SELECT {value} AS value FROM attribute").to_arrow_table()["value"]
        rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows
