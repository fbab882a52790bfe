"""Changes of a rate: against every way to cut a short series, calibrated, quiet without a change."""

from __future__ import annotations

from itertools import product
from math import lgamma, log

import numpy as np
import pytest

from workbench.errors import ModelError, WorkbenchError
from workbench.models.alarm_calibration import (
    balance_false_alarms,
    change_false_alarms,
    draw,
    noticed,
)
from workbench.models.change_point import (
    PRIOR_SHAPE,
    Array,
    Rule,
    alarms,
    dispersion,
    first_raised,
    usual_counts,
    watch,
)
from workbench.models.rates import GammaRate, RateRatio


def evidence(counts: Array, usual: Array) -> float:
    """Log probability of a run's counts, the level integrated out, without what all runs share."""
    a, b = PRIOR_SHAPE + counts.sum(), PRIOR_SHAPE + usual.sum()
    return lgamma(a) - lgamma(PRIOR_SHAPE) + PRIOR_SHAPE * log(PRIOR_SHAPE) - a * log(b)


def by_brute_force(counts: Array, usual: Array, hazard: float) -> Array:
    """Probability of each day to have begun the last run, from all ways to cut the days into runs."""
    days = counts.size
    found = np.zeros(days)
    for cuts in product([False, True], repeat=days - 1):
        begins = [0, *(place + 1 for place, cut in enumerate(cuts) if cut)]
        runs = list(zip(begins, [*begins[1:], days], strict=True))
        total = sum(evidence(counts[slice(*run)], usual[slice(*run)]) for run in runs)
        total += sum(log(hazard if cut else 1 - hazard) for cut in cuts)
        found[begins[-1]] += np.exp(total)
    return np.asarray(found / found.sum())


@pytest.mark.parametrize("seed", range(4))
def test_the_last_run_is_what_all_ways_to_cut_the_days_say(seed: int) -> None:
    random = np.random.default_rng(seed)
    usual = random.uniform(0.5, 6, 10)
    counts = random.poisson(usual * np.where(np.arange(10) < 6, 1.0, 3.0)).astype(float)
    for days in (1, 2, 7, 10):
        found = watch(counts[:days], usual[:days], Rule(hazard=0.1)).last[0]
        assert found == pytest.approx(by_brute_force(counts[:days], usual[:days], 0.1), abs=1e-12)


def test_tempered_counts_are_counts_of_a_smaller_shop() -> None:
    random = np.random.default_rng(1)
    usual = np.full(30, 12.0)
    counts = (3.0 * random.poisson(usual / 3)).astype(np.float64)
    assert watch(counts, usual, Rule(), 3.0).last == pytest.approx(
        watch(counts / 3, usual / 3, Rule()).last, abs=1e-12
    )


def test_a_probability_of_a_recent_change_is_as_often_right_as_it_says() -> None:
    """On days of the model itself: levels drawn from the prior, changes with the hazard."""
    random = np.random.default_rng(5)
    series, days, rule = 400, 90, Rule(hazard=1 / 30)
    began = np.zeros((series, days), np.int64)
    level = random.gamma(PRIOR_SHAPE, 1 / PRIOR_SHAPE, series)
    levels = np.zeros((series, days))
    for day in range(days):
        if day:
            anew = random.random(series) < rule.hazard
            level = np.where(anew, random.gamma(PRIOR_SHAPE, 1 / PRIOR_SHAPE, series), level)
            began[:, day] = np.where(anew, day, began[:, day - 1])
        levels[:, day] = level
    found = watch(random.poisson(levels * 6.0).astype(float), np.full(days, 6.0), rule)
    since = np.arange(days) - began < rule.recent_days - 1
    true = (since & (began >= rule.recent_days))[:, rule.recent_days * 2 :]
    said = found.recent[:, rule.recent_days * 2 :]
    for low, high in ((0.0, 0.1), (0.2, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.0)):
        some = (said >= low) & (said < high + 1e-12)
        assert some.sum() > 300
        assert true[some].mean() == pytest.approx(said[some].mean(), abs=0.06)


@pytest.mark.requirement("M07")
@pytest.mark.parametrize("spread", [1.0, 2.5])
def test_years_without_a_change_hardly_raise_an_alarm(spread: float) -> None:
    usual = np.tile([12.0, 10, 10, 9, 14, 5, 4], 30)
    found = change_false_alarms(usual, spread, Rule(), 150, 1)
    assert found.a_year < 0.1
    assert found.interval(0.95)[1] < 0.15
    eager = change_false_alarms(usual, spread, Rule(probability=0.5), 50, 1)
    assert eager.interval(0.95)[0] > found.interval(0.95)[1]


def test_spread_that_is_not_allowed_for_raises_alarms_for_nothing() -> None:
    usual, random = np.full(365, 10.0), np.random.default_rng(4)
    counts = draw(usual, 4.0, 60, random)
    naive, aware = (first_raised(watch(counts, usual, Rule(), one).raised, 7).sum() for one in (1.0, 4.0))
    assert naive > 60  # one a year and more
    assert aware < 6


@pytest.mark.requirement("M07")
def test_a_doubling_is_seen_within_days_and_not_before() -> None:
    random = np.random.default_rng(2)
    usual = np.full(120, 20.0)
    counts = random.poisson(usual * np.where(np.arange(120) < 90, 1, 2), (100, 120)).astype(float)
    found = watch(counts, usual, Rule())
    first = np.where(found.raised.any(axis=1), found.raised.argmax(axis=1), 999)
    assert (first < 90).sum() <= 2
    assert np.median(first - 90) <= 2  # the third day at the latest, for half of them
    assert ((first >= 90) & (first < 97)).mean() > 0.95
    since = [alarms(found, Rule(), one)[-1].since for one in range(100) if first[one] >= 90]
    assert np.mean(np.abs(np.array(since) - 90) <= 1) > 0.9
    said = noticed(usual, 1.0, Rule(), 2.0, 1)
    assert said.share > 0.95
    assert said.days is not None
    assert said.days <= 4


