"""Rules for ending a test: published error rates, the lab's own posteriors, closed forms."""

from __future__ import annotations

import itertools
from math import log, sqrt

import numpy as np
import pytest
from scipy import integrate, stats

from workbench.errors import ModelError
from workbench.models.arms import JEFFREYS, UNIFORM, binary_arm, mean_arm
from workbench.models.comparison import compare
from workbench.models.lift import LiftPrior
from workbench.models.operating import (
    Characteristics,
    assurance,
    detectable,
    false_wins,
    operating,
)
from workbench.models.planning import (
    Period,
    assurance_at_end,
    detectable_at_end,
    hold_outs,
    level_of,
    log_lift_sd,
    loss_at_end,
    sample_size,
)
from workbench.models.stopping import (
    Average,
    Looks,
    Posterior,
    Rule,
    Share,
    answers,
    ends,
)
from workbench.models.tied_arms import TiedArms
from workbench.moments import Moments

FIVE_PERCENT = Share(0.05)
PUBLISHED_TESTS, TESTS = 40_000, 20_000


def looks(count: int, each: int = 1000) -> Looks:
    """So many looks, each with so many more customers an arm."""
    return Looks(
        tuple(range(1, count + 1)), tuple((each * look, each * look) for look in range(1, count + 1))
    )


def no_effect(rule: Rule, planned: Looks, metric: Share | Average = FIVE_PERCENT) -> Characteristics:
    return operating(metric, planned, rule, [0.0], TESTS)[0]


def agree(share: float, published: float, tests: int = TESTS) -> bool:
    """Within four Monte Carlo errors, ours and the published one's."""
    error = sqrt(published * (1 - published) * (1 / tests + 1 / PUBLISHED_TESTS))
    return abs(share - published) < 4 * error


@pytest.mark.requirement("X03", "T9")
@pytest.mark.parametrize(
    ("rule", "published"),
    [
        (Rule(0.95), 0.211),
        (Rule(0.8, loss=0.002), 0.246),
        (Rule(0.95, prior=LiftPrior(0.0, 0.1)), 0.097),
        (Rule(0.95, prior=LiftPrior(0.0, 0.05)), 0.028),
    ],
)
def test_published_false_ship_rates_of_twenty_looks(rule: Rule, published: float) -> None:
    assert agree(no_effect(rule, looks(20)).adopted.value, published)


def test_published_false_ship_rate_of_the_last_look_alone() -> None:
    alone = Looks((20,), ((20_000, 20_000),))
    assert agree(no_effect(Rule(0.95), alone).adopted.value, 0.048)


def test_published_rates_of_peeking_fourteen_times() -> None:
    often, once = looks(14), Looks((14,), ((14_000, 14_000),))
    for planned, published in ((often, 0.381), (once, 0.099)):
        found = no_effect(Rule(0.95), planned)
        assert agree(found.adopted.value + found.dropped.value, published)


def of_arms(metric: Share | Average, arms: list[Moments]) -> list[Posterior]:
    """Each arm's posterior as the rule sees it."""
    squares = [arm.m2 + arm.n * arm.mean**2 for arm in arms]
    return [
        metric.posterior(np.array([arm.n * 1.0]), np.array([arm.total]), np.array([square]))
        for arm, square in zip(arms, squares, strict=True)
    ]


