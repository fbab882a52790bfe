"""What the effect lab looks at beside one metric's mean: held against pandas on the same customers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.shops import binary, unit_level
from workbench import Project
from workbench.errors import DataError, ModelError, WorkbenchError
from workbench.records import EffectRecord

START = datetime(2026, 3, 2)
WINDOW, BEFORE, END = 14, 28, 75


class Shop:
    """A shop of two arms, its people and what they did as data frames."""

    def __init__(self, folder: Path, seed: int = 3, n: int = 1200, effect: float = 0.15) -> None:
        rng = np.random.default_rng(seed)
        ids = [f"c{i:05d}" for i in range(n)]
        arm = rng.choice(["control", "new"], n)
        exposed = rng.uniform(30, 65, n)
        liking = rng.gamma(2.0, 0.5, n)
        self.people = pd.DataFrame(
            {
                "customer_id": ids,
                "arm": arm,
                "exposed": exposed,
                "country": rng.choice(["ES", "IT", "FR"], n),
                "device": rng.choice(["mobile", "desktop"], n),
            }
        )
        rows: list[tuple[str, float, float]] = []
        events: list[tuple[str, float, str]] = []
        for i, customer in enumerate(ids):
            treated = arm[i] == "new"
            rate = 0.06 * liking[i]
            for _ in range(rng.poisson(rate * exposed[i])):
                rows.append((customer, rng.uniform(0, exposed[i]), float(rng.lognormal(3, 0.8))))
            for _ in range(rng.poisson(rate * (1 + effect * treated) * (END - exposed[i]))):
                rows.append((customer, rng.uniform(exposed[i], END), float(rng.lognormal(3, 0.8))))
            views = rng.poisson(4 * liking[i])
            clicks = rng.binomial(views, min(0.05 + 0.15 * liking[i] + 0.06 * treated, 0.9))
            for name, times in (("view", views), ("click", clicks)):
                events += [
                    (customer, t, name) for t in rng.uniform(exposed[i], min(exposed[i] + 20, END), times)
                ]
            if treated and rng.random() < 0.6:
                events.append((customer, exposed[i] + 0.01, "shown"))
        self.orders = pd.DataFrame(rows, columns=["customer_id", "day", "revenue"])
        self.events = pd.DataFrame(events, columns=["customer_id", "day", "name"])
        self.project = Project.create(folder)
        self._commit()

    def _commit(self) -> None:
        def times(days: Any) -> pa.Array:
            return pa.array([START + timedelta(days=float(d)) for d in days], pa.timestamp("us"))

        end = pd.concat([self.orders, pd.DataFrame([("c00000", END, 1.0)], columns=self.orders.columns)])
        self.orders = end
        people = self.people
        self.project.commit(
            {
                "customers": pa.table({k: list(people[k]) for k in ("customer_id", "country", "device")}),
                "exposures": pa.table(
                    {
                        "customer_id": list(people.customer_id),
                        "experience_id": ["home"] * len(people),
                        "variant": list(people.arm),
                        "ts": times(people.exposed),
                        "assignment": ["random"] * len(people),
                    }
                ),
                "orders": pa.table(
                    {
                        "order_id": [str(i) for i in range(len(end))],
                        "customer_id": list(end.customer_id),
                        "ts": times(end.day),
                        "revenue": list(end.revenue),
                    }
                ),
                "events": pa.table(
                    {
                        "event_id": [str(i) for i in range(len(self.events))],
                        "customer_id": list(self.events.customer_id),
                        "ts": times(self.events.day),
                        "name": list(self.events.name),
                    }
                ),
            }
        )

    def values(self, of: str, first: float = 0, last: float = WINDOW, window: float = WINDOW) -> pd.DataFrame:
        """By pandas: everybody whose window is over, with the sum of `of` in those days."""
        people = self.people[self.people.exposed + window <= END].copy()
        done = self.orders.assign(x=self.orders.revenue if of == "revenue" else 1.0)
        if of not in ("revenue", "orders"):
            done = self.events[self.events.name == of].assign(x=1.0)
        joined = done.merge(people, on="customer_id")
        since = joined.day - joined.exposed
        inside = joined[(since >= first) & (since < last)]
        people["x"] = people.customer_id.map(inside.groupby("customer_id").x.sum()).fillna(0.0)
        return people


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("beside") / "s")


def ask(shop: Shop, metric: str, **settings: Any) -> EffectRecord:
    return shop.project.effect("home", metric, keep=False, window_days=WINDOW, **settings)


def means(record: EffectRecord) -> dict[str, float]:
    return {arm.arm: arm.mean for arm in record.summary.arms}


def status(record: EffectRecord, name: str) -> str:
    return next(check.status for check in record.checks if check.name == name)


def by_arm(values: pd.DataFrame, of: Callable[[pd.DataFrame], float]) -> dict[str, float]:
    return {str(arm): of(rows) for arm, rows in values.groupby("arm")}


def test_a_ratio_says_how_much_surer_it_would_look_if_people_were_not_what_is_drawn(shop: Shop) -> None:
    record = ask(shop, "event:click", per="event:view")
    both = shop.values("click").assign(views=shop.values("view").x)
    factors = []
    for arm in record.summary.arms:
        rows = both[both.arm == arm.arm]
        factors.append(arm.sd / np.sqrt(arm.mean * (1 - arm.mean) / rows.views.sum()))
    assert max(factors) > 1.05
    detail = next(check.detail for check in record.checks if check.name == "ratio")
    assert detail.values["factor"] == pytest.approx(max(factors), rel=2e-3)
    assert status(record, "ratio") == "ok"


@pytest.mark.requirement("C05")
def test_a_ratio_is_that_of_the_sums_and_people_are_what_is_drawn(shop: Shop) -> None:
    """Clicks by views: its standard error against 4,000 resamples of people, not of views."""
    record = ask(shop, "event:click", per="event:view")
    both = shop.values("click").assign(views=shop.values("view").x)
    ratios = by_arm(both, lambda rows: rows.x.sum() / rows.views.sum())
    assert means(record) == pytest.approx(ratios, rel=1e-9)
    rng = np.random.default_rng(0)
    for arm in record.summary.arms:
        rows = both[both.arm == arm.arm]
        x, y = rows.views.to_numpy(), rows.x.to_numpy()
        drawn = rng.integers(0, len(x), (4000, len(x)))
        resampled = (y[drawn].sum(axis=1) / x[drawn].sum(axis=1)).std()
        assert arm.sd == pytest.approx(resampled, rel=0.06)
        views = x.sum()
        assert arm.sd > 1.05 * np.sqrt(arm.mean * (1 - arm.mean) / views)  # people differ: views are too sure


def test_who_is_still_there_and_who_came_twice_are_counted_in_their_days(shop: Shop) -> None:
    record = ask(shop, "conversion", from_day=7)
    late = shop.values("orders", first=7)
    assert means(record) == pytest.approx(by_arm(late, lambda rows: (rows.x > 0).mean()), rel=1e-9)
    twice = ask(shop, "repeat")
    assert means(twice) == pytest.approx(
        by_arm(shop.values("orders"), lambda rows: (rows.x >= 2).mean()), rel=1e-9
    )
    assert twice.summary.kind == "binary"


@pytest.mark.requirement("X14")
def test_what_people_did_before_takes_out_noise_and_leaves_the_effect(shop: Shop) -> None:
    plain, adjusted = ask(shop, "orders"), ask(shop, "orders", adjust=True)
    values = shop.values("orders").assign(before=shop.values("orders", first=-BEFORE, last=0).x)
    y, x = values.x, values.before
    inside = values.assign(
        y=y - y.groupby(values.arm).transform("mean"), b=x - x.groupby(values.arm).transform("mean")
    )
    theta = (inside.y * inside.b).sum() / (inside.b**2).sum()
    assert means(adjusted) == pytest.approx(
        {
            str(arm): rows.x.mean() - theta * (rows.before.mean() - x.mean())
            for arm, rows in values.groupby("arm")
        },
        rel=1e-9,
    )
    gain = plain.summary.gain
    assert gain is not None
    assert gain.variance_removed > 0.05
    (before,), (after,) = plain.summary.comparisons, adjusted.summary.comparisons
    assert (after.difference_sd / before.difference_sd) ** 2 == pytest.approx(
        1 - gain.variance_removed, rel=0.01
    )
    assert status(plain, "before") in ("ok", "warn")


@pytest.mark.requirement("X14")
def test_arms_that_differed_before_by_more_than_chance_withhold_the_verdict(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "s", seed=5)
    active = shop.orders[shop.orders.day < 30].customer_id.value_counts()
    loyal = shop.people.customer_id.map(active).fillna(0) >= 3
    shop.people.loc[loyal, "arm"] = "new"
    shop._commit()
    record = ask(
        shop, "orders", planned_split={"control": 1, "new": float((shop.people.arm == "new").mean() * 2)}
    )
    assert status(record, "before") == "fail"
    assert record.outcome == "withheld"


@pytest.mark.requirement("X13")
def test_days_that_do_not_count_leave_every_arm(shop: Shop) -> None:
    first, last = date(2026, 4, 6), date(2026, 4, 9)
    record = ask(shop, "orders", excluded=[(first, last)])
    low, high = (
        (datetime.combine(d, datetime.min.time()) - START).days for d in (first, last + timedelta(1))
    )
    whole = shop.orders
    shop.orders = whole[(whole.day < low) | (whole.day >= high)]
    values = shop.values("orders")
    shop.orders = whole
    values = values[(values.exposed < low) | (values.exposed >= high)]
    assert means(record) == pytest.approx(by_arm(values, lambda rows: rows.x.mean()), rel=1e-9)
    assert [arm.n for arm in record.summary.arms] == list(values.groupby("arm").size())


@pytest.mark.requirement("C03")
def test_attributes_can_be_crossed(shop: Shop) -> None:
    record = ask(shop, "conversion", by="country × device")
    values = shop.values("orders")
    values["cell"] = values.country + " × " + values.device
    expected = values[values.arm == "new"].groupby("cell").x.apply(lambda x: (x > 0).mean())
    found = {item.segment: item.arm_mean for item in record.summary.comparisons if item.segment}
    assert found == pytest.approx(dict(expected), rel=1e-9)
    assert len(found) == 6


def test_the_largest_values_are_cut_at_one_place_for_all_arms(shop: Shop) -> None:
    record = ask(shop, "revenue", statistic="cut", quantile=0.95)
    values = shop.values("revenue")
    some = np.sort(values.x[values.x > 0])
    at = some[int(np.ceil(0.95 * len(some))) - 1]
    assert means(record) == pytest.approx(by_arm(values, lambda rows: rows.x.clip(upper=at).mean()), rel=1e-9)


def test_a_quantile_is_that_of_the_customers(shop: Shop) -> None:
    record = ask(shop, "revenue", statistic="quantile", quantile=0.9)
    values = shop.values("revenue")
    for arm in record.summary.arms:
        x = np.sort(values.x[values.arm == arm.arm])
        assert arm.mean == pytest.approx(x[int(np.ceil(0.9 * len(x))) - 1], rel=1e-9)
        rng = np.random.default_rng(1)
        drawn = np.quantile(rng.choice(x, (2000, len(x))), 0.9, axis=1).std()
        assert arm.sd == pytest.approx(drawn, rel=0.35)
    with pytest.raises(ModelError, match="cannot move"):
        ask(shop, "revenue", statistic="quantile", quantile=0.1)


@pytest.mark.requirement("C03")
def test_quantiles_by_group_are_those_of_its_customers(shop: Shop) -> None:
    record = ask(shop, "revenue", statistic="quantile", quantile=0.8, by="country")
    values = shop.values("revenue")
    rng = np.random.default_rng(2)
    groups = [item for item in record.summary.comparisons if item.segment]
    assert [item.segment for item in groups] == ["ES", "FR", "IT"]
    for item in groups:
        own = values[values.country == item.segment]
        sides = [np.sort(own.x[own.arm == arm]) for arm in ("new", "control")]
        expected = [x[int(np.ceil(0.8 * len(x))) - 1] for x in sides]
        assert [item.arm_mean, item.control_mean] == pytest.approx(expected, rel=1e-9)
        drawn = [np.quantile(rng.choice(x, (2000, len(x))), 0.8, axis=1) for x in sides]
        assert item.difference_sd == pytest.approx((drawn[0] - drawn[1]).std(), rel=0.35)
        assert item.pooled is not None
    (whole,) = [item for item in record.summary.comparisons if item.segment is None]
    raw, pooled = (
        [abs(part.difference - whole.difference) for part in parts]  # type: ignore[union-attr] # all pooled
        for parts in (groups, [item.pooled for item in groups])
    )
    assert sum(pooled) < sum(raw)  # drawn towards the whole
    alone = ask(shop, "revenue", statistic="quantile", quantile=0.8)
    assert alone.summary.comparisons[0].difference == whole.difference
    assert record.summary.ranking is None  # a quantile does not say what customers add up to


def test_a_group_whose_quantile_cannot_be_told_is_named(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "s", seed=4, n=600)
    french = shop.people.customer_id[shop.people.country == "FR"]
    shop.orders = shop.orders[~shop.orders.customer_id.isin(french)]  # the quantile of nothing cannot move
    shop._commit()
    record = ask(shop, "revenue", statistic="quantile", quantile=0.8, by="country")
    assert [item.segment for item in record.summary.comparisons] == [None, "ES", "IT"]
    (check,) = [check for check in record.checks if check.name == "small_segments"]
    assert "FR" in str(check.detail)
    assert "quantile cannot be told" in str(check.detail)


@pytest.mark.requirement("X07")
def test_the_answer_is_told_before_other_models_and_nothing_of_it_changes(shop: Shop) -> None:
    def ask(told: list[EffectRecord]) -> EffectRecord:
        return shop.project.effect("home", "revenue", window_days=9, keep=False, first=told.append)

    told, again = list[EffectRecord](), list[EffectRecord]()
    whole = ask(told)
    (first,) = told
    beside = {"witnesses": [], "gain": None}
    assert first.summary == whole.summary.model_copy(update=beside) != whole.summary
    assert first.verdict == whole.verdict
    assert {check.name for check in whole.checks} - {check.name for check in first.checks} == {
        "models",
        "before",
    }
    assert ask(again).summary == whole.summary
    assert not again  # all of it is at hand


def test_weeks_add_up_to_the_whole(shop: Shop) -> None:
    record = ask(shop, "orders")
    weeks = record.summary.weeks
    (item,) = record.summary.comparisons
    assert len(weeks) >= 4
    assert weeks[-1].so_far == pytest.approx(item.difference, rel=1e-9)
    assert weeks[-1].so_far_interval == pytest.approx(item.difference_interval, rel=1e-6)
    assert sum(week.n for week in weeks) == item.n


def test_the_effect_on_those_it_reached_is_larger_than_on_those_assigned(shop: Shop) -> None:
    record = ask(shop, "event:click", delivered="shown")
    found = record.summary.delivery
    (item,) = record.summary.comparisons
    assert found is not None
    assert found.reached is not None
    assert found.shares["control"] == 0
    assert 0.5 < found.shares["new"] < 0.7
    assert found.reached == pytest.approx(item.difference / found.shares["new"], rel=1e-6)
    assert status(record, "delivery") == "ok"


def test_a_guardrail_that_surely_gets_worse_withholds_the_verdict(shop: Shop) -> None:
    rail = {"metric": "event:click", "per": "event:view", "role": "guardrail", "lower_is_better": True}
    record = ask(shop, "orders", others=[rail])
    (other,) = record.summary.others
    alone = ask(shop, "event:click", per="event:view", lower_is_better=True)
    (item,) = alone.summary.comparisons
    assert other.probability_better == pytest.approx(item.probability_better, rel=1e-9)
    assert status(record, "guardrail") == "fail"
    assert record.outcome == "withheld"
    better = ask(shop, "orders", others=[{**rail, "lower_is_better": False}])
    assert status(better, "guardrail") == "ok"


def test_arms_can_be_taken_together(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "s", seed=7, n=600)
    shop.people.loc[shop.people.index % 3 == 0, "arm"] = "other"
    shop._commit()
    record = ask(
        shop,
        "orders",
        together={"new": "new + other", "other": "new + other"},
        assignment="random",
        planned_split={"control": 1.0, "new + other": 2.0},
    )
    values = shop.values("orders")
    values["arm"] = values.arm.where(values.arm == "control", "new + other")
    assert means(record) == pytest.approx(by_arm(values, lambda rows: rows.x.mean()), rel=1e-9)


@pytest.mark.requirement("X11")
def test_a_group_whose_arms_are_not_as_planned_is_named(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "s", seed=9)
    spanish = shop.people.country == "ES"
    italian = shop.people.country == "IT"
    # as many are moved in one country as are moved back in another: the whole looks fine
    shop.people.loc[spanish & (shop.people.index % 3 == 0), "arm"] = "new"
    shop.people.loc[italian & (shop.people.index % 3 == 0), "arm"] = "control"
    shop._commit()
    record = ask(shop, "conversion", by="country")
    assert status(record, "sample_ratio") == "ok"
    assert status(record, "sample_ratio_of_groups") == "fail"
    detail = str(next(c.detail for c in record.checks if c.name == "sample_ratio_of_groups"))
    assert "ES" in detail
    assert "IT" in detail
    assert "FR" not in detail


def test_an_expected_lift_draws_the_effect_to_it_and_everything_on_the_card_with_it(shop: Shop) -> None:
    plain, sceptical = ask(shop, "conversion"), ask(shop, "conversion", lift_prior=(-0.02, 0.02))
    (before,), (after,) = plain.summary.comparisons, sceptical.summary.comparisons
    assert before.lift is not None
    assert after.lift is not None
    assert abs(after.lift) < abs(before.lift) / 3
    assert after.difference_sd < before.difference_sd
    low, high = after.difference_interval
    assert (after.probability_better >= 0.975) == (low > 0)
    assert low < after.difference < high
    wide = ask(shop, "conversion", lift_prior=(-0.8, 0.9)).summary.comparisons[0]
    assert wide.probability_better == pytest.approx(before.probability_better, abs=0.01)


def test_what_cannot_be_asked_is_refused_in_a_sentence(shop: Shop, tmp_path: Path) -> None:
    flat = unit_level(tmp_path / "s", {"A": binary(120, 1000), "B": binary(150, 1000)}, assignment="random")
    for settings, said in {
        ("per", "orders"): "dividing by another metric",
        ("statistic", "quantile"): "another statistic",
        ("from_day", 3): "a first day that counts",
        ("delivered", "shown"): "delivery",
    }.items():
        with pytest.raises(DataError, match=said):
            flat.effect("home", keep=False, **dict([settings]))
    with pytest.raises(WorkbenchError, match="cannot be adjusted"):
        ask(shop, "event:click", per="event:view", adjust=True)
    with pytest.raises(WorkbenchError, match="first day that counts"):
        ask(shop, "orders", from_day=WINDOW)
    with pytest.raises(DataError, match="can be divided by: revenue, orders"):
        ask(shop, "revenue", per="conversion")
