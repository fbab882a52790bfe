"""Scores of single customers: what is in the file is what the model says of each."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

from workbench import Project
from workbench.analyses import histories
from workbench.engines import duckdb
from workbench.errors import Cancelled, WorkbenchError
from workbench.models import purchases, spend
from workbench.models.importance import independent_seeds
from workbench.records import ValueSettings

CDNOW = Path(__file__).parents[1] / "data" / "samples" / "cdnow" / "cdnow.csv"


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.create(tmp_path_factory.mktemp("scores") / "cdnow", currency="USD")
    project.load(CDNOW)
    return project


@pytest.mark.requirement("P03")
@pytest.mark.parametrize("model", ["bg-nbd", "mbg-nbd", "pareto-nbd"])
def test_each_customer_is_scored_as_alone(cdnow: Project, tmp_path: Path, model: str) -> None:
    """Customers picked from the file, against the posterior asked about each of them by itself."""
    told = cdnow.scores(tmp_path / "scores.parquet", model=model, horizon_weeks=39, margin=0.3)
    file = pyarrow.parquet.read_table(tmp_path / "scores.parquet")
    assert told.customers == file.num_rows == 2357
    asked = ValueSettings(until=None)
    found = histories.read(cdnow, asked)
    one, other = independent_seeds(1, 2)
    bought = purchases.posterior(found.everybody, model, 1000, one)
    spent = spend.posterior(found.all_spend, 1000, other)
    each = cdnow.engine.query(
        f"""WITH days AS (SELECT customer_id, ts::DATE AS d, sum(revenue) AS m FROM orders GROUP BY ALL)
        SELECT customer_id, count(*) - 1 AS x, max(d) - min(d) AS recency,
            DATE '{told.until}' - min(d) AS tenure, sum(m) - arg_min(m, d) AS s
        FROM days GROUP BY ALL ORDER BY x DESC, s DESC"""
    ).to_pylist()
    rows = {row["customer_id"]: row for row in file.to_pylist()}
    for known in [*each[:5], *each[300:1500:100], each[-1]]:
        row = rows[known["customer_id"]]
        x, t_x, T, s = known["x"], known["recency"] / 7, known["tenure"] / 7, float(known["s"])
        assert (row["orders"], row["days_since"]) == (x + 1, known["tenure"] - known["recency"])
        draws = bought.thin(200)
        assert row["alive"] == pytest.approx(purchases.probability_alive(draws, x, t_x, T).mean(), rel=1e-6)
        number = purchases.expected_purchases(draws, 39, x, t_x, T)
        assert row["purchases"] == pytest.approx(number.mean(), rel=1e-6)
        quiet = purchases.probability_of_no_purchase(draws, 13, x, t_x, T)
        assert row["no_purchase"] == pytest.approx(quiet.mean(), rel=1e-6)
        worth = purchases.expected_purchases(draws, 39, x, t_x, T, 0.1)
        money = spend.expected_spend(spent, *((x, s / x) if x and s > 0 else (0, 0.0)))
        assert row["value"] == pytest.approx(0.3 * worth.mean() * money.mean(), rel=1e-6)
        grid = 0.3 * worth[:, None] * money[None, :]
        assert row["value_sd"] == pytest.approx(grid.std(), rel=1e-4)
    assert told.value == pytest.approx(np.sum(file["value"].to_numpy()))
    assert told.alive == pytest.approx(np.mean(file["alive"].to_numpy()))
    note = json.loads(file.schema.metadata[b"workbench"])
    assert (note["model"], note["horizon_weeks"], note["until"]) == (model, 39, str(told.until))


def test_a_table_of_text_holds_the_same(cdnow: Project, tmp_path: Path) -> None:
    cdnow.scores(tmp_path / "scores.parquet")
    cdnow.scores(tmp_path / "scores.csv")
    one = pyarrow.parquet.read_table(tmp_path / "scores.parquet").sort_by("customer_id")
    other = pyarrow.csv.read_csv(tmp_path / "scores.csv").sort_by("customer_id")
    assert one.column_names == other.column_names
    assert other["value"].to_numpy() == pytest.approx(one["value"].to_numpy())


def test_writing_scores_is_logged_and_can_be_stopped(cdnow: Project, tmp_path: Path) -> None:
    """What was there stays as it was; the log names the file."""
    place = tmp_path / "scores.parquet"
    place.write_text("before")
    stop = Event()
    stop.set()
    with pytest.raises(Cancelled):
        cdnow.scores(place, cancel=stop)
    assert place.read_text() == "before"
    seen: list[float] = []
    cdnow.scores(place, progress=seen.append)
    assert seen[-1] == pytest.approx(1.0)
    entries, _ = cdnow.people.access.entries()
    assert any(entry.details.get("file") == "scores.parquet" for entry in entries)


def test_what_cannot_be_written_is_told(cdnow: Project, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match=r"\.parquet or \.csv"):
        cdnow.scores(tmp_path / "scores.xlsx")
    with pytest.raises(WorkbenchError, match="margin"):
        cdnow.scores(tmp_path / "scores.csv", margin=2.0)


@pytest.fixture
def own(cdnow: Project, tmp_path: Path) -> Project:
    """A project of its own, to be written into."""
    project = Project.create(tmp_path / "own", currency="USD")
    project.load(CDNOW)
    return project


@pytest.mark.requirement("P03")
def test_a_table_of_the_project_holds_what_a_file_does(own: Project, tmp_path: Path) -> None:
    """Another time its rows are replaced; no other table ever is."""
    own.scores(tmp_path / "scores.parquet", margin=0.3)
    own.scores(table="scores")
    told = own.scores(table="scores", margin=0.3)
    assert (told.place, told.customers) == ("scores", 2357)
    file = pyarrow.parquet.read_table(tmp_path / "scores.parquet").sort_by("customer_id")
    table = own.engine.query("SELECT * FROM scores ORDER BY customer_id")
    assert table.schema.equals(file.schema)
    for name in table.column_names:  # parallel sums differ in the last bits
        assert table[name].to_numpy() == pytest.approx(file[name].to_numpy(), rel=1e-9), name
    own.commit({"notes": pyarrow.table({"customer_id": [1]})})
    for name, reason in (("orders", "read"), ("notes", "not made here"), ("a b", "letters")):
        with pytest.raises(WorkbenchError, match=reason):
            own.scores(table=name)
    for wrong in ({}, {"path": tmp_path / "s.csv", "table": "scores"}):
        with pytest.raises(WorkbenchError, match="either the file or the table"):
            own.scores(**wrong)
    assert own.engine.query("SELECT * FROM notes").num_rows == 1


@pytest.mark.requirement("U06")
def test_whoever_is_erased_is_erased_from_the_scores(own: Project, tmp_path: Path) -> None:
    """Nothing that is on the disk names them any more, not even what was replaced."""
    own.scores(table="scores", margin=0.5)
    own.scores(table="scores")
    identifier = CDNOW.read_text().splitlines()[1].split(",")[0]
    exported = own.people.export(identifier, tmp_path / "export")
    assert exported["scores"] == 1
    gone = own.people.erase(identifier)
    assert gone["scores"] == 1
    left = own.engine.query("SELECT customer_id FROM scores")
    assert left.num_rows == 2356
    known = set(own.engine.query("SELECT customer_id FROM orders")["customer_id"].to_pylist())
    assert set(left["customer_id"].to_pylist()) == known
    assert [file.name for file in (own.path / "scores").iterdir()] == [
        own.people.scores.files()["scores"][0].name
    ]


def test_rows_that_are_streamed_are_those_of_the_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From files sorted by customer a range at a time, from others all the same."""
    random = np.random.default_rng(1)
    customers = np.sort(random.integers(0, 2_000, 20_000))
    rows = pyarrow.table({"customer_id": customers, "money": np.round(random.gamma(2, 10, 20_000), 2)})
    sql = "SELECT customer_id, count(*) AS n, max(money) AS most FROM orders GROUP BY 1"
    monkeypatch.setattr(duckdb, "RANGE_ROWS", 3_000)
    for name, table in (("sorted", rows), ("mixed", rows.take(random.permutation(20_000)))):
        place = tmp_path / f"{name}.parquet"
        pyarrow.parquet.write_table(table, place, row_group_size=500)
        engine = duckdb.DuckDBEngine(lambda place=place: {"orders": [place]})
        parts = list(engine.batches(sql))
        assert len(parts) == (7 if name == "sorted" else 1)
        streamed = pyarrow.concat_tables(parts).sort_by("customer_id")
        assert streamed.equals(engine.query(f"{sql} ORDER BY 1").combine_chunks())
