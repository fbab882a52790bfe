"""Lifetime value against fine sums, simulated customers whose truth is known, and the CDNOW hold-out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import hyp2f1

from workbench.errors import ModelError, WorkbenchError
from workbench.models import purchases, spend
from workbench.models.importance import Array, independent_seeds
from workbench.models.lifetime_value import difference, holdout, value_per_customer
from workbench.models.purchases import PurchaseDraws, PurchaseRows, expected_purchases, maximum_likelihood
from workbench.models.spend import SpendDraws, bin_spend, expected_spend

DATA = Path(__file__).parents[1] / "data"
CDNOW = PurchaseRows(*np.loadtxt(DATA / "cdnow_rows.csv", delimiter=",", skiprows=1, unpack=True))
BUYING = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
BG = PurchaseDraws.point("bg-nbd", **BUYING)
SPEND = SpendDraws.point(p=6.25, q=3.74, v=15.44)
MEAN_SPEND = 6.25 * 15.44 / 2.74


def shop(customers: int, seed: int, hold_out: float = 0.0) -> tuple[PurchaseRows, Array, Array, Array]:
    """Customers of a BG/NBD world: histories of 12 to 52 weeks, then purchases held out, x and mean spend."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(BUYING["r"], 1 / BUYING["alpha"], customers)
    dropout = rng.beta(BUYING["a"], BUYING["b"], customers)
    T = 52 - rng.uniform(0, 40, customers)
    now, last, x, later = np.zeros((4, customers))
    active = np.arange(customers)
    while len(active):
        now[active] += rng.exponential(1 / rate[active])
        active = active[now[active] <= T[active] + hold_out]
        seen = now[active] <= T[active]
        x[active] += seen
        last[active[seen]] = now[active[seen]]
        later[active] += ~seen
        active = active[rng.random(len(active)) >= dropout[active]]
    again = x > 0
    scale = rng.gamma(3.74, 1 / 15.44, customers)[again] * x[again]
    rows = PurchaseRows(x, last, T, np.ones(customers))
    return rows, x[again], rng.gamma(6.25 * x[again], 1 / scale), later


def by_week(rows: PurchaseRows) -> PurchaseRows:
    """The same customers counted in weeks, in the middle of which everything happened."""
    t_x, T = (np.where(time > 0, np.floor(time) + 0.5, 0.0) for time in (rows.t_x, rows.T))
    weeks, n = np.unique(np.column_stack([rows.x, np.minimum(t_x, T), T]), axis=0, return_counts=True)
    return PurchaseRows(*weeks.T, n)


def value_of_shop(customers: int, seed: int, draws: int = 1000) -> Array:
    exact, x, mean_spend, _ = shop(customers, seed)
    rows = by_week(exact)
    first, second = independent_seeds(seed, 2)
    buying = purchases.posterior(rows, "bg-nbd", draws=draws, seed=first)
    return value_per_customer(buying, spend.posterior(bin_spend(x, mean_spend), draws=draws, seed=second))


@pytest.mark.requirement("V01")
@pytest.mark.parametrize(("weeks", "discount"), [(52, 0.1), (52, 0.0), (156, 0.1), (520, 0.15)])
def test_value_is_the_discounted_sum_of_small_steps(weeks: int, discount: float) -> None:
    """The textbook sum in steps of a tenth of a day, with the closed form of E[X(t)]."""
    r, alpha, a, b = BUYING.values()
    t = np.linspace(0, weeks, weeks * 70 + 1)
    ratio = (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t))
    steps = np.diff((a + b - 1) / (a - 1) * (1 - ratio))
    middle = (t[1:] + t[:-1]) / 2
    by_hand = 0.4 * MEAN_SPEND * np.sum(steps * (1 + discount) ** (-middle / 52.1775))
    value = value_per_customer(BG, SPEND, weeks, discount, margin=0.4)
    assert value == pytest.approx([by_hand], rel=1e-6)


@pytest.mark.requirement("V01")
def test_the_value_of_a_year_with_cdnow_parameters() -> None:
    assert value_per_customer(BG, SPEND) == pytest.approx([48.99], abs=0.01)
    assert value_per_customer(BG, SPEND, 52, 0.0) == pytest.approx(expected_purchases(BG, 52) * MEAN_SPEND)


@pytest.mark.requirement("V01")
def test_a_curve_rises_to_the_endless_horizon() -> None:
    curve = value_per_customer(BG, SPEND, [13, 26, 52, 520, 5200, 11_000])
    assert curve.shape == (1, 6)
    assert np.all(np.diff(curve) > 0)
    assert curve[0, 2] == pytest.approx(value_per_customer(BG, SPEND, 52)[0], rel=1e-8)
    assert curve[0, -1] == pytest.approx(value_per_customer(BG, SPEND, np.inf)[0], rel=1e-5)
    with pytest.raises(ModelError, match="Without a discount"):
        value_per_customer(BG, SPEND, np.inf, discount_per_year=0.0)


def test_the_first_purchase_is_one_more_of_mean_value() -> None:
    repeats = value_per_customer(BG, SPEND, margin=0.3)
    assert value_per_customer(BG, SPEND, margin=0.3, first_purchase=True) == pytest.approx(
        repeats + 0.3 * MEAN_SPEND
    )


