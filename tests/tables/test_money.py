"""Money of several currencies and money given back: amounts add up whatever the order of the files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from babel import Locale
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.tables.convert import Converter
from workbench.tables.grains import LINE, Shaped, shape
from workbench.tables.load import Loaded
from workbench.tables.merge import merge
from workbench.tables.money import Exchange, currency_code, settle
from workbench.tables.plan import plan
from workbench.tables.schema import TABLES, conform, standard
from workbench.tables.sources import open_source

Load = Callable[..., Loaded]
ORDERS = {"order_id": "id", "customer_id": "who", "ts": "when", "revenue": "total"}


@pytest.fixture
def shaped(tmp_path: Path) -> Callable[..., Shaped]:
    """The tables of a file, with a project's money."""

    def read(
        text: str, mapping: dict[str, Any], table: str = "orders", exchange: Exchange | None = None
    ) -> Shaped:
        path = tmp_path / "data.csv"
        path.write_text(text)
        source = open_source(path)
        what = plan(source, mapping, grain="event", table=standard(table))
        converter = Converter(what.fields, timezone="UTC", date_order="dmy", decimal=".")
        blocks = [
            converter(batch.rows).values.append_column(LINE, pa.array(batch.lines))
            for batch in source.batches(list(what.columns.values()))
        ]
        return shape(pa.concat_tables(blocks), what, ".", exchange=exchange)

    return read


def rates(*quoted: tuple[str, str, float]) -> pa.Table:
    columns = {
        "date": [datetime.fromisoformat(day) for day, _, _ in quoted],
        "currency": [currency for _, currency, _ in quoted],
        "rate": [rate for _, _, rate in quoted],
    }
    return conform(pa.table(columns), TABLES["rates"])


def left_out(found: Shaped) -> list[tuple[list[int], str]]:
    return [(one.lines.tolist(), str(one.reason)) for one in found.left_out]


# --- refunds -----------------------------------------------------------------------------------------------

SALES = "id,who,when,total\n1,a,2026-01-01,50\n2,b,2026-01-02,20\n"
BACK = "id,who,when,total\n1,a,2026-01-09,-15\n"
MORE = "id,who,when,total\n1,a,2026-02-10,-5\n2,b,2026-02-11,-20\n"


class Books:
    """The tables orders and refunds, as files are added to them one by one."""

    def __init__(self) -> None:
        self.orders: pa.Table | None = None
        self.refunds: pa.Table | None = None

    def add(self, tables: dict[str, pa.Table]) -> None:
        if "orders" in tables:
            self.orders = merge(self.orders, tables["orders"], "orders")
        if "refunds" in tables:
            self.refunds = merge(self.refunds, tables["refunds"], "refunds")
        if self.orders is not None and self.refunds is not None:
            self.orders = settle(self.orders, self.refunds)

    def given_back(self) -> dict[str, tuple[float | None, float | None]]:
        assert self.orders is not None
        return {row["order_id"]: (row["revenue"], row["refund"]) for row in self.orders.to_pylist()}


@pytest.mark.requirement("D08")
def test_a_negative_row_is_a_refund_of_the_order_whose_number_it_bears(load: Load) -> None:
    loaded = load(SALES + BACK.split("\n")[1] + "\n", mapping=ORDERS)
    assert loaded.tables["orders"].select(["order_id", "revenue", "refund"]).to_pylist() == [
        {"order_id": "1", "revenue": 50.0, "refund": None},
        {"order_id": "2", "revenue": 20.0, "refund": None},
    ]
    refunds = loaded.tables["refunds"].select(["order_id", "ts", "amount"]).to_pylist()
    assert refunds == [{"order_id": "1", "ts": datetime(2026, 1, 9), "amount": 15.0}]
    assert loaded.report.rows_kept == 3


@pytest.mark.requirement("D08")
def test_refunds_find_their_orders_in_whatever_order_files_come(load: Load) -> None:
    files = [load(text, mapping=ORDERS).tables for text in (SALES, BACK, MORE, BACK)]
    for some in permutations(files):
        books = Books()
        for tables in some:
            books.add(tables)
        assert books.given_back() == {"1": (50.0, 20.0), "2": (20.0, 20.0)}


