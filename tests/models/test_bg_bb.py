"""BG/BB against the published analysis of donors, a sum over every path, and simulated customers."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.special import betaln

from tests.models.buyers import opportunities
from workbench.errors import DataError, ModelError
from workbench.models import bg_bb, importance
from workbench.models.bg_bb import OpportunityDraws, OpportunityRows

# x, t_x and number of donors over six years: Fader, Hardie & Shang (2010), table 1
DONORS = [
    (6, 6, 1203), (5, 6, 728), (4, 6, 512), (3, 6, 357), (2, 6, 234), (1, 6, 129), (5, 5, 335), (4, 5, 284),
    (3, 5, 225), (2, 5, 173), (1, 5, 119), (4, 4, 240), (3, 4, 181), (2, 4, 155), (1, 4, 78), (3, 3, 322),
    (2, 3, 255), (1, 3, 129), (2, 2, 613), (1, 2, 277), (1, 1, 1091), (0, 0, 3464),
]  # fmt: skip
PUBLISHED = OpportunityDraws.point(1.203522, 0.749716, 0.656718, 2.783443)


@pytest.fixture(scope="module")
def donors() -> OpportunityRows:
    x, t_x, count = np.array(DONORS, dtype=float).T
    return OpportunityRows(x, t_x, np.full(len(x), 6.0), count)


def test_the_published_donors(donors: OpportunityRows) -> None:
    """Parameters 1.204 .750 .657 2.783; log likelihood, five years to come and the fit of both ends."""
    fit = bg_bb.maximum_likelihood(donors)
    found = [fit.parameters[name] for name in bg_bb.PARAMETERS]
    assert np.round(found, 6) == pytest.approx([1.203522, 0.749716, 0.656718, 2.783443], abs=2e-6)
    assert fit.log_likelihood == pytest.approx(-33225.58127, abs=1e-5)
    alive = bg_bb.probability_alive(PUBLISHED, donors.x, donors.t_x, donors.n)[0]
    by_history = dict(zip(zip(donors.x, donors.t_x, strict=True), alive, strict=True))
    assert [round(by_history[key], 4) for key in [(0, 0), (2, 4), (6, 6)]] == [0.1081, 0.5897, 0.9304]
    ahead = bg_bb.expected_purchases(PUBLISHED, 5, donors.x, donors.t_x, donors.n)[0]
    assert float(ahead @ donors.count) == pytest.approx(12884.16, abs=0.01)
    fitted = 11104 * bg_bb.purchase_probabilities(PUBLISHED, 6)[0]
    assert np.round(fitted[[0, 6]], 1) == pytest.approx([3454.9, 1253.1])
    assert fitted.sum() == pytest.approx(11104)


def test_probabilities_are_sums_over_every_path() -> None:
    """Who leaves before which opportunity, and who buys at which: added up one by one."""
    a, b, c, d = 0.8, 1.7, 0.6, 2.9
    n = 5

    def weight(bought: tuple[int, ...], stays: int) -> float:
        x = sum(bought)
        buys = betaln(a + x, b + stays - x) - betaln(a, b)
        leaves = betaln(c + (stays < n), d + stays) - betaln(c, d)
        return float(np.exp(buys + leaves))

    counts = np.zeros(n + 1)
    histories: dict[tuple[int, int], float] = {}
    for stays in range(n + 1):
        for bought in product((0, 1), repeat=stays):
            chance = weight(bought, stays)
            counts[sum(bought)] += chance
            last = max((i + 1 for i, one in enumerate(bought) if one), default=0)
            key = (sum(bought), last)
            histories[key] = histories.get(key, 0.0) + chance
    draws = OpportunityDraws.point(a, b, c, d)
    assert bg_bb.purchase_probabilities(draws, n)[0] == pytest.approx(counts, rel=1e-12)
    # of one history the likelihood is that of a single order of purchases
    x, t_x = np.array(list(histories), dtype=float).T
    ways = np.array([len(list(_orders(int(i), int(j)))) for i, j in zip(x, t_x, strict=True)])
    single = OpportunityRows(x, t_x, np.full(len(x), float(n)), np.ones(len(x)))
    each = [
        bg_bb.OpportunityLikelihood(OpportunityRows(x[[i]], t_x[[i]], [n], [1.0]))(np.array([a, b, c, d]))[0]
        for i in range(len(x))
    ]
    assert np.exp(each) * ways == pytest.approx(list(histories.values()), rel=1e-10)
    whole, slope = bg_bb.OpportunityLikelihood(single)(np.array([a, b, c, d]))
    assert whole == pytest.approx(sum(each))
    for i, step in enumerate(1e-6 * np.eye(4)):
        up = bg_bb.OpportunityLikelihood(single)(np.array([a, b, c, d]) + step)[0]
        down = bg_bb.OpportunityLikelihood(single)(np.array([a, b, c, d]) - step)[0]
        assert slope[i] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-6)


def _orders(x: int, t_x: int) -> list[tuple[int, ...]]:
    """Orders of purchases up to opportunity t_x, the last of which is one."""
    if t_x == 0:
        return [()]
    return [order for order in product((0, 1), repeat=t_x) if sum(order) == x and order[-1]]


@pytest.mark.sampling
def test_simulation_based_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters drawn from the prior lie anywhere in their posterior: ranks are uniform.

    `make calibrate` asks the same of hundreds of data sets.
    """
    monkeypatch.setattr(importance, "_FEWEST_PROPOSALS", 1000)
    rng = np.random.default_rng(11)
    ranks = []
    while len(ranks) < 40:
        # the middle of the prior: at its ends nobody buys, or everybody has left
        u = bg_bb.PRIOR.mean + rng.normal(size=4) * bg_bb.PRIOR.sd * 0.4
        truth = bg_bb.to_parameters(u)
        rows = opportunities(tuple(truth), 400, 10, int(rng.integers(2**31)))
        prior = bg_bb.NormalPrior(bg_bb.PRIOR.mean, bg_bb.PRIOR.sd * 0.4)
        try:
            found = bg_bb.posterior(rows, 400, int(rng.integers(2**31)), prior)
        except ModelError:
            continue
        ranks.append(
            [
                np.mean(getattr(found, name) < value)
                for name, value in zip(bg_bb.PARAMETERS, truth, strict=True)
            ]
        )
    counts = np.apply_along_axis(lambda column: np.histogram(column, 5, (0, 1))[0], 0, np.array(ranks))
    # chi squared with 4 degrees of freedom is above 18.5 once in a thousand
    assert np.all(((counts - 8) ** 2 / 8).sum(axis=0) < 18.5)


