"""Customers whom nobody paid for, and customers who brought others; first level only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis


def by_first_day(each: Any, customers: Any, media: Sequence[str], *, end_day: int) -> Any:
    """New customers by the day of their first purchase: `day`, `n` with a known medium, `free` of them.

    Args:
        each: Rows of `customer_id`, `tenure_days`.
        customers: With `customer_id`, `medium`.
        media: Media that nobody pays for.
        end_day: Last day that is used.
    """
    joined = each.select("customer_id", "tenure_days").inner_join(
        customers.filter(customers.medium.notnull()).select("customer_id", "medium"), "customer_id"
    )
    free = joined.medium.lower().isin(list(media))
    dated = joined.mutate(
        day=(ibis.literal(end_day, "int64") - joined.tenure_days).cast("int64"), free_=ibis.ifelse(free, 1, 0)
    )
    return dated.group_by("day").aggregate(n=dated.count(), free=dated.free_.sum())


def conversion(referrals: Any, each: Any) -> Any:
    """One row: how many customers were `referred`, and how many of them have `bought`."""
    referred = referrals.select(customer_id=referrals.referred_id).distinct()
    known = referred.left_join(each.select("customer_id", "x"), "customer_id")
    return known.aggregate(referred=known.count(), bought=known.x.count())


def brought(referrals: Any, each: Any) -> Any:
    """One row: customers who were `brought` and bought, the `referrers` they count for, and claimed `twice`.

    Whom more than one claims counts for the first who did; nobody counts for having brought themselves, and
    only referrers who are customers do.
    """
    others = referrals.filter(referrals.referrer_id != referrals.referred_id)
    theirs = others.semi_join(each.select(referred_id="customer_id"), "referred_id")
    theirs = theirs.semi_join(each.select(referrer_id="customer_id"), "referrer_id")
    one = theirs.group_by("referred_id").aggregate(
        referrer=theirs.referrer_id.argmin(theirs.ts), claims=theirs.referrer_id.nunique()
    )
    return one.aggregate(
        brought=one.count(),
        referrers=one.referrer.nunique(),
        twice=ibis.ifelse(one.claims > 1, 1, 0).sum(),
    )