@pytest.mark.requirement("D08")
def test_a_file_of_refunds_by_itself_is_understood(load: Load) -> None:
    books = Books()
    loaded = load("Nº devolución;Nº pedido;Fecha devolución;Importe devuelto\nD1;1;20/01/2026;12,50\n")
    assert loaded.report.table == "refunds"
    books.add(load(SALES, mapping=ORDERS).tables)
    books.add(loaded.tables)
    assert books.given_back()["1"] == (50.0, 12.5)
    minus = load("refund id,order id,refund date,amount\nR1,1,2026-01-20,-12.5\nR2,1,2026-01-20,-1\n")
    assert minus.tables["refunds"]["amount"].to_pylist() == [12.5, 1.0]


@pytest.mark.requirement("D08")
def test_what_an_order_says_was_given_back_is_not_added_to_its_refunds(load: Load) -> None:
    books = Books()
    cumulative = {**ORDERS, "refund": "back"}
    books.add(load("id,who,when,total,back\n1,a,2026-01-01,50,10\n", mapping=cumulative).tables)
    assert books.given_back() == {"1": (50.0, 10.0)}
    books.add(load(BACK, mapping=ORDERS).tables)
    assert books.given_back() == {"1": (50.0, 15.0)}
    books.add(load("id,who,when,total,back\n1,a,2026-01-01,50,40\n", mapping=cumulative).tables)
    assert books.given_back() == {"1": (50.0, 40.0)}


def test_a_negative_row_without_a_number_stays_and_is_told(load: Load) -> None:
    loaded = load("user,date,total\na,2026-01-01,5\na,2026-01-02,-5\n", table="orders")
    assert sum(loaded.tables["orders"]["revenue"].to_pylist()) == 0
    assert "Rows of negative revenue without an order number, left as they are: 1." in map(
        str, loaded.report.notes
    )


amounts = st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.01, 1e6)), max_size=8)


@given(amounts, st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=3, max_size=3))
@settings(max_examples=30, deadline=None)
def test_settling_twice_changes_nothing_and_more_refunds_never_make_less(
    back: list[tuple[str, float]], said: list[float | None]
) -> None:
    orders = conform(
        pa.table(
            {
                "order_id": ["a", "b", "c"],
                "customer_id": ["x"] * 3,
                "ts": [datetime(2026, 1, 1)] * 3,
                "refund": pa.array(said, pa.float64()),
            }
        ),
        TABLES["orders"],
    )
    columns = {"order_id": [one for one, _ in back], "amount": [amount for _, amount in back]}
    refunds = conform(
        pa.table(
            {
                name: pa.array(cells, kind)
                for (name, cells), kind in zip(columns.items(), (pa.string(), pa.float64()), strict=True)
            }
        ),
        TABLES["refunds"],
    )
    once = settle(orders, refunds)
    assert settle(once, refunds).equals(once)
    fewer = settle(orders, refunds.slice(1))["refund"].to_pylist()
    for before, after, own in zip(fewer, once["refund"].to_pylist(), said, strict=True):
        assert (after or 0) >= max(before or 0, own or 0)


# --- currencies --------------------------------------------------------------------------------------------

FOREIGN = (
    "id,who,when,total,back,money\n1,a,2026-01-02 10:00,100,10,USD\n2,b,2026-01-03 23:30,100,,usd\n"
    "3,c,2026-01-05 10:00,100,,EUR\n4,d,2026-01-05 10:00,100,,\n5,e,2026-01-05 10:00,100,,GBP\n"
    "6,f,2026-01-05 10:00,100,,doubloon\n7,g,2025-12-31 10:00,100,,USD\n8,h,2026-01-05,100,,$\n"
)
IN_MONEY = {**ORDERS, "refund": "back", "currency": "money"}
KNOWN = rates(("2026-01-04", "USD", 0.8), ("2026-01-01", "USD", 0.9))


