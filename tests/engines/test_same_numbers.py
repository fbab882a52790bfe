"""Whatever leaves DuckDB for an answer leaves PostgreSQL and Spark too, number for number."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import ibis
import pyarrow as pa
import pytest
import tomli_w

from tests.engines.questions import QUESTIONS
from workbench import Project
from workbench.engines import Engine
from workbench.records import CohortRecord, EffectRecord, ValueRecord

pytestmark = pytest.mark.engines
CLOSE = 1e-12


# A cluster and a Connect server plan the same queries as the Spark in this process; they are asked these.
FEW = ("revenue by segment", "outcome by source", "histories of many customers")
ASKED = {
    "postgresql": tuple(QUESTIONS),
    "spark local": tuple(QUESTIONS),
    "spark standalone": FEW,
    "spark connect": FEW,
}


class Watched:
    """An engine that keeps the answers it gave."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.dialect = engine.dialect
        self.answers: list[pa.Table] = []

    def tables(self) -> list[str]:
        return self._engine.tables()

    def schema(self, table: str) -> ibis.Schema:
        return self._engine.schema(table)

    def query(self, sql: str) -> pa.Table:
        self.answers.append(self._engine.query(sql))
        return self.answers[-1]


class Elsewhere(NamedTuple):
    project: Project
    engine: Any


@pytest.fixture(scope="module")
def elsewhere(
    request: pytest.FixtureRequest, shop: Project, parquet: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Elsewhere]:
    """The shop's project with its engine elsewhere and no tables of its own."""
    small = "spark.sql.shuffle.partitions=2&spark.executor.memory=512m"
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres").address(schema="shop")
    elif request.param == "spark local":
        address = f"spark+local?tables={parquet}&{small}"
    elif request.param == "spark standalone":
        address = f"spark://{request.getfixturevalue('cluster')}?tables={parquet}&{small}"
    else:
        address = f"sc://{request.getfixturevalue('connect_server')}?schema=shop"
    folder = tmp_path_factory.mktemp("elsewhere") / "project"
    shutil.copytree(shop.path, folder, ignore=shutil.ignore_patterns("tables", "tables.json", "cache"))
    settings = {**shop.settings.model_dump(exclude_none=True), "engine": address}
    (folder / "project.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
    project = Project.open(folder)
    yield Elsewhere(project, project.everything)
    project.everything.close()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def on_duckdb(shop: Project) -> Callable[[str], tuple[Any, list[pa.Table]]]:
    """What DuckDB says to a question, asked once."""
    known: dict[str, tuple[Any, list[pa.Table]]] = {}

    def answer(question: str) -> tuple[Any, list[pa.Table]]:
        if question not in known:
            known[question] = asked(shop, shop.everything, QUESTIONS[question])
        return known[question]

    return answer


def asked(project: Project, engine: Engine, question: Callable[[Project], Any]) -> tuple[Any, list[pa.Table]]:
    """The answer to a question, and all that left the engine for it."""
    project._engine = watched = Watched(engine)  # the one place where a project keeps its engine
    try:
        return question(project), watched.answers
    finally:
        project._engine = engine


def in_order(rows: pa.Table) -> list[tuple[Any, ...]]:
    """Rows in an order that does not depend on the last digits of their numbers."""

    def key(row: tuple[Any, ...]) -> list[tuple[int, str]]:
        exact = [(0, repr(value)) for value in row if not isinstance(value, float)]
        return exact + [(1, f"{value:.9e}") for value in row if isinstance(value, float)]

    values = [[_number(value) for value in column.to_pylist()] for column in rows.columns]
    return sorted(zip(*values, strict=True), key=key)


def _number(value: Any) -> Any:
    """DuckDB gives sums of whole numbers as decimals of 38 digits."""
    if value is None or isinstance(value, str | bool | float):
        return value
    return int(value) if hasattr(value, "as_integer_ratio") and value == int(value) else value


def assert_same(one: pa.Table, other: pa.Table) -> None:
    """Keys and counts are equal, and numbers to twelve digits."""
    assert one.column_names == other.column_names
    assert one.num_rows == other.num_rows
    for left, right in zip(in_order(one), in_order(other), strict=True):
        for name, a, b in zip(one.column_names, left, right, strict=True):
            if (isinstance(a, float) and isinstance(b, int | float)) or isinstance(b, float):
                assert math.isclose(a, b, rel_tol=CLOSE), (name, a, b, left, right)
            else:
                assert a == b, (name, left, right)


def assert_alike(one: Any, other: Any) -> None:
    """Records say the same, to nine digits."""
    if isinstance(one, dict | list):
        assert len(one) == len(other)
        keys = one if isinstance(one, dict) else range(len(one))
        for key in keys:
            assert_alike(one[key], other[key])
    elif isinstance(one, float):
        assert math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9), (one, other)
    else:
        assert one == other


def said(answer: Any) -> Any:
    """What a person is shown."""
    if isinstance(answer, EffectRecord | ValueRecord | CohortRecord):
        return answer.model_dump(mode="json", include={"summary", "checks", "outcome", "verdict"})
    if isinstance(answer, list):
        return [check.model_dump(mode="json") for check in answer]
    if dataclasses.is_dataclass(answer) and not isinstance(answer, type):
        return json.loads(json.dumps(dataclasses.asdict(answer), default=str))
    return answer if isinstance(answer, dict) else None


@pytest.mark.parametrize(
    ("elsewhere", "question"),
    [(engine, question) for engine, questions in ASKED.items() for question in questions],
    indirect=["elsewhere"],
)
def test_answers_are_equal(
    on_duckdb: Callable[[str], tuple[Any, list[pa.Table]]],
    elsewhere: Elsewhere,
    question: str,
) -> None:
    here, there = on_duckdb(question), asked(*elsewhere, QUESTIONS[question])
    assert len(here[1]) == len(there[1]) > 0
    for one, other in zip(here[1], there[1], strict=True):
        assert_same(one, other)
    assert_alike(said(here[0]), said(there[0]))
