"""How far a difference moves when more customers of the same kind come in.

An arm's mean over its first `n` customers is m, over all `N` of them, the first included, M. With independent
customers of variance σ² the covariance of the two is σ²/N, so that

    Var(M − m) = σ²/n − σ²/N = s² (N/n − 1),        s² = σ²/N, the variance of M

and of a difference of arms it is the sum over both. So the two are held against each other as what they are,
one inside the other, and not as if they were independent: J. A. Hausman, "Specification Tests in
Econometrics", Econometrica 46 (1978), 1251-1271, whose variance of the difference between an estimate from
all that is known and one from less is that of the second less that of the first. It holds of all that is a
mean to first order: ratios, quantiles, and means from which something was taken out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True)
class Grown:
    """An arm at two times.

    Attributes:
        then, now: Its customers.
        sd: Standard deviation of what is known of its mean now.
    """

    then: int
    now: int
    sd: float


def spread_of_move(arms: Iterable[Grown]) -> float:
    """Standard deviation of how far new customers of the same kind move the difference of two arms' means.

    Raises:
        ValueError: an arm had no customers, or has fewer than it had.

    >>> round(spread_of_move([Grown(1000, 2000, 0.3), Grown(1000, 2000, 0.4)]), 6)
    0.5
    """
    variance = 0.0
    for arm in arms:
        if not 0 < arm.then <= arm.now:
            raise ValueError("an arm does not hold those whom it held before")
        variance += arm.sd**2 * (arm.now / arm.then - 1)
    return sqrt(variance)