@pytest.mark.parametrize("prior", [UNIFORM, JEFFREYS])
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.4, 0.9])
@pytest.mark.parametrize("ratio", [0.25, 1, 4])
def test_the_rule_sees_what_the_lab_sees(prior: tuple[float, float], rate: float, ratio: float) -> None:
    worst = np.zeros(4)
    for n, z in itertools.product((300, 1000, 20_000), (-2.2, -1.2, 0.0, 0.7, 1.6, 2.4)):
        other = int(n * ratio)
        spread = sqrt(rate * (1 - rate) * (1 / n + 1 / other))
        arms = [Moments.of_binary(round(n * rate), n)]
        successes = round(other * (rate + z * spread))
        if min(arms[0].successes, successes, n - arms[0].successes, other - successes) < 10:
            continue
        arms.append(Moments.of_binary(successes, other))
        exact = compare(
            binary_arm(arms[1], prior), binary_arm(arms[0], prior), rope=(-0.01, 0.01), rope_scale="lift"
        )
        control, treatment = of_arms(Share(rate, prior), arms)
        found = answers(treatment, control, Rule(rope=0.01))
        assert exact.rope is not None
        base = exact.control.mean
        worst = np.maximum(
            worst,
            [
                abs(found.better[0] - exact.probability_better),
                abs(found.same[0] - exact.rope[1]),
                abs(found.loss[0] - exact.expected_loss) / base,
                abs(found.loss_control[0] - exact.expected_loss_control) / base,
            ],
        )
    assert (worst < [1e-3, 1.5e-3, 4e-4, 4e-4]).all()


def test_the_rule_sees_what_the_lab_sees_of_means() -> None:
    for n, difference in itertools.product((30, 200, 5000), (-0.5, 0.0, 0.3, 0.8)):
        arms = [
            Moments.of_mean(n, 10.0, 16.0),
            Moments.of_mean(2 * n, 10.0 + difference * sqrt(40 / n), 30.0),
        ]
        exact = compare(mean_arm(arms[1]), mean_arm(arms[0]), rope=(-0.02, 0.02), rope_scale="lift")
        control, treatment = of_arms(Average(10.0, 4.0), arms)
        found = answers(treatment, control, Rule(rope=0.02))
        assert found.better[0] == pytest.approx(exact.probability_better, abs=2e-4)
        assert found.loss[0] == pytest.approx(exact.expected_loss, abs=2e-3 * exact.difference_sd)
        assert exact.rope is not None
        assert found.same[0] == pytest.approx(exact.rope[1], abs=2e-4)
        # and turned round where lower is better
        lower = answers(treatment, control, Rule(lower_is_better=True))
        turned = compare(mean_arm(arms[1]), mean_arm(arms[0]), lower_is_better=True)
        assert lower.better[0] == pytest.approx(turned.probability_better, abs=2e-4)
        assert lower.loss[0] == pytest.approx(turned.expected_loss, abs=2e-3 * exact.difference_sd)


def test_tests_end_where_the_labs_own_comparison_would_end_them() -> None:
    """Look by look, with the integrals of `compare` in the place of the expansion."""
    planned, rule = looks(5, 400), Rule(0.9, loss=0.03, rope=0.02, min_weeks=2)
    rng = np.random.default_rng(3)
    added = FIVE_PERCENT.draw(rng, np.tile([1.0, 1.15], (60, 1, 1)), planned.added)[0]
    found = ends(FIVE_PERCENT, planned, rule, added, added)
    for test, successes in enumerate(added.cumsum(axis=1)):
        outcome, last = 0, 4
        for look in range(1, 5):
            arms = [Moments.of_binary(int(s), 400 * (look + 1)) for s in successes[look]]
            exact = compare(
                binary_arm(arms[1], UNIFORM),
                binary_arm(arms[0], UNIFORM),
                rope=(-0.02, 0.02),
                rope_scale="lift",
            )
            assert exact.rope is not None
            if exact.rope[1] >= 0.9:
                outcome = 3
            elif exact.probability_better >= 0.9 and exact.expected_loss <= 0.03 * 0.05:
                outcome = 1
            elif exact.probability_better <= 0.1 and exact.expected_loss_control <= 0.03 * 0.05:
                outcome = 2
            if outcome:
                last = look
                break
        assert (found.outcome[test], found.look[test]) == (outcome, last)


