"""The sufficient statistics of a metric: number, mean and sum of squared deviations.

Moments of disjoint groups add up to the moments of their union, so every roll-up (days to weeks, cells to
segments, segments to the whole) is a sum. Kept as deviations from the mean, not as raw sums of squares, so
that nothing is lost when the mean is large beside the spread.

Chan, Golub, LeVeque (1983), "Algorithms for computing the sample variance", The American Statistician 37(3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import ModelError

_SAME = 1e-12  # less spread than this share of the squares is only rounding: all values are the same
_ROUNDING = 1e-9  # how far, relative to its terms, a sum may stray from what it must be and still be rounding


@dataclass(frozen=True)
class Moments:
    """Number, mean and spread of one value per customer.

    Attributes:
        n: Number of customers.
        mean: Mean of their values; 0 when there is none.
        m2: Sum of squared deviations from the mean.

    Raises:
        ModelError: a number is not finite, `n` is not a whole number, `n` or `m2` is negative, or there is
            a mean of nobody.

    >>> monday, tuesday = Moments.of_binary(12, 100), Moments.of_binary(9, 50)
    >>> (monday + tuesday).n, (monday + tuesday).successes
    (150, 21)
    """

    n: int
    mean: float
    m2: float

    def __post_init__(self) -> None:
        if not all(map(isfinite, (self.n, self.mean, self.m2))):
            raise ModelError(
                "The number, mean and squared deviations are {n}, {mean} and {m2}; all have to be finite.",
                n=self.n,
                mean=self.mean,
                m2=self.m2,
            )
        if self.n < 0 or self.n != int(self.n):
            raise ModelError("The number of customers is {n}; it has to be a whole number from 0.", n=self.n)
        if self.m2 < 0:
            raise ModelError(
                "The sum of squared deviations is {m2:number}; it cannot be negative.", m2=self.m2
            )
        if not self.n and (self.mean or self.m2):
            raise ModelError("A mean or a spread is given for no customers at all.")
        # Numbers from a query may be numpy's or decimals: plain ones compare, print and serialise alike.
        for name, kind in (("n", int), ("mean", float), ("m2", float)):
            object.__setattr__(self, name, kind(getattr(self, name)))

    @classmethod
    @cache
    def empty(cls) -> Moments:
        """Of nobody: adding it changes nothing."""
        return cls(0, 0.0, 0.0)

    @classmethod
    def of_binary(cls, successes: float, n: int) -> Moments:
        """Of `n` customers of whom `successes` have the value 1 and the rest 0.

        Raises:
            ModelError: `successes` is not a whole number from 0 to `n`.
        """
        if not 0 <= successes <= n or successes != int(successes):
            raise ModelError(
                "There are {successes} successes among {n} customers; "
                "successes have to be a whole number from 0 to the number of customers.",
                successes=successes,
                n=n,
            )
        return cls(n, successes / n, successes * (n - successes) / n) if n else cls.empty()

    @classmethod
    def of_sums(cls, n: int, total: float, sum_of_squares: float) -> Moments:
        """Of `n` values with this sum and this sum of squares.

        Raises:
            ModelError: no `n` values can have these sums.
        """
        if not n:
            return cls(n, total, sum_of_squares)
        m2 = sum_of_squares - total * total / n
        if m2 < -_ROUNDING * abs(sum_of_squares):
            raise ModelError(
                "No {n:count} values have the sum {total:number} and the sum of squares {squares:number}: "
                "their variance would be negative.",
                n=n,
                total=total,
                squares=sum_of_squares,
            )
        return cls(n, total / n, m2 if m2 > _SAME * sum_of_squares else 0.0)

    @classmethod
    def of_mean(cls, n: int, mean: float, variance: float) -> Moments:
        """Of `n` values with this mean and this sample variance (divisor n − 1).

        Raises:
            ModelError: the variance is negative, or a number is not finite.
        """
        if variance < 0:
            raise ModelError("The variance is {variance:number}; it cannot be negative.", variance=variance)
        # One value has no sample variance; databases give NULL, arriving as 0 or NaN.
        return cls(n, mean, variance * (n - 1)) if n > 1 else cls(n, mean if n else 0.0, 0.0)

    @property
    def total(self) -> float:
        """Sum of the values."""
        return self.n * self.mean

    @property
    def variance(self) -> float:
        """Sample variance (divisor n − 1); NaN for fewer than two values."""
        return self.m2 / (self.n - 1) if self.n > 1 else nan

    @property
    def successes(self) -> int:
        """Number of ones, when the values are zeros and ones.

        Raises:
            ModelError: the values cannot be zeros and ones.
        """
        ones = round(self.total)
        spread = ones * (self.n - ones) / self.n if self.n else 0.0
        tolerance = _ROUNDING * max(self.n, 1)
        if not 0 <= ones <= self.n or max(abs(self.total - ones), abs(self.m2 - spread)) > tolerance:
            raise ModelError(
                "The values are not yes or no: {n:count} customers have the sum {total:number}. "
                "Compare their mean instead of a share.",
                n=self.n,
                total=self.total,
            )
        return ones

    def __add__(self, other: Moments) -> Moments:
        n = self.n + other.n
        if not n:
            return self
        apart = other.mean - self.mean
        mean = self.mean + apart * other.n / n
        return Moments(n, mean, self.m2 + other.m2 + apart * apart * self.n * other.n / n)

    def __radd__(self, other: int) -> Moments:
        # `sum` starts from 0.
        return self if other == 0 else NotImplemented


@dataclass(frozen=True)
class CrossMoments:
    """Number, means, spreads and joint spread of two values per customer; disjoint groups add up.

    Attributes:
        n: Number of customers.
        mean_x, mean_y: Means; 0 when there is nobody.
        m2_x, m2_y: Sums of squared deviations.
        c_xy: Sum of the products of the deviations.
    """

    n: int
    mean_x: float
    mean_y: float
    m2_x: float
    m2_y: float
    c_xy: float

    @classmethod
    def empty(cls) -> CrossMoments:
        """Of nobody: adding it changes nothing."""
        return cls(0, 0.0, 0.0, 0.0, 0.0, 0.0)

    @classmethod
    def of_sums(cls, n: int, x: float, y: float, xx: float, yy: float, xy: float) -> CrossMoments:
        """Of `n` pairs with these sums, sums of squares and sum of products.

        Raises:
            ModelError: no `n` pairs can have these sums.
        """
        of_x, of_y = Moments.of_sums(n, x, xx), Moments.of_sums(n, y, yy)
        joint = xy - x * y / n if n else 0.0
        most = (of_x.m2 * of_y.m2) ** 0.5
        if abs(joint) > most + _ROUNDING * (xx * yy) ** 0.5:
            raise ModelError(
                "No {n:count} pairs have the sum of products {xy:number}: no two values correlate so much.",
                n=n,
                xy=xy,
            )
        return cls(n, of_x.mean, of_y.mean, of_x.m2, of_y.m2, max(-most, min(most, joint)))

    @property
    def x(self) -> Moments:
        """Of the first value alone."""
        return Moments(self.n, self.mean_x, self.m2_x)

    @property
    def y(self) -> Moments:
        """Of the second value alone."""
        return Moments(self.n, self.mean_y, self.m2_y)

    def __add__(self, other: CrossMoments) -> CrossMoments:
        n = self.n + other.n
        if not n:
            return self
        x, y = self.x + other.x, self.y + other.y
        apart = (other.mean_x - self.mean_x) * (other.mean_y - self.mean_y)
        joint = self.c_xy + other.c_xy + apart * self.n * other.n / n
        return CrossMoments(n, x.mean, y.mean, x.m2, y.m2, joint)

    def __radd__(self, other: int) -> CrossMoments:
        # `sum` starts from 0.
        return self if other == 0 else NotImplemented


def added_up(parts: Sequence[CrossMoments]) -> CrossMoments:
    """The sum of many at once; there is at least one."""
    if len(parts) == 1 or any(type(part) is not CrossMoments for part in parts):
        return sum(parts[1:], parts[0])
    n, x, y, xx, yy, xy = np.array([list(vars(part).values()) for part in parts]).T
    whole = n.sum()
    if not whole:
        return parts[0]
    mean_x, mean_y = float(n @ x / whole), float(n @ y / whole)
    x, y = x - mean_x, y - mean_y
    m2_x, m2_y, joint = xx.sum() + n @ (x * x), yy.sum() + n @ (y * y), xy.sum() + n @ (x * y)
    return CrossMoments(int(whole), mean_x, mean_y, float(m2_x), float(m2_y), float(joint))


@dataclass(frozen=True, eq=False)
class Histogram:
    """Distinct values of people and how many have each.

    Attributes:
        values: Shape (k,), or (k, 2) of pairs (x, y) for a ratio y / x.
        counts: People; shape (k,).
        weights, squares: Σ w and Σ w² of those people, where they do not count alike; else None.

    Raises:
        ModelError: shapes differ, nobody is in it, or a count is negative or a value not finite.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.float64]
    weights: NDArray[np.float64] | None = None
    squares: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        values, counts = np.asarray(self.values, dtype=float), np.asarray(self.counts, dtype=float)
        if (
            values.ndim not in (1, 2)
            or counts.shape != values.shape[:1]
            or values.shape[1:] not in ((), (2,))
        ):
            raise ModelError("A histogram needs one count for each value, or for each pair of values.")
        if not (np.isfinite(values).all() and (counts >= 0).all() and counts.sum() > 0):
            raise ModelError(
                "A histogram needs values that are finite, counts from zero, and somebody in it."
            )
        for name in ("weights", "squares"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, np.asarray(given, dtype=float)[counts > 0])
        object.__setattr__(self, "values", values[counts > 0])
        object.__setattr__(self, "counts", counts[counts > 0])

    @classmethod
    def of(cls, values: ArrayLike) -> Histogram:
        """Of people one by one; shape (n,), or (n, 2) for pairs."""
        distinct, counts = np.unique(np.asarray(values, dtype=float), axis=0, return_counts=True)
        return cls(distinct, counts.astype(float))

    @property
    def n(self) -> int:
        """People."""
        return int(self.counts.sum())


