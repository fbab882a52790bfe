"""Shopify's export of orders: what the shop sold is what the project holds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.vendors.commerce_files import ask, every_text, names, new_project, orders_each, table_sizes, write
from workbench.tables.vendors import recognise

HEADER = names(
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,"
    "Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,"
    "Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,"
    "Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,Billing Name,"
    "Billing Street,Billing Address1,Billing Address2,Billing Company,Billing City,Billing Zip,"
    "Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,Shipping Address1,"
    "Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,Shipping Country,"
    "Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,"
    "Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,"
    "Lineitem discount,Tax 1 Name,Tax 1 Value,Phone,Receipt Number,Duties,Billing Province Name,"
    "Shipping Province Name,Payment ID,Payment Terms Name,Next Payment Due At,Payment References"
)


@dataclass
class Order:
    """An order of the shop, and whether it counts as one."""

    number: int
    who: str
    items: list[tuple[str, int, float]]
    status: str = "paid"
    refunded: float = 0.0
    cancelled: str = ""
    payment: str = "Shopify Payments"
    cells: dict[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        return self.status != "voided" and not self.cancelled and self.payment != "Bogus Gateway"

    @property
    def total(self) -> float:
        return round(sum(quantity * price for _, quantity, price in self.items) + 4.95, 2)

    def rows(self) -> list[dict[str, Any]]:
        time = f"2026-03-{1 + self.number % 28:02d} 09:50:26 +0100"
        first = {
            "Financial Status": self.status,
            "Accepts Marketing": "yes" if self.number % 2 else "no",
            "Currency": "EUR",
            "Total": f"{self.total:.2f}",
            "Discount Amount": "0.00",
            "Refunded Amount": f"{self.refunded:.2f}",
            "Cancelled at": self.cancelled,
            "Payment Method": self.payment,
            "Id": str(5000000 + self.number),
            "Source": "web",
            "Billing Name": "Begoña Núñez",
            "Billing Address1": "Calle de la Luna 7",
            "Shipping City": "A Coruña",
            "Shipping Country": "ES",
            "Shipping Province Name": "A Coruña",
            **self.cells,
        }
        rows: list[dict[str, Any]] = [
            {
                "Name": f"#{self.number}",
                "Email": self.who,
                "Created at": time,
                "Lineitem quantity": quantity,
                "Lineitem name": name,
                "Lineitem price": f"{price:.2f}",
                "Lineitem sku": "" if name == "Tarjeta, niños" else name[:3].upper(),
                "Vendor": "Tienda",
            }
            for name, quantity, price in self.items
        ]
        rows[0] |= first
        return rows


def shop(numbers: range) -> list[Order]:
    """Orders of a shop; the same number is always the same order."""
    made = []
    for number in numbers:
        chance = Random(number)
        goods = [("Camiseta «Otoño»", 19.9), ("Jersey de lana", 49.0), ("Tarjeta, niños", 5.5)]
        items = [
            (name, chance.randint(1, 3), price) for name, price in chance.sample(goods, chance.randint(1, 3))
        ]
        order = Order(number, f"cliente{chance.randint(1, 9)}@correo.es", items)
        match number % 10:
            case 3:
                order.status, order.refunded = "partially_refunded", 5.0
            case 4:
                order.status, order.refunded = "refunded", order.total
            case 5:
                order.status, order.cancelled = "refunded", "2026-03-30 10:00:00 +0200"
            case 6:
                order.status = "voided"
            case 7:
                order.payment = "Bogus Gateway"
            case 8:
                order.status = "pending"
        made.append(order)
    return made


def each_customer(orders: list[Order]) -> list[tuple[int, float]]:
    """The truth: orders and net revenue of every customer."""
    sold: dict[str, list[float]] = defaultdict(list)
    for order in orders:
        if order.counts:
            sold[order.who].append(order.total - order.refunded)
    return sorted((len(nets), round(sum(nets), 2)) for nets in sold.values())


def rows_of(orders: list[Order]) -> list[dict[str, Any]]:
    return [row for order in reversed(orders) for row in order.rows()]  # newest first, as Shopify writes them


@pytest.mark.requirement("D08")
@pytest.mark.requirement("Y11")
def test_what_customers_bought_is_what_the_file_says(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    orders = shop(range(1001, 1041))
    report = project.load(write(tmp_path / "orders_export.csv", HEADER, rows_of(orders)))
    assert report.rejected_count == 0
    assert orders_each(project) == each_customer(orders)
    kept = [order for order in orders if order.counts]
    lines = ask(
        project, "SELECT count(*) AS n, sum(quantity) AS q, sum(quantity * price) AS s FROM order_items"
    )
    assert lines == [
        (
            sum(len(order.items) for order in kept),
            sum(quantity for order in kept for _, quantity, _ in order.items),
            pytest.approx(sum(quantity * price for order in kept for _, quantity, price in order.items)),
        )
    ]
    assert ask(project, "SELECT min(ts) AS t FROM orders") == [(datetime(2026, 3, 1, 8, 50, 26),)]
    assert ask(project, "SELECT DISTINCT country, city FROM customers") == [("ES", "A Coruña")]
    ticked = sum(order.counts and order.number % 2 for order in orders)
    assert ask(project, "SELECT count(*) AS n, bool_and(granted) AS g FROM consents") == [(ticked, True)]


@pytest.mark.requirement("D08")
def test_a_later_export_adds_what_is_new_and_what_was_refunded_since(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    first, second = shop(range(1001, 1021)), shop(range(1011, 1031))
    path = write(tmp_path / "march.csv", HEADER, rows_of(first))
    project.load(path)
    before = table_sizes(project)
    project.load(path)
    assert table_sizes(project) == before
    again = next(order for order in second if order.number == 1013)
    again.refunded += 10.0
    project.load(write(tmp_path / "april.csv", HEADER, rows_of(second)))
    assert orders_each(project) == each_customer([*first[:10], *second])


def test_guests_are_known_by_their_telephone_or_by_nothing_but_their_order(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    orders = [
        Order(1, "", [("Jersey", 1, 10.0)], cells={"Phone": "'+34600111222"}),
        Order(2, "", [("Jersey", 1, 10.0)], cells={"Phone": "'+34600111222"}),
        Order(3, "", [("Jersey", 1, 10.0)]),
        Order(4, "", [("Jersey", 1, 10.0)]),
        Order(5, "ana@correo.es", [("Jersey", 1, 10.0)]),
        Order(6, " Ana@correo.es ", [("Jersey", 1, 10.0)]),
    ]
    project.load(write(tmp_path / "orders.csv", HEADER, rows_of(orders)))
    assert [n for n, _ in orders_each(project)] == [1, 1, 2, 2]


def test_broken_rows_are_named_and_columns_may_come_and_go(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    orders = shop(range(1001, 1004))
    rows = rows_of(orders)
    late = Order(1009, "luis@correo.es", [("Jersey", 1, 10.0)]).rows()[0] | {"Created at": ""}
    lost = Order(1019, "luis@correo.es", [("Jersey", 1, 10.0)]).rows()[0] | {"Total": "gratis"}
    gone = {"Phone", "Source", "Device ID", "Shipping Province Name", "Payment Terms Name"}
    header = [*(name for name in HEADER if name not in gone), "Gift Note"]
    cells = [{k: v for k, v in row.items() if k in header} for row in [*rows, late, lost]]
    path = write(tmp_path / "orders.csv", header, cells, broken="#1020,sin comillas\n")
    report = project.load(path, vendor="shopify-orders")
    lines = {rejection.line for rejection in report.rejected}
    assert lines == {2 + len(rows), 3 + len(rows), 4 + len(rows)}
    assert orders_each(project) == each_customer(orders)


def test_nobody_is_named(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    project.load(write(tmp_path / "orders.csv", HEADER, rows_of(shop(range(1001, 1006)))))
    text = every_text(project)
    assert not any(word in text for word in ("Begoña", "Luna", "@correo.es"))


def test_it_is_recognised_by_its_columns() -> None:
    vendor = recognise(HEADER)
    assert vendor is not None
    assert vendor.name == "shopify-orders"