def test_a_posterior_holds_the_estimate_and_a_discount_lowers_what_is_to_come(
    donors: OpportunityRows,
) -> None:
    found = bg_bb.posterior(donors, 1000, seed=3)
    fit = bg_bb.maximum_likelihood(donors)
    for name in bg_bb.PARAMETERS:
        draws = getattr(found, name)
        assert abs(draws.mean() - fit.parameters[name]) < 0.5 * fit.standard_errors[name]
        assert draws.std() == pytest.approx(fit.standard_errors[name], rel=0.15)
    plain, cheaper = (bg_bb.expected_purchases(PUBLISHED, 50, discount=d)[0, 0] for d in (0.0, 0.1))
    by_hand = sum(
        np.exp(betaln(1.203522 + 1, 0.749716) - betaln(1.203522, 0.749716))
        * np.exp(betaln(0.656718, 2.783443 + k) - betaln(0.656718, 2.783443))
        / 1.1**k
        for k in range(1, 51)
    )
    assert cheaper == pytest.approx(by_hand, rel=1e-12)
    assert cheaper < plain


def test_impossible_histories_and_nobody_who_bought_are_told() -> None:
    with pytest.raises(DataError, match="impossible"):
        OpportunityRows([3], [2], [6], [1])
    with pytest.raises(ModelError, match="Nobody bought"):
        bg_bb.posterior(OpportunityRows([0], [0], [6], [50]))
