"""What would be lost without the columns that others collected: metrics, segments, and answers by group.

Metrics are judged by `metrics.catalogue.losses`; segments are counted again as if these columns were empty
(`Without`). By a column that would be gone, or a segment that asks for it, no result could be split any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from workbench.analyses.experiment import SEGMENTS, experiments
from workbench.analyses.groups import MOST_GROUPS, few_values
from workbench.engines import Engine, has, span, table
from workbench.errors import WorkbenchError
from workbench.locale import Message, say
from workbench.metrics.catalogue import Loss, losses
from workbench.metrics.cells import ask
from workbench.metrics.touch import NAMES as TOUCHES
from workbench.provenance import Origins, Party
from workbench.records import AnyRecord, AssociationRecord
from workbench.segments import is_history, names_in, parse, sizes
from workbench.tables.checks.stored import Profile, profiles

if TYPE_CHECKING:
    from workbench.project import Project

_TOUCHED = ("source", "medium", "campaign", "device")
"""Columns of events that say what brought somebody; the ways to split by them end in their names."""
_HISTORY = ("orders.revenue", "orders.refund", "orders.ts")
"""Columns of which a rule's order history is made."""


@dataclass(frozen=True)
class Origin:
    """Who collected a column.

    Attributes:
        table, column: Which one.
        party: Who collected it.
        said: Whether somebody said so; else it is guessed.
        filled: Share of the rows in which it is filled.
    """

    table: str
    column: str
    party: Party
    said: bool
    filled: float

    @property
    def name(self) -> str:
        """`table.column`."""
        return f"{self.table}.{self.column}"


@dataclass(frozen=True)
class LostSplit:
    """Something by which results could no longer be split.

    Attributes:
        by: The attribute, the segment, or the touch that brought a customer.
        columns: The columns that it needs, which would be gone.
        groups: The groups that there are now.
        experiments: Experiment → metrics that can be split by it now.
        kept: Results of the project that are split by it; they could not be made again.
        customers: Of a segment: how many are in it now and how many would be; None for others.
    """

    by: str
    columns: tuple[str, ...]
    groups: int
    experiments: Mapping[str, int]
    kept: tuple[str, ...]
    customers: tuple[int, int] | None = None


@dataclass(frozen=True)
class Reliance:
    """What a project would lose without the columns that others collected.

    Attributes:
        columns: The columns of others that hold something, as `table.column`.
        metrics: The metrics that read one of them; those that could not be computed any more come first.
        all_metrics: How many metrics can be computed now.
        splits: What results could no longer be split by.
        all_splits: How many ways there are to split them now.
        kept: How many results the project has kept.
    """

    columns: tuple[str, ...]
    metrics: tuple[Loss, ...]
    all_metrics: int
    splits: tuple[LostSplit, ...]
    all_splits: int
    kept: int

    @property
    def lost_metrics(self) -> int:
        """Metrics that can be computed now and could not be then."""
        return sum(one.before != "missing" and one.after == "missing" for one in self.metrics)

    @property
    def verdict(self) -> Message:
        """It in a sentence."""
        values = {
            "lost": self.lost_metrics,
            "metrics": self.all_metrics,
            "gone": len(self.splits),
            "splits": self.all_splits,
        }
        if not self.columns:
            return say("Nothing here was collected by others, so nothing would be lost without them.")
        if not self.lost_metrics and not self.splits:
            return say(
                "Without third-party data all {metrics:count} metrics could still be computed, and split"
                " as now.",
                **values,
            )
        if not self.lost_metrics:
            return say(
                "Without third-party data all {metrics:count} metrics could still be computed, but"
                " {gone:count} of {splits:count} ways to split them would be gone.",
                **values,
            )
        return say(
            "Without third-party data {lost:count} of {metrics:count} metrics would be gone, and"
            " {gone:count} of {splits:count} ways to split them.",
            **values,
        )


class Without:
    """The tables of another engine as if some columns were empty.

    Args:
        engine: Where the tables are.
        columns: `table.column` of each that is hidden.
    """

    def __init__(self, engine: Engine, columns: Collection[str]) -> None:
        self._engine = engine
        self._hidden = set(columns)
        self.dialect = engine.dialect

    def tables(self) -> list[str]:
        return self._engine.tables()

    def schema(self, table: str) -> ibis.Schema:
        return self._engine.schema(table)

    def query(self, sql: str) -> pa.Table:
        return self._engine.query(sql)

    def view(self, name: str, rows: Any) -> Any:
        """The rows of a table with its hidden columns empty."""
        inner = getattr(self._engine, "view", None)
        rows = rows if inner is None else inner(name, rows)
        gone = [column for column in rows.columns if f"{name}.{column}" in self._hidden]
        return rows.mutate(**{column: ibis.null(rows[column].type()) for column in gone}) if gone else rows


