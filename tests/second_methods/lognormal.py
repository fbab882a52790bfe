"""Revenue per customer when buyers' values are lognormal: buyers and the logs of what they spend.

θ the share of buyers, log x ~ N(μ, σ²) among them:
    θ | data ~ Beta(a + s, b + n − s),   (μ, σ²) | data Normal-inverse-gamma as in `arms`
    revenue per customer = θ exp(μ + σ²/2)
drawn, since exp(σ²/2) has no posterior mean in closed form (nor, in theory, at all: what draws show is what
the data let one see). It uses every order, not only the large ones, so it is surer than a mean when it is
right; when values are not lognormal it is wrong however many there are. So it is shown beside the plain mean,
with `departure`, the posterior predictive check: skewness and excess kurtosis of the logs, which under the
model have the same distribution whatever μ and σ are,
    JB = n (skewness²/6 + kurtosis²/24) ~ χ²₂   (Jarque & Bera 1987, International Statistical Review 55)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from workbench.errors import ModelError
from workbench.models.arms import JEFFREYS, Array, BetaArm, MeanArm, MeanPrior, binary_arm, mean_arm
from workbench.models.bootstrap import DRAWS
from workbench.models.drawn import DrawnArm
from workbench.moments import Histogram, Moments


class Departure(NamedTuple):
    """How far the logs of buyers' values are from Normal; the p-value is that of the model."""

    skewness: float
    kurtosis: float
    p_value: float


@dataclass(frozen=True)
class LognormalHurdle:
    """Posterior of who buys and of the logs of what buyers spend.

    Attributes:
        share: Of customers who buy.
        log_value: Of μ.
        weight: Buyers' worth of evidence about μ, the prior's included.
    """

    share: BetaArm
    log_value: MeanArm
    weight: float

    @property
    def variance(self) -> float:
        """σ², as b / a of its inverse gamma posterior."""
        return self.log_value.scale**2 * self.weight

    @property
    def plug_in(self) -> float:
        """Revenue per customer with estimates in place of the unknowns."""
        return self.share.mean * float(np.exp(self.log_value.location + self.variance / 2))

    def arm(self, draws: int = DRAWS, seed: int = 0) -> DrawnArm:
        """Posterior of revenue per customer; arms need different seeds."""
        rng = np.random.default_rng(seed)
        theta = rng.beta(self.share.a, self.share.b, draws)
        a = self.log_value.dof / 2
        variance = self.variance * a / rng.standard_gamma(a, draws)
        mu = self.log_value.location + np.sqrt(variance / self.weight) * rng.standard_normal(draws)
        return DrawnArm(theta * np.exp(mu + variance / 2))


def lognormal_hurdle(
    customers: int,
    logs: Moments,
    share_prior: tuple[float, float] = JEFFREYS,
    value_prior: MeanPrior | None = None,
) -> LognormalHurdle:
    """Posterior of buyers and the logs of what they spend.

    Args:
        customers: All of them, with those who bought nothing.
        logs: Of the natural logarithm of each buyer's value.
        share_prior: a and b of the Beta prior of the share of buyers.
        value_prior: Of the logs; None for the reference prior.

    Raises:
        ModelError: there are more buyers than customers, or too few buyers.
    """
    if logs.n > customers:
        raise ModelError(
            "There are more buyers ({buyers:count}) than customers ({n:count}).", buyers=logs.n, n=customers
        )
    return LognormalHurdle(
        binary_arm(Moments.of_binary(logs.n, customers), share_prior),
        mean_arm(logs, value_prior),
        logs.n + (value_prior.weight if value_prior else 0.0),
    )


def departure(values: Histogram) -> Departure:
    """Whether buyers' values look lognormal.

    Args:
        values: Of customers or of buyers; those at zero are left out.

    Raises:
        ModelError: a value is negative, or there are too few above zero.
    """
    if values.values.ndim != 1 or (values.values < 0).any():
        raise ModelError("Logarithms need values above zero; refunds make some of these negative.")
    above = values.values > 0
    logs, counts = np.log(values.values[above]), values.counts[above]
    n = counts.sum()
    if n < 20 or np.unique(logs).size < 2:
        raise ModelError("The shape of values needs at least 20 that are above zero and not all the same.")

    def average(x: Array) -> float:
        return float(counts @ x / n)

    apart = logs - average(logs)
    second = average(apart**2)
    skewness = average(apart**3) / second**1.5
    kurtosis = average(apart**4) / second**2 - 3
    statistic = n * (skewness**2 / 6 + kurtosis**2 / 24)
    return Departure(skewness, kurtosis, float(np.exp(-statistic / 2)))
