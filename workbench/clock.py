"""The project's clock: on which day something happened where the shop is.

Engines are not asked for time zones, which each knows in its own way: the clock changes within the data are
found here, and days are whole-number arithmetic on seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

DAY = 86_400


def offsets(timezone: str, first: int, last: int) -> list[tuple[int, int]]:
    """From when on the clock is how far ahead of UTC.

    Args:
        timezone: IANA name.
        first, last: The stretch of time that matters, in seconds since 1970.

    Returns:
        (second, seconds ahead of UTC) in the order of time; the first holds for all that is before it too.

    >>> offsets("Europe/Madrid", 1_767_225_600, 1_780_000_000)   # 2026: summer time begins on 29 March
    [(1767225600, 3600), (1774746000, 7200)]
    """
    zone = ZoneInfo(timezone)

    def ahead(second: int) -> int:
        difference = datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset()
        return 0 if difference is None else int(difference.total_seconds())

    found = [(first, ahead(first))]
    for start in range(first, last, DAY):
        before, after = start, min(start + DAY, last)
        if ahead(before) == ahead(after):
            continue
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if ahead(middle) == ahead(start) else (before, middle)
        found.append((after, ahead(after)))
    return found


def day_number(second: int, timezone: str) -> int:
    """Days since 1970 on that clock.

    >>> day_number(1_767_308_400, "Europe/Madrid") - day_number(1_767_308_399, "Europe/Madrid")
    1
    """
    return (second + offsets(timezone, second, second)[0][1]) // DAY
