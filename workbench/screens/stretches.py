"""Stretches of days as a person types them."""

from __future__ import annotations

import re
from datetime import date

from workbench.errors import WorkbenchError

type Stretches = tuple[tuple[date, date], ...]


def stretches(text: str) -> Stretches:
    """First and last day of each line, in the order of time.

    Raises:
        WorkbenchError: when a line holds none.

    >>> stretches("2026-11-30 – 2026-11-27")
    ((datetime.date(2026, 11, 27), datetime.date(2026, 11, 30)),)
    """
    found = []
    for line in filter(str.strip, text.splitlines()):
        days = re.findall(r"\d{4}-\d{2}-\d{2}", line)
        try:
            first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
        except (IndexError, ValueError) as error:
            raise WorkbenchError(
                "“{line}” is no stretch of days; write the first and the last one, as in "
                "2026-11-27 2026-11-30.",
                line=line.strip(),
            ) from error
        found.append((min(first, last), max(first, last)))
    return tuple(sorted(found))