def test_fewer_people_leaving_is_no_alarm() -> None:
    random = np.random.default_rng(2)
    counts = random.poisson(np.where(np.arange(120) < 90, 20, 8), (50, 120)).astype(float)
    found = watch(counts, np.full(120, 20.0), Rule())
    assert np.mean(found.recent[:, 90:].max(axis=1) > 0.9) > 0.95  # it is seen
    assert not found.raised[:, 90:].any()


def test_an_alarm_lasts_until_the_level_is_back() -> None:
    counts = np.full(150, 20.0)
    counts[80:110] = 50
    found = watch(counts, np.full(150, 20.0), Rule())
    (one,) = alarms(found, Rule())
    assert (one.day, one.since) == (81, 80) or (one.day, one.since) == (80, 80)
    assert one.until is not None
    assert 110 <= one.until <= 113
    (still,) = alarms(watch(counts[:110], np.full(110, 20.0), Rule()), Rule())
    assert still.until is None


@pytest.mark.requirement("T2")
def test_weekdays_the_list_and_what_was_sent_are_no_change() -> None:
    random = np.random.default_rng(8)
    days = np.arange(200)
    people = (5_000 + 20.0 * days).astype(np.float64)
    sent = np.where(days % 7 == 1, people, 0.0) * np.where(
        days > 120, 2.0, 1.0
    )  # two mails a week from then on
    truth = people * np.where(days % 7 >= 5, 0.0004, 0.001) + 0.004 * sent + 0.002 * np.r_[0, sent[:-1]]
    counts = random.poisson(truth, (20, 200)).astype(float)
    fitted = [usual_counts(one, people, sent, 0) for one in counts]
    known = [watch(one, usual, Rule()).raised.any() for one, usual in zip(counts, fitted, strict=True)]
    flat = watch(counts, np.full(200, truth.mean()), Rule()).raised.any(axis=1)
    assert sum(known) <= 2
    assert flat.all()
    error = np.abs(np.mean(fitted, axis=0) - truth)[days % 7 == 1] / truth[days % 7 == 1]
    assert error.max() < 0.1


def test_what_is_usual_adds_up_to_what_happened() -> None:
    random = np.random.default_rng(1)
    for days, base in ((3, 2.0), (40, 5.0), (200, 0.2)):
        counts = random.poisson(base, days).astype(float)
        usual = usual_counts(counts, np.full(days, 100.0), np.zeros(days), 3)
        assert usual.sum() == pytest.approx(counts.sum() or 0.5)
        assert usual.min() > 0


@pytest.mark.parametrize("spread", [1.0, 3.0, 8.0])
def test_spread_is_found_whatever_the_level_does(spread: float) -> None:
    random = np.random.default_rng(6)
    usual = np.tile([20.0, 20, 20, 20, 30, 5, 5], 60)
    for factor in (1.0, 3.0):
        rising = np.where(np.arange(usual.size) < 210, 1.0, factor)
        counts = draw(usual * rising, spread, 40, random)
        found = np.mean([dispersion(one, usual) for one in counts])
        assert found == pytest.approx(spread, rel=0.12)


def test_drawn_counts_have_the_mean_and_the_spread_they_should() -> None:
    counts = draw(np.full(20, 6.0), 2.5, 5_000, np.random.default_rng(1))
    assert counts.mean() == pytest.approx(6, rel=0.02)
    assert counts.var() == pytest.approx(15, rel=0.03)


@pytest.mark.requirement("M07")
@pytest.mark.parametrize("kappa", [1.0, 2.0, 4.0])
def test_on_the_edge_the_balance_is_wrong_as_often_as_it_says(kappa: float) -> None:
    """Where exactly κ join for each who leaves, P(ratio < κ) is above 90 % in a tenth of all windows."""
    random = np.random.default_rng(9)
    pairs = random.poisson((140 * kappa, 140), (4_000, 2))
    below = [float(RateRatio(GammaRate.of(a, 28), GammaRate.of(b, 28)).cdf(kappa)) for a, b in pairs.tolist()]
    assert np.mean(np.array(below) > 0.9) == pytest.approx(0.1, abs=0.015)


@pytest.mark.requirement("M07")
def test_the_balance_sounds_for_nothing_less_often_the_surer_it_has_to_be() -> None:
    rates = [balance_false_alarms(5.0, 2.0, 28, sure, 1.0, 200, 1).a_year for sure in (0.8, 0.95, 0.999)]
    assert rates[0] > rates[1] > rates[2]
    assert rates[2] < 0.2
    spread = balance_false_alarms(5.0, 2.0, 28, 0.95, 3.0, 200, 1).a_year
    assert spread > 1.5 * rates[1]  # days that vary more deceive it more often, and that is said


@pytest.mark.parametrize(
    "wrong", [{"hazard": 0}, {"hazard": 1}, {"recent_days": 1}, {"probability": 1.0}, {"ratio": 0.5}]
)
def test_a_rule_out_of_range_is_one_sentence(wrong: dict[str, float]) -> None:
    with pytest.raises(WorkbenchError, match="it has to be"):
        Rule(**wrong)  # type: ignore[arg-type]  # what a person may type


def test_days_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ModelError, match="usual value above 0"):
        watch(np.ones(3), np.ones(4), Rule())
    with pytest.raises(ModelError, match="usual value above 0"):
        watch(np.ones(3), np.array([1.0, 0.0, 1.0]), Rule())
