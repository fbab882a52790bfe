"""Files with a row a line of an order: what they add up to, however lines and files are cut and ordered."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import Project
from workbench.errors import WorkbenchError
from workbench.tables.load import Loaded, read_tables
from workbench.tables.merge import merge
from workbench.tables.money import Exchange, settle
from workbench.tables.schema import TABLES, conform

Load = Callable[..., Loaded]
LINES = {
    "order_id": "no",
    "customer_id": "who",
    "ts": "when",
    "sku": "article",
    "quantity": "units",
    "price": "price",
}
HEADER = "no,who,when,article,units,price\n"


class Books:
    """Orders, their lines and refunds, as files are added to them one by one."""

    def __init__(self, *files: Mapping[str, pa.Table]) -> None:
        self.tables: dict[str, pa.Table] = {}
        for tables in files:
            for name, rows in tables.items():
                self.tables[name] = merge(self.tables.get(name), rows, name)
            if {"orders", "refunds"} <= set(self.tables):
                self.tables["orders"] = settle(self.tables["orders"], self.tables["refunds"])

    @property
    def orders(self) -> pd.DataFrame:
        orders = self.tables["orders"].to_pandas()
        return orders.assign(net=orders.revenue - orders.refund.fillna(0.0).astype(float))

    def net(self) -> dict[str, float]:
        return dict(zip(self.orders.order_id, self.orders.net.round(6), strict=True))

    def spent(self) -> dict[str, float]:
        found = self.orders.groupby("customer_id").net.sum().round(6)
        return dict(zip(map(str, found.index), found, strict=True))


def notes(loaded: Loaded) -> list[str]:
    return [str(note) for note in loaded.report.notes]


ONLINE_RETAIL = (
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    "536365,85123A,HEART HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
    "536365,71053,METAL LANTERN,6,12/1/2010 8:26,3.39,17850,United Kingdom\n"
    "536366,22633,HAND WARMER,6,12/1/2010 8:28,1.85,17850,United Kingdom\n"
    "536414,22139,,56,12/13/2010 11:52,0,,United Kingdom\n"
    "536365,84029E,RED BOTTLE,2,12/1/2010 8:26,7,17850,United Kingdom\n"
    "536370,22728,ALARM CLOCK,24,12/1/2010 8:45,3.75,12583,France\n"
    "C536379,71053,METAL LANTERN,-2,12/14/2010 9:41,3.39,17850,United Kingdom\n"
    "C536383,35004C,COLOURED DUCKS,-1,12/14/2010 9:49,4.65,15311,United Kingdom\n"
)


@pytest.mark.requirement("D08")
def test_an_export_of_invoice_lines_becomes_orders_items_and_customers_by_itself(load: Load) -> None:
    loaded = load(ONLINE_RETAIL)
    assert loaded.report.table == "orders"
    orders = loaded.tables["orders"].select(["order_id", "customer_id", "ts", "revenue"]).to_pylist()
    assert [tuple(row.values()) for row in orders] == [
        ("536365", "17850", datetime(2010, 12, 1, 8, 26), pytest.approx(6 * 2.55 + 6 * 3.39 + 2 * 7)),
        ("536366", "17850", datetime(2010, 12, 1, 8, 28), pytest.approx(6 * 1.85)),
        ("536370", "12583", datetime(2010, 12, 1, 8, 45), pytest.approx(24 * 3.75)),
        ("C536379 2010-12-14", "17850", datetime(2010, 12, 14, 9, 41), pytest.approx(-2 * 3.39)),
        ("C536383 2010-12-14", "15311", datetime(2010, 12, 14, 9, 49), pytest.approx(-4.65)),
    ]
    assert [
        (row["order_id"], row["sku"], row["quantity"]) for row in loaded.tables["order_items"].to_pylist()
    ][:4] == [
        ("536365", "85123A", 6),
        ("536365", "71053", 6),
        ("536366", "22633", 6),
        ("536365", "84029E", 2),
    ]
    customers = loaded.tables["customers"].select(["customer_id", "country"]).to_pylist()
    assert {row["customer_id"]: row["country"] for row in customers} == {
        "17850": "GB",
        "12583": "FR",
        "15311": "GB",
    }
    assert [(one.line, one.column, one.reason) for one in loaded.report.rejected] == [
        (5, "CustomerID", "no customer")
    ]
    assert (loaded.report.rows_read, loaded.report.rows_kept) == (8, 7)


@pytest.mark.requirement("D08")
def test_a_credit_note_lowers_the_order_it_was_given_for_or_else_only_its_customer(load: Load) -> None:
    loaded = load(ONLINE_RETAIL)
    books = Books(loaded.tables)
    net = books.net()
    assert net["536365"] == pytest.approx(49.64 - 6.78)
    assert net["C536379 2010-12-14"] == 0
    assert net["C536383 2010-12-14"] == pytest.approx(-4.65)
    assert books.spent()["15311"] == pytest.approx(-4.65)
    assert any(note.startswith("Lines of money given back: 2; for 1 of them") for note in notes(loaded))


def credit_of(load: Load, rows: str) -> dict[str, float]:
    return Books(load(HEADER + rows, mapping=LINES).tables).net()


@pytest.mark.parametrize(
    ("rows", "net"),
    [
        # the newest before, not the newest of all, nor another customer's, nor one without the article
        (
            "1,a,2026-01-01,x,1,5\n2,a,2026-01-02,x,1,5\n3,a,2026-01-03,y,1,5\n4,b,2026-01-03,x,1,5\n"
            "5,a,2026-01-09,x,1,5\nC1,a,2026-01-04,x,-1,5\n",
            {"1": 5, "2": 0, "3": 5, "4": 5, "5": 5, "C1 2026-01-04": 0},
        ),
        # no more than were bought: what is over goes to the order before, and then to none
        (
            "1,a,2026-01-01,x,2,5\n2,a,2026-01-02,x,1,5\nC1,a,2026-01-04,x,-5,5\n",
            {"1": 0, "2": 0, "C1 2026-01-04": -10},
        ),
        # what was given back once cannot be given back again
        (
            "1,a,2026-01-01,x,1,5\n2,a,2026-01-02,x,1,5\nC1,a,2026-01-04,x,-1,5\nC2,a,2026-01-05,x,-1,5\n",
            {"1": 0, "2": 0, "C1 2026-01-04": 0, "C2 2026-01-05": 0},
        ),
        # lines under the number of an order belong to it, whatever their article
        (
            "1,a,2026-01-01,x,2,5\n2,a,2026-01-02,x,1,5\n1,a,2026-01-04,x,-1,5\n1,a,2026-01-04,y,-1,1\n",
            {"1": 4, "2": 5, "1 2026-01-04": 0},
        ),
        # one credit note for articles of several orders
        (
            "1,a,2026-01-01,x,1,5\n2,a,2026-01-02,y,1,7\nC,a,2026-01-04,x,-1,5\nC,a,2026-01-04,y,-1,6\n",
            {"1": 0, "2": 1, "C 2026-01-04": 0},
        ),
        # a discount is a part of its order
        ("1,a,2026-01-01,x,2,5\n1,a,2026-01-01,voucher,1,-3\n", {"1": 7}),
    ],
)
@pytest.mark.requirement("D08")
def test_what_is_given_back_finds_its_order(load: Load, rows: str, net: dict[str, float]) -> None:
    assert credit_of(load, rows) == net


# --- against another method --------------------------------------------------------------------------------


def shop(seed: int, invoices: int = 40) -> pd.DataFrame:
    """Lines of random invoices and credit notes, in the order of time."""
    chance = random.Random(seed)
    rows = []
    for number in range(invoices):
        back = chance.random() < 0.25
        who, day = f"c{chance.randrange(6)}", f"2026-{1 + number // 20:02d}-{1 + number % 20:02d}"
        for _ in range(chance.randint(1, 4)):
            units = chance.randint(1, 5) * (-1 if back else 1)
            rows.append(
                (
                    f"{'C' if back else ''}{number}",
                    who,
                    day,
                    f"s{chance.randrange(5)}",
                    units,
                    chance.randint(1, 900) / 100,
                )
            )
    return pd.DataFrame(rows, columns=HEADER.strip().split(","))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines")


def loaded_from(folder: Path, lines: pd.DataFrame) -> dict[str, pa.Table]:
    path = folder / "lines.csv"
    lines.to_csv(path, index=False)
    return dict(read_tables(path, mapping=LINES).tables)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=6, deadline=None)
@pytest.mark.requirement("D08")
def test_orders_and_customers_add_up_to_what_pandas_finds_in_lines_in_any_order(
    seed: int, folder: Path
) -> None:
    lines = shop(seed).sample(frac=1, random_state=seed)
    worth = lines.units * lines.price
    books = Books(loaded_from(folder, lines))
    orders = books.orders[books.orders.revenue >= 0]
    bought = lines[lines.units > 0]
    expected = (bought.units * bought.price).groupby(bought.no).sum()
    assert orders.set_index("order_id").revenue.to_dict() == pytest.approx(expected.to_dict())
    assert (
        orders.set_index("order_id").ts.dt.strftime("%Y-%m-%d").to_dict()
        == bought.groupby("no").when.min().to_dict()
    )
    assert books.spent() == pytest.approx(worth.groupby(lines.who).sum().to_dict(), abs=1e-6)
    assert len(books.tables["order_items"]) == len(lines)
    given_back = (
        books.tables["refunds"].to_pandas() if "refunds" in books.tables else pd.DataFrame({"amount": []})
    )
    assert given_back.amount.sum() == pytest.approx(0, abs=1e-9)


@given(
    seed=st.integers(0, 10_000),
    cuts=st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), min_size=2, max_size=4),
)
@settings(max_examples=6, deadline=None)
@pytest.mark.requirement("D20")
def test_files_that_overlap_add_what_is_new_and_no_money_twice(
    seed: int, cuts: Sequence[tuple[int, int]], folder: Path
) -> None:
    """A credit may find its order in one file and not in another; its customer's money is the same."""
    lines = shop(seed)
    number = lines.no.str.lstrip("C").astype(int)
    parts = [lines[number.between(min(cut), max(cut))] for cut in cuts]
    union = pd.concat(parts).loc[lambda rows: ~rows.index.duplicated()]
    files = [loaded_from(folder, part) for part in parts]
    books = Books(*files, *files)
    expected = (union.units * union.price).groupby(union.who).sum().to_dict()
    assert books.spent() == pytest.approx(expected, abs=1e-6)
    assert len(books.tables["order_items"]) == len(union)


