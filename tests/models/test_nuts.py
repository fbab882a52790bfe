"""PyMC's sampler and importance sampling answer the same question the same way."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from workbench import Project
from workbench.analyses import value
from workbench.errors import ModelError
from workbench.models import nuts, purchases, spend
from workbench.models.importance import Array
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.models.spend import SpendDraws, bin_spend
from workbench.records import ValueSettings
from workbench.simulate import simulate

DATA = Path(__file__).parents[1] / "data"
CDNOW = PurchaseRows(*np.loadtxt(DATA / "cdnow_rows.csv", delimiter=",", skiprows=1, unpack=True))
SPENDING = bin_spend(*np.loadtxt(DATA / "cdnow_spend.csv", delimiter=",", skiprows=1, unpack=True))


def few(customers: int, seed: int) -> PurchaseRows:
    """Some customers of CDNOW, at random."""
    everyone = np.repeat(np.arange(len(CDNOW.n)), CDNOW.n.astype(int))
    chosen = np.random.default_rng(seed).choice(everyone, customers, replace=False)
    rows = CDNOW.where(chosen)
    return PurchaseRows(rows.x, rows.t_x, rows.T, np.ones(customers))


def assert_same(ours: Array, ess: float, theirs: Array, their_ess: float) -> None:
    """Means of the logs within four Monte Carlo errors, the middle 90 % of them equally wide within 8 %."""
    ours, theirs = np.log(ours), np.log(theirs)
    error = np.hypot(ours.std() / np.sqrt(ess), theirs.std() / np.sqrt(their_ess))
    assert abs(ours.mean() - theirs.mean()) < 4 * error
    widths = [np.diff(np.quantile(logs, [0.05, 0.95]))[0] for logs in (ours, theirs)]
    assert widths[0] == pytest.approx(widths[1], rel=0.08)


def assert_same_purchases(rows: PurchaseRows, model: str) -> PurchaseDraws:
    quick = purchases.posterior(rows, model, draws=4000, seed=1)
    slow = nuts.purchase_posterior(rows, model, draws=6000, seed=2)
    for name, values in quick.parameters.items():
        assert_same(values, min(quick.checks["ess"], 4000), slow[name], slow.checks["ess"])
    ahead, slow_ahead = (purchases.expected_purchases(draws, 52) for draws in (quick, slow))
    assert_same(ahead, min(quick.checks["ess"], 4000), slow_ahead, slow.checks["ess"])
    return slow


@pytest.mark.sampling
@pytest.mark.requirement("V03")
@pytest.mark.parametrize("model", purchases.MODELS)
def test_purchases_agree_with_importance_sampling(model: str) -> None:
    everybody = CDNOW if model != "pareto-nbd" else few(400, seed=3)  # whose likelihood is slow
    slow = assert_same_purchases(everybody, model)
    assert slow.checks["rhat"] < 1.01
    assert slow.checks["ess"] > 400
    assert slow.checks["divergences"] == 0
    if model != "pareto-nbd":
        # Other data, in the model that is compiled already.
        assert_same_purchases(few(300, seed=4), model)


@pytest.mark.sampling
@pytest.mark.requirement("V03")
def test_spend_agrees_with_importance_sampling() -> None:
    quick, slow = spend.posterior(SPENDING, draws=4000, seed=1), nuts.spend_posterior(SPENDING, seed=2)
    for name in spend.PARAMETERS:
        assert_same(
            getattr(quick, name), min(quick.checks["ess"], 4000), getattr(slow, name), slow.checks["ess"]
        )
    assert isinstance(slow, SpendDraws)


@pytest.mark.sampling
@pytest.mark.requirement("V03")
def test_pymc_confirms_what_importance_sampling_says(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop")
    shop = simulate(customers=9_000, seed=5, with_events=False)
    project.commit({name: rows for name, rows in shop.tables.items() if rows.num_rows})
    shares: list[float] = []
    record = value.analyse(project, ValueSettings(confirm=True), progress=shares.append)
    check = next(c for c in record.checks if c.name == "confirmed")
    assert check.status == "ok", str(check.detail)
    assert record.summary.confirmed is not None
    for name, estimate in record.summary.parameters.items():
        assert record.summary.confirmed[name].mean == pytest.approx(estimate.mean, abs=0.25 * estimate.sd)
        assert record.summary.confirmed[name].sd == pytest.approx(estimate.sd, rel=0.25)
    assert shares
    assert shares == sorted(shares)


@pytest.mark.sampling
def test_too_few_draws_are_withheld() -> None:
    with pytest.raises(ModelError, match=r"result is withheld.*effective sample size"):
        nuts.spend_posterior(SPENDING, draws=80, seed=3)


def test_chains_that_disagree_stick_or_diverge_are_withheld() -> None:
    good = np.random.default_rng(7).standard_normal((4, 1000, 2))
    assert nuts.check_chains(good, divergences=0)["rhat"] < 1.01
    apart = good + np.array([0, 0, 0, 0.5])[:, None, None]
    sticky = np.repeat(good[:, ::40], 40, axis=1)
    for chains, divergences in ((apart, 0), (sticky, 0), (good, 1)):
        with pytest.raises(ModelError, match="result is withheld"):
            nuts.check_chains(chains, divergences)


def test_it_tells_how_far_it_is_and_stops_when_told() -> None:
    told: list[float] = []
    nuts.spend_posterior(SPENDING, draws=8000, seed=1, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1, abs=0.01)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(ModelError, match="stopped"):
        nuts.spend_posterior(SPENDING, draws=400_000, seed=1, cancel=cancel)
