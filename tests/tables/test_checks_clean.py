"""Data without a fault raise no alarm; the same checks find the faults that the other modules plant."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from tests.tables.checking import Memory, alarms, checked
from workbench.engines.duckdb import DuckDBEngine
from workbench.records import Check
from workbench.simulate import simulate
from workbench.tables.checks.stored import profiles

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


def sample(name: str) -> pa.Table:
    return csv.read_csv(SAMPLES / name)


def test_the_sample_shop_raises_no_alarm() -> None:
    tables = {name: sample(f"shop/{name}.csv") for name in ("customers", "orders", "events", "exposures")}
    found = checked(**tables, timezone="Europe/Madrid")
    assert alarms(found) == set()
    assert {"orders.gaps", "events.bots", "exposures.crossed", "orders.hours"} <= found.keys()


def test_orders_of_a_cohort_raise_no_alarm() -> None:
    """CDNOW: dates without times, and after March 1997 nobody new, so that orders fall by more than half."""
    rows = sample("cdnow/cdnow.csv")
    found = checked(
        orders=pa.table(
            {
                "order_id": pa.array(range(rows.num_rows)),
                "customer_id": rows["customer_id"],
                "ts": rows["date"].cast(pa.timestamp("us")),
                "revenue": rows["amount"],
            }
        )
    )
    assert alarms(found) == set()
    assert "25 Mar 1997" in str(found["orders.drops"].detail)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_simulated_shop_raises_no_alarm(seed: int) -> None:
    assert alarms(checked(**simulate(customers=4_000, seed=seed).tables, timezone="Europe/Madrid")) == set()


def test_identifiers_may_be_numbers_in_one_table_and_text_in_another() -> None:
    tables = simulate(customers=500, seed=3).tables
    number = pc.utf8_ltrim(tables["customers"]["customer_id"], "c").cast(pa.int64())
    place = tables["customers"].column_names.index("customer_id")
    mixed = {**tables, "customers": tables["customers"].set_column(place, "customer_id", number)}
    for name in ("orders", "events", "exposures"):
        rows = tables[name]
        text = pc.utf8_ltrim(pc.utf8_ltrim(rows["customer_id"], "c"), "0")
        mixed[name] = rows.set_column(rows.column_names.index("customer_id"), "customer_id", text)
    assert alarms(checked(**mixed)) == set()


def test_a_check_of_before_there_were_counts_can_still_be_read() -> None:
    old = {
        "name": "two_arms",
        "status": "ok",
        "detail": {"text": "No customer was seen in two arms.", "values": {}},
    }
    check = Check.model_validate(old)
    assert (check.count, check.share, check.examples) == (None, None, ())
    assert check.model_dump(mode="json") == old  # and its record keeps its id


def test_what_files_say_of_a_table_is_what_counting_its_rows_says(tmp_path: Path) -> None:
    """Of two files of which one lacks a column, with columns and times that are empty in some rows."""
    time = pa.timestamp("us")
    moments = [datetime(2026, 1, 2, 3, 4, 5, 900_000), datetime(1969, 12, 31, 23, 59, 59, 100_000)]
    older = {"order_id": ["1", "2"], "customer_id": ["a", "b"], "ts": pa.array(moments, time)}
    newer = {"order_id": ["3"], "customer_id": ["c"], "ts": pa.array([datetime(2026, 5, 1)], time)}
    seen = {"first_seen": pa.array([None, moments[1], None], time), "signed_up": pa.array([None] * 3, time)}
    parts = {
        "orders": [pa.table(older | {"revenue": [None, 5.0]}), pa.table(newer | {"channel": ["app"]})],
        "customers": [pa.table({"customer_id": ["a", "b", "c"], **seen})],
    }
    files: dict[str, list[Path]] = {name: [] for name in parts}
    for name, tables in parts.items():
        for table in tables:
            files[name].append(tmp_path / f"{name}-{len(files[name])}.parquet")
            pq.write_table(table, files[name][-1])
    said = profiles(DuckDBEngine(lambda: files))
    whole = {name: pa.concat_tables(tables, promote_options="default") for name, tables in parts.items()}
    counted = profiles(Memory(**whole))
    assert said.keys() == counted.keys() == parts.keys()
    for name, one in said.items():
        assert (one.rows, one.first, one.last) == (
            counted[name].rows,
            counted[name].first,
            counted[name].last,
        )
        assert {column: n for column, n in one.filled.items() if n} == {
            column: n for column, n in counted[name].filled.items() if n
        }
    assert (said["orders"].first, said["orders"].filled["revenue"]) == (-1, 1)


def test_of_nothing_nothing_is_said() -> None:
    assert checked() == {}
    assert (
        checked(orders={"customer_id": pa.array([], pa.string()), "ts": pa.array([], pa.timestamp("us"))})
        == {}
    )
