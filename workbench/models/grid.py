"""A posterior of two parameters on a grid that narrows to where it is.

The log density is evaluated on an even grid over a wide rectangle; the rectangle shrinks to the nodes that
hold anything, and it is evaluated again, until the nodes follow the density closely. On the last grid sums
over nodes are integrals: an even grid over a smooth density that has vanished at its ends is exact to many
digits (Trefethen & Weideman 2014, "The exponentially convergent trapezoidal rule", SIAM Review 56).
Nothing is simulated, and a second run gives the same digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy import interpolate

from workbench.errors import ModelError
from workbench.models.arms import Array

type Interval = tuple[float, float]

_NOTHING = 1e-14  # relative to the highest node
_ENOUGH = 0.6  # of the nodes along each side have to hold something
_PASSES = 12
_FAR = 1e4  # below the top, in logs: nothing at all
_FINER = 8  # nodes between two, when a quantile is read off
_PLACES = 2000


@dataclass(frozen=True)
class Plane:
    """A posterior on the nodes of a grid.

    Attributes:
        x, y: The nodes along each side, evenly spaced, shapes (X,) and (Y,).
        logs: Log density at each node up to a constant, shape (X, Y).
    """

    x: Array
    y: Array
    logs: Array

    @cached_property
    def weights(self) -> Array:
        """Probability of each node, shape (X, Y); they sum to 1."""
        weights = np.exp(self.logs - self.logs.max())
        return weights / weights.sum()

    def mean(self, values: ArrayLike) -> float:
        """Posterior mean of a quantity with these values at the nodes, shape (X, Y)."""
        return float((np.asarray(values) * self.weights).sum())

    def quantiles(self, values: ArrayLike, q: ArrayLike) -> Array:
        """Posterior quantiles of a quantity with these values at the nodes, shape (X, Y).

        Args:
            values: Rising, or falling nowhere, along x.
            q: Probabilities.
        """
        finer = np.linspace(self.x[0], self.x[-1], _FINER * (len(self.x) - 1) + 1)
        logs, fine = (interpolate.CubicSpline(self.x, one)(finer) for one in (self.logs, np.asarray(values)))
        density = np.exp(logs - logs.max())
        # up to each node: half of its own cell, and all cells before it
        below = (np.cumsum(density, axis=0) - density / 2) / density.sum()
        # values at which the share below is worked out: about equally likely ones, whatever their scale
        some = density > _NOTHING
        order = np.argsort(fine[some])
        reached = np.cumsum(density[some][order])
        at = np.searchsorted(reached, np.linspace(0, reached[-1], _PLACES)).clip(max=order.size - 1)
        places = np.unique(fine[some][order][at])
        share = np.zeros(places.size)
        for column in range(len(self.y)):
            share += np.interp(places, fine[:, column], below[:, column], left=0.0)
        return np.asarray(np.interp(np.asarray(q, dtype=float), share, places))


def plane(
    log_density: Callable[[Array, Array], Array], x: Interval, y: Interval, nodes: tuple[int, int] = (61, 61)
) -> Plane:
    """The posterior with this log density.

    Args:
        log_density: Given the nodes along each side, shapes (X,) and (Y,), the log density up to a constant,
            shape (X, Y); with one hump.
        x, y: A rectangle that holds all of it.
        nodes: How many there are along each side.

    Raises:
        ModelError: the density is nowhere a number.
    """
    low, high = np.array([x[0], y[0]]), np.array([x[1], y[1]])
    for _ in range(_PASSES):
        sides = [np.linspace(*edges) for edges in zip(low, high, nodes, strict=True)]
        logs = log_density(*sides)
        top = np.nanmax(logs, initial=-np.inf)
        if not np.isfinite(top):
            raise ModelError("The model cannot be computed from these data: no parameters fit them.")
        weights = np.exp(np.nan_to_num(logs, nan=-np.inf) - top)
        full = True
        for axis, side in enumerate(sides):
            kept = np.flatnonzero(weights.max(axis=1 - axis) > _NOTHING)
            full &= len(kept) >= _ENOUGH * len(side)
            low[axis] = side[max(kept[0] - 1, 0)]
            high[axis] = side[min(kept[-1] + 1, len(side) - 1)]
        if full:
            break
    return Plane(sides[0], sides[1], np.maximum(np.nan_to_num(logs - top, nan=-_FAR), -_FAR))
