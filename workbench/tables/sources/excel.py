"""Sheets of workbooks (Excel's .xlsx, .xlsm, .xlsb and .xls, OpenDocument's .ods), read by fastexcel.

Column names stand in the first row that is filled about as far as the others and holds no numbers or dates;
titles above it are passed over. A column whose cells are all of one kind has that kind (whole numbers as
such, although Excel keeps every number as a float), any other is text. A formula stands for the value it last
had; where that is an error, `#N/A` stands in the cell as it does on the screen, so that it is rejected as no
number or no date instead of passing for a blank.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.locale import Message, say
from workbench.tables import cells
from workbench.tables.sources.files import WHOLE_AT_MOST, is_workbook, whole
from workbench.tables.sources.source import Batch, Source, unique_names, with_fourth_decimal

if TYPE_CHECKING:
    import fastexcel

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How the older Office files begin, and newer ones that are locked with a password."""

_LOCKED = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] 2.3.4.4
_ERRORS = {
    "NA": "#N/A",
    "Div0": "#DIV/0!",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#DATA!",
}
_ERROR = re.compile(r"Error\((\w+)\)")
_UNDECIDED = re.compile(r"__UNNAMED__\d+")
_NO_NAME = re.compile(r"[-+\d.,:/ eE%€$]*|\d{4}-\d{2}-\d{2}.*|true|false")
_YEAR = re.compile(r"(19|20)\d\d")
_HEAD_ROWS = 200
_TITLES_AT_MOST = 10


@dataclass(frozen=True)
class Sheet(Source):
    """A sheet of a workbook.

    Attributes:
        rows: Its table; held in memory, since a sheet has at most a million rows.
        lines: The number of each row in the sheet.
    """

    rows: pa.Table = field(default=None, repr=False, compare=False)
    lines: NDArray[np.int64] = field(
        default_factory=lambda: np.array([], np.int64), repr=False, compare=False
    )

    def _batches(self, wanted: Sequence[str], block: int) -> Iterator[Batch]:
        rows, count = self.rows.select(list(wanted)), len(self.lines)
        size = max(1024, block >> 8)
        for start in range(0, count, size):
            lines = self.lines[start : start + size]
            yield Batch(rows.slice(start, size), lines, done=(start + len(lines)) / count)


@dataclass(frozen=True)
class _Grid:
    """All cells of a sheet as text, from its first row on; `columns` are those between its first and last."""

    columns: list[pa.Array]
    width: int  # cells that its rows usually have
    header: int  # the row with the column names

    def row(self, number: int) -> list[str]:
        return [(column[number].as_py() or "").strip() for column in self.columns]


def open_workbook(path: Path, sheet: str | None = None) -> Sheet:
    """Choose a sheet of a workbook and read it.

    Args:
        path: The workbook.
        sheet: The name of a sheet; when None, the first that is not hidden and has a table of several
            columns, else the first that has any.

    Raises:
        DataError: when the workbook is damaged or locked, has no such sheet, or no table.
    """
    reader = _reader(path)
    names = tuple(reader.sheet_names)
    if sheet is not None and sheet not in names:
        raise DataError(
            "There is no sheet “{sheet}” in {file}; choose one of: {names}.",
            sheet=sheet,
            file=path.name,
            names=", ".join(names),
        )
    name, grid = _chosen(reader, path.name, names if sheet is None else (sheet,))
    if grid is None:
        if sheet is None:
            raise DataError("{file} has no sheet with column names and rows below them.", file=path.name)
        raise DataError(
            "The sheet “{sheet}” of {file} has no column names with rows below them.",
            sheet=sheet,
            file=path.name,
        )
    rows, lines = _table(reader, name, grid)
    return Sheet(
        path,
        tuple(rows.column_names),
        notes=_notes(path, names, name, grid),
        sheets=names,
        sheet=name,
        rows=rows,
        lines=lines,
    )


