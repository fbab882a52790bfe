"""Money of several currencies, and money that is given back.

Amounts are turned into the project's currency when a file is read: with the rate of the day on the shop's
clock or, since there are none on holidays, the newest before it. All amounts are in the project's currency
then; the column `currency` goes on saying in which they were written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from babel import Locale

from workbench.errors import DataError
from workbench.locale import LANGUAGES, Message, say
from workbench.tables.cells import literal
from workbench.tables.report import NO_TIME
from workbench.tables.rows import LINE, LeftOut, ask, lines_where, with_key, without
from workbench.tables.schema import Table, conform, standard

AMOUNTS: Final = {
    "orders": ("revenue", "margin", "discount", "refund", "price", "amount"),  # the last two of their lines
    "refunds": ("amount",),
    "spend": ("cost",),
}
"""Table → its columns of money in the currency that its column `currency` says."""

NO_RATE: Final = say("no exchange rate for this currency on this day")
NOT_A_CURRENCY: Final = say("not a known currency")
NOT_A_RATE: Final = say("a rate that is not above zero")

_SIGNS = {"€": "EUR", "£": "GBP", "us$": "USD", "u$s": "USD", "a$": "AUD", "ca$": "CAD", "mx$": "MXN"}
_SHARED_SIGNS = {
    "$": "USD MXN ARS CLP COP UYU DOP CAD AUD NZD SGD HKD TWD",
    "¥": "JPY CNY",
    "kr": "SEK NOK DKK ISK",
}
"""What the money of several countries is written with; taken only for that of the project itself."""


@dataclass(frozen=True)
class Exchange:
    """The project's money, and what other money was worth in it.

    Attributes:
        currency: The project's, an ISO 4217 code.
        rates: Rows of the table `rates`; None when there are none.
        timezone: IANA name of the zone on whose clock days are counted.
    """

    currency: str
    rates: pa.Table | None = None
    timezone: str = "UTC"


def currency_code(text: str, own: str | None = None) -> str | None:
    """The ISO 4217 code of a currency by its code, its sign or its name in English or Spanish.

    Args:
        text: What is written.
        own: The project's currency; `$` can be anybody's, and is only taken to be the project's own.

    >>> currency_code("usd"), currency_code("euros"), currency_code("£"), currency_code("libra esterlina")
    ('USD', 'EUR', 'GBP', 'GBP')
    >>> currency_code("$"), currency_code("$", own="MXN"), currency_code("doubloon")
    (None, 'MXN', None)
    """
    plain = _plain(text)
    if own in _SHARED_SIGNS.get(plain, "").split():
        return own
    return _currencies().get(plain)


@lru_cache(maxsize=1)
def _currencies() -> dict[str, str]:
    """Plain text → code, for codes, signs and names; a name that several bear stands for none."""
    named: dict[str, str | None] = {}
    codes = Locale.parse("en").currencies.keys()
    for language in LANGUAGES:
        locale = Locale.parse(language)
        plurals = locale._data["currency_names_plural"]
        for code in codes:
            for name in (locale.currencies.get(code), *dict(plurals.get(code, {})).values()):
                if name and named.setdefault(_plain(name), code) != code:
                    named[_plain(name)] = None
    found = {name: code for name, code in named.items() if code is not None}
    return found | _SIGNS | {code.lower(): code for code in codes}


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text)
    return re.sub(r"\s+", " ", "".join(c for c in letters if not unicodedata.combining(c))).strip().lower()


def with_codes(rows: pa.Table, own: str | None) -> tuple[pa.Table, LeftOut]:
    """The rows with ISO codes in their column `currency`, and those whose currency is not known."""
    written = [text for text in pc.unique(rows["currency"]).to_pylist() if text is not None]
    codes = {text: currency_code(text, own) for text in written}
    unknown = pa.array([text for text, code in codes.items() if code is None], pa.string())
    left_out = LeftOut(lines_where(rows, pc.is_in(rows["currency"], unknown)), NOT_A_CURRENCY, "currency")
    place = pc.index_in(rows["currency"], pa.array(written, pa.string()))
    made = pa.chunked_array([pa.array([codes[text] for text in written], pa.string())]).take(place)
    rows = rows.set_column(rows.column_names.index("currency"), "currency", made)
    return without(rows, left_out.lines), left_out


def convert(
    rows: pa.Table, table: str, exchange: Exchange, notes: list[Message]
) -> tuple[pa.Table, list[LeftOut]]:
    """The rows with their amounts in the project's currency.

    Args:
        rows: Rows of `orders`, `refunds` or `spend`, with `LINE`. A row that says no currency is in the
            project's.
        table: Which of them.
        exchange: The project's currency and the rates.
        notes: Gets a sentence when amounts were converted.

    Returns:
        The rows, and those that are left out since their currency or its rate is not known. Amounts keep
        their full precision, and `currency` the ISO code of what was written.
    """
    if "currency" not in rows.column_names:
        return rows, []
    declared = standard(table)
    rows, unknown = with_codes(rows, exchange.currency)
    foreign = pc.fill_null(pc.not_equal(rows["currency"], exchange.currency), False)
    if not pc.any(foreign).as_py():
        return rows, [unknown]
    found = _rates_of(rows, declared, exchange)
    missing = pc.is_null(found["rate"])
    no_day = LeftOut(lines_where(rows, pc.and_(missing, pc.is_null(found["day"]))), NO_TIME, declared.time)
    no_rate = LeftOut(lines_where(rows, pc.and_(missing, pc.is_valid(found["day"]))), NO_RATE, "currency")
    for name in AMOUNTS[table]:
        if name in rows.column_names:
            made = pc.multiply(rows[name], found["rate"])  # one for what is in the project's currency
            rows = rows.set_column(rows.column_names.index(name), name, made)
    turned = pc.and_(foreign, pc.is_valid(found["rate"]))
    if pc.any(turned).as_py():
        notes.append(
            say(
                "Amounts in {currencies:listing} that were turned into {currency}: {n:count}; age in days"
                " of the oldest rate: {days:count}.",
                currencies=sorted(pc.unique(rows["currency"].filter(turned)).to_pylist()),
                currency=exchange.currency,
                n=pc.sum(turned).as_py(),
                days=pc.max(found["age"].filter(turned)).as_py(),
            )
        )
    return without(without(rows, no_day.lines), no_rate.lines), [unknown, no_day, no_rate]


def _rates_of(rows: pa.Table, table: Table, exchange: Exchange) -> pa.Table:
    """The `rate` of each row, its `day` on the shop's clock, and the days that the rate is older (`age`)."""
    time = table.time
    assert time is not None
    at = rows[time] if time in rows.column_names else pa.nulls(rows.num_rows, pa.timestamp("us"))
    asked = pa.table({"row": np.arange(rows.num_rows), "currency": rows["currency"], "moment": at})
    rates = standard("rates")
    known = conform(exchange.rates if exchange.rates is not None else pa.table({}), rates)
    column = table.column(time)
    zone, own = literal(exchange.timezone), literal(exchange.currency)
    day = "moment" if column is not None and column.day else f"timezone({zone}, timezone('UTC', moment))"
    return ask(
        f"""
        WITH dated AS (SELECT *, CAST({day} AS DATE) AS day FROM asked),
             known AS (SELECT CAST(date AS DATE) AS since, currency, rate FROM rates)
        SELECT day, date_diff('day', since, day) AS age,
               CASE WHEN coalesce(currency, {own}) = {own} THEN 1 ELSE rate END AS rate
        FROM (SELECT d.*, k.since, k.rate FROM dated AS d
              ASOF LEFT JOIN known AS k ON d.currency = k.currency AND d.day >= k.since)
        ORDER BY row
        """,
        asked=asked,
        rates=known,
    )


