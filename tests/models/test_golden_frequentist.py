"""Published tests without a prior: Welch, ratios, always-valid intervals, e-processes, many tests at once."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from scipy import special, stats

from tests.second_methods.frequentist import log_e_process, log_likelihood_ratio, sample_size, split_p_value
from workbench.models import linearised
from workbench.models.frequentist import always_valid_interval, welch
from workbench.models.multiplicity import benjamini_hochberg, hochberg
from workbench.models.sample_ratio import sample_ratio_p_value
from workbench.moments import CrossMoments, Moments

LOOKS = [
    (Moments.of_binary(t, n), Moments.of_binary(c, n))
    for c, t, n in ((250, 290, 5000), (500, 560, 10_000), (1000, 1100, 20_000))
]


def pair(n: int, x: float, var_x: float, y: float, var_y: float, cov: float) -> CrossMoments:
    return CrossMoments(n, x, y, var_x * (n - 1), var_y * (n - 1), cov * (n - 1))


CONTROL = pair(
    53, 1.9811320754716981, 0.9804063860667634, 0.5660377358490566, 0.7888243831640053, 0.39550072568940503
)
TREATMENT = pair(
    47, 1.8936170212765957, 0.7927844588344127, 0.3829787234042553, 0.5023126734505092, 0.15032377428307112
)


def test_welch_of_two_means() -> None:
    control, treatment = (
        Moments.of_sums(3407, 1396.87, 52377.9767),
        Moments.of_sums(3461, 2422.7, 134698.29),
    )
    test = welch(treatment, control)
    assert (test.difference, test.standard_error) == pytest.approx((0.29, 0.12478), abs=5e-6)
    assert test.p_value == pytest.approx(0.02016, abs=5e-6)
    assert test.interval == pytest.approx((0.04538, 0.53462), abs=5e-6)
    assert (test.relative, test.relative_standard_error) == pytest.approx((0.70732, 0.37879), abs=5e-6)
    assert test.relative_p_value == pytest.approx(0.06191, abs=5e-6)
    assert test.relative_interval == pytest.approx((-0.03526, 1.44989), abs=5e-6)


def test_welch_of_orders_per_customer() -> None:
    test = welch(TREATMENT.y, CONTROL.y, relative="log")
    assert test.difference == pytest.approx(-0.18305901, abs=5e-9)
    assert test.interval == pytest.approx((-0.50043594, 0.13431791), abs=5e-9)
    assert test.relative == pytest.approx(-0.32340426, abs=5e-9)
    assert test.relative_interval == pytest.approx((-0.65933511, 0.34378921), abs=5e-9)
    assert test.p_value == pytest.approx(0.25512305, abs=5e-9)


def test_orders_per_session_are_tested_as_their_linearised_values() -> None:
    treatment, control = linearised.ratio(TREATMENT), linearised.ratio(CONTROL)
    assert (control.mean, treatment.mean) == pytest.approx((0.28571429, 0.20224719), abs=5e-9)
    test = welch(treatment, control, alternative="greater", equal_variances=True, relative="log")
    assert test.difference == pytest.approx(-0.08346709, abs=5e-9)
    assert test.interval == (pytest.approx(-0.21187247, abs=5e-9), np.inf)
    assert test.relative_interval == (pytest.approx(-0.58523847, abs=5e-9), np.inf)
    assert test.p_value == pytest.approx(0.85847163, abs=5e-9)


def test_tea_tasting_agrees_on_data_of_its_own() -> None:
    import tea_tasting as tt

    data = tt.make_users_data(n_users=400, rng=7, return_type="pandas")
    experiment = tt.Experiment(
        orders=tt.Mean("orders"),
        ratio=tt.RatioOfMeans("orders", "sessions"),
        adjusted=tt.RatioOfMeans("orders", "sessions", alternative="less", confidence_level=0.9),
    )
    theirs = experiment.analyze(data)
    arms = []
    for variant in (1, 0):
        rows = data[data["variant"] == variant]
        x, y = rows["sessions"].to_numpy(float), rows["orders"].to_numpy(float)
        arms.append(CrossMoments.of_sums(len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y))
    for name, ours in (
        ("orders", welch(arms[0].y, arms[1].y, relative="log")),
        ("ratio", welch(linearised.ratio(arms[0]), linearised.ratio(arms[1]), relative="log")),
        (
            "adjusted",
            welch(linearised.ratio(arms[0]), linearised.ratio(arms[1]), 0.9, "less", relative="log"),
        ),
    ):
        result = theirs[name]
        assert ours.difference == pytest.approx(result.effect_size)
        assert ours.p_value == pytest.approx(result.pvalue)
        assert ours.interval == pytest.approx((result.effect_size_ci_lower, result.effect_size_ci_upper))
        assert ours.relative_interval is not None
        assert ours.relative_interval[1] == pytest.approx(result.rel_effect_size_ci_upper)


def test_always_valid_interval_of_a_lift() -> None:
    control, treatment = Moments.of_binary(1396, 3000), Moments.of_binary(2422, 3461)
    test = welch(treatment, control)
    assert test.relative == pytest.approx(0.50386, abs=5e-6)
    # The published variance of a share is p (1 − p), without the n / (n − 1) of a sample.
    (p, n), (q, m) = (control.mean, 3000), (treatment.mean, 3461)
    se = sqrt(q * (1 - q) / m + p * (1 - p) / n * (q / p) ** 2) / p
    assert test.relative_standard_error == pytest.approx(se, rel=2e-4)
    interval = always_valid_interval(q / p - 1, se, 6461)
    assert interval == pytest.approx((0.40098, 0.60675), abs=5e-6)


def test_e_process_of_two_shares() -> None:
    # Published 0.467693, 0.655277, 1.199527. They come from 401 equally likely log odds ratios in place of
    # the Normal prior; with those we get them to the last digit, with the prior itself this close.
    assert log_e_process(LOOKS, 0.1) == pytest.approx([0.467693, 0.655277, 1.199527], abs=2e-4)
    psi = stats.norm.ppf((np.arange(401) + 0.5) / 401, 0, 0.1)
    ratio = np.zeros_like(psi)
    found = []
    before = (Moments.empty(), Moments.empty())
    for treatment, control in LOOKS:
        new = [
            Moments.of_binary(now.successes - then.successes, now.n - then.n)
            for now, then in zip((treatment, control), before, strict=True)
        ]
        ratio = ratio + log_likelihood_ratio(new[0], new[1], psi)
        found.append(special.logsumexp(ratio) - log(401))
        before = (treatment, control)
    assert found == pytest.approx([0.467693, 0.655277, 1.199527], abs=5e-7)


def test_e_process_at_one_look_is_fishers_distribution_mixed() -> None:
    treatment, control = Moments.of_binary(9, 40), Moments.of_binary(3, 50)
    psi = np.linspace(-8, 8, 4001)
    likelihood = np.array([stats.nchypergeom_fisher(90, 40, 12, np.exp(x)).pmf(9) for x in psi[::40]])
    null = stats.hypergeom(90, 40, 12).pmf(9)
    assert log_likelihood_ratio(treatment, control, psi[::40]) == pytest.approx(
        np.log(likelihood / null), abs=1e-8
    )
    exact = np.trapezoid(
        np.exp(log_likelihood_ratio(treatment, control, psi)) * stats.norm.pdf(psi, 0, 0.8), psi
    )
    assert log_e_process([(treatment, control)], 0.8) == pytest.approx([log(exact)], abs=1e-8)


def test_p_values_adjusted_for_their_number() -> None:
    p = [0.005, 0.06, 0.007, 0.04, 0.01, 0.03]
    assert benjamini_hochberg(p) == pytest.approx([0.02, 0.06, 0.02, 0.048, 0.02, 0.045])
    assert hochberg(p) == pytest.approx([0.03, 0.06, 0.035, 0.06, 0.04, 0.06])


def test_sample_ratios() -> None:
    assert sample_ratio_p_value([1000, 1200]) == pytest.approx(2.007866e-5, rel=1e-6)
    assert sample_ratio_p_value([100, 120, 80]) == pytest.approx(0.0183156, abs=5e-8)
    # An arm that was planned to get nobody adds no degree of freedom (0.975 with it).
    assert sample_ratio_p_value([1000, 1010, 0], [0.5, 0.5, 0]) == pytest.approx(0.823, abs=5e-4)
    assert split_p_value(53, 47) == pytest.approx(0.6172994, abs=5e-8)
    assert split_p_value(90, 10, 0.8) == pytest.approx(stats.binomtest(90, 100, 0.8).pvalue, rel=1e-9)


def test_sample_size_of_two_means() -> None:
    assert sample_size(variance=100, difference=0.3, power=0.85) == 39906


def test_the_delta_variance_of_a_relative_difference_is_the_published_formula() -> None:
    control, treatment = Moments.of_mean(200, 4.0, 9.0), Moments.of_mean(150, 5.0, 4.0)
    se = sqrt(4 / 150 / 16 + 9 / 200 * 25 / 256)
    assert welch(treatment, control).relative_standard_error == pytest.approx(se, rel=1e-12)