@pytest.mark.requirement("D08")
def test_amounts_are_converted_with_the_newest_rate_before_the_day_on_the_shops_clock(
    shaped: Callable[..., Shaped],
) -> None:
    found = shaped(FOREIGN, IN_MONEY, exchange=Exchange("EUR", KNOWN, "Europe/Madrid"))
    rows = found.tables["orders"].select(["order_id", "revenue", "refund", "currency"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("1", 100 * 0.9, 10 * 0.9, "USD"),
        ("2", 100 * 0.8, None, "USD"),  # 23:30 UTC on the 3rd is the 4th in Madrid
        ("3", 100.0, None, "EUR"),
        ("4", 100.0, None, None),
    ]
    assert left_out(found) == [
        ([7, 9], "not a known currency"),
        ([6, 8], "no exchange rate for this currency on this day"),
    ]
    assert "Amounts in USD that were turned into EUR: 2; age in days of the oldest rate: 1." in map(
        str, found.notes
    )


@pytest.mark.requirement("D08")
def test_rows_that_wait_for_a_rate_come_in_once_when_it_is_there(shaped: Callable[..., Shaped]) -> None:
    text = "who,when,total,money\na,2026-01-02,10,USD\na,2026-01-02,10,EUR\na,2026-01-02,10,USD\n"
    mapping = {"customer_id": "who", "ts": "when", "revenue": "total", "currency": "money"}
    stored = None
    for known in (None, KNOWN, KNOWN, rates(("2026-01-01", "USD", 0.5))):
        found = shaped(text, mapping, exchange=Exchange("EUR", known))
        stored = merge(stored, found.tables["orders"], "orders")
    assert sorted(stored["revenue"].to_pylist()) == [9.0, 9.0, 10.0]


def test_refunds_and_costs_are_converted_too(shaped: Callable[..., Shaped]) -> None:
    exchange = Exchange("EUR", KNOWN)
    mixed = shaped(
        "id,who,when,total,money\n1,a,2026-01-02,100,USD\n1,a,2026-01-06,-50,USD\n",
        {**ORDERS, "currency": "money"},
        exchange=exchange,
    )
    assert mixed.tables["orders"]["revenue"].to_pylist() == [90.0]
    assert mixed.tables["refunds"]["amount"].to_pylist() == [40.0]
    spend = shaped(
        "day,channel,cost\n2026-01-04,ads,10\n",
        {"date": "day", "channel": "channel", "cost": "cost", "currency": "USD"},
        "spend",
        exchange,
    )
    assert spend.tables["spend"].select(["cost", "currency"]).to_pylist() == [
        {"cost": 8.0, "currency": "USD"}
    ]
    undated = shaped(
        "order,amount,money\n1,5,USD\n1,5,EUR\n",
        {"order_id": "order", "amount": "amount", "currency": "money"},
        "refunds",
        exchange,
    )
    assert left_out(undated) == [([2], "no date")]


def test_without_the_projects_money_amounts_stay_as_they_are(shaped: Callable[..., Shaped]) -> None:
    found = shaped(FOREIGN, IN_MONEY)
    assert set(found.tables["orders"]["revenue"].to_pylist()) == {100.0}
    assert not found.left_out


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("EUR", "EUR"),
        (" eur ", "EUR"),
        ("€", "EUR"),
        ("Euros", "EUR"),
        ("£", "GBP"),
        ("libras esterlinas", "GBP"),
        ("US dollars", "USD"),
        ("dólar estadounidense", "USD"),
        ("peso mexicano", "MXN"),
        ("US$", "USD"),
        ("$", None),
        ("pesos", None),
        ("E", None),
    ],
)
def test_currencies_are_known_by_code_sign_and_name(text: str, code: str | None) -> None:
    assert currency_code(text) == code


def test_every_currency_is_known_by_its_own_names() -> None:
    for language in ("en", "es"):
        for code, name in Locale.parse(language).currencies.items():
            assert currency_code(code) == code
            assert currency_code(name) in (code, None)


def test_a_dollar_sign_is_the_projects_own_only(shaped: Callable[..., Shaped]) -> None:
    found = shaped(
        "id,who,when,total,m\n1,a,2026-01-02,7,$\n", {**ORDERS, "currency": "m"}, exchange=Exchange("MXN")
    )
    assert found.tables["orders"].select(["revenue", "currency"]).to_pylist() == [
        {"revenue": 7.0, "currency": "MXN"}
    ]


