"""What a person can do wrong with a file: each is one sentence, or a row that is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workbench.errors import DataError, WorkbenchError
from workbench.tables.load import Loaded

Load = Callable[..., Loaded]
ORDERS = {"order_id": "id", "customer_id": "who", "ts": "when", "revenue": "total"}


def faults(loaded: Loaded) -> list[tuple[int, str | None, str, str]]:
    return [(one.line, one.column, one.reason, one.text) for one in loaded.report.rejected]


@pytest.mark.requirement("D01")
def test_text_in_a_number_column_is_named_by_line_and_column(load: Load) -> None:
    loaded = load("user,date,total\na,2026-01-01,5\nb,2026-01-02,mucho\nc,mañana,7\n", table="orders")
    assert faults(loaded) == [
        (3, "total", "not a number", "b,2026-01-02,mucho"),
        (4, "date", "not a date", "c,mañana,7"),
    ]
    assert loaded.tables["orders"]["customer_id"].to_pylist() == ["a"]


@pytest.mark.requirement("D01")
def test_late_faults_do_not_change_how_early_rows_are_read(load: Load) -> None:
    rows = "".join(f"{i},c{i % 7},2026-01-01,{i}.5\n" for i in range(30_000))
    loaded = load(f'id,who,when,total\n{rows}30000,c1,2026-01-01,"12,50"\nx,1.0,2026-01-01\n', mapping=ORDERS)
    assert loaded.report.rows_read == 30_002
    assert faults(loaded) == [
        (30_002, "total", "not a number", '30000,c1,2026-01-01,"12,50"'),
        (30_003, None, "too few columns", "x,1.0,2026-01-01"),
    ]
    assert sum(loaded.tables["orders"]["revenue"].to_pylist()) == sum(i + 0.5 for i in range(30_000))


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        ("", {}, "data.csv is empty."),
        ("who,when\n", {}, "data.csv has column names but no rows."),
        (
            "a,b\n1,2\n",
            {},
            "It is not clear what data.csv holds; say which table it is, and what its columns are: a, b.",
        ),
        (
            "who,total\n1,2\n",
            {"table": "orders"},
            "The table orders needs customer_id, ts, and no column of data.csv was named for it;",
        ),
        (
            "who,total\n1,2\n",
            {"table": "orders", "mapping": {"customer_id": "user", "ts": "total"}},
            "There is no column “user” in data.csv; its columns are: who, total.",
        ),
        (
            "who,total\n1,2\n",
            {"table": "orders", "mapping": {"customer_id": "who", "ts": "total", "colour": "who"}},
            "There is no column “colour” in the table orders; its columns are: order_id, customer_id,",
        ),
        (
            "who,arm\n1,2\n",
            {"grain": "unit", "mapping": {"customer_id": "who", "outcomes": {"y": "arm"}}},
            "The table exposures needs variant, and no column of data.csv was named for it;",
        ),
        (
            "arm,n\nA,2\n",
            {"grain": "summary", "mapping": {"variant": "arm", "n": "n", "metric": "y"}},
            "A summary needs beside n either successes, or sum and sum_of_squares,",
        ),
        ("who,when\n1,2\n", {"table": "clients"}, "There is no table “clients”; choose one of: customers,"),
        (
            "who,when\n1,2\n",
            {"grain": "row"},
            "There is no grain “row”; choose one of: event, unit, summary.",
        ),
        (
            "who,when\n1,2026-01-01\n",
            {"table": "orders", "mapping": {"customer_id": "who", "ts": "when"}, "timezone": "Madrid"},
            "There is no time zone “Madrid”; use a name such as Europe/Madrid or UTC.",
        ),
        (
            "who,when\n1,2026-01-01\n",
            {"table": "orders", "mapping": {"customer_id": "who", "ts": "when"}, "date_order": "ymd"},
            "There is no date order “ymd”; choose one of: dmy, mdy.",
        ),
        (
            "who,when\n1,2026-01-01\n",
            {"table": "orders", "mapping": {"customer_id": "who", "ts": "when", "attributes": ["who"]}},
            "There is no column “who” in the table orders; its columns are: order_id,",
        ),
        (
            "who,Ts\n1,2\n",
            {"table": "customers", "mapping": {"customer_id": "who", "attributes": {"Country": "Ts"}}},
            "The attribute “Country” has the name of another column; give it another name.",
        ),
    ],
)
@pytest.mark.requirement("D01")
def test_a_mistake_is_one_sentence_that_says_what_and_where(
    load: Load, text: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(WorkbenchError) as refused:
        load(text, **options)
    assert str(refused.value).startswith(sentence)
    assert isinstance(refused.value, DataError) or sentence.startswith("There is no")


@pytest.mark.requirement("D01")
def test_windows_letters_are_read_and_told(load: Load) -> None:
    loaded = load(
        "usuario;grupo;convertido;gasto;ciudad\n1;A;sí;10,5 €;Ávila\n2;B;no;0;Cádiz\n".encode("cp1252")
    )
    assert loaded.tables["customers"]["city"].to_pylist() == ["Ávila", "Cádiz"]
    assert loaded.report.encoding == "cp1252"
    assert "data.csv is not written in UTF-8; it was read as Windows-1252." in map(str, loaded.report.notes)
