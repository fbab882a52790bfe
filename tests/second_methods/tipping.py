"""How sceptical a reader has to be to doubt: found by looking, from wide priors to narrow ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def tipping_sd(sure: Callable[[float], bool], widest: float, narrowest: float = 1e-3) -> float | None:
    """The widest spread of a prior around nothing with which one is not sure, within 0.1 %.

    Args:
        sure: Whether one is, with a prior of this standard deviation.
        widest, narrowest: Between which to look.

    Returns:
        None where one is sure, or not sure, all along.
    """
    if sure(narrowest) or not sure(widest):
        return None
    low, high = np.log([narrowest, widest])
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if sure(float(np.exp(middle))) else (middle, high)
    return float(np.exp((low + high) / 2))
