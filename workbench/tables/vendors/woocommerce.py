"""WooCommerce: the orders of the Import Export Suite, the report Analytics → Orders, and WordPress's users.

Documents: https://woocommerce.com/document/import-and-export-of-woocommerce-orders/ (orders),
`get_export_columns` in plugins/woocommerce/src/Admin/API/Reports/Orders/Controller.php of
github.com/woocommerce/woocommerce (the report), https://codex.wordpress.org/Database_Description (users).

Times: orders bear the shop's local time, month first (`9/6/2016 6:29:00` is the sixth of September), the
report the shop's local time, users UTC.

Repetition: an order is known by its number in the shop (`order_id`), its lines are replaced with it, a refund
of the report by its order and time, a user by the e-mail.

Identity: the e-mail of the account, else of the invoice, else the account (`customer_id`; 0 is a guest), else
the order. The report has nothing but the customer's name, so namesakes are one customer in it.

What counts: as in WooCommerce's own reports every order but those pending, failed or cancelled (and drafts
and rubbish). A refunded order stays, with all of its money given back: it brings nothing.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import FILLED, Vendor

_MOST_LINES = 200  # of one order; the file has as many columns as its longest order has lines
_NO_ORDER = "('pending', 'failed', 'cancelled', 'draft', 'checkout-draft', 'auto-draft', 'trash')"
_GIVEN_BACK = r"""list_sum(list_transform(
    regexp_extract_all(refund_items, '(?:^|[|;])amount:-?([0-9.]+)', 1), lambda x: TRY_CAST(x AS DOUBLE)))"""


def _state(column: str) -> str:
    """SQL for the status of an order."""
    return f"regexp_replace(lower({column}), '^wc-', '')"


_ORDERS = f"""
    (SELECT *,
        coalesce(customer_email, billing_email,
                 'woocommerce:' || coalesce(nullif(customer_id, '0'), 'order ' || order_id)) AS customer,
        coalesce(order_id, order_number) AS id
    FROM {FILLED} WHERE coalesce({_state("status")} NOT IN {_NO_ORDER}, true))
"""


def _part(name: str) -> str:
    """SQL for a part of a line such as `name:Café|sku:C1|quantity:2|total:10`."""
    return rf"nullif(regexp_extract(item, '(?:^|\|){name}:([^|]*)', 1), '')"


WOOCOMMERCE_ORDERS: Final = Vendor(
    name="woocommerce-orders",
    title="WooCommerce orders (Import Export Suite)",
    source="https://woocommerce.com/document/import-and-export-of-woocommerce-orders/",
    about=say(
        "A row is an order; its lines are in the columns line_item_1 to line_item_200. Dates"
        " have the month first and are in the shop's own time zone, so give that when you load the"
        " file. Orders that are pending, failed or cancelled are left out; a refunded order stays with"
        " all of its money given back. A customer is known by the e-mail, else by the account, else by"
        " the order. The price of a line is that of one piece before discounts of the order."
    ),
    columns=(
        "order_id",
        "order_number",
        "order_date",
        "status",
        "discount_total",
        "order_total",
        "order_currency",
        "customer_id",
        "customer_email",
        "billing_email",
        "billing_city",
        "billing_state",
        "billing_country",
        "refund_items",
        *(f"line_item_{place}" for place in range(1, 1 + _MOST_LINES)),
    ),
    required=("order_id", "order_date", "status", "order_total", "order_currency"),
    tables={
        "orders": f"""
            SELECT "@line", id AS order_id, customer AS customer_id, order_date AS ts, order_total AS revenue,
                discount_total AS discount,
                CASE WHEN {_state("status")} = 'refunded' THEN order_total
                     ELSE CAST({_GIVEN_BACK} AS VARCHAR) END AS refund,
                order_currency AS currency
            FROM {_ORDERS}
        """,
        "order_items": f"""
            SELECT "@line", order_id, coalesce({_part("sku")}, {_part("product_id")}, {_part("name")}) AS sku,
                {_part("quantity")} AS quantity,
                coalesce(CAST(TRY_CAST(worth AS DOUBLE) / nullif(TRY_CAST({_part("quantity")} AS DOUBLE), 0)
                              AS VARCHAR), worth) AS price
            FROM (SELECT *, coalesce({_part("sub_total")}, {_part("total")}) AS worth
                FROM (UNPIVOT (SELECT "@line", id AS order_id, COLUMNS('^line_item_[0-9]+$') FROM {_ORDERS})
                      ON COLUMNS('^line_item_[0-9]+$') INTO NAME place VALUE item))
        """,
        "customers": f"""
            SELECT "@line", customer AS customer_id, billing_country AS country, billing_state AS region,
                billing_city AS city
            FROM {_ORDERS}
        """,
    },
    date_order="mdy",
)

_REPORT = f"""
    (SELECT *, "Order #" AS id, TRY_CAST("Net Sales" AS DOUBLE) AS net,
        coalesce("Customer", 'woocommerce:order ' || "Order #") AS customer
    FROM {FILLED} WHERE coalesce({_state('"Status"')} NOT IN {_NO_ORDER}, true))
