"""Tests without a prior: scipy as a second method, error rates under looking often, many at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.second_methods.frequentist import log_e_process, sample_size, split_p_value
from workbench.errors import ModelError
from workbench.models.frequentist import always_valid_interval, always_valid_p_value, welch
from workbench.models.multiplicity import benjamini_hochberg, hochberg
from workbench.moments import Moments


def of(values: np.ndarray) -> Moments:
    return Moments.of_mean(len(values), float(values.mean()), float(values.var(ddof=1)))


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("equal", [True, False])
def test_welch_and_student_are_scipys(alternative: str, equal: bool) -> None:
    random = np.random.default_rng(1)
    one, two = random.normal(5, 1, 30), random.normal(5.5, 3, 12)
    theirs = stats.ttest_ind(two, one, equal_var=equal, alternative=alternative)
    ours = welch(of(two), of(one), 0.9, alternative, equal)  # type: ignore[arg-type]
    assert ours.p_value == pytest.approx(theirs.pvalue)
    assert ours.dof == pytest.approx(theirs.df)
    assert ours.interval == pytest.approx(tuple(theirs.confidence_interval(0.9)))


def test_a_negative_control_has_a_difference_but_no_logarithm() -> None:
    test = welch(Moments.of_mean(50, 1.0, 1.0), Moments.of_mean(50, -2.0, 1.0), relative="log")
    assert test.difference == 3.0
    assert test.relative is None
    with pytest.raises(ModelError, match="values that differ"):
        welch(Moments.of_mean(5, 1.0, 0.0), Moments.of_mean(5, 1.0, 0.0))


def test_looking_often_is_free_with_an_always_valid_interval_only() -> None:
    random = np.random.default_rng(2)
    looks, each, tests = 20, 200, 2000
    values = random.normal(0, 1, (2, tests, looks, each)).sum(axis=3).cumsum(axis=2)
    n = each * np.arange(1, looks + 1)
    estimate, se = (values[1] - values[0]) / n, np.sqrt(2 / n)
    reach = np.array(
        [always_valid_interval(0.0, float(s), int(2 * m))[1] for s, m in zip(se, n, strict=True)]
    )
    assert (np.abs(estimate) > reach).any(axis=1).mean() < 0.05
    assert (np.abs(estimate) > 1.96 * se).any(axis=1).mean() > 0.2


def test_an_always_valid_interval_is_tightest_where_it_was_tuned() -> None:
    def width(n: int, tuned_at: int) -> float:
        return always_valid_interval(0.0, n**-0.5, n, tuned_at=tuned_at)[1]

    assert width(5000, 5000) < min(width(5000, 500), width(5000, 50_000))
    # Valid at every look costs more than at one.
    assert width(5000, 5000) > 1.96 * 5000**-0.5


def test_the_e_process_errs_seldom_at_any_look_and_finds_what_is_there() -> None:
    random = np.random.default_rng(3)

    def found(rates: tuple[float, float]) -> float:
        hits = 0
        for _ in range(150):
            counts = [random.binomial(300, rate, 6).cumsum() for rate in rates]
            looks = [
                (Moments.of_binary(int(t), 300 * k), Moments.of_binary(int(c), 300 * k))
                for k, (c, t) in enumerate(zip(*counts, strict=True), 1)
            ]
            hits += bool((log_e_process(looks, 0.5) >= np.log(20)).any())
        return hits / 150

    assert found((0.1, 0.1)) <= 0.05 + 0.03
    assert found((0.1, 0.18)) > 0.9


def test_the_e_process_has_mean_one_without_an_effect() -> None:
    # All splits of 9 conversions among 20 and 30 people, each with its probability.
    evidence = [
        np.exp(log_e_process([(Moments.of_binary(k, 20), Moments.of_binary(9 - k, 30))], 0.7)[0])
        for k in range(10)
    ]
    assert stats.hypergeom(50, 20, 9).pmf(range(10)) @ evidence == pytest.approx(1, abs=1e-9)


def test_looks_that_shrink_are_refused() -> None:
    looks = [
        (Moments.of_binary(5, 50), Moments.of_binary(5, 50)),
        (Moments.of_binary(4, 60), Moments.of_binary(6, 60)),
    ]
    with pytest.raises(ModelError, match="all so far"):
        log_e_process(looks, 0.1)


@pytest.mark.parametrize(("difference", "power"), [(0.3, 0.85), (1.0, 0.8), (8.0, 0.9)])
def test_a_sample_of_that_size_has_that_power_and_one_less_has_not(difference: float, power: float) -> None:
    each = sample_size(100, difference, power) // 2

    def reached(n: int) -> float:
        t = stats.nct(2 * n - 2, difference / np.sqrt(200 / n))
        edge = stats.t.ppf(0.975, 2 * n - 2)
        return float(t.sf(edge) + t.cdf(-edge))

    assert reached(each) >= power > reached(each - 1)


def test_exact_splits_are_scipys() -> None:
    for first, second, share in ((53, 47, 0.5), (0, 9, 0.3), (200, 60, 0.75)):
        theirs = stats.binomtest(first, first + second, share).pvalue
        assert split_p_value(first, second, share) == pytest.approx(theirs, rel=1e-6)


def test_adjusted_p_values_are_scipys_and_never_smaller() -> None:
    p = np.random.default_rng(4).random(50) ** 2
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    assert (hochberg(p) >= benjamini_hochberg(p)).all()
    assert (benjamini_hochberg(p) >= p).all()
    assert benjamini_hochberg(p[::-1]) == pytest.approx(benjamini_hochberg(p)[::-1])
    with pytest.raises(ModelError, match="between 0 and 1"):
        hochberg([0.5, 1.2])


def test_the_always_valid_p_value_is_the_interval_turned_round() -> None:
    for level in (0.9, 0.95, 0.99):
        reach = always_valid_interval(0.0, 1.0, 3000, level)[1]
        assert always_valid_p_value(reach, 1.0, 3000, level) == pytest.approx(1 - level)
    assert always_valid_p_value(0.0, 1.0, 3000) == 1.0


def test_the_always_valid_p_value_is_one_over_a_mixture_of_likelihoods() -> None:
    """Over effects ~ N(0, ρ² V n): by quadrature, at three standard errors of 10,000 people."""
    rho2 = (-2 * np.log(0.05) + np.log(1 - 2 * np.log(0.05))) / 5000
    spread = np.sqrt(rho2 * 10_000)
    z = np.linspace(-40, 40, 400_001)
    mixed = (stats.norm.pdf(3.0, z) * stats.norm.pdf(z, 0, spread)).sum() * (z[1] - z[0])
    p = always_valid_p_value(3.0, 1.0, 10_000)
    assert 1 / p == pytest.approx(mixed / stats.norm.pdf(3.0), rel=1e-6)


def test_looking_often_at_the_p_value_seldom_finds_what_is_not_there() -> None:
    """Conversions at 5 %, twenty looks."""
    random = np.random.default_rng(8)
    wrong = 0
    for _ in range(300):
        smallest = 1.0
        for k, (t, c) in enumerate(random.binomial(500, 0.05, (2, 20)).cumsum(axis=1).T, 1):
            test = welch(Moments.of_binary(int(t), 500 * k), Moments.of_binary(int(c), 500 * k))
            smallest = min(smallest, always_valid_p_value(test.difference, test.standard_error, 2 * 500 * k))
        wrong += smallest <= 0.05
    assert wrong <= 0.05 * 300 + 4 * np.sqrt(300 * 0.0475)


def test_a_treatment_in_which_nobody_has_anything_is_tested_all_the_same() -> None:
    """Nothing of twenty against ten of twenty: a difference with a p-value, a lift without error."""
    found = welch(Moments.of_binary(0, 20), Moments.of_binary(10, 20))
    assert found.p_value < 0.001
    assert found.relative == -1
    assert found.relative_interval is None
