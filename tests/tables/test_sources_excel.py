"""Workbooks: the table in a sheet is found, and its cells come as what they are."""

from __future__ import annotations

import base64
import zipfile
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from workbench.errors import DataError
from workbench.tables.load import Loaded
from workbench.tables.sources import Source, open_source

pytestmark = pytest.mark.requirement("D01")

OLD_WORKBOOK = zlib.decompress(
    base64.b64decode(
        "eNrtWE1IVFEU/u57b34UnRn/Ig1kELIyBa2NRDoWlKvM2hQR1Dgz4aDjyGQLW5Rls4ogaFW0ESyohdWmHyqoXYvAqEUQBFrQplVQ"
        "0EJ9nXPeHXOmHxxIwXjf4557z7n3nHvePefe9/NqumJm4l7dLArQCRMLdgm8S2SKSkmOCYH6bZubudpPxXaxplDip0B6PXhc/tLH"
        "MeR4z8LAXes5UeADlaMYRk96KBFeRewWH6KKfehQFuWegetUAqgVvyqFxoRWCb0jY58I7RLJJaEdNHZGHcF0pKepXefxYaNB+gJE"
        "FR6IzjuRtKEGLziPz15WzlgPdmWS0cE11lFvlWESFNLuxFAiw3wNbvCmHSW0pFIt8Xi4v39HKjWDagr6JL7ZYeBrbnc/C7vy1ZUr"
        "kPx7vtz3B7mfQlkov2JYwBjs44pTOosguizu8aE3EU/G0yezlO09Xk4RL/bHTg2OROewU85sLpT7ybgHOJGI9UcpbZKp4XRmJEHi"
        "2DCJW9tbW9uo3sY1ZVqUSl8pPw/k/AjlnR/lsqvKiMbJDW5XyN4K0Uxzt7683tfXGzkmkjGZ23mybOQbgI1zrEHKARnh0UkNNAm/"
        "Veh5sbpB2nVCq2kM1Y29Nbqxd1zGXJDeRppnu+BNZNOS9mZqZz8feFif/RjZQu2p7tnT1VNvIxNooCddnPT5GkezalbXrjIeRXK1"
        "0mfQe6G1v5xHfiOk78DWj88g5lGq14PhcAZxapEz9Vo5nEWcqW2ZBbbOGKUkY1s3g4BJ62WSRqV0B0Y/dTn9bO9ilWPPFHuWtmcV"
        "2HuK9bDE3u0gn6+N0+xZgDpN0bZEmyPRaVTiPjtJ5+xPrHQ2wMlSTddiNji+52cDo0LWyeF4dXx6vBI+P+JqcbxEAb+LggsXLly4"
        "cOHCxd+g9PsUv11a+n3bK58Nzn+deSoL7m+S/xYHkaZrhD4m92CI6gxGi8qfdfConC21TJ3c/0LGIZo9gwH0iR8DRecvvXWrpfez"
        "bMXQv9tCxc6/UIyfKzz/DxEcEYg="
    )
)
"""A workbook as Excel 97 wrote it: the sheet Pedidos from its cell B3 on, and a hidden one."""

Make = Callable[..., Path]


@pytest.fixture
def book(tmp_path: Path) -> Make:
    """A workbook of these sheets, each given by its rows; an error such as `#N/A` is one."""

    def make(name: str = "data.xlsx", **sheets: Sequence[Sequence[Any]]) -> Path:
        made = openpyxl.Workbook()
        made.remove(made.active)
        for title, rows in sheets.items():
            sheet = made.create_sheet(title)
            for row in rows:
                sheet.append(row)
            mark_errors(sheet)
        made.save(tmp_path / name)
        return tmp_path / name

    return make


def mark_errors(sheet: Worksheet) -> None:
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and cell.value.startswith("#"):
                cell.data_type = "e"


def rows_of(source: Source) -> tuple[list[dict[str, Any]], list[int]]:
    batches = list(source.batches())
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    return rows, [line for batch in batches for line in batch.lines.tolist()]


def said(source: Source) -> list[str]:
    return list(map(str, source.notes))


