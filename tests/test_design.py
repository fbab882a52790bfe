"""A design: rates and traffic counted by hand, published error rates, one truth told in several places."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from tests.shops import START, TEXT, TIME, event_level
from workbench import Project
from workbench.analyses import design_words as words
from workbench.analyses.baseline import base_of, metrics
from workbench.analyses.design import DesignView, design
from workbench.analyses.planned import DesignSettings, protocol_of
from workbench.charts import design as pictures
from workbench.errors import DataError, WorkbenchError
from workbench.locale import Texts
from workbench.models.stopping import Average, Share
from workbench.protocol import Protocols

T = Texts("en")
BY_HAND = DesignSettings(
    mean=0.05, weekly=2000.0, weeks=20, loss=None, rope=0.0, min_weeks=0, simulations=4000
)


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """Ten new customers a day for 42 days; two of them order a day later, one comes back after a week."""
    seen = [(f"c{day}-{i}", "a", day + i / 20) for day in range(42) for i in range(10)]
    seen += [(f"c{day}-0", "a", day + 7.0) for day in range(35)]
    orders = [(f"c{day}-{i}", day + 1.0 + i / 20, 10.0 + i) for day in range(41) for i in (0, 5)]
    return event_level(tmp_path / "shop", seen, orders)


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "empty")


def test_rates_are_those_of_customers_whose_window_is_over(shop: Project) -> None:
    base = base_of(shop, DesignSettings(window_days=7))
    assert isinstance(base.metric, Share)
    # first seen in the four weeks that end a week before the last moment, and everybody counted once
    assert base.customers is not None
    assert base.customers >= 280
    assert base.metric.rate == pytest.approx(0.2, abs=0.02)
    revenue = base_of(shop, DesignSettings(metric="revenue", window_days=7)).metric
    assert isinstance(revenue, Average)
    assert revenue.mean == pytest.approx(0.2 * 12.5, abs=0.25)
    assert revenue.zeros == pytest.approx(0.8, abs=0.02)


def test_traffic_counts_everybody_once_however_often_they_come(shop: Project) -> None:
    reach = base_of(shop, DesignSettings(window_days=7)).reach
    end = 41 + 9 / 20
    for weeks in (1, 2, 5):
        last = {f"c{day}-{i}": day + i / 20 for day in range(42) for i in range(10)}
        last |= {f"c{day}-0": day + 7.0 for day in range(35)}
        assert reach[weeks - 1] == sum(end - day < 7 * weeks for day in last.values())
    steps = [b - a for a, b in pairwise(reach)]
    assert min(steps) >= 0
    assert len({round(step, 6) for step in steps[6:]}) == 1  # beyond the data they go on alike


def test_a_segment_limits_who_enters(tmp_path: Path) -> None:
    seen = [(f"c{i}", "a", i / 40) for i in range(1200)]
    orders = [(f"c{i}", i / 40 + 1.0, 10.0) for i in range(1200) if i % 8 == 0 or (i % 4 and i % 3 == 0)]
    countries = {f"c{i}": "ES" if i % 4 == 0 else "IT" for i in range(1200)}
    project = event_level(tmp_path / "shop", seen, orders, countries=countries)
    project.segments["Spain"] = "country == 'ES'"
    everybody = base_of(project, DesignSettings(window_days=7))
    spain = base_of(project, DesignSettings(window_days=7, population="Spain"))
    assert spain.reach[0] == pytest.approx(everybody.reach[0] / 4, abs=1)
    assert spain.metric.mean == pytest.approx(0.5, abs=0.01)
    assert everybody.metric.mean == pytest.approx(0.25 * 0.5 + 0.75 / 3, abs=0.01)


def test_where_only_orders_tell_customers_are_known_from_the_start(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "orders")
    days = [(f"c{i}", day) for i in range(50) for day in (i % 5, 40 + i % 10) if day < 40 or i % 2]
    project.commit(
        {
            "orders": pa.table(
                {
                    "order_id": [str(i) for i in range(len(days))],
                    "customer_id": pa.array([name for name, _ in days], TEXT),
                    "ts": pa.array([START + timedelta(days=day) for _, day in days], TIME),
                    "revenue": [20.0] * len(days),
                }
            )
        }
    )
    base = base_of(project, DesignSettings(window_days=14))
    assert set(base.reach) == {50.0}
    assert base.customers == 50
    # in the two weeks before the last order, 20 of the 50 customers ordered again
    assert base.metric.mean == pytest.approx(20 / 50)


@pytest.mark.requirement("X03", "T9")
def test_a_published_error_rate_comes_out_of_a_design(empty: Project) -> None:
    """5 % convert, twenty looks at 1,000 more an arm, P > 95 % (a level of 90 %), a flat prior: 21.1 %."""
    found = design(empty, BY_HAND.model_copy(update={"level": 0.9}))
    assert found.no_effect.wrong.value == pytest.approx(0.211, abs=4 * found.no_effect.wrong.error)
    alone = design(empty, BY_HAND.model_copy(update={"level": 0.9, "looks": "end"}))
    assert alone.no_effect.wrong.value == pytest.approx(0.048, abs=4 * alone.no_effect.wrong.error)
    doubted = design(
        empty,
        BY_HAND.model_copy(update={"level": 0.9, "believed": (-0.0933, 0.103), "prior_in_analysis": True}),
    )
    assert doubted.no_effect.wrong.value == pytest.approx(0.028, abs=4 * doubted.no_effect.wrong.error)


@pytest.mark.requirement("X03")
def test_more_weeks_promise_no_less(empty: Project) -> None:
    found = design(empty, BY_HAND.model_copy(update={"weeks": 4, "loss": 0.005, "assured": 0.3}))
    chances = [week.adopted.value for week in found.weeks]
    losses = [week.loss for week in found.weeks]
    assert chances == sorted(chances)
    assert losses == sorted(losses, reverse=True)
    assert chances[-1] <= found.best_adopted
    week = found.weeks_for_loss
    assert week is not None
    assert found.weeks[week - 1].loss <= 0.005 < found.weeks[week - 2].loss
    assert found.weeks_for_assurance is not None
    assert found.weeks[found.weeks_for_assurance - 1].adopted.value >= 0.3


@pytest.mark.requirement("X03")
def test_a_wider_window_delays_and_does_not_shrink_the_test(empty: Project) -> None:
    short, long = (
        design(empty, BY_HAND.model_copy(update={"window_days": days, "weeks": 2, "simulations": 200}))
        for days in (7, 28)
    )
    assert short.looks == long.looks
    assert "28 days after the last" in words.basis(long, T)


def test_the_split_and_the_traffic_say_who_is_where(empty: Project) -> None:
    settings = BY_HAND.model_copy(
        update={"weeks": 3, "split": (80.0, 10.0, 10.0), "traffic": 0.5, "looks": "daily", "simulations": 200}
    )
    looks = design(empty, settings).looks
    assert len(looks.weeks) == 21
    assert looks.customers[-1] == (2400, 300, 300)
    assert looks.customers[6] == (800, 100, 100)


@pytest.mark.requirement("X10")
def test_an_a_a_test_splits_the_projects_own_customers(shop: Project) -> None:
    settings = DesignSettings(window_days=7, looks="end", loss=None, rope=0.0, splits=500, simulations=200)
    found = design(shop, settings).false_wins
    assert found is not None
    assert found.splits == 500
    assert found.interval[0] < 0.05 < found.interval[1] + 0.03
    assert "500 times" in str(words.false_win_words(found))


def test_an_a_a_test_by_hand_has_nobody_to_split(empty: Project) -> None:
    with pytest.raises(DataError, match="your own customers"):
        design(empty, BY_HAND.model_copy(update={"splits": 100}))


def test_what_is_missing_is_said(empty: Project, shop: Project) -> None:
    with pytest.raises(DataError, match="no orders, events or exposures"):
        design(empty, DesignSettings())
    with pytest.raises(DataError, match="is not something that customers do"):
        design(shop, DesignSettings(metric="happiness"))
    with pytest.raises(DataError, match="The data cover"):
        design(shop, DesignSettings(window_days=60))
    with pytest.raises(WorkbenchError, match="number of weeks is 99"):
        design(empty, BY_HAND.model_copy(update={"weeks": 99}))


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> DesignView:
    project = Project.create(tmp_path_factory.mktemp("by-hand") / "shop")
    return design(project, BY_HAND.model_copy(update={"weeks": 4, "weekly": 20_000.0, "worth": 0.2}))


@pytest.mark.requirement("S07")
def test_the_sentence_the_figures_and_the_pictures_say_the_same(view: DesignView) -> None:
    assert view.smallest is not None
    sentence = str(words.sentence(view))
    for part in (T.percent(view.smallest), T.percent(view.no_effect.wrong.value), "40,000 customers an arm"):
        assert part in sentence
    figures = words.figures(view, T)
    assert figures[0].value == T.signed_percent(view.smallest)
    assert T.percent(view.no_effect.wrong.value) in pictures.truths(view, T).title
    assert T.percent(view.weeks[3].adopted.value) == figures[2].value
    assert T.percent(view.weeks[3].adopted.value) in pictures.assurance(view, T).title
    measured = [row for row in words.level_rows(view, T) if row["A lift of 20 % takes"] == "one week"]
    assert [row["Level"] for row in measured] == ["General"]
    assert "“Several”" in str(words.level_words(view))
    assert pictures.hold_out(view, T) is None
    assert "Individual" in pictures.levels(view, T).description


@pytest.mark.requirement("X08")
def test_a_hold_out_is_planned_on_what_a_year_brought(tmp_path: Path) -> None:
    seen = [(f"c{i}", "a", 0.3 * i) for i in range(1250)]
    orders = [(f"c{i}", 0.3 * i + 0.1, 40.0) for i in range(0, 1250, 2)]
    project = event_level(tmp_path / "year", seen, orders)
    found = design(project, DesignSettings(window_days=7, simulations=200))
    assert found.year is not None
    assert found.quarter is not None
    assert found.year.customers == pytest.approx(365 / 0.3, abs=2)
    assert found.year.mean == pytest.approx(20, abs=0.1)
    assert found.year.sd == pytest.approx(20, abs=0.1)
    assert [round(one.share, 2) for one in found.hold_outs] == [x / 100 for x in range(1, 21)]
    five = found.hold_outs[4]
    assert five.forgone == pytest.approx(0.05 * found.year.customers * 20 * 0.04203, rel=0.001)
    assert T.money(five.year) in str(words.hold_out_words(found))


@pytest.mark.requirement("X04")
def test_a_design_becomes_a_protocol_that_can_be_locked(view: DesignView, tmp_path: Path) -> None:
    protocol = protocol_of(
        view.settings,
        experiment="home",
        arms=["old", "new"],
        mean=view.base.metric.mean,
        looks=view.looks.weeks,
    )
    store = Protocols(tmp_path / "protocols")
    store.save(protocol)
    assert store.lock("home").protocol == protocol
    assert protocol.split == {"old": 0.5, "new": 0.5}
    assert protocol.rule.probability == pytest.approx(0.975)
    assert protocol.looks == (1.0, 2.0, 3.0, 4.0)


def test_the_metrics_of_a_project_can_be_planned_on(shop: Project) -> None:
    assert metrics(shop)[:3] == ["conversion", "revenue", "orders"]
    for name in metrics(shop)[:3]:
        assert base_of(shop, DesignSettings(metric=name, window_days=7)).metric.mean > 0
