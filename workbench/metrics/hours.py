"""When people come: visits by hour of the week on the shop's clock (Ibis expressions), and how long each was.

An hour of the week is counted from Monday, midnight: 0 to 167. Where the clock is put forward an hour does
not exist on that day, and where it is put back one is there twice; `covered` says how long each was in the
data, so that visits per hour are right in those weeks, too.

Answers add up over disjoint sets of customers by their keys.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.clock import offsets
from workbench.metrics.engagement import Clock, on_clock

HOUR: Final = 3600
HOURS: Final = 168
"""Of a week."""
_MONDAY: Final = 72
"""Hours from the first Monday before 1970 to midnight of 1 January 1970, a Thursday."""


def by_hour(rows: Any, clock: Clock) -> Any:
    """Visits with a page by `week` (whole weeks since that Monday) and `hour` of the week: `n`.

    Args:
        rows: What `metrics.engagement.visits` gives.
        clock: See `workbench.clock.offsets`.
    """
    rows = rows.filter(rows.pages > 0)
    passed = on_clock(rows.start, clock) // HOUR + _MONDAY
    rows = rows.mutate(week=passed // HOURS, hour=passed % HOURS)
    return rows.group_by("week", "hour").aggregate(n=rows.count())


def covered(timezone: str, first: int, last: int) -> NDArray[np.float64]:
    """How many hours of each hour of the week lie in a stretch of time, shape (168,).

    Args:
        timezone: IANA name.
        first, last: The stretch, in seconds since 1970.

    >>> hours = covered("Europe/Madrid", 1_774_220_400, 1_774_821_600)   # the week to 29 March 2026
    >>> float(hours.sum()), float(hours[6 * 24 + 2])                     # it has no two o'clock on Sunday
    (167.0, 0.0)
    """
    changes = [change for change in offsets(timezone, first, last) if change[0] < last]
    ends = [*(since for since, _ in changes[1:]), last]
    found = np.zeros(HOURS)
    for (since, ahead), end in zip(changes, ends, strict=True):
        begin, stop = since + ahead, end + ahead
        hours = np.arange(begin // HOUR, -(-stop // HOUR))
        length = np.minimum((hours + 1) * HOUR, stop) - np.maximum(hours * HOUR, begin)
        np.add.at(found, (hours + _MONDAY) % HOURS, length / HOUR)
    return found