def test_months_in_any_order_hold_the_same_money(load: Load) -> None:
    january = "1,a,2026-01-01,x,3,5\n"
    february = "2,a,2026-02-01,x,1,5\nC9,a,2026-02-09,x,-3,5\n"
    files = [load(HEADER + rows, mapping=LINES).tables for rows in (january, february, january + february)]
    for some in permutations(files):
        assert Books(*some).spent() == {"a": 5.0}


# --- whose line it is --------------------------------------------------------------------------------------


def test_lines_go_on_with_the_order_above_them_where_only_its_first_says_what_it_is(load: Load) -> None:
    rows = "1,a,2026-01-01,x,1,5\n,,,y,2,1\n2,b,2026-01-02,x,1,5\n,,,z,1,3\n"
    assert credit_of(load, rows) == {"1": 7, "2": 8}


def test_a_line_below_one_that_was_left_out_belongs_to_nobody(load: Load) -> None:
    """Else a line would be counted for the wrong customer."""
    rows = "1,a,2026-01-01,x,1,5\n2,b,some day,x,1,5\n,,,y,1,100\n,,,z,1,100\n3,a,2026-01-03,x,1,2\n"
    loaded = load(HEADER + rows, mapping=LINES, date_order="dmy")
    assert [(one.line, one.reason) for one in loaded.report.rejected] == [
        (3, "not a date"),
        (4, "no customer"),
        (5, "no customer"),
    ]
    assert Books(loaded.tables).spent() == {"a": 7}


