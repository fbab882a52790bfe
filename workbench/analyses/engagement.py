"""What people do on pages, in social networks and in chats: sums → posteriors → a view of four parts.

Each part is there, or says in one sentence what it needs. Differences between groups are associations: nobody
was put into a group at random, and a longer stay may be interest or confusion, so what the visits led to is
always beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.analyses.carts import CARTS, LOOKS, Carts, usual, way
from workbench.analyses.chats import Chats, chats
from workbench.analyses.consent import consent_checks
from workbench.analyses.estimates import Estimate, Needs, clustered, of_arm, share_of
from workbench.analyses.hours import Hours, when
from workbench.analyses.social import Social, social
from workbench.analyses.stays import TimeOnPage, time_on_page
from workbench.clock import day_number, offsets
from workbench.engines import Engine, has, span, table
from workbench.errors import DataError, WorkbenchError, check_between, check_choice
from workbench.locale import Message, say
from workbench.metrics import actions
from workbench.metrics import engagement as sums
from workbench.metrics.cells import ask
from workbench.metrics.engagement import CAP_SECONDS, ORDER
from workbench.metrics.sessions import ENGAGEMENT, GAP_MINUTES, Source, measures
from workbench.models.counts import negative_binomial
from workbench.records import Check

if TYPE_CHECKING:
    from workbench.project import Project

MOST_PAGES = 10
"""Visits of so many pages or more are counted together."""
_OWN = ("page_type", "page", "device")
_PURCHASES = ("purchase", "order", "order_completed", "checkout_completed", "compra", "pedido")
_FIRST_MONDAY = date(1969, 12, 29)


@dataclass(frozen=True)
class EngagementSettings:
    """What is asked.

    Attributes:
        by: Stays by `page`, `page_type`, `device` or a column of customers; None for everybody together.
        source: What tells how long a stay lasted; what the export measured where it did, when None.
        success: What a visit should end in: `conversion` (an order) or `event:NAME`; found when None.
        gap_minutes: A visit without a name ends when nothing happens for longer.
        least_seconds: Shorter stays do not count as stays.
        level: Of the intervals.
        chat_start, chat_resolved: Names of events; `chat_start` and `chat_resolved` if there are, when None.
        window_days: Success counts for so many days after a chat.
        looked, carted: Names of events: a product is looked at, something is put into the cart; the usual
            names when None.
        cart_hours: So long after that an order counts.
    """

    by: str | None = "page_type"
    source: Source | None = None
    success: str | None = None
    gap_minutes: int = GAP_MINUTES
    least_seconds: int = 1
    level: float = 0.95
    chat_start: str | None = None
    chat_resolved: str | None = None
    window_days: int = 14
    looked: str | None = None
    carted: str | None = None
    cart_hours: int = 24


@dataclass(frozen=True)
class Week:
    """A week from Monday on.

    Attributes:
        monday: Its first day.
        visits: How many began in it.
        pages: A visit has on average; None without visits with a page.
        whole: Whether the data cover all of it.
    """

    monday: date
    visits: int
    pages: float | None
    whole: bool


@dataclass(frozen=True)
class Visits:
    """Visits and their pages.

    Attributes:
        total, customers: Visits with a page, and those who made them.
        without_page: Visits that hold no page, such as an order sent by a server; in no share.
        weeks: In order.
        usual_week: Median of visits over whole weeks.
        pages: Mean pages per visit. single: Share of visits with one page. done: Share that ended in success.
        histogram: Pages → share of visits, as seen and as a zero-truncated negative binomial has it; the last
            is `MOST_PAGES` or more.
    """

    total: int
    customers: int
    without_page: int
    weeks: tuple[Week, ...]
    usual_week: float
    pages: Estimate
    single: Estimate
    done: Estimate | None
    histogram: tuple[tuple[int, float, float], ...]
    sentence: Message


@dataclass(frozen=True)
class EngagementView:
    """The answer.

    Attributes:
        settings: What was asked, with what was found filled in.
        names: Names of events, the most frequent first.
        when: When people come.
        carts: From a look at a product to an order.
        checks: What consent leaves of the events.
    """

    settings: EngagementSettings
    names: tuple[str, ...]
    visits: Visits | Needs
    time: TimeOnPage | Needs
    social: Social | Needs
    chats: Chats | Needs
    when: Hours | Needs
    carts: Carts | Needs
    checks: tuple[Check, ...] = ()


def analyse(project: Project, **settings: Any) -> EngagementView:
    """What people did on pages, in social networks and in chats.

    Args:
        project: With `events`, `social` or both; `orders` tell of success where no event does.
        settings: Those of `EngagementSettings`.

    Raises:
        WorkbenchError: a setting is not one, or out of its range.
        DataError: the source is not there.
    """
    for name in settings:
        check_choice(name, [field.name for field in fields(EngagementSettings)], say("setting"))
    engine = project.engine
    names = event_names(engine)
    asked = _found(engine, EngagementSettings(**settings), names)
    edges = span(engine, "events") if names else None
    networks = social(engine, asked.level)
    if edges is None:
        none = Needs(say("Visits, time on pages and chats need the table events."))
        return EngagementView(asked, names, none, none, networks, none, none, none)
    events = table(engine, "events")
    orders = table(engine, "orders") if has(engine, "orders") else None
    visited = sums.visits(events, orders, gap_minutes=asked.gap_minutes, success=asked.success)
    timezone = project.settings.timezone
    found = _visits(engine, visited, asked, timezone, edges)
    return EngagementView(
        asked,
        names,
        found,
        found if isinstance(found, Needs) else _time(engine, events, visited, asked),
        networks,
        _chats(engine, events, orders, asked, timezone, edges),
        found if isinstance(found, Needs) else when(engine, visited, timezone, edges, asked.level),
        way(
            engine,
            events,
            orders,
            gap_minutes=asked.gap_minutes,
            looked=asked.looked,
            carted=asked.carted,
            success=_purchase(engine, asked.success, names),
            hours=asked.cart_hours,
            until=(span(engine, "orders", "events") or edges)[1],
            level=asked.level,
        ),
        tuple(consent_checks(project, "events")),
    )


def event_names(engine: Engine) -> tuple[str, ...]:
    """Names of events, the most frequent first; none without events."""
    if not has(engine, "events"):
        return ()
    rows = ask(engine, actions.names(table(engine, "events"))).to_pylist()
    rows.sort(key=lambda row: (-int(row["n"]), str(row["name"])))
    return tuple(str(row["name"]) for row in rows)


def groups(engine: Engine) -> tuple[str, ...]:
    """What stays may be grouped by."""
    columns: dict[str, Any] = dict(table(engine, "customers").schema()) if has(engine, "customers") else {}
    named = [
        name
        for name, kind in columns.items()
        if name not in ("customer_id", *_OWN) and (kind.is_string() or kind.is_boolean() or kind.is_integer())
    ]
    return (*_OWN, *named)


def _found(engine: Engine, asked: EngagementSettings, names: Sequence[str]) -> EngagementSettings:
    """The settings, checked, with what can be found filled in."""
    check_between(asked.level, 0.5, 1, say("level"), open_low=True, open_high=True)
    check_between(asked.gap_minutes, 1, 1440, say("gap in minutes"))
    check_between(asked.least_seconds, 1, CAP_SECONDS - 1, say("least seconds of a stay"))
    check_between(asked.window_days, 1, 365, say("window in days"))
    check_between(asked.cart_hours, 1, 8760, say("hours after the cart"))
    if not names:
        return asked
    if asked.by is not None:
        check_choice(asked.by, groups(engine), say("group"))
    return replace(
        asked,
        success=_success(engine, asked.success, names),
        source=_source(engine, asked.source),
        chat_start=_chosen(asked.chat_start, "chat_start", names),
        chat_resolved=_chosen(asked.chat_resolved, "chat_resolved", names),
        looked=check_choice(asked.looked, names, say("event")) if asked.looked else usual(names, LOOKS),
        carted=check_choice(asked.carted, names, say("event")) if asked.carted else usual(names, CARTS),
    )


def _success(engine: Engine, asked: str | None, names: Sequence[str]) -> str | None:
    if asked is None:
        bought = next((name for name in _PURCHASES if name in names), None)
        return f"event:{bought}" if bought else ORDER if has(engine, "orders") else None
    kind, _, name = asked.partition(":")
    if asked == ORDER and not has(engine, "orders"):
        raise DataError("Success as an order needs the table orders; choose an event instead.")
    if asked != ORDER and kind != "event":
        raise WorkbenchError("Success is “conversion”, or “event:” and the name of an event.")
    if kind == "event":
        check_choice(name, names, say("event"))
    return asked


def _purchase(engine: Engine, success: str | None, names: Sequence[str]) -> str | None:
    """What a cart ends in: the success where that is a purchase, else the purchase that there is."""
    if success == ORDER or (success or "").partition(":")[2] in _PURCHASES:
        return success
    return _success(engine, None, names)


def _source(engine: Engine, asked: Source | None) -> Source:
    measured = measures(table(engine, "events"))
    if asked is None:
        return "engagement" if measured else "difference"
    check_choice(asked, ["difference", "engagement"], say("source"))
    if asked == "engagement" and not measured:
        raise DataError(
            "The events have no {column}; take the time until the next page instead.", column=ENGAGEMENT
        )
    return asked


def _chosen(asked: str | None, usual: str, names: Sequence[str]) -> str | None:
    return (usual if usual in names else None) if asked is None else check_choice(asked, names, say("event"))


# --- the parts ------------------------------------------------------------------------------------------


def _visits(
    engine: Engine, visited: Any, asked: EngagementSettings, timezone: str, edges: tuple[int, int]
) -> Visits | Needs:
    clock = offsets(timezone, *edges)
    cells = ask(engine, sums.by_week(visited, clock), ["week", "pages"]).to_pylist()
    (row,) = ask(engine, sums.of_visitors(visited), ["whole"]).to_pylist() or [None]
    if row is None:
        return Needs(say("Visits and time on pages need the column page in the table events."))
    pages = clustered(row, "pages")
    found = pages.mean()
    weeks = _weeks(cells, *(day_number(edge, timezone) for edge in edges))
    whole = [week.visits for week in weeks if week.whole] or [week.visits for week in weeks]
    usual = float(np.median(whole))
    mean = of_arm(found, asked.level) if found else Estimate(pages.ratio, pages.ratio, pages.ratio)
    return Visits(
        total=int(pages.n),
        customers=int(pages.customers),
        without_page=sum(int(cell["n"]) for cell in cells if not cell["pages"]),
        weeks=weeks,
        usual_week=usual,
        pages=mean,
        single=share_of(row, "single", asked.level),
        done=share_of(row, "done", asked.level) if asked.success else None,
        histogram=_histogram(cells, pages),
        sentence=say(
            "In a usual week there are {n:count} visits; a visit has {pages:number} pages on average, and "
            "{single:percent} of visits end after one.",
            n=usual,
            pages=mean.value,
            single=share_of(row, "single", asked.level).value,
        ),
    )


def _weeks(cells: Sequence[Mapping[str, Any]], first_day: int, last_day: int) -> tuple[Week, ...]:
    """Every week from the first to the last, those without visits too."""
    by_week: dict[int, list[Mapping[str, Any]]] = {}
    for cell in cells:
        if cell["pages"]:
            by_week.setdefault(int(cell["week"]), []).append(cell)
    weeks = []
    for week in range(min(by_week), max(by_week) + 1):
        rows = by_week.get(week, [])
        n = sum(int(row["n"]) for row in rows)
        pages = sum(int(row["n"]) * int(row["pages"]) for row in rows)
        monday = 7 * week - 3  # days since 1970
        weeks.append(
            Week(
                monday=_FIRST_MONDAY + timedelta(weeks=week),
                visits=n,
                pages=pages / n if n else None,
                whole=first_day <= monday and monday + 6 <= last_day,
            )
        )
    return tuple(weeks)


def _histogram(cells: Sequence[Mapping[str, Any]], pages: Any) -> tuple[tuple[int, float, float], ...]:
    """Pages → share of visits, as seen and as a zero-truncated negative binomial has it."""
    seen: dict[int, float] = {}
    for cell in cells:
        if cell["pages"]:
            seen[int(cell["pages"])] = seen.get(int(cell["pages"]), 0.0) + float(cell["n"])
    total = sum(seen.values())
    values, n = np.array(sorted(seen)), np.array([seen[value] for value in sorted(seen)])
    spread = float(n @ (values - pages.ratio) ** 2) / total
    model = negative_binomial(values, weights=n / pages.effect(spread), truncated=True)
    told = model.shares(range(1, MOST_PAGES))
    inside = [(value, seen.get(value, 0.0) / total, float(told[value - 1])) for value in range(1, MOST_PAGES)]
    rest = sum(count for value, count in seen.items() if value >= MOST_PAGES) / total
    return (*inside, (MOST_PAGES, rest, max(0.0, 1 - float(told.sum()))))


def _time(engine: Engine, events: Any, visited: Any, asked: EngagementSettings) -> TimeOnPage | Needs:
    assert asked.source is not None
    rows = sums.stays(
        events,
        visited,
        gap_minutes=asked.gap_minutes,
        source=asked.source,
        least_seconds=asked.least_seconds,
    )
    return time_on_page(
        engine,
        rows,
        table(engine, "customers") if has(engine, "customers") else None,
        by=asked.by,
        source=asked.source,
        other=measures(events),
        least_seconds=asked.least_seconds,
        succeeds=asked.success is not None,
        level=asked.level,
    )


def _chats(
    engine: Engine, events: Any, orders: Any, asked: EngagementSettings, timezone: str, edges: tuple[int, int]
) -> Chats | Needs:
    if asked.chat_start is None:
        return Needs(
            say(
                "Chats need events in the table events that say when one begins (chat_start) and when one is "
                "resolved (chat_resolved); if yours have other names, choose them."
            )
        )
    last = span(engine, "orders", "events") or edges
    return chats(
        engine,
        events,
        orders,
        start=asked.chat_start,
        resolved=asked.chat_resolved,
        success=asked.success,
        window_days=asked.window_days,
        until=last[1],
        clock=offsets(timezone, *edges),
        level=asked.level,
    )
