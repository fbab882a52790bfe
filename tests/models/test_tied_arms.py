"""Arms tied by a prior of the lift: panels of Gauss–Legendre, limits, calibration, no contradictions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from workbench.errors import ModelError, WorkbenchError
from workbench.models import comparison
from workbench.models.arms import Arm, BetaArm, MeanArm, binary_arm, hurdle_arm, mean_arm
from workbench.models.lift import LiftPrior, Scale, log_lift, posterior
from workbench.models.pair import Comparison
from workbench.models.tied_arms import TiedArms
from workbench.models.tied_comparison import compare
from workbench.moments import Moments

ODDS = LiftPrior(0, 0.2, "log odds")


def share(successes: int, n: int, prior: tuple[float, float] = (0.5, 0.5)) -> BetaArm:
    return binary_arm(Moments.of_binary(successes, n), prior)


def tied(treatment: Arm, control: Arm, prior: LiftPrior = ODDS, **options: object) -> Comparison:
    return compare(TiedArms(control, [treatment], prior), **options)  # type: ignore[arg-type]


def log_density(arm: BetaArm | MeanArm, scale: Scale, y: np.ndarray) -> np.ndarray:
    """By scipy, per unit of the scale for shares, per unit of the mean for means."""
    if isinstance(arm, MeanArm):
        return np.asarray(
            stats.t.logpdf(np.exp(y) if scale == "log" else y, arm.dof, arm.location, arm.scale)
        )
    if scale == "log odds":
        return arm.a * -np.logaddexp(0, -y) + arm.b * -np.logaddexp(0, y)
    return np.where(y < 0, arm.a * y + (arm.b - 1) * np.log1p(-np.exp(np.minimum(y, -1e-12))), -np.inf)


def panels(low: float, high: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(16)
    edges = np.linspace(low, high, count + 1)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + nodes)).ravel(), (half * weights).ravel()


def at_most(
    treatment: BetaArm | MeanArm,
    control: BetaArm | MeanArm,
    prior: LiftPrior,
    case: tuple[float, float],
    reach: tuple[float, float],
) -> float:
    """P(T <= scale · C + shift), the inner integrals ending where the line is."""
    forth, back = {
        "log odds": (lambda v: special.logit(np.clip(v, 0, 1)), special.expit),
        "log": (lambda v: np.log(np.maximum(v, 1e-300)), np.exp),
        "difference": (lambda v: v, lambda v: v),
    }[prior.scale]
    x, weight = panels(*reach, 40)
    unit, inner = panels(0, 1, 60)
    base = log_density(control, prior.scale, x)[:, None]

    def joint(y: np.ndarray) -> np.ndarray:
        apart = y - x[:, None] - prior.mean
        return base + log_density(treatment, prior.scale, y) - apart**2 / 2 / prior.sd**2

    top = joint(np.broadcast_to(x, (x.size, x.size))).max()

    def integral(ends: np.ndarray) -> np.ndarray:
        y = reach[0] + (ends - reach[0])[:, None] * unit
        return np.exp(joint(y) - top) @ inner * (ends - reach[0])

    line = np.clip(forth(case[0] * back(x) + case[1]), *reach)
    return float(weight @ integral(line) / (weight @ integral(np.full_like(x, reach[1]))))


@pytest.mark.parametrize(
    ("treatment", "control", "prior", "reach"),
    [
        (BetaArm(4.5, 98.5), BetaArm(2.5, 99.5), ODDS, (-11, 0)),
        (BetaArm(3.5, 1000.5), BetaArm(0.5, 1000.5), LiftPrior(0, 0.3, "log odds"), (-40, -2)),
        (BetaArm(3000.5, 17000.5), BetaArm(1000.5, 19000.5), LiftPrior(0, 0.02, "log odds"), (-3.2, -1.6)),
        (BetaArm(100.5, 900.5), BetaArm(2000.5, 20000.5), LiftPrior(0.1, 0.05, "log odds"), (-2.9, -1.8)),
        (BetaArm(160.5, 840.5), BetaArm(120.5, 880.5), LiftPrior(0, 0.1), (-2.8, -1.3)),
        (MeanArm(11, 0.8, 40), MeanArm(10, 0.7, 30), LiftPrior(0, 0.1), (1.6, 3.0)),
        (MeanArm(0.5, 0.3, 50), MeanArm(-0.1, 0.2, 60), LiftPrior(0, 0.2, "difference"), (-3, 3)),
    ],
)
def test_every_probability_is_the_integral_that_it_stands_for(
    treatment: BetaArm | MeanArm, control: BetaArm | MeanArm, prior: LiftPrior, reach: tuple[float, float]
) -> None:
    arms = TiedArms(control, [treatment], prior)
    for case in ((1.0, 0.0), (1.05, 0.0), (1.0, 0.3 * (treatment.mean - control.mean))):
        exact = at_most(treatment, control, prior, case, reach)
        assert float(arms.at_most(1, *case)[0]) == pytest.approx(exact, abs=2e-7)


@pytest.mark.parametrize(("successes", "n"), [((0, 3), (500, 400)), ((120, 150), (1000, 1000))])
def test_a_prior_that_says_nothing_leaves_the_independent_posterior(
    successes: tuple[int, int], n: tuple[int, int]
) -> None:
    control, treatment = share(successes[0], n[0]), share(successes[1], n[1])
    free, held = (
        comparison.compare(treatment, control),
        tied(treatment, control, LiftPrior(0, 1e4, "log odds")),
    )
    assert held.probability_better == pytest.approx(free.probability_better, abs=1e-5)
    assert held.difference_interval == pytest.approx(free.difference_interval, abs=1e-6)
    assert held.expected_loss == pytest.approx(free.expected_loss, abs=1e-7)
    assert (held.control.mean, held.treatment.mean) == pytest.approx((control.mean, treatment.mean), rel=1e-5)


def test_a_prior_that_is_certain_leaves_no_difference() -> None:
    result = tied(share(150, 1000), share(120, 1000), LiftPrior(0, 1e-4, "log odds"))
    assert result.difference == pytest.approx(0, abs=1e-6)
    assert result.control.mean == pytest.approx(271 / 2002, abs=2e-5)  # both arms together


@pytest.mark.parametrize(
    ("arm", "prior"),
    [
        (share(12, 100), ODDS),
        (share(0, 100), ODDS),
        (share(12, 100), LiftPrior(0, 0.2)),
        (MeanArm(10, 1, 5), LiftPrior(0, 0.2)),
        (MeanArm(-3, 1, 20), LiftPrior(0, 2, "difference")),
    ],
)
def test_arms_with_the_same_data_are_even(arm: Arm, prior: LiftPrior) -> None:
    result = tied(arm, arm, prior)
    assert result.probability_better == pytest.approx(0.5, abs=1e-7)
    assert result.expected_loss == pytest.approx(result.expected_loss_control, rel=1e-5)
    probability, losses = TiedArms(arm, [arm, arm], prior).best()
    assert probability[1] == pytest.approx(probability[2], abs=1e-6)
    assert losses[1] == pytest.approx(losses[2], abs=1e-6 * arm.sd)
    # The lifts of two treatments are independent: they may lie further apart than either from the control.
    assert 1 / 4 < probability[0] < 1 / 3


counts = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n + 1)))


@pytest.mark.requirement("X02")
@settings(max_examples=40, deadline=None)
@given(counts, counts, st.floats(0.02, 3), st.sampled_from([0.8, 0.95]), st.booleans())
def test_probability_interval_lift_region_and_losses_never_contradict_each_other(
    one: tuple[int, int], two: tuple[int, int], sd: float, level: float, lower: bool
) -> None:
    result = tied(
        share(*one),
        share(*two),
        LiftPrior(0, sd, "log odds"),
        level=level,
        rope=(0.0, 0.0),
        lower_is_better=lower,
    )
    above = 1 - result.probability_better if lower else result.probability_better
    low, high = result.difference_interval
    assert (above > (1 + level) / 2) == (low > 0)
    assert (1 - above > (1 + level) / 2) == (high < 0)
    assert result.lift_interval is not None
    assert (low > 0) == (result.lift_interval[0] > 0)
    assert result.rope == pytest.approx((1 - above, 0, above), abs=1e-12)
    gain = -result.difference if lower else result.difference
    assert result.expected_loss_control - result.expected_loss == pytest.approx(gain, abs=1e-6)
    assert min(result.expected_loss, result.expected_loss_control) >= 0


def test_pictures_show_the_same_posterior() -> None:
    result = tied(share(150, 1000), share(120, 1000))
    x, y = result.density()
    assert np.trapezoid(y, x) == pytest.approx(0.999, abs=1e-4)
    assert (result.dots() > 0).mean() == pytest.approx(result.probability_better, abs=0.02)
    arm = result.treatment
    q = np.array([0.01, 0.3, 0.9])
    assert arm.cdf(arm.ppf(q)) == pytest.approx(q, abs=1e-9)
    grid = np.linspace(0.05, 0.3, 4001)
    assert np.trapezoid(arm.pdf(grid), grid) == pytest.approx(1, abs=1e-6)
    assert np.trapezoid(grid * arm.pdf(grid), grid) == pytest.approx(arm.mean, abs=1e-6)
    assert np.diff(arm.breaks).min() > 0


def test_true_lifts_lie_anywhere_in_their_posterior_equally_often() -> None:
    """Shares drawn from the prior (independent Betas times the prior of the lift), then data, then ranks."""
    random = np.random.default_rng(21)
    c, t = random.beta(3, 27, (2, 60_000))
    apart = special.logit(t) - special.logit(c)
    kept = random.random(60_000) < np.exp(-((apart - 0.1) ** 2) / 2 / 0.3**2)
    c, t = c[kept][:300], t[kept][:300]
    prior = LiftPrior(0.1, 0.3, "log odds")
    ranks = []
    for before, after in zip(c, t, strict=True):
        arms = [share(int(random.binomial(200, p)), 200, (3, 27)) for p in (before, after)]
        ranks.append(float(TiedArms(arms[0], [arms[1]], prior).at_most(1, after / before, 0.0)[0]))
    assert stats.kstest(ranks, "uniform").pvalue > 0.001


def test_closed_form_and_exact_agree_where_there_are_many_customers() -> None:
    revenue = Moments.of_mean(20_000, 4.0, 900.0), Moments.of_mean(20_000, 4.4, 1000.0)
    control, treatment = (mean_arm(moments) for moments in revenue)
    prior = LiftPrior(0, 0.1)
    effect = posterior(*log_lift(treatment, control), prior)
    exact = tied(treatment, control, prior)
    assert exact.probability_better == pytest.approx(float(effect.probability_above(0)), abs=0.003)
    assert exact.lift_interval == pytest.approx(effect.interval(), abs=0.004)


def test_the_unit_of_money_does_not_matter() -> None:
    prior = LiftPrior(0, 0.1)
    for factor in (0.01, 100.0, 1e6):
        euro, other = (
            tied(
                mean_arm(Moments.of_mean(300, 11.0 * f, (30 * f) ** 2)),
                mean_arm(Moments.of_mean(300, 10.0 * f, (30 * f) ** 2)),
                prior,
            )
            for f in (1.0, factor)
        )
        assert other.probability_better == pytest.approx(euro.probability_better, abs=1e-9)
        assert other.lift_interval == pytest.approx(euro.lift_interval, rel=1e-6)
        assert other.expected_loss == pytest.approx(euro.expected_loss * factor, rel=1e-6)


def test_any_arm_can_be_tied() -> None:
    random = np.random.default_rng(5)

    def of(values: np.ndarray) -> Moments:
        return Moments.of_mean(len(values), float(values.mean()), float(values.var(ddof=1)))

    arms = []
    for lift in (1.0, 1.1):
        revenue = np.where(random.random(20_000) < 0.05, lift * random.lognormal(3, 0.7, 20_000), 0.0)
        arms.append((hurdle_arm(of(revenue), of(revenue[revenue > 0])), mean_arm(of(revenue))))
    hurdle, plain = (tied(arms[1][i], arms[0][i], LiftPrior(0, 0.1)) for i in (0, 1))
    # Two models of the same revenue, tabulated and in closed form.
    assert hurdle.probability_better == pytest.approx(plain.probability_better, abs=0.02)
    assert hurdle.difference == pytest.approx(plain.difference, rel=0.05)


def test_best_of_several_against_simulation_of_the_joint_posterior() -> None:
    control, treatments = share(50, 500), [share(60, 500), share(45, 400), share(70, 520)]
    arms = TiedArms(control, treatments, ODDS)
    random = np.random.default_rng(9)
    draws = np.array([random.beta(arm.a, arm.b, 1_500_000) for arm in (control, *treatments)])
    odds = special.logit(draws)
    weight = np.exp(-((odds[1:] - odds[0]) ** 2).sum(axis=0) / 2 / 0.2**2)
    kept = draws[:, random.random(weight.size) < weight]
    n = kept.shape[1]
    assert n > 20_000
    for lower in (False, True):
        side = -kept if lower else kept
        probability, losses = arms.best(lower)
        assert probability.sum() == pytest.approx(1, abs=1e-12)
        drawn = np.bincount(side.argmax(axis=0), minlength=4) / n
        assert probability == pytest.approx(drawn, abs=4 * np.sqrt(0.25 / n))
        assert losses == pytest.approx((side.max(axis=0) - side).mean(axis=1), abs=4 * 0.02 / np.sqrt(n))
    assert [arm.mean for arm in arms.arms] == pytest.approx(kept.mean(axis=1), abs=4 * 0.015 / np.sqrt(n))
    for index in (1, 2, 3):
        result = compare(arms, index)
        assert result.probability_better == pytest.approx(
            (kept[index] > kept[0]).mean(), abs=4 * np.sqrt(0.25 / n)
        )


@pytest.mark.parametrize("successes", [(1000, 1100), (1000, 2000), (3, 0)])
def test_the_bayes_factor_is_a_ratio_of_integrals_however_far_out(successes: tuple[int, int]) -> None:
    control, treatment = (share(s, 20_000) for s in successes)
    middle = special.logit((control.a + treatment.a) / 40_002)
    x, weight = panels(middle - 6, middle + 3, 120)
    known = [log_density(arm, "log odds", x) for arm in (control, treatment)]
    prior = stats.norm.logpdf(x - x[:, None], 0, 0.2)
    joint = known[0][:, None] + known[1] + prior + np.log(weight)[:, None] + np.log(weight)
    exact = special.logsumexp(joint) - special.logsumexp(known[0] + known[1] + np.log(weight))
    assert TiedArms(control, [treatment], ODDS).log_bayes_factor() == pytest.approx(exact, abs=1e-4)


def test_no_lift_over_a_mean_that_may_be_zero() -> None:
    for control in (MeanArm(0.2, 0.1, 50), MeanArm(-5.0, 0.1, 50)):
        with pytest.raises(ModelError, match="Read the difference instead"):
            TiedArms(control, [MeanArm(1, 0.1, 50)], LiftPrior(0, 0.1))
        result = tied(
            MeanArm(1, 0.1, 50), control, LiftPrior(0, 1, "difference"), rope=(-0.1, 0.1), rope_scale="lift"
        )
        assert result.lift is None
        assert result.lift_interval is None
        assert result.rope is None
        # A negative baseline turns nothing round: the treatment is higher.
        assert result.difference > 0
        assert result.probability_better > 0.99
        with pytest.raises(ModelError, match="Read the difference"):
            result.lift_quantiles(0.5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: tied(share(3, 9), share(3, 9), LiftPrior(0, 1, "difference")), "one of its lift"),
        (lambda: tied(share(9, 9), share(3, 9), LiftPrior(0, 1)), "Nearly everybody"),
        (lambda: tied(MeanArm(9, 1, 9), MeanArm(9, 1, 9), ODDS), "Only shares have odds"),
        (lambda: tied(share(3, 9), share(3, 9), rope=(0.1, -0.1)), "lower end first"),
        (lambda: tied(share(3, 9), share(3, 9), level=95), "level"),
    ],
)
def test_what_cannot_be_tied_is_refused_in_words(make, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(WorkbenchError, match=words):
        make()
