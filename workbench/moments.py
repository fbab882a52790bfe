"""The sufficient statistics of a metric: number, mean and sum of squared deviations.

Moments of disjoint groups add up to the moments of their union, so every roll-up (days to weeks, cells to
segments, segments to the whole) is a sum. Kept as deviations from the mean, not as raw sums of squares, so
that nothing is lost when the mean is large beside the spread.

Chan, Golub, LeVeque (1983), "Algorithms for computing the sample variance", The American Statistician 37(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan

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