def _notes(path: Path, names: Sequence[str], name: str, grid: _Grid) -> tuple[Message, ...]:
    notes = [
        say("{file}: the sheet “{sheet}” was read; lines are its rows.", file=path.name, sheet=name),
    ]
    if any(any(grid.row(row)) for row in range(grid.header)):
        notes.append(
            say(
                "The column names were found in row {row}; what stands above them was left out.",
                row=grid.header + 1,
            )
        )
    others = [other for other in names if other != name]
    if others:
        notes.append(say("The workbook has other sheets: {names}.", names=", ".join(others)))
    return tuple(notes)


def _reader(path: Path) -> fastexcel.ExcelReader:
    import fastexcel

    content = whole(path)  # given a path, the ending of its name would decide what it is read as
    try:
        with zipfile.ZipFile(BytesIO(content)) as parts:
            if not is_workbook(parts.namelist()):
                raise DataError("{file} is a zip file inside another; unpack it first.", file=path.name)
            too_large = sum(part.file_size for part in parts.infolist()) > WHOLE_AT_MOST
    except zipfile.BadZipFile:
        too_large = False  # an older workbook is no zip file, and a damaged one is told of below
    if too_large:
        raise DataError(
            "{file} would unpack to more than {limit:count} MB; save its sheet as CSV.",
            file=path.name,
            limit=WHOLE_AT_MOST >> 20,
        )
    try:
        return fastexcel.read_excel(content)
    except fastexcel.FastExcelError as error:
        if _LOCKED in content or "password" in str(error).lower():
            raise DataError(
                "{file} is protected by a password; save it without one.", file=path.name
            ) from error
        raise _damaged(path.name) from error


def _damaged(file: str) -> DataError:
    return DataError("{file} is not a whole workbook or zip file; save it or pack it anew.", file=file)


def _chosen(reader: fastexcel.ExcelReader, file: str, names: Sequence[str]) -> tuple[str, _Grid | None]:
    """The first of these sheets that is fit to be read; hidden ones and single columns only if need be."""
    import fastexcel

    second: tuple[str, _Grid | None] = "", None
    for name in names:
        try:
            sheet = reader.load_sheet(
                name, header_row=None, skip_rows=0, dtypes="string", whitespace_as_null=True
            )
        except fastexcel.FastExcelError as error:
            raise _damaged(file) from error
        grid = _grid(sheet)
        if grid is None:
            continue
        if len(names) == 1 or (sheet.visible == "visible" and grid.width > 1):
            return name, grid
        if second[1] is None:
            second = name, grid
    return second


def _grid(sheet: fastexcel.ExcelSheet) -> _Grid | None:
    """The cells of a sheet, errors among them; None when it has no table."""
    batch, errors = sheet.to_arrow_with_errors()
    columns = list(batch.columns)
    for place, values in _by_column(errors, 0).items():
        columns[place] = _put(columns[place], values)
    first = (column[:_HEAD_ROWS].to_pylist() for column in columns)
    head = [[(cell or "").strip() for cell in row] for row in zip(*first, strict=True)]
    filled = [sum(map(bool, row)) for row in head]
    if sum(map(bool, filled)) < 2:
        return None
    width = sorted(filled)[-2]
    return _Grid(columns, width, _header(head, filled, width))


def _header(head: list[list[str]], filled: list[int], width: int) -> int:
    """The row that names the columns: well filled with words; else the first that is well filled."""
    candidates = [row for row, count in enumerate(filled) if 2 * count > width]
    worded = [row for row in candidates if not any(map(_is_value, head[row]))]
    row = worded[0] if worded and worded[0] in candidates[:_TITLES_AT_MOST] else candidates[0]
    below = row + 1
    if (
        below + 1 < len(head)
        and filled[row] < filled[below]
        and below in worded
        and any(map(_is_value, head[below + 1]))
    ):
        return below  # the row above it only names groups of columns
    return row


def _is_value(cell: str) -> bool:
    """Whether a cell is a number, a date or true or false, rather than a name."""
    return bool(cell) and _NO_NAME.fullmatch(cell) is not None and _YEAR.fullmatch(cell) is None


