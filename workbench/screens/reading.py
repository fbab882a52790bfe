"""How a file is read: what one row of it is, which column is which, and what the first rows say of that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from traitlets import Bool, Dict, Instance, Int, List, Unicode

from workbench.errors import DataError, WorkbenchError
from workbench.locale import Message
from workbench.project import Project
from workbench.screens.state import ScreenState
from workbench.screens.trying import Trial, attempt
from workbench.tables.guess import Proposal, plain_name, propose
from workbench.tables.load import Preview, preview
from workbench.tables.recipe import Recipe
from workbench.tables.schema import TABLES, Column, standard
from workbench.tables.sources import Source, open_source
from workbench.tables.vendors import Vendor, known_vendors

UNIT, SUMMARY, EACH = "unit", "summary", "each"
"""What a row may be beside a row of a table: a customer, a variant, what each file's own columns say."""

QUESTIONS = ("date_order", "decimal", "scale")
_SAMPLE_ROWS = 5_000
_OPTIONS = ("exclude", "split", "inverse")
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
_WITH_ITEMS = ("surveys", "rates")


class ReadingState(ScreenState):
    """A file that is looked at, and how it is to be read.

    Attributes:
        file: The file; None when there is none.
        found: Its beginning and columns; None when it could not be read.
        vendors: The systems whose export it may be.
        holds: What one row of it is: a standard table, `unit`, `summary`, the name of a vendor's export, or
            `each` where there are several files, each of which is read as it looks.
        mapping: Standard column → column of the file.
        outcomes: Columns of the file that are outcomes, by the name they get.
        items: Columns of the file whose cells become rows, by the name they get.
        attributes: Columns of the file that are kept as they are, by the name they get.
        experiment: The experiment's name where no column says it.
        date_order: `dmy` or `mdy`; None lets the file say.
        decimal: `.` or `,`; None lets the file say.
        scale: The ends of a survey's scale, such as `0-10`; None leaves them open.
        timezone: The zone of times without an offset; None is the project's.
        encoding: How the text is written; None lets the file say.
        sheets: The sheets of a workbook.
        sheet: The one that is looked at.
        proposals: How many mappings were proposed so far; a new one replaces what was chosen.
        asked: What the file has left open so far, of `QUESTIONS`.
        trial: What reading the first rows in this way brings.
        lack: Why the file cannot be read in this way.
        edited: Whether somebody has changed what was proposed.
    """

    file = Instance(Path, allow_none=True)
    found = Instance(Preview, allow_none=True)
    vendors = List(Instance(Vendor))
    holds = Unicode(None, allow_none=True)
    mapping = Dict()
    outcomes = Dict()
    items = Dict()
    attributes = Dict()
    experiment = Unicode("")
    date_order = Unicode(None, allow_none=True)
    decimal = Unicode(None, allow_none=True)
    scale = Unicode(None, allow_none=True)
    timezone = Unicode(None, allow_none=True)
    encoding = Unicode(None, allow_none=True)
    sheets = List(Unicode())
    sheet = Unicode(None, allow_none=True)
    proposals = Int(0)
    asked = List(Unicode())
    trial = Instance(Trial, allow_none=True)
    lack = Instance(Message, allow_none=True)
    edited = Bool(False)

    def __init__(self, project: Project) -> None:
        self._lock = threading.RLock()
        self._worker: int | None = None
        self._source: Source | None = None
        self._first_sheet: str | None = None
        self._base = Recipe()
        super().__init__(project)
        self._follow("holds", self._propose)
        for name in ("sheet", "encoding"):
            self._follow(name, self._again)
        for name in ("date_order", "decimal", "scale", "timezone", "experiment"):
            self._follow(name, self._edit)

    def _follow(self, name: str, act: Callable[[], None]) -> None:
        """Act when somebody changes a trait, and not when what is being done does."""

        def changed(_change: object) -> None:
            if self._worker != threading.get_ident():
                with self.working():
                    act()

        self.observe(changed, name)

    @contextmanager
    def working(self) -> Iterator[None]:
        with self._lock:  # what goes on in the background comes back here too
            outer, self._worker = self._worker, threading.get_ident()
            try:
                with super().working():
                    yield
            finally:
                self._worker = outer

    # --- looking at it ----------------------------------------------------------------------------------

    def _begin(self, file: Path | None) -> None:
        """Look at another file, or at none."""
        self.file, self.sheets, self.sheet, self.encoding = file, [], None, None
        self._source, self._first_sheet = None, None
        self._clear()
        if file is not None:
            self._peek()

    def _clear(self) -> None:
        """Forget what was found and chosen."""
        self.found, self.holds, self.trial, self.lack = None, None, None, None
        self.date_order, self.decimal, self.scale, self.timezone = None, None, None, None
        self.experiment, self.asked, self.vendors, self._base = "", [], [], Recipe()

    def _again(self) -> None:
        """Look at the same file as another sheet, or as written in another way."""
        if self.file is not None:
            self._clear()
            self._peek()

    def _peek(self) -> None:
        """Look at the first file as it stands, and propose what it holds."""
        found = preview(self.file, rows=_SAMPLE_ROWS, sheet=self.sheet, encoding=self.encoding)
        self._source = open_source(self.file, sheet=self.sheet, encoding=self.encoding)
        if self.sheet is None:
            self._first_sheet = found.sheet
        self.sheets, self.sheet = list(found.sheets), found.sheet
        self.vendors = [vendor for vendor in known_vendors().values() if vendor.fits(found.columns)]
        self.found = found
        if found.vendor is not None:
            self.holds = found.vendor.name
        elif found.proposal is not None:
            proposal = found.proposal
            self.holds = proposal.table if proposal.grain == "event" else proposal.grain
        self._take(None if found.vendor else found.proposal)

    def _propose(self) -> None:
        """Propose the columns for what somebody says that the file holds."""
        if self.found is not None and self.holds is not None:
            self._base = Recipe()
            self._take(self._proposal())

    def _proposal(self) -> Proposal | None:
        """The columns for what the file is said to hold."""
        if self.found is not None and (self.holds == UNIT or self.holds == SUMMARY):
            return propose(self.found.rows, grain=self.holds)
        if self.found is not None and self.holds in TABLES:
            return propose(self.found.rows, standard(self.holds), "event")
        return None

    def _read_by(self, recipe: Recipe) -> None:
        """Read the file as a recipe says."""
        sheet = recipe.sheet or self.sheet
        if (sheet, recipe.encoding) != (self.sheet, self.encoding):
            self.sheet, self.encoding = sheet, recipe.encoding
            self._again()
        self._base, self.asked = recipe, []
        self.date_order, self.decimal = recipe.date_order, recipe.decimal
        self.timezone, self.experiment = recipe.timezone, recipe.experiment or ""
        self.holds = recipe.vendor or recipe.table or recipe.grain or self.holds
        if recipe.mapping is None:
            self._take(self._proposal())
        else:
            self._choose(recipe.mapping)
            self._settle()

    def _take(self, proposal: Proposal | None) -> None:
        mapping = dict(proposal.mapping) if proposal else {}
        attributes = _named(mapping.pop("attributes", {}))
        personal = self.found.personal or {} if self.found else {}
        kept = {name: column for name, column in attributes.items() if column not in personal}
        self._choose({**mapping, "attributes": kept})
        self._settle()

    def _choose(self, mapping: dict[str, Any]) -> None:
        mapping = dict(mapping)
        self.attributes = _named(mapping.pop("attributes", {}))
        self.outcomes = _named(mapping.pop("outcomes", {}))
        self.items = _named(mapping.pop("items", {}))
        scale = mapping.pop("scale", None)
        self.scale = scale if isinstance(scale, str) else None
        self.mapping = {name: value for name, value in mapping.items() if name not in _OPTIONS}

    def _settle(self) -> None:
        self.edited = False
        self._try()
        self.proposals += 1

    def _edit(self) -> None:
        self.edited = True
        self._try()

    def _try(self) -> None:
        """Read the first rows in the way that is chosen."""
        self.trial, self.lack = None, None
        if self.found is None or self._source is None or self.holds in (None, EACH):
            return
        try:
            self.trial = attempt(self._source, self.chosen(), timezone=self.project.settings.timezone)
        except WorkbenchError as error:
            self.lack = error.message
            return
        left_open = {question.id for question in self.trial.questions}
        self.asked = [name for name in QUESTIONS if name in left_open or name in self.asked]

    # --- what is chosen ---------------------------------------------------------------------------------

    def columns(self) -> list[Column]:
        """The columns that what the file holds may have, those it must have first."""
        if self.holds in _REQUIRED:
            names = _UNIT_COLUMNS if self.holds == UNIT else _SUMMARY_COLUMNS
            return [Column(name, "string", required=name in _REQUIRED[self.holds]) for name in names]
        if self.holds in TABLES:
            return sorted(standard(self.holds).columns, key=lambda column: not column.required)
        return []

    @property
    def vendor(self) -> Vendor | None:
        """The vendor as whose export the file is read."""
        return known_vendors().get(self.holds or "")

    @property
    def takes_attributes(self) -> bool:
        """Whether further columns of the file can be kept."""
        return self.holds in (UNIT, SUMMARY) or (self.holds in TABLES and TABLES[self.holds].attributes)

    @property
    def takes_items(self) -> bool:
        """Whether cells of several columns can become a row each."""
        return self.holds in _WITH_ITEMS

    @property
    def takes_experiment(self) -> bool:
        """Whether the rows belong to an experiment that no column names."""
        named = {"experiment", "experience_id"} & set(self.mapping)
        return self.holds in (UNIT, SUMMARY, "exposures") and not named

    def choose(self, column: str, source: str | None) -> None:
        """Say which column of the file a standard column is."""
        with self.working():
            mapping = {name: value for name, value in self.mapping.items() if name != column}
            self.mapping = {**mapping, column: source} if source else mapping
            self._edit()

    def measure(self, sources: Sequence[str]) -> None:
        """Say which columns of the file are outcomes of a customer."""
        with self.working():
            known = {source: name for name, source in self.outcomes.items()}
            self.outcomes = {known.get(source) or plain_name(source): source for source in sources}
            self._edit()

    def ask(self, sources: Sequence[str]) -> None:
        """Say which columns of the file hold answers, or rates, each of which becomes a row."""
        with self.working():
            known = {source: name for name, source in self.items.items()}
            self.items = {known.get(source) or source: source for source in sources}
            self._edit()

    def keep(self, sources: Sequence[str]) -> None:
        """Say which further columns of the file are kept as they are."""
        with self.working():
            known = {source: name for name, source in self.attributes.items()}
            self.attributes = {known.get(source) or source: source for source in sources}
            self._edit()

    def chosen(self) -> Recipe:
        """How the file is to be read.

        Raises:
            DataError: when it is not said what one row of it is, or there is no such time zone.
        """
        if self.holds is None:
            raise DataError("Say what one row of the file is.")
        if self.timezone and self.timezone not in available_timezones():
            raise DataError("There is no time zone “{zone}”; choose one of the list.", zone=self.timezone)
        manner = {
            "experiment": self.experiment.strip() or None if self.takes_experiment else None,
            "timezone": self.timezone,
            "date_order": self.date_order,
            "decimal": self.decimal,
            "encoding": self.encoding,
            "sheet": None if self.sheet == self._first_sheet else self.sheet,
        }
        if self.holds == EACH or self.vendor is not None:
            return Recipe(vendor=self.vendor.name if self.vendor else None, **manner)
        event = self.holds not in (UNIT, SUMMARY)
        known = self._base.mapping or {}
        mapping: dict[str, Any] = {
            **{name: rule for name, rule in known.items() if name in (*_OPTIONS, "scale")},
            **self.mapping,
        }
        if self.outcomes and self.holds == UNIT:
            mapping["outcomes"] = dict(self.outcomes)
        if self.items and self.takes_items:
            mapping["items"] = dict(self.items)
        if self.attributes and self.takes_attributes:
            mapping["attributes"] = dict(self.attributes)
        if self.scale or isinstance(mapping.get("scale"), str):
            mapping["scale"] = self.scale
        return self._base.model_copy(
            update={
                **manner,
                "table": self.holds if event else None,
                "grain": "event" if event else self.holds,
                "mapping": mapping,
            }
        )


def _named(columns: Any) -> dict[str, str]:
    return dict(columns) if isinstance(columns, dict) else {name: name for name in columns}
