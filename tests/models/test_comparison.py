"""Comparisons: published values, second methods, and answers that cannot contradict each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from workbench.errors import ModelError, WorkbenchError
from workbench.models.arms import JEFFREYS, UNIFORM, BetaArm, MeanArm, binary_arm, hurdle_arm, mean_arm
from workbench.models.comparison import best, compare, compare_each
from workbench.models.pair import Comparison
from workbench.moments import Moments


def share(successes: int, n: int, prior: tuple[float, float] = JEFFREYS) -> BetaArm:
    return binary_arm(Moments.of_binary(successes, n), prior)


def exactly_greater(treatment: BetaArm, control: BetaArm) -> float:
    """P(treatment > control) for a whole a: the finite sum of Miller (2010), "Bayesian A/B testing"."""
    i = np.arange(round(treatment.a))
    terms = special.betaln(control.a + i, control.b + treatment.b) - special.betaln(1 + i, treatment.b)
    return float(np.exp(terms - np.log(treatment.b + i) - special.betaln(control.a, control.b)).sum())


@pytest.mark.requirement("X02")
def test_published_comparison_of_two_shares() -> None:
    result = compare(share(150, 1000, UNIFORM), share(120, 1000, UNIFORM))
    assert result.probability_better == pytest.approx(0.975068, abs=5e-7)
    assert result.expected_loss == pytest.approx(0.000144, abs=5e-7)
    assert result.expected_loss_control == pytest.approx(0.030084, abs=5e-7)
    # The lift was published from simulation, to a tenth of a per cent.
    assert result.lift_interval == pytest.approx((0.000, 0.562), abs=1e-3)
    assert float(result.lift_quantiles(0.5)) == pytest.approx(0.248, abs=1e-3)


def test_lift_interval_against_adaptive_integration() -> None:
    treatment, control = share(150, 1000), share(120, 1000)
    ends = compare(treatment, control).lift_interval
    assert ends is not None
    for lift, q in zip(ends, (0.025, 0.975), strict=True):
        below, _ = integrate.quad(
            lambda x, lift=lift: float(control.pdf(x) * treatment.cdf((1 + lift) * x)),
            0.05,
            0.2,
            epsabs=1e-12,
        )
        assert below == pytest.approx(q, abs=1e-9)


@pytest.mark.parametrize(
    ("a0", "b0", "a1", "b1", "greater"),
    [
        (10, 50, 60, 250, 0.7088919200),
        (600, 550, 52, 60, 0.1223144258),
        (1000, 900, 1200, 1000, 0.8898254504),
        (40, 60, 70, 90, 0.7262717462),
    ],
)
def test_published_beta_probabilities(a0: int, b0: int, a1: int, b1: int, greater: float) -> None:
    treatment, control = BetaArm(a1, b1), BetaArm(a0, b0)
    result = compare(treatment, control)
    assert result.probability_better == pytest.approx(greater, abs=1e-9)
    assert result.probability_better == pytest.approx(exactly_greater(treatment, control), abs=1e-9)


def test_published_beta_losses_and_mean_lift() -> None:
    result = compare(BetaArm(70, 90), BetaArm(40, 60))
    assert result.expected_loss_control == pytest.approx(0.0481119843, abs=1e-10)
    assert result.expected_loss == pytest.approx(0.0106119843, abs=1e-10)
    # The published mean of the lift, by integrating our quantiles of it.
    nodes, weights = np.polynomial.legendre.leggauss(24)
    edges = np.array([1e-8, 1e-5, 1e-3, 0.1, 0.9, 1 - 1e-3, 1 - 1e-5, 1 - 1e-8])
    half = np.diff(edges)[:, None] / 2
    q = edges[:-1, None] + half * (1 + nodes)
    assert (result.lift_quantiles(q) * half * weights).sum() == pytest.approx(0.1105769230, abs=1e-6)


@pytest.mark.requirement("X02")
def test_published_best_of_three() -> None:
    probability, loss = best([share(1580, 31500), share(1700, 32000), share(1550, 31000)])
    assert probability == pytest.approx([0.0411975, 0.9254342, 0.0333682], abs=5e-8)
    assert loss == pytest.approx([0.00302113, 0.0000551747, 0.00317962], rel=2e-6)


def test_published_welch_interval_of_means() -> None:
    # Different in kind (Welch's t against independent t posteriors), the same at this size.
    control, treatment = (
        mean_arm(Moments.of_sums(3407, 1396.87, 52377.9767)),
        mean_arm(Moments.of_sums(3461, 2422.7, 134698.29)),
    )
    result = compare(treatment, control)
    assert result.difference == pytest.approx(0.29, abs=1e-6)
    assert result.difference_sd == pytest.approx(0.12478, abs=5e-5)
    assert result.difference_interval == pytest.approx((0.04538, 0.53462), abs=1e-4)
    assert 2 * (1 - result.probability_better) == pytest.approx(0.02016, abs=5e-5)


def test_interval_of_a_ratio_of_normal_means_is_fiellers() -> None:
    treatment, control = MeanArm(11.0, 0.8, 1e9), MeanArm(10.0, 0.7, 1e9)
    z = stats.norm.ppf(0.975)
    bound = 1 - (z * 0.7 / 10) ** 2
    root = z / 10 * np.sqrt(0.8**2 + 1.1**2 * 0.7**2 - (z * 0.7 / 10) ** 2 * 0.8**2)
    fieller = ((1.1 - root) / bound - 1, (1.1 + root) / bound - 1)
    assert compare(treatment, control).lift_interval == pytest.approx(fieller, abs=1e-8)


counts = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n + 1)))


@pytest.mark.requirement("X02")
@example(one=(0, 1), two=(15, 60), level=0.8)  # a wide control that begins at infinity, a narrower treatment
@settings(max_examples=60, deadline=None)
@given(counts, counts, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_probability_interval_lift_and_region_never_contradict_each_other(
    one: tuple[int, int], two: tuple[int, int], level: float
) -> None:
    treatment, control = share(*one), share(*two)
    result = compare(treatment, control, level, rope=(0.0, 0.0))
    sure = result.probability_better > (1 + level) / 2
    low, high = result.difference_interval
    assert sure == (low > 0)
    assert (1 - result.probability_better > (1 + level) / 2) == (high < 0)
    assert result.lift_interval is not None
    assert sure == (result.lift_interval[0] > 0)
    assert result.rope == pytest.approx(
        (1 - result.probability_better, 0, result.probability_better), abs=1e-12
    )
    assert result.expected_loss_control - result.expected_loss == pytest.approx(result.difference, abs=1e-6)
    assert result.expected_loss >= 0
    back = compare(control, treatment, level)
    assert back.probability_better == pytest.approx(1 - result.probability_better, abs=1e-7)
    assert back.difference_interval == pytest.approx((-high, -low), abs=1e-6)
    assert best([treatment, control])[0] == pytest.approx(
        [result.probability_better, back.probability_better], abs=1e-7
    )


@pytest.mark.parametrize(
    "arm",
    [
        share(120, 1000),
        share(0, 10),
        share(0, 10**7),
        share(10, 10**7),
        share(10**6, 10**7),
        share(1, 1),
        share(0, 1),
        MeanArm(3, 0.2, 3),
        MeanArm(-1, 2.0, 50),
    ],
)
def test_identical_arms_are_even(arm: BetaArm | MeanArm) -> None:
    result = compare(arm, arm)
    assert result.probability_better == pytest.approx(0.5, abs=1e-9)
    low, high = result.difference_interval
    assert low == pytest.approx(-high, rel=1e-6)
    assert float(result.difference_quantiles(0.5)) == pytest.approx(0, abs=1e-9 * arm.sd)
    probability, loss = best([arm] * 4)
    assert probability == pytest.approx([0.25] * 4, abs=1e-9)
    assert np.ptp(loss) < 1e-12


@pytest.mark.parametrize(
    ("treatment", "control"),
    [
        (BetaArm(1, 11), BetaArm(1, 11)),  # nobody converted in either arm
        (BetaArm(4, 998), BetaArm(1, 1001)),  # nobody in one
        (BetaArm(1, 2), BetaArm(2, 1)),  # one customer each
        (BetaArm(11, 10**7 - 9), BetaArm(21, 10**7 - 19)),  # one in a million
        (BetaArm(3, 9), BetaArm(1e6 + 1, 9e6 + 1)),  # very unequal
        (BetaArm(1001, 9001), BetaArm(1, 3)),
        (BetaArm(1, 10**7), BetaArm(1, 10)),
    ],
)
def test_extreme_counts_against_the_finite_sum(treatment: BetaArm, control: BetaArm) -> None:
    expected = exactly_greater(treatment, control)
    assert compare(treatment, control).probability_better == pytest.approx(expected, abs=2e-8)
    assert best([treatment, control])[0][0] == pytest.approx(expected, abs=2e-8)


@pytest.mark.parametrize(
    ("treatment", "control"),
    [
        (share(12, 90), share(400, 5000)),
        (share(0, 10), share(3, 200)),
        (share(12, 90), MeanArm(0.1, 0.02, 12)),
        (MeanArm(12, 1.0, 4), MeanArm(10, 1.5, 30)),
        (
            hurdle_arm(Moments.of_mean(900, 2.1, 90), Moments.of_mean(50, 37.8, 900)),
            mean_arm(Moments.of_mean(800, 1.8, 80)),
        ),
    ],
)
def test_every_number_against_simulation(treatment, control) -> None:  # type: ignore[no-untyped-def]
    result = compare(treatment, control, 0.9, rope=(-0.02, 0.03))
    random, count = np.random.default_rng(11), 200_000
    t, c = (arm.ppf(random.random(count)) for arm in (treatment, control))
    change = t - c

    def agrees(value: float, draws: np.ndarray) -> None:
        assert value == pytest.approx(draws.mean(), abs=4 * draws.std() / np.sqrt(count))

    agrees(result.difference, change)
    agrees(result.probability_better, change > 0)
    agrees(result.expected_loss, np.maximum(-change, 0))
    agrees(result.expected_loss_control, np.maximum(change, 0))
    agrees(0.05, change < result.difference_interval[0])
    agrees(0.05, change > result.difference_interval[1])
    assert result.rope is not None
    agrees(result.rope[1], (change > -0.02) & (change < 0.03))
    if result.lift_interval:
        agrees(0.05, t / c - 1 < result.lift_interval[0])
        agrees(0.05, t / c - 1 > result.lift_interval[1])


def numbers(result: Comparison) -> list[float]:
    """All numbers of a comparison; NaN for those that are refused."""
    pairs = [result.difference_interval, result.lift_interval or [np.nan] * 2, result.rope or [np.nan] * 3]
    names = ("difference", "difference_sd", "probability_better", "expected_loss", "expected_loss_control")
    single = [getattr(result, name) for name in names]
    return [*single, np.nan if result.lift is None else result.lift, *(end for pair in pairs for end in pair)]


def test_many_pairs_at_once_are_compared_as_each_by_itself() -> None:
    random = np.random.default_rng(12)
    sizes, rates = 10 ** random.uniform(0.5, 6, (40, 2)), 10 ** random.uniform(-4, 0, (40, 2))
    shares = [
        tuple(share(int(n * r), int(n)) for n, r in zip(*both, strict=True))
        for both in zip(sizes, rates, strict=True)
    ]
    means = [
        tuple(
            MeanArm(random.uniform(-1, 10), 10 ** random.uniform(-2, 1), 10 ** random.uniform(0.5, 5))
            for _ in "TC"
        )
        for _ in range(20)
    ]
    hurdle = hurdle_arm(Moments.of_mean(900, 2.1, 90), Moments.of_mean(50, 37.8, 900))
    pairs = [*shares, (hurdle, means[0][0]), *means, (share(3, 90), MeanArm(0.1, 0.02, 12)), (hurdle, hurdle)]
    for question in ((0.95, (-0.01, 0.01), "lift", False), (0.8, (-0.2, 0.1), "difference", True)):
        together = compare_each(pairs, *question)
        assert [result.pair.treatment for result in together] == [treatment for treatment, _ in pairs]
        for (treatment, control), result in zip(pairs, together, strict=True):
            alone = compare(treatment, control, *question)
            assert result.lift_refused == alone.lift_refused
            assert numbers(result) == pytest.approx(numbers(alone), rel=1e-10, abs=1e-10, nan_ok=True)
    assert compare_each([]) == []


@pytest.mark.parametrize(
    ("treatment", "control"),
    [
        (share(48, 400), share(40, 400)),  # as wide as each other
        (share(48, 400), share(4000, 40_000)),  # wider than the control
        (share(4800, 40_000), share(40, 400)),  # narrower
        (share(2, 400), share(40, 400)),  # skewed
        (MeanArm(12, 1.0, 300), MeanArm(10, 1.5, 300)),
        (MeanArm(12, 1.5, 4), MeanArm(10, 1.0, 300)),  # with heavy tails
    ],
)
def test_probabilities_and_densities_against_adaptive_integration(treatment, control) -> None:  # type: ignore[no-untyped-def]
    result = compare(treatment, control, rope=(-0.004, 0.01))
    assert result.rope is not None
    ends = control.breaks[[1, -2]]

    def integral(f) -> float:  # type: ignore[no-untyped-def]
        return float(
            integrate.quad(
                lambda x: f(x) * float(control.pdf(x)),
                *ends,
                points=control.breaks[2:-2],
                epsabs=1e-13,
                limit=400,
            )[0]
        )

    assert result.rope[0] == pytest.approx(integral(lambda x: treatment.cdf(x - 0.004)), abs=3e-9)
    assert 1 - result.rope[2] == pytest.approx(integral(lambda x: treatment.cdf(x + 0.01)), abs=3e-9)
    x, density = result.density(5)
    for point, height in zip(x, density, strict=True):
        assert height == pytest.approx(integral(lambda c, point=point: treatment.pdf(c + point)), rel=1e-6)


def test_pictures_show_the_same_posterior() -> None:
    result = compare(share(150, 1000), share(120, 1000))
    dots = result.dots(50)
    assert np.all(np.diff(dots) > 0)
    # Each dot is worth 2 %, so counting those above zero gives the probability to within one dot.
    assert abs((dots > 0).mean() - result.probability_better) <= 0.02
    assert dots.mean() == pytest.approx(result.difference, abs=0.02 * result.difference_sd)
    x, density = result.density(400)
    assert np.trapezoid(density, x) == pytest.approx(0.999, abs=1e-5)
    assert np.trapezoid(density * (x > 0), x) == pytest.approx(result.probability_better - 0.0005, abs=1e-3)


def test_regions_of_practical_equivalence_can_be_lifts() -> None:
    treatment, control = share(150, 1000), share(120, 1000)
    result = compare(treatment, control, rope=(-0.05, 0.05), rope_scale="lift")
    assert result.rope is not None
    assert sum(result.rope) == pytest.approx(1, abs=1e-12)
    assert result.lift_quantiles([result.rope[0], 1 - result.rope[2]]) == pytest.approx(
        (-0.05, 0.05), abs=1e-8
    )


def test_lower_can_be_better() -> None:
    treatment, control = share(90, 1000), share(120, 1000)
    usual, turned = compare(treatment, control), compare(treatment, control, lower_is_better=True)
    assert turned.probability_better == pytest.approx(1 - usual.probability_better)
    assert (turned.expected_loss, turned.expected_loss_control) == (
        usual.expected_loss_control,
        usual.expected_loss,
    )
    assert turned.difference_interval == usual.difference_interval
    probability, loss = best([treatment, control, share(300, 1000)], lower_is_better=True)
    assert probability[:2] == pytest.approx([turned.probability_better, usual.probability_better], abs=1e-9)
    assert loss[2] > 0.2
    assert loss[0] == pytest.approx(turned.expected_loss, abs=1e-9)


def test_no_lift_over_a_mean_that_may_be_zero() -> None:
    treatment = MeanArm(1.0, 0.3, 50)
    result = compare(treatment, MeanArm(0.5, 0.3, 50), rope=(-0.1, 0.1), rope_scale="lift")
    assert result.lift is result.lift_interval is result.rope is None
    assert "5.1 %" in str(result.lift_refused)
    with pytest.raises(ModelError, match="surely above zero"):
        result.lift_quantiles(0.5)
    negative = compare(treatment, MeanArm(-5.0, 0.3, 50))
    assert negative.lift is None
    assert negative.probability_better > 0.999
    assert compare(treatment, MeanArm(1.5, 0.3, 50)).lift == pytest.approx(-1 / 3)


def test_of_many_equal_arms_the_probabilities_sum_to_one() -> None:
    arms = [share(s, n) for s, n in [(0, 5), (3, 1000), (0, 10**6), (40, 300), (5, 5), (700, 7000)]]
    probability, loss = best(arms)
    assert probability.sum() == pytest.approx(1, abs=1e-12)
    assert (loss > 0).all()
    assert probability[4] > 0.98


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: compare(share(1, 5), share(2, 5), level=1.0), "level"),
        (lambda: compare(share(1, 5), share(2, 5), rope=(0.1, -0.1)), "lower end first"),
        (lambda: compare(share(1, 5), share(2, 5), rope=(0.0, 0.1), rope_scale="odds"), "odds"),
        (lambda: best([share(1, 5)]), "two or more"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(make, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(WorkbenchError, match=words):
        make()
