"""Parquet files: their types stay, and what is nested is JSON."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.errors import DataError
from workbench.tables.sources import open_source

pytestmark = pytest.mark.requirement("D01")

PARAMS = pa.list_(
    pa.struct(
        [
            ("key", pa.string()),
            ("value", pa.struct([("string_value", pa.string()), ("int_value", pa.int64())])),
        ]
    )
)
"""How a GA4 export to BigQuery holds `event_params`."""


def stored(path: Path, table: pa.Table, **options: Any) -> Path:
    pq.write_table(table, path, **options)
    return path


def test_parquet_keeps_its_types_and_counts_rows(tmp_path: Path) -> None:
    path = stored(tmp_path / "data.parquet", pa.table({"id": [7, 8], "x": [1.5, None]}))
    source = open_source(path)
    (batch,) = source.batches()
    assert batch.rows.to_pydict() == {"id": [7, 8], "x": [1.5, None]}
    assert (batch.lines.tolist(), batch.faults, batch.done) == ([1, 2], (), 1)
    assert source.encoding is None
    assert source.texts([2]) == {2: "8, "}


def test_nested_cells_are_json_with_exact_numbers_and_times(tmp_path: Path) -> None:
    moment = datetime(2026, 3, 29, 0, 30, 0, 123456, tzinfo=UTC)
    table = pa.table(
        {
            "event_params": pa.array(
                [[{"key": "session", "value": {"string_value": None, "int_value": 2**53 + 1}}], [], None],
                PARAMS,
            ),
            "device": pa.array(
                [{"seen": moment, "price": Decimal("1.10"), "name": 'ñ"'}, None, None],
                pa.struct(
                    [
                        ("seen", pa.timestamp("us", "UTC")),
                        ("price", pa.decimal128(9, 2)),
                        ("name", pa.string()),
                    ]
                ),
            ),
            "tags": pa.array([[("a", "1"), ("b", None)], [], None], pa.map_(pa.string(), pa.string())),
        }
    )
    (batch,) = open_source(stored(tmp_path / "data.parquet", table)).batches()
    cells = {name: batch.rows[name].to_pylist() for name in batch.rows.column_names}
    assert [cell and json.loads(cell) for cell in cells["event_params"]] == [
        [{"key": "session", "value": {"string_value": None, "int_value": 2**53 + 1}}],
        [],
        None,
    ]
    device = json.loads(cells["device"][0], parse_float=Decimal)
    assert datetime.fromisoformat(device["seen"]) == moment
    assert (device["price"], device["name"]) == (Decimal("1.10"), 'ñ"')
    assert cells["device"][1:] == [None, None]
    assert [cell and json.loads(cell) for cell in cells["tags"]] == [{"a": "1", "b": None}, {}, None]


def test_json_lines_and_parquet_of_the_same_events_say_the_same(tmp_path: Path) -> None:
    events = [
        {"id": i, "params": [{"key": "n", "value": {"string_value": "x", "int_value": i}}]} for i in range(9)
    ]
    (tmp_path / "a.json").write_text("".join(json.dumps(event) + "\n" for event in events))
    table = pa.Table.from_pylist(events, pa.schema([("id", pa.int64()), ("params", PARAMS)]))
    cells = [
        next(open_source(path).batches(["params"])).rows["params"].to_pylist()
        for path in (tmp_path / "a.json", stored(tmp_path / "a.parquet", table))
    ]
    assert cells[0] == cells[1]


def test_every_row_of_many_groups_comes_once_and_in_order(tmp_path: Path) -> None:
    table = pa.table({"id": range(10_000), "list": [[i] for i in range(10_000)]})
    source = open_source(stored(tmp_path / "data.parquet", table, row_group_size=999))
    batches = list(source.batches(["list", "id"], block=1 << 13))
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    assert rows == [{"list": f"[{i}]", "id": i} for i in range(10_000)]
    assert [line for batch in batches for line in batch.lines.tolist()] == list(range(1, 10_001))
    done = [batch.done for batch in batches]
    assert len(done) > 1
    assert done == sorted(done)
    assert done[-1] == 1


def test_columns_of_one_name_and_names_with_points_are_told_apart(tmp_path: Path) -> None:
    table = pa.table([[1], [2], [[3]], [4]], names=["x", "a.b", "x", "y"])
    source = open_source(stored(tmp_path / "data.parquet", table))
    assert source.columns == ("x", "a.b", "x (2)", "y")
    for wanted in (["x (2)", "a.b"], ["x"], ["y", "x", "x (2)"], []):
        (batch,) = source.batches(wanted)
        expected = {"x": 1, "a.b": 2, "x (2)": "[3]", "y": 4}
        assert batch.rows.to_pylist() == ([{name: expected[name] for name in wanted}] if wanted else [])
        assert batch.lines.tolist() == [1]


def test_bytes_are_the_text_they_are_and_dictionaries_their_values(tmp_path: Path) -> None:
    table = pa.table(
        {
            "b": pa.array([b"abc", "ñ".encode(), b"\xff\x00", None]),
            "d": pa.array(list("xyxx")).dictionary_encode(),
        }
    )
    (batch,) = open_source(stored(tmp_path / "data.parquet", table)).batches()
    assert batch.rows.to_pydict() == {"b": ["abc", "ñ", "ff00", None], "d": ["x", "y", "x", "x"]}


def test_parquet_packed_with_gzip_is_read_and_a_damaged_one_refused(tmp_path: Path) -> None:
    whole = stored(tmp_path / "a.parquet", pa.table({"id": [7]})).read_bytes()
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(whole))
    (batch,) = open_source(tmp_path / "a.parquet.gz").batches()
    assert batch.rows["id"].to_pylist() == [7]
    (tmp_path / "cut.parquet").write_bytes(whole[:-9])
    with pytest.raises(DataError, match=r"cut\.parquet is not a whole Parquet file"):
        open_source(tmp_path / "cut.parquet")
    with pytest.raises(DataError, match=r"none\.parquet has column names but no rows"):
        open_source(stored(tmp_path / "none.parquet", pa.table({"id": pa.array([], pa.int64())})))
