"""Writing exports as the systems do, loading them, and asking what came of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench import Project

Row = Mapping[str, Any]


def names(text: str) -> list[str]:
    """The names of columns, as the first line of a file has them."""
    return text.split(",")


def new_project(folder: Path) -> Project:
    """An empty project of a Spanish shop."""
    return Project.create(
        folder / "tienda", name="Tienda", currency="EUR", timezone="Europe/Madrid", language="es"
    )


def write(path: Path, header: Sequence[str], rows: Iterable[Row], *, broken: str = "") -> Path:
    """A CSV file of these rows; cells that a row lacks are blank, and `broken` is its last line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", extrasaction="raise", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue() + broken, encoding="utf-8")
    return path


def ask(project: Project, sql: str) -> list[tuple[Any, ...]]:
    """The answer to a query, its rows as tuples."""
    return [tuple(row.values()) for row in project.engine.query(sql).to_pylist()]


def table_sizes(project: Project) -> dict[str, int]:
    """How many rows each table has."""
    return {name: ask(project, f'SELECT count(*) AS n FROM "{name}"')[0][0] for name in project.manifest()}


def orders_each(project: Project) -> list[tuple[int, float]]:
    """Orders and net revenue of every customer, in order: what values of customers are made of."""
    found = ask(
        project,
        "SELECT count(*) AS n, sum(revenue - coalesce(refund, 0)) AS net FROM orders GROUP BY customer_id",
    )
    return sorted((n, round(net, 2)) for n, net in found)


def every_text(project: Project) -> str:
    """Everything that is stored as text."""
    found = []
    for name in project.manifest():
        rows = project.engine.query(f'SELECT * FROM "{name}"')
        found += [str(value) for column in rows.columns for value in column.to_pylist()]
    return "\n".join(found)