def test_a_number_names_the_customer_of_all_its_lines_and_of_one_only(load: Load) -> None:
    rows = "1,a,2026-01-01,x,1,5\n1,,,y,1,2\n1,b,2026-01-01,z,1,9\n"
    loaded = load(HEADER + rows, mapping=LINES)
    assert Books(loaded.tables).spent() == {"a": 7}
    assert [(one.line, one.column, one.reason) for one in loaded.report.rejected] == [
        (4, "no", "an order number that another customer has")
    ]


def test_without_a_number_an_order_is_what_one_customer_buys_at_one_moment(load: Load) -> None:
    rows = (
        "a,2026-01-01,x,1,5\na,2026-01-01,y,1,2\nb,2026-01-01,x,1,5\n"
        "a,2026-01-02,x,1,5\na,2026-01-03,x,-1,5\n"
    )
    mapping = {name: column for name, column in LINES.items() if name != "order_id"}
    tables = load(HEADER.removeprefix("no,") + rows, mapping=mapping).tables
    books = Books(tables, tables)
    assert sorted(books.orders.revenue) == [-5, 5, 5, 7]
    assert books.spent() == {"a": 7, "b": 5}
    assert sorted(books.orders.net) == [0, 0, 5, 7]


def test_a_file_without_any_customer_makes_no_order(load: Load) -> None:
    loaded = load(HEADER + "1,,2026-01-01,x,1,5\n,,,y,1,5\n", mapping=LINES)
    assert loaded.tables["orders"].num_rows == 0
    assert (loaded.report.rows_read, loaded.report.rows_kept) == (2, 0)


