"""Who was put into which arm, and when: the people every metric is counted over.

A customer counts in the arm they were first seen in; somebody seen in two arms counts in neither, and is
counted apart. People are rows of `customer_id`, `arm`, `as_of`: the first exposure in seconds since 1970,
null where a file did not say when.
"""

from __future__ import annotations

from typing import Any

from workbench.clock import DAY


def assigned(exposures: Any, experiment: str) -> Any:
    """One row a customer of the experiment: `customer_id`, `arm`, `arms` (how many), `as_of`."""
    rows = exposures.filter(exposures.experience_id == experiment)
    return rows.group_by("customer_id").aggregate(
        arm=rows.variant.min(),
        arms=rows.variant.nunique(),
        as_of=rows.ts.min().epoch_seconds().cast("int64"),
    )


def in_one_arm(people: Any) -> Any:
    """Without those who were seen in more than one arm."""
    return people.filter(people.arms == 1).drop("arms")


def mature(people: Any, window_days: int, until: int) -> Any:
    """Those whose whole window lies inside the data; younger ones would look as if they did less."""
    return people.filter(people.as_of + window_days * DAY <= until)


def within_window(rows: Any, people: Any, window_days: int) -> Any:
    """Rows of a table with `customer_id` and `ts` in the window that begins with the first exposure."""
    at = rows.mutate(at_=rows.ts.epoch_seconds().cast("int64"))
    joined = people.select("customer_id", "as_of").inner_join(at, "customer_id")
    since = joined.at_ - joined.as_of
    return joined.filter((since >= 0) & (since < window_days * DAY))
