"""What the workbench says of one simulated experiment, beside its truth."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from workbench.models.arms import Array
from workbench.models.pair import Comparison

LEVELS = (0.5, 0.9, 0.95)
MAIN = 0.9
"""The level of the goal; comparisons are made at it, and the others are asked of the same posterior."""


@dataclass(frozen=True, eq=False)
class Answer:
    """One effect, as it was and as it is said to be.

    Attributes:
        difference, lift: The truth; no lift where the metric has none.
        difference_intervals: By level of `LEVELS`, shape (3, 2).
        lift_intervals: The same, or None where the lift is refused.
        better: The probability that the treatment is better that was claimed.
    """

    difference: float
    lift: float | None
    difference_intervals: Array
    lift_intervals: Array | None
    better: float

    def row(self) -> list[float]:
        """Whether each interval held the truth, the probability, the sign of the truth (`tally.Tally`)."""
        return [
            *_held(self.difference_intervals, self.difference),
            *(
                [nan] * len(LEVELS)
                if self.lift is None or self.lift_intervals is None
                else _held(self.lift_intervals, self.lift)
            ),
            self.better,
            float(np.sign(self.difference)),
        ]


def compared(result: Comparison, before: float, after: float) -> Answer:
    """Of a comparison made at the level `MAIN`, and the true value in control and treatment."""
    others = [(1 - sign * level) / 2 for level in LEVELS if level != MAIN for sign in (1, -1)]

    def intervals(main: tuple[float, float], rest: Array) -> Array:
        pairs = iter(rest.reshape(-1, 2))
        return np.array([main if level == MAIN else next(pairs) for level in LEVELS])

    return Answer(
        difference=after - before,
        lift=after / before - 1,
        difference_intervals=intervals(result.difference_interval, result.difference_quantiles(others)),
        lift_intervals=None
        if result.lift_interval is None
        else intervals(result.lift_interval, result.lift_quantiles(others)),
        better=result.probability_better,
    )


def _held(intervals: Array, truth: float) -> list[float]:
    return [float(low <= truth <= high) for low, high in intervals]