def test_an_infinite_mean_spend_withholds_the_value() -> None:
    with pytest.raises(ModelError, match="withheld"):
        value_per_customer(BG, SpendDraws.point(p=6.0, q=1.0, v=15.0))


@pytest.mark.requirement("V04")
def test_intervals_of_simulated_shops_hold_the_true_value() -> None:
    truth = value_per_customer(BG, SPEND)[0]
    z, held = [], 0
    for seed in range(8):
        value = value_of_shop(800, seed)
        low, high = np.quantile(value, [0.05, 0.95])
        held += low <= truth <= high
        z.append((value.mean() - truth) / value.std())
    # Of 8 intervals of 90 %, fewer than 5 hold the truth once in 200 times.
    assert held >= 5
    assert abs(np.mean(z)) < 4 / np.sqrt(8)


@pytest.mark.requirement("V04")
def test_two_arms_of_the_same_world_do_not_differ_and_a_dearer_one_does() -> None:
    control, same = value_of_shop(2000, 101), value_of_shop(2000, 102)
    null = difference(same, control)
    assert null.low < 0 < null.high
    assert 0.025 < null.probability_positive < 0.975
    dearer = difference(same * 1.5, control)
    assert dearer.low > 0
    assert dearer.probability_positive > 0.99


def test_a_difference_adds_up_the_doubts_of_both() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(50, 3, 200_000), rng.normal(48, 4, 200_000)
    gap = difference(a, b, level=0.9)
    assert gap.mean == pytest.approx(2, abs=0.05)
    assert gap.sd == pytest.approx(5, abs=0.04)
    assert (gap.low, gap.high) == pytest.approx((2 - 1.6449 * 5, 2 + 1.6449 * 5), abs=0.1)
    assert gap.probability_positive == pytest.approx(0.6554, abs=0.005)
    assert difference(b, a).probability_positive == pytest.approx(1 - gap.probability_positive)
    with pytest.raises(WorkbenchError, match="level"):
        difference(a, b, level=95)


@pytest.mark.requirement("V03")
def test_cdnow_bought_more_in_the_hold_out_than_bg_nbd_foretells() -> None:
    """39 weeks: 1,653 foretold at the estimates, 1,882 bought; the model is known to fall short here."""
    at_estimates = PurchaseDraws.point("bg-nbd", **maximum_likelihood(CDNOW, "bg-nbd").parameters)
    certain = holdout(CDNOW, at_estimates, 39, actual_total=1882)
    assert certain.predicted == pytest.approx(1653.4, abs=0.05)
    draws = purchases.posterior(CDNOW, "bg-nbd", seed=3).thin(100)
    doubtful = holdout(CDNOW, draws, 39, actual_total=1882)
    assert doubtful.predicted == pytest.approx(1653, rel=0.02)
    assert doubtful.high - doubtful.low > certain.high - certain.low
    assert not doubtful.within


@pytest.mark.requirement("V03")
def test_the_hold_out_interval_holds_what_simulated_customers_do() -> None:
    held = 0
    for seed in range(10):
        rows, _, _, later = shop(400, seed, hold_out=26)
        draws = purchases.posterior(rows, "bg-nbd", draws=1000, seed=seed).thin(20)
        held += holdout(rows, draws, 26, actual_total=later.sum(), level=0.8, seed=seed).within
    # Of 10 intervals of 80 %, fewer than 5 hold the truth once in 150 times.
    assert held >= 5


@pytest.mark.requirement("V03")
def test_chance_alone_spreads_a_total_as_simulated_customers_do() -> None:
    """The known parameters leave chance only: the spread of the interval is that of repeated futures."""
    rows, _, _, _ = shop(300, 1)
    interval = holdout(rows, BG, 39, actual_total=0, level=0.9)
    rng = np.random.default_rng(2)
    alive = purchases.probability_alive(BG, rows.x, rows.t_x, rows.T)[0]
    totals = []
    for _ in range(600):
        rate = rng.gamma(BUYING["r"] + rows.x, 1 / (BUYING["alpha"] + rows.T))
        dropout = rng.beta(BUYING["a"], BUYING["b"] + rows.x)
        active = np.flatnonzero(rng.random(len(alive)) < alive)
        now, total = np.zeros(len(alive)), 0
        while len(active):
            now[active] += rng.exponential(1 / rate[active])
            active = active[now[active] <= 39]
            total += len(active)
            active = active[rng.random(len(active)) >= dropout[active]]
        totals.append(total)
    assert np.mean(totals) == pytest.approx(interval.predicted, abs=4 * np.std(totals) / np.sqrt(600))
    inside = [interval.low <= total <= interval.high for total in totals]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.05)


def test_each_draw_of_spend_gives_its_own_value() -> None:
    rng = np.random.default_rng(6)
    p, q, v = np.array([[6.25], [3.74], [15.44]]) * rng.uniform(0.9, 1.1, (3, 50))
    draws = SpendDraws(p, q, v)
    expected = expected_spend(draws) / MEAN_SPEND * value_per_customer(BG, SPEND)
    assert value_per_customer(BG, draws) == pytest.approx(expected)
