"""WooCommerce and WordPress: orders with their lines, the report of orders, and users."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.vendors.commerce_files import ask, every_text, names, new_project, orders_each, table_sizes, write
from workbench.tables.vendors import recognise

HEADER = names(
    "order_id,order_number,order_date,paid_date,status,shipping_total,shipping_tax_total,fee_total,fee_tax_total,"
    "tax_total,cart_discount,order_discount,discount_total,order_total,order_subtotal,order_currency,payment_method,"
    "payment_method_title,transaction_id,customer_ip_address,customer_user_agent,shipping_method,customer_id,"
    "customer_user,customer_email,billing_first_name,billing_last_name,billing_company,billing_email,billing_phone,"
    "billing_address_1,billing_address_2,billing_postcode,billing_city,billing_state,billing_country,customer_note,"
    "wt_import_key,shipping_items,fee_items,tax_items,coupon_items,refund_items,order_notes,"
    "download_permissions,meta:wpml_language,line_item_1,line_item_2,line_item_3"
)
STATUSES = [
    "wc-completed",
    "processing",
    "on-hold",
    "refunded",
    "cancelled",
    "failed",
    "pending",
    "completed",
]
NO_ORDERS = ("cancelled", "failed", "pending")
GOODS = [("Aceite de oliva, 5 l", "ACE", 42.0), ("Miel de brezo", "", 9.5), ("Queso añejo", "QUE", 18.25)]


def shop(numbers: range) -> list[dict[str, Any]]:
    """Orders of a shop, with their truth under names that begin with `_`."""
    made = []
    for number in numbers:
        chance = Random(number)
        status = STATUSES[number % len(STATUSES)]
        bought = [
            (name, sku, price, chance.randint(1, 3))
            for name, sku, price in chance.sample(GOODS, chance.randint(1, 3))
        ]
        total = round(sum(price * quantity for _, _, price, quantity in bought), 2)
        guest = number % 3 == 0
        back = [2.5, 1.0] if number % 8 == 0 else []
        who = f"cliente{chance.randint(1, 6)}@correo.es"
        made.append(
            {
                "order_id": number,
                "order_number": number,
                "order_date": f"{1 + number % 3}/{13 + number % 15}/2026 6:29:00",
                "status": status,
                "discount_total": "0",
                "order_total": f"{total:.2f}",
                "order_currency": "EUR",
                "customer_ip_address": "203.0.113.77",
                "customer_id": 0 if guest else 100 + number,
                "customer_email": "" if guest else who,
                "billing_email": who,
                "billing_first_name": "Íñigo",
                "billing_phone": "600111222",
                "billing_address_1": "Calle de la Luna 7",
                "billing_country": "ES",
                "billing_city": "Cádiz",
                "refund_items": ";".join(
                    f"amount:{amount:.2f}|reason:roto|date:2026-03-01" for amount in back
                ),
                **{
                    f"line_item_{place}": f"name:{name}|product_id:{place}|sku:{sku}|quantity:{quantity}"
                    f"|total:{price * quantity:.2f}|sub_total:{price * quantity:.2f}"
                    for place, (name, sku, price, quantity) in enumerate(bought, 1)
                },
                "_who": who,
                "_net": total - (total if status == "refunded" else sum(back)),
                "_counts": status not in NO_ORDERS,
                "_pieces": sum(quantity for *_, quantity in bought),
                "_worth": total,
            }
        )
    return made


def cells(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: cell for name, cell in order.items() if not name.startswith("_")} for order in orders]


def each_customer(orders: list[dict[str, Any]]) -> list[tuple[int, float]]:
    sold: dict[str, list[float]] = defaultdict(list)
    for order in orders:
        if order["_counts"]:
            sold[order["_who"]].append(order["_net"])
    return sorted((len(nets), round(sum(nets), 2)) for nets in sold.values())


@pytest.mark.requirement("D08")
@pytest.mark.requirement("D21")
def test_what_customers_bought_is_what_the_file_says(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    orders = shop(range(500, 540))
    report = project.load(write(tmp_path / "order_export.csv", HEADER, cells(orders)))
    assert report.rejected_count == 0
    assert orders_each(project) == each_customer(orders)
    kept = [order for order in orders if order["_counts"]]
    assert ask(project, "SELECT sum(quantity) AS q, sum(quantity * price) AS s FROM order_items") == [
        (
            sum(order["_pieces"] for order in kept),
            pytest.approx(sum(order["_worth"] for order in kept)),
        )
    ]
    days = ask(
        project, "SELECT month(ts) AS m, hour(ts) AS h, count(*) AS n FROM orders GROUP BY ALL ORDER BY m"
    )
    months = [order["order_date"].split("/")[0] for order in kept]
    # the month comes first, and half past six of a Madrid winter is half past five
    assert days == [(month, 5, months.count(str(month))) for month in (1, 2, 3)]
    text = every_text(project)
    assert not any(word in text for word in ("Íñigo", "Luna", "@correo.es", "600111222", "203.0.113.77"))


@pytest.mark.requirement("D21")
def test_an_overlapping_export_adds_only_what_is_new(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    first, second = shop(range(500, 520)), shop(range(510, 530))
    path = write(tmp_path / "one.csv", HEADER, cells(first))
    project.load(path)
    before = table_sizes(project)
    project.load(path)
    assert table_sizes(project) == before
    project.load(write(tmp_path / "two.csv", HEADER, cells(second)))
    assert orders_each(project) == each_customer([*first[:10], *second])


def test_broken_rows_are_named_and_columns_may_come_and_go(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    orders = [order for order in shop(range(500, 508)) if order["_counts"]]
    header = [
        *(name for name in HEADER if name not in ("line_item_3", "refund_items", "billing_state")),
        "nueva",
    ]
    for order in orders:
        # without the column nothing is known to have been given back
        order["_net"] = order["_worth"] * (order["status"] != "refunded")
    rows = [{name: cell for name, cell in row.items() if name in header} for row in cells(orders)]
    bad = [dict(rows[0], order_id=901, order_date=""), dict(rows[0], order_id=902, order_total="mucho")]
    path = write(tmp_path / "o.csv", header, [*rows, *bad], broken="903,de menos\n")
    report = project.load(path)
    assert {rejection.line for rejection in report.rejected} == {len(rows) + n for n in (2, 3, 4)}
    assert orders_each(project) == each_customer(orders)


def test_the_report_of_orders_gives_net_sales_refunds_and_pieces(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    header = [
        "Date",
        "Order #",
        "N. Revenue (formatted)",
        "Status",
        "Customer",
        "Customer type",
        "Product(s)",
    ]
    header += ["Items sold", "Coupon(s)", "Net Sales", "Attribution"]
    rows = [
        dict(zip(header, row, strict=True))
        for row in [
            ("2026-02-03 10:00:00", 7, "-4,00 €", "refunded", "", "", "", 0, "", -4.0, ""),
            (
                "2026-02-01 10:00:00", 7, "30,00 €", "completed", "Ana Gil", "new",
                "2× Queso añejo, 1× Aceite, 5 l", 3, "", 30.0, "Organic: Google",
            ),
            ("2026-02-02 10:00:00", 8, "12,00 €", "on-hold", "Ana Gil", "", "1× Miel", 1, "", 12.0, ""),
            ("2026-02-02 11:00:00", 9, "50,00 €", "cancelled", "Luis Paz", "new", "9× Miel", 9, "", 50.0, ""),
        ]
    ]  # fmt: skip
    path = write(tmp_path / "orders-report.csv", header, rows)
    project.load(path)
    project.load(path)
    assert orders_each(project) == [(2, 38.0)]
    pieces = ask(project, "SELECT sku, quantity FROM order_items ORDER BY sku")
    assert pieces == [("Aceite, 5 l", 1.0), ("Miel", 1.0), ("Queso añejo", 2.0)]
    assert "Ana Gil" not in every_text(project)


@pytest.mark.requirement("D11")
@pytest.mark.requirement("D21")
def test_users_become_customers_without_what_names_them(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    header = names("ID,user_login,user_pass,user_email,user_registered,display_name,roles,puntos")
    rows = [
        dict(zip(header, row, strict=True))
        for row in [
            (1, "anita", "$P$Bsecret", "ana@correo.es", "2026-07-01 10:00:00", "Ana Gil", "customer", 12),
            (2, "luisito", "$P$Bsecret", "luis@correo.es", "2026-07-02 10:00:00", "Luis Paz", "customer", 30),
            (1, "anita", "$P$Bsecret", "ANA@correo.es", "2026-07-01 10:00:00", "Ana Gil", "customer", 15),
        ]
    ]
    project.load(write(tmp_path / "users.csv", header, rows))
    assert ask(project, "SELECT signed_up, roles, puntos FROM customers ORDER BY signed_up") == [
        (datetime(2026, 7, 1, 10), "customer", 15),
        (datetime(2026, 7, 2, 10), "customer", 30),
    ]
    text = every_text(project)
    assert not any(word in text for word in ("anita", "secret", "Gil", "@correo.es"))


def test_they_are_recognised_by_their_columns() -> None:
    vendor = recognise(HEADER)
    assert vendor is not None
    assert vendor.name == "woocommerce-orders"