def origins(project: Project, found: Mapping[str, Profile] | None = None) -> list[Origin]:
    """Who collected each filled column of the project's tables; pseudonyms of persons are nobody's.

    Args:
        project: The project.
        found: What `profiles` gives, where it is known already.
    """
    said = Origins(project.path)
    known = dict(said)
    found = profiles(project.everything) if found is None else found
    collected = []
    for name, profile in found.items():
        declared = [column.name for column in profile.table.columns]
        further = [column for column in profile.filled if column not in declared]
        for column in [*declared, *further]:
            if profile.holds(column) and column not in profile.table.persons:
                full = f"{name}.{column}"
                filled = profile.filled[column] / profile.rows
                collected.append(Origin(name, column, said.of(full), full in known, filled))
    return collected


def analyse(project: Project, columns: Collection[str] | None = None) -> Reliance:
    """What the project would lose without third-party data.

    Args:
        project: The project.
        columns: `table.column` of those that are taken away; what others collected, as `origins` says, when
            None.
    """
    if columns is None:
        columns = [one.name for one in origins(project) if one.party == "third"]
    hidden = sorted(columns)
    lost = losses(project.everything, dict.fromkeys(hidden, "third"))
    able = sum(one.light != "missing" for one in project.readiness(checks=()))
    splits, all_splits = _splits(project, hidden)
    return Reliance(tuple(hidden), tuple(lost), able, tuple(splits), all_splits, len(project.records))


def kept_results(project: Project) -> dict[str, AnyRecord]:
    """The project's records that can be read; one that is damaged or from another version says nothing."""
    found: dict[str, AnyRecord] = {}
    for id_ in project.records:
        with suppress(WorkbenchError):
            found[id_] = project.records[id_]
    return found


def _splits(project: Project, hidden: list[str]) -> tuple[list[LostSplit], int]:
    """What results could no longer be split by, and how many ways there are to split them now."""
    engine = project.engine
    asked = {
        name: sum(not metric.startswith(("event:", "any:")) for metric in metrics)
        for name, metrics in experiments(engine).items()
    }
    kept = {id_: _split_by(record) for id_, record in kept_results(project).items()}

    def lost(by: str, columns: tuple[str, ...], groups: int) -> LostSplit:
        ids = tuple(id_ for id_, one in kept.items() if one == by)
        return LostSplit(by, columns, groups, asked, ids)

    attributes = few_values(engine, MOST_GROUPS)
    touches = _touches(engine)
    gone = [name for name in attributes if f"customers.{name}" in hidden]
    counts = _values(engine, "customers", gone)
    found = [lost(name, (f"customers.{name}",), counts[name]) for name in gone]
    untold = [name for name, part in touches.items() if f"events.{part}" in hidden]
    counts = _values(engine, "events", sorted({touches[name] for name in untold}))
    found += [lost(name, (f"events.{touches[name]}",), counts[touches[name]]) for name in untold]
    rules = dict(project.segments)
    needs = {name: _hidden_in(name, rule, hidden) for name, rule in rules.items()}
    touched = {name: rule for name, rule in rules.items() if needs[name]}
    if touched:
        edges = span(engine, "orders", "events", "exposures")
        end = edges[1] + 1 if edges else 0
        now, then = (sizes(one, touched, end) for one in (engine, Without(engine, hidden)))
        for name in touched:
            split = lost(name, needs[name], 1)
            together = tuple(id_ for id_, by in kept.items() if by == SEGMENTS)
            found.append(
                replace(split, kept=(*split.kept, *together), customers=(now[name][0], then[name][0]))
            )
    return found, len(attributes) + len(touches) + len(rules)


def _split_by(record: AnyRecord) -> str | None:
    """The column or the segments by which a result tells people apart."""
    if not isinstance(record, AssociationRecord):
        return record.settings.by
    return record.settings.name if record.settings.treatment == "column" else None


def _touches(engine: Engine) -> dict[str, str]:
    """Ways to split by what brought customers → the column of events that says it, where one does."""
    if not has(engine, "events"):
        return {}
    there = [part for part in _TOUCHED if part in table(engine, "events").columns]
    told = [part for part, n in _values(engine, "events", there).items() if n]
    return {name: part for name in TOUCHES for part in told if name.endswith(f"_{part}")}


def _hidden_in(name: str, rule: str, hidden: Collection[str]) -> tuple[str, ...]:
    """The hidden columns that a segment's rule asks for."""
    asked = names_in(parse(name, rule))
    needed = {f"customers.{column}" for column in asked} | set(
        _HISTORY if any(map(is_history, asked)) else ()
    )
    return tuple(column for column in hidden if column in needed)


def _values(engine: Engine, name: str, columns: list[str]) -> dict[str, int]:
    """How many values each of the columns has."""
    if not columns:
        return {}
    rows = table(engine, name)
    row = ask(engine, rows.aggregate(**{column: rows[column].nunique() for column in columns})).to_pylist()[0]
    return {column: int(row[column] or 0) for column in columns}
