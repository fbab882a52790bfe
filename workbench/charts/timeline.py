"""One customer on one line of time: a lane for each kind of thing that happened.

The lane says what a mark is, so no meaning hangs on colour, and there is no legend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import altair as alt

from workbench.analyses.customer import CustomerView
from workbench.analyses.happenings import LANES, Mark
from workbench.charts.picture import Picture
from workbench.charts.theme import ARMS, CONTROL, INK, LINE, TREATMENT, WARNING, themed
from workbench.locale import Texts
from workbench.report import Row

MOST_MARKS = 600
"""So many marks of a lane are drawn, the newest."""

_LANE = 32  # px, the height of a lane
_ORDER = (40, 420)  # px², a small and the largest order
_MARGIN = 0.02  # of the time, left free at both ends
_LEAST_DAYS = 7.0
_MOST_LABELS = 8  # of a lane, that stand beside their marks
_NARROW = 400  # px between the ends of the line of time
_GREEN, _YELLOW = ARMS[3], ARMS[2]


@dataclass(frozen=True)
class _Look:
    """How the marks of a lane are drawn."""

    color: str
    shape: str = "circle"
    size: int = 70


_LOOKS = {
    "orders": _Look(TREATMENT),
    "refunds": _Look(WARNING, "triangle-down", 90),
    "sent": _Look(CONTROL, size=40),
    "opened": _Look(TREATMENT, size=60),
    "clicked": _Look(TREATMENT, "diamond", 110),
    "unsubscribed": _Look(WARNING, "cross", 80),
    "bounced": _Look(WARNING, "triangle-up", 80),
    "complained": _Look(WARNING, "diamond", 90),
    "subscription": _Look(CONTROL, "square", 70),
    "surveys": _Look(_GREEN, "diamond", 110),
    "experiments": _Look(_YELLOW, "square", 90),
    "leads": _Look(CONTROL, "triangle-right", 80),
    "referrals": _Look(_GREEN, "circle", 80),
    "left": _Look(WARNING, "cross", 120),
}


def lane_name(lane: str, t: Texts) -> str:
    """A lane in words."""
    return {
        "visits": t("Visits"),
        "orders": t("Orders"),
        "refunds": t("Given back"),
        "sent": t("Messages sent"),
        "opened": t("opened"),
        "clicked": t("clicked"),
        "unsubscribed": t("unsubscribed"),
        "bounced": t("not delivered"),
        "complained": t("complained"),
        "subscription": t("Subscription"),
        "surveys": t("Surveys"),
        "experiments": t("Experiments"),
        "leads": t("Leads"),
        "referrals": t("Referrals"),
        "left": t("Left"),
    }[lane]


def picture(view: CustomerView, t: Texts) -> Picture | None:
    """The line of time; None where nothing has a date."""
    moments = [mark.at for mark in view.marks]
    moments += [end for one in view.agreements for stretch in one.stretches for end in stretch if end]
    if not moments:
        return None
    end = max(moments)
    if view.until is not None:
        end = max(end, datetime(view.until.year, view.until.month, view.until.day) + timedelta(days=1))
    begin = min(moments)
    title = _title(view, t)
    counts = [
        t("{lane}: {n:count}", lane=lane_name(lane, t), n=sum(mark.lane == lane for mark in view.marks))
        for lane in _lanes(view)
    ]
    agreed = [
        t("agrees to “{purpose}”", purpose=one.purpose)
        if one.granted
        else t("does not agree to “{purpose}”", purpose=one.purpose)
        for one in view.agreements
    ]
    span = t("From {first:date} to {last:date}.", first=begin.date(), last=end.date())
    described = f"{title}. {span} {'; '.join([*counts, *agreed])}."
    return Picture(title, chart(view, begin, end, t), described, _caption(view, t), wide=True)


def rows(view: CustomerView, t: Texts) -> list[Row]:
    """The same as a table, the newest first."""
    return [
        {
            t("When"): f"{t.date(mark.at.date())}, {mark.at:%H:%M}",
            t("What"): t(mark.said),
        }
        for mark in reversed(view.marks)
    ]


def _title(view: CustomerView, t: Texts) -> str:
    """How long ago the last order was, or the last sign of them."""
    orders = [mark.at for mark in view.marks if mark.lane == "orders"]
    if orders and view.until is not None:
        days = (view.until - orders[-1].date()).days
        if days == 0:
            return t("The last order was on the last day of the data")
        if days == 1:
            return t("The last order was one day before the end of the data")
        return t("The last order was {n:count} days before the end of the data", n=days)
    return t("What happened, without an order so far")


def _caption(view: CustomerView, t: Texts) -> str:
    words = []
    if any(mark.size for mark in view.marks):
        words.append(t("The larger an order, the larger its circle."))
    if any(mark.hollow and mark.lane == "orders" for mark in view.marks):
        words.append(t("Hollow: given back since, or a part of it."))
    if any(one.stretches for one in view.agreements):
        words.append(t("Bars: while they agreed."))
    return " ".join(words)


def _lanes(view: CustomerView) -> list[str]:
    there = {mark.lane for mark in view.marks}
    return [lane for lane in LANES if lane in there]


def chart(view: CustomerView, begin: datetime, end: datetime, t: Texts) -> alt.LayerChart:
    """A lane for each kind of mark and each purpose of a consent.

    Args:
        view: The customer.
        begin, end: What the line of time reaches from and to.
        t: The reader's language.
    """
    names = {lane: lane_name(lane, t) for lane in _lanes(view)}
    purposes = {one.purpose: t("Consent: {purpose}", purpose=one.purpose) for one in view.agreements}
    lanes = [*names.values(), *purposes.values()]
    room = max((end - begin) * _MARGIN, timedelta(days=(_LEAST_DAYS * _MARGIN)))
    if end - begin < timedelta(days=_LEAST_DAYS):
        begin = end - timedelta(days=_LEAST_DAYS)
    across = alt.X("at:T", title=None, scale=alt.Scale(type="utc"), axis=_times())
    down = alt.Y(
        "lane:N",
        title=None,
        sort=lanes,
        scale=alt.Scale(domain=lanes),
        axis=alt.Axis(labelLimit=150, grid=True, gridColor=LINE, domain=False, labelColor=INK),
    )
    largest = max((mark.size or 0.0 for mark in view.marks), default=0.0)
    layers: list[Any] = [_end(begin - room, end, end + room, t)]
    spans = _spans(view, purposes, begin, end, t)
    if spans:
        layers.append(
            alt.Chart(alt.Data(values=spans))
            .mark_rule(color=TREATMENT, strokeWidth=8, opacity=0.45)
            .encode(across, down, x2="until:T", tooltip=_tips(t))
        )
    for lane, name in names.items():
        marks = [mark for mark in view.marks if mark.lane == lane][-MOST_MARKS:]
        layers += _layers(lane, name, marks, largest, across, down, t)
    return themed(alt.layer(*layers).properties(height=_LANE * len(lanes)), t.language, t.currency)


def _layers(
    lane: str, name: str, marks: Sequence[Mark], largest: float, across: alt.X, down: alt.Y, t: Texts
) -> list[Any]:
    values = [
        {
            "at": _stamp(mark.at),
            "lane": name,
            "day": f"{t.date(mark.at.date())}, {mark.at:%H:%M}",
            "said": t(mark.said),
            "size": _area(mark, largest) if lane == "orders" else _LOOKS[lane].size if lane in _LOOKS else 0,
            "hollow": mark.hollow,
            "label": mark.label,
        }
        for mark in marks
    ]
    base = alt.Chart(alt.Data(values=values)).encode(across, down, tooltip=_tips(t))
    if lane == "visits":
        return [base.mark_tick(orient="vertical", size=16, thickness=1.5, color=INK, opacity=0.55)]
    look = _LOOKS[lane]
    drawn: list[Any] = []
    size = alt.Size("size:Q", scale=None, legend=None)
    for hollow in {value["hollow"] for value in values}:
        kind = base.transform_filter("datum.hollow" if hollow else "!datum.hollow")
        drawn.append(
            kind.mark_point(
                filled=not hollow,
                shape=look.shape,
                color=look.color,
                opacity=1 if hollow else 0.8,
                strokeWidth=1.5,
            ).encode(size=size)
        )
    if len(values) <= _MOST_LABELS and any(value["label"] for value in values):
        # a long word would lie on the next mark where there is little room
        seen = alt.ExprRef(f"width < {_NARROW} && length(datum.label) > 3 ? 0 : 1")
        words = base.mark_text(align="left", dx=8, color=INK, limit=140, opacity=seen)
        drawn.append(words.encode(text="label:N"))
    return drawn


def _area(mark: Mark, largest: float) -> float:
    """The area of an order's circle, in proportion to its amount where it is not too small to be seen."""
    low, high = _ORDER
    return max(low, high * (mark.size or 0.0) / largest) if largest > 0 else low


