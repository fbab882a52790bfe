"""The digest on the home: what has moved, as a file for the team."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Literal

from traitlets import Instance

from workbench.errors import ProjectError
from workbench.locale import Message, say
from workbench.project import Project
from workbench.publish import digest
from workbench.publish.digest_sheet import digest_document, file_name, verdict
from workbench.publish.pdf import sheet_pdf
from workbench.screens.inbox import Sent
from workbench.screens.state import Guarded
from workbench.screens.work import Turn


class DigestState(Guarded):
    """What is asked of a digest.

    Attributes:
        since: The first day that is told of; None for all that came after the last digest.
    """

    since = Instance(date, allow_none=True)

    def __init__(self, project: Project) -> None:
        super().__init__()
        self._project = project

    @property
    def begins(self) -> Message:
        """From when on it tells what moved, where no day is chosen."""
        try:
            last = digest.last(self._project)
        except ProjectError as error:
            return error.message
        if last is None:
            return say("No day chosen: everything so far, since there has been no digest before today.")
        local = digest.local(self._project, last).date()
        return say("No day chosen: everything since the last digest, of {day:date}.", day=local)

    def make(
        self, ending: Literal["html", "pdf"], language: str, take: Callable[[Sent | None], None]
    ) -> None:
        """Make the file; the page goes on meanwhile, and what was being made for it before is not.

        Args:
            ending: What kind of file.
            language: In which it is read first.
            take: Takes it; None where it could not be made.
        """
        if self.busy:
            self._taken(None)
            self.drop()
        since = self.since

        def made(turn: Turn) -> tuple[Message, Sent]:
            turn.tell(doing=say("Looking for what has moved …"))
            project = Project.open(self._project.path)  # a connection to the tables is for one thread
            found = digest.digest(project, since)
            content = digest_document(project, found, language)
            sent = content.encode()
            if ending == "pdf":
                turn.tell(doing=say("Printing the page …"))
                sent = sheet_pdf(content, project.path, language=language)
            digest.remember(project, found, aside=since is not None)
            return verdict(project, found), (file_name(project, found, ending), sent)

        def handed(found: tuple[Message, Sent] | None) -> None:
            self.notice = None if found is None else found[0]
            take(None if found is None else found[1])

        self.notice = None
        self.wait_for(made, handed)
