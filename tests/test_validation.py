"""A hold-out from tables: what is known, what came, and what cannot be foretold."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from workbench import Project
from workbench.analyses import histories
from workbench.analyses.validation import default_split, validate
from workbench.records import ValueSettings

CDNOW = Path(__file__).parents[1] / "data" / "samples" / "cdnow" / "cdnow.csv"
SPLIT = date(1997, 9, 30)


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.create(tmp_path_factory.mktemp("validation") / "cdnow", currency="USD")
    project.load(CDNOW)
    return project


@pytest.mark.requirement("V03")
def test_three_models_and_two_who_know_none_on_cdnow(cdnow: Project) -> None:
    """Posterior means stand where the published estimates do; Pareto/NBD has the smallest error."""
    found = validate(cdnow, ValueSettings(model="bg-nbd"), SPLIT, models=("mbg-nbd", "pareto-nbd"))
    assert found is not None
    assert (found.customers, found.actual, found.weeks) == (2357, 1882, 39)
    errors = {one.method: one for one in found.methods}
    assert list(errors) == ["bg-nbd", "mbg-nbd", "pareto-nbd", "same-rate", "nobody"]
    assert errors["bg-nbd"].predicted == pytest.approx(1653, abs=25)
    assert errors["bg-nbd"].rmse == pytest.approx(1.608, abs=0.003)
    assert min(errors.values(), key=lambda one: one.rmse).method == "pareto-nbd"
    assert found.log_likelihoods["bg-nbd"] == pytest.approx(-9582.4256, abs=1e-3)
    assert set(found.behind) == {"bg-nbd", "mbg-nbd", "pareto-nbd"}
    # by the likelihood MBG is a hair ahead of BG, and Pareto/NBD twelve behind both
    assert found.behind["pareto-nbd"][0] == pytest.approx(12.5, abs=2)
    assert found.tracking[-1].actual == 1882
    assert [band.customers for band in found.by_purchases] == [1411, 439, 214, 100, 62, 38, 29, 64]


def test_money_that_came_is_that_of_the_table(cdnow: Project) -> None:
    """By hand with pandas: what customers acquired by the split brought afterwards, and week by week."""
    orders = pd.read_csv(CDNOW, parse_dates=["date"])
    first = orders.groupby("customer_id")["date"].transform("min")
    later = orders[(first <= "1997-09-30") & (orders["date"] > "1997-09-30")]
    found = validate(cdnow, ValueSettings(), SPLIT)
    assert found is not None
    assert found.money is not None
    predicted, actual = found.money
    assert actual == pytest.approx(later["amount"].sum(), rel=1e-9)
    assert 0.6 < predicted / actual < 1.2
    days = later.drop_duplicates(["customer_id", "date"])
    for point in found.tracking:
        until = pd.Timestamp(SPLIT) + pd.Timedelta(days=7 * point.week)
        assert point.actual == (days["date"] <= until).sum()


def test_little_time_afterwards_says_nothing(cdnow: Project) -> None:
    assert validate(cdnow, ValueSettings(), date(1998, 6, 20)) is None
    assert validate(cdnow, ValueSettings(), date(1997, 1, 2)) is None
    assert default_split(date(1997, 1, 1), date(1998, 6, 30)) == date(1997, 12, 31)


@pytest.mark.requirement("D18")
def test_what_weeks_instead_of_days_change_is_measured(
    cdnow: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the week, as in a large shop, CDNOW's estimates move by less than half a standard error."""
    settings = ValueSettings(model="bg-nbd")
    exact = validate(cdnow, settings, SPLIT, models=("bg-nbd",))
    assert exact is not None
    assert exact.binning is None
    monkeypatch.setattr(histories, "EXACT_UP_TO", 100)
    monkeypatch.setattr(histories, "_MANY_ORDERS", 100)
    binned = validate(cdnow, settings, SPLIT, models=("bg-nbd",))
    assert binned is not None
    assert binned.binning is not None
    assert 0 < binned.binning < 0.5
    assert binned.methods[0].predicted == pytest.approx(exact.methods[0].predicted, rel=0.02)
    assert binned.actual == exact.actual
    assert binned.money is not None
    assert exact.money is not None
    assert binned.money[1] == pytest.approx(exact.money[1])
