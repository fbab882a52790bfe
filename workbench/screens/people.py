"""One person in a project: everything that is known of them as a file, or their end in it; and who asked."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from traitlets import Bool, Instance, List, Unicode

from workbench.errors import WorkbenchError
from workbench.locale import say
from workbench.project import Project
from workbench.screens.inbox import Sent
from workbench.screens.state import Guarded
from workbench.screens.work import Turn
from workbench.tables.privacy.access import Access

_ENTRIES = 20


class PeopleState(Guarded):
    """What can be asked about one person.

    Args:
        project: The project.
        changed: Called when somebody was erased.
        writing: Says whether the tables are being written, so that nobody can be erased.

    Attributes:
        identifier: Theirs, as the files that were loaded have it.
        confirming: Whether they are about to be erased.
        entries: Who did what with people's data, newest first.
    """

    identifier = Unicode("")
    confirming = Bool(False)
    entries = List(Instance(Access))

    def __init__(
        self, project: Project, changed: Callable[[], None], writing: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__()
        self.project = project
        self._changed = changed
        self._writing = writing
        self.observe(lambda _: setattr(self, "confirming", False), "identifier")

    def look(self) -> None:
        """Read the access log."""
        with self.working():
            self._look()

    def _look(self) -> None:
        self.entries = self.project.people.access.entries()[0][: -_ENTRIES - 1 : -1]

    def export(self) -> Sent | None:
        """All that there is about the person, CSV files in a zip file; None when that cannot be had."""
        made = None
        with self.working(), tempfile.TemporaryDirectory(prefix="workbench-person-") as private:
            folder = Path(private) / "person"
            found = self.project.people.export(self.identifier.strip(), folder)
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in sorted(folder.iterdir()):
                    archive.write(file, file.name)
            made = "person.zip", packed.getvalue()
            self.notice = say("Tables with rows of this person: {tables:listing}.", tables=sorted(found))
            self._look()
        return made

    def ask(self) -> None:
        """Make sure that the person is to be erased."""
        if self.identifier.strip():
            self.problem = self.notice = None
            self.confirming = True

    def leave(self) -> None:
        """Do not erase the person."""
        self.confirming = False

    def erase(self) -> None:
        """Erase the person; only after `ask`."""
        if not self.confirming or self.busy:
            return
        self.confirming = False
        identifier = self.identifier.strip()

        def erase(_turn: Turn) -> dict[str, int]:
            if self._writing():
                raise WorkbenchError("Files are being loaded; erase the person when that has ended.")
            return self.project.people.erase(identifier)

        self.wait_for(erase, self._erased, ends=False)

    def _erased(self, gone: dict[str, int] | None) -> None:
        if gone is None:
            return
        self.identifier = ""
        if gone:
            parts = [say("{n:count} of {table}", n=rows, table=name) for name, rows in gone.items()]
            self.notice = say("Rows that were erased for good: {parts:listing}.", parts=parts)
        else:
            self.notice = say("Nothing was known of that person; they will be left out of later files.")
        self._look()
        self._changed()
