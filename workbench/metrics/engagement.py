"""Visits, time on pages, chats and social networks as sums (Ibis expressions); no customer leaves the engine.

Shares of visits or stays of the same customers need to know how alike those are, so of what each customer did
(x) out of how much (n) the sums of x, n, x², x n and n² over customers leave the engine (`models.clusters`).
Times are counted in bins of ln t, whose edges are 30 · e^{0.05 j} seconds, each with the sums of ln t and
(ln t)², from which a lognormal and any quantile are had (`models.durations`).

All answers but those on social networks add up over disjoint sets of customers by their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import ibis

from workbench.clock import DAY
from workbench.engines import whole_seconds
from workbench.metrics.sessions import Source, dwell, sessions
from workbench.segments import NOT_KNOWN, is_credit, label

CAP_SECONDS: Final = 1800
"""Stays are only known to be as long as this where they are longer."""
LONG_SECONDS: Final = 30
BIN_WIDTH: Final = 0.05
BEYOND: Final = 100_000
"""The bin of the stays of `CAP_SECONDS` or more."""
ORDER: Final = "conversion"
"""Success is an order in the visit; an event is `event:` and its name."""
EVERYBODY: Final = ""

Clock = Sequence[tuple[int, int]]


def pairs(rows: Any, keys: Sequence[str], of: Mapping[str, tuple[str, str]]) -> Any:
    """Sums over customers, by `keys`, of x and n: `{name}_x`, `_n`, `_xx`, `_xn`, `_nn`, `_customers`.

    Args:
        rows: One row a customer and combination of keys.
        keys: Columns.
        of: Name → the columns of x and n.
    """
    sums: dict[str, Any] = {}
    for name, (x_name, n_name) in of.items():
        x, n = rows[x_name].cast("float64"), rows[n_name].cast("float64")
        parts = {"x": x, "n": n, "xx": x * x, "xn": x * n, "nn": n * n}
        sums |= {f"{name}_{part}": value.sum() for part, value in parts.items()}
        sums[f"{name}_customers"] = _count(n > 0)
    return rows.group_by(list(keys)).aggregate(**sums)


# --- visits ---------------------------------------------------------------------------------------------


def visits(events: Any, orders: Any, *, gap_minutes: int, success: str | None) -> Any:
    """One row a visit: what `metrics.sessions.sessions` gives, and `done`: 1 where it ended in success.

    Args:
        events: The table.
        orders: The table, needed where success is an order.
        gap_minutes: A visit without a name ends when nothing happens for longer.
        success: `ORDER`, `event:NAME` or None.
    """
    rows = sessions(events, gap_minutes, _event(success))
    if success != ORDER:
        return rows.mutate(done=ibis.ifelse(rows.done > 0, 1, 0).cast("int64"))
    placed = purchases(orders)
    met = rows.select("customer_id", "session", "start", "seconds").inner_join(placed, "customer_id")
    within = (met.at >= met.start) & (met.at <= met.start + met.seconds + 60 * gap_minutes)
    met = met.filter(within).select("customer_id", "session").distinct().mutate(met=ibis.literal(1, "int64"))
    both = rows.drop("done").left_join(met, ["customer_id", "session"])
    columns = [name for name in rows.columns if name != "done"]
    return both.select(*columns, done=ibis.coalesce(both.met, ibis.literal(0, "int64")))


def by_week(rows: Any, clock: Clock) -> Any:
    """Visits by `week` (of Monday, weeks since 1970) and `pages`: `n`; of `visits`."""
    rows = rows.mutate(week=_week(rows.start, clock))
    return rows.group_by("week", "pages").aggregate(n=rows.count())


def of_visitors(rows: Any) -> Any:
    """One row of `pairs` over customers: `pages`, `single` and `done` of their visits with a page."""
    rows = rows.filter(rows.pages > 0)
    each = rows.group_by("customer_id").aggregate(
        visits=rows.count(), pages=rows.pages.sum(), single=_count(rows.pages == 1), done=rows.done.sum()
    )
    each = each.mutate(whole=ibis.literal(1, "int64"))
    return pairs(each, ["whole"], {name: (name, "visits") for name in ("pages", "single", "done")})


# --- time on pages --------------------------------------------------------------------------------------


def stays(events: Any, visited: Any, *, gap_minutes: int, source: Source, least_seconds: int) -> Any:
    """One row a stay with what is counted of it.

    Args:
        events: The table.
        visited: What `visits` gives.
        gap_minutes: See `visits`.
        source: What tells how long a stay lasted.
        least_seconds: The hurdle.

    Returns:
        `customer_id`, `session`, `page`, `page_type`, `device`; `measured`, `kept` (measured and past the
        hurdle), `long`, `back`, `beyond` (past the cap), 0 or 1; `log` of the seconds, none beyond the cap,
        0 where not kept; `single` and `done` of its visit.
    """
    rows = dwell(events, gap_minutes, source)
    rows = rows.left_join(
        visited.select("customer_id", "session", "pages", "done"), ["customer_id", "session"]
    )
    known = rows.seconds.notnull()
    kept = known & (rows.seconds >= least_seconds)
    counted = ibis.ifelse(kept, ibis.least(rows.seconds, float(CAP_SECONDS)), 1.0).cast("float64")
    page = path(rows.page)
    return rows.select(
        *("customer_id", "session", "device", "back", "done"),
        page=page,
        page_type=ibis.coalesce(rows.page_type, first_part(page)),
        measured=_flag(known),
        kept=_flag(kept),
        long=_flag(known & (rows.seconds > LONG_SECONDS)),
        beyond=_flag(kept & (rows.seconds >= CAP_SECONDS)),
        log=counted.ln(),
        single=_flag(rows.pages == 1),
    )


def grouped(rows: Any, customers: Any, by: str | None) -> Any:
    """The stays with a column `group`: of their own, or of the customers'.

    Args:
        rows: What `stays` gives.
        customers: The table, needed where `by` is one of its columns.
        by: `page`, `page_type`, `device` or a column of customers; None for everybody together.
    """
    if by is None:
        return rows.mutate(group=ibis.literal(EVERYBODY))
    if by in rows.columns:
        return rows.mutate(group=ibis.coalesce(rows[by], ibis.literal(NOT_KNOWN)))
    named = customers.select("customer_id", group=label(customers[by]))
    joined = rows.left_join(named, "customer_id").drop("customer_id_right")
    return joined.mutate(group=ibis.coalesce(joined.group, ibis.literal(NOT_KNOWN)))


STAY_PAIRS: Final = {
    "measured": ("measured", "n"),
    "kept": ("kept", "n"),
    "long": ("long", "measured"),
    "log": ("log", "kept"),
    "back": ("back", "n"),
    "single": ("single", "visits"),
    "done": ("done", "visits"),
}


def of_stays(rows: Any, *, split: bool = True) -> Any:
    """`pairs` over customers by `whole` and `group`, with the names of `STAY_PAIRS`; of `grouped`.

    Everybody together is a row with `whole` 1; with `split` there is one more for each group.
    """
    names = ("measured", "kept", "long", "log", "back")
    visits = rows.group_by("customer_id", "session", "group").aggregate(
        n=rows.count(), single=rows.single.max(), done=rows.done.max(), **{x: rows[x].sum() for x in names}
    )

    def summed(each: Any) -> Any:
        each = each.group_by("customer_id", "whole", "group").aggregate(
            visits=each.count(), **{x: each[x].sum() for x in ("n", "single", "done", *names)}
        )
        return pairs(each, ["whole", "group"], STAY_PAIRS)

    together = visits.group_by("customer_id", "session").aggregate(
        single=visits.single.max(), done=visits.done.max(), **{x: visits[x].sum() for x in ("n", *names)}
    )
    return _both(visits, together, split, summed)


def in_bins(rows: Any, groups: Sequence[str] | None) -> Any:
    """Stays past the hurdle by `whole`, `group` and `bin`: `n`, `logs`, `squares`; of `grouped`.

    Args:
        rows: What `grouped` gives.
        groups: Those that are counted apart, beside everybody together; none of them when None.
    """
    rows = rows.filter(rows.kept == 1)
    edge = ibis.literal(LONG_SECONDS, "float64").ln()
    place = ((rows.log - edge) / BIN_WIDTH + 1e-9).floor().cast("int64")
    rows = rows.mutate(bin=ibis.ifelse(rows.beyond == 1, ibis.literal(BEYOND, "int64"), place))

    def summed(each: Any) -> Any:
        return each.group_by("whole", "group", "bin").aggregate(
            n=each.count(), logs=each.log.sum(), squares=(each.log * each.log).sum()
        )

    apart = rows if groups is None else rows.filter(rows.group.isin(list(groups)))
    return _both(apart, rows, groups is not None, summed)


def _both(apart: Any, together: Any, split: bool, summed: Callable[[Any], Any]) -> Any:
    """Sums of everybody together and of each group from one walk through the events."""
    whole = summed(together.mutate(whole=ibis.literal(1, "int64"), group=ibis.literal(EVERYBODY)))
    if not split:
        return whole
    return ibis.union(whole, summed(apart.mutate(whole=ibis.literal(0, "int64"))))


def path(page: Any) -> Any:
    """A page without its host, query and fragment; a page that is a title stays as it is."""
    bare = page.re_replace("^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "").re_replace("[?#].*$", "")
    return ibis.coalesce(bare.nullif(""), "/")


def first_part(page: Any) -> Any:
    """`/product` of `/product/p001`; a page that is a title stays as it is."""
    return ibis.coalesce(page.re_extract("^/[^/]*", 0).nullif(""), page)


# --- chats ----------------------------------------------------------------------------------------------


def of_chats(events: Any, start: str, resolved: str | None) -> Any:
    """One row of `pairs`, `resolved`: chats that were resolved before the customer's next one, of all."""
    rows = events.filter(events.name.isin([start] if resolved is None else [start, resolved]))
    event_id = rows.event_id.cast("string") if "event_id" in rows.columns else ibis.null("string")
    rows = rows.select("customer_id", "ts", "name", event_id=event_id)
    in_order = ibis.window(group_by="customer_id", order_by=["ts", "event_id"])
    rows = rows.mutate(follows=rows.name.lead().over(in_order))
    rows = rows.filter(rows.name == start)
    each = rows.group_by("customer_id").aggregate(
        n=rows.count(), resolved=_count(rows.follows == ibis.literal(resolved or ""))
    )
    each = each.mutate(whole=ibis.literal(1, "int64"))
    return pairs(each, ["whole"], {"resolved": ("resolved", "n")})