# --- rates -------------------------------------------------------------------------------------------------

ECB = "Date,USD,JPY,GBP,CYP,\n2026-01-15,1.10,160.00,0.88,N/A,\n2026-01-14,1.25,N/A,0.80,N/A,\n"


def worth(table: pa.Table) -> dict[tuple[date, str], float]:
    return {(row["date"].date(), row["currency"]): row["rate"] for row in table.to_pylist()}


@pytest.mark.requirement("D08")
def test_the_central_banks_file_is_turned_round(load: Load) -> None:
    loaded = load(ECB, "eurofxref-hist.csv")
    assert loaded.report.table == "rates"
    assert worth(loaded.tables["rates"]) == pytest.approx(
        {
            (date(2026, 1, 15), "USD"): 1 / 1.10,
            (date(2026, 1, 15), "JPY"): 1 / 160,
            (date(2026, 1, 15), "GBP"): 1 / 0.88,
            (date(2026, 1, 14), "USD"): 0.8,
            (date(2026, 1, 14), "GBP"): 1.25,
        }
    )
    assert loaded.report.rejected_count == 0


def test_quotes_for_a_euro_give_the_worth_in_pounds_as_well(shaped: Callable[..., Shaped]) -> None:
    mapping = {"date": "Date", "items": ["USD", "JPY", "GBP", "CYP"], "inverse": "EUR"}
    found = worth(shaped(ECB, mapping, "rates", Exchange("GBP")).tables["rates"])
    assert found == pytest.approx(
        {
            (date(2026, 1, 15), "EUR"): 0.88,
            (date(2026, 1, 15), "USD"): 0.88 / 1.10,
            (date(2026, 1, 15), "JPY"): 0.88 / 160,
            (date(2026, 1, 14), "EUR"): 0.80,
            (date(2026, 1, 14), "USD"): 0.80 / 1.25,
        }
    )
    with pytest.raises(DataError, match="none of them is for MXN"):
        shaped(ECB, mapping, "rates", Exchange("MXN"))


def test_rates_one_by_one_keep_their_sense_and_faulty_ones_are_named(shaped: Callable[..., Shaped]) -> None:
    text = "d,c,r\n2026-01-01,usd,0.9\n2026-01-01,£,1.2\n2026-01-01,xyz,2\n2026-01-01,JPY,0\n"
    mapping = {"date": "d", "currency": "c", "rate": "r"}
    found = shaped(text, mapping, "rates", Exchange("EUR"))
    day = date(2026, 1, 1)
    assert worth(found.tables["rates"]) == {(day, "USD"): 0.9, (day, "GBP"): 1.2}
    assert left_out(found) == [([4], "not a known currency"), ([5], "a rate that is not above zero")]
    turned = shaped(text, {**mapping, "inverse": True}, "rates", Exchange("EUR"))
    assert worth(turned.tables["rates"])[day, "USD"] == pytest.approx(1 / 0.9)


def test_converting_there_and_back_gives_the_same_money(shaped: Callable[..., Shaped]) -> None:
    mapping = {"date": "Date", "items": ["USD", "JPY", "GBP", "CYP"], "inverse": "EUR"}
    text = "id,who,when,total,money\n1,a,2026-01-15,123.45,{money}\n"
    in_money = {**ORDERS, "currency": "money"}
    in_pounds = shaped(ECB, mapping, "rates", Exchange("GBP")).tables["rates"]
    in_dollars = shaped(ECB, mapping, "rates", Exchange("USD")).tables["rates"]
    pounds = shaped(text.format(money="USD"), in_money, exchange=Exchange("GBP", in_pounds))
    amount = pounds.tables["orders"]["revenue"][0].as_py()
    back = shaped(
        text.replace("123.45", repr(amount)).format(money="GBP"),
        in_money,
        exchange=Exchange("USD", in_dollars),
    )
    assert back.tables["orders"]["revenue"][0].as_py() == pytest.approx(123.45)
