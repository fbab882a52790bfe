"""An experiment's answer, from tables to the verdict, against numbers known by hand or published."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from statistics import mean

import pyarrow as pa
import pytest

from tests.shops import binary, event_level, unit_level
from workbench import Project
from workbench.analyses.checks import believed
from workbench.errors import DataError, ModelError, WorkbenchError
from workbench.models.sample_ratio import sample_ratio_p_value
from workbench.records import EffectRecord


def status(record: EffectRecord, name: str) -> str:
    return next(check.status for check in record.checks if check.name == name)


@pytest.mark.requirement("C01", "X02", "C02")
def test_two_arms_agree_with_the_published_numbers(tmp_path: Path) -> None:
    """120 of 1000 against 150 of 1000, Beta(1, 1): the worked example of the field."""
    shop = unit_level(tmp_path / "s", {"A": binary(120, 1000), "B": binary(150, 1000)}, assignment="random")
    record = shop.effect("home")
    (item,) = record.summary.comparisons
    assert item.probability_better == pytest.approx(0.97507, abs=5e-6)
    assert item.expected_loss == pytest.approx(0.000144, abs=5e-7)
    assert item.expected_loss_control == pytest.approx(0.030084, abs=5e-7)
    assert {arm.arm: arm.expected_loss for arm in record.summary.arms} == {
        "A": item.expected_loss_control,
        "B": item.expected_loss,
    }
    assert item.lift_interval == pytest.approx((0.000, 0.562), abs=1e-3)
    assert record.outcome == "adopt"
    assert str(record.verdict) == (
        "“B” converts better than “A”: 15.0 % against 12.0 %. We are 97.5 % sure; "
        "the expected loss of adopting it is 0.01 points per customer."
    )


def test_an_answer_follows_the_tables_the_segments_and_the_clock(tmp_path: Path) -> None:
    """What was read for one question serves the next, but never another state of the project."""
    exposures = [(f"u{i}", "AB"[i % 2], i % 9 + i / 400) for i in range(400)]
    orders = [(f"u{i}", i % 9 + 3.0, 10.0 + i % 7) for i in range(0, 400, 3)] + [("u0", 40.0, 1.0)]
    countries = {f"u{i}": "ES" if i % 5 else "FR" for i in range(400)}
    shop = event_level(tmp_path / "s", exposures, orders, countries=countries)
    shop.segments["some"] = "country == 'ES'"
    questions = [
        {"metric": "revenue", "by": "some", "excluded": ((date(2026, 3, 4), date(2026, 3, 4)),)},
        {"metric": "revenue", "by": "some", "level": 0.8, "before_days": 7},
        {"metric": "conversion", "by": "country", "arm": "B"},
    ]

    def answers(project: Project) -> list[str]:
        return [project.effect("home", looks=1, keep=False, **asked).id for asked in questions]

    seen = [answers(shop)]
    for change in (
        lambda: shop.segments.update(some="country == 'FR'"),
        lambda: shop.change(timezone="Asia/Tokyo"),
        lambda: shop.commit({"orders": shop.engine.query("SELECT * FROM orders WHERE revenue <> 11")}),
    ):
        change()
        seen.append(answers(shop))
        assert seen[-1] == answers(shop) == answers(Project.open(shop.path))
    assert len({found[0] for found in seen}) == len(seen)


@pytest.mark.requirement("X02")
def test_three_arms_agree_with_exact_quadrature(tmp_path: Path) -> None:
    """Jeffreys priors; reference values from the test suite of `bayesian-testing` and by quadrature."""
    project = Project.create(tmp_path / "s")
    cells = {"A": (1580, 31500), "B": (1700, 32000), "C": (1550, 31000)}
    project.commit(
        {
            "summaries": pa.table(
                {
                    "experience_id": ["three"] * 3,
                    "variant": list(cells),
                    "metric": ["conversion"] * 3,
                    "kind": ["binary"] * 3,
                    "n": [n for _, n in cells.values()],
                    "mean": [s / n for s, n in cells.values()],
                    "m2": [s * (1 - s / n) for s, n in cells.values()],
                }
            )
        }
    )
    split = {"A": 31500.0, "B": 32000.0, "C": 31000.0}
    record = project.effect("three", prior=(0.5, 0.5), assignment="random", planned_split=split)
    best = record.summary.probability_best
    assert [best[arm] for arm in "ABC"] == pytest.approx([0.0411975, 0.9254342, 0.0333682], abs=5e-8)
    assert [arm.expected_loss for arm in record.summary.arms] == pytest.approx(
        [0.00302113, 0.0000551747, 0.00317962], abs=5e-9
    )
    assert record.outcome == "keep_measuring"
    # 31500 : 32000 : 31000 is not an even split, and without the plan the check says so
    assert record.checks[0].status == "ok"
    assert project.effect("three", assignment="random").outcome == "withheld"


@pytest.mark.requirement("X11")
def test_arms_of_the_wrong_size_withhold_the_verdict(tmp_path: Path) -> None:
    shop = unit_level(tmp_path / "s", {"A": binary(120, 1000), "B": binary(180, 1200)}, assignment="random")
    record = shop.effect("home")
    assert status(record, "sample_ratio") == "fail"
    assert record.outcome == "withheld"
    assert "not as large as planned" in str(record.verdict)
    planned = shop.effect("home", planned_split={"A": 1000, "B": 1200})
    assert status(planned, "sample_ratio") == "ok"
    assert planned.outcome == "adopt"


@pytest.mark.requirement("X11")
def test_sample_ratio_published_values() -> None:
    assert sample_ratio_p_value([1000, 1200]) == pytest.approx(2.007866e-5, rel=1e-6)
    # an arm planned to get nobody adds no degree of freedom
    assert sample_ratio_p_value([1000, 1010, 0], [0.5, 0.5, 0]) == pytest.approx(0.823, abs=5e-4)


@pytest.mark.requirement("X12")
def test_customers_in_two_arms_are_counted_and_left_out(tmp_path: Path) -> None:
    shop = unit_level(
        tmp_path / "s",
        {"A": binary(120, 1000), "B": binary(150, 1000)},
        assignment="random",
        twice=[f"u{i}" for i in range(120)],  # all conversions of A
    )
    record = shop.effect("home")
    assert {arm.arm: (arm.n, arm.total) for arm in record.summary.arms} == {"A": (880, 0), "B": (1000, 150)}
    assert status(record, "two_arms") == "warn"
    assert "120 customers (6.0 %)" in str(next(c.detail for c in record.checks if c.name == "two_arms"))


@pytest.mark.requirement("T1")
@pytest.mark.parametrize("assignment", ["self", "rule", "unknown", None])
def test_without_chance_there_is_no_effect(tmp_path: Path, assignment: str | None) -> None:
    shop = unit_level(tmp_path / "s", {"A": binary(120, 1000), "B": binary(350, 1000)}, assignment=assignment)
    record = shop.effect("home")
    assert {item.word for item in record.summary.comparisons} == {"association"}
    assert record.outcome == "describe"
    assert "association, not an effect" in str(record.verdict)
    assert "sure" not in str(record.verdict)


@pytest.mark.requirement("T1")
def test_saying_random_does_not_make_it_so_when_the_data_say_otherwise(tmp_path: Path) -> None:
    assert believed("self", "random") == "self"
    assert believed("rule", "random") == "rule"
    assert believed(None, "random") == "random"
    assert believed("random", "self") == "self"
    assert believed("unknown", "random") == "random"
    assert believed(None, None) == "unknown"
    shop = unit_level(tmp_path / "s", {"A": binary(120, 1000), "B": binary(350, 1000)}, assignment="self")
    record = shop.effect("home", assignment="random")
    assert record.summary.word == "association"
    assert status(record, "assignment") == "warn"


@pytest.mark.requirement("T9", "X06")
def test_the_verdict_never_contradicts_its_interval(tmp_path: Path) -> None:
    for index, successes in enumerate(range(120, 156, 3)):
        shop = unit_level(
            tmp_path / f"s{index}",
            {"A": binary(120, 1000), "B": binary(successes, 1000)},
            assignment="random",
        )
        for level in (0.8, 0.95):
            record = shop.effect("home", level=level, rope=0.0)
            (item,) = record.summary.comparisons
            assert (record.outcome == "adopt") == (item.difference_interval[0] > 0)
            assert item.lift_interval is not None
            assert (item.lift_interval[0] > 0) == (item.difference_interval[0] > 0)


@pytest.mark.requirement("X06")
def test_the_three_outcomes(tmp_path: Path) -> None:
    cases = {"adopt": (120, 160), "drop": (160, 120), "keep_measuring": (120, 125)}
    for outcome, (a, b) in cases.items():
        arms = {"A": binary(a, 1000), "B": binary(b, 1000)}
        shop = unit_level(tmp_path / outcome, arms, assignment="random")
        assert shop.effect("home").outcome == outcome
    arms = {"A": binary(160, 1000), "B": binary(120, 1000)}
    shop = unit_level(tmp_path / "less", arms, assignment="random")
    assert shop.effect("home", lower_is_better=True).outcome == "adopt"


def test_practically_the_same_is_an_answer_too(tmp_path: Path) -> None:
    shop = unit_level(
        tmp_path / "s", {"A": binary(10_000, 20_000), "B": binary(10_010, 20_000)}, assignment="random"
    )
    record = shop.effect("home", rope=0.05)
    assert record.outcome == "drop"
    assert "practically the same" in str(record.verdict)


def test_too_early_withholds_the_verdict(tmp_path: Path) -> None:
    shop = unit_level(tmp_path / "s", {"A": binary(0, 300), "B": binary(9, 300)}, assignment="random")
    record = shop.effect("home")
    assert record.outcome == "withheld"
    assert "it is too early" in str(record.verdict).lower()


def test_no_conversion_anywhere_still_has_an_honest_interval(tmp_path: Path) -> None:
    shop = unit_level(tmp_path / "s", {"A": binary(0, 500), "B": binary(0, 500)}, assignment="random")
    record = shop.effect("home")
    (item,) = record.summary.comparisons
    assert record.outcome == "withheld"
    assert item.probability_better == pytest.approx(0.5, abs=1e-9)
    assert item.difference_interval[0] < 0 < item.difference_interval[1]


def test_one_arm_only_says_so(tmp_path: Path) -> None:
    shop = unit_level(tmp_path / "s", {"A": binary(10, 100)})
    with pytest.raises(DataError, match="has only one arm, “A”"):
        shop.effect("home")


def test_wrong_names_are_answered_with_those_there_are(tmp_path: Path) -> None:
    shop = unit_level(
        tmp_path / "s",
        {"A": binary(10, 100), "B": binary(12, 100)},
        attributes={"country": ["ES"] * 200},
    )
    with pytest.raises(DataError, match=r"no experiment “hom” in this project; there are: home\."):
        shop.effect("hom")
    with pytest.raises(DataError, match=r"no metric “revenue”; it has: conversion\."):
        shop.effect("home", "revenue")
    with pytest.raises(DataError, match=r"no column or segment “land” to group by; there are: country"):
        shop.effect("home", by="land")
    with pytest.raises(WorkbenchError, match="There is no arm “C”; choose one of: A, B"):
        shop.effect("home", control="C")
    with pytest.raises(WorkbenchError, match="The level is 95"):
        shop.effect("home", level=95)


@pytest.mark.requirement("C01")
def test_conversion_counts_people_within_the_window_after_the_first_exposure(tmp_path: Path) -> None:
    """Forty customers an arm; by hand: who ordered in days [0, 14) after the first exposure, once each."""
    exposures, orders = [], []
    for i in range(80):
        arm = "generic" if i % 2 else "personalised"
        exposures += [(f"c{i}", arm, 10.0), (f"c{i}", arm, 20.0)]  # seen again later: the first counts
        if i < 20:
            orders += [(f"c{i}", 12.0, 50.0), (f"c{i}", 13.0, 30.0)]  # two orders, one person
        elif i < 30:
            orders.append((f"c{i}", 5.0, 99.0))  # before the exposure
        elif i < 40:
            orders.append((f"c{i}", 24.0, 99.0))  # the window has ended at day 24
        elif i < 42:
            orders.append((f"c{i}", 10.0, 7.0))  # at the very moment
    exposures += [("late", "generic", 50.0), ("late2", "personalised", 59.0)]
    orders.append(("late", 60.0, 1.0))  # the end of the data: these two had no whole window
    shop = event_level(tmp_path / "s", exposures, orders)
    record = shop.effect("home", "conversion")
    assert {arm.arm: (arm.n, arm.total) for arm in record.summary.arms} == {
        "generic": (40, 11),
        "personalised": (40, 11),
    }
    assert record.summary.control == "generic"
    maturity = next(check for check in record.checks if check.name == "maturity")
    assert str(maturity.detail).startswith("2 customers")
    longer = shop.effect("home", "conversion", window_days=15)
    assert sum(arm.total for arm in longer.summary.arms) == 32


@pytest.mark.requirement("C01")
def test_revenue_is_net_of_refunds_and_counts_those_who_bought_nothing(tmp_path: Path) -> None:
    exposures = [(f"c{i}", "generic" if i % 2 else "personalised", 0.0) for i in range(100)]
    orders = [(f"c{i}", 1.0, 100.0 + i) for i in range(20)] + [("c99", 40.0, 1.0)]
    shop = event_level(tmp_path / "s", exposures, orders, refunds={0: 100.0, 1: 101.0})
    record = shop.effect("home", "revenue")
    arms = {arm.arm: arm for arm in record.summary.arms}
    assert arms["personalised"].mean == pytest.approx(sum(102 + i for i in range(0, 18, 2)) / 50)
    assert arms["generic"].mean == pytest.approx(sum(103 + i for i in range(0, 18, 2)) / 50)
    assert arms["generic"].buyers == 9
    assert arms["generic"].value_per_buyer == pytest.approx(mean(103 + i for i in range(0, 18, 2)))
    assert (record.summary.kind, record.summary.unit) == ("mean", "money")


@pytest.mark.requirement("C03")
def test_segments_are_shown_raw_and_drawn_towards_the_whole(tmp_path: Path) -> None:
    countries = ["ES"] * 1000 + ["FR"] * 1000
    shop = unit_level(
        tmp_path / "s",
        {
            "A": binary(100, 1000) + binary(100, 1000),
            "B": binary(150, 1000) + binary(100, 1000),
        },
        assignment="random",
        attributes={"country": countries * 2},
    )
    record = shop.effect("home", by="country")
    by = {item.segment: item for item in record.summary.comparisons}
    assert set(by) == {None, "ES", "FR"}
    for name in ("ES", "FR"):
        item = by[name]
        assert item.pooled is not None
        overall = by[None].difference
        low, high = sorted((item.difference, overall))
        assert low < item.pooled.difference < high
    spain, france = by["ES"].pooled, by["FR"].pooled
    assert spain is not None
    assert france is not None
    assert spain.probability_above_overall > 0.75 > 0.25 > france.probability_above_overall


@pytest.mark.requirement("C03")
def test_cells_of_the_segments_add_up_to_everybody(tmp_path: Path) -> None:
    shop = unit_level(
        tmp_path / "s",
        {"A": binary(120, 900), "B": binary(150, 900)},
        attributes={"country": [("ES", "FR", "MX")[i % 3] for i in range(1800)]},
    )
    record = shop.effect("home", by="country")
    parts = [item for item in record.summary.comparisons if item.segment]
    assert sum(item.n for item in parts) == record.summary.customers == 1800


@pytest.mark.requirement("S01")
def test_a_segment_by_history_is_that_before_the_exposure(tmp_path: Path) -> None:
    """Everybody personalised orders after the exposure; that must not make them loyal."""
    exposures = [(f"c{i}", "generic" if i % 2 else "personalised", 30.0) for i in range(200)]
    orders = [(f"c{i}", 1.0, 10.0) for i in range(100)]
    orders += [(f"c{i}", 31.0, 10.0) for i in range(0, 200, 2)] + [("c1", 90.0, 1.0)]
    shop = event_level(tmp_path / "s", exposures, orders)
    shop.segments["loyal"] = "orders >= 1"
    record = shop.effect("home", by="loyal")
    sizes = {item.segment: item.n for item in record.summary.comparisons if item.segment}
    assert sizes == {"loyal": 100, "(rest)": 100}
    assert record.definitions == {"loyal": "orders >= 1"}


def test_a_number_that_is_not_yes_or_no_is_a_mean(tmp_path: Path) -> None:
    minutes = [1.0, 2.0, 3.5, 7.0] * 25
    shop = unit_level(
        tmp_path / "s", {"A": minutes, "B": [m * 1.5 for m in minutes]}, metric="minutes", assignment="random"
    )
    record = shop.effect("home", "minutes")
    assert (record.summary.kind, record.summary.unit) == ("mean", "number")
    assert record.summary.comparisons[0].lift == pytest.approx(0.5)
    assert record.outcome == "adopt"


def test_a_mean_without_any_variation_is_refused_in_words(tmp_path: Path) -> None:
    shop = unit_level(tmp_path / "s", {"A": [2.0] * 50, "B": [2.0] * 50}, metric="pages")
    with pytest.raises(ModelError, match="All 50 values are 2"):
        shop.effect("home", "pages")


@pytest.mark.requirement("O08")
def test_a_record_reruns_to_the_same_numbers_and_notices_new_data(tmp_path: Path) -> None:
    shop = unit_level(
        tmp_path / "s",
        {"A": binary(120, 900), "B": binary(150, 900)},
        attributes={"country": [("ES", "FR", "MX")[i % 3] for i in range(1800)]},
    )
    record = shop.effect("home", by="country")
    kept = Project.open(shop.path).records[record.id]
    assert isinstance(kept, EffectRecord)
    assert kept == record
    again = shop.rerun(kept)
    assert again.id == record.id
    assert again.summary == record.summary
    rows = shop.engine.query("SELECT * FROM outcomes WHERE customer_id <> 'u0'")
    shop.commit({"outcomes": rows})
    changed = shop.rerun(kept)
    assert changed.id != record.id
    assert changed.source.fingerprints != record.source.fingerprints