def read_rates(
    rows: pa.Table, items: Sequence[str], inverse: str | None, own: str | None
) -> tuple[pa.Table, list[LeftOut]]:
    """Rows of the table `rates`, with `LINE`, from a file of quotes.

    Args:
        rows: `date`, `LINE` and either `currency` and `rate`, or a column a currency.
        items: Those columns, where there are any, named as people name currencies.
        inverse: The currency of whose one unit the quotes say the price in others (the European Central
            Bank's are for one euro); `""` for the project's. None when they are the price of one unit of
            each currency in the project's.
        own: The project's currency; None when it is not known.

    Returns:
        What one unit of each currency was worth in the project's, and the rows that are left out. Quotes for
        one unit of another currency than the project's are set against its own quote of the day.

    Raises:
        DataError: when that quote is nowhere in the file.
    """
    if items:
        rows = pa.concat_tables(
            pa.table(
                {
                    LINE: rows[LINE],
                    "date": rows["date"],
                    "currency": pa.repeat(currency_code(name), rows.num_rows),
                    "rate": rows[name],
                }
            )
            for name in items
        ).filter(pc.field("rate").is_valid())
    rows, unknown = with_codes(rows, own)
    faulty = LeftOut(lines_where(rows, pc.less_equal(rows["rate"], 0)), NOT_A_RATE, "rate")
    rows = without(rows, faulty.lines).sort_by(LINE)
    if inverse is None:
        return rows, [unknown, faulty]
    if inverse in ("", own) or own is None:
        rate = pc.divide(1.0, rows["rate"])
        return rows.set_column(rows.column_names.index("rate"), "rate", rate), [unknown, faulty]
    if not pc.any(pc.equal(rows["currency"], own)).as_py():
        raise DataError(
            "These are quotes for one {base}, and none of them is for {own}, the project's currency.",
            base=inverse,
            own=own,
        )
    crossed = ask(
        f"""
        WITH own AS (SELECT date, rate FROM rows WHERE currency = {literal(own)}),
             quoted AS (SELECT "{LINE}", date, currency, rate FROM rows
                        UNION ALL SELECT "{LINE}", date, {literal(inverse)}, 1 FROM rows
                        WHERE currency = {literal(own)})
        SELECT "{LINE}", date, currency, own.rate / quoted.rate AS rate
        FROM quoted JOIN own USING (date) WHERE currency <> {literal(own)} ORDER BY "{LINE}"
        """,
        rows=rows,
    )
    return crossed, [unknown, faulty]


