"""Which of several models foretells a customer best whom it has not seen.

Each customer is left out in turn. With draws θ_s from the posterior of all,

    p(y_i | all but i) = 1 / mean_s(1 / p(y_i | θ_s)),

the importance weights 1/p(y_i | θ_s) being Pareto-smoothed. The sum of the logs over customers, elpd, is the
larger the better; it pays for parameters by itself. Its standard error is that of a sum over customers, and
the standard error of a difference is that of the sum of each customer's difference, which is much less.
Customers with equal histories are one row with a count n, and are left out one at a time all the same.

Source: Vehtari, Gelman & Gabry (2017), "Practical Bayesian model evaluation using leave-one-out
cross-validation and WAIC", Statistics and Computing 27.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from workbench.models.importance import KHAT_LIMIT, Array, pareto_smooth

_MOST_DRAWS = 1000


@dataclass(frozen=True)
class LeaveOneOut:
    """How well a model foretells customers left out.

    Attributes:
        each: The log probability of one customer of each row, left out, shape (rows,).
        n: How many customers each row stands for.
        parameters: The effective number of parameters (p_loo).
        khat: The largest of the rows' k̂: whether leaving out any single customer can be trusted.
    """

    each: Array
    n: Array
    parameters: float
    khat: float

    @property
    def elpd(self) -> float:
        """The expected log predictive density of all customers."""
        return float(self.n @ self.each)

    @property
    def standard_error(self) -> float:
        """Of `elpd`."""
        return _standard_error(self.each, self.n)

    @property
    def sound(self) -> bool:
        """Whether k̂ is below its limit for every customer."""
        return self.khat < KHAT_LIMIT

    def better_than(self, other: LeaveOneOut) -> tuple[float, float]:
        """By how much the elpd is above another model's of the same rows, and the standard error of that."""
        gain = self.each - other.each
        return float(self.n @ gain), _standard_error(gain, self.n)


def leave_one_out(log_likelihood: Array, n: Array) -> LeaveOneOut:
    """Leave out one customer after the other.

    Args:
        log_likelihood: Of one customer of each row under each draw from the posterior, as
            `purchases.log_likelihood` gives it, shape (draws, rows); a thousand draws are used at most.
        n: How many customers each row stands for, shape (rows,).
    """
    chosen = np.linspace(0, len(log_likelihood) - 1, min(_MOST_DRAWS, len(log_likelihood)))
    logs = log_likelihood[chosen.round().astype(int)]
    left_out, khats = np.empty(logs.shape[1]), np.empty(logs.shape[1])
    for row, log in enumerate(logs.T):
        weights, khats[row] = pareto_smooth(-log)
        left_out[row] = logsumexp(weights + log)
    in_sample = logsumexp(logs, axis=0) - np.log(len(logs))
    # A row whose likelihood hardly varies over the draws has no tail, and needs none.
    flat = np.ptp(logs, axis=0) < 1e-9
    khat = float(np.max(khats[~flat], initial=-np.inf))
    return LeaveOneOut(left_out, n, float(n @ (in_sample - left_out)), khat)


def _standard_error(each: Array, n: Array) -> float:
    count = n.sum()
    mean = n @ each / count
    return float(np.sqrt(count * (n @ (each - mean) ** 2) / (count - 1))) if count > 1 else 0.0
