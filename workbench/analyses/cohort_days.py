"""Days of beginning put together to cohorts, and the tables that they are counted in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from workbench.analyses.histories import day_of
from workbench.metrics.cohorts import AGES, Period


@dataclass(frozen=True)
class Asked:
    """The tables behind a question, on the engine.

    Attributes:
        people: Rows of `customer_id`, `day`, `group`.
        orders: All orders.
        clock: As of `purchases.order_day`.
        period: Of ages.
        end_day: Last day that is used.
    """

    people: Any
    orders: Any
    clock: Any
    period: Period
    end_day: int

    @property
    def common(self) -> dict[str, Any]:
        """What every query of `metrics.cohorts` wants to know."""
        return {"clock": self.clock, "period": self.period, "end_day": self.end_day}


def begin_of(day: date, period: Period) -> date:
    """The first day of the period of the calendar that a day is in; weeks begin on Monday."""
    if period == "day":
        return day
    if period == "week":
        return day - timedelta(days=day.weekday())
    month = day.month if period == "month" else day.month - (day.month - 1) % 3
    return date(day.year, month, 1)


def after(begin: date, period: Period) -> date:
    """The first day of the next period of the calendar."""
    days = {"day": 1, "week": 7, "month": 31, "quarter": 92}[period]
    return begin_of(begin + timedelta(days=days), period)


def cohort_name(group: str, day: int, period: Period, *, grouped: bool) -> str:
    """The name of the cohort of who began on a day."""
    return group if grouped else begin_of(day_of(day), period).isoformat()


def days_until(age: int, period: Period) -> int:
    """Days from a beginning until an age has been lived through."""
    length, parts = AGES[period]
    return -(-(age + 1) * length // parts)
