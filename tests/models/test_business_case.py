"""A business case in numbers: closed forms, published factors, and simulations month by month."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isinf, log, sqrt
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from workbench.models import business_case as money
from workbench.models.arms import mean_arm
from workbench.models.business_case import Course, Known
from workbench.models.comparison import compare
from workbench.models.planning import Period
from workbench.moments import Moments

LEVELS = (0.5, 0.8, 0.95)
COURSE = Course(
    customers=1000,
    share=0.9,
    months=12,
    half_life=6,
    cost_once=2000,
    cost_per_month=150,
    cost_per_customer=0.05,
    discount_per_year=0.12,
)


def normal(mean: float, sd: float) -> Known:
    """A Normal posterior as records keep it: 200 points between two far quantiles."""
    law = stats.norm(mean, sd)
    x = np.linspace(float(law.ppf(money.TAIL)), float(law.ppf(1 - money.TAIL)), 200)
    return Known.of(x.tolist(), law.pdf(x).tolist(), mean, sd)


def cash_flows(course: Course, gains: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Net gain by the end of each month for each gain, added up month by month and day by day."""
    net = np.full(len(gains), -float(course.cost_once))
    found = [net.copy()]
    for month in range(1, course.months + 1):
        days = month - 1 + (np.arange(1000) + 0.5) / 1000
        left = np.mean(0.5 ** (days / course.half_life)) if not isinf(course.half_life) else 1.0
        people = course.customers * course.share
        flow = people * (gains * left - course.cost_per_customer) - course.cost_per_month
        net += flow / (1 + course.discount_per_year) ** (month / 12)
        found.append(net.copy())
    return np.array(found)


@pytest.mark.requirement("U04")
def test_without_cost_fade_and_discount_it_is_months_times_customers_times_gain() -> None:
    course = Course(customers=500, share=0.8, months=9)
    last = money.fan(normal(0.3, 0.1), course, LEVELS)[-1]
    assert last.mean == pytest.approx(9 * 500 * 0.8 * 0.3, rel=1e-12)
    assert last.bands[0.95] == pytest.approx(
        tuple(9 * 500 * 0.8 * (0.3 + 0.1 * z) for z in special.ndtri([0.025, 0.975])), rel=1e-3
    )


def test_the_discount_is_that_of_the_annuity_tables() -> None:
    # twelve payments at 1 % a month: 11.2551, thirty-six: 30.1075 (any table of present values of annuities)
    for months, factor in ((12, 11.2551), (36, 30.1075)):
        course = Course(customers=1, share=1, months=months, discount_per_year=1.01**12 - 1)
        assert float(course.counted[-1]) == pytest.approx(factor, abs=5e-5)


def test_an_effect_halves_in_its_half_life_and_leaves_so_much_for_ever() -> None:
    course = Course(customers=1, share=1, months=120, half_life=3)
    assert course.kept[3:] == pytest.approx(course.kept[:-3] / 2)
    assert float(course.counted[-1]) == pytest.approx(3 / log(2), rel=1e-9)


@pytest.mark.requirement("U04")
def test_a_normal_posterior_gives_the_closed_forms() -> None:
    known, (mean, sd) = normal(0.45, 0.12), (0.45, 0.12)
    counted, cost = float(COURSE.counted[-1]), float(COURSE.costs[-1])
    m, s = counted * mean - cost, counted * sd
    assert known.above(cost / counted) == pytest.approx(special.ndtr(m / s), abs=1e-4)
    z = special.ndtri(0.05)
    assert money.worst(known, COURSE) == pytest.approx(m - s * stats.norm.pdf(z) / 0.05, abs=0.02 * s)
    loss = s * (stats.norm.pdf(m / s) - abs(m / s) * special.ndtr(-abs(m / s)))
    assert money.perfect_information(known, COURSE) == pytest.approx(loss, abs=0.003 * s)
    roi = money.return_on_cost(known, COURSE, LEVELS)
    assert roi is not None
    assert roi.median == pytest.approx(m / cost, rel=1e-4)


