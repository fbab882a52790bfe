"""Visits, and how long people stayed on a page (Ibis expressions over `events`).

A session is what the export calls one. Where it names none, it is a customer's events on one device without a
gap of more than half an hour (`gap_minutes`), also across midnight; somebody with two devices is in two
sessions at once. Times are whole seconds, so that every engine finds the same.

A stay is a stretch of events of one session on one page. How long it lasts is known from one of two sources,
which are never mixed, since they measure different things:

    difference   until the next page of the session. Nobody knows when the last page of a session was left, so
                 its time is not measured, which is not nought.
    engagement   how long the page was in front, which an export tells (`engagement_time_msec` of Google
                 Analytics 4, milliseconds, the sum over the events of the stay); where it does not, the time
                 is not measured.

Events without a page (a purchase that the shop's server sends) belong to a session and to no stay.
"""

from __future__ import annotations

from typing import Any, Literal

import ibis

from workbench.engines import whole_seconds

GAP_MINUTES = 30
ENGAGEMENT = "engagement_time_msec"

Source = Literal["difference", "engagement"]
"""What tells how long a stay lasted."""


def sessions(events: Any, gap_minutes: int = GAP_MINUTES, done: str | None = None) -> Any:
    """One row a session.

    Args:
        events: The table `events`; columns that it lacks say nothing.
        gap_minutes: A session without a name ends when nothing happens for longer.
        done: The name of an event.

    Returns:
        `customer_id`, `session` (text, different for each session of a customer), `device`, `start` (int64
        seconds since 1970), `seconds` (int64, from its first event to its last), `pages` (stays), `events`,
        `done` (how many of them have the name that was given).
    """
    rows = in_sessions(events, gap_minutes)
    each = rows.group_by("customer_id", "session").aggregate(
        device=rows.device.min(),
        start=rows.at.min(),
        seconds=rows.at.max() - rows.at.min(),
        events=rows.count(),
        done=ibis.ifelse(rows.name == ibis.literal(done or ""), 1, 0).sum(),
    )
    stays = _stays(rows)
    pages = stays.group_by("customer_id", "session").aggregate(pages=stays.count())
    both = each.left_join(pages, ["customer_id", "session"])
    return both.select(
        *("customer_id", "session", "device", "start", "seconds", "events", "done"),
        pages=ibis.coalesce(both.pages, ibis.literal(0, "int64")),
    )


def dwell(events: Any, gap_minutes: int = GAP_MINUTES, source: Source | None = None) -> Any:
    """One row a stay on a page.

    Args:
        events: See `sessions`.
        gap_minutes: See `sessions`.
        source: What tells how long a stay lasted; what the export measured if the table has it, when None.

    Returns:
        `customer_id`, `session`, `page`, `ts`, `start` (the same as int64 seconds since 1970), `seconds`
        (float64; null where the source does not measure it), `events`, `device`, `page_type` (null where the
        table has none) and `back` (int64: 1 when it ended by going straight back to the page before it).
    """
    told = source or ("engagement" if measures(events) else "difference")
    stays = _stays(in_sessions(events, gap_minutes))
    elapsed = (stays.leaves - stays.start).cast("float64")
    back = ibis.ifelse(ibis.coalesce(stays.after == stays.before, ibis.literal(False)), 1, 0).cast("int64")
    return stays.select(
        *("customer_id", "session", "page", "ts", "start", "events", "device", "page_type"),
        seconds=stays.engaged if told == "engagement" else elapsed,
        back=back,
    )


def measures(events: Any) -> bool:
    """Whether the table has a column for how long a page was in front."""
    return ENGAGEMENT in events.columns and bool(events[ENGAGEMENT].type().is_numeric())


def in_sessions(events: Any, gap_minutes: int) -> Any:
    """The events with `session` and `at` (whole seconds)."""
    texts = {
        name: events[name].cast("string") if name in events.columns else ibis.null("string")
        for name in ("event_id", "session_id", "page", "page_type", "device")
    }
    rows = events.select(
        "customer_id", "ts", "name", **texts, at=whole_seconds(events.ts), engaged=_engagement(events)
    )
    # one stretch of events: of a named session, or of a device without one
    alike = ["customer_id", "session_id", _device(rows)]
    in_order = ibis.window(group_by=alike, order_by=["ts", "event_id"])
    rows = rows.mutate(before=rows.at.lag().over(in_order))
    goes_on = rows.session_id.notnull() | (rows.at - rows.before <= gap_minutes * 60)
    rows = rows.mutate(begun=ibis.ifelse(rows.before.notnull() & goes_on, ibis.null("int64"), rows.at))
    so_far = ibis.window(group_by=alike, order_by=["ts", "event_id"], preceding=None, following=0)
    rows = rows.mutate(start=rows.begun.max().over(so_far))  # the last beginning, since seconds only grow
    made = ibis.literal("@") + rows.start.cast("string") + ibis.literal(" ") + _device(rows)
    return rows.mutate(session=ibis.coalesce(rows.session_id, made))


def _device(rows: Any) -> Any:
    """The device of events that name no session; one that is not known is a device of its own."""
    known = ibis.coalesce(rows.device, ibis.literal(""))
    return ibis.ifelse(rows.session_id.isnull(), known, ibis.literal(""))


def _engagement(events: Any) -> Any:
    """Seconds that the export measured, as float64; null where it did not."""
    if measures(events):
        return events[ENGAGEMENT].cast("float64") / 1000.0
    return ibis.null("float64")


def _stays(rows: Any) -> Any:
    """One row a stay; `before` and `after` are the pages next to it, `leaves` is when `after` began."""
    rows = rows.filter(rows.page.notnull())
    whole = ["customer_id", "session"]
    in_order = ibis.window(group_by=whole, order_by=["ts", "event_id"])
    rows = rows.mutate(above=rows.page.lag().over(in_order))
    rows = rows.mutate(comes=ibis.ifelse(rows.page == rows.above, 0, 1))  # 1 for the first, too
    so_far = ibis.window(group_by=whole, order_by=["ts", "event_id"], preceding=None, following=0)
    rows = rows.mutate(stay=rows.comes.sum().over(so_far))
    each = rows.group_by(*whole, "stay").aggregate(
        page=rows.page.min(),
        start=rows.at.min(),
        ts=rows.ts.min(),
        engaged=rows.engaged.sum(),
        events=rows.count(),
        device=rows.device.min(),
        page_type=rows.page_type.min(),
    )
    along = ibis.window(group_by=whole, order_by="stay")
    return each.mutate(
        leaves=each.start.lead().over(along),
        after=each.page.lead().over(along),
        before=each.page.lag().over(along),
    )