def test_with_a_prior_the_rule_is_the_normal_posterior_of_the_log_lift() -> None:
    # 4/200 against 10/200 with the prior N(0, 0.1) on the log lift: +23.2 %, P .773 (mean instead of counts)
    control, treatment = (
        Posterior(*(np.array([x]) for x in (s / 200, s / 200 * (1 - s / 200) / 200, 0.0, 0.0)))
        for s in (4, 10)
    )
    found = answers(treatment, control, Rule(prior=LiftPrior(0.0, sqrt(0.1))))
    assert found.better[0] == pytest.approx(0.773, abs=5e-4)
    variance = (1 - 0.02) / 4 + (1 - 0.05) / 10
    weight = 0.1 / (0.1 + variance)
    posterior = stats.norm(weight * log(2.5), sqrt(weight * variance))
    for sign, loss in ((-1, found.loss[0]), (1, found.loss_control[0])):
        exact, _ = integrate.quad(
            lambda x, s=sign: max(s * np.expm1(x), 0) * posterior.pdf(x), -4, 4, points=[0]
        )
        assert loss == pytest.approx(exact * 0.02, rel=1e-6)


@pytest.mark.parametrize("believed", [(-0.2, 0.25), (-0.1, 0.1), (-0.05, 0.2)])
def test_with_a_prior_the_rule_decides_as_the_labs_exact_posterior(believed: tuple[float, float]) -> None:
    exact_prior = LiftPrior.between(*believed, scale="log odds", baseline=0.05)
    rule = Rule(prior=LiftPrior.between(*believed))
    for n, z in itertools.product((1000, 20_000), (-1.0, 0.0, 1.0, 2.0, 3.0)):
        successes = n * 0.05 + z * sqrt(2 * n * 0.05 * 0.95)
        arms = [Moments.of_binary(round(s), n) for s in (n * 0.05, successes)]
        control, treatment = (binary_arm(arm, UNIFORM) for arm in arms)
        exact = 1 - float(TiedArms(control, [treatment], exact_prior).at_most(1, 1.0, 0.0)[0])
        base, other = of_arms(FIVE_PERCENT, arms)
        near = 0.005 if exact > 0.9 else 0.02
        assert answers(other, base, rule).better[0] == pytest.approx(exact, abs=near)


@pytest.mark.parametrize("metric", [Share(0.05), Average(3.0, 12.0, 0.9)])
@pytest.mark.parametrize("prior", [None, LiftPrior(0.02, 0.08)])
def test_one_look_agrees_with_the_closed_form(metric: Share | Average, prior: LiftPrior | None) -> None:
    n, belief = 40_000, LiftPrior.between(-0.1, 0.2)
    for loss in (None, 0.001):
        rule = Rule(0.9, loss=loss, prior=prior)
        simulated = assurance(metric, Looks((4,), ((n, n),)), rule, belief, 8000)[-1]
        closed = assurance_at_end(belief, log_lift_sd(metric, n, n), rule)
        assert simulated.value == pytest.approx(closed, abs=4 * simulated.error + 0.01)


@pytest.mark.requirement("X03")
def test_what_lower_is_better_means_for_a_rule() -> None:
    planned, belief = looks(4, 5000), LiftPrior.between(-0.2, 0.05)
    found = operating(FIVE_PERCENT, planned, Rule(lower_is_better=True), [-0.15, 0.0, 0.15], 2000)
    assert found[0].adopted.value > 0.5 > found[0].wrong.value
    assert found[2].dropped.value > 0.5 > found[2].wrong.value
    closed = assurance_at_end(belief, 0.05, Rule(lower_is_better=True))
    mirrored = assurance_at_end(LiftPrior(-belief.mean, belief.sd), 0.05, Rule())
    assert closed == pytest.approx(mirrored)


