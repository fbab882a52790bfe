"""Load and check: a file, what it seems to hold, what came in of it and what did not."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traitlets import Dict, Instance, Int, List, Unicode

from workbench.engines import span
from workbench.errors import DataError
from workbench.locale import Message
from workbench.project import Project
from workbench.records import Check
from workbench.screens.state import ScreenState
from workbench.tables.evidence import choose_date_order, choose_decimal, look_at
from workbench.tables.guess import Proposal, plain_name, propose
from workbench.tables.load import Preview, preview
from workbench.tables.report import LoadReport, Question
from workbench.tables.schema import TABLES, Column, standard

UNIT, SUMMARY = "unit", "summary"
SHOWN_ROWS = 20
_SAMPLE_ROWS = 5_000
_UNIT_COLUMNS = ("customer_id", "variant", "experiment", "assignment", "ts")
_SUMMARY_COLUMNS = (
    "variant",
    "n",
    "successes",
    "metric",
    "experiment",
    "sum",
    "sum_of_squares",
    "mean",
    "variance",
    "standard_deviation",
)
_REQUIRED = {UNIT: ("customer_id", "variant"), SUMMARY: ("variant", "n")}


@dataclass(frozen=True)
class Overview:
    """A table of the project: what one row is, how many there are, from when to when, where they are from."""

    name: str
    about: Message
    rows: int
    seconds: tuple[int, int] | None
    sources: list[str]


class LoadState(ScreenState):
    """A file on its way into the project.

    Attributes:
        path: A file on the computer that runs this; empty when one was sent through the page.
        file: The file that is looked at.
        found: The file's beginning and columns; None before one was chosen.
        holds: What one row of it is: a standard table, `unit` or `summary`.
        mapping: Standard column → column of the file.
        outcomes: Columns of the file that are outcomes, by the name they get.
        attributes: Columns of the file that are kept as they are, by the name they get.
        experiment: The experiment's name where no column says it.
        date_order: `dmy` or `mdy`; None lets the file say.
        decimal: `.` or `,`; None lets the file say.
        proposals: How many mappings were proposed so far; a new one replaces what was chosen.
        questions: What the beginning of the file leaves open.
        report: What came of loading it.
        tables: What the project holds.
        findings: What looking over it brought, failures first.
    """

    path = Unicode("")
    file = Instance(Path, allow_none=True)
    found = Instance(Preview, allow_none=True)
    holds = Unicode(None, allow_none=True)
    mapping = Dict()
    outcomes = Dict()
    attributes = Dict()
    experiment = Unicode("")
    date_order = Unicode(None, allow_none=True)
    decimal = Unicode(None, allow_none=True)
    proposals = Int(0)
    questions = List(Instance(Question))
    report = Instance(LoadReport, allow_none=True)
    tables = List(Instance(Overview))
    findings = List(Instance(Check))

    def __init__(self, project: Project) -> None:
        self._uploads = tempfile.TemporaryDirectory(prefix="workbench-upload-", ignore_cleanup_errors=True)
        super().__init__(project)
        self.observe(lambda _: self._open(), "path")
        self.observe(lambda _: self._propose(), "holds")

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        self.tables = [
            Overview(
                name=name,
                about=standard(name).about,
                rows=entry["rows"],
                seconds=span(engine, name) if standard(name).time == "ts" else None,
                sources=[source for source in entry["sources"] if source],
            )
            for name, entry in sorted(self.project.manifest().items())
        ]
        self.findings = self.project.checks()

    def receive(self, name: str, content: bytes | memoryview) -> None:
        """Take a file that was sent through the page."""
        with self.working():
            place = Path(self._uploads.name) / (Path(name).name or "file")
            place.write_bytes(content)
            self.path = ""
            self.look(place)

    def _open(self) -> None:
        if not self.busy:
            self.look(Path(self.path.strip()) if self.path.strip() else None)

    def look(self, file: Path | None) -> None:
        """Look at the beginning of a file and propose what it holds."""
        with self.working():
            self.file, self.found, self.holds, self.report, self.notice = file, None, None, None, None
            self.date_order, self.decimal, self.experiment = None, None, ""
            if file is not None:
                self.found = preview(file, rows=_SAMPLE_ROWS)
                proposal = self.found.proposal
                if proposal is not None:
                    self.holds = proposal.table if proposal.grain == "event" else proposal.grain
                self._take(proposal)

    def _propose(self) -> None:
        """Propose the columns for what the file is said to hold."""
        if self.found is None or self.holds is None or self.busy:
            return
        with self.working():
            if self.holds in (UNIT, SUMMARY):
                self._take(propose(self.found.rows, grain=self.holds))
            else:
                self._take(propose(self.found.rows, standard(self.holds), "event"))

    def _take(self, proposal: Proposal | None) -> None:
        mapping: dict[str, Any] = dict(proposal.mapping) if proposal else {}
        self.attributes = _named(mapping.pop("attributes", {}))
        self.outcomes = _named(mapping.pop("outcomes", {}))
        self.mapping = mapping
        self._ask()
        self.proposals += 1

    def _ask(self) -> None:
        """What the first rows leave open about dates and decimals."""
        if self.found is None:
            return
        used = {*self.mapping.values(), *self.outcomes.values()} & set(self.found.columns)
        evidence = look_at(self.found.rows.select(sorted(used)))
        times = [name for name in used if evidence[name].mostly(evidence[name].times)]
        numbers = [evidence[name] for name in used if name not in times]
        assumed = "," if self.found.delimiter == ";" else "."
        asked = [
            choose_date_order([evidence[name] for name in times], "dmy")[1],
            choose_decimal(numbers, assumed)[1],  # type: ignore[arg-type]
        ]
        self.questions = [question for question in asked if question is not None]

    def columns(self) -> list[Column]:
        """The columns that what the file holds may have, those it must have first."""
        if self.holds is None:
            return []
        if self.holds in _REQUIRED:
            names = _UNIT_COLUMNS if self.holds == UNIT else _SUMMARY_COLUMNS
            return [Column(name, "string", required=name in _REQUIRED[self.holds]) for name in names]
        return sorted(standard(self.holds).columns, key=lambda column: not column.required)

    @property
    def takes_attributes(self) -> bool:
        """Whether further columns of the file can be kept."""
        return self.holds in (UNIT, SUMMARY) or (self.holds in TABLES and TABLES[self.holds].attributes)

    @property
    def takes_experiment(self) -> bool:
        """Whether the rows belong to an experiment."""
        return self.holds in (UNIT, SUMMARY, "exposures")

    def choose(self, column: str, source: str | None) -> None:
        """Say which column of the file a standard column is."""
        mapping = {name: value for name, value in self.mapping.items() if name != column}
        self.mapping = {**mapping, column: source} if source else mapping
        with self.working():
            self._ask()

    def measure(self, sources: Sequence[str]) -> None:
        """Say which columns of the file are outcomes of a customer."""
        known = {source: name for name, source in self.outcomes.items()}
        self.outcomes = {known.get(source) or plain_name(source): source for source in sources}
        with self.working():
            self._ask()

    def keep(self, sources: Sequence[str]) -> None:
        """Say which further columns of the file are kept as they are."""
        known = {source: name for name, source in self.attributes.items()}
        self.attributes = {known.get(source) or source: source for source in sources}

    def load(self) -> None:
        """Bring the file into the project."""
        with self.working():
            if self.file is None or self.holds is None:
                raise DataError("Choose a file first, and say what one row of it is.")
            mapping: dict[str, Any] = dict(self.mapping)
            if self.outcomes and self.holds == UNIT:
                mapping["outcomes"] = dict(self.outcomes)
            if self.attributes and self.takes_attributes:
                mapping["attributes"] = dict(self.attributes)
            event = self.holds not in (UNIT, SUMMARY)
            given = {
                "table": self.holds if event else None,
                "grain": "event" if event else self.holds,
                "mapping": mapping,
                "experiment": self.experiment.strip() or None,
                "date_order": self.date_order,
                "decimal": self.decimal,
            }
            self.report = self.project.load(self.file, **given)
            self.refresh()


def _named(columns: Any) -> dict[str, str]:
    return dict(columns) if isinstance(columns, dict) else {name: name for name in columns}
