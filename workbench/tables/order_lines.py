"""Orders from a file with a row a line of an order: customer, day, article, quantity, price.

Lines of one number are one order, wherever in the file they stand; lines without a number are one order when
one customer bought them at one moment. What an order brought is what the file says of the order as a whole,
else the sum of its lines.

Lines of a negative quantity are money given back. They never become part of an order, since a later file may
have them without it: those of one number and day are a row of `orders` of their own, a credit, whose revenue
is negative. So revenue adds up to what the lines add up to, however files overlap. Which order a credit was
given for is kept as two refunds that cancel each other out: one takes the money off that order, one takes it
back from the credit, which stands for nothing then. That order is the one with the same number or, since
credit notes are numbered by themselves and name no order, the newest one before in which the same customer
bought the same article, as far as that many were bought. What belongs to no order of the file stays with the
credit and lowers the money of its customer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.locale import Message, say
from workbench.tables.report import NO_CUSTOMER, NO_TIME
from workbench.tables.rows import LINE, LeftOut, ask, lines_where, with_key, without
from workbench.tables.schema import Column, arrow_type, conform, standard

OTHER_CUSTOMER: Final = say("an order number that another customer has")
LINE_COLUMNS: Final = (
    *(column for column in standard("order_items").columns if column.name != "order_id"),
    Column("amount", "float64"),
)
"""What is known of a line beside its order; `amount` is what the whole line costs."""

_OF_ORDER = ("revenue", "margin", "discount", "refund", "currency", "channel")


@dataclass(frozen=True)
class Orders:
    """What lines of orders are put together to.

    Attributes:
        orders: Rows of `orders`: the orders, and the credits.
        items: Rows of `order_items`: the lines that name an article.
        refunds: Rows of `refunds` that say for which orders credits were given; two for each pair.
        lines: The lines that went into them, with `customer_id` and `ts`.
        left_out: The lines that did not.
    """

    orders: pa.Table
    items: pa.Table
    refunds: pa.Table
    lines: pa.Table
    left_out: tuple[LeftOut, ...]


def put_together(lines: pa.Table, notes: list[Message], *, salt: str = "") -> Orders:
    """The orders that these lines make.

    Args:
        lines: Converted rows with `LINE`, columns of `orders` and those of `LINE_COLUMNS`.
        notes: Gets what was assumed.
        salt: Goes into numbers that are made for orders without one.
    """
    lines, left_out = _with_customer(_filled(lines))
    lines = _numbered(lines, notes, salt)
    lines = ask(
        """
        WITH valued AS (
            SELECT *, coalesce(amount, price * coalesce(quantity, 1)) AS worth,
                   arg_min(revenue, line) OVER whole AS total, min(ts) OVER whole AS since
            FROM lines WINDOW whole AS (PARTITION BY number)),
        signed AS (
            SELECT *, CASE WHEN total IS NOT NULL THEN total < 0
                           ELSE coalesce(quantity < 0, worth < 0, false) AND coalesce(worth <= 0, true) END
                      AS credit
            FROM valued)
        SELECT *, CASE WHEN credit THEN number || ' ' || strftime(if(total IS NULL, ts, since), '%Y-%m-%d')
                       ELSE number END AS key
        FROM signed ORDER BY line
        """,
        lines=lines,
    )
    orders = ask(
        f"""
        SELECT key AS order_id, arg_min(customer_id, line) AS customer_id, min(ts) AS ts,
               coalesce(any_value(total), sum(worth ORDER BY line)) AS revenue,
               {", ".join(f"arg_min({name}, line) AS {name}" for name in _OF_ORDER[1:])}
        FROM lines GROUP BY key ORDER BY min(line)
        """,
        lines=lines,
    )
    items = ask(
        """
        SELECT key AS order_id, sku, category, quantity, from_recommendation,
               coalesce(price, worth / nullif(quantity, 0)) AS price
        FROM lines WHERE sku IS NOT NULL ORDER BY line
        """,
        lines=lines,
    )
    _tell(lines, notes)
    return Orders(
        conform(orders, standard("orders")),
        conform(items, standard("order_items")),
        _given_back(lines, notes),
        lines,
        left_out,
    )


def _filled(lines: pa.Table) -> pa.Table:
    """The lines with all columns, and what only the first line of an order says of it on the others too.

    A line without number, customer and time goes on with the order of the row above it, if that is the row
    right above: when rows in between were left out, nobody knows whose line it is.
    """
    declared = (*standard("orders").columns, *LINE_COLUMNS)
    columns = {
        column.name: lines[column.name]
        if column.name in lines.column_names
        else pa.nulls(lines.num_rows, arrow_type(column.type))
        for column in declared
    }
    return ask(
        """
        WITH begun AS (
            SELECT *, coalesce(order_id, customer_id) IS NULL AND ts IS NULL
                      AND line = lag(line) OVER (ORDER BY line) + 1 AS goes_on
            FROM lines),
        blocks AS (SELECT *, sum(CASE WHEN goes_on THEN 0 ELSE 1 END) OVER (ORDER BY line) AS block
                   FROM begun),
        headed AS (
            SELECT * REPLACE (first_value(order_id) OVER above AS order_id,
                              first_value(customer_id) OVER above AS customer_id,
                              first_value(ts) OVER above AS ts)
            FROM blocks WINDOW above AS (PARTITION BY block ORDER BY line))
        SELECT * EXCLUDE (goes_on, block) REPLACE (
            CASE WHEN order_id IS NULL THEN customer_id
                 ELSE coalesce(customer_id, arg_min(customer_id, line) OVER (PARTITION BY order_id)) END
            AS customer_id,
            CASE WHEN order_id IS NULL THEN ts
                 ELSE coalesce(ts, arg_min(ts, line) OVER (PARTITION BY order_id)) END AS ts)
        FROM headed ORDER BY line
        """,
        lines=pa.table({"line": lines[LINE], **columns}),
    )


def _with_customer(lines: pa.Table) -> tuple[pa.Table, tuple[LeftOut, ...]]:
    """The lines of which it is known who bought when, and the others."""
    lines = lines.append_column(LINE, lines["line"])
    left_out = []
    for name, reason in (("customer_id", NO_CUSTOMER), ("ts", NO_TIME)):
        left_out.append(LeftOut(lines_where(lines, pc.is_null(lines[name])), reason, name))
        lines = without(lines, left_out[-1].lines)
    others = ask(
        """
        SELECT line FROM (SELECT line, customer_id, arg_min(customer_id, line) OVER (PARTITION BY order_id)
                                 AS owner FROM lines WHERE order_id IS NOT NULL)
        WHERE customer_id <> owner ORDER BY line
        """,
        lines=lines,
    )["line"].to_numpy()
    left_out.append(LeftOut(others, OTHER_CUSTOMER, "order_id"))
    return without(lines, others).drop_columns([LINE]), tuple(left_out)


def _numbered(lines: pa.Table, notes: list[Message], salt: str) -> pa.Table:
    """The lines with the `number` of their order; without one it is made of customer and time."""
    lacking = lines.filter(pc.is_null(lines["order_id"]))
    made = lacking.group_by(["customer_id", "ts"], use_threads=False).aggregate([])
    made = made.append_column(LINE, pa.array(np.arange(made.num_rows)))
    if made.num_rows:
        notes.append(
            say(
                "Lines without an order number: {n:count}; those of one customer and time were taken as one"
                " order.",
                n=lacking.num_rows,
            )
        )
        made = with_key(made, "number", [], salt=salt)
    else:
        made = made.append_column("number", pa.nulls(0, pa.string()))
    return ask(
        """
        SELECT l.*, coalesce(l.order_id, m.number) AS number FROM lines AS l
        LEFT JOIN made AS m ON l.order_id IS NULL AND l.customer_id = m.customer_id AND l.ts = m.ts
        ORDER BY line
        """,
        lines=lines,
        made=made,
    )


def _tell(lines: pa.Table, notes: list[Message]) -> None:
    found = ask(
        """
        SELECT count(DISTINCT key) FILTER (NOT credit) AS orders, count(*) AS lines,
               count(*) FILTER (sku IS NULL) AS blank,
               count(*) - count(DISTINCT (key, sku, quantity, worth, ts)) AS equal,
               count(*) FILTER (worth IS NULL AND total IS NULL) AS unpriced
        FROM lines
        """,
        lines=lines,
    ).to_pylist()[0]
    notes.append(
        say(
            "Lines that were put together to orders: {lines:count}; orders: {orders:count}.",
            lines=found["lines"],
            orders=found["orders"],
        )
    )
    for count, note in (
        (found["equal"], say("Lines that are equal to another of their order: {n:count}; each counts.")),
        (found["blank"], say("Lines without an article: {n:count}; their money counts with the order.")),
        (found["unpriced"], say("Lines without a price: {n:count}; they bring nothing.")),
    ):
        if count:
            notes.append(Message(note.text, {"n": count}))


# --- which order a credit was given for ----------------------------------------------------------------


def _given_back(lines: pa.Table, notes: list[Message]) -> pa.Table:
    """Two refunds for each credit and order that belong together: off the order, and back from the credit."""
    credits = lines.filter(pc.and_kleene(lines["credit"], pc.less(lines["worth"], 0)))
    pairs: dict[tuple[str, str], dict[str, Any]] = {}
    open_lines = 0
    for credit, parts in _matches(lines, credits):
        for order, share in parts:
            blank = {"ts": credit["ts"], "currency": credit["currency"], "amount": 0.0}
            pairs.setdefault((credit["key"], order), blank)["amount"] -= share * credit["worth"]
        open_lines += sum(share for _, share in parts) < _WHOLE
    if credits.num_rows:
        notes.append(
            say(
                "Lines of money given back: {n:count}; for {found:count} of them the order was found: that of"
                " the same number, else the newest before with the same article. The others lower the money"
                " of their customer and belong to no order of this file.",
                n=credits.num_rows,
                found=credits.num_rows - open_lines,
            )
        )
    rows = [
        {**pair, "refund_id": f"{credit} {way} {order}", "order_id": one, "amount": sign * pair["amount"]}
        for (credit, order), pair in pairs.items()
        for way, one, sign in (("→", order, 1), ("←", credit, -1))
    ]
    types = {column.name: arrow_type(column.type) for column in standard("refunds").columns}
    return pa.Table.from_pylist(rows, schema=pa.schema(types))


_WHOLE = 1 - 1e-9


def _matches(
    lines: pa.Table, credits: pa.Table
) -> Iterator[tuple[dict[str, Any], Sequence[tuple[str, float]]]]:
    """Each line of a credit, and the orders it was given for with the share of it that is theirs."""
    rows = ask(
        """
        SELECT customer_id, sku, ts, number, key, credit, worth, currency,
               coalesce(abs(quantity), 1) AS quantity,
               credit AND number IN (SELECT number FROM lines WHERE NOT credit) AS same_number
        FROM lines
        WHERE line IN (SELECT line FROM credits)
           OR (NOT credit AND coalesce(quantity, 1) > 0
               AND (customer_id, sku) IN (SELECT (customer_id, sku) FROM credits))
        ORDER BY customer_id, sku, ts, credit, line
        """,
        lines=lines,
        credits=credits,
    ).to_pylist()
    for (_, sku), together in groupby(rows, key=lambda row: (row["customer_id"], row["sku"])):
        left: list[tuple[str, float]] = []  # orders with the article, and how many of it nobody gave back
        for row in together:
            if not row["credit"]:
                left.append((row["key"], row["quantity"]))
            elif row["same_number"]:
                left, _ = _taken(left, row["quantity"], only=row["number"])
                yield row, [(row["number"], 1.0)]
            else:
                left, parts = _taken(left if sku is not None else [], row["quantity"])
                yield row, [(order, some / row["quantity"]) for order, some in parts]


def _taken(
    left: list[tuple[str, float]], quantity: float, only: str | None = None
) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """What is left when so many were given back of what was bought last, and what was taken."""
    kept, taken = [], []
    for order, there in reversed(left):
        some = min(there, quantity) if only in (None, order) else 0.0
        quantity -= some
        if some > 0:
            taken.append((order, some))
        if there > some:
            kept.append((order, there - some))
    return kept[::-1], taken
