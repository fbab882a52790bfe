"""Shopify's export of orders (Orders → Export → CSV).

Document: https://docs.xbp.app/docs/development/integrations/shopify/order-format (the form of the rows) and
https://help.shopify.com/en/manual/fulfillment/managing-orders/exporting-orders (how to get it).

A row is a line of an order. What belongs to the order as a whole (status, totals, addresses) stands on its
first row only; the others have its name, the e-mail, the time and their product.

Times: with the shop's offset, as `2026-03-07 09:50:26 +0100`.

Repetition: an order is known by its name (`#1001`). A later export adds what was empty and what was refunded
since; the lines of an order are replaced by those of the later export.

Identity: the e-mail, else the telephone, else the order itself, so that a purchase nobody left a name for is
a customer of its own.

What counts: every order but those cancelled, voided or expired, and those paid with the test gateway. Orders
that wait for their money count, as they do in Shopify's own reports. What was refunded is taken off.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import FILLED, Vendor

# The first row of an order is the one with its totals and status. The order's other rows cannot tell whether
# it counts, so they take it from there; of an order that two blocks of the file share, the second cannot.
_ROWS = f"""
    (SELECT *,
        coalesce("Total", "Subtotal", "Financial Status", "Currency") IS NOT NULL AS is_order,
        coalesce("Email", "Phone", "Billing Phone", 'shopify:' || coalesce("Id", "Name")) AS customer,
        bool_or("Cancelled at" IS NOT NULL OR lower("Financial Status") IN ('voided', 'expired')
                OR lower("Payment Method") LIKE 'bogus%')
            OVER (PARTITION BY coalesce("Name", '@' || "@line")) IS TRUE AS is_void
    FROM {FILLED})
"""

SHOPIFY_ORDERS: Final = Vendor(
    name="shopify-orders",
    title="Shopify orders",
    source="https://docs.xbp.app/docs/development/integrations/shopify/order-format",
    about=say(
        "A row is a line of an order; its totals stand on the first. Times carry the shop's offset."
        " Orders that were cancelled, voided or expired and orders of the test gateway are left out. A"
        " customer is known by the e-mail, else the telephone, else the order. Revenue is the total"
        " with taxes and shipping; what was refunded is cumulative. Orders that Shopify Payments took"
        " in test mode cannot be told from others."
    ),
    columns=(
        "Name",
        "Email",
        "Financial Status",
        "Accepts Marketing",
        "Currency",
        "Subtotal",
        "Total",
        "Discount Amount",
        "Created at",
        "Lineitem quantity",
        "Lineitem name",
        "Lineitem price",
        "Lineitem sku",
        "Billing City",
        "Billing Province",
        "Billing Country",
        "Billing Phone",
        "Shipping City",
        "Shipping Province",
        "Shipping Country",
        "Cancelled at",
        "Payment Method",
        "Refunded Amount",
        "Id",
        "Source",
        "Phone",
        "Billing Province Name",
        "Shipping Province Name",
    ),
    required=("Name", "Financial Status", "Total", "Created at", "Lineitem quantity", "Lineitem name"),
    tables={
        "orders": f"""
            SELECT "@line", "Name" AS order_id, customer AS customer_id, "Created at" AS ts,
                "Total" AS revenue, "Discount Amount" AS discount, "Refunded Amount" AS refund,
                "Currency" AS currency, "Source" AS channel
            FROM {_ROWS} WHERE is_order AND NOT is_void
        """,
        "order_items": f"""
            SELECT "@line", "Name" AS order_id, coalesce("Lineitem sku", "Lineitem name") AS sku,
                "Lineitem quantity" AS quantity, "Lineitem price" AS price
            FROM {_ROWS}
            WHERE coalesce("Lineitem sku", "Lineitem name", "Lineitem quantity") IS NOT NULL AND NOT is_void
        """,
        # newest first in the file, and the newest address is to hold
        "customers": f"""
            SELECT "@line", customer AS customer_id,
                coalesce("Shipping Country", "Billing Country") AS country,
                coalesce("Shipping Province Name", "Shipping Province",
                         "Billing Province Name", "Billing Province") AS region,
                coalesce("Shipping City", "Billing City") AS city
            FROM {_ROWS} WHERE is_order AND NOT is_void ORDER BY "Created at", "@line"
        """,
        # an order without the tick withdraws nothing
        "consents": f"""
            SELECT "@line", customer AS customer_id, 'marketing' AS purpose, "Accepts Marketing" AS granted,
                "Created at" AS ts, 'Shopify checkout' AS source
            FROM {_ROWS} WHERE is_order AND NOT is_void AND lower("Accepts Marketing") IN ('yes', 'true')
        """,
    },
)
