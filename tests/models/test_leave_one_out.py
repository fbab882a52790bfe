"""Leaving out one customer after the other, held against an exact answer, ArviZ and worlds that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models.buyers import counted, histories
from workbench.models.leave_one_out import leave_one_out
from workbench.models.purchases import PurchaseRows, log_likelihood, maximum_likelihood, posterior

DATA = Path(__file__).parents[1] / "data"
CDNOW = PurchaseRows(*np.loadtxt(DATA / "cdnow_rows.csv", delimiter=",", skiprows=1, unpack=True))


def test_it_foretells_who_was_left_out_as_a_posterior_without_them_does() -> None:
    """Normal data of known variance: the posterior without one of them is known exactly."""
    rng = np.random.default_rng(1)
    y = rng.normal(3, 1, 25)
    mu = rng.normal(y.mean(), 1 / 5, 40_000)[:, None]  # a flat prior
    found = leave_one_out(-0.5 * (y - mu) ** 2 - 0.5 * np.log(2 * np.pi), np.ones(25))
    others = (y.sum() - y) / 24
    exact = -0.5 * (y - others) ** 2 / (1 + 1 / 24) - 0.5 * np.log(2 * np.pi * (1 + 1 / 24))
    assert found.each == pytest.approx(exact, abs=0.05)
    assert found.elpd == pytest.approx(exact.sum(), abs=0.15)
    assert found.parameters == pytest.approx(1, abs=0.3)
    assert found.sound


def test_counted_customers_are_left_out_one_at_a_time_and_agree_with_arviz() -> None:
    from arviz_stats.base import array_stats

    rows = CDNOW.where(np.arange(0, len(CDNOW.n), 25))
    draws = posterior(rows, "mbg-nbd", draws=1000, seed=1)
    logs = log_likelihood(draws, rows)
    found = leave_one_out(logs, rows.n)
    smoothed, khat = array_stats.psislw(logs.T, axis=1)
    theirs = np.log(np.sum(np.exp(smoothed + logs.T), axis=1))
    assert found.each == pytest.approx(theirs, abs=5e-3)
    assert found.khat == pytest.approx(np.max(khat), abs=0.02)
    each = np.repeat(np.arange(len(rows.n)), rows.n.astype(int))
    one_by_one = leave_one_out(logs[:, each], np.ones(len(each)))
    assert found.elpd == pytest.approx(one_by_one.elpd, rel=1e-12)
    assert found.standard_error == pytest.approx(one_by_one.standard_error, rel=1e-12)


@pytest.mark.requirement("V03")
def test_cdnow_is_foretold_about_as_well_by_both_that_leave_after_buying() -> None:
    """Log likelihoods of -9582.4, -9582.1 and -9595.0: elpd is that less some four parameters."""
    found = {}
    for model in ("bg-nbd", "mbg-nbd"):
        fit = maximum_likelihood(CDNOW, model)
        assert fit.aic == pytest.approx(-2 * fit.log_likelihood + 8)
        assert fit.bic(CDNOW.customers) == pytest.approx(fit.aic - 8 + 4 * np.log(2357))
        draws = posterior(CDNOW, model, draws=500, seed=1)
        found[model] = leave_one_out(log_likelihood(draws, CDNOW), CDNOW.n)
        assert found[model].sound
        assert fit.log_likelihood - found[model].elpd == pytest.approx(4, abs=1.5)
        assert found[model].parameters == pytest.approx(4, abs=1.5)
    gain, error = found["mbg-nbd"].better_than(found["bg-nbd"])
    assert abs(gain) < 2 * error + 2
    assert error < found["bg-nbd"].standard_error / 10


def test_the_model_that_made_the_customers_is_found() -> None:
    truth = {"r": 1.0, "alpha": 3.0, "s": 0.8, "beta": 12.0}
    T = np.repeat(np.arange(10.0, 40.0), 60)
    x, last = histories("pareto-nbd", truth, T, np.random.default_rng(2))
    rows = counted(x, last, T, 1)
    found = {
        model: leave_one_out(log_likelihood(posterior(rows, model, draws=300, seed=1), rows), rows.n)
        for model in ("bg-nbd", "pareto-nbd")
    }
    gain, error = found["pareto-nbd"].better_than(found["bg-nbd"])
    assert gain > 3 * error
