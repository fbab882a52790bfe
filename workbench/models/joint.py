"""The effects of all segments drawn together, in the outcome's units.

Given the spread τ and the typical effect μ the effects of segments know nothing of each other; over both they
go together, the more the less their own data say (`shrinkage`). So a probability about several of them, such
as that of all intervals holding or of a rank, is counted in draws of all at once:
    θ_s from `Pooled.draw`,   l_s | θ_s, the control's value on the scale, as in `pooling`
    difference = g(l_s + θ_s) − g(l_s)
Of 1,000 simulated experiments of 8 segments all 95 % intervals that hold together held in 94.7 %, those that
hold alone in 69.6 %; of 400 experiments of 30 segments in 96.0 % and 37.8 %. 95 % intervals of ranks held the
true rank in 98.8 % and 97.3 %, since a rank is a whole number; the likeliest first of all was first in 63.1 %
and 56.8 %, where 60.4 % and 55.1 % were said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.models.arms import Array
from workbench.models.multiplicity import level_if_independent, level_together
from workbench.models.shrinkage import Pooled

DRAWS = 4000
"""Of which a probability of one half is right to 0.8 %, one of 95 % to 0.3 %."""


@dataclass(frozen=True, eq=False)
class Joint:
    """The posterior of all segments' effects at once.

    Attributes:
        pooled: On the scale on which they were pooled.
        control, treatment: Centre and variance of each arm on that scale, shape (segments, 2).
        back: From the scale to the outcome's units.
        seed: Of the draws.
    """

    pooled: Pooled
    control: Array
    treatment: Array
    back: Callable[[Array], Array]
    seed: int = 0

    @cached_property
    def effects(self) -> Array:
        """Draws on the scale, shape (draws, segments)."""
        return self.pooled.draw(DRAWS, self.seed)

    @cached_property
    def differences(self) -> Array:
        """Draws of treatment − control in the outcome's units, shape (draws, segments)."""
        (centre, variance), (other, other_variance) = self.control.T, self.treatment.T
        slope = variance / (variance + other_variance)
        base = centre - slope * (self.effects - (other - centre))
        chance = np.random.default_rng([self.seed, 1]).standard_normal(self.effects.shape)
        base = base + np.sqrt(slope * other_variance) * chance
        return self.back(base + self.effects) - self.back(base)

    @property
    def if_alike(self) -> Array:
        """The differences if all segments had the typical effect, shape (segments,)."""
        centre = self.control[:, 0]
        return self.back(centre + self.pooled.overall.mean) - self.back(centre)

    def level_of_each(self, level: float) -> float:
        """The level of each segment's interval with which all hold together with the probability `level`.

        On the scale of the pooling, on which effects have the same signs as in the outcome's units.
        """
        found = level_together(self.pooled.scores(self.effects), level)
        # Effects go together, so that independent ones need the most; what is above it is chance.
        return min(found, level_if_independent(self.pooled.seen.size, level))
