"""Sample ratio: are the arms as large as they were planned to be?

Pearson's χ² of assigned customers against planned shares. Arms that were planned to get nobody are not
part of the test (they would add degrees of freedom that are not there).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from workbench.errors import ModelError


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
    observed = np.asarray(counts, dtype=float)
    planned = np.ones_like(observed) if shares is None else np.asarray(shares, dtype=float)
    if planned.shape != observed.shape or (planned < 0).any():
        raise ModelError("The planned split needs one share, zero or more, for each arm.")
    used = planned > 0
    if used.sum() < 2 or observed[used].sum() == 0:
        raise ModelError("A sample ratio needs at least two arms with customers.")
    expected = planned[used] / planned[used].sum() * observed[used].sum()
    statistic = float(((observed[used] - expected) ** 2 / expected).sum())
    return float(stats.chi2.sf(statistic, int(used.sum()) - 1))
