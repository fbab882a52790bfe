"""BG/NBD and MBG/NBD against published numbers, other formulas, simulation and laws of probability."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import betaln, gammaln, hyp2f1

from workbench.errors import DataError, ModelError, WorkbenchError
from workbench.models import purchases
from workbench.models.importance import Array
from workbench.models.purchases import (
    MODELS,
    PurchaseDraws,
    PurchaseLikelihood,
    PurchaseRows,
    expected_purchases,
    maximum_likelihood,
    posterior,
    probability_alive,
    purchase_probabilities,
    total_purchases,
)

DATA = Path(__file__).parents[1] / "data"
CDNOW = PurchaseRows(*np.loadtxt(DATA / "cdnow_rows.csv", delimiter=",", skiprows=1, unpack=True))
BG = PurchaseDraws.point("bg-nbd", 0.24259291, 4.41353166, 0.79288612, 2.42575361)
BG_ROUNDED = PurchaseDraws.point("bg-nbd", 0.243, 4.414, 0.793, 2.426)
MBG = PurchaseDraws.point("mbg-nbd", 0.524838, 6.182992, 0.891356, 1.613999)


def plain_log_likelihood(rows: PurchaseRows, model: str, r: float, alpha: float, a: float, b: float) -> float:
    """Customer by customer, as the papers write it."""
    total = 0.0
    for x, t_x, T, n in zip(rows.x, rows.t_x, rows.T, rows.n, strict=True):
        m = float(model == "mbg-nbd")
        alive = betaln(a, b + x + m) - betaln(a, b) - (r + x) * np.log(alpha + T)
        gone = -np.inf
        if x + m > 0:
            gone = betaln(a + 1, b + x + m - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
        buys = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        total += n * (buys + np.logaddexp(alive, gone))
    return total


def closed_form(weeks: float, r: float, alpha: float, a: float, b: float) -> float:
    """Fader, Hardie & Lee (2005), equation 9."""
    z = weeks / (alpha + weeks)
    shrunk = (alpha / (alpha + weeks)) ** r * hyp2f1(r, b, a + b - 1, z)
    return (a + b - 1) / (a - 1) * (1 - shrunk)


def integrated(weeks: float, r: float, alpha: float, a: float, b: float) -> float:
    """E[X(t)] = ∫ Beta(p; a, b) (1 - (α/(α + p t))^r)/p dp, the rate integrated out by hand."""
    value, _ = quad(
        lambda p: -np.expm1(-r * np.log1p(p * weeks / alpha)) / p if p > 0 else r * weeks / alpha,
        0,
        1,
        weight="alg",
        wvar=(a - 1, b - 1),
        epsabs=0,
        epsrel=1e-11,
        limit=400,
    )
    return value / np.exp(betaln(a, b))


@pytest.mark.requirement("V03")
def test_bg_nbd_gives_the_published_estimates_for_cdnow() -> None:
    fit = maximum_likelihood(CDNOW, "bg-nbd")
    assert fit.log_likelihood == pytest.approx(-9582.42556, abs=1e-5)
    assert list(fit.parameters.values()) == pytest.approx(
        [0.24259291, 4.41353166, 0.79288612, 2.42575361], rel=2e-7
    )
    assert list(fit.standard_errors.values()) == pytest.approx([0.0126, 0.3782, 0.1857, 0.7053], rel=4e-3)


@pytest.mark.requirement("V03")
def test_mbg_nbd_gives_the_known_estimates_for_cdnow() -> None:
    fit = maximum_likelihood(CDNOW, "mbg-nbd")
    assert fit.log_likelihood == pytest.approx(-9582.13268, abs=1e-5)
    assert list(fit.parameters.values()) == pytest.approx([0.524838, 6.182992, 0.891356, 1.613999], rel=1e-6)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("parameters", [(0.24, 4.4, 0.8, 2.4), (3.0, 0.5, 7.0, 0.2), (0.05, 90.0, 0.1, 30.0)])
def test_the_likelihood_is_the_sum_over_customers_and_its_gradient_its_slope(
    model: str, parameters: tuple[float, ...]
) -> None:
    point = np.array(parameters)
    likelihood = PurchaseLikelihood(CDNOW, model)
    value, gradient = likelihood(point)
    assert value == pytest.approx(plain_log_likelihood(CDNOW, model, *parameters), rel=1e-12)
    for i, size in enumerate(point):
        step = np.eye(4)[i] * size * 1e-5
        slope = (likelihood(point + step)[0] - likelihood(point - step)[0]) / (2 * step[i])
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("model", MODELS)
def test_counting_customers_does_not_change_what_is_learnt(model: str) -> None:
    places = np.repeat(np.arange(len(CDNOW.n)), CDNOW.n.astype(int))
    places = np.random.default_rng(0).permutation(places)
    one_each = CDNOW.where(places)
    shuffled = PurchaseRows(one_each.x, one_each.t_x, one_each.T, np.ones(len(places)))
    for point in np.array([[0.24, 4.4, 0.8, 2.4], [2.0, 9.0, 0.1, 1.0]]):
        value, gradient = PurchaseLikelihood(CDNOW, model)(point)
        raw_value, raw_gradient = PurchaseLikelihood(shuffled, model)(point)
        assert value == pytest.approx(raw_value, rel=1e-12)
        assert gradient == pytest.approx(raw_gradient, rel=1e-9)


def test_weeks_with_mid_points_move_the_estimates_by_less_than_half_a_standard_error() -> None:
    middle = np.floor(CDNOW.T) + 0.5
    last = np.where(CDNOW.x > 0, np.minimum(np.floor(CDNOW.t_x) + 0.5, middle), 0)
    day = maximum_likelihood(CDNOW, "bg-nbd")
    week = maximum_likelihood(PurchaseRows(CDNOW.x, last, middle, CDNOW.n), "bg-nbd")
    for name, error in day.standard_errors.items():
        assert abs(week.parameters[name] - day.parameters[name]) < 0.5 * error


def test_the_unit_of_time_does_not_matter() -> None:
    days = PurchaseRows(CDNOW.x, 7 * CDNOW.t_x, 7 * CDNOW.T, CDNOW.n)
    in_weeks, in_days = (posterior(rows, "bg-nbd", draws=500, seed=1) for rows in (CDNOW, days))
    assert in_days.alpha == pytest.approx(7 * in_weeks.alpha, rel=1e-5)
    for name in ("r", "a", "b"):
        assert getattr(in_days, name) == pytest.approx(getattr(in_weeks, name), rel=1e-5)


@pytest.mark.requirement("P03")
def test_predictions_are_the_published_ones() -> None:
    weeks = [0.1429, 1, 3, 31.8571, 32, 78]
    assert expected_purchases(BG, weeks)[0] == pytest.approx(
        [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8580], abs=5e-5
    )
    assert expected_purchases(BG, 39, 2, 30.43, 38.86) == pytest.approx([1.22591], abs=5e-6)
    assert probability_alive(BG, 2, 30.43, 38.86) == pytest.approx([0.72661], abs=5e-6)
    assert expected_purchases(BG, 52, 26, 30.86, 31) == pytest.approx([25.7595], abs=5e-5)
    assert probability_alive(BG, 26, 30.86, 31) == pytest.approx([0.96892], abs=5e-6)
    assert expected_purchases(BG_ROUNDED, 39, 2, 30.43, 38.86) == pytest.approx([1.22603], abs=5e-6)
    assert probability_alive(BG_ROUNDED, 2, 30.43, 38.86) == pytest.approx([0.72658], abs=5e-6)
    assert purchase_probabilities(BG_ROUNDED, 2, 10)[0, 10] == pytest.approx(1.07869e-7, rel=1e-5)
    assert purchase_probabilities(BG_ROUNDED, 39, 0) == pytest.approx(0.5737864, abs=5e-8)


def test_only_mbg_nbd_doubts_a_one_time_buyer() -> None:
    as_mbg = PurchaseDraws.point("mbg-nbd", 0.243, 4.414, 0.793, 2.426)
    assert probability_alive(BG_ROUNDED, 0, 0, 38.86) == 1
    assert probability_alive(as_mbg, 0, 0, 38.86) == pytest.approx([0.6373], abs=5e-5)


@pytest.mark.requirement("P03")
def test_conditional_means_by_frequency_are_the_published_ones() -> None:
    ahead = expected_purchases(BG, 39, CDNOW.x, CDNOW.t_x, CDNOW.T)[0]
    frequency = np.minimum(CDNOW.x, 7).astype(int)
    customers = np.bincount(frequency, CDNOW.n)
    assert customers.tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert np.bincount(frequency, CDNOW.n * ahead) / customers == pytest.approx(
        [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157], abs=5e-4
    )


@pytest.mark.parametrize(("draws", "total"), [(BG, 1653.4), (MBG, 1576.7)], ids=MODELS)
def test_the_sum_over_customers_is_the_known_forecast(draws: PurchaseDraws, total: float) -> None:
    mean, variance = total_purchases(draws, CDNOW, 39)
    assert mean == pytest.approx([total], abs=0.05)
    each = expected_purchases(draws, 39, CDNOW.x, CDNOW.t_x, CDNOW.T)[0]
    assert mean == pytest.approx([CDNOW.n @ each], rel=1e-12)
    assert variance > mean


@pytest.mark.parametrize(
    "parameters",
    [(0.243, 4.414, 0.793, 2.426), (2.0, 5.0, 3.0, 1.0), (0.3, 0.2, 0.2, 0.3), (0.5, 10.0, 0.05, 5.0)],
)
@pytest.mark.parametrize("weeks", [0.5, 52, 20_000])
def test_expected_purchases_agree_with_two_other_formulas(
    parameters: tuple[float, ...], weeks: float
) -> None:
    value = expected_purchases(PurchaseDraws.point("bg-nbd", *parameters), weeks)[0]
    assert value == pytest.approx(closed_form(weeks, *parameters), rel=1e-7)
    assert value == pytest.approx(integrated(weeks, *parameters), rel=1e-7)


def test_almost_equal_customers_behave_as_equal_ones() -> None:
    """With a, b and r large and their ratios fixed, p and λ are known: E[X(t)] = (1 - exp(-λ p t))/p."""
    rate, dropout, size = 0.2, 0.15, 1e6
    draws = PurchaseDraws.point("bg-nbd", size, size / rate, dropout * size, (1 - dropout) * size)
    for weeks in (1, 52, 5000):
        known = -np.expm1(-rate * dropout * weeks) / dropout
        assert expected_purchases(draws, weeks) == pytest.approx([known], rel=1e-5)


@pytest.mark.parametrize("b", [150.0, 180.0, 2539.0, 1e5])
def test_a_drop_out_that_hardly_varies_is_no_trouble(b: float) -> None:
    draws = PurchaseDraws.point("bg-nbd", 0.32, 0.65, b / 6, b)
    p = np.linspace(0, 1, 400_001)[1:-1]
    density = np.exp((b / 6 - 1) * np.log(p) + (b - 1) * np.log1p(-p) - betaln(b / 6, b))
    known = np.sum(density * -np.expm1(-0.32 * np.log1p(p * 52 / 0.65)) / p) * (p[1] - p[0])
    assert expected_purchases(draws, 52) == pytest.approx([known], rel=1e-7)


@pytest.mark.parametrize("r", [0.243, 0.5, 1.0])
def test_nothing_happens_at_a_equal_to_one(r: float) -> None:
    near = np.array([1 - 1e-6, 1.0, 1 + 1e-6])
    draws = PurchaseDraws(np.full(3, r), np.full(3, 4.4), near, np.full(3, 2.4), "bg-nbd")
    below, at, above = expected_purchases(draws, 5000)
    assert above < at < below
    assert at == pytest.approx((below + above) / 2, rel=1e-6)
    assert at == pytest.approx(integrated(5000, r, 4.4, 1.0, 2.4), rel=1e-5)


@pytest.mark.parametrize("draws", [BG, MBG], ids=MODELS)
def test_probabilities_add_up_and_give_the_mean_and_the_variance(draws: PurchaseDraws) -> None:
    k = np.arange(1500)
    share = purchase_probabilities(draws, 39, 1499)[0]
    mean, variance = total_purchases(draws, PurchaseRows(*np.array([[0], [0], [0], [1]])), 39)
    assert share.sum() == pytest.approx(1, abs=1e-12)
    assert share @ k == pytest.approx(mean[0], rel=1e-9)
    assert share @ k**2 - (share @ k) ** 2 == pytest.approx(variance[0], rel=1e-9)
    assert expected_purchases(draws, 39)[0] == pytest.approx(mean[0], rel=1e-12)


@pytest.mark.parametrize("draws", [BG, MBG], ids=MODELS)
def test_what_is_expected_after_a_history_adds_up_to_what_is_expected_without_one(
    draws: PurchaseDraws,
) -> None:
    """Over simulated histories of 20 weeks: purchases so far + those promised for 19 more = E[X(39)]."""
    rng = np.random.default_rng(3)
    customers = 40_000
    rate = rng.gamma(draws.r[0], 1 / draws.alpha[0], customers)
    dropout = rng.beta(draws.a[0], draws.b[0], customers)
    now, last, x = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    active = np.arange(customers)
    if draws.model == "mbg-nbd":
        active = active[rng.random(customers) >= dropout]
    while len(active):
        now[active] += rng.exponential(1 / rate[active])
        active = active[now[active] <= 20]
        x[active] += 1
        last[active] = now[active]
        active = active[rng.random(len(active)) >= dropout[active]]
    promised = expected_purchases(draws, 19, x, last, 20)[0]
    total = x + promised
    error = total.std() / np.sqrt(customers)
    assert abs(total.mean() - expected_purchases(draws, 39)[0]) < 4 * error


def test_expected_purchases_grow_with_time_and_stay_finite() -> None:
    weeks = np.array([1, 10, 100, 1e4, 1e6, 1e8])
    for draws in (BG, MBG):
        ahead = expected_purchases(draws, weeks)[0]
        assert np.all(np.isfinite(ahead))
        assert np.all(np.diff(ahead) > 0)
    heavy = expected_purchases(BG, weeks, x=500, t_x=300, T=301)[0]
    assert np.all(np.isfinite(heavy))
    assert np.all(np.diff(heavy) > 0)


def test_an_endless_horizon_needs_a_discount() -> None:
    endless = expected_purchases(BG, np.inf, discount_per_year=0.1)
    assert endless == pytest.approx(expected_purchases(BG, 9000, discount_per_year=0.1), rel=1e-5)
    with pytest.raises(ModelError, match="Without a discount"):
        expected_purchases(BG, np.inf)


@pytest.mark.parametrize("model", MODELS)
def test_the_posterior_surrounds_the_maximum_and_repeats(model: str) -> None:
    first, again, other = (posterior(CDNOW, model, draws=1000, seed=s) for s in (1, 1, 2))
    fit = maximum_likelihood(CDNOW, model)
    for name, estimate in fit.parameters.items():
        draws = getattr(first, name)
        assert np.array_equal(draws, getattr(again, name))
        assert not np.array_equal(draws, getattr(other, name))
        assert abs(np.median(draws) - estimate) < 0.5 * fit.standard_errors[name]
        assert draws.std() == pytest.approx(fit.standard_errors[name], rel=0.35)
    assert first.checks["khat"] < 0.5
    assert first.checks["ess"] > 1000


@pytest.mark.parametrize("model", MODELS)
def test_two_hundred_customers_are_enough_for_a_posterior(model: str) -> None:
    everyone = np.repeat(np.arange(len(CDNOW.n)), CDNOW.n.astype(int))
    for seed in range(3):
        chosen, n = np.unique(
            np.random.default_rng(seed).choice(everyone, 200, replace=False), return_counts=True
        )
        few = PurchaseRows(CDNOW.x[chosen], CDNOW.t_x[chosen], CDNOW.T[chosen], n.astype(float))
        draws = posterior(few, model, draws=1000, seed=seed)
        assert draws.checks["khat"] < 0.7
        low, high = np.quantile(expected_purchases(draws, 39), [0.005, 0.995])
        assert low < expected_purchases(BG, 39)[0] < high


def test_without_a_second_purchase_there_is_no_answer() -> None:
    once = PurchaseRows(*np.array([[0, 0], [0, 0], [10, 20], [5, 5]]))
    with pytest.raises(ModelError, match="None of the 10 customers has bought again"):
        posterior(once)
    with pytest.raises(ModelError, match="bought again"):
        maximum_likelihood(once)


def test_a_likelihood_that_keeps_rising_is_refused_and_the_prior_still_answers() -> None:
    # Everybody has bought at the very end: nobody drops out, and b runs away.
    loyal = PurchaseRows(*np.array([[4, 7, 9], [30, 30, 30], [30, 30, 30], [40, 40, 40]]))
    with pytest.raises(ModelError, match="do not determine"):
        maximum_likelihood(loyal, "bg-nbd")
    assert posterior(loyal, "bg-nbd", draws=500).checks["khat"] < 0.7


@pytest.mark.parametrize(
    ("x", "t_x", "T", "n", "rule"),
    [
        (1, 12, 11, 1, "after the end of observation"),
        (0, 3, 11, 1, "only with repeat purchases"),
        (2, 0, 11, 1, "only with repeat purchases"),
        (1.5, 3, 11, 1, "whole number"),
        (-1, 0, 11, 1, "whole number"),
        (0, 0, -1, 1, "zero or more"),
        (0, 0, np.nan, 1, "zero or more"),
        (0, 0, 11, 0, "number of customers"),
    ],
)
def test_impossible_histories_are_refused(x: float, t_x: float, T: float, n: float, rule: str) -> None:
    good = np.array([[1.0], [2.0], [3.0], [4.0]])
    with pytest.raises(DataError, match=rule):
        PurchaseRows(*np.hstack([good, [[x], [t_x], [T], [n]]]))


def test_no_histories_or_an_unknown_model_are_refused() -> None:
    empty: Array = np.array([])
    with pytest.raises(DataError, match="no purchase histories"):
        PurchaseRows(empty, empty, empty, empty)
    with pytest.raises(WorkbenchError, match="purchase model"):
        purchases.posterior(CDNOW, "pareto-nbd")
