"""People whose true difference is known, compressed as the models want them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from workbench.models.adjustment import Covariate, People


def compressed(
    codes: ArrayLike,
    treated: ArrayLike,
    y: ArrayLike,
    *,
    binary: bool,
    names: Sequence[str] = (),
    seed: int = 0,
) -> People:
    """One row a customer, as rows of patterns.

    Args:
        codes: Level of each customer and covariate, (customers, covariates).
        treated, y: Group and outcome of each customer.
    """
    codes, y = np.asarray(codes, dtype=np.int64), np.asarray(y, dtype=float)
    fold = np.random.default_rng(seed).permutation(len(y)) % 5
    keys = np.column_stack([np.asarray(treated, dtype=np.int64), fold, codes])
    rows, place = np.unique(keys, axis=0, return_inverse=True)
    place = place.ravel()
    return People(
        tuple(
            Covariate(names[at] if names else f"x{at}", tuple(map(str, range(codes[:, at].max() + 1))))
            for at in range(codes.shape[1])
        ),
        rows[:, 2:],
        rows[:, 0] == 1,
        rows[:, 1],
        np.bincount(place).astype(float),
        np.bincount(place, y),
        np.bincount(place, y * y),
        binary,
    )


def confounded(
    n: int, rng: np.random.Generator, *, binary: bool, pull: float = 1.0, effect: float = 0.0
) -> tuple[Any, Any, Any, Any]:
    """Customers of whom the keener have the treatment more often and the outcome too.

    Returns:
        Codes of three covariates, group, outcome, and each customer's true difference.
    """
    codes = np.column_stack([rng.integers(0, 3, n), rng.integers(0, 4, n), rng.random(n) < 0.4]).astype(int)
    keen = codes @ np.array([0.5, 0.3, -0.4]) - 0.8
    treated = rng.random(n) < expit(pull * keen - 0.2)
    linear = 0.8 * keen - 1.0
    if binary:
        p0, p1 = expit(linear), expit(linear + effect)
        return codes, treated, rng.random(n) < np.where(treated, p1, p0), p1 - p0
    y = 10 + 6 * linear + effect * treated + rng.gamma(2.0, 3.0, n)
    return codes, treated, y, np.full(n, effect)