# --- money -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "revenue"),
    [
        ("1,a,2026-01-01,x,2,5,12.1\n1,a,2026-01-01,y,1,3,3.63\n2,b,2026-01-02,x,1,5,6.05\n", [15.73, 6.05]),
        (
            "1,a,2026-01-01,x,2,5,15.73\n1,a,2026-01-01,y,1,3,15.73\n2,b,2026-01-02,x,1,5,6.05\n",
            [15.73, 6.05],
        ),
        ("1,a,2026-01-01,x,2,5,15.73\n1,a,2026-01-01,y,1,3,\n2,b,2026-01-02,x,1,5,6.05\n", [15.73, 6.05]),
        # two lines that happen to cost the same are no total
        ("1,a,2026-01-01,x,2,5,12.1\n1,a,2026-01-01,y,1,10,12.1\n2,b,2026-01-02,x,1,5,6.05\n", [24.2, 6.05]),
    ],
    ids=["of the line", "of the order on each line", "of the order on its first line", "equal lines"],
)
def test_whether_an_amount_is_of_the_line_or_of_the_order_is_seen_from_the_lines(
    load: Load, rows: str, revenue: list[float]
) -> None:
    loaded = load("invoice,customer,date,product,units,unit price,total\n" + rows)
    assert loaded.tables["orders"]["revenue"].to_pylist() == pytest.approx(revenue)


def test_a_line_without_article_or_quantity_still_counts_and_one_without_price_brings_nothing(
    load: Load,
) -> None:
    loaded = load(HEADER + "1,a,2026-01-01,x,2,5\n1,a,2026-01-01,,,4\n1,a,2026-01-01,z,1,\n", mapping=LINES)
    assert loaded.tables["orders"]["revenue"].to_pylist() == [14]
    assert loaded.tables["order_items"]["sku"].to_pylist() == ["x", "z"]
    assert "Lines without an article: 1; their money counts with the order." in notes(loaded)
    assert "Lines without a price: 1; they bring nothing." in notes(loaded)


