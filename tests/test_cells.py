"""Cells over time against the same metrics counted directly, window by window, and in pandas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.engines import duckdb as engines
from workbench.engines import table
from workbench.engines.cache import CachedEngine
from workbench.engines.duckdb import DuckDBEngine
from workbench.metrics import actions, exposure
from workbench.metrics.actions import Timed
from workbench.metrics.cells import Cell, ask
from workbench.metrics.over_time import EVERYBODY, KEYS, Grid, OverTime, over_time
from workbench.moments import Moments

START = datetime(2026, 1, 1)
DAYS = 80
WINDOWS = (1, 2, 7, 13, 14, 28, 30, 35, 45, 60)
METRICS = ("conversion", "revenue", "orders", "event:click", "any:click", "event:view")
DAY = 86_400


def shop(seed: int, customers: int = 400) -> dict[str, pd.DataFrame]:
    """A shop with repeats, refunds on their own days, people in two arms, young people, and odd seconds."""
    random = np.random.default_rng(seed)
    ids = np.sort(random.choice(10**9, customers, replace=False)) - 5 * 10**8

    def moments(n: int, low: float = 0.0) -> pd.Series:
        seconds = np.round(random.uniform(low * DAY, DAYS * DAY, n), random.choice([0, 6]))
        # many at whole days and hours, where windows begin and end
        edges = random.random(n) < 0.3
        seconds[edges] = np.round(seconds[edges] / 3600) * 3600
        return pd.Series([START + timedelta(seconds=float(s)) for s in seconds])

    seen = random.choice(ids, int(customers * 1.2))
    arm = {i: ("A", "B", "C")[i % 3] for i in ids}
    exposures = pd.DataFrame({"customer_id": seen, "experience_id": "home", "ts": moments(len(seen))})
    exposures["variant"] = [arm[i] if random.random() > 0.02 else "B" for i in seen]
    other = exposures.assign(experience_id="else", variant="Z").head(50)
    n = customers * 6
    orders = pd.DataFrame({"customer_id": random.choice(ids, n), "ts": moments(n)})
    orders["revenue"] = np.round(np.exp(random.normal(3, 1, n)), 2)
    orders["refund"] = np.where(random.random(n) < 0.1, orders.revenue, 0.0)
    back = orders.sample(n // 5, random_state=seed).copy()  # given back days later: the sum falls again
    back["revenue"] = -back.revenue
    back["refund"] = 0.0
    back["ts"] += pd.to_timedelta(random.integers(0, 20, len(back)), unit="D")
    orders = pd.concat([orders, back[back.ts < START + timedelta(days=DAYS)]])
    m = customers * 10
    events = pd.DataFrame({"customer_id": random.choice(ids, m), "ts": moments(m)})
    events["name"] = random.choice(["view", "click", "search"], m, p=[0.7, 0.25, 0.05])
    people = pd.DataFrame({"customer_id": ids})
    people["country"] = random.choice(["ES", "FR", "MX", None], customers)
    people["age"] = random.integers(1, 4, customers)
    shown = pd.concat([exposures, other])
    return {"customers": people, "exposures": shown, "orders": orders, "events": events}


def stored(folder: Path, tables: dict[str, pd.DataFrame], row_group: int = 200) -> DuckDBEngine:
    """The tables as sorted files."""
    folder.mkdir(exist_ok=True)
    files = {}
    for name, rows in tables.items():
        rows = rows.sort_values(["customer_id", *(["ts"] if "ts" in rows else [])])
        arrow = pa.Table.from_pandas(rows, preserve_index=False)
        if "ts" in rows:
            place = arrow.column_names.index("ts")
            arrow = arrow.set_column(place, "ts", arrow["ts"].cast(pa.timestamp("us")))
        pq.write_table(arrow, folder / f"{name}.parquet", row_group_size=row_group)
        files[name] = [folder / f"{name}.parquet"]
    return DuckDBEngine(lambda: files)


def asked(
    engine: Any,
    metric: Timed,
    window: int,
    groups: dict[str, str],
    names: Sequence[str] = ("view", "click", "search"),
) -> OverTime:
    people = exposure.assigned(table(engine, "exposures"), "home")
    if groups:
        labels = table(engine, "customers")
        labels = labels.select(
            "customer_id", **{c: labels[a].cast("string").fill_null("–") for a, c in groups.items()}
        )
        people = people.inner_join(labels, "customer_id")
    grid = Grid.of(window)
    rows = actions.actions(table(engine, metric.table), metric.table)
    begin = int((START - datetime(1970, 1, 1)).total_seconds())
    question = over_time(
        people,
        rows,
        names=("orders", "revenue") if metric.table == "orders" else names,
        groups=groups,
        grid=grid,
        exposed=(begin, begin + DAYS * DAY),
        until=begin + DAYS * DAY,
        falls=metric.table == "orders",
    )
    return OverTime(ask(engine, question, KEYS), grid)


def in_pandas(
    tables: dict[str, pd.DataFrame], metric: Timed, window: int, attribute: str | None
) -> dict[tuple[str, str], Cell]:
    """The same by hand: one value for each customer, then its moments."""
    seen = tables["exposures"].query("experience_id == 'home'")
    people = seen.groupby("customer_id").agg(
        arm=("variant", "min"), arms=("variant", "nunique"), first=("ts", "min")
    )
    people = people[people.arms == 1]
    until = START + timedelta(days=DAYS)
    people = people[people["first"].dt.floor("s") + timedelta(days=window) <= until].reset_index()
    rows = tables[metric.table].merge(people, on="customer_id")
    # whole seconds, as engines give them
    since = (rows.ts.dt.floor("s") - rows["first"].dt.floor("s")).dt.total_seconds()
    rows = rows[(rows.ts >= rows["first"]) & (since < window * DAY)]
    if metric.table == "events":
        rows = rows[rows.name == metric.name].assign(x=1.0)
    else:
        placed = (rows.revenue >= 0).astype(float)  # what is given back on a row of its own is no order
        rows = rows.assign(x=rows.revenue - rows.refund if metric.name == "revenue" else placed)
    values = rows.groupby("customer_id").x.sum()
    people["value"] = people.customer_id.map(values).fillna(0.0)
    if metric.share:
        people["value"] = (people.value > 0).astype(float)
    people["group"] = EVERYBODY
    if attribute:
        known = (
            tables["customers"]
            .set_index("customer_id")[attribute]
            .map(lambda v: "–" if pd.isna(v) else str(v))
        )
        people["group"] = people.customer_id.map(known)
    return {key: of_values(part.value) for key, part in people.groupby(["arm", "group"])}


def of_values(values: pd.Series) -> Cell:
    def moments(some: pd.Series) -> Moments:
        if some.empty:
            return Moments.empty()
        return Moments(len(some), some.mean(), float(((some - some.mean()) ** 2).sum()))

    return Cell(moments(values), moments(values[values > 1e-9]))


def same(one: Cell, other: Cell) -> None:
    for mine, theirs in ((one.all, other.all), (one.positive, other.positive)):
        assert mine.n == theirs.n
        assert mine.mean == pytest.approx(theirs.mean, rel=1e-12, abs=1e-12)
        assert mine.m2 == pytest.approx(theirs.m2, rel=1e-11, abs=1e-9)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_window_is_the_one_that_is_counted_directly(tmp_path: Path, seed: int) -> None:
    tables = shop(seed)
    engine = stored(tmp_path, tables)
    answers: dict[tuple[str, Grid], OverTime] = {}
    for name in METRICS:
        metric = Timed.of(name)
        assert metric is not None
        for window in WINDOWS:
            key = metric.table, Grid.of(window)
            if key not in answers:
                answers[key] = asked(engine, metric, window, {"country": "by_0", "age": "by_1"})
            for attribute in ("country", "age"):
                found = answers[key].cells(attribute, metric.name, window, share=metric.share)
                direct = in_pandas(tables, metric, window, attribute)
                assert found.keys() == direct.keys()
                for cell in direct:
                    same(found[cell], direct[cell])


@pytest.mark.parametrize("names", [("click",), ("click", "never"), ("search", "click")])
def test_actions_that_are_not_asked_for_change_nothing(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Events of other names, and of none, are left out, whichever names are asked for beside."""
    tables = shop(3)
    tables["events"].loc[::7, "name"] = None
    metric = Timed("events", "click")
    found = asked(stored(tmp_path, tables), metric, 14, {"country": "by_0"}, names)
    cells = found.cells("country", "click", 14, share=False)
    direct = in_pandas(tables, metric, 14, "country")
    assert cells.keys() == direct.keys()
    for cell in direct:
        same(cells[cell], direct[cell])
    assert all(cell.all.total == 0 for cell in found.cells("country", "never", 14, share=False).values())


