"""What a project uses and for what, who collected its columns, and the tools that bring them.

Looking over a project takes a while, so it goes on in the background; what is set here takes effect at once.
"""

from __future__ import annotations

import json
from typing import Any

from traitlets import Bool, Instance, List, Unicode

from workbench.analyses import data_sheet, tools
from workbench.analyses import provenance as reliances
from workbench.analyses.data_sheet import DataSheet
from workbench.analyses.provenance import Origin, Reliance
from workbench.analyses.tools import Inventory
from workbench.errors import WorkbenchError
from workbench.locale import Texts, say
from workbench.project import Project
from workbench.provenance import Origins, Party, Tool, Tools
from workbench.publish import data_sheet as words
from workbench.records import Check
from workbench.screens import titles
from workbench.screens.inbox import Sent
from workbench.screens.state import ScreenState, worded
from workbench.screens.work import Turn

_FIELDS = ("tool_name", "files", "activates", "owner", "limit", "upgrade")


class DataSheetState(ScreenState):
    """The data sheet, the origins of columns, and the tools.

    Attributes:
        sheet: What the project holds, for what; None while that is not known.
        reliance: What it would lose without third-party data.
        inventory: The tools, held against what is loaded.
        looking: Whether the project is being looked over.
        origins: Who collected each column.
        table: The table whose columns are asked about.
        tool: The tool that is being changed; empty for a new one.
        tool_name: What it is called.
        collects: The tables that it fills.
        files: Patterns of the names of its files, with commas between them.
        activates, owner, limit, upgrade: See `provenance.Tool`.
    """

    sheet = Instance(DataSheet, allow_none=True)
    reliance = Instance(Reliance, allow_none=True)
    inventory = Instance(Inventory, allow_none=True)
    looking = Bool(False)
    origins = List(Instance(Origin))
    table = Unicode("")
    tool = Unicode("")
    tool_name = Unicode("")
    collects = List(Unicode())
    files = Unicode("")
    activates = Unicode("")
    owner = Unicode("")
    limit = Unicode("")
    upgrade = Unicode("")

    def __init__(self, project: Project) -> None:
        self._watched = False
        self._checks: list[Check] | None = None
        super().__init__(project)
        self.observe(lambda _: self._fill(), "tool")

    def refresh(self) -> None:
        super().refresh()
        nothing = say("This project holds nothing yet, so there is nothing to say of it.")
        self.missing = None if self.project.in_place or self.project.manifest() else nothing
        self._checks = None
        self._look_again()

    # --- looking ----------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Say that somebody watches from now on."""
        if not self._watched:
            self._watched = True
            self._look_again()

    def wait(self, seconds: float) -> None:
        """Watch, until the project has been looked over."""
        self.watch()
        self.work.wait(seconds)

    def _look_again(self) -> None:
        if self._watched and self.missing is None:
            self.looking = True
            self.work.ends = False
            self.work.begin(self._look, self._looked, patience=0, thread=True)
        else:  # what is being looked at is no longer there
            self.work.drop()

    def _look(self, _turn: Turn) -> tuple[Any, ...]:
        project = Project.open(self.project.path)  # as it is on disk now
        collected = reliances.origins(project)
        lost = reliances.analyse(project, [one.name for one in collected if one.party == "third"])
        sheet = data_sheet.analyse(project)
        checks = project.checks() if self._checks is None else self._checks
        return collected, lost, sheet, checks, tools.analyse(project, checks)

    def _looked(self, found: tuple[Any, ...] | None, error: Exception | None) -> None:
        if error is not None:
            self.problem = worded(error)
        if found is not None:
            self._checks = found[3]
            self.origins, self.reliance, self.sheet, _, self.inventory = found
            if self.table not in {one.table for one in self.origins}:
                self.table = self.origins[0].table if self.origins else ""
        self.looking = False

    # --- who collected what -----------------------------------------------------------------------------

    def say_origin(self, column: str, party: Party) -> None:
        """Say who collected `table.column`."""
        self._say({column: party})

    def confirm(self) -> None:
        """Say that all that is guessed of the chosen table is right."""
        self._say({one.name: one.party for one in self.origins if one.table == self.table and not one.said})

    def _say(self, parties: dict[str, Party]) -> None:
        with self.working():
            kept = Origins(self.project.path)
            for column, party in parties.items():
                kept[column] = party
            self.origins = [
                Origin(one.table, one.column, parties[one.name], said=True, filled=one.filled)
                if one.name in parties
                else one
                for one in self.origins
            ]
            self.notice = say("Who collected {columns:listing} is written down.", columns=list(parties))
        self._look_again()

    # --- tools ------------------------------------------------------------------------------------------

    @property
    def tools(self) -> list[str]:
        """The tools there are."""
        return [one.name for one in self.inventory.tools] if self.inventory else []

    def _fill(self) -> None:
        """Take the values of the tool that is to be changed."""
        with self.working():
            tool = Tools(self.project.path).get(self.tool, Tool())
            self.tool_name, self.collects = self.tool, list(tool.collects)
            self.files = ", ".join(tool.files)
            for name in ("activates", "owner", "limit", "upgrade"):
                setattr(self, name, getattr(tool, name))

    def save_tool(self) -> None:
        """Keep the tool as it is written now."""
        with self.working():
            name = self.tool_name.strip()
            if not name:
                raise WorkbenchError("The tool needs a name.")
            tool = Tool(
                collects=tuple(self.collects),
                files=tuple(part.strip() for part in self.files.split(",") if part.strip()),
                activates=self.activates.strip(),
                owner=self.owner.strip(),
                limit=self.limit.strip(),
                upgrade=self.upgrade.strip(),
            )
            kept = Tools(self.project.path)
            kept.rename(self.tool or name, name, tool)
            self.notice = say("The tool “{tool}” is written down.", tool=name)
            self._clear()
        self._look_again()

    def delete_tool(self) -> None:
        """Take the tool that is being changed off the list."""
        with self.working():
            del Tools(self.project.path)[self.tool]
            self.notice = say("The tool “{tool}” is off the list.", tool=self.tool)
            self._clear()
        self._look_again()

    def take_suggested(self) -> None:
        """Put the tools on the list of which recipes and file names speak."""
        if self.inventory is None:
            return
        with self.working():
            kept = Tools(self.project.path)
            for name, tool in self.inventory.suggested.items():
                kept.setdefault(name, tool)
            names = list(self.inventory.suggested)
            self.notice = say("On the list now: {tools:listing}.", tools=names)
        self._look_again()

    def _clear(self) -> None:
        self.tool, self.collects = "", []
        for name in _FIELDS:
            setattr(self, name, "")

    # --- files ------------------------------------------------------------------------------------------

    def as_page(self, language: str) -> Sent | None:
        """The sheet as an HTML file in a language; None while it is not known."""
        if self.sheet is None:
            return None
        t = Texts(language, self.project.settings.currency)
        page = words.document(self.sheet, titles(t), t, self.reliance, self.inventory)
        return f"data-sheet-{language}.html", page.encode()

    def as_json(self, language: str) -> Sent | None:
        """The sheet as a JSON file, its sentences in a language; None while it is not known."""
        if self.sheet is None:
            return None
        plain = words.script(self.sheet, Texts(language, self.project.settings.currency))
        return "data-sheet.json", json.dumps(plain, ensure_ascii=False, indent=1).encode()
