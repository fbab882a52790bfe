"""The people in a project: whom a pseudonym stands for, what is kept of them, and who asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from workbench import storage
from workbench.errors import DataError, ProjectError
from workbench.store import Store
from workbench.tables.privacy.access import AccessLog
from workbench.tables.privacy.erasure import (
    ErasedList,
    erased_mark,
    find_person,
    person_ids,
    person_rows,
    without_person,
)
from workbench.tables.privacy.keys import read_key
from workbench.tables.privacy.pseudonyms import pseudonym
from workbench.tables.privacy.retention import (
    Due,
    Processing,
    oldest_rows,
    read_processing,
    retention_due,
    without_older,
)
from workbench.tables.privacy.scored import ScoreTables
from workbench.team import Team


class People:
    """The people in the tables of a project.

    Args:
        folder: The project's folder.
        store: Its tables.
        project_id: Names the key of its pseudonyms.
        fingerprint: Tells whether a key is the right one.
        elsewhere: Deletes a person, by the identifier that a database has, from a table of scores there and
            says how many rows there were; None when the tables are in the folder.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        project_id: str,
        fingerprint: str,
        elsewhere: Callable[[str, str], int] | None = None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._id = project_id
        self._fingerprint = fingerprint
        self._elsewhere = elsewhere

    @property
    def access(self) -> AccessLog:
        """Who did what with people's data."""
        return AccessLog(self._folder)

    @property
    def erased(self) -> ErasedList:
        """The people who may not come back."""
        return ErasedList(self._folder)

    @property
    def scores(self) -> ScoreTables:
        """Tables of scores that were written."""
        return ScoreTables(self._folder)

    def key(self) -> bytes:
        """The key of the pseudonyms.

        Raises:
            ProjectError: when it is not on this computer, or is not the right one.
        """
        if not self._id:
            raise ProjectError(
                "{path} has no id, which names the key of its pseudonyms; make a new project and load its"
                " files.",
                path=str(self._folder / "project.toml"),
            )
        return read_key(self._id, self._folder, self._fingerprint)

    def export(self, identifier: str, folder: str | Path) -> dict[str, int]:
        """Write all that there is about one person as CSV files, one a table.

        Args:
            identifier: Theirs, as the files that were loaded have it.
            folder: Where to; it must not exist or be empty.

        Returns:
            Table → rows.

        Raises:
            DataError: when nothing is known of that person.
            ProjectError: when the folder holds something or cannot be written.
        """
        import pyarrow.csv as csv

        Team(self._folder).check("erase")
        key, place = self.key(), Path(folder)
        person = self._person(key, identifier)
        files = self._store.files()
        found = person_rows(files, person) | self.scores.rows_about(person_ids(files, person))
        if not found:
            raise _nobody()
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise ProjectError("{path} is not an empty folder; choose a new one.", path=str(place))
        self.access.add("export", person=erased_mark(key, person))
        with storage.disk_errors(place):
            place.mkdir(parents=True, exist_ok=True)
            for name, rows in found.items():
                csv.write_csv(rows, place / f"{name}.csv")
        return {name: rows.num_rows for name, rows in found.items()}

    def erase(self, identifier: str) -> dict[str, int]:
        """Erase one person from all tables and caches, for good: files loaded later leave them out.

        Of tables in a database only those of scores that were written from here are changed.

        Args:
            identifier: Theirs, as the files that were loaded have it.

        Returns:
            Table → rows that are no longer there; empty when nothing was known of that person, who then is
            left out of later files all the same.

        Raises:
            DataError: when a database does not let them be erased from a table of scores; nothing in the
                project was erased then.
        """
        Team(self._folder).check("erase")
        key = self.key()
        person = self._person(key, identifier)
        gone = self._erased_elsewhere(identifier.strip(), erased_mark(key, person))
        with self._store.draft() as draft:
            files = self._store.files()
            self.access.add("erase", person=erased_mark(key, person))
            named = find_person(files, person)
            self.erased.add(key, named.marked)
            gone |= self.scores.without(named.ids)
            rewritten = without_person(files, person)
            draft.replace_parts(rewritten)
            draft.forget_unnamed()
            for one in rewritten:
                gone[one.table] = gone.get(one.table, 0) + one.left_out
        return gone

    def _erased_elsewhere(self, identifier: str, mark: str) -> dict[str, int]:
        """Table of scores in a database → rows of a person that are no longer there."""
        if self._elsewhere is None:
            return {}
        gone = {}
        for name in set(self.scores.names()) - self.scores.files().keys():
            self.access.add("erase", person=mark, table=name)
            rows = self._elsewhere(name, identifier)
            if rows:
                gone[name] = rows
        return gone

    def processing(self) -> dict[str, Processing]:
        """Table → for what, on what ground and for how long it is kept, as `processing.toml` says."""
        return read_processing(self._folder / "processing.toml")

    def due(self, now: datetime | None = None) -> list[Due]:
        """Tables with rows that are older than they may be.

        Args:
            now: UTC without a zone; the present when None.
        """
        records = self.processing()
        if not records:
            return []
        now = now or datetime.now(UTC).replace(tzinfo=None)
        return retention_due(records, oldest_rows(self._store.files()), now)

    def remove_due(self, now: datetime | None = None) -> dict[str, int]:
        """Remove what is older than it may be, for good.

        Returns:
            Table → rows that are no longer there.
        """
        Team(self._folder).check("erase")
        gone: dict[str, int] = {}
        for due in self.due(now):
            with self._store.draft() as draft:
                self.access.add("erase", table=due.table, before=due.limit.isoformat())
                rewritten = without_older(self._store.files(), due.table, due.limit)
                draft.replace_parts(rewritten)
                draft.forget_unnamed()
                for one in rewritten:
                    gone[one.table] = gone.get(one.table, 0) + one.left_out
        return gone

    def _person(self, key: bytes, identifier: str) -> int:
        person = pseudonym(key, identifier)
        if person is None:
            raise _nobody()
        return person


def _nobody() -> DataError:
    return DataError("Nothing is known of that person here; give the identifier as the loaded files have it.")