def settle(orders: pa.Table, refunds: pa.Table) -> pa.Table:
    """The orders with `refund` as the greater of what they say themselves and the sum of their refunds.

    An order may say how much of it was given back so far, and rows of `refunds` may say it one by one. The
    greater is taken, not the sum, since both may speak of the same money; so it can be done again after
    every load, in any order of files. A credit (`order_lines`) has a negative revenue and negative refunds,
    and of these the least is taken.

    Args:
        orders: The table `orders`.
        refunds: The table `refunds`; those whose order is not there wait for it.
    """
    numbered = pa.table(
        {
            "row": np.arange(orders.num_rows),
            **{name: orders[name] for name in ("order_id", "revenue", "refund")},
        }
    )
    # the sum is made in order, so that it has the same last bits each time
    made = ask(
        """
        WITH back AS (SELECT order_id, sum(amount ORDER BY amount) AS amount FROM refunds GROUP BY order_id)
        SELECT CASE WHEN o.revenue < 0 THEN least(o.refund, b.amount)
                    ELSE greatest(o.refund, b.amount) END AS refund
        FROM numbered AS o LEFT JOIN back AS b ON o.order_id = b.order_id ORDER BY o.row
        """,
        numbered=numbered,
        refunds=refunds.select(["order_id", "amount"]),
    )
    return orders.set_column(orders.column_names.index("refund"), "refund", made["refund"])


def split_refunds(
    rows: pa.Table, notes: list[Message], *, salt: str = ""
) -> tuple[pa.Table, pa.Table | None]:
    """Orders, and the rows of negative revenue among them as rows of `refunds`; both with `LINE`.

    A negative row without an order number may belong to any order of its customer: it stays as it is, so that
    what the customer paid adds up.
    """
    if "revenue" not in rows.column_names:
        return rows, None
    negative = pc.fill_null(pc.less(rows["revenue"], 0), False)
    numbered = pc.is_valid(rows["order_id"]) if "order_id" in rows.column_names else False
    tied = pc.and_(negative, numbered)
    if untied := (pc.sum(negative).as_py() or 0) - (pc.sum(tied).as_py() or 0):
        notes.append(
            say("Rows of negative revenue without an order number, left as they are: {n:count}.", n=untied)
        )
    if not pc.any(tied).as_py():
        return rows, None
    back = with_key(rows.filter(tied), "refund_id", [], salt=salt)
    back = back.append_column("amount", pc.negate(back["revenue"]))
    notes.append(
        say("Rows of negative revenue taken as refunds of their orders: {n:count}.", n=back.num_rows)
    )
    kept = [name for name in (*standard("refunds").names, LINE) if name in back.column_names]
    return rows.filter(pc.invert(tied)), back.select(kept)


def positive(refunds: pa.Table, notes: list[Message]) -> pa.Table:
    """Refunds with their amounts above zero, where a file has written all of them as negative numbers."""
    ends = pc.min_max(refunds["amount"]).as_py()
    if ends["max"] is None or ends["max"] > 0 or ends["min"] >= 0:
        return refunds
    notes.append(say("The amounts of the refunds are below zero; they were taken as what was given back."))
    return refunds.set_column(refunds.column_names.index("amount"), "amount", pc.abs(refunds["amount"]))