def _table(reader: fastexcel.ExcelReader, name: str, grid: _Grid) -> tuple[pa.Table, NDArray[np.int64]]:
    """The rows below the column names, without blank ones, and their numbers in the sheet."""
    first = grid.header + 1
    texts = [column[first:] for column in grid.columns]
    blank = [place for place, column in enumerate(texts) if column.null_count == len(column)]
    names = _names(grid)
    kept = [place for place in range(len(texts)) if names[place] or place not in blank]
    filled = np.zeros(len(texts[0]), bool)
    for place in kept:
        filled |= texts[place].is_valid().to_numpy(zero_copy_only=False)
    typed, errors = _typed(reader, name, first, {f"__UNNAMED__{place}": "string" for place in blank})
    columns = []
    for place in kept:
        column = typed.column(place)
        wrong = {row: code or texts[place][row].as_py() for row, code in errors.get(place, {}).items()}
        if any(wrong.values()):
            column = _put(_as_text(column), wrong)
        columns.append(_whole(column))
    rows = pa.table(columns, names=unique_names([names[place] for place in kept]))
    lines = np.arange(first + 1, first + 1 + len(filled))[filled].astype(np.int64)
    return rows.filter(pa.array(filled)), lines


def _names(grid: _Grid) -> list[str]:
    """The column names; where they repeat, with the name of the group that stands above them."""
    names = grid.row(grid.header)
    filled = [name for name in names if name]
    above = grid.row(grid.header - 1) if grid.header else []
    if len(set(filled)) == len(filled) or sum(map(bool, above)) < 2:
        return names
    group, grouped = "", []
    for name, over in zip(names, above, strict=True):
        group = over or group
        grouped.append(f"{group} {name}".strip() if name else name)
    return grouped


def _typed(
    reader: fastexcel.ExcelReader, name: str, first: int, types: dict[str | int, Any]
) -> tuple[pa.RecordBatch, dict[int, dict[int, str]]]:
    """The cells with the type of their column, and per column the rows that are errors or do not have it."""
    import fastexcel

    while True:
        try:
            sheet = reader.load_sheet(
                name,
                header_row=None,
                skip_rows=first,
                schema_sample_rows=None,
                dtypes=types or None,
                whitespace_as_null=True,
            )
        except fastexcel.UnsupportedColumnTypeCombinationError as error:
            undecided = _UNDECIDED.search(str(error))
            if undecided is None or undecided[0] in types:
                raise
            types[undecided[0]] = "string"
        else:
            batch, errors = sheet.to_arrow_with_errors()
            return batch, _by_column(errors, first)


def _by_column(errors: fastexcel.CellErrors | None, first: int) -> dict[int, dict[int, str]]:
    """Column → row, counted from `first`, → the error that stands there; blank where it is none."""
    found: dict[int, dict[int, str]] = {}
    for error in errors.errors if errors else ():
        row, place = error.position
        code = _ERROR.search(error.detail)
        found.setdefault(place, {})[row - first] = _ERRORS.get(code[1], "#ERROR!") if code else ""
    return found


def _put(column: pa.Array, values: dict[int, str]) -> pa.Array:
    """A column of texts with others in some rows."""
    mask = np.zeros(len(column), bool)
    mask[list(values)] = True
    others = pa.array([values[row] for row in sorted(values)], column.type)
    return pc.replace_with_mask(column, pa.array(mask), others)


def _as_text(column: pa.Array) -> pa.Array:
    database = cells.open_database()
    database.register("block", pa.table({"cell": column, "row": np.arange(len(column))}))
    text = cells.text_of("cell", column.type)
    made = database.sql(
        f"SELECT {with_fourth_decimal(text)} AS made FROM block ORDER BY row"
    ).to_arrow_table()
    return made["made"].combine_chunks()


def _whole(column: pa.Array) -> pa.Array:
    """Numbers as whole numbers where all of them are."""
    if not pa.types.is_floating(column.type) or column.null_count == len(column):
        return column
    whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), 2.0**63))
    return column.cast(pa.int64()) if pc.all(whole).as_py() else column
