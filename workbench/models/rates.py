"""Rates of events, and how one rate compares with another.

n events among an exposure E (person-weeks, messages, days), a prior of shape a₀ and rate b₀:
    n ~ Poisson(λ E),  λ ~ Gamma(a₀, b₀):    λ | n ~ Gamma(a₀ + n, b₀ + E)
The prior is Jeffreys' (a₀ = ½, b₀ = 0), the same for a rate and for any transform of it.

Ratio of two independent rates, exactly:
    λ₁ ~ Gamma(a₁, b₁), λ₂ ~ Gamma(a₂, b₂):  B = b₁ λ₁ / (b₁ λ₁ + b₂ λ₂) ~ Beta(a₁, a₂)
    P(λ₁ / λ₂ ≤ k) = I_x(a₁, a₂) at x = k b₁ / (k b₁ + b₂)
which is the beta-prime, or F, distribution (Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.6;
Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2, chapter 27).

Counts that vary more than Poisson's, with φ their variance over their mean, say as much as n/φ events among
E/φ: means stay, intervals are √φ times as wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.errors import ModelError

type Array = NDArray[np.float64]
type Interval = tuple[float, float]

JEFFREYS_SHAPE = 0.5


@dataclass(frozen=True)
class GammaRate:
    """Gamma posterior of a rate.

    Attributes:
        shape: a.
        rate: b, in units of the exposure; nothing is known of the rate while it is 0.

    >>> posterior = GammaRate.of(12, 4_000)
    >>> round(posterior.mean * 1_000, 3), [round(end * 1_000, 3) for end in posterior.interval(0.95)]
    (3.125, [1.64, 5.081])
    """

    shape: float
    rate: float

    @classmethod
    def of(cls, events: float, exposure: float, dispersion: float = 1.0) -> GammaRate:
        """The posterior after `events` among `exposure`.

        Args:
            events: How often it happened.
            exposure: Among how much, above nothing: the unit of the rate.
            dispersion: Variance over mean of the counts; 1 for Poisson's.

        Raises:
            ModelError: without an exposure, or with fewer than no events.
        """
        if not exposure > 0 or events < 0 or not dispersion > 0:
            raise ModelError("A rate needs an exposure above 0, and events that are not below 0.")
        return cls(JEFFREYS_SHAPE + events / dispersion, exposure / dispersion)

    @property
    def mean(self) -> float:
        """Posterior mean."""
        return self.shape / self.rate

    def ppf(self, q: ArrayLike) -> Array:
        """The q-quantile."""
        return np.asarray(special.gammaincinv(self.shape, q) / self.rate)

    def cdf(self, x: ArrayLike) -> Array:
        """P(λ <= x)."""
        return np.asarray(special.gammainc(self.shape, np.maximum(x, 0.0) * self.rate))

    def interval(self, level: float) -> Interval:
        """The equal-tailed interval that holds the rate with probability `level`."""
        return _ends(self.ppf(_tails(level)))


@dataclass(frozen=True)
class RateRatio:
    """Posterior of first / second, two independent rates.

    >>> joined, left = GammaRate.of(120, 28), GammaRate.of(80, 28)
    >>> ratio = RateRatio(joined, left)
    >>> [round(float(ratio.cdf(k)), 3) for k in (2, 1)]
    [0.976, 0.002]
    """

    first: GammaRate
    second: GammaRate

    @property
    def median(self) -> float:
        """As likely above as below."""
        return float(self.ppf(0.5))

    def cdf(self, k: ArrayLike) -> Array:
        """P(first / second <= k)."""
        odds = np.maximum(np.asarray(k, dtype=float), 0.0) * (self.first.rate / self.second.rate)
        return np.asarray(special.betainc(self.first.shape, self.second.shape, odds / (1 + odds)))

    def ppf(self, q: ArrayLike) -> Array:
        """The q-quantile."""
        share = special.betaincinv(self.first.shape, self.second.shape, q)
        rest = special.betainccinv(self.second.shape, self.first.shape, q)  # 1 − share, without a loss
        return np.asarray(share / rest * (self.second.rate / self.first.rate))

    def interval(self, level: float) -> Interval:
        """The equal-tailed interval that holds the ratio with probability `level`."""
        return _ends(self.ppf(_tails(level)))


def _tails(level: float) -> list[float]:
    return [(1 - level) / 2, (1 + level) / 2]


def _ends(values: Array) -> Interval:
    return float(values[0]), float(values[1])