class WeightedSums(NamedTuple):
    """Sums over customers of a weight w, two values x and y, and their products; they add up.

    Attributes:
        n: Number of customers.
        w, ww: Σ w and Σ w².
        wx, wwx, wwxx: Σ w x, Σ w² x and Σ w² x²; the other names say what they are in the same way.
    """

    n: int
    w: float
    ww: float
    wx: float
    wy: float
    wwx: float
    wwy: float
    wwxx: float
    wwyy: float
    wwxy: float


@dataclass(frozen=True)
class WeightedMoments(CrossMoments):
    """Of two values of customers who do not all count alike; disjoint groups add up.

    Read as moments they are those of n customers with the weighted mean R = Σ w y / Σ w and its standard
    error: of each customer's share in it, R + w (y − R) / (Σ w / n), to first order. With equal weights they
    are the plain moments.

    Attributes:
        sums: What they are made of.
    """

    sums: WeightedSums

    @classmethod
    def of(cls, sums: WeightedSums) -> WeightedMoments:
        """Of the customers with these sums.

        Raises:
            ModelError: the weights do not add up to something above zero.
        """
        n, w, ww, wx, wy, wwx, wwy, wwxx, wwyy, wwxy = sums
        if not w > 0:
            raise ModelError("The weights of {n:count} customers add up to nothing.", n=n)
        x, y = wx / w, wy / w
        scale = (n / w) ** 2
        m2_x, m2_y = (
            _spread(square - 2 * mean * product + mean * mean * ww, square) * scale
            for square, product, mean in ((wwxx, wwx, x), (wwyy, wwy, y))
        )
        most = (m2_x * m2_y) ** 0.5
        joint = (wwxy - x * wwy - y * wwx + x * y * ww) * scale
        return cls(n, x, y, m2_x, m2_y, max(-most, min(most, joint)), sums)

    @property
    def effective(self) -> float:
        """So many customers with equal weights would say as much: (Σ w)² / Σ w² (Kish 1965)."""
        return self.sums.w**2 / self.sums.ww

    def __add__(self, other: CrossMoments) -> WeightedMoments:
        if not other.n:
            return self
        if not isinstance(other, WeightedMoments):
            return NotImplemented
        both = (a + b for a, b in zip(self.sums, other.sums, strict=True))
        return WeightedMoments.of(WeightedSums._make(both))

    def __radd__(self, other: int | CrossMoments) -> WeightedMoments:
        # `sum` starts from 0, and others from `CrossMoments.empty()`.
        return self if other == 0 or (isinstance(other, CrossMoments) and not other.n) else NotImplemented


def _spread(m2: float, squares: float) -> float:
    """A sum of squared deviations; what is left of equal values is rounding."""
    return m2 if m2 > _SAME * squares else 0.0
