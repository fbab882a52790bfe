"""Thompson sampling of shares (Beta), with its probabilities kept: bandits whose truth is known.

Customers come in periods. Before each, the share of each arm is Beta(a + successes, b + failures); the arm of
a customer is drawn with the probability

    e_a = f + (1 − K f) P(θ_a is the largest of K),

P being the share of draws from the posteriors in which it is, f a floor that keeps exploring. That is the
probability which a log has to hold for the arms to be compared afterwards (`models.adaptive`).

Thompson (1933), Biometrika 25:285; Chapelle & Li (2011), "An empirical evaluation of Thompson sampling".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import ModelError, check_between
from workbench.locale import say
from workbench.models.adaptive import Period
from workbench.moments import WeightedMoments, WeightedSums

type Array = NDArray[np.float64]
type Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Bandits:
    """What happened in several bandits on the same arms; arrays have the shape (bandits, periods, arms).

    Attributes:
        probability: With which a customer of the period got the arm.
        n: Customers who got it.
        successes: Those of them who succeeded.
    """

    probability: Array
    n: Counts
    successes: Counts

    @property
    def naive(self) -> Array:
        """The plain share of each arm, shape (bandits, arms); NaN for one that was never drawn."""
        with np.errstate(invalid="ignore"):
            return self.successes.sum(axis=1) / self.n.sum(axis=1)

    def periods(self, bandit: int, arm: int) -> list[Period]:
        """One arm of one bandit, period by period, as `adaptive.doubly_robust` takes it."""
        found = []
        for e, n, s in zip(
            self.probability[bandit, :, arm], self.n[bandit], self.successes[bandit, :, arm], strict=True
        ):
            own = int(n[arm])
            found.append(Period(_weighted(float(e), own, int(s)) if own else None, int(n.sum())))
        return found


def _weighted(e: float, n: int, s: int) -> WeightedMoments:
    w, ww = 1 / e, 1 / e**2
    return WeightedMoments.of(WeightedSums(n, n * w, n * ww, 0, s * w, 0, s * ww, 0, s * ww, 0))


def thompson(
    shares: ArrayLike,
    customers: int,
    *,
    periods: int = 20,
    floor: float = 0.05,
    prior: tuple[float, float] = (1.0, 1.0),
    bandits: int = 1,
    draws: int = 200,
    seed: int = 0,
) -> Bandits:
    """Let bandits run.

    Args:
        shares: True share of successes of each arm, shape (arms,) or, where it changes, (periods, arms).
        customers: In each period.
        periods: How often the probabilities are set anew.
        floor: The smallest probability of an arm.
        prior: Beta prior of every share.
        bandits: How many, independent of each other.
        draws: From each posterior, of which the probabilities are the shares.
        seed: Of the random numbers.

    Raises:
        ModelError: there are fewer than two arms, or shares do not fit the periods.
        WorkbenchError: the floor leaves no room, or a share is none.
    """
    truth = np.atleast_2d(np.asarray(shares, dtype=float))
    arms = truth.shape[1]
    if arms < 2 or truth.shape[0] not in (1, periods):
        raise ModelError("A bandit needs two arms or more, and a share of each for all periods or for every.")
    check_between(floor, 0, 1 / arms, say("smallest probability of an arm"))
    check_between(truth.min(), 0, 1, say("share"))
    check_between(truth.max(), 0, 1, say("share"))
    truth = np.broadcast_to(truth, (periods, arms))
    rng = np.random.default_rng(seed)
    shape = (bandits, periods, arms)
    probability, n, successes = np.empty(shape), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for period in range(periods):
        won, tried = successes[:, :period].sum(axis=1), n[:, :period].sum(axis=1)
        sample = rng.beta(prior[0] + won, prior[1] + tried - won, (draws, bandits, arms))
        best = (sample.argmax(axis=2)[..., None] == np.arange(arms)).mean(axis=0)
        probability[:, period] = floor + (1 - arms * floor) * best
        n[:, period] = rng.multinomial(customers, probability[:, period])
        successes[:, period] = rng.binomial(n[:, period], truth[period])
    return Bandits(probability, n, successes)
