"""Every trap of guessing readers that was met on real files: none of them catches this one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import openpyxl
import pytest

from workbench.tables.load import Loaded
from workbench.tables.report import Rejection
from workbench.tables.sources import open_source

Load = Callable[..., Loaded]
ORDERS = {"order_id": "id", "customer_id": "who", "ts": "when", "revenue": "total"}
CLEAN = "".join(f"{i},c{i % 7},2026-01-01,{i}.5\n" for i in range(30_000))
pytestmark = pytest.mark.requirement("D01")


def named(rejected: tuple[Rejection, ...]) -> list[tuple[int, str | None, str]]:
    return [(one.line, one.column, one.reason) for one in rejected]


def test_a_decimal_comma_in_quotes_after_30000_rows_without_any_is_one_field(load: Load) -> None:
    loaded = load(
        "id,who,when,note,total\n" + CLEAN.replace("-01,", "-01,,") + 'x,c1,2026-01-01,"12,50",7\n',
        mapping={**ORDERS, "channel": "note"},
    )
    assert loaded.report.rejected_count == 0
    last = loaded.tables["orders"].to_pylist()[-1]
    assert (last["channel"], last["revenue"]) == ("12,50", 7.0)


def test_a_broken_row_is_not_swallowed_into_one_padded_with_nothing(load: Load, tmp_path: Path) -> None:
    text = "id,who,when,total\n1,a,2026-01-01,5\nunquoted,1.0,2026-01-01\n2,b,2026-01-02,6\n"
    loaded = load(text, mapping=ORDERS)
    path = tmp_path / "same.csv"
    path.write_text(text)
    with duckdb.connect() as database:
        swallowed = database.execute(
            f"FROM read_csv('{path}', header=true, all_varchar=true, null_padding=true, strict_mode=false)"
        ).fetchall()
    assert len(swallowed) == 3
    assert loaded.report.rows_kept == 2
    assert named(loaded.report.rejected) == [(3, None, "too few columns")]


def test_late_words_do_not_make_a_column_of_numbers_into_text(load: Load) -> None:
    loaded = load("id,who,when,total\n" + CLEAN + "x,c1,2026-01-01,unknown\n", mapping=ORDERS)
    assert loaded.report.types["revenue"] == "float64"
    assert loaded.report.rows_kept == 30_000
    assert named(loaded.report.rejected) == [(30_002, "total", "not a number")]


def test_seven_broken_lines_with_eight_faults_are_named_one_by_one(load: Load) -> None:
    broken = [
        "30000,c1,2026-01-01,many",
        "30001,c1,yesterday,7",
        "30002,c1,tomorrow,much",
        "30003,c1,2026-01-01",
        "30004,c1,2026-01-01,7,8",
        '30005,c1,"2026-01-01,7',
        '30006,"c1"x,2026-01-01,7',
    ]
    text = "id,who,when,total\n" + CLEAN + "\n".join(broken) + "\n30007,c1,2026-01-01,7\n"
    report = load(text, mapping=ORDERS).report
    assert (report.rows_read, report.rows_kept, report.rejected_count) == (30_008, 30_001, 7)
    assert named(report.rejected) == [
        (30_002, "total", "not a number"),
        (30_003, "when", "not a date"),
        (30_004, "when", "not a date"),
        (30_004, "total", "not a number"),
        (30_005, None, "too few columns"),
        (30_006, None, "too many columns"),
        (30_007, None, "quote not closed"),
        (30_008, None, "a quote in the wrong place"),
    ]
    assert {one.text for one in report.rejected} == set(broken)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_euro_sign_is_one_in_every_encoding(load: Load, encoding: str) -> None:
    text = "who;when;total;city\n1;2026-01-01;12,50 €;Cádiz\n" + "2;2026-01-02;3;Leon\n" * 50
    loaded = load(
        text.encode(encoding),
        table="orders",
        mapping={"customer_id": "who", "ts": "when", "revenue": "total", "channel": "city"},
    )
    assert loaded.tables["orders"]["revenue"].to_pylist()[0] == 12.5
    assert loaded.tables["orders"]["channel"].to_pylist()[0] == "Cádiz"
    assert loaded.report.encoding == encoding


def test_spanish_thousands_and_decimals_are_read_as_such(load: Load) -> None:
    loaded = load("id;who;when;total\n1;a;31/01/2026;1.034,00\n2;b;01/02/2026;12,5\n", mapping=ORDERS)
    assert loaded.tables["orders"]["revenue"].to_pylist() == [1034.0, 12.5]
    assert loaded.tables["orders"]["ts"].to_pylist() == [datetime(2026, 1, 31), datetime(2026, 2, 1)]


def test_days_that_could_be_months_are_asked_about(load: Load) -> None:
    report = load("id,who,when,total\n1,a,05/04/2026,1\n2,b,06/04/2026,2\n", mapping=ORDERS).report
    assert [(one.id, one.choices) for one in report.questions] == [("date_order", ("dmy", "mdy"))]


def test_a_file_of_the_united_states_is_not_read_day_first(load: Load) -> None:
    early = "".join(f"{i},a,04/{i % 12 + 1:02d}/2026,1\n" for i in range(20_000))
    loaded = load("id,who,when,total\n" + early + "20000,a,04/25/2026,2\n", mapping=ORDERS)
    assert loaded.report.questions == ()
    assert {moment.month for moment in loaded.tables["orders"]["ts"].to_pylist()} == {4}


def test_leading_zeros_of_identifiers_and_postcodes_stay(load: Load) -> None:
    customers = load(
        "who,postcode\n007,08001\n010,28001\n",
        table="customers",
        mapping={"customer_id": "who", "attributes": ["postcode"]},
    ).tables["customers"]
    assert customers["customer_id"].to_pylist() == ["007", "010"]
    assert customers["postcode"].to_pylist() == ["08001", "28001"]


def test_a_time_is_read_with_its_offset(load: Load) -> None:
    loaded = load("id,who,when,total\n1,a,2026-03-29 01:30:00 +0100,1\n", mapping=ORDERS)
    assert loaded.tables["orders"]["ts"].to_pylist() == [datetime(2026, 3, 29, 0, 30)]


def test_identifiers_that_excel_keeps_as_floats_are_whole_numbers(load: Load, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [["id", "who", "when", "total"], [1.0, 1001.0, datetime(2026, 1, 1, 10), 2.5]]:
        book.active.append(row)
    book.save(tmp_path / "made.xlsx")
    loaded = load((tmp_path / "made.xlsx").read_bytes(), name="data.xlsx", mapping=ORDERS)
    (order,) = loaded.tables["orders"].to_pylist()
    assert (str(order["order_id"]), str(order["customer_id"])) == ("1", "1001")
    assert (order["ts"], order["revenue"]) == (datetime(2026, 1, 1, 10), 2.5)


def test_a_broken_line_of_json_is_no_row_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "revisions.json"
    path.write_text('{"_p":"a","_n":"buy","_t":1767225600}\n{"_p":"b","_n":\n{"_p":"c","_n":"buy"}\n')
    with duckdb.connect() as database:
        swallowed = database.execute(
            f"FROM read_json('{path}', format='newline_delimited', ignore_errors=true,"
            " columns={_p: 'VARCHAR', _n: 'VARCHAR', _t: 'BIGINT'})"
        ).fetchall()
    assert (None, None, None) in swallowed
    (batch,) = open_source(path).batches()
    assert batch.rows["_p"].to_pylist() == ["a", "c"]
    assert [(fault.line, str(fault.reason), fault.text) for fault in batch.faults] == [
        (2, "not JSON", '{"_p":"b","_n":')
    ]