def test_every_test_ends_in_one_way_and_none_before_its_time() -> None:
    found = operating(FIVE_PERCENT, looks(6, 3000), Rule(0.9, rope=0.05, min_weeks=3), [-0.2, 0.0, 0.2], 2000)
    for one in found:
        parts = [one.adopted, one.other, one.dropped, one.same, one.undecided]
        assert sum(part.value for part in parts) == pytest.approx(1)
        assert 3 <= one.weeks.value <= 6
        assert one.customers.value == pytest.approx(6000 * one.weeks.value)


def test_too_few_conversions_end_nothing() -> None:
    rare = Share(0.001)
    assert no_effect(Rule(0.6), looks(3, 1000), rare).undecided.value > 0.99


def test_more_arms_ship_more_often_by_chance() -> None:
    two = operating(FIVE_PERCENT, Looks((1,), ((5000,) * 2,)), Rule(0.95), [0.0], TESTS)[0]
    four = operating(FIVE_PERCENT, Looks((1,), ((5000,) * 4,)), Rule(0.95), [0.0], TESTS)[0]
    # the best of three against one control: P(max of three correlated z > 1.645), one-sided
    z = stats.multivariate_normal(np.zeros(3), 0.5 * np.eye(3) + 0.5)
    expected = 1 - z.cdf(np.full(3, 1.6449))
    assert agree(four.adopted.value + four.other.value, expected)
    assert four.wrong.value > 2 * two.wrong.value


@pytest.mark.requirement("X03")
def test_published_sample_size() -> None:
    assert sum(sample_size(100, 0.3, power=0.85, alpha=0.05)) == 39906


@pytest.mark.parametrize("size", [0.2, 0.5, 0.8])
def test_sample_size_has_the_power_of_the_t_test(size: float) -> None:
    n = sample_size(1.0, size, power=0.9)[0]

    def power(n: int) -> float:
        limit = stats.t(2 * n - 2).ppf(0.975)
        return float(stats.nct(2 * n - 2, size * sqrt(n / 2)).sf(limit))

    assert power(n - 1) < 0.9 <= power(n) + 1e-3


def test_expected_loss_at_the_end_by_integration() -> None:
    belief, sd = LiftPrior(0.01, 0.05), 0.03
    weight = belief.sd**2 / (belief.sd**2 + sd**2)
    spread = sqrt(belief.sd**2 + sd**2)

    def lost(estimate: float) -> float:
        """Of the better of both choices, after this estimate."""
        posterior = stats.norm(weight * estimate + (1 - weight) * belief.mean, sqrt(weight) * sd)
        best = posterior.mean() > 0
        return float(posterior.expect(lambda d: max(-d, 0) if best else max(d, 0)))

    # the choice turns where the posterior mean is nothing
    turn = -(1 - weight) * belief.mean / weight
    around, exact = stats.norm(belief.mean, spread), 0.0
    nodes, weights = np.polynomial.legendre.leggauss(12)
    for low, high in ((belief.mean - 8 * spread, turn), (turn, belief.mean + 8 * spread)):
        half = (high - low) / 2
        estimates = low + half * (1 + nodes)
        exact += half * sum(w * lost(x) * around.pdf(x) for x, w in zip(estimates, weights, strict=True))
    assert loss_at_end(belief, sd) == pytest.approx(exact, rel=1e-3)
    assert loss_at_end(belief, 1e-9) == pytest.approx(0, abs=1e-12)


@pytest.mark.requirement("X03")
def test_the_lift_that_is_found_four_times_in_five_is() -> None:
    planned, rule = looks(4, 6000), Rule(0.95)
    found = operating(FIVE_PERCENT, planned, rule, [0, 0.04, 0.08, 0.12, 0.16, 0.2], 4000)
    smallest = detectable(found)
    assert smallest is not None
    check = operating(FIVE_PERCENT, planned, rule, [smallest], TESTS, seed=9)[0]
    assert check.adopted.value == pytest.approx(0.8, abs=0.02)
    assert detectable(found, 0.9999999) is None


