"""The Bayesian bootstrap, draws, lognormal revenue: exactness, second methods, one threshold for all arms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.second_methods.lognormal import departure, lognormal_hurdle
from workbench.errors import ModelError
from workbench.models import bootstrap, drawn
from workbench.models.arms import BetaArm, binary_arm, mean_arm
from workbench.models.bootstrap import quantile_band, quantile_distribution, winsor_threshold
from workbench.models.comparison import compare
from workbench.models.drawn import DrawnArm
from workbench.moments import Histogram, Moments


def of(values: np.ndarray) -> Moments:
    return Moments.of_mean(len(values), float(values.mean()), float(values.var(ddof=1)))


def test_rows_that_are_alike_are_compressed_without_loss() -> None:
    # A share is a mean of two distinct values; its Bayesian bootstrap is Beta(s, n − s), by hand and by rows.
    alike = bootstrap.mean(Histogram(np.array([0.0, 1.0]), np.array([880.0, 120.0])), draws=20_000, seed=1)
    exact = stats.beta(120, 880)
    assert stats.kstest(alike.draws, exact.cdf).pvalue > 0.001
    one_by_one = bootstrap.mean(Histogram(np.r_[np.zeros(88), np.ones(12)], np.ones(100)), draws=5000, seed=2)
    assert stats.kstest(one_by_one.draws, stats.beta(12, 88).cdf).pvalue > 0.001


def test_a_mean_agrees_with_students_t_where_people_are_many() -> None:
    random = np.random.default_rng(3)
    revenue = np.where(random.random(5000) < 0.1, random.lognormal(3, 0.7, 5000), 0.0).round(1)
    arm, plain = bootstrap.mean(Histogram.of(revenue), seed=4), mean_arm(of(revenue))
    assert arm.mean == pytest.approx(plain.mean, abs=4 * plain.sd / np.sqrt(2000))
    assert arm.sd == pytest.approx(plain.sd, rel=0.07)
    assert bootstrap.mean(Histogram.of(revenue[::-1]), seed=4).draws == pytest.approx(arm.draws, rel=1e-12)


def test_the_exact_mean_and_variance_of_a_bootstrapped_mean() -> None:
    values, counts = np.array([1.0, 4.0, 100.0]), np.array([5.0, 3.0, 1.0])
    arm = bootstrap.mean(Histogram(values, counts), draws=50_000, seed=5)
    mean = counts @ values / 9
    sd = np.sqrt(counts @ (values - mean) ** 2 / 9 / 10)
    assert arm.mean == pytest.approx(mean, abs=4 * sd / np.sqrt(50_000))
    assert arm.sd == pytest.approx(sd, rel=0.02)


def test_quantiles_are_those_of_drawn_weights() -> None:
    random = np.random.default_rng(6)
    values = random.gamma(2, 10, 60).round()
    histogram = Histogram.of(values)
    found, below = quantile_distribution(histogram, 0.9)
    weights = random.dirichlet(histogram.counts, 40_000).cumsum(axis=1)
    drawn_quantiles = histogram.values[(weights < 0.9).sum(axis=1)]
    for value, p in zip(found, below, strict=True):
        assert (drawn_quantiles <= value).mean() == pytest.approx(p, abs=4 * np.sqrt(0.25 / 40_000))
    arm = bootstrap.quantile(histogram, 0.9, draws=40_000, seed=7)
    assert arm.mean == pytest.approx(drawn_quantiles.mean(), abs=0.2)


def test_quantile_bands_are_those_of_order_statistics() -> None:
    values = np.random.default_rng(8).normal(size=400)
    middle, low, high = quantile_band(Histogram.of(values), 0.9)
    ordered = np.sort(values)
    ranks = stats.binom.ppf([0.025, 0.975], 399, 0.9).astype(int)
    assert (low, high) == (ordered[ranks[0]], ordered[ranks[1]])
    assert low < middle < high


def test_quantile_bands_hold_the_truth() -> None:
    random = np.random.default_rng(9)
    held = 0
    for _ in range(500):
        _, low, high = quantile_band(Histogram.of(random.exponential(1, 150)), 0.8)
        held += low <= -np.log(0.2) <= high
    assert held / 500 == pytest.approx(0.95, abs=0.035)


def test_the_threshold_is_one_for_all_arms_and_that_of_buyers_on_request() -> None:
    poor, rich = np.r_[np.zeros(980), np.arange(1.0, 21)], np.r_[np.zeros(960), np.arange(1.0, 41)]
    arms = [Histogram.of(poor), Histogram.of(rich)]
    everyone = np.sort(np.r_[poor, rich])
    assert winsor_threshold(arms, 0.99) == everyone[int(0.99 * 2000) - 1]
    buyers = np.sort(everyone[everyone > 0])
    assert winsor_threshold(arms, 0.9, nonzero=True) == buyers[54 - 1]
    # With 3 % buyers, a 95 % cut over everybody removes the metric altogether.
    assert winsor_threshold(arms, 0.95) == 0.0
    with pytest.raises(ModelError, match="nothing to cut"):
        winsor_threshold([Histogram(np.zeros(1), np.ones(1))], nonzero=True)
    # Arms cut at a threshold of their own would lose what the better one gained.
    own = [
        float(np.minimum(side, winsor_threshold([arm], 0.99)).mean())
        for side, arm in zip((poor, rich), arms, strict=True)
    ]
    one = [float(np.minimum(side, winsor_threshold(arms, 0.99)).mean()) for side in (poor, rich)]
    assert own[1] / own[0] > one[1] / one[0]


def test_a_winsorised_mean_is_a_mean_of_cut_values() -> None:
    values = np.random.default_rng(10).lognormal(3, 1.5, 800).round(1)
    cap = winsor_threshold([Histogram.of(values)])
    cut = np.minimum(values, cap)
    arm = bootstrap.mean(Histogram.of(values), cap=cap, seed=11)
    assert arm.mean == pytest.approx(cut.mean(), abs=4 * arm.sd / np.sqrt(2000))
    assert arm.sd < bootstrap.mean(Histogram.of(values), seed=11).sd
    assert arm.sd == pytest.approx(cut.std() / np.sqrt(801), rel=0.07)


def test_draws_compare_like_the_posteriors_they_come_from() -> None:
    random = np.random.default_rng(12)
    exact = compare(BetaArm(151, 851), BetaArm(121, 881), rope=(-0.05, 0.05), rope_scale="lift")
    result = drawn.compare(
        DrawnArm(random.beta(151, 851, 100_000)),
        DrawnArm(random.beta(121, 881, 100_000)),
        rope=(-0.05, 0.05),
        rope_scale="lift",
    )
    assert result.probability_better == pytest.approx(exact.probability_better, abs=0.002)
    assert result.difference_interval == pytest.approx(exact.difference_interval, abs=6e-4)
    assert result.lift_interval == pytest.approx(exact.lift_interval, abs=0.01)
    assert result.expected_loss == pytest.approx(exact.expected_loss, abs=3e-5)
    assert result.rope == pytest.approx(exact.rope, abs=0.004)
    x, y = result.density()
    theirs = np.interp(x, *exact.density())
    assert np.abs(y - theirs).max() < 0.06 * theirs.max()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.floats(-3, 3), st.sampled_from([0.5, 0.8, 0.9, 0.95]), st.booleans())
def test_probability_interval_and_losses_never_contradict_each_other(
    seed: int, apart: float, level: float, lower: bool
) -> None:
    random = np.random.default_rng(seed)
    arms = [DrawnArm(20 + random.normal(shift, 1, 400)) for shift in (apart, 0)]
    result = drawn.compare(*arms, level=level, rope=(0.0, 0.0), lower_is_better=lower)
    above = 1 - result.probability_better if lower else result.probability_better
    low, high = result.difference_interval
    assert (above > (1 + level) / 2 + 1e-9) == (low > 0)
    assert (high < 0) == (1 - above >= (1 + level) / 2 - 1e-9)
    assert result.rope == pytest.approx((1 - above, 0, above))
    gain = -result.difference if lower else result.difference
    assert result.expected_loss_control - result.expected_loss == pytest.approx(gain)
    probability, losses = drawn.best([arms[1], arms[0]], lower)
    assert probability[1] == pytest.approx(result.probability_better)
    assert losses == pytest.approx([result.expected_loss_control, result.expected_loss])


def test_no_lift_of_draws_over_a_mean_that_may_be_zero() -> None:
    random = np.random.default_rng(13)
    result = drawn.compare(DrawnArm(random.normal(1, 1, 2000)), DrawnArm(random.normal(0, 1, 2000)))
    assert result.lift is None
    with pytest.raises(ModelError, match="Read the difference"):
        result.lift_quantiles(0.5)


def test_bayesian_testing_draws_the_same_lognormal_revenue() -> None:
    from bayesian_testing.metrics.evaluation import eval_delta_lognormal_agg

    random = np.random.default_rng(14)
    logs = [of(random.normal(mean, 1, 300)) for mean in (3.0, 3.1)]
    sums = [[m.n * m.mean for m in logs], [m.m2 + m.n * m.mean**2 for m in logs]]
    theirs = eval_delta_lognormal_agg(
        [5000, 5000], [300, 300], *sums, sim_count=100_000, w_priors=[1e-9] * 2, seed=1
    )
    # Their reference prior p(σ²) ∝ 1/σ² has no flat mean in it: half a degree of freedom more than ours.
    arms = [lognormal_hurdle(5000, m).arm(100_000, seed) for seed, m in enumerate(logs)]
    probability, loss = drawn.best(arms)
    assert probability == pytest.approx(theirs[0], abs=0.006)
    assert loss == pytest.approx(theirs[1], abs=0.01)
    for arm, interval in zip(arms, theirs[2], strict=True):
        assert arm.ppf([0.025, 0.975]) == pytest.approx(interval, rel=0.01)


def test_a_lognormal_is_wrong_where_values_are_not_and_its_check_says_so() -> None:
    random = np.random.default_rng(15)
    # Most buyers spend about 20; one in a hundred spends two hundred times as much.
    values = np.where(random.random(6000) < 0.01, random.normal(4000, 300, 6000), random.gamma(4, 5, 6000))
    truth = 0.3 * (0.01 * 4000 + 0.99 * 20)
    arm = lognormal_hurdle(20_000, of(np.log(values))).arm(seed=16)
    assert float(arm.ppf(0.999)) < truth  # sure, and wrong
    everyone = np.r_[values, np.zeros(14_000)]
    low, high = bootstrap.mean(Histogram.of(everyone), seed=17).ppf([0.005, 0.995])
    assert low < truth < high
    assert departure(Histogram.of(everyone)).p_value < 1e-6
    right = Histogram.of(random.lognormal(3, 1, 3000))
    assert departure(right).p_value > 0.001
    scaled = Histogram(right.values * 100, right.counts)
    assert departure(scaled).skewness == pytest.approx(departure(right).skewness)


def test_lognormal_intervals_hold_the_truth_of_lognormal_shops() -> None:
    random = np.random.default_rng(18)
    truth, held = 0.1 * np.exp(3 + 0.5), 0
    for seed in range(400):
        buyers = random.binomial(1000, 0.1)
        arm = lognormal_hurdle(1000, of(random.normal(3, 1, buyers))).arm(1000, seed)
        low, high = arm.ppf([0.025, 0.975])
        held += low <= truth <= high
    assert held / 400 == pytest.approx(0.95, abs=0.035)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Histogram(np.ones(2), np.ones(3)), "one count for each value"),
        (lambda: Histogram(np.ones(2), np.zeros(2)), "somebody in it"),
        (lambda: bootstrap.ratio(Histogram(np.ones(2), np.ones(2))), "two values a person"),
        (lambda: bootstrap.ratio(Histogram(np.array([[-1.0, 2.0]]), np.ones(1))), "zero or more"),
        (lambda: bootstrap.mean(Histogram(np.ones((2, 2)), np.ones(2))), "one value a person"),
        (lambda: drawn.compare(DrawnArm(np.ones(9)), DrawnArm(np.ones(8))), "draw by draw"),
        (lambda: drawn.best([DrawnArm(np.ones(9))]), "only one arm"),
        (lambda: lognormal_hurdle(5, Moments.of_mean(6, 1.0, 1.0)), "more buyers"),
        (lambda: departure(Histogram(np.array([-1.0, 2.0]), np.ones(2))), "refunds"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(make, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match=words):
        make()


def test_a_share_by_rows_is_a_share_by_counts() -> None:
    arm = bootstrap.mean(Histogram(np.array([0.0, 1.0]), np.array([9000.0, 1000.0])), draws=20_000, seed=19)
    assert arm.sd == pytest.approx(binary_arm(Moments.of_binary(1000, 10_000)).sd, rel=0.02)