def test_lines_in_other_money_are_turned_into_the_projects(load: Load) -> None:
    rates = conform(
        pa.table({"date": [datetime(2026, 1, 1)], "currency": ["USD"], "rate": [0.5]}), TABLES["rates"]
    )
    rows = (
        "1,a,2026-01-01,x,2,5,USD\n2,a,2026-01-01,x,1,5,EUR\n"
        "C,a,2026-01-05,x,-1,5,USD\n3,a,2026-01-01,x,1,5,GBP\n"
    )
    loaded = load(
        HEADER.strip() + ",money\n" + rows,
        mapping={**LINES, "currency": "money"},
        exchange=Exchange("EUR", rates),
    )
    assert loaded.tables["orders"]["revenue"].to_pylist() == [5, 5, -2.5]
    assert loaded.tables["order_items"]["price"].to_pylist() == [2.5, 5, 2.5]
    assert sorted(loaded.tables["refunds"]["amount"].to_pylist()) == [-2.5, 2.5]
    assert [(one.line, one.reason) for one in loaded.report.rejected] == [
        (5, "no exchange rate for this currency on this day")
    ]


# --- what else is said ------------------------------------------------------------------------------------


def test_the_newest_order_says_where_a_customer_is(load: Load) -> None:
    text = (
        "no,who,when,total,land,town\n"
        "1,a,2026-02-01,5,Spain,Vigo\n2,a,2026-01-01,5,France,Lyon\n3,b,2026-01-01,5,,Faro\n"
    )
    mapping: dict[str, Any] = {
        "order_id": "no",
        "customer_id": "who",
        "ts": "when",
        "revenue": "total",
        "country": "land",
        "city": "town",
    }
    tables = load(text, mapping=mapping).tables
    assert tables["customers"].select(["customer_id", "country", "city"]).to_pylist() == [
        {"customer_id": "a", "country": "ES", "city": "Vigo"},
        {"customer_id": "b", "country": None, "city": "Faro"},
    ]
    assert tables["orders"].column_names == list(TABLES["orders"].names)


def test_a_mapping_of_lines_is_known_without_naming_the_table_and_checked(load: Load) -> None:
    assert load(HEADER + "1,a,2026-01-01,x,1,5\n", mapping=LINES).report.table == "orders"
    items = {name: column for name, column in LINES.items() if name not in ("customer_id", "ts")}
    assert load(HEADER + "1,a,2026-01-01,x,1,5\n", mapping=items).report.table == "order_items"
    with pytest.raises(WorkbenchError, match="There is no column “units” in the table orders"):
        load(HEADER + "1,a,2026-01-01,x,1,5\n", table="orders", mapping={**LINES, "units": "units"})
    with pytest.raises(WorkbenchError, match="The table orders needs sku"):
        load(
            HEADER + "1,a,2026-01-01,x,1,5\n",
            table="orders",
            mapping={name: column for name, column in LINES.items() if name != "sku"},
        )


@pytest.mark.requirement("D08")
def test_a_file_of_lines_comes_into_a_project_once(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop")
    path = tmp_path / "retail.csv"
    path.write_text(ONLINE_RETAIL)
    first = project.load(path)
    assert first.added == {"orders": 5, "order_items": 7, "refunds": 2, "customers": 3}
    money = (
        "SELECT sum(revenue) AS revenue, sum(revenue - coalesce(refund, 0)) AS net, count(*) AS n FROM orders"
    )
    before = project.engine.query(money).to_pylist()
    assert before[0]["revenue"] == pytest.approx(before[0]["net"])
    assert set(project.load(path).added.values()) == {0}
    assert project.engine.query(money).to_pylist() == before
    part = tmp_path / "part.csv"
    part.write_text("\n".join([ONLINE_RETAIL.split("\n")[0], *ONLINE_RETAIL.split("\n")[7:]]))
    assert set(project.load(part).added.values()) == {0}
    assert project.engine.query(money).to_pylist() == before
