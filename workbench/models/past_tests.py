"""What past tests say of the next one: a prior of its lift (empirical Bayes).

Past tests i with estimates y_i and standard errors se_i, true effects around a common mean:
    y_i ~ N(θ_i, se_i²),   θ_i ~ N(μ, τ²),   μ ~ N(0, w²),   τ half-Normal(w)
with w so wide that the tests decide. p(μ, τ | y) is integrated over a grid of τ (`shrinkage`); the next
test's effect, like one that has no data yet, is θ | y ~ ∫ N(μ̂, V + τ²) p(τ | y) dτ, of which the prior keeps
the mean and the standard deviation. Few tests leave τ and so the prior wide.

Gelman et al., BDA3, section 5.4; for tests of web sites Azevedo, Deng, Montiel Olea, Weyl (2019), "Empirical
Bayes estimation of treatment effects with many A/B tests", AEA Papers and Proceedings 109.

All tests count, the failed ones too: of those that were adopted alone, the estimates are too high (winner's
curse), and so would the prior be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from workbench.errors import ModelError
from workbench.models.arms import Array
from workbench.models.lift import LiftPrior, Scale
from workbench.models.shrinkage import HalfNormal, pool

LEAST_TESTS = 5
"""Tests below which their spread says next to nothing of that of true effects."""
_WIDE = {"log": 0.5, "log odds": 0.5}


@dataclass(frozen=True)
class PastTests:
    """What a row of tests says.

    Attributes:
        prior: Of the next test's effect.
        mean, mean_sd: Of μ, the true effect of a typical test.
        spread: Posterior mean of τ, how far true effects lie apart.
        effects: Posterior mean of each past test's true effect, drawn towards the others; shape (tests,).
        share_positive: Probability that the next test's true effect is above zero.
    """

    prior: LiftPrior
    mean: float
    mean_sd: float
    spread: float
    effects: Array
    share_positive: float


def from_past_tests(
    estimates: Sequence[float],
    standard_errors: Sequence[float],
    scale: Scale = "log",
    wide: float | None = None,
) -> PastTests:
    """A prior from past tests.

    Args:
        estimates, standard_errors: One a test, on the scale.
        scale: Of the effects.
        wide: w; by default 0.5 in logs. On `difference` three times the spread of the estimates.

    Raises:
        ModelError: there are too few tests, or a number is missing or not finite.

    >>> found = from_past_tests([0.02, -0.01, 0.05, 0.01, 0.00, 0.03], [0.01] * 6)
    >>> round(found.prior.mean, 3), round(found.prior.sd, 3)
    (0.017, 0.034)
    """
    y, se = np.asarray(estimates, dtype=float), np.asarray(standard_errors, dtype=float)
    if len(y) < LEAST_TESTS:
        raise ModelError(
            "There are {n:count} past tests; a prior from them needs at least {least:count}. "
            "Say in your own words between which lifts you expect the effect.",
            n=len(y),
            least=LEAST_TESTS,
        )
    w = wide or _WIDE.get(scale) or 3 * float(np.sqrt(np.mean(y**2)))
    # The next test is one more that has no data: its estimate is as good as unknown.
    blind = 1e6 * max(w, float(np.max(se, initial=0.0)))
    pooled = pool(np.r_[y, 0.0], np.r_[se, blind] if y.shape == se.shape else se, HalfNormal(w), (0.0, w))
    following = pooled.effects[-1]
    return PastTests(
        prior=LiftPrior(following.mean, following.sd, scale),
        mean=pooled.overall.mean,
        mean_sd=pooled.overall.sd,
        spread=pooled.tau,
        effects=np.array([effect.mean for effect in pooled.effects[:-1]]),
        share_positive=float(following.weights @ special.ndtr(following.means / following.sds)),
    )
