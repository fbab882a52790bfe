"""Sample ratio: are the arms as large as they were planned to be?

Pearson's χ² of assigned customers n against planned shares π, and how much likelier the sizes are when the
shares are others than planned, p ~ Dirichlet(κ π), than when they are those (Dirichlet-multinomial):
    B = Γ(κ) / Γ(κ + N) ∏ Γ(κ π_a + n_a) / (Γ(κ π_a) π_a^{n_a}),   N = Σ n_a
κ = 1,000 expects two even arms to be off by 3 points at most (95 %): what is lost or counted twice is seldom
more. Unlike the p-value B may be looked at every day: with planned shares it is a martingale, so that it
exceeds 1,000 at any look in one experiment of a thousand at most (Lindon & Malek 2022, "Anytime-valid
inference for multinomial count data", NeurIPS).

Arms that were planned to get nobody are not part of the test (they would add degrees of freedom that are not
there).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from workbench.errors import ModelError
from workbench.models.arms import Array

CONCENTRATION = 1000.0
"""Customers' worth of belief that shares which are not the planned ones are near them."""


def sample_ratio_p_value(counts: Sequence[int], shares: Sequence[float] | None = None) -> float:
    """Probability of arms at least this uneven when assignment works.

    Args:
        counts: Assigned customers in each arm.
        shares: Planned shares, in any scale; None means equal.

    Raises:
        ModelError: when fewer than two arms were planned, or shares are negative.

    >>> round(sample_ratio_p_value([100, 120, 80]), 7)
    0.0183156
    """
    observed, planned = _planned(counts, shares)
    expected = planned * observed.sum()
    statistic = float(((observed - expected) ** 2 / expected).sum())
    return float(special.chdtrc(observed.size - 1, statistic))


def log_bayes_factor(
    counts: Sequence[int], shares: Sequence[float] | None = None, concentration: float = CONCENTRATION
) -> float:
    """Log of how much likelier the sizes are with other shares than with those planned.

    Args:
        counts, shares: As of `sample_ratio_p_value`.
        concentration: κ; the smaller, the further from the plan other shares are expected to be.

    Raises:
        ModelError: when fewer than two arms were planned, or shares are negative.

    >>> round(log_bayes_factor([1000, 1200]), 2)
    5.67
    """
    observed, planned = _planned(counts, shares)
    alpha = concentration * planned
    ways = special.gammaln(alpha + observed) - special.gammaln(alpha) - observed * np.log(planned)
    whole = special.gammaln(concentration + observed.sum()) - special.gammaln(concentration)
    return float(ways.sum() - whole)


def _planned(counts: Sequence[int], shares: Sequence[float] | None) -> tuple[Array, Array]:
    """Customers and planned shares of the arms that were to get any."""
    observed = np.asarray(counts, dtype=float)
    planned = np.ones_like(observed) if shares is None else np.asarray(shares, dtype=float)
    if planned.shape != observed.shape or (planned < 0).any():
        raise ModelError("The planned split needs one share, zero or more, for each arm.")
    used = planned > 0
    if used.sum() < 2 or observed[used].sum() == 0:
        raise ModelError("A sample ratio needs at least two arms with customers.")
    return observed[used], planned[used] / planned[used].sum()