"""

WOOCOMMERCE_REPORT: Final = Vendor(
    name="woocommerce-report",
    title="WooCommerce Analytics → Orders",
    source="https://woocommerce.com/document/woocommerce-analytics/orders-report/",
    about=say(
        "A row is an order or, with negative sales, a refund. Times are in the shop's own time zone."
        " Sales are net: without taxes and shipping. The report names its customers by nothing but"
        " their names, so two of one name are one customer here: prefer the export of the Import"
        " Export Suite for the value of customers. Products come without prices."
    ),
    columns=("Date", "Order #", "Status", "Customer", "Product(s)", "Net Sales", "Attribution"),
    required=("Date", "Order #", "Status", "Customer", "Net Sales"),
    tables={
        "orders": f"""
            SELECT "@line", id AS order_id, customer AS customer_id, "Date" AS ts, "Net Sales" AS revenue,
                "Attribution" AS channel
            FROM {_REPORT} WHERE net IS NULL OR net >= 0
        """,
        "refunds": f"""
            SELECT "@line", id || ' ' || "Date" AS refund_id, id AS order_id, "Date" AS ts,
                CAST(-net AS VARCHAR) AS amount
            FROM {_REPORT} WHERE net < 0
        """,
        "order_items": rf"""
            SELECT "@line", order_id, regexp_extract(item, '^([0-9]+)× (.*)$', 2) AS sku,
                regexp_extract(item, '^([0-9]+)× (.*)$', 1) AS quantity
            FROM (SELECT "@line", id AS order_id, unnest(string_split(
                      regexp_replace("Product(s)", ', ([0-9]+× )', chr(1) || '\1', 'g'), chr(1))) AS item
                  FROM {_REPORT} WHERE net IS NULL OR net >= 0)
        """,
    },
)

WORDPRESS_USERS: Final = Vendor(
    name="wordpress-users",
    title="WordPress users",
    source="https://codex.wordpress.org/Database_Description",
    about=say(
        "A row is a user. The day of registration is in UTC. Users are known by their e-mail. Names,"
        " addresses and passwords are not kept; columns that plugins add are kept as attributes."
    ),
    columns=("user_email", "user_registered", "billing_country", "billing_state", "billing_city"),
    required=("user_email", "user_registered", "user_login"),
    tables={
        "customers": f"""
            SELECT "@line", user_email AS customer_id, user_registered AS signed_up,
                billing_country AS country, billing_state AS region, billing_city AS city
            FROM {FILLED}
        """,
    },
    extras="customers",
    personal=(
        "ID",
        "customer_id",
        "user_login",
        "user_pass",
        "user_nicename",
        "user_url",
        "user_activation_key",
        "display_name",
        "nickname",
        "first_name",
        "last_name",
        "description",
        "session_tokens",
        "billing_postcode",
        "shipping_postcode",
        *(
            f"{kind}_{part}"
            for kind in ("billing", "shipping")
            for part in ("first_name", "last_name", "company", "email", "phone", "address_1", "address_2")
        ),
    ),
    timezone="UTC",
)
