"""From a file to the standard tables: nothing is lost without a word, and the numbers are the file's."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.tables.load import Loaded, preview, read_tables
from workbench.tables.schema import TABLES

Load = Callable[..., Loaded]
SAMPLES = Path(__file__).parents[2] / "data" / "samples"
ORDERS = {"order_id": "id", "customer_id": "who", "ts": "when", "revenue": "total"}


def faults(loaded: Loaded) -> list[tuple[int, str | None, str, str]]:
    return [(one.line, one.column, one.reason, one.text) for one in loaded.report.rejected]


# --- nothing is lost ------------------------------------------------------------------------------------

cell = st.sampled_from(
    ["1", "2", "A", "B", "x", "", '"', '"q"', '"a,b"', '"a\nb"', "2026-01-01", "-3", "1.5", "sí"]
)
body = st.lists(st.lists(cell, min_size=1, max_size=5).map(",".join), max_size=15).map("\n".join)
GRAINS = [
    {"table": "orders", "mapping": ORDERS},
    {"table": "customers", "mapping": {"customer_id": "who", "attributes": ["when", "total"]}},
    {"table": "exposures", "mapping": {"customer_id": "who", "variant": "id"}},
    {"mapping": {"customer_id": "who", "variant": "id", "outcomes": {"y": "total"}}},
    {"mapping": {"variant": "id", "n": "who", "successes": "total", "metric": "y"}},
]


@given(body, st.sampled_from(GRAINS))
@settings(max_examples=25, deadline=None)
@pytest.mark.requirement("D01")
def test_every_row_is_kept_or_counted(
    tmp_path_factory: pytest.TempPathFactory, text: str, options: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("load") / "data.csv"
    path.write_text(f"id,who,when,total\n{text}\n1,c,2026-01-01,1\n")
    loaded = read_tables(path, **options)
    report = loaded.report
    assert report.rows_read == report.rows_kept + report.rejected_count
    assert len({one.line for one in report.rejected}) == report.rejected_count
    lines = path.read_text().split("\n")
    assert all(one.text.startswith(lines[one.line - 1][:400]) for one in report.rejected)
    if report.table in ("exposures", "summaries"):
        assert loaded.tables[report.table].num_rows == report.rows_kept
    else:
        assert loaded.tables[report.table].num_rows <= report.rows_kept


def test_the_list_of_rejected_rows_is_capped_and_their_count_is_not(load: Load) -> None:
    loaded = load(
        "who,when\n" + "c,never\n" * 1500 + "c,2026-01-01\n", mapping={"customer_id": "who", "ts": "when"}
    )
    report = loaded.report
    assert (report.rows_read, report.rows_kept, report.rejected_count) == (1501, 1, 1500)
    assert [one.line for one in report.rejected] == list(range(2, 1002))


def test_a_report_is_json_in_either_language(load: Load) -> None:
    loaded = load("id,who,when,total\n1,c,1/2/2026,1\n2,,3/4/2026,x\n", table="orders", mapping=ORDERS)
    plain = json.loads(json.dumps(loaded.report.to_json_dict()))
    bad = "2,,3/4/2026,x"
    assert plain == {
        "files": ["data.csv"],
        "table": "orders",
        "grain": "event",
        "vendor": None,
        "rows_read": 2,
        "rows_kept": 1,
        "rejected": [
            {"line": 3, "column": "who", "reason": "no customer", "text": bad, "value": "", "file": ""},
            {"line": 3, "column": "total", "reason": "not a number", "text": bad, "value": "x", "file": ""},
        ],
        "rejected_count": 1,
        "columns": ORDERS,
        "types": {"order_id": "string", "customer_id": "string", "ts": "timestamp", "revenue": "float64"},
        "timezone": "UTC",
        "encoding": "utf-8",
        "guessed": [],
        "notes": ["Times without an offset were taken to be in UTC."],
        "questions": [
            {
                "id": "date_order",
                "question": "Which comes first in a date such as 1/2/2026: the day or the month?",
                "choices": ["dmy", "mdy"],
                "assumed": "dmy",
            }
        ],
        "recipe": {
            "table": "orders",
            "grain": "event",
            "mapping": ORDERS,
            "columns": ["id", "who", "when", "total"],
        },
        "added": {},
    }
    assert loaded.report.to_json_dict("es").keys() == plain.keys()


# --- the grains -----------------------------------------------------------------------------------------


@pytest.mark.requirement("D08")
def test_negative_lines_are_refunds_of_their_orders(load: Load) -> None:
    loaded = load(
        "id,who,when,total\n1,a,2026-01-01,50\n2,b,2026-01-02,20\n1,a,2026-01-09,-15\n1,a,2026-01-10,-5\n"
        "9,a,2026-01-10,-7\n2,b,2026-01-02,20\n",
        mapping=ORDERS,
    )
    orders = loaded.tables["orders"].select(["order_id", "revenue", "refund", "ts"]).to_pylist()
    assert orders == [
        {"order_id": "1", "revenue": 50.0, "refund": None, "ts": datetime(2026, 1, 1)},
        {"order_id": "2", "revenue": 20.0, "refund": None, "ts": datetime(2026, 1, 2)},
    ]
    refunds = loaded.tables["refunds"].select(["order_id", "amount", "ts"]).to_pylist()
    assert refunds == [
        {"order_id": "1", "amount": 15.0, "ts": datetime(2026, 1, 9)},
        {"order_id": "1", "amount": 5.0, "ts": datetime(2026, 1, 10)},
        {"order_id": "9", "amount": 7.0, "ts": datetime(2026, 1, 10)},
    ]
    assert faults(loaded) == [
        (7, "id", "a second row with the same identifier", "2,b,2026-01-02,20"),
    ]


def test_orders_without_a_number_get_the_same_one_each_time(load: Load) -> None:
    text = "user,date,total\na,2026-01-01,5\na,2026-01-01,5\nb,2026-01-02,-5\n"
    once, again = (load(text, name, table="orders").tables["orders"] for name in ("one.csv", "two.csv"))
    assert once["order_id"] == again["order_id"]
    assert len(set(once["order_id"].to_pylist())) == 3
    assert once["revenue"].to_pylist() == [5.0, 5.0, -5.0]
    longer = load("c,2026-01-03,1\n".join(["user,date,total\n", text.split("\n", 1)[1]]), table="orders")
    assert set(once["order_id"].to_pylist()) < set(longer.tables["orders"]["order_id"].to_pylist())


def test_rows_of_one_customer_are_put_together(load: Load) -> None:
    loaded = load("cliente,pais,edad\n1,ES,\n2,FR,40\n1,,33\n", table="customers")
    customers = loaded.tables["customers"].select(["customer_id", "country", "edad"]).to_pylist()
    assert customers == [
        {"customer_id": "1", "country": "ES", "edad": 33},
        {"customer_id": "2", "country": "FR", "edad": 40},
    ]
    assert loaded.report.rows_kept == 3


def test_attributes_of_customers_keep_their_names_and_find_their_types(load: Load) -> None:
    loaded = load("cliente,edad,cp,sexo\n1,33,08001,m\n2,44,28001,f\n")
    assert loaded.report.table == "customers"
    assert loaded.tables["customers"].select(["edad", "cp", "sexo"]).to_pydict() == {
        "edad": [33, 44],
        "cp": ["08001", "28001"],
        "sexo": ["m", "f"],
    }


@pytest.mark.requirement("D01")
def test_a_unit_file_becomes_exposures_customers_and_outcomes(load: Load) -> None:
    loaded = load(
        "user_id,group,converted,spend,country\n1,A,yes,10.5,ES\n2,B,no,,FR\n3,,yes,1,PT\n1,A,no,3,ES\n",
        "home.csv",
        mapping={
            "customer_id": "user_id",
            "variant": "group",
            "outcomes": {"conversion": "converted", "revenue": "spend"},
            "attributes": ["country"],
        },
    )
    exposures = loaded.tables["exposures"]
    assert exposures.select(["customer_id", "experience_id", "variant"]).to_pylist() == [
        {"customer_id": "1", "experience_id": "home", "variant": "A"},
        {"customer_id": "2", "experience_id": "home", "variant": "B"},
    ]
    assert exposures["ts"].null_count == exposures["assignment"].null_count == 2
    assert loaded.tables["customers"].select(["customer_id", "country"]).to_pylist() == [
        {"customer_id": "1", "country": "ES"},
        {"customer_id": "2", "country": "FR"},
    ]
    values = {
        (row["customer_id"], row["name"]): row["value"] for row in loaded.tables["outcomes"].to_pylist()
    }
    assert values == {
        ("1", "conversion"): 1,
        ("2", "conversion"): 0,
        ("1", "revenue"): 10.5,
        ("2", "revenue"): None,
    }
    assert faults(loaded) == [
        (4, "group", "no variant", "3,,yes,1,PT"),
        (5, "user_id", "a second row for this customer in this arm", "1,A,no,3,ES"),
    ]
    assert "Customers without a value of “revenue”: 1; it is missing, not zero." in map(
        str, loaded.report.notes
    )


@pytest.mark.requirement("D01")
def test_a_customer_in_two_variants_keeps_both_exposures_and_the_first_outcome(load: Load) -> None:
    loaded = load("user,group,converted\n1,A,1\n1,B,0\n2,B,1\n")
    assert loaded.tables["exposures"].num_rows == 3
    assert loaded.tables["outcomes"].select(["customer_id", "value"]).to_pylist() == [
        {"customer_id": "1", "value": 1.0},
        {"customer_id": "2", "value": 1.0},
    ]
    assert loaded.report.rejected_count == 0
    assert any(str(note).startswith("Customers in more than one variant: 1;") for note in loaded.report.notes)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "data"),
        ({"experiment": "home"}, "home"),
        ({"experiment": "test"}, "t1"),
        ({"mapping": {"customer_id": "user", "variant": "group", "experiment": "menu"}}, "menu"),
        ({"mapping": {"customer_id": "user", "variant": "group", "experiment": "test"}}, "t1"),
    ],
)
def test_the_experience_is_a_column_or_a_name_or_the_file(
    load: Load, options: dict[str, Any], expected: str
) -> None:
    options = {"mapping": {"customer_id": "user", "variant": "group"}, "grain": "unit", **options}
    loaded = load("user,group,test\n1,A,t1\n", **options)
    assert loaded.tables["exposures"]["experience_id"].to_pylist() == [expected]


def test_how_customers_were_assigned_may_be_said_for_all_of_them(load: Load) -> None:
    mapping = {"customer_id": "user", "variant": "group", "assignment": "random"}
    loaded = load("user,group\n1,A\n", mapping=mapping, grain="unit")
    assert loaded.tables["exposures"]["assignment"].to_pylist() == ["random"]
    loaded = load("user,group\n1,A\n", mapping={**mapping, "assignment": "dice"}, grain="unit")
    assert (loaded.report.rows_kept, loaded.report.rejected[0].reason) == (0, "not an allowed value")


@pytest.mark.requirement("D01")
def test_summaries_have_the_moments_of_the_rows_they_sum_up(load: Load) -> None:
    chance = np.random.default_rng(5)
    arms = {name: chance.gamma(2.0, 20.0, size) for name, size in (("A", 400), ("B", 700))}
    bought = {name: (values > 40).astype(int) for name, values in arms.items()}
    n, mean, sd = (
        {name: float(measure(values)) for name, values in arms.items()}
        for measure in (len, np.mean, lambda values: np.std(values, ddof=1))
    )
    files: dict[str, list[Any]] = {
        "successes": [(name, n[name], bought[name].sum()) for name in arms],
        "sum,sum_of_squares": [(name, n[name], v.sum(), (v**2).sum()) for name, v in arms.items()],
        "mean,variance": [(name, n[name], mean[name], sd[name] ** 2) for name in arms],
        "mean,standard_deviation": [(name, n[name], mean[name], sd[name]) for name in arms],
    }
    for header, rows in files.items():
        text = "\n".join([f"variant,n,{header}", *(",".join(map(str, row)) for row in rows)])
        columns = {name: name for name in ("variant", "n", *header.split(","))}
        loaded = load(text + "\n", mapping={**columns, "metric": "spend"})
        data = bought if header == "successes" else arms
        for row in loaded.tables["summaries"].to_pylist():
            values = data[row["variant"]]
            assert row["kind"] == ("binary" if header == "successes" else "mean")
            assert (row["metric"], row["n"]) == ("spend", len(values))
            assert row["mean"] == pytest.approx(values.mean(), rel=1e-12)
            assert row["m2"] == pytest.approx(((values - values.mean()) ** 2).sum(), rel=1e-9)


def test_summaries_that_cannot_be_true_are_rejected(load: Load) -> None:
    loaded = load("variant,n,conversions,country\nA,10,11,ES\nB,10,-1,ES\nC,10,2.5,ES\nD,0,0,ES\nE,9,9,FR\n")
    assert [(one.line, one.reason) for one in loaded.report.rejected] == [
        (2, "numbers that cannot be true together"),
        (3, "numbers that cannot be true together"),
        (4, "not a whole number"),
    ]
    rows = loaded.tables["summaries"].select(["variant", "mean", "m2", "country"]).to_pylist()
    assert rows == [
        {"variant": "D", "mean": 0.0, "m2": 0.0, "country": "ES"},
        {"variant": "E", "mean": 1.0, "m2": 0.0, "country": "FR"},
    ]


EXAMPLES = {
    "string": "x",
    "id": "7",
    "int64": "3",
    "float64": "1.5",
    "bool": "yes",
    "timestamp": "2026-01-02 03:04:05",
}


@pytest.mark.parametrize("name", [name for name in TABLES if name not in ("outcomes", "summaries")])
@pytest.mark.requirement("D01")
def test_every_table_can_be_loaded(tmp_path: Path, name: str) -> None:
    table = TABLES[name]
    path = tmp_path / f"{name}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.names)
        writer.writerow(
            [
                "USD" if column.name == "currency" else (column.allowed or (EXAMPLES[column.type],))[0]
                for column in table.columns
            ]
        )
    loaded = read_tables(path, table=name, mapping={column: column for column in table.names})
    rows = loaded.tables[name]
    assert (rows.num_rows, loaded.report.rejected_count) == (1, 0)
    assert rows.column_names == list(table.names)
    assert all(rows[column].null_count == 0 for column in rows.column_names)
    types = {column.name: "string" if column.type == "id" else column.type for column in table.columns}
    assert loaded.report.types == types


def test_parquet_gives_what_its_csv_gives(load: Load, tmp_path: Path) -> None:
    rows = pa.table(
        {
            "id": [1.0, 2.0],
            "who": pa.array(["a", "b"]).dictionary_encode(),
            "when": [datetime(2026, 1, 1, 5), None],
            "total": [1.5, 2.5],
        }
    )
    pq.write_table(rows, tmp_path / "data.parquet")
    typed = read_tables(tmp_path / "data.parquet", mapping=ORDERS, timezone="Europe/Madrid")
    text = load(
        "id,who,when,total\n1,a,2026-01-01 05:00,1.5\n2,b,,2.5\n", mapping=ORDERS, timezone="Europe/Madrid"
    )
    assert typed.tables["orders"] == text.tables["orders"]
    assert [(one.line, one.column, one.reason) for one in typed.report.rejected] == [(2, "when", "no date")]


# --- what the file leaves open ------------------------------------------------------------------------------


@pytest.mark.requirement("D01")
def test_decimal_commas_and_spanish_dates_are_understood(load: Load) -> None:
    loaded = load(
        "Nº pedido;Id Cliente;Fecha pedido;Importe\n1;007;25/12/2025;1.034,00\n2;008;05/12/2025 10:30;12,5\n",
        timezone="Europe/Madrid",
    )
    assert loaded.tables["orders"].select(["customer_id", "ts", "revenue"]).to_pylist() == [
        {"customer_id": "007", "ts": datetime(2025, 12, 24, 23), "revenue": 1034.0},
        {"customer_id": "008", "ts": datetime(2025, 12, 5, 9, 30), "revenue": 12.5},
    ]
    assert not loaded.report.questions
    assert {"decimal", "date_order"} <= set(loaded.report.guessed)


@pytest.mark.requirement("D01")
def test_an_open_date_is_asked_and_the_answer_is_followed(load: Load) -> None:
    text = "user,date,total\na,03/04/2026,1.034\n"
    loaded = load(text, table="orders")
    assert [(question.id, question.assumed) for question in loaded.report.questions] == [
        ("decimal", "."),
        ("date_order", "dmy"),
    ]
    answered = load(text, table="orders", date_order="mdy", decimal=",")
    assert not answered.report.questions
    assert answered.tables["orders"].select(["ts", "revenue"]).to_pylist() == [
        {"ts": datetime(2026, 3, 4), "revenue": 1034.0}
    ]


def test_what_the_first_rows_leave_open_the_last_row_decides(load: Load) -> None:
    ambiguous = "a,03/04/2026,1.034\n" * 60_000
    loaded = load(f'user,date,total\n{ambiguous}a,03/25/2026,"0,5"\n', table="orders")
    assert not loaded.report.questions
    assert loaded.report.rejected_count == 0
    orders = loaded.tables["orders"].slice(0, 1).select(["ts", "revenue"]).to_pylist()
    assert orders == [{"ts": datetime(2026, 3, 4), "revenue": 1034.0}]


def test_the_hour_that_the_clocks_show_twice_is_told(load: Load) -> None:
    text = "user,date,total\na,2026-10-25 02:30,1\n"
    notes = [str(note) for note in load(text, table="orders", timezone="Europe/Madrid").report.notes]
    assert any(note.startswith("Times in the hour in which the clocks change: 1;") for note in notes)
    notes = [str(note) for note in load(text, table="orders").report.notes]
    assert not any("clocks" in note for note in notes)


def test_columns_that_were_not_used_are_named(load: Load) -> None:
    loaded = load("user,date,total,colour\na,2026-01-01,5,red\n", table="orders")
    assert "Columns of the file that were not used: colour." in map(str, loaded.report.notes)


def test_a_preview_shows_the_file_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("user,group,converted\n" + "".join(f"{i},A,{i % 2}\n" for i in range(50)))
    seen = preview(path)
    assert seen.rows.num_rows == 20
    assert seen.columns == ("user", "group", "converted")
    assert seen.proposal is not None
    assert (seen.proposal.grain, seen.delimiter, seen.encoding) == ("unit", ",", "utf-8")


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.csv")), ids=lambda path: path.name)
def test_the_samples_load_without_a_rejected_row(path: Path) -> None:
    loaded = read_tables(path)
    assert loaded.report.rejected_count == 0
    assert loaded.report.rows_read == len(path.read_bytes().splitlines()) - 1
    assert not loaded.report.questions