def after_chats(
    events: Any, orders: Any, *, start: str, success: str, window_days: int, until: int, clock: Clock
) -> Any:
    """One row a customer and week in which they did anything: whether success followed.

    In the week of a customer's first chat the days count from the chat, in a week before it, and in any week
    of somebody who never chats, from the first event; weeks after it are left out. So both are seen at a
    moment when they were active, and nobody is put into a group by what they did later.

    Returns:
        `customer_id`, `week`, `chatted` and `done`, 0 or 1; only where all days lie before `until`.
    """
    rows = events.select("customer_id", "name", at=whole_seconds(events.ts))
    rows = rows.mutate(week=_week(rows.at, clock))
    first = rows.filter(rows.name == start).group_by("customer_id").aggregate(chat=lambda t: t.at.min())
    seen = rows.group_by("customer_id", "week").aggregate(at=rows.at.min())
    seen = seen.left_join(first, "customer_id").drop("customer_id_right")
    chat_week = _week(seen.chat, clock)
    seen = seen.filter(seen.chat.isnull() | (chat_week >= seen.week))
    chatted = ibis.coalesce(_week(seen.chat, clock) == seen.week, ibis.literal(False))
    seen = seen.mutate(chatted=_flag(chatted), since=ibis.ifelse(chatted, seen.chat, seen.at))
    seen = seen.filter(seen.since + window_days * DAY <= until)
    if success == ORDER:
        done = purchases(orders)
    else:
        done = rows.filter(rows.name == _event(success)).select("customer_id", "at")
    done = done.select("customer_id", then="at")
    met = seen.select("customer_id", "week", "since").inner_join(done, "customer_id")
    met = met.filter((met.then > met.since) & (met.then <= met.since + window_days * DAY))
    met = met.select("customer_id", "week").distinct().mutate(met=ibis.literal(1, "int64"))
    both = seen.left_join(met, ["customer_id", "week"])
    return both.select(
        "customer_id", "week", "chatted", done=ibis.coalesce(both.met, ibis.literal(0, "int64"))
    )


