"""From days of the simulation to UTC times of the tables."""

from __future__ import annotations

from datetime import date

import numpy as np

from workbench.simulate.lives import Floats, Integers

# Visits by hour of the day, UTC: quiet nights, a peak in the evening.
_HOURS = np.array([2, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 8, 7, 7, 7, 7, 8, 9, 10, 11, 12, 11, 8, 4], dtype=float)
_DAY_SHARE = np.concatenate([[0.0], np.cumsum(_HOURS) / _HOURS.sum()])


def seconds(day: Floats) -> Integers:
    """Whole seconds since the start, with the evenness of the simulated day bent into busy and quiet hours.

    Each day is bent alike and no order is changed, so a window of whole days from one moment to another holds
    exactly the events it held before.
    """
    whole = np.floor(day)
    bent = whole + np.interp(day - whole, _DAY_SHARE, np.linspace(0, 1, 25))
    return np.floor(bent * 86_400).astype(np.int64)


def timestamps(second: Integers, start: date) -> np.ndarray:
    """UTC times to the microsecond, without a zone."""
    return np.datetime64(start, "us") + second.astype("timedelta64[s]")