def test_perfect_information_is_the_unit_normal_loss() -> None:
    # 0.3989 at 0 and 0.0833 at 1: the table in Raiffa and Schlaifer
    course = Course(customers=1, share=1, months=1)
    for distance, loss in ((0.0, 0.3989), (1.0, 0.0833)):
        assert money.perfect_information(normal(distance, 1), course) == pytest.approx(loss, abs=1e-3)
        paid = replace(course, cost_once=1.0)
        assert money.perfect_information(normal(1 - distance, 1), paid) == pytest.approx(loss, abs=1e-3)


@pytest.mark.requirement("U04")
def test_adding_up_the_months_of_many_draws_gives_the_same_fan_and_break_even() -> None:
    known = normal(0.9, 0.2)
    gains = known.mean + known.sd * special.ndtri((np.arange(40_000) + 0.5) / 40_000)
    drawn = cash_flows(COURSE, gains)
    for month, one in enumerate(money.fan(known, COURSE, LEVELS)):
        assert one.mean == pytest.approx(drawn[month].mean(), abs=2)
        for level, ends in one.bands.items():
            assert ends == pytest.approx(np.quantile(drawn[month], [(1 - level) / 2, (1 + level) / 2]), abs=4)
    paid = (np.maximum.accumulate(drawn[1:], axis=0) > 0).mean(axis=1)
    back = money.paid_back(known, COURSE)
    assert back == pytest.approx(paid, abs=2e-3)
    assert money.month_of(back, 0.5) == int(np.argmax(paid >= 0.5)) + 1
    assert money.month_of(back, 0.9999) is None


def test_customers_one_by_one_bring_what_the_case_says() -> None:
    course = replace(COURSE, customers=4000, cost_per_customer=0.1)
    rng, gain = np.random.default_rng(3), 0.9
    with_it = without = 0.0
    for month in range(course.months):
        worth = (1 + course.discount_per_year) ** (-(month + 1) / 12)
        people = rng.poisson(course.customers * course.share)
        buyers = rng.random(people) < 0.2
        spent = rng.gamma(2, 10, people)  # of buyers: 20 on average
        # whoever buys spends more with it: 0.2 of all buy, so a customer brings `gain` more
        more = gain / 0.2 * course.kept[month] * rng.exponential(1, people)
        with_it += worth * float((buyers * (spent + more)).sum() - 0.1 * people - course.cost_per_month)
        without += worth * float((buyers * spent).sum())
    assert with_it - without - course.cost_once == pytest.approx(float(course.net(gain)[-1]), rel=0.02)


@pytest.mark.requirement("U04")
@pytest.mark.parametrize("cost_once", [100, 2500])  # surely paying, and not
def test_at_its_limit_each_assumption_makes_it_as_likely_to_pay_as_is_asked_for(cost_once: float) -> None:
    known, course = normal(1.0, 0.12), replace(COURSE, cost_once=cost_once)
    found = {one.name: one for one in money.limits(known, course, 0.975)}

    def pays(course: Course) -> float:
        return known.above(float(course.costs[-1] / course.counted[-1]))

    sure = pays(course) >= 0.975
    assert sure == (cost_once == 100)
    assert sum(one.limit is not None for one in found.values()) >= 6
    for name, one in found.items():
        if one.limit is None:
            continue
        if name == "months":
            at = int(one.limit)
            assert pays(replace(course, months=at)) >= 0.975 > pays(replace(course, months=at - 1))
            continue
        assert pays(replace(course, **{name: one.limit})) == pytest.approx(0.975, abs=1e-6)  # type: ignore[arg-type]  # months are apart
        # the side of the limit that it names is the sure one
        nearer = one.limit * (1.01 if one.least else 0.99)
        assert pays(replace(course, **{name: nearer})) > 0.975  # type: ignore[arg-type]  # months are apart
        assert sure == (one.taken >= one.limit if one.least else one.taken <= one.limit)


