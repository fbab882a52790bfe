"""What is measured by `make calibrate`: small pieces of it, and the page that holds its numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tools.calibrate import lifetime, lifetime_tables
from tools.calibrate.answers import LEVELS
from tools.calibrate.scenarios import METRICS, SCENARIOS
from tools.calibrate.tables import BEGIN, END, PAGE, WHERE, read, written
from tools.calibrate.tally import Measured, Tally, ask
from workbench.decisions import sure

QUICK = ("conversion, 300 conversions an arm", "effect on the reachable, 2,000 of 20,000 reached")


def number(cell: str) -> float:
    return float(cell.split("±")[0])


@pytest.fixture(scope="module")
def quick() -> dict[str, Tally]:
    """Experiments that the page's numbers do not come from: pieces beyond its last."""
    scenarios = [SCENARIOS[name] for name in QUICK]
    return {
        one.name: Tally(one, np.concatenate([ask(one, effect, 100, piece=500) for effect in (False, True)]))
        for one in scenarios
    }


@pytest.fixture(scope="module")
def page() -> dict[str, list[dict[str, str]]]:
    return read(PAGE.read_text(encoding="utf-8"))


@pytest.mark.sampling
@pytest.mark.parametrize("name", QUICK)
def test_intervals_hold_the_truth_as_often_as_they_say_and_the_rule_errs_no_more(
    quick: dict[str, Tally], name: str
) -> None:
    tally = quick[name]
    for level, found in zip(LEVELS, tally.coverage("difference"), strict=True):
        assert found.cases == 200
        assert abs(found.share - level) <= 4 * max(found.error, np.sqrt(level * (1 - level) / 200))
    shipped = tally.shipped(0.9)
    assert shipped.cases == 100
    assert shipped.share <= 1 - sure(0.9) + 4 * np.sqrt(0.05 * 0.95 / 100)
    for claimed, true in tally.calibration():
        assert not true.cases or abs(true.share - claimed) <= 4 * np.sqrt(0.25 / true.cases)


@pytest.mark.parametrize("name", QUICK)
def test_the_page_says_what_this_version_does(
    quick: dict[str, Tally], page: dict[str, list[dict[str, str]]], name: str
) -> None:
    (row,) = (row for row in page["Intervals of the difference that held the truth"] if row[WHERE] == name)
    for level, found in zip(LEVELS, quick[name].coverage("difference"), strict=True):
        share, error = (float(part) / 100 for part in row[f"{level * 100:.0f} %"].split("±"))
        assert abs(found.share - share) <= 4 * np.hypot(found.error, error)


def test_the_page_covers_all_metrics_with_thousands_of_experiments(
    page: dict[str, list[dict[str, str]]],
) -> None:
    experiments, difference, *_, claims = page.values()
    for rows in (experiments, difference, claims):
        assert [row[WHERE] for row in rows] == list(SCENARIOS)
    for metric in METRICS:
        asked = [row for row in experiments if SCENARIOS[row[WHERE]].metric == metric]
        counts = [row[kind].replace(",", "") for row in asked for kind in list(row)[2:]]
        assert sum(map(int, counts)) >= 2000
    lifetime_value = PAGE.read_text(encoding="utf-8").partition(END)[2]
    assert "BG/NBD" in lifetime_value


def test_the_page_names_every_row_that_misses_the_goal(page: dict[str, list[dict[str, str]]]) -> None:
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    listed = text.partition("### What misses")[2].partition("###")[0]
    for what in ("difference", "lift"):
        for row in page[f"Intervals of the {what} that held the truth"]:
            off = abs(number(row["90 %"]) - 90)
            if not 1.95 < off < 2.05:  # what is printed is rounded
                assert (f"* {row[WHERE]}: {what}, {row['90 %']}" in listed) == (off > 2)


def test_effects_of_one_experiment_do_not_count_as_many() -> None:
    """Eight segments that always err together say as much as one."""
    rng = np.random.default_rng(3)
    hits = (rng.random(400) < 0.9).astype(float)
    together = Measured.of(np.repeat(hits, 8), np.repeat(np.arange(400), 8))
    alone = Measured.of(hits, np.arange(400))
    assert (together.share, together.error) == pytest.approx((alone.share, alone.error))
    apart = Measured.of(np.repeat(hits, 8), np.arange(3200))
    assert apart.error == pytest.approx(alone.error / np.sqrt(8))


def test_places_of_the_truth_are_those_of_its_posterior() -> None:
    """A few data sets of the quickest study; none of its places is 0 or 1, as of draws from elsewhere."""
    study = lifetime.RANKED["Gamma-Gamma"]
    found = lifetime.gathered(study, lifetime.find(study, 12, piece=500))
    assert found.answered == found.asked == 12
    for each in found.by_quantity.values():
        assert len(each) == 12
        assert 0.5 - 4 / np.sqrt(12 * 12) < each.mean() < 0.5 + 4 / np.sqrt(12 * 12)


def test_places_that_are_bent_are_found_out() -> None:
    """Even ones, those of a posterior twice too narrow, and those of one that lies too low."""
    even = (np.arange(200) + 0.5) / 200
    narrow = stats.norm.cdf(2 * stats.norm.ppf(even))
    low = stats.norm.cdf(stats.norm.ppf(even) + 0.5)
    for p in (lifetime_tables.evenly_spread, lifetime_tables.uniform):
        assert p(even) > 0.99
        assert max(p(narrow), p(low)) < 1e-3


def test_what_is_written_is_read_again_and_the_rest_of_the_page_stays() -> None:
    table = f"### Shares\n\n| {WHERE} | 90 % |\n| --- | --- |\n| a, b | 89.9 ± 0.5 |"
    whole = written(f"Before.\n\n{BEGIN}\nold\n{END}\n\nAfter.", table)
    assert read(whole) == {"Shares": [{WHERE: "a, b", "90 %": "89.9 ± 0.5"}]}
    assert whole.startswith("Before.")
    assert whole.endswith("After.")
    assert "old" not in whole
    assert written(whole, table) == whole
    with pytest.raises(SystemExit, match="needs the lines"):
        written("no marks", table)
