"""What people have agreed to, as it was when something happened.

Of all statements of a customer about a purpose the newest at or before a moment holds. Statements count from
the beginning of their second; of two in the same second the withdrawal wins. A statement without a time holds
from the beginning. Who never said anything has not agreed.

A customer's agreement is a set of stretches of time that do not overlap: from each yes to the next statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Any

import ibis

from workbench.engines import Engine, fetch
from workbench.locale import Message, say

LEAST_GROUP = 10
"""Groups of fewer customers are not compared."""

_BEGINNING = datetime(1900, 1, 1)
_LATEST = datetime(2199, 12, 31)
_END = datetime(2200, 1, 1)


def consented(rows: Any, consents: Any, purpose: str, time: str | None, customer: str = "customer_id") -> Any:
    """The rows (an Ibis expression) whose customer had agreed to `purpose` when they happened.

    Args:
        rows: Ibis table with the column `customer`.
        consents: The table `consents` as an Ibis table.
        purpose: As it stands in `consents.purpose`.
        time: The column of `rows` that says when. None takes the newest statement of all, as does a row whose
            time is empty.
        customer: The column of `rows` that names the customer.

    Returns:
        An Ibis table with the columns of `rows`; no row comes twice that was there once.
    """
    agreed = _agreed(consents, purpose)
    latest: Any = ibis.literal(_LATEST)
    at = latest if time is None else ibis.coalesce(rows[time], latest)
    return rows.semi_join(
        agreed,
        [rows[customer] == agreed.consent_customer, agreed.consent_from <= at, at < agreed.consent_until],
    )


@dataclass(frozen=True)
class ConsentShare:
    """How much consent leaves of a table.

    Attributes:
        purpose: What had to be agreed to.
        rows, rows_kept: Rows of the table, and those that are kept.
        customers, customers_kept: Customers with a row, and those with one that is kept.
    """

    purpose: str
    rows: int
    rows_kept: int
    customers: int
    customers_kept: int

    @property
    def note(self) -> Message:
        """What was left out, in a sentence."""
        return say(
            "{rows:count} of {all_rows:count} rows and {people:count} of {all_people:count} customers were"
            " left out, since “{purpose}” had not been agreed to when they happened.",
            rows=self.rows - self.rows_kept,
            all_rows=self.rows,
            people=self.customers - self.customers_kept,
            all_people=self.customers,
            purpose=self.purpose,
        )


def consent_share(
    engine: Engine, rows: Any, consents: Any, purpose: str, time: str | None, customer: str = "customer_id"
) -> ConsentShare:
    """Rows and customers of a table that consent keeps; arguments as of `consented`."""
    counts = []
    for some in (rows, consented(rows, consents, purpose, time, customer)):
        counted = some.aggregate(rows_=some.count(), customers_=some[customer].nunique())
        (row,) = fetch(engine, counted)
        counts.append((int(row["rows_"]), int(row["customers_"])))
    (all_rows, all_customers), (kept_rows, kept_customers) = counts
    return ConsentShare(purpose, all_rows, kept_rows, all_customers, kept_customers)


@dataclass(frozen=True)
class Group:
    """Orders a customer in a group of `customers`; `mean` and its standard `error` if they are enough."""

    customers: int
    mean: float | None
    error: float | None


@dataclass(frozen=True)
class ConsentContrast:
    """Those who agree by their newest statement, held against the others.

    Attributes:
        purpose: What was agreed to.
        agreed, others: Their orders.
    """

    purpose: str
    agreed: Group
    others: Group

    @property
    def note(self) -> Message | None:
        """What this says about the bias of keeping only those who agreed; None when a group is too small."""
        if self.agreed.mean is None or self.others.mean is None:
            return None
        values = {"agreed": self.agreed.mean, "others": self.others.mean, "purpose": self.purpose}
        error = sqrt((self.agreed.error or 0.0) ** 2 + (self.others.error or 0.0) ** 2)
        if abs(self.agreed.mean - self.others.mean) <= 1.96 * error:
            return say(
                "Customers who agreed to “{purpose}” placed {agreed:number} orders each, the others"
                " {others:number}: no more apart than chance brings, though they may differ in other ways.",
                **values,
            )
        return say(
            "Customers who agreed to “{purpose}” placed {agreed:number} orders each, the others"
            " {others:number}: what is found for those who agreed need not hold for all.",
            **values,
        )


def consent_contrast(
    engine: Engine, customers: Any, orders: Any, consents: Any, purpose: str
) -> ConsentContrast:
    """Hold those who agree against the others by their number of orders; only sums leave the engine.

    Args:
        engine: Where the tables are.
        customers: Ibis table with `customer_id`: everybody who could have agreed (repeats count once).
        orders: Ibis table with `customer_id`.
        consents: The table `consents`.
        purpose: As it stands there.
    """
    people = customers.select("customer_id").distinct()
    agreed = consented(people, consents, purpose, None).select(agreed_id="customer_id", agreed_=1)
    placed = orders.group_by("customer_id").aggregate(orders_=orders.count())
    placed = placed.select("orders_", buyer_id="customer_id")
    each = people.left_join(agreed, people.customer_id == agreed.agreed_id)
    each = each.left_join(placed, each.customer_id == placed.buyer_id)
    each = each.select(
        agreed_=ibis.coalesce(each.agreed_, 0), orders_=ibis.coalesce(each.orders_, 0).cast("float64")
    )
    cells = each.group_by("agreed_").aggregate(
        n_=each.count(), mean_=each.orders_.mean(), variance_=each.orders_.var(how="sample")
    )
    groups = {int(row["agreed_"]): _group(row) for row in fetch(engine, cells)}
    nobody = Group(0, None, None)
    return ConsentContrast(purpose, groups.get(1, nobody), groups.get(0, nobody))


def _agreed(consents: Any, purpose: str) -> Any:
    """Stretches of time in which somebody agrees: `consent_customer`, `consent_from`, `consent_until`."""
    said = consents.filter(consents.purpose == purpose)
    said = said.mutate(consent_from=ibis.coalesce(said.ts.truncate("s"), ibis.literal(_BEGINNING)))
    said = said.group_by("customer_id", "consent_from").aggregate(
        withdrawn_=ibis.ifelse(said.granted, 0, 1).max()
    )
    following = said.consent_from.lead().over(group_by="customer_id", order_by="consent_from")
    said = said.mutate(consent_until=ibis.coalesce(following, ibis.literal(_END)))
    return said.filter(said.withdrawn_ == 0).select(
        "consent_from", "consent_until", consent_customer="customer_id"
    )


def _group(row: Any) -> Group:
    count = int(row["n_"])
    if count < LEAST_GROUP:
        return Group(count, None, None)
    return Group(count, float(row["mean_"]), sqrt(float(row["variance_"]) / count))