def test_where_a_customer_costs_more_than_they_bring_no_number_of_them_helps() -> None:
    known = normal(0.2, 0.05)
    course = Course(customers=1000, share=0.5, months=12, cost_per_customer=0.3)
    found = {one.name: one for one in money.limits(known, course, 0.975)}
    assert found["customers"].limit is None
    assert found["months"].limit is None
    assert found["gain"].limit == pytest.approx(0.3 / known.quantile(0.025), rel=1e-9)
    assert found["cost_per_customer"].limit == pytest.approx(known.quantile(0.025), rel=1e-9)


def test_it_stops_paying_when_the_faded_gain_is_below_the_cost_of_a_month() -> None:
    course = Course(customers=100, share=1, months=24, half_life=4, cost_per_month=25)
    # 100 customers bring 50 at first; half of that is left after four months
    assert money.stops_paying(normal(0.5, 0.1), course) == 5
    assert money.stops_paying(normal(0.5, 0.1), replace(course, half_life=inf)) is None


@pytest.mark.parametrize("needed", [0.25, 0.55])
def test_so_many_more_customers_decide_it_as_often_as_said(needed: float) -> None:
    known, wanted = normal(0.45, 0.12), 0.8
    times = money.more_data(known, needed, 0.975, wanted)
    rng = np.random.default_rng(5)
    truth = rng.normal(known.mean, known.sd, 200_000)
    # the first experiment knows sd; (times - 1) as many customers measure again
    again_sd = known.sd / sqrt(times - 1)
    seen = rng.normal(truth, again_sd)
    after = (known.mean + seen * (times - 1)) / times
    sd = known.sd / sqrt(times)
    chance = special.ndtr((after - needed) / sd)
    assert np.mean((chance >= 0.975) | (chance <= 0.025)) == pytest.approx(wanted, abs=0.005)


def test_what_is_decided_needs_no_more() -> None:
    assert money.more_data(normal(0.45, 0.12), 0.1, 0.975, 0.8) == 1
    assert money.more_data(normal(0.45, 0.12), 0.9, 0.975, 0.8) == 1


def test_a_hold_out_shows_the_effect_when_its_interval_is_as_narrow() -> None:
    month = money.shows_after(0.66, 12.0, 500, 0.1, 0.95)
    assert month is not None
    for months, shows in ((month, True), (month - 1, False)):
        period = Period(months * 30, 500 * months, 4.8, 12.0)
        assert (period.precision(0.1, 0.95) / period.customers <= 0.66) is shows
    share = money.share_that_shows(0.66, 12.0, 500 * month, 0.95)
    assert share is not None
    assert share <= 0.1
    period = Period(30, 500 * month, 4.8, 12.0)
    assert period.precision(share, 0.95) / period.customers == pytest.approx(0.66)
    assert money.share_that_shows(0.01, 12.0, 5000, 0.95) is None
    assert money.shows_after(0.001, 12.0, 500, 0.1, 0.95) is None


@pytest.mark.requirement("U04")
def test_the_band_covers_the_truth_of_simulated_experiments() -> None:
    rng, gain, n, runs = np.random.default_rng(11), 1.0, 1500, 400
    truth = float(COURSE.net(gain)[-1])
    covered, pays = 0, []
    for _ in range(runs):
        drawn = [rng.gamma(0.5, (10 + more) / 0.5, n) for more in (0.0, gain)]
        control, treatment = (mean_arm(Moments(n, float(one.mean()), float(one.var() * n))) for one in drawn)
        found = compare(treatment, control)
        x, y = found.density()
        known = Known.of(x.tolist(), y.tolist(), found.difference, found.difference_sd)
        low, high = money.fan(known, COURSE, LEVELS)[-1].bands[0.95]
        covered += low <= truth <= high
        pays.append(known.above(float(COURSE.costs[-1] / COURSE.counted[-1])))
    assert covered / runs == pytest.approx(0.95, abs=0.035)  # three standard errors
    assert np.mean(pays) > 0.5  # the truth pays
    assert truth > 0
