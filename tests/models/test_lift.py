"""Priors of a lift in plain words, closed forms, tipping priors and priors from past tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from tests.second_methods.tipping import tipping_sd
from workbench.analyses.posteriors import Posteriors
from workbench.errors import ModelError, WorkbenchError
from workbench.models.arms import binary_arm
from workbench.models.lift import (
    LINKS,
    LiftPrior,
    NormalEffect,
    Scale,
    log_bayes_factor,
    log_lift,
    posterior,
    to_change,
    to_effect,
)
from workbench.models.past_tests import from_past_tests
from workbench.models.tied_arms import TiedArms
from workbench.moments import Moments
from workbench.records import EffectSettings


def test_a_prior_says_what_it_was_told() -> None:
    for scale, baseline in (("log", None), ("log odds", None), ("log odds", 0.3), ("difference", None)):
        prior = LiftPrior.between(-0.2, 0.25, 0.9, scale, baseline)  # type: ignore[arg-type]
        predictive = prior.predictive(baseline)
        assert predictive.interval(0.9) == pytest.approx((-0.2, 0.25))
        assert predictive.probability_above(0.25) == pytest.approx(0.05)
    # −20 % and +25 % are as far from nothing as each other.
    assert LiftPrior.between(-0.2, 0.25).mean == pytest.approx(0)
    assert LiftPrior(0, 0.2, "log odds").predictive().interval() == pytest.approx((-0.32, 0.48), abs=5e-3)


def test_a_lift_of_a_share_is_not_one_of_its_odds() -> None:
    # Odds of 1:1 that grow by half are 3:2, a share that grows from 50 % to 60 %.
    assert to_change(np.log(1.5), "log odds", 0.5) == pytest.approx(0.2)
    assert to_change(np.log(1.5), "log odds") == pytest.approx(0.5)
    changes = np.array([-0.9, -0.1, 0.0, 1e-9, 0.3])
    for scale in LINKS:
        assert to_change(to_effect(changes, scale, 0.4), scale, 0.4) == pytest.approx(changes, rel=1e-7)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LiftPrior.between(0.2, -0.1), "lower end first"),
        (lambda: LiftPrior.between(-1.0, 0.2), "above −100 %"),
        (lambda: LiftPrior.between(-0.5, 1.5, scale="log odds", baseline=0.5), "more than everybody"),
        (lambda: LiftPrior.between(-0.1, 0.1, 1.0), "probability"),
        (lambda: LiftPrior(0, 0), "two different ends"),
        (lambda: LiftPrior(0, 1, "logs"), "scale of an effect"),  # type: ignore[arg-type]
        (lambda: posterior(0.1, 0.0), "above zero"),
        (lambda: posterior(np.nan, 0.1), "finite"),
    ],
)
def test_what_cannot_be_expected_is_refused_in_words(make, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(WorkbenchError, match=words):
        make()


@pytest.mark.parametrize(("scale", "baseline"), [("log", None), ("log odds", 0.3), ("difference", None)])
@pytest.mark.parametrize(("mean", "sd"), [(0.05, 0.1), (-0.3, 0.1), (0.0, 0.8), (0.2, 0.01)])
def test_losses_are_the_integrals_that_they_stand_for(
    scale: Scale, baseline: float | None, mean: float, sd: float
) -> None:
    effect = NormalEffect(np.array(mean), np.array(sd), scale, baseline)

    def loss(x: float, side: int) -> float:
        change = float(to_change(x, scale, baseline))
        return max(side * change, 0) * float(stats.norm.pdf(x, mean, sd))

    for ours, side in zip(effect.expected_losses(), (-1, 1), strict=True):
        ends = sorted([0.0, side * max(0.0, side * (mean + side * 10 * sd))])
        exact, _ = integrate.quad(loss, *ends, args=(side,), points=[mean], epsabs=1e-13, limit=200)
        assert float(ours) == pytest.approx(exact, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(
    st.floats(-1, 1),
    st.floats(0.01, 1),
    st.floats(0.01, 2),
    st.sampled_from([0.8, 0.95]),
    st.sampled_from(["log", "log odds", "difference"]),
)
def test_probability_interval_region_and_losses_never_contradict_each_other(
    estimate: float, se: float, prior_sd: float, level: float, scale: Scale
) -> None:
    effect = posterior(estimate, se, LiftPrior(0, prior_sd, scale), baseline=0.2)
    above = float(effect.probability_above(0))
    low, high = effect.interval(level)
    assert (above > (1 + level) / 2) == (low > 0)
    assert (1 - above > (1 + level) / 2) == (high < 0)
    below, inside, over = effect.rope(-0.01, 0.01)
    assert below + inside + over == pytest.approx(1)
    assert over <= above <= over + inside + 1e-12
    choose, stay = effect.expected_losses()
    assert min(choose, stay) >= 0
    if scale == "difference":
        assert stay - choose == pytest.approx(float(effect.mean), abs=1e-12)


def test_many_segments_at_once_are_each_what_they_are_alone() -> None:
    estimates, errors = np.array([0.1, -0.2, 0.4]), np.array([0.05, 0.2, 0.1])
    prior = LiftPrior(0.02, 0.1)
    together = posterior(estimates, errors, prior)
    for i in range(3):
        alone = posterior(estimates[i], errors[i], prior)
        assert together.interval()[0][i] == alone.interval()[0]
        assert together.expected_losses()[1][i] == alone.expected_losses()[1]
        assert log_bayes_factor(estimates, errors, prior)[i] == log_bayes_factor(
            estimates[i], errors[i], prior
        )


def test_the_bayes_factor_is_a_ratio_of_integrals() -> None:
    prior = LiftPrior(0.05, 0.2)
    with_effect, _ = integrate.quad(
        lambda d: stats.norm.pdf(0.3, d, 0.1) * stats.norm.pdf(d, 0.05, 0.2), -2, 2, points=[0.3]
    )
    ratio = with_effect / stats.norm.pdf(0.3, 0, 0.1)
    assert np.exp(log_bayes_factor(0.3, 0.1, prior)) == pytest.approx(ratio, rel=1e-8)


def test_the_tipping_prior_is_where_a_search_finds_it() -> None:
    """Of the closed form and of the exact posterior; who is not sure is turned round by no scepticism."""
    control, treatment = (binary_arm(Moments.of_binary(n, 20_000)) for n in (1000, 1120))
    settings = EffectSettings(experiment="home", metric="conversion")
    found = Posteriors({"a": control, "b": treatment}, "a", settings).prior("b")
    assert found is not None
    assert found.tipping is not None
    low, high = np.log1p(found.tipping) / stats.norm.ppf(0.975)
    assert low == pytest.approx(-high)
    estimate, se = log_lift(treatment, control)

    def by_normal(sd: float) -> bool:
        return float(posterior(estimate, se, LiftPrior(0, sd)).probability_above(0)) >= 0.975

    def exactly(sd: float) -> bool:
        return 1 - float(TiedArms(control, [treatment], LiftPrior(0, sd)).at_most(1, 1.0, 0.0)[0]) >= 0.975

    assert tipping_sd(by_normal, 4.0) == pytest.approx(high, rel=2e-3)
    assert tipping_sd(exactly, 4.0) == pytest.approx(high, rel=0.02)
    near = binary_arm(Moments.of_binary(1020, 20_000))
    unsure = Posteriors({"a": control, "b": near}, "a", settings).prior("b")
    assert unsure is not None
    assert unsure.tipping is None


def test_the_strip_goes_from_sceptical_to_wide() -> None:
    strip = LiftPrior.between(-0.2, 0.3).strip()
    means = [float(posterior(0.2, 0.1, strip[name]).mean) for name in ("sceptical", "default", "wide")]
    assert means == sorted(means)
    assert means[-1] == pytest.approx(0.2, abs=0.02)


def test_priors_from_past_tests_against_integration_over_both_unknowns() -> None:
    y = np.array([0.03, -0.02, 0.08, 0.01, 0.0, 0.05, -0.01])
    se = np.array([0.02, 0.03, 0.02, 0.01, 0.04, 0.02, 0.02])
    found = from_past_tests(list(y), list(se))
    mu, tau = np.linspace(-0.2, 0.2, 401)[:, None], np.linspace(1e-4, 0.4, 1000)
    log_p = -((mu / 0.5) ** 2) / 2 - (tau / 0.5) ** 2 / 2
    for one, error in zip(y, se, strict=True):
        log_p = log_p + stats.norm.logpdf(one, mu, np.hypot(tau, error))
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    mean = (p * mu).sum()
    assert found.mean == pytest.approx(mean, abs=1e-4)
    assert found.spread == pytest.approx((p * tau).sum(), rel=2e-3)
    assert found.prior.mean == pytest.approx(mean, abs=1e-4)
    assert found.prior.sd == pytest.approx(np.sqrt((p * ((mu - mean) ** 2 + tau**2)).sum()), rel=2e-3)
    assert found.share_positive == pytest.approx((p * stats.norm.cdf(mu / tau)).sum(), abs=1e-3)


def test_priors_from_past_tests_hold_the_next_effect_and_shrink_the_past_ones() -> None:
    random = np.random.default_rng(11)
    held, count = 0, 400
    raw_error = drawn_error = 0.0
    for _ in range(count):
        tests = int(random.integers(6, 30))
        truth = random.normal(0.02, 0.04, tests + 1)
        se = random.uniform(0.02, 0.06, tests)
        y = random.normal(truth[:-1], se)
        found = from_past_tests(list(y), list(se))
        low, high = found.prior.mean + np.array([-1.645, 1.645]) * found.prior.sd
        held += low <= truth[-1] <= high
        raw_error += ((y - truth[:-1]) ** 2).mean()
        drawn_error += ((found.effects - truth[:-1]) ** 2).mean()
    assert held / count == pytest.approx(0.9, abs=0.06)
    assert drawn_error < 0.75 * raw_error


def test_too_few_past_tests_give_no_prior() -> None:
    with pytest.raises(ModelError, match="at least 5"):
        from_past_tests([0.1, 0.2, 0.0, 0.1], [0.1] * 4)
    with pytest.raises(ModelError, match="one standard error for each"):
        from_past_tests([0.1] * 5, [0.1] * 4)
    scores = [0.2, -0.1, 0.4, 0.1, 0.0]
    tenfold = from_past_tests([10 * x for x in scores], [1.0] * 5, "difference")
    assert tenfold.prior.sd == pytest.approx(
        10 * from_past_tests(scores, [0.1] * 5, "difference").prior.sd, rel=1e-3
    )
