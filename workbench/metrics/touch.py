"""First and last touch: the source, medium and campaign that brought a customer, and the device (Ibis).

The first touch is that of the earliest event that names a source, a medium or a campaign, the last touch that
of the latest, both up to and including the customer's own moment, so that nothing that came of an experience
describes who got it. Direct visits are no touch: a customer whose events name nothing, or say that the visit
was direct, is `(direct)`; what a touch leaves open is `(not set)`; without any event a customer is
`(unknown)`. Of events at one moment the one with the lesser `event_id` is the earlier.

`described` gives one of these as a column to group by: `first_source`, `last_campaign`, `most_device`, …
"""

from __future__ import annotations

from typing import Any, Final, Literal, cast

import ibis

from workbench.engines import whole_seconds
from workbench.segments import NOT_KNOWN

Which = Literal["first", "last"]

DIRECT: Final = "(direct)"
NOT_SET: Final = "(not set)"
_NOTHING: Final = ("", "(direct)", "direct", "(none)", "none", "(not set)", "not set")
"""What analytics write where nothing brought a visit."""
_ORIGIN: Final = ("source", "medium", "campaign")

NAMES: Final = (
    *(f"{which}_{part}" for which in ("first", "last") for part in (*_ORIGIN, "device")),
    "most_device",
)
"""The groups there are."""


def touch(events: Any, people: Any, which: Which = "first") -> Any:
    """What brought each customer.

    Args:
        events: The table `events`; columns that it lacks name nothing.
        people: Rows of `customer_id`, one a customer, and `as_of` (int64 seconds since 1970; where it is null
            all events count).
        which: The first touch or the last one.

    Returns:
        `customer_id`, `source`, `medium`, `campaign`, a row for each of `people`, never null.
    """
    rows = _until(events, people, _ORIGIN)
    named = {part: _named(rows[part]) for part in _ORIGIN}
    rows = rows.select("customer_id", "ts", "event_id", **named)
    telling = rows.filter(rows.source.notnull() | rows.medium.notnull() | rows.campaign.notnull())
    return _described(people, rows, _one(telling, which), dict.fromkeys(_ORIGIN, NOT_SET), DIRECT)


def device(events: Any, people: Any, which: Which | Literal["most"] = "most") -> Any:
    """The device of each customer.

    Args:
        events: See `touch`.
        people: See `touch`.
        which: That of the first event that names one, of the last, or that of most events; of two with
            equally many the one that was used last.

    Returns:
        `customer_id`, `device`, a row for each of `people`; `(unknown)` where no event names one.
    """
    rows = _until(events, people, ("device",))
    rows = rows.filter(rows.device.notnull())
    if which == "most":
        used = rows.group_by("customer_id", "device").aggregate(n=rows.count(), ts=rows.ts.max())
        order = [used.n.desc(), used.ts.desc(), used.device]
        place = ibis.row_number().over(ibis.window(group_by=used.customer_id, order_by=order))
        used = used.mutate(place=place)
        found = used.filter(used.place == 0)
    else:
        found = _one(rows, which)
    return _described(people, rows, found, {"device": NOT_KNOWN}, NOT_KNOWN)


def is_touch(by: str) -> bool:
    """Whether a group is one of `NAMES`."""
    return by in NAMES


def described(events: Any, people: Any, by: str) -> Any:
    """`people` with one more column, called `by`: text, never null.

    Args:
        events: See `touch`.
        people: See `touch`; further columns are kept.
        by: One of `NAMES`.
    """
    which, _, part = by.partition("_")
    if part == "device":
        found = device(events, people, cast(Literal["first", "last", "most"], which))
    else:
        found = touch(events, people, cast(Which, which))
    joined = people.left_join(found.select("customer_id", **{by: found[part]}), "customer_id")
    return joined.drop("customer_id_right")


def _until(events: Any, people: Any, columns: tuple[str, ...]) -> Any:
    """The events of these people up to their moment."""
    texts = {
        name: events[name].cast("string") if name in events.columns else ibis.null("string")
        for name in ("event_id", *columns)
    }
    rows = events.select("customer_id", "ts", at_=whole_seconds(events.ts), **texts)
    joined = people.select("customer_id", "as_of").inner_join(rows, "customer_id")
    return joined.filter(joined.as_of.isnull() | (joined.at_ <= joined.as_of))


def _named(text: Any) -> Any:
    """A text, null where it says that there was nothing."""
    return ibis.ifelse(text.lower().isin(_NOTHING), ibis.null("string"), text)


def _one(rows: Any, which: str) -> Any:
    """The first row of each customer, or the last."""
    order = [rows.ts, rows.event_id]
    if which == "last":
        order = [column.desc() for column in order]
    place = ibis.row_number().over(ibis.window(group_by=rows.customer_id, order_by=order))
    rows = rows.mutate(place=place)
    return rows.filter(rows.place == 0)


def _described(people: Any, events: Any, found: Any, blank: dict[str, str], without: str) -> Any:
    """Everybody with what was found of them; `without` for those with events and nothing found."""
    seen = events.select("customer_id").distinct().mutate(seen=ibis.literal(1, "int64"))
    found = found.select("customer_id", *blank).mutate(found=ibis.literal(1, "int64"))
    everybody = people.select("customer_id")
    everybody = everybody.left_join(seen, "customer_id").select("customer_id", "seen")
    everybody = everybody.left_join(found, "customer_id").drop("customer_id_right")
    nothing = ibis.ifelse(everybody.seen.isnull(), NOT_KNOWN, without)
    return everybody.select(
        "customer_id",
        **{
            name: ibis.ifelse(
                everybody.found.isnull(), nothing, ibis.coalesce(everybody[name], ibis.literal(level))
            )
            for name, level in blank.items()
        },
    )