def test_everybody_and_those_in_several_arms(tmp_path: Path) -> None:
    tables = shop(4)
    metric = Timed("orders", "revenue")
    found = asked(stored(tmp_path, tables), metric, 14, {})
    seen = tables["exposures"].query("experience_id == 'home'").groupby("customer_id").variant
    arms, first = seen.nunique(), seen.min()
    assert found.assigned(EVERYBODY) == {
        **first[arms == 1].value_counts().to_dict(),
        None: int((arms > 1).sum()),
    }
    direct = in_pandas(tables, metric, 14, None)
    cells = found.cells(EVERYBODY, "revenue", 14, share=False)
    assert cells.keys() == direct.keys()
    for cell in direct:
        same(cells[cell], direct[cell])


def test_a_large_mean_loses_no_digit_that_matters(tmp_path: Path) -> None:
    """Everybody spends close to a thousand: the variance is one millionth of the mean's square."""
    tables = shop(5)
    seen = tables["exposures"].query("experience_id == 'home'").groupby("customer_id").ts.min()
    random = np.random.default_rng(5)
    tables["orders"] = pd.DataFrame(
        {
            "customer_id": seen.index,
            "ts": seen.to_numpy() + pd.Timedelta(minutes=5),
            "revenue": 1000 + random.normal(0, 1, len(seen)),
            "refund": 0.0,
        }
    )
    metric = Timed("orders", "revenue")
    found = asked(stored(tmp_path, tables), metric, 7, {}).cells(EVERYBODY, "revenue", 7, share=False)
    for key, cell in in_pandas(tables, metric, 7, None).items():
        assert found[key].all.m2 == pytest.approx(cell.all.m2, rel=1e-8)
    tables["orders"]["revenue"] = 9.99
    same_value = asked(stored(tmp_path / "same", tables), metric, 7, {})
    assert {cell.all.m2 for cell in same_value.cells(EVERYBODY, "revenue", 7, share=False).values()} == {0.0}


