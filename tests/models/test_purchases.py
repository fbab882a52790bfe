"""What holds of every model of purchases: laws of probability, simulated customers, units, small data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models.buyers import counted, histories
from workbench.errors import DataError, ModelError, WorkbenchError
from workbench.models.importance import Array
from workbench.models.purchases import (
    MODELS,
    PurchaseDraws,
    PurchaseRows,
    expected_purchases,
    log_likelihood,
    maximum_likelihood,
    model_of,
    possible_purchases,
    posterior,
    probability_alive,
    probability_of_no_purchase,
    probability_still_customer,
    purchase_probabilities,
    total_purchases,
)

DATA = Path(__file__).parents[1] / "data"
CDNOW = PurchaseRows(*np.loadtxt(DATA / "cdnow_rows.csv", delimiter=",", skiprows=1, unpack=True))
ESTIMATES = {
    "bg-nbd": {"r": 0.24259291, "alpha": 4.41353166, "a": 0.79288612, "b": 2.42575361},
    "mbg-nbd": {"r": 0.524838, "alpha": 6.182992, "a": 0.891356, "b": 1.613999},
    "pareto-nbd": {"r": 0.55327556, "alpha": 10.5776132, "s": 0.60621348, "beta": 11.66790722},
}
AT = {model: PurchaseDraws.point(model, **values) for model, values in ESTIMATES.items()}
EVERYBODY = np.repeat(np.arange(len(CDNOW.n)), CDNOW.n.astype(int))
TIMES = ("alpha", "beta")


def some(customers: int, seed: int) -> PurchaseRows:
    """Some customers of CDNOW, at random."""
    chosen, n = np.unique(
        np.random.default_rng(seed).choice(EVERYBODY, customers, replace=False), return_counts=True
    )
    return PurchaseRows(CDNOW.x[chosen], CDNOW.t_x[chosen], CDNOW.T[chosen], n.astype(float))


@pytest.mark.parametrize("model", MODELS)
def test_counting_customers_does_not_change_what_is_learnt(model: str) -> None:
    one_each = CDNOW.where(np.random.default_rng(0).permutation(EVERYBODY))
    shuffled = PurchaseRows(one_each.x, one_each.t_x, one_each.T, np.ones(len(EVERYBODY)))
    for point in np.array([[0.24, 4.4, 0.8, 2.4], [2.0, 9.0, 0.1, 1.0]]):
        value, gradient = model_of(model).likelihood(CDNOW)(point)
        raw_value, raw_gradient = model_of(model).likelihood(shuffled)(point)
        assert value == pytest.approx(raw_value, rel=1e-12)
        assert gradient == pytest.approx(raw_gradient, rel=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_the_likelihood_of_the_rows_is_the_sum_over_their_customers(model: str) -> None:
    point = np.array(list(ESTIMATES[model].values()))
    each = log_likelihood(AT[model], CDNOW)
    assert each.shape == (1, len(CDNOW.n))
    assert model_of(model).likelihood(CDNOW)(point)[0] == pytest.approx(CDNOW.n @ each[0], rel=1e-13)


def test_weeks_with_mid_points_move_the_estimates_by_less_than_half_a_standard_error() -> None:
    middle = np.floor(CDNOW.T) + 0.5
    last = np.where(CDNOW.x > 0, np.minimum(np.floor(CDNOW.t_x) + 0.5, middle), 0)
    for model in MODELS:
        day = maximum_likelihood(CDNOW, model)
        week = maximum_likelihood(PurchaseRows(CDNOW.x, last, middle, CDNOW.n), model)
        for name, error in day.standard_errors.items():
            assert abs(week.parameters[name] - day.parameters[name]) < 0.5 * error


@pytest.mark.parametrize("model", MODELS)
def test_the_unit_of_time_does_not_matter(model: str) -> None:
    weeks = some(150, seed=1)
    days = PurchaseRows(weeks.x, 7 * weeks.t_x, 7 * weeks.T, weeks.n)
    in_weeks, in_days = (posterior(rows, model, draws=500, seed=1) for rows in (weeks, days))
    for name in ESTIMATES[model]:
        unit = 7 if name in TIMES else 1
        assert in_days[name] == pytest.approx(unit * in_weeks[name], rel=1e-4)


@pytest.mark.requirement("V03")
@pytest.mark.parametrize(
    ("model", "total"), [("bg-nbd", 1653.4), ("mbg-nbd", 1576.7), ("pareto-nbd", 1665.5)]
)
def test_the_sum_over_customers_is_the_known_forecast(model: str, total: float) -> None:
    mean, variance = total_purchases(AT[model], CDNOW, 39)
    assert mean == pytest.approx([total], abs=0.05)
    each = expected_purchases(AT[model], 39, CDNOW.x, CDNOW.t_x, CDNOW.T)[0]
    assert mean == pytest.approx([CDNOW.n @ each], rel=1e-12)
    assert variance > mean


@pytest.mark.parametrize("draws", AT.values(), ids=MODELS)
def test_probabilities_add_up_and_give_the_mean_and_the_variance(draws: PurchaseDraws) -> None:
    k = np.arange(1500)
    share = purchase_probabilities(draws, 39, 1499)[0]
    mean, variance = total_purchases(draws, PurchaseRows(*np.array([[0], [0], [0], [1]])), 39)
    assert share.sum() == pytest.approx(1, abs=1e-12)
    assert share @ k == pytest.approx(mean[0], rel=1e-9)
    assert share @ k**2 - (share @ k) ** 2 == pytest.approx(variance[0], rel=1e-9)
    assert expected_purchases(draws, 39)[0] == pytest.approx(mean[0], rel=1e-12)


@pytest.mark.requirement("P03")
@pytest.mark.parametrize("draws", AT.values(), ids=MODELS)
def test_silence_goes_on_as_it_began(draws: PurchaseDraws) -> None:
    """P(nothing in 39 weeks) = P(nothing in 20) · P(nothing in 19 more | nothing in 20)."""
    whole = purchase_probabilities(draws, 39, 0)[:, 0]
    assert probability_of_no_purchase(draws, 39) == pytest.approx(whole, rel=1e-12)
    then = probability_of_no_purchase(draws, 19, x=0, t_x=0, T=20)
    assert probability_of_no_purchase(draws, 20) * then == pytest.approx(whole, rel=1e-10)
    # In the end it is those who are gone and, where leaving takes no purchase, those who leave in silence.
    now, end = probability_of_no_purchase(draws, [0, 1e9], 3, 10, 20)[0]
    gone = 1 - probability_alive(draws, 3, 10, 20)[0]
    assert now == pytest.approx(1)
    assert end - gone == pytest.approx(0, abs=1e-12) if draws.model != "pareto-nbd" else end > gone + 0.01


@pytest.mark.parametrize("draws", AT.values(), ids=MODELS)
def test_what_is_said_after_a_history_adds_up_to_what_is_said_without_one(draws: PurchaseDraws) -> None:
    """Over simulated histories of 20 weeks, what is said of 19 more gives what is said of 39."""
    T = np.full(40_000, 20.0)
    x, last = histories(draws.model, ESTIMATES[draws.model], T, np.random.default_rng(3))
    bought = x + expected_purchases(draws, 19, x, last, T)[0]
    there = probability_still_customer(draws, 19, x, last, T)[0]
    later = np.random.default_rng(4)
    x_39, _ = histories(draws.model, ESTIMATES[draws.model], T + 19, later)
    futures = x + possible_purchases(draws, 19, x, last, T, later)
    for said, known in (
        (bought, expected_purchases(draws, 39)[0]),
        (there, probability_still_customer(draws, 39)[0]),
        (x_39, expected_purchases(draws, 39)[0]),
        (futures, expected_purchases(draws, 39)[0]),
        (futures == 0, purchase_probabilities(draws, 39, 0)[0, 0]),
        (futures <= 2, purchase_probabilities(draws, 39, 2)[0].sum()),
        (x_39 <= 2, purchase_probabilities(draws, 39, 2)[0].sum()),
    ):
        assert abs(said.mean() - known) < 4 * said.std() / np.sqrt(len(T))
    alive = probability_still_customer(draws, 0, x, last, T)
    assert alive == pytest.approx(probability_alive(draws, x, last, T))


@pytest.mark.parametrize("draws", AT.values(), ids=MODELS)
def test_expected_purchases_grow_with_time_and_stay_finite(draws: PurchaseDraws) -> None:
    weeks = np.array([1, 10, 100, 1e4, 1e6, 1e8])
    for history in ((0, 0, 0), (500, 300, 301), (400, 30, 365)):
        ahead = expected_purchases(draws, weeks, *history)[0]
        assert np.all(np.isfinite(ahead))
        assert np.all(np.diff(ahead) >= -1e-9 * ahead[1:])
        assert np.all(np.diff(probability_still_customer(draws, weeks, *history)[0]) <= 1e-14)
        assert np.all(np.diff(probability_of_no_purchase(draws, weeks, *history)[0]) <= 1e-14)
    assert np.all(np.diff(expected_purchases(draws, weeks)[0]) > 0)


@pytest.mark.parametrize("draws", AT.values(), ids=MODELS)
def test_an_endless_horizon_needs_a_discount(draws: PurchaseDraws) -> None:
    endless = expected_purchases(draws, np.inf, discount_per_year=0.1)
    assert endless == pytest.approx(expected_purchases(draws, 9000, discount_per_year=0.1), rel=1e-5)
    with pytest.raises(ModelError, match="Without a discount"):
        expected_purchases(draws, np.inf)


@pytest.mark.parametrize("model", ["bg-nbd", "mbg-nbd"])
def test_the_posterior_surrounds_the_maximum_and_repeats(model: str) -> None:
    first, again, other = (posterior(CDNOW, model, draws=1000, seed=s) for s in (1, 1, 2))
    fit = maximum_likelihood(CDNOW, model)
    for name, estimate in fit.parameters.items():
        draws = first[name]
        assert np.array_equal(draws, again[name])
        assert not np.array_equal(draws, other[name])
        assert abs(np.median(draws) - estimate) < 0.5 * fit.standard_errors[name]
        assert draws.std() == pytest.approx(fit.standard_errors[name], rel=0.35)
    assert first.checks["khat"] < 0.5
    assert first.checks["ess"] > 1000


@pytest.mark.requirement("V03")
@pytest.mark.parametrize("model", MODELS)
def test_many_customers_bring_the_estimates_to_the_truth(model: str) -> None:
    truth = ESTIMATES[model]
    T = np.repeat(np.arange(12.0, 52.0), 500)
    x, last = histories(model, truth, T, np.random.default_rng(11))
    fit = maximum_likelihood(counted(x, last, T, 7), model)
    for name, value in truth.items():
        assert abs(fit.parameters[name] - value) < 3 * fit.standard_errors[name]
        assert fit.standard_errors[name] < 0.3 * value


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("customers", [30, 200])
def test_few_customers_give_a_wide_posterior_that_holds_what_is_known(model: str, customers: int) -> None:
    known = expected_purchases(AT[model], 39)[0]
    widths = []
    for seed in range(2):
        draws = posterior(some(customers, seed), model, draws=1000, seed=seed)
        assert draws.checks["khat"] < 0.7
        low, high = np.quantile(expected_purchases(draws, 39), [0.005, 0.995])
        assert low < known < high
        widths.append(high - low)
    assert np.mean(widths) > (known if customers == 30 else known / 4)


@pytest.mark.parametrize("model", MODELS)
def test_without_a_second_purchase_there_is_no_answer(model: str) -> None:
    once = PurchaseRows(*np.array([[0, 0], [0, 0], [10, 20], [5, 5]]))
    assert once.one_time_share == 1
    with pytest.raises(ModelError, match="None of the 10 customers has bought again"):
        posterior(once, model)
    with pytest.raises(ModelError, match="bought again"):
        maximum_likelihood(once, model)


@pytest.mark.parametrize("model", MODELS)
def test_a_likelihood_that_keeps_rising_is_refused_and_the_prior_still_answers(model: str) -> None:
    # Everybody has bought at the very end: nobody leaves, and b or beta runs away.
    loyal = PurchaseRows(*np.array([[4, 7, 9], [30, 30, 30], [30, 30, 30], [40, 40, 40]]))
    with pytest.raises(ModelError, match="do not determine"):
        maximum_likelihood(loyal, model)
    assert posterior(loyal, model, draws=500).checks["khat"] < 0.7


def test_only_bg_nbd_is_sure_of_those_who_bought_once() -> None:
    assert CDNOW.one_time_share == pytest.approx(1411 / 2357)
    alive = {model: probability_alive(draws, 0, 0, 38.86)[0] for model, draws in AT.items()}
    assert alive["bg-nbd"] == 1
    assert 0.1 < alive["mbg-nbd"] < 0.9
    assert 0.1 < alive["pareto-nbd"] < 0.9


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
        posterior(CDNOW, "bg-bb")
