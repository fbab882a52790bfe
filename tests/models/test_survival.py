"""Curves and ratios of hazards against published numbers, second methods and simulations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from workbench.errors import ModelError
from workbench.models.arms import Array
from workbench.models.comparison import compare
from workbench.models.survival import Curve, LifeTable, drift, kaplan_meier, log_odds_ratio

# Weeks in remission and whether it ended: Freireich et al. (1963), Blood 21, as in Cox (1972), table 1.
SIX_MP = [(6, 1)] * 3 + [(6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1), (16, 1), (17, 0)]
SIX_MP += [(19, 0), (20, 0), (22, 1), (23, 1), (25, 0), (32, 0), (32, 0), (34, 0), (35, 0)]
PLACEBO = [(week, 1) for week in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]
RELAPSES = (6, 7, 10, 13, 16, 22, 23)


def weekly(lives: Sequence[tuple[int, int]], weeks: int = 35) -> LifeTable:
    events, censored = np.zeros(weeks), np.zeros(weeks + 1)
    for week, ended in lives:
        if ended:
            events[week - 1] += 1
        else:
            censored[week] += 1
    return LifeTable.of(events, censored)


def simulated(
    n: int, hazard: Array, rng: np.random.Generator, longest: int | None = None
) -> tuple[LifeTable, Array, Array]:
    """A table, and everybody's period and whether it came; they are followed for 0 to `longest` periods."""
    periods = hazard.size
    alive = np.cumprod(1 - hazard)
    when = (alive >= rng.random(n)[:, None]).sum(axis=1)
    followed = np.full(n, periods) if longest is None else np.minimum(rng.integers(0, longest, n), periods)
    came = when < followed
    events = np.bincount(when[came], minlength=periods)[:periods]
    censored = np.bincount(followed[~came], minlength=periods + 1)
    return LifeTable.of(events, censored), np.where(came, when + 1, followed), came


def times_odds(hazard: Array, ratio: float) -> Array:
    odds = hazard / (1 - hazard) * ratio
    return np.asarray(odds / (1 + odds))


@pytest.mark.requirement("C07")
def test_the_curve_is_the_published_one() -> None:
    share, se = kaplan_meier(weekly(SIX_MP))
    found = [round(float(share[week]), 3) for week in RELAPSES]
    assert found == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    greenwood = [round(float(se[week]), 4) for week in RELAPSES]
    assert greenwood == [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346]


def test_the_ratio_is_the_published_one() -> None:
    """1.63 with a standard error of 0.433: Venables & Ripley (2002), MASS, `coxph(method = "exact")`."""
    found = log_odds_ratio(weekly(PLACEBO), weekly(SIX_MP), prior_sd=None)
    assert found.mode == pytest.approx(1.63, abs=0.005)
    assert found.sd == pytest.approx(0.433, abs=0.0005)
    turned = log_odds_ratio(weekly(SIX_MP), weekly(PLACEBO), prior_sd=None)
    assert turned.mode == pytest.approx(-found.mode)
    assert found.ppf(0.975) == pytest.approx(-turned.ppf(0.025), abs=1e-6)


@pytest.mark.requirement("R06")
def test_curve_and_ratio_agree_with_statsmodels() -> None:
    from statsmodels.discrete.conditional_models import ConditionalLogit
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.duration.survfunc import SurvfuncRight

    rng = np.random.default_rng(5)
    hazard = 0.004 + 0.02 * np.exp(-np.arange(40) / 8)
    treated, t_time, t_came = simulated(150, times_odds(hazard, 1.4), rng, 60)
    control, c_time, c_came = simulated(150, hazard, rng, 60)
    theirs = SurvfuncRight(t_time, t_came)
    share, se = kaplan_meier(treated)
    at = np.asarray(theirs.surv_times, dtype=int)
    assert share[at] == pytest.approx(theirs.surv_prob, abs=1e-12)
    assert se[at] == pytest.approx(theirs.surv_prob_se, abs=1e-12)

    time, came = np.r_[t_time, c_time], np.r_[t_came, c_came]
    arm = np.r_[np.ones(150), np.zeros(150)]
    at_risk = [(when, time >= when) for when in np.unique(time[came])]
    y = np.concatenate([((time == when) & came)[risk] for when, risk in at_risk]).astype(int)
    x = np.concatenate([arm[risk] for _, risk in at_risk])
    strata = np.concatenate([np.full(risk.sum(), when) for when, risk in at_risk])
    logit = ConditionalLogit(y, x[:, None], groups=strata).fit()
    found = log_odds_ratio(treated, control, prior_sd=None)
    assert found.mode == pytest.approx(logit.params[0], abs=1e-3)
    assert found.sd == pytest.approx(logit.bse[0], rel=1e-3)
    cox = PHReg(time, arm[:, None], status=came, ties="efron").fit()
    assert found.mode == pytest.approx(cox.params[0], abs=0.02)  # hazards of 2 % and less: odds are chances


def test_without_censoring_the_posterior_is_that_of_the_share() -> None:
    table, _, _ = simulated(200, np.full(10, 0.05), np.random.default_rng(1))
    common = table + simulated(300, np.full(10, 0.04), np.random.default_rng(2))[0]
    curve, share = Curve(table, common), kaplan_meier(common)[0]
    for after in (1, 4, 10):
        without = curve.without(after)
        assert without is not None
        left = 200 - table.events[:after].sum()
        assert without.a == pytest.approx(share[after] + left)
        assert without.b == pytest.approx(1 - share[after] + 200 - left)