@pytest.mark.requirement("D18")
def test_ranges_of_customers_add_up_to_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = shop(6)
    engine = stored(tmp_path, tables)
    metric = Timed("orders", "revenue")
    whole = asked(engine, metric, 14, {"country": "by_0"})
    monkeypatch.setattr(engines, "RANGE_ROWS", 1000)
    ranges = engine._ranges(["orders", "customers", "exposures"])
    assert len(ranges) >= 3
    assert all(high + 1 == low for (_, high), (low, _) in pairwise(ranges))
    parts = asked(engine, metric, 14, {"country": "by_0"})
    assert parts.assigned("country") == whole.assigned("country")
    cells = parts.cells("country", "revenue", 14, share=False)
    for key, cell in whole.cells("country", "revenue", 14, share=False).items():
        same(cells[key], cell)


def test_files_that_are_not_sorted_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "RANGE_ROWS", 500)
    tables = shop(7)
    stored(tmp_path, tables)
    rows = pq.read_table(tmp_path / "orders.parquet").sort_by("ts")
    pq.write_table(rows, tmp_path / "by_time.parquet", row_group_size=200)
    engine = DuckDBEngine(lambda: {"orders": [tmp_path / "by_time.parquet"]})
    assert engine.tables() == ["orders"]
    assert engine._ranges(["orders"]) == []
    sorted_engine = DuckDBEngine(lambda: {"orders": [tmp_path / "orders.parquet"]})
    assert sorted_engine.tables() == ["orders"]
    assert len(sorted_engine._ranges(["orders"])) == -(-len(rows) // 500)


class Counting(DuckDBEngine):
    """Counts how often it is asked."""

    asked = 0

    def answer(self, sql: str, keys: Any = ()) -> pa.Table:
        self.asked += 1
        return super().answer(sql, keys)


def remembering(folder: Path, hashes: dict[str, str]) -> tuple[CachedEngine, Counting]:
    engine = Counting(lambda: {name: [folder / f"{name}.parquet"] for name in hashes})
    known = CachedEngine(engine, folder / "cache", lambda *names: {n: hashes[n] for n in names})
    return known, engine


@pytest.mark.requirement("D18")
def test_an_answer_is_remembered_until_a_table_it_reads_changes(tmp_path: Path) -> None:
    tables = shop(8, 50)
    stored(tmp_path, tables)
    hashes = dict.fromkeys(tables, "1")
    metric = Timed("orders", "revenue")
    first = asked(remembering(tmp_path, hashes)[0], metric, 14, {"country": "by_0"})
    known, engine = remembering(tmp_path, hashes)  # as another process would
    again = asked(known, metric, 7, {"country": "by_0"})
    assert engine.asked == 0
    assert again.cells("country", "orders", 14, share=True) == first.cells(
        "country", "orders", 14, share=True
    )
    hashes["events"] = "2"
    asked(known, metric, 14, {"country": "by_0"})
    assert engine.asked == 0
    stored(tmp_path, {**tables, "orders": tables["orders"].head(10)})
    hashes["orders"] = "2"
    changed = asked(remembering(tmp_path, hashes)[0], metric, 14, {"country": "by_0"})
    assert changed.cells("country", "orders", 14, share=False) != first.cells(
        "country", "orders", 14, share=False
    )


@pytest.mark.requirement("D18")
def test_what_was_made_of_answers_is_kept_until_a_table_changes(tmp_path: Path) -> None:
    tables = shop(8, 50)
    stored(tmp_path, tables)
    hashes = dict.fromkeys(tables, "1")
    known, _ = remembering(tmp_path, hashes)
    made = iter(range(10))
    assert [known.kept("sum", lambda: next(made)) for _ in "ab"] == [0, 0]
    assert known.kept("other", lambda: next(made)) == 1
    hashes["orders"] = "2"
    assert known.kept("sum", lambda: next(made)) == 2

    def change() -> int:
        hashes["orders"] = "3"
        return next(made)

    # what was made while a table changed may be of the old one
    assert known.kept("late", change) == 3
    assert known.kept("late", lambda: next(made)) == 4


def test_a_damaged_answer_is_not_taken_and_none_holds_a_customer(tmp_path: Path) -> None:
    tables = shop(9, 50)
    stored(tmp_path, tables)
    hashes = dict.fromkeys(tables, "1")
    metric = Timed("orders", "revenue")
    first = asked(remembering(tmp_path, hashes)[0], metric, 14, {})
    (file,) = (tmp_path / "cache").iterdir()
    assert "customer_id" not in pq.read_schema(file).names
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    known, engine = remembering(tmp_path, hashes)
    again = asked(known, metric, 14, {})
    assert engine.asked == 1
    cells = again.cells(EVERYBODY, "revenue", 14, share=False)
    for key, cell in first.cells(EVERYBODY, "revenue", 14, share=False).items():
        same(cells[key], cell)


def test_the_cache_is_bounded_and_a_folder_that_cannot_be_written_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = shop(10, 50)
    stored(tmp_path, tables)
    hashes = dict.fromkeys(tables, "1")
    monkeypatch.setattr("workbench.engines.cache.MOST_BYTES", 20_000)
    known, _ = remembering(tmp_path, hashes)
    for window in (14, 35, 45, 90, 31, 32, 33):
        asked(known, Timed("events", "view"), window, {"country": "by_0"})
    assert sum(file.stat().st_size for file in (tmp_path / "cache").iterdir()) <= 20_000
    (tmp_path / "file").write_text("")
    engine = stored(tmp_path, tables)
    nowhere = CachedEngine(engine, tmp_path / "file", lambda *names: {n: hashes[n] for n in names})
    assert asked(nowhere, Timed("events", "view"), 14, {}).assigned(EVERYBODY)
