"""Distributions that are known by their log density only, many at once, tabulated.

Each is laid on a grid of t, value = centre + width · sinh(t): even steps where the mass is, growing ones into
the tails, so that a Normal and a Student t with three degrees of freedom are served alike. With g(t) the
density per step, steps h and F the distribution function,
    F(t + h) − F(t) ≈ h (g(t) + g(t + h)) / 2 − h² (g′(t + h) − g′(t)) / 12        (Euler–Maclaurin)
and between nodes F is the quintic polynomial that has F, g and g′ right at both ends; its derivative is the
density. Sums over nodes are trapezoidal, which for smooth densities converges faster than any power of the
step (Trefethen & Weideman 2014, SIAM Review 56(3)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.models.arms import Array

type Curve = Callable[[Array], tuple[Array, Array, Array]]
"""Log density, up to a constant, and its first two derivatives."""

SCAN = np.linspace(-12.0, 12.0, 97)
"""Steps on which a density is looked for: to 80,000 widths on either side of the centre."""
_LOST = 34.0  # log density below its top at which a tail is cut off: e⁻³⁴ is what a float cannot see beside 1


@dataclass(frozen=True)
class Conditionals:
    """Distribution functions, one a row.

    Attributes:
        centre, width: Of each row.
        start, step: First step of each row and the distance between steps.
        below, density, slope: Probability and its first two derivatives with respect to the step; shape
            (rows, nodes).
        log_total: Log of the integral of each row's density as it was given.
    """

    centre: Array
    width: Array
    start: Array
    step: Array
    below: Array
    density: Array
    slope: Array
    log_total: Array

    @classmethod
    def of(
        cls,
        curve: Curve,
        centre: Array,
        width: Array,
        nodes: int,
        scan: Callable[[Array], Array] | None = None,
    ) -> Conditionals:
        """Tabulate densities.

        Args:
            curve: Takes values of shape (rows, nodes) and gives arrays of that shape.
            centre, width: About where each row's mass is and how wide; shape (rows,).
            nodes: How many.
            scan: A cheaper log density, good enough to see where the mass ends.
        """
        centre, width = centre[:, None], width[:, None]
        seen = (scan or (lambda y: curve(y)[0]))(centre + width * np.sinh(SCAN))
        kept = seen > seen.max(axis=1, keepdims=True) - _LOST
        first = SCAN[np.maximum(kept.argmax(axis=1) - 1, 0)]
        last = SCAN[np.minimum(len(SCAN) - kept[:, ::-1].argmax(axis=1), len(SCAN) - 1)]
        step = ((last - first) / (nodes - 1))[:, None]
        steps = first[:, None] + step * np.arange(nodes)
        stretch = width * np.cosh(steps)
        height, rise, _ = curve(centre + width * np.sinh(steps))
        top = height.max(axis=1, keepdims=True)
        density = np.exp(height - top) * stretch
        slope = density * (rise * stretch + np.tanh(steps))
        panels = (density[:, 1:] + density[:, :-1]) * step / 2 - np.diff(slope) * step**2 / 12
        below = np.concatenate([np.zeros_like(step), np.cumsum(panels, axis=1)], axis=1)
        total = below[:, -1:]
        return cls(
            centre=centre[:, 0],
            width=width[:, 0],
            start=first,
            step=step[:, 0],
            below=below / total,
            density=density / total,
            slope=slope / total,
            log_total=(top + np.log(total))[:, 0],
        )

    @property
    def end(self) -> Array:
        """Last step of each row."""
        return self.start + self.step * (self.below.shape[1] - 1)

    @property
    def nodes(self) -> tuple[Array, Array]:
        """Values and their probabilities, for sums over each row; shape (rows, nodes)."""
        steps = self.start[:, None] + self.step[:, None] * np.arange(self.density.shape[1])
        weight = self.density / self.density.sum(axis=1, keepdims=True)
        return self.centre[:, None] + self.width[:, None] * np.sinh(steps), weight

    def at(self, y: Array) -> tuple[Array, Array]:
        """P(value <= y) and the density at y, of each row; y of shape (..., rows)."""
        return self.at_step(np.arcsinh((y - self.centre) / self.width))

    def at_step(self, t: Array) -> tuple[Array, Array]:
        """The same at values centre + width · sinh(t)."""
        last = self.below.shape[1] - 1
        place = (t - self.start) / self.step
        inside = (place > 0) & (place < last)
        place = np.clip(place, 0, last)
        left = np.minimum(place.astype(np.intp), last - 1)
        u, row, h = place - left, np.arange(len(self.start)), self.step
        before, rise = self.below[row, left], self.below[row, left + 1] - self.below[row, left]
        g0, g1 = h * self.density[row, left], h * self.density[row, left + 1]
        k0, k1 = h * h * self.slope[row, left] / 2, h * h * self.slope[row, left + 1] / 2
        c3 = 10 * rise - 6 * g0 - 4 * g1 - 3 * k0 + k1
        c4 = -15 * rise + 8 * g0 + 7 * g1 + 3 * k0 - 2 * k1
        c5 = 6 * rise - 3 * g0 - 3 * g1 - k0 + k1
        below = before + u * (g0 + u * (k0 + u * (c3 + u * (c4 + u * c5))))
        density = g0 + u * (2 * k0 + u * (3 * c3 + u * (4 * c4 + u * 5 * c5)))
        per_value = np.maximum(density, 0) / (h * self.width * np.cosh(np.where(inside, t, 0)))
        return np.clip(below, 0, 1), np.where(inside, per_value, 0.0)