def test_cells_keep_their_kind_and_rows_their_number(book: Make) -> None:
    day = datetime(2026, 1, 2, 10, 30)
    path = book(
        Orders=[
            ["id", "when", "amount", "share", "vip", "postcode", "note"],
            [1001.0, day, 12.5, 0.25, True, "08001", "a"],
            [],
            [1002.0, day, 3, 0.5, False, "28001", None],
            [None, None, None, None, None, None, "  "],
        ]
    )
    rows, lines = rows_of(open_source(path))
    assert rows == [
        {
            "id": 1001,
            "when": day,
            "amount": 12.5,
            "share": 0.25,
            "vip": True,
            "postcode": "08001",
            "note": "a",
        },
        {
            "id": 1002,
            "when": day,
            "amount": 3.0,
            "share": 0.5,
            "vip": False,
            "postcode": "28001",
            "note": None,
        },
    ]
    assert isinstance(rows[0]["id"], int)
    assert lines == [2, 4]
    assert open_source(path).texts([2]) == {2: "1001, 2026-01-02 10:30:00, 12.5, 0.25, True, 08001, a"}


def test_titles_above_the_table_and_empty_columns_around_it_are_passed_over(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    sheet["B2"] = "Orders of January"
    sheet.merge_cells("B2:D2")
    sheet["B3"], sheet["C3"], sheet["D3"] = "From:", datetime(2026, 1, 1), "Madrid"
    for row, values in enumerate(
        [["id", "total", None, "city"], [1, 2.5, None, "x"], [2, 3.5, None, None]], 6
    ):
        for column, value in enumerate(values, 2):
            sheet.cell(row, column, value)
    sheet["Z90"].number_format = "0.00"
    made.save(tmp_path / "data.xlsx")
    source = open_source(tmp_path / "data.xlsx")
    assert rows_of(source) == (
        [{"id": 1, "total": 2.5, "city": "x"}, {"id": 2, "total": 3.5, "city": None}],
        [7, 8],
    )
    assert "The column names were found in row 6; what stands above them was left out." in said(source)


def test_names_below_merged_groups_carry_the_name_of_the_group(book: Make) -> None:
    path = book(
        S=[
            [None, None, "Spend", None, "Orders", None],
            ["id", "country", 2025, 2026, 2025, 2026],
            [1, "ES", 1.5, 2.5, 3, 4],
        ]
    )
    assert open_source(path).columns == (
        "id",
        "country",
        "Spend 2025",
        "Spend 2026",
        "Orders 2025",
        "Orders 2026",
    )


def test_no_row_of_text_below_is_taken_for_the_column_names(book: Make) -> None:
    path = book(S=[["who", datetime(2026, 1, 1), 7], *[["a", 1, 2]] * 12, ["b", "x", "y"], ["c", 3, 4]])
    rows, lines = rows_of(open_source(path))
    assert (len(rows), lines[0]) == (14, 2)


def test_an_error_is_no_blank(book: Make, load: Callable[..., Loaded]) -> None:
    path = book(
        S=[
            ["who", "when", "total"],
            ["a", datetime(2026, 1, 1), 1.034],
            ["b", datetime(2026, 1, 2), "#N/A"],
            ["c", "#DIV/0!", 2.5],
            ["d", datetime(2026, 1, 4), None],
        ]
    )
    rows, _ = rows_of(open_source(path))
    assert [row["total"] for row in rows] == ["1.0340", "#N/A", "2.5", None]
    assert [row["when"] for row in rows][:3] == ["2026-01-01 00:00:00", "2026-01-02 00:00:00", "#DIV/0!"]
    mapping = {"customer_id": "who", "ts": "when", "revenue": "total"}
    loaded = load(path.read_bytes(), name="data.xlsx", table="orders", mapping=mapping)
    assert [(one.line, one.column, one.reason, one.value) for one in loaded.report.rejected] == [
        (3, "total", "not a number", "#N/A"),
        (4, "when", "not a date", "#DIV/0!"),
    ]
    assert loaded.tables["orders"]["revenue"].to_pylist() == [1.034, None]


def test_columns_of_several_kinds_are_text(book: Make) -> None:
    day = datetime(2026, 1, 2)
    path = book(
        S=[["id", "mixed"], ["A7", 1001], ["0012", day], [1001, True], [12.5, day - datetime(2026, 1, 1)]]
    )
    rows, _ = rows_of(open_source(path))
    assert [row["id"] for row in rows] == ["A7", "0012", "1001", "12.5"]
    assert [row["mixed"] for row in rows][:3] == ["1001", "2026-01-02 00:00:00", "true"]


def test_the_first_sheet_with_a_table_is_read_and_the_others_are_named(book: Make) -> None:
    sheets = {
        "Cover": [["Report"], ["of January"]],
        "Secret": [["a", "b"], [1, 2]],
        "Orders": [["id", "x"], [1, 2]],
        "More": [["id", "y"], [3, 4]],
        "Empty": [],
    }
    path = book(**sheets)
    made = openpyxl.load_workbook(path)
    made["Secret"].sheet_state = "hidden"
    made.save(path)
    source = open_source(path)
    assert (source.sheet, source.sheets) == ("Orders", tuple(sheets))
    assert "The workbook has other sheets: Cover, Secret, More, Empty." in said(source)
    assert open_source(path, sheet="Secret").columns == ("a", "b")
    assert open_source(path, sheet="More").columns == ("id", "y")
    with pytest.raises(
        DataError, match=r"There is no sheet “None” in data\.xlsx; choose one of: Cover, Secret"
    ):
        open_source(path, sheet="None")
    with pytest.raises(DataError, match=r"The sheet “Empty” of data\.xlsx has no column names with rows"):
        open_source(path, sheet="Empty")


def test_many_rows_come_in_batches_one_after_the_other(book: Make) -> None:
    source = open_source(book(S=[["id", "x"], *([i, i / 2] for i in range(5000))]))
    batches = list(source.batches(["x"], block=1 << 19))
    assert len(batches) > 2
    assert [batch.done for batch in batches] == sorted(batch.done for batch in batches)
    assert batches[-1].done == 1
    assert [value for batch in batches for value in batch.rows["x"].to_pylist()] == [
        i / 2 for i in range(5000)
    ]


@pytest.mark.parametrize("name", ["data.xls", "data.xlsx", "data"])
def test_the_workbooks_of_excel_97_are_read_whatever_they_are_called(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(OLD_WORKBOOK)
    source = open_source(tmp_path / name)
    assert (source.sheet, source.sheets) == ("Pedidos", ("Pedidos", "Oculta"))
    assert rows_of(source) == (
        [
            {"id": 1001, "fecha": datetime(2026, 1, 2, 10, 30), "importe": 12.5, "cp": "08001"},
            {"id": 1002, "fecha": datetime(2026, 1, 3), "importe": 3.0, "cp": "28001"},
        ],
        [4, 5],
    )


def test_open_document_sheets_are_read(tmp_path: Path) -> None:
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )

    def row(*cells: str, times: int = 1) -> str:
        inner = "".join(f"<table:table-cell {cell}</table:table-cell>" for cell in (">", *cells))
        return f'<table:table-row table:number-rows-repeated="{times}">{inner}</table:table-row>'

    def text(word: str) -> str:
        return f'office:value-type="string"><text:p>{word}</text:p>'

    table = "".join(
        [
            row(times=2),
            row(text("id"), text("when"), text("cp")),
            row(
                'office:value-type="float" office:value="1001">',
                'office:value-type="date" office:date-value="2026-01-02T10:30:00">',
                text("08001"),
            ),
            row(times=1_000_000),
        ]
    )
    with zipfile.ZipFile(tmp_path / "data.ods", "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr(
            "META-INF/manifest.xml", '<manifest xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
        )
        packed.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="Hoja">{table}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    source = open_source(tmp_path / "data.ods")
    assert rows_of(source) == ([{"id": 1001, "when": datetime(2026, 1, 2, 10, 30), "cp": "08001"}], [4])


def test_locked_damaged_and_empty_workbooks_are_refused_in_one_sentence(tmp_path: Path, book: Make) -> None:
    whole = book("whole.xlsx", S=[["a", "b"], [1, 2]]).read_bytes()
    locked = OLD_WORKBOOK[:512] + "EncryptedPackage".encode("utf-16-le") + bytes(2000)
    with zipfile.ZipFile(tmp_path / "letter.docx", "w") as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr("word/document.xml", "<document/>")
    for name, content, sentence in [
        ("locked.xlsx", locked, "locked.xlsx is protected by a password; save it without one."),
        ("cut.xlsx", whole[:2000], "cut.xlsx is not a whole workbook or zip file; save it or pack it anew."),
        (
            "cut.xls",
            OLD_WORKBOOK[:3000],
            "cut.xls is not a whole workbook or zip file; save it or pack it anew.",
        ),
        ("letter.docx", None, "letter.docx is not a whole workbook or zip file; save it or pack it anew."),
    ]:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError) as refused:
            open_source(tmp_path / name)
        assert str(refused.value) == sentence
    with pytest.raises(DataError, match="has no sheet with column names and rows below them"):
        open_source(book("none.xlsx", S=[["a", "b"]], T=[]))
