"""How predictions are judged: the published hold-out of CDNOW, scores by hand, and a model that is right."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest

from workbench.models import validation
from workbench.models.foretelling import Histories
from workbench.models.purchases import PurchaseDraws, possible_purchases
from workbench.models.validation import Followed

CDNOW = Path(__file__).parents[2] / "data" / "samples" / "cdnow" / "cdnow.csv"
ESTIMATES = {
    "bg-nbd": PurchaseDraws.point("bg-nbd", r=0.24259291, alpha=4.41353166, a=0.79288612, b=2.42575361),
    "mbg-nbd": PurchaseDraws.point("mbg-nbd", r=0.524838, alpha=6.182992, a=0.891356, b=1.613999),
    "pareto-nbd": PurchaseDraws.point(
        "pareto-nbd", r=0.55327556, alpha=10.5776132, s=0.60621348, beta=11.66790722
    ),
}


@pytest.fixture(scope="module")
def cdnow() -> Followed:
    """2,357 customers until 30 September 1997, and the 39 weeks that followed."""
    as_text = pyarrow.csv.ConvertOptions(column_types={"customer_id": "string"})
    table = pyarrow.csv.read_csv(CDNOW, convert_options=as_text)
    customer, day = np.array(table["customer_id"].to_pylist()), np.array(table["date"].to_pylist())
    split = date(1997, 9, 30)
    known, later = [], []
    for one in np.unique(customer):
        days = sorted(set(day[customer == one]))
        before = [each for each in days if each <= split]
        known.append((len(before) - 1, (before[-1] - before[0]).days / 7, (split - before[0]).days / 7))
        later.append(len(days) - len(before))
    x, t_x, T = np.array(known).T
    return Followed(Histories(x, t_x, T), np.ones(len(x)), np.array(later, dtype=float), 39.0)


@pytest.mark.requirement("V03")
@pytest.mark.parametrize(
    ("model", "total", "mae", "rmse", "correlation"),
    [
        ("bg-nbd", 1653.4, 0.7855, 1.6080, 0.6256),
        ("mbg-nbd", 1576.7, 0.7648, 1.6072, 0.6273),
        ("pareto-nbd", 1665.5, 0.7545, 1.6028, 0.6302),
    ],
)
def test_the_published_hold_out_of_cdnow(
    cdnow: Followed, model: str, total: float, mae: float, rmse: float, correlation: float
) -> None:
    assert cdnow.total == 1882
    found = validation.judge(cdnow, ESTIMATES[model]).errors
    assert found.total == pytest.approx(total, abs=0.06)
    assert (found.mae, found.rmse) == pytest.approx((mae, rmse), abs=6e-5)
    assert found.correlation == pytest.approx(correlation, abs=6e-5)


def test_who_knows_no_model(cdnow: Followed) -> None:
    """ "Nobody buys" has nearly the smallest absolute error, which is why it is not the measure."""
    same, nobody = validation.same_rate(cdnow), validation.nobody(cdnow)
    assert same.total == pytest.approx(2930.1, abs=0.05)
    assert (same.mae, same.rmse) == pytest.approx((1.0237, 2.2119), abs=6e-5)
    assert same.correlation == pytest.approx(0.5839, abs=6e-5)
    assert (nobody.total, nobody.correlation) == (0.0, None)
    assert (nobody.mae, nobody.rmse) == pytest.approx((0.7985, 2.2064), abs=6e-5)


def test_conditional_means_by_purchases_so_far(cdnow: Followed) -> None:
    bands = validation.judge(cdnow, ESTIMATES["bg-nbd"]).by_x
    assert [band.n for band in bands] == [1411, 439, 214, 100, 62, 38, 29, 64]
    foretold = [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157]
    came = [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359]
    assert [band.predicted for band in bands] == pytest.approx(foretold, abs=6e-4)
    assert [band.actual for band in bands] == pytest.approx(came, abs=6e-4)


def test_counted_rows_are_customers_one_by_one(cdnow: Followed) -> None:
    """The same customers in rows with a count give the same errors, bands and tracking."""
    every = np.column_stack([cdnow.histories.x, cdnow.histories.t_x, cdnow.histories.T, cdnow.later])
    rows, n = np.unique(every, axis=0, return_counts=True)
    counted = Followed(Histories(*rows[:, :3].T), n.astype(float), rows[:, 3], cdnow.weeks)
    one, other = (validation.judge(each, ESTIMATES["mbg-nbd"]) for each in (cdnow, counted))
    assert (one.errors.mae, one.errors.rmse, one.brier) == pytest.approx(
        (other.errors.mae, other.errors.rmse, other.brier)
    )
    assert one.crps_of_all == pytest.approx(other.crps_of_all)
    weeks = np.array([1.0, 20.0, 39.0])
    tracked = validation.tracking(counted, ESTIMATES["mbg-nbd"], weeks)[0]
    assert tracked[-1] == pytest.approx(one.errors.total)
    assert np.all(np.diff(tracked) > 0)


@pytest.mark.sampling
@pytest.mark.requirement("P03")
def test_a_model_that_is_right_is_found_calibrated() -> None:
    """Futures drawn from the model: intervals hold their share, probabilities what they say."""
    draws = ESTIMATES["mbg-nbd"]
    rng = np.random.default_rng(2)
    T = rng.uniform(4, 40, 30_000)
    x = rng.poisson(rng.gamma(0.5, 1 / 6.2, len(T)) * T).astype(float)
    known = Histories(x, np.where(x > 0, T * rng.random(len(T)) ** 0.3, 0.0), T)
    later = possible_purchases(draws, 26, known.x, known.t_x, known.T, rng)
    found = validation.judge(Followed(known, np.ones(len(T)), later, 26.0), draws, seed=1)
    for level, share in found.coverage.items():
        assert share == pytest.approx(level, abs=0.012)
    for band in found.by_probability:
        error = np.sqrt(band.predicted * (1 - band.predicted) / band.n)
        assert abs(band.actual - band.predicted) < 4 * error + 1e-9
    assert found.brier < found.brier_of_share
    assert found.crps < found.crps_of_all
    wrong = PurchaseDraws.point("mbg-nbd", r=0.524838, alpha=3.0, a=0.891356, b=1.613999)
    worse = validation.judge(Followed(known, np.ones(len(T)), later, 26.0), wrong, seed=1)
    assert worse.crps > found.crps
    assert worse.brier > found.brier
    assert worse.errors.rmse > found.errors.rmse


def test_the_score_of_one_distribution_for_all_by_hand() -> None:
    """Half the mean distance of two customers: of 0, 0, 3 and 1 it is 10/16."""
    later = np.array([0.0, 0.0, 3.0, 1.0])
    by_hand = np.abs(later[:, None] - later).mean() / 2
    known = Histories(np.zeros(4), np.zeros(4), np.full(4, 10.0))
    found = validation.judge(Followed(known, np.ones(4), later, 5.0), ESTIMATES["bg-nbd"])
    assert found.crps_of_all == pytest.approx(by_hand) == pytest.approx(10 / 16)
