"""Checks of amounts: their unit, their sign, their currency, and whether a few of them decide everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis
from babel.core import get_global
from ibis import _

from workbench.locale import say
from workbench.records import Check
from workbench.tables.checks.stored import Stored, any_of, number

HUNDREDFOLD = (50.0, 200.0)
"""A median ratio between these is taken for the hundred of an amount in cents."""

FEWEST_AMOUNTS = 20
LARGE_MEDIAN = 1000.0
SMALL_SHARE = 0.001
UNLIKE_ITEMS = 2.0
UNLIKE_WARNING = 0.05
FAR_OUT, FAR_OUT_LEAST = 3.0, 10.0
FEWEST_FOR_OUTLIERS = 100
OUTLIER_WARNING = 0.02
_LARGEST_WHOLE = 1e15
_SHOWN = 3


def money_checks(stored: Stored, currency: str) -> Iterator[Check]:
    """Cents, signs, impossible parts, extreme orders, items that do not add up, currencies without a rate."""
    if stored.holds("orders", "revenue"):
        found = _amounts(stored)
        ratio, unlike, compared = _items(stored)
        cents = _cents(found, ratio, currency)
        yield cents
        yield from _signs(stored, found)
        if found["n"] >= FEWEST_FOR_OUTLIERS:
            yield _outliers(stored, found)
        if compared and cents.status == "ok":
            yield _unlike(unlike, compared, ratio)
    for name in ("orders", "spend", "refunds"):
        if stored.holds(name, "currency"):
            yield _currencies(stored, name, currency)


def _amounts(stored: Stored) -> dict[str, Any]:
    """One pass over the orders."""
    rows = stored.rows("orders")
    revenue = rows.revenue.cast("float64")
    small = ibis.ifelse(revenue.abs() < _LARGEST_WHOLE, revenue, 0.5)
    asked = {
        "n": revenue.count(),
        "total": revenue.sum(),
        "largest": revenue.max(),
        "low": revenue.quantile(0.25),
        "median": revenue.median(),
        "high": revenue.quantile(0.75),
        "whole": number(small == small.floor().cast("float64")),
    }
    given = rows.refund.cast("float64").fill_null(0.0) if stored.holds("orders", "refund") else 0.0
    asked["negative"] = number((revenue < 0) & (revenue < given))
    for part in ("refund", "discount", "margin"):
        if stored.holds("orders", part):
            amount = rows[part].cast("float64")
            asked[f"{part}_above"] = number((revenue > 0) & (amount > revenue))
            asked[f"{part}_negative"] = number((revenue >= 0) & (amount < 0))
    return stored.row(rows, **asked)


def _items(stored: Stored) -> tuple[float, int, int]:
    """Median of revenue over the sum of the order's lines, orders more than twice off it, orders compared."""
    if not (
        stored.holds("orders", "order_id") and stored.holds("order_items", "order_id", "price", "quantity")
    ):
        return 0.0, 0, 0
    orders, _part = stored.newest("orders")
    paid = orders.revenue.cast("float64")
    discount = orders.discount.cast("float64").fill_null(0.0) if stored.holds("orders", "discount") else 0.0
    orders = orders.filter(paid > 0).select("order_id", paid_=paid, full_=paid + discount)
    items = stored.rows("order_items")
    items = items.select("order_id", line_=items.price.cast("float64") * items.quantity.cast("float64"))
    lines = orders.inner_join(items, "order_id")
    both = lines.group_by("order_id").aggregate(
        paid_=lines.paid_.max(), full_=lines.full_.max(), lines_=lines.line_.sum()
    )
    both = both.filter(both.lines_ > 0)
    near = any_of([_near(both.paid_, both.lines_), _near(both.full_, both.lines_)])
    found = stored.row(both, ratio=(both.paid_ / both.lines_).median(), n=both.count(), unlike=number(~near))
    return float(found["ratio"]), int(found["unlike"]), int(found["n"])


def _near(one: Any, other: Any) -> Any:
    return (one <= UNLIKE_ITEMS * other) & (other <= UNLIKE_ITEMS * one)


def _cents(found: dict[str, Any], ratio: float, currency: str) -> Check:
    """Whether amounts are in cents: a hundred times the lines, or whole and large."""
    check, detail = "orders.cents", None
    if HUNDREDFOLD[0] < ratio < HUNDREDFOLD[1]:
        detail = say(
            "orders: revenue is about {times:count} times the sum of the order's lines, so one of the two "
            "is in cents. Divide revenue by 100 before you load it.",
            times=ratio,
        )
    elif ratio > 0 and HUNDREDFOLD[0] < 1 / ratio < HUNDREDFOLD[1]:
        detail = say(
            "orders: the sum of the order's lines is about {times:count} times the revenue, so the prices "
            "of the lines are in cents. Divide them by 100 before you load them.",
            times=1 / ratio,
        )
    elif (
        found["n"] >= FEWEST_AMOUNTS
        and found["whole"] == found["n"]
        and found["median"] >= LARGE_MEDIAN
        and not UNLIKE_WARNING < ratio < 1 / UNLIKE_WARNING
        and _has_cents(currency)
    ):
        detail = say(
            "orders: every amount is a whole number, half of them above {median:count}. Are they in cents? "
            "If so, divide them by 100 before you load them.",
            median=found["median"],
        )
    if detail is None:
        detail = say("orders: amounts do not look like cents.")
        return Check(name=check, status="ok", detail=detail, share=_share(found["whole"], found["n"]))
    return Check(
        name=check,
        status="warn",
        detail=detail,
        count=int(found["n"]),
        share=_share(found["whole"], found["n"]),
        examples=tuple(f"{found[part]:g}" for part in ("low", "median", "high")),
    )