def _spans(
    view: CustomerView, purposes: dict[str, str], begin: datetime, end: datetime, t: Texts
) -> list[dict[str, Any]]:
    """While they agreed to what; a purpose that they never agreed to has a lane without a bar."""
    found = []
    for one in view.agreements:
        for since, until in one.stretches:
            first = t.date(since.date()) if since else t("always")
            last = t.date(until.date()) if until else t("now")
            found.append(
                {
                    "at": _stamp(since or begin),
                    "until": _stamp(until or end),
                    "lane": purposes[one.purpose],
                    "day": t("{first} to {last}", first=first, last=last),
                    "said": t("agreed to “{purpose}”", purpose=one.purpose),
                }
            )
    return found


def _end(begin: datetime, end: datetime, beyond: datetime, t: Texts) -> Any:
    """Where the data end; it also says, for all layers, what time is shown."""
    values = [{"at": _stamp(end), "said": t("end of the data")}]
    # room for the circle of an order on the first day
    shown = alt.Scale(type="utc", domain=[_stamp(begin), _stamp(beyond)], nice=False, padding=9)
    return (
        alt.Chart(alt.Data(values=values))
        .mark_rule(color=CONTROL, strokeDash=[4, 4])
        .encode(
            x=alt.X("at:T", title=None, scale=shown, axis=_times()),
            tooltip=[alt.Tooltip("said:N", title=t("What"))],
        )
    )


def _times() -> alt.Axis:
    """Three ticks at least, so that a telephone tells the months too."""
    return alt.Axis(tickCount=alt.ExprRef("max(3, ceil(width / 100))"))


def _tips(t: Texts) -> list[alt.Tooltip]:
    return [alt.Tooltip("day:N", title=t("When")), alt.Tooltip("said:N", title=t("What"))]


def _stamp(at: datetime) -> str:
    """A time of the project's clock, for an axis that calls it UTC so that no browser moves it."""
    return at.replace(microsecond=0).isoformat() + "Z"