def chat_weeks(rows: Any) -> Any:
    """Customers by `week` and `chatted`: `n`, and `done` of them; of `after_chats`."""
    return rows.group_by("week", "chatted").aggregate(n=rows.count(), done=rows.done.sum().cast("int64"))


def of_chatters(rows: Any) -> Any:
    """`pairs` over customers by `chatted`: `done` of their weeks; of `after_chats`."""
    each = rows.group_by("customer_id", "chatted").aggregate(n=rows.count(), done=rows.done.sum())
    return pairs(each, ["chatted"], {"done": ("done", "n")})


# --- social networks ------------------------------------------------------------------------------------


def of_posts(social: Any) -> Any:
    """Reactions by `network`, `type`, `post` and `known`: `n` of them, `reach` and `days`.

    How many people a post reached on a day is the same whatever they did with it, so a row without reach
    takes that of another type of the same day and post. Rows without a post are units of their own, a day
    each. `known` is 0 where the reach is not.
    """
    post = social.post.cast("string") if "post" in social.columns else ibis.null("string")
    reach = social.reach if "reach" in social.columns else ibis.null("int64")
    rows = social.select("network", "type", "count", "date", post=post, reach=reach)
    rows = rows.filter(rows["count"] >= 0)
    same = ibis.window(group_by=["network", "post", "date"])
    rows = rows.mutate(reach=ibis.coalesce(rows.reach.max().over(same), ibis.literal(0, "int64")))
    rows = rows.mutate(
        known=_flag(rows.reach > 0),
        day=ibis.ifelse(rows.post.isnull(), whole_seconds(rows.date) // DAY, ibis.literal(0, "int64")),
    )
    keys = ["network", "type", "post", "day", "known"]
    return rows.group_by(keys).aggregate(
        n=rows["count"].sum().cast("int64"),
        reach=rows.reach.sum().cast("int64"),
        days=rows.date.nunique(),
    )


# --- parts ----------------------------------------------------------------------------------------------


def _event(success: str | None) -> str | None:
    """The name of the event that success is; None where it is no event."""
    kind, _, name = (success or "").partition(":")
    return name if kind == "event" and name else None


def purchases(orders: Any) -> Any:
    """`customer_id` and `at` of the orders that are purchases."""
    bought = orders.filter(~is_credit(orders)) if "revenue" in orders.columns else orders
    return bought.select("customer_id", at=whole_seconds(bought.ts))


def on_clock(at: Any, clock: Clock) -> Any:
    """Seconds since 1970 as they stand on the project's clock."""
    ahead: Any = ibis.literal(clock[0][1], "int64")
    for since, seconds in clock[1:]:
        ahead = ibis.ifelse(at >= since, ibis.literal(seconds, "int64"), ahead)
    return at + ahead


def _week(at: Any, clock: Clock) -> Any:
    """Weeks since that of 29 December 1969, a Monday, on the project's clock."""
    return (on_clock(at, clock) // DAY + 3) // 7


def _flag(condition: Any) -> Any:
    """1 or 0; 0 where nothing is known."""
    return ibis.ifelse(ibis.coalesce(condition, ibis.literal(False)), 1, 0).cast("int64")


def _count(condition: Any) -> Any:
    return _flag(condition).sum()