def _has_cents(currency: str) -> bool:
    """Whether prices in a currency have decimals where people pay in cash."""
    fractions = get_global("currency_fractions")
    _decimals, _rounding, in_cash, _cash_rounding = fractions.get(currency, fractions["DEFAULT"])
    return bool(in_cash)


def _signs(stored: Stored, found: dict[str, Any]) -> Iterator[Check]:
    """Amounts with the wrong sign, and parts that are larger than the whole."""
    rows, n = stored.rows("orders"), int(found["n"])
    negative = int(found["negative"])
    detail = say("orders: no revenue is negative.")
    if negative:
        detail = say(
            "orders with a negative revenue: {n:count}. They lower what their customers brought and are no"
            " purchases; if they are returns, give them as the refund of their order.",
            n=negative,
        )
    yield Check(
        name="orders.negative",
        status="warn" if negative else "ok",
        detail=detail,
        count=negative,
        share=_share(negative, n),
        examples=_largest(stored, rows.filter(rows.revenue < 0)) if negative else (),
    )
    for part, most in (("refund", SMALL_SHARE), ("discount", UNLIKE_WARNING), ("margin", SMALL_SHARE)):
        if f"{part}_above" not in found:
            continue
        above, below = int(found[f"{part}_above"]), int(found[f"{part}_negative"])
        wrong = 0
        detail = say("orders: {part} is not larger than the revenue.", part=part)
        if above > most * n:
            wrong = above
            detail = say(
                "orders whose {part} is larger than their revenue: {n:count}. The two are in different "
                "units, or one of the columns is not what its name says.",
                part=part,
                n=above,
            )
        elif part != "margin" and below:  # a margin may be a loss
            wrong = below
            detail = say(
                "orders with a negative {part}: {n:count}. It is added where it should be taken away: "
                "change the sign before you load them.",
                part=part,
                n=below,
            )
        yield Check(
            name=f"orders.{part}",
            status="warn" if wrong else "ok",
            detail=detail,
            count=wrong,
            share=_share(wrong, n),
        )


def _outliers(stored: Stored, found: dict[str, Any]) -> Check:
    """Orders beyond three times the spread of the middle half, on the scale of ratios."""
    low, high = float(found["low"]), float(found["high"])
    limit = high * max((high / low) ** FAR_OUT if low > 0 else 0.0, FAR_OUT_LEAST)
    n, share = 0, 0.0
    examples: tuple[str, ...] = ()
    if 0 < limit < float(found["largest"]):
        rows = stored.rows("orders")
        beyond = rows.filter(rows.revenue > limit)
        sums = stored.row(beyond, n=beyond.count(), total=beyond.revenue.cast("float64").sum())
        n, share = int(sums["n"]), float(sums["total"]) / float(found["total"])
        examples = _largest(stored, beyond)
    detail = say("orders: no few orders make up much of the revenue.")
    if share > OUTLIER_WARNING:
        detail = say(
            "orders above {limit:money}: {n:count}, with {share:percent} of the revenue. A comparison of "
            "revenue hangs on who happened to place them: make sure that they are real, and compare "
            "conversion too.",
            n=n,
            limit=limit,
            share=share,
        )
    return Check(
        name="orders.outliers",
        status="warn" if share > OUTLIER_WARNING else "ok",
        detail=detail,
        count=n,
        share=share,
        examples=examples,
    )


def _unlike(unlike: int, compared: int, ratio: float) -> Check:
    share = unlike / compared
    detail = say("orders: revenue agrees with the lines of the orders.")
    if share > UNLIKE_WARNING:
        detail = say(
            "orders: revenue is less than half or more than twice the sum of the lines in {share:percent} "
            "of the orders ({ratio:number} times in the middle): lines are missing, or the two are in "
            "different units.",
            share=share,
            ratio=ratio,
        )
    return Check(
        name="orders.items",
        status="warn" if share > UNLIKE_WARNING else "ok",
        detail=detail,
        count=unlike,
        share=share,
    )


def _currencies(stored: Stored, name: str, currency: str) -> Check:
    """Currencies without a rate, whose amounts would be added as if they were the project's."""
    rows = stored.rows(name)
    counts = {
        row["currency"]: int(row["n"])
        for row in stored.fetch(
            rows.group_by("currency").aggregate(n=rows.count()).filter(_.currency.notnull())
        )
    }
    known = {currency}
    if stored.holds("rates", "currency", "rate"):
        known |= {row["currency"] for row in stored.fetch(stored.rows("rates").select("currency").distinct())}
    foreign = sorted(counts.keys() - known)
    n = sum(counts[code] for code in foreign)
    check, share = f"{name}.currency", _share(n, sum(counts.values()))
    if not foreign:
        detail = say("{table}: every amount is in {currency} or has a rate.", table=name, currency=currency)
        return Check(name=check, status="ok", detail=detail, count=0, share=0.0)
    return Check(
        name=check,
        status="fail",
        detail=say(
            "{table}: amounts in {currencies:listing}, which have no rate: {n:count}. Load the table rates, "
            "or leave these rows out.",
            table=name,
            n=n,
            currencies=foreign[:_SHOWN],
        ),
        count=n,
        share=share,
        examples=tuple(f"{code}: {counts[code]}" for code in foreign[:_SHOWN]),
    )


def _largest(stored: Stored, rows: Any) -> tuple[str, ...]:
    """Numbers of the orders with the largest amounts, whatever their sign."""
    if "order_id" not in rows.columns:
        return ()
    ordered = rows.filter(rows.order_id.notnull()).order_by([ibis.desc(rows.revenue.abs()), "order_id"])
    return tuple(str(row["order_id"])[:40] for row in stored.fetch(ordered.limit(_SHOWN).select("order_id")))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