@pytest.mark.requirement("X10")
def test_an_a_a_test_finds_as_many_winners_as_the_level_says() -> None:
    rng = np.random.default_rng(1)
    values = np.exp(rng.normal(3.5, 0.8, 400)).round()
    kinds, counts = np.unique(np.r_[values, np.zeros(7600)], return_counts=True)
    planned = Looks((1,), ((4000, 4000),))
    found = false_wins(kinds, counts, Average(3.0, 12.0), planned, Rule(0.975), 2000)
    assert found.interval[0] < 0.05 < found.interval[1]
    often = Looks(tuple(range(1, 6)), tuple((800 * i, 800 * i) for i in range(1, 6)))
    assert false_wins(kinds, counts, Average(3.0, 12.0), often, Rule(0.975), 500).either.value > 0.07
    with pytest.raises(ModelError, match="8,000 customers to split, and the looks need 10,000"):
        false_wins(kinds, counts, Average(3.0, 12.0), Looks((1,), ((5000, 5000),)), Rule())


def test_splits_use_every_customer_once() -> None:
    """With everybody in one of the halves, the halves always add up to the whole."""
    planned = Looks((1,), ((50, 50),))
    seen = []

    class Told(Share):
        def posterior(self, n: np.ndarray, totals: np.ndarray, squares: np.ndarray) -> Posterior:
            seen.append(totals)
            return super().posterior(n, totals, squares)

    false_wins([0, 1], [60, 40], Told(0.4), planned, Rule(), 200)
    halves = seen[0][:, 0, :]
    assert (halves.sum(axis=1) == 40).all()
    assert halves[:, 0].var() == pytest.approx(stats.hypergeom(100, 40, 50).var(), rel=0.3)


@pytest.mark.requirement("X08")
def test_a_hold_out_of_half_is_the_most_exact_and_costs_half() -> None:
    year, belief = Period(365, 10_000, 50.0, 120.0), LiftPrior(0.05, 0.02)
    found = hold_outs(year, None, belief, [0.01, 0.05, 0.1, 0.5, 0.9])
    widths = [one.year for one in found]
    assert widths[:4] == sorted(widths[:4], reverse=True)
    assert found[2].year == pytest.approx(found[4].year)
    assert found[3].year == pytest.approx(1.959964 * 120 * sqrt(1 / 5000 + 1 / 5000) * 10_000, rel=1e-6)
    assert found[3].forgone == pytest.approx(0.5 * 10_000 * 50 * (np.exp(0.05 + 0.02**2 / 2) - 1))


@pytest.mark.requirement("S07")
def test_finer_levels_need_larger_lifts_and_one_person_none() -> None:
    reach = [2000.0 * week for week in range(1, 53)]
    levels = [level_of(groups, FIVE_PERCENT, Rule(), reach, 0.5, 0.2) for groups in (1, 4, 20, reach[3])]
    lifts = [level.lift for level in levels]
    assert lifts[0] == pytest.approx(detectable_at_end(log_lift_sd(FIVE_PERCENT, 4000, 4000), Rule()))
    # a quarter of the people is half as exact
    assert log(1 + lifts[1]) == pytest.approx(2 * log(1 + lifts[0]))
    assert lifts[3] is None
    assert not levels[3].measurable
    week = levels[1].weeks
    assert week is not None
    assert level_of(4, FIVE_PERCENT, Rule(), reach, 0.5, 0.2, weeks=week).measurable
    assert not level_of(4, FIVE_PERCENT, Rule(), reach, 0.5, 0.2, weeks=week - 1).measurable


def test_values_that_cannot_be_are_refused() -> None:
    with pytest.raises(ModelError, match="standard deviation is at least"):
        Average(3.0, 1.0, 0.9)
    with pytest.raises(ModelError, match="lower end first"):
        LiftPrior.between(0.2, -0.1)
    with pytest.raises(ModelError, match="one after the other"):
        Looks((1, 2), ((10, 10), (5, 10)))
