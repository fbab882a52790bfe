"""Files of vendors' exports, and what a project says of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench import Project


def write_lines(path: Path, rows: Iterable[dict[str, Any] | str]) -> Path:
    """JSON lines; a text among the rows stands in the file as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> Path:
    """Parquet with real lists and structs."""
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    return path


def rows_of(project: Project, sql: str) -> list[dict[str, Any]]:
    """The answer to a query."""
    found: list[dict[str, Any]] = project.engine.query(sql).to_pylist()
    return found


def counts(project: Project) -> dict[str, int]:
    """How many rows each table has."""
    return {
        name: rows_of(project, f'SELECT count(*) AS n FROM "{name}"')[0]["n"] for name in project.manifest()
    }


def arms(project: Project, experiment: str, metric: str, **settings: Any) -> dict[str, tuple[int, float]]:
    """Arm → customers and the sum of their metric, as the effect of an experiment reports them."""
    record = project.effect(experiment, metric, keep=False, assignment="random", **settings)
    return {arm.arm: (arm.n, round(arm.total, 2)) for arm in record.summary.arms}
