"""Gamma-Gamma against published numbers, the exact likelihood and the law that money has no unit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.errors import DataError, ModelError
from workbench.models.importance import Array
from workbench.models.spend import (
    PARAMETERS,
    SpendDraws,
    SpendLikelihood,
    SpendRows,
    bin_spend,
    expected_spend,
    frequency_spend_correlation,
    maximum_likelihood,
    posterior,
)

DATA = Path(__file__).parents[1] / "data"
X, M = np.loadtxt(DATA / "cdnow_spend.csv", delimiter=",", skiprows=1, unpack=True)
EXACT = bin_spend(X, M, width=0)
BINNED = bin_spend(X, M)
PUBLISHED = SpendDraws.point(p=6.25, q=3.74, v=15.44)


def simulated(
    customers: int, seed: int, p: float = 6.25, q: float = 3.74, v: float = 15.44
) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = rng.geometric(0.4, customers).astype(float)
    return x, rng.gamma(p * x, 1 / (rng.gamma(q, 1 / v, customers) * x))


@pytest.mark.requirement("V03")
def test_gamma_gamma_gives_the_published_estimates_for_cdnow() -> None:
    fit = maximum_likelihood(EXACT)
    assert len(X) == 946
    assert fit.log_likelihood == pytest.approx(-4055.92324, abs=1e-5)
    assert list(fit.parameters.values()) == pytest.approx([6.248803, 3.744589, 15.447747], rel=5e-7)


def test_bins_give_the_same_answer_from_a_fifth_of_the_rows() -> None:
    exact, binned = maximum_likelihood(EXACT), maximum_likelihood(BINNED)
    assert len(BINNED.x) == 198
    for name in PARAMETERS:
        gap = (binned.parameters[name] - exact.parameters[name]) / exact.standard_errors[name]
        assert abs(gap) < 2e-4


def test_without_the_variance_in_a_bin_the_answer_is_worse_by_a_hundred_times() -> None:
    x, m = simulated(40_000, seed=1)
    exact, second = maximum_likelihood(bin_spend(x, m, width=0)), maximum_likelihood(bin_spend(x, m))
    rows = bin_spend(x, m)
    first = maximum_likelihood(SpendRows(rows.x, rows.n, rows.mean_log, np.zeros_like(rows.n)))
    error = exact.standard_errors["q"]
    assert abs(second.parameters["q"] - exact.parameters["q"]) < 2e-3 * error
    assert abs(first.parameters["q"] - exact.parameters["q"]) > 0.1 * error


@pytest.mark.parametrize("point", [(6.25, 3.74, 15.44), (0.5, 1.2, 300.0), (40.0, 9.0, 0.3)])
def test_the_gradient_is_the_slope(point: tuple[float, ...]) -> None:
    likelihood, at = SpendLikelihood(BINNED), np.array(point)
    _, gradient = likelihood(at)
    for i, size in enumerate(at):
        step = np.eye(3)[i] * size * 1e-5
        slope = (likelihood(at + step)[0] - likelihood(at - step)[0]) / (2 * step[i])
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-4)


def test_expected_spend_is_the_published_one() -> None:
    assert expected_spend(PUBLISHED) == pytest.approx([35.219], abs=5e-4)
    assert expected_spend(PUBLISHED, x=2, mean_spend=22.35) == pytest.approx([24.664], abs=5e-4)
    fitted = SpendDraws.point(**maximum_likelihood(EXACT).parameters)
    first_ten = expected_spend(
        fitted, [2, 1, 0, 0, 0, 7, 1, 0, 2, 0], [22.35, 11.77, 0, 0, 0, 73.74, 11.77, 0, 25.55, 0]
    )
    assert first_ten[0] == pytest.approx(
        [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17], abs=0.01
    )


def test_a_history_pulls_from_the_mean_of_all_to_the_mean_of_the_customer() -> None:
    seen = expected_spend(PUBLISHED, x=[0, 1, 10, 1000], mean_spend=[100, 100, 100, 100])[0]
    assert np.all(np.diff(seen) > 0)
    assert seen[0] == expected_spend(PUBLISHED)[0]
    assert seen[-1] == pytest.approx(100, rel=0.001)


def test_the_currency_does_not_matter() -> None:
    dollars, cents = (
        posterior(BINNED, draws=500, seed=1),
        posterior(bin_spend(X, 100 * M, width=0), draws=500, seed=1),
    )
    assert cents.p == pytest.approx(dollars.p, rel=1e-3)
    assert cents.q == pytest.approx(dollars.q, rel=1e-3)
    assert expected_spend(cents) == pytest.approx(100 * expected_spend(dollars), rel=1e-3)


def test_the_posterior_holds_the_truth_of_simulated_spend() -> None:
    truth = 6.25 * 15.44 / 2.74
    z = []
    for seed in range(12):
        mean = expected_spend(posterior(bin_spend(*simulated(1000, seed)), draws=500, seed=seed))
        z.append((mean.mean() - truth) / mean.std())
    # Twelve standard normal numbers: their mean and spread leave these bounds once in ten thousand times.
    assert abs(np.mean(z)) < 4 / np.sqrt(12)
    assert 0.35 < np.sqrt(np.mean(np.square(z))) < 1.9


def test_an_infinite_mean_withholds_the_result() -> None:
    draws = SpendDraws(np.full(100, 6.0), np.r_[np.full(99, 3.0), 0.99], np.full(100, 15.0))
    with pytest.raises(ModelError, match=r"withheld: mean spend is not finite.*1\.0 %"):
        expected_spend(draws)


def test_frequency_and_spend_are_barely_correlated_in_cdnow() -> None:
    assert frequency_spend_correlation(EXACT) == pytest.approx(np.corrcoef(X, M)[0, 1], abs=1e-12)
    assert frequency_spend_correlation(BINNED) == pytest.approx(0.114, abs=5e-4)
    assert frequency_spend_correlation(bin_spend([2, 2, 2], [5.0, 10, 20])) == 0


@pytest.mark.parametrize(("x", "m"), [(1, 0), (1, -5), (0, 5), (1, np.nan)])
def test_what_is_no_purchase_is_refused(x: float, m: float) -> None:
    with pytest.raises(DataError, match="above zero"):
        bin_spend([2, x], [10, m])


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ((0, 1, 3.0, 0.0), "number of purchases"),
        ((1.5, 1, 3.0, 0.0), "number of purchases"),
        ((1, 0, 3.0, 0.0), "number of customers"),
        ((1, 1, -np.inf, 0.0), "amount spent"),
        ((1, 1, 3.0, -0.1), "cannot be negative"),
    ],
)
def test_impossible_rows_are_refused(row: tuple[float, ...], rule: str) -> None:
    with pytest.raises(DataError, match=rule):
        SpendRows(*np.array([[1.0, row[0]], [2.0, row[1]], [3.0, row[2]], [0.01, row[3]]]))
