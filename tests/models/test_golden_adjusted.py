"""The published CUPED case, and tea-tasting's adjustment."""

from __future__ import annotations

from math import sqrt

import pytest

from workbench.models.adjusted import Covaried, adjust, adjusted_lift, slopes
from workbench.models.arms import mean_arm
from workbench.models.comparison import compare
from workbench.models.frequentist import welch
from workbench.moments import CrossMoments

CONTROL = Covaried.of_pair(CrossMoments.of_sums(2801, 195, 280, 390, 560, -18))
TREATMENT = Covaried.of_pair(CrossMoments.of_sums(2800, 110, 205, 380, 510, -8))


@pytest.mark.requirement("X14")
def test_published_adjusted_means_lift_and_standard_errors() -> None:
    theta = slopes([CONTROL, TREATMENT])
    assert theta == pytest.approx([-0.069566052], abs=5e-10)
    # The published means are not centred: ȳ − θ x̄ instead of ȳ − θ (x̄ − x̄ of everybody).
    means = [float(arm.means[0] - theta @ arm.means[1:]) for arm in (CONTROL, TREATMENT)]
    assert means == pytest.approx([0.104807347, 0.075947238], abs=5e-10)
    lift, se = adjusted_lift(TREATMENT, CONTROL, theta)
    assert lift == pytest.approx(-0.288704169, abs=5e-9)
    assert se == pytest.approx(0.0996542, abs=5e-8)
    z = 1.959963984540054
    assert (lift - z * se, lift + z * se) == pytest.approx((-0.4840228, -0.0933856), abs=5e-8)
    adjusted = adjust([CONTROL, TREATMENT])
    control, treatment = adjusted.moments
    difference = compare(mean_arm(treatment), mean_arm(control))
    assert difference.difference == pytest.approx(-0.0288601, abs=5e-8)
    assert sqrt(control.variance / control.n + treatment.variance / treatment.n) == pytest.approx(
        0.0114240, abs=5e-8
    )
    assert difference.difference_sd == pytest.approx(0.0114240, rel=5e-4)
    # Centred, the control stays where it was but for its own luck: here a hundredth of its mean.
    assert control.mean == pytest.approx(float(CONTROL.means[0]), abs=0.0011)


def test_tea_tasting_adjusts_to_the_same_means() -> None:
    import tea_tasting as tt

    data = tt.make_users_data(n_users=600, covariates=True, rng=3, return_type="pandas")
    theirs = tt.Experiment(orders=tt.Mean("orders", covariate="orders_covariate")).analyze(data)["orders"]
    arms = [
        Covaried.of(rows["orders"], rows["orders_covariate"])
        for rows in (data[data["variant"] == variant] for variant in (0, 1))
    ]
    control, treatment = adjust(arms).moments
    assert (control.mean, treatment.mean) == pytest.approx((theirs.control, theirs.treatment))
    test = welch(treatment, control)
    assert test.interval == pytest.approx((theirs.effect_size_ci_lower, theirs.effect_size_ci_upper))
    assert test.p_value == pytest.approx(theirs.pvalue)