def test_share_and_restricted_mean_are_those_of_draws_of_the_hazards() -> None:
    rng = np.random.default_rng(3)
    table, _, _ = simulated(150, np.full(40, 0.03), rng, 60)
    common = table + simulated(150, np.full(40, 0.03), rng, 60)[0]
    share = kaplan_meier(common)[0]
    happened = (share[:-1] - share[1:]) + table.events
    not_yet = share[1:] + table.at_risk - table.events
    some = happened > 0
    hazards = np.zeros((40_000, 40))
    hazards[:, some] = rng.beta(happened[some], not_yet[some], (40_000, some.sum()))
    draws = np.concatenate([np.ones((40_000, 1)), np.cumprod(1 - hazards, axis=1)], axis=1)
    curve = Curve(table, common)
    for after in (5, 20, 35):
        without = curve.without(after)
        assert without is not None
        assert without.ppf([0.05, 0.5, 0.95]) == pytest.approx(
            np.quantile(draws[:, after], [0.05, 0.5, 0.95]), abs=0.004
        )
    mean, sd = curve.restricted_mean(40)
    means = draws[:, :40].sum(axis=1)
    assert mean == pytest.approx(means.mean(), abs=0.03)
    assert sd == pytest.approx(means.std(), rel=0.02)


def test_one_period_is_a_table_of_two_by_two() -> None:
    """Fisher's conditional likelihood: 15 of 20 against 4 of 20."""
    treated, control = LifeTable.of([15], [0, 5]), LifeTable.of([4], [0, 16])
    found = log_odds_ratio(treated, control, prior_sd=None)
    theirs = stats.contingency.odds_ratio([[15, 5], [4, 16]])
    assert np.exp(found.mode) == pytest.approx(theirs.statistic, rel=1e-4)


@pytest.mark.sampling
@pytest.mark.requirement("R06", "C07")
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Nine times in ten of 120, within three standard errors of the simulation."""
    rng = np.random.default_rng(11)
    hazard, ratio = 0.01 + 0.03 * np.exp(-np.arange(25) / 10), 1.3
    more = times_odds(hazard, ratio)
    truth = np.cumprod(1 - more)[-1] - np.cumprod(1 - hazard)[-1]
    times = np.cumprod(np.r_[1, 1 - more[:-1]]).sum() - np.cumprod(np.r_[1, 1 - hazard[:-1]]).sum()
    held = np.zeros(3)
    for _ in range(120):
        treated, control = simulated(250, more, rng, 40)[0], simulated(250, hazard, rng, 40)[0]
        curves = [Curve(one, treated + control) for one in (treated, control)]
        own, other = (curve.without(25) for curve in curves)
        assert own is not None
        assert other is not None
        low, high = compare(own, other, 0.9).difference_interval
        held[0] += low < truth < high
        low, high = log_odds_ratio(treated, control).ppf([0.05, 0.95])
        held[1] += low < np.log(ratio) < high
        (mean, sd), (reference, its_sd) = (curve.restricted_mean(25) for curve in curves)
        held[2] += abs(mean - reference - times) < stats.norm.ppf(0.95) * np.hypot(sd, its_sd)
    assert (np.abs(held / 120 - 0.9) < 3 * np.sqrt(0.9 * 0.1 / 120)).all(), held / 120


@pytest.mark.requirement("R06")
def test_without_a_difference_every_probability_is_as_likely_as_another() -> None:
    rng = np.random.default_rng(12)
    hazard = np.full(12, 0.03)
    below, changed = [], []
    for _ in range(80):
        treated, control = simulated(200, hazard, rng, 18)[0], simulated(200, hazard, rng, 18)[0]
        below.append(float(log_odds_ratio(treated, control).cdf(0.0)))
        parts = drift(treated, control)
        assert parts is not None
        changed.append(float(parts.change.cdf(0.0)))
    assert stats.kstest(below, "uniform").pvalue > 0.01
    assert stats.kstest(changed, "uniform").pvalue > 0.01


def test_a_ratio_that_turns_is_noticed() -> None:
    rng = np.random.default_rng(13)
    hazard = np.full(30, 0.02)
    turning = np.r_[np.full(12, 0.04), np.full(18, 0.01)]
    found = drift(simulated(2000, turning, rng)[0], simulated(2000, hazard, rng)[0])
    assert found is not None
    assert found.early.ppf(0.025) > 0
    assert found.late.ppf(0.975) < 0
    assert found.change.ppf(0.975) < 0
    assert found.change.mode == pytest.approx(found.late.mode - found.early.mode)


def test_tables_of_disjoint_groups_add_up() -> None:
    whole = weekly([*SIX_MP, *PLACEBO])
    parts = weekly(SIX_MP) + weekly(PLACEBO)
    assert (parts.at_risk == whole.at_risk).all()
    assert (parts.events == whole.events).all()
    at_risk = [int(weekly(SIX_MP).at_risk[week - 1]) for week in RELAPSES]
    assert at_risk == [21, 17, 15, 12, 11, 7, 6]  # as published
    assert weekly(SIX_MP).followed(12) == 13  # whole weeks: in the 14th there are 11


def test_where_nothing_happened_nothing_is_claimed() -> None:
    nobody, some = LifeTable.of([0, 0], [0, 0, 9]), LifeTable.of([0, 3], [0, 0, 9])
    assert Curve(nobody, nobody).without(2) is None
    with pytest.raises(ModelError, match="happened to nobody"):
        log_odds_ratio(nobody, nobody)
    with pytest.raises(ModelError, match="no end without a prior"):
        log_odds_ratio(some, nobody, prior_sd=None)
    assert log_odds_ratio(some, nobody).ppf(0.5) > 0  # the prior keeps it finite
    assert drift(nobody, nobody) is None
