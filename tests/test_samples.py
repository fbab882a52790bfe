"""The samples are what their note says, and are what their script makes."""

from __future__ import annotations

import csv
import importlib.util
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.special import gammaln, ndtr

from workbench.simulate import HOME, OFFERS

SAMPLES = Path(__file__).parent.parent / "data" / "samples"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_samples", SAMPLES / "make_samples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_makes_the_samples(script: ModuleType, tmp_path: Path) -> None:
    script.make(tmp_path)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.csv"))
    kept = sorted(path.relative_to(SAMPLES) for path in SAMPLES.rglob("*.csv"))
    assert [path for path in kept if path.parent.name != "cdnow"] == made
    for path in made:
        assert (tmp_path / path).read_bytes() == (SAMPLES / path).read_bytes(), path
    assert sum((SAMPLES / path).stat().st_size for path in kept) < 6_000_000


def test_the_note_tells_the_truth_about_the_shop(script: ModuleType) -> None:
    assert script.truth_table(script.sample_shop()) in (SAMPLES / "README.md").read_text()


def test_the_shop_shows_a_sure_effect_that_differs_by_device_and_a_false_one(script: ModuleType) -> None:
    shop = script.sample_shop()
    units = shop.unit_level(HOME).to_pandas()

    def effect(rows: np.ndarray) -> tuple[float, float]:
        arms = [units.loc[rows & (units["group"] == arm), "converted"] for arm in ("generic", "personalised")]
        variance = sum(arm.mean() * (1 - arm.mean()) / len(arm) for arm in arms)
        return arms[1].mean() - arms[0].mean(), variance

    difference, variance = effect(np.ones(len(units), dtype=bool))
    assert ndtr(difference / variance**0.5) > 0.975
    truth = shop.truth.conversion(HOME)["difference"][0].as_py()
    assert abs(difference - truth) < 0.5 * variance**0.5
    mobile, desktop = effect(units["device"] == "mobile"), effect(units["device"] == "desktop")
    assert ndtr((mobile[0] - desktop[0]) / (mobile[1] + desktop[1]) ** 0.5) > 0.975
    offers = shop.unit_level(OFFERS).to_pandas().groupby("group")["converted"].mean()
    assert 1.5 < offers["personalised"] / offers["generic"] < 2.2
    assert shop.truth.conversion(OFFERS)["difference"][0].as_py() == 0


def test_cdnow_gives_the_published_likelihoods_and_counts() -> None:
    with (SAMPLES / "cdnow" / "cdnow.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6_919
    spent: dict[str, dict[date, float]] = {}
    end = date(1997, 9, 30)
    for row in rows:
        day = date.fromisoformat(row["date"])
        assert date(1997, 1, 1) <= day <= date(1998, 6, 30)
        days = spent.setdefault(row["customer_id"], {})
        if day <= end:
            days[day] = days.get(day, 0.0) + float(row["amount"])
    assert len(spent) == 2_357
    x = np.array([len(days) - 1 for days in spent.values()])
    # the published file, and so the golden likelihood, gives weeks and dollars to two decimals
    t_x = np.array([round((max(days) - min(days)).days / 7, 2) for days in spent.values()])
    age = np.array([round((end - min(days)).days / 7, 2) for days in spent.values()])

    # BG/NBD at the estimate of Fader, Hardie & Lee (2005): log likelihood -9582.4
    r, alpha, a, b = 0.24259291, 4.41353166, 0.79288612, 2.42575361
    constant = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + gammaln(a + b) + gammaln(b + x) - gammaln(b)
    left = np.log(a / (b + np.maximum(x, 1) - 1)) - (r + x) * np.log(alpha + t_x)
    alive = -(r + x) * np.log(alpha + age)
    terms = constant - gammaln(a + b + x) + np.where(x > 0, np.logaddexp(alive, left), alive)
    assert terms.sum() == pytest.approx(-9582.42556, abs=1e-4)

    # Gamma-Gamma at the estimate of Fader & Hardie (2013), 946 repeat buyers, mean of the repeat days
    repeats = [
        [amount for day, amount in days.items() if day > min(days)]
        for days in spent.values()
        if len(days) > 1
    ]
    assert len(repeats) == 946
    p, q, v = 6.248803, 3.744589, 15.447747
    n, m = (np.array([f(days) for days in repeats]) for f in (len, np.mean))
    m = np.floor(100 * m + 0.5 + 1e-7) / 100  # half a cent was rounded up
    terms = gammaln(p * n + q) - gammaln(p * n) - gammaln(q) + q * np.log(v) + (p * n - 1) * np.log(m)
    terms += p * n * np.log(n) - (p * n + q) * np.log(v + n * m)
    assert terms.sum() == pytest.approx(-4055.92324, abs=1e-4)
    assert "Copyright (c) 2015, Cameron Davidson-Pilon" in (SAMPLES / "cdnow" / "LICENSE.txt").read_text()


def test_the_spanish_file_is_no_utf_8_and_its_columns_agree() -> None:
    content = (SAMPLES / "unit" / "resultados.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    rows = list(csv.DictReader(content.decode("cp1252").splitlines(), delimiter=";"))
    assert {row["grupo"] for row in rows} == {"general", "personalizada"}
    assert {"España", "México"} < {row["pais"] for row in rows}
    for row in rows:
        assert (float(row["gasto"].replace(",", ".")) > 0) == (row["convertido"] == "1")
    assert len({row["usuario"] for row in rows}) == len(rows)


def test_the_summary_holds_three_arms() -> None:
    with (SAMPLES / "summary" / "three_arms.csv").open(newline="") as file:
        rows = [(row["variant"], int(row["n"]), int(row["conversions"])) for row in csv.DictReader(file)]
    assert rows == [("A", 31500, 1580), ("B", 32000, 1700), ("C", 31000, 1550)]
