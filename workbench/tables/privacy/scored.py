"""Tables of scores that somebody had written, so that whoever is erased afterwards is erased there too.

scores.json        which tables there are; for those in the project, the file each is in now
scores/            these files (Parquet), never changed once written
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from workbench import storage
from workbench.errors import ProjectError, WorkbenchError
from workbench.tables.privacy.rewriting import Choice, chosen_rows, rewrite
from workbench.tables.schema import TABLES

_KEEP_SECONDS = 3600.0  # what was replaced, for readers that began before
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COLUMN = "customer_id"


class ScoreTables:
    """The tables of scores of one project, in its folder or in a database.

    Args:
        project: The project's folder.
    """

    def __init__(self, project: Path) -> None:
        self._file = project / "scores.json"
        self._folder = project / "scores"

    def names(self) -> list[str]:
        """Their names, those of a database perhaps with their schema."""
        return sorted(self._known())

    def files(self) -> dict[str, list[Path]]:
        """The file of each table that is in the project."""
        return {name: [self._folder / file] for name, file in self._known().items() if file}

    def check(self, name: str) -> None:
        """Raise a `WorkbenchError` when a table in the project cannot have that name."""
        check_name(name, name)
        if not _NAME.fullmatch(name):
            raise WorkbenchError(
                "A table cannot be called “{table}”; use letters, digits and underscores, and begin with a "
                "letter.",
                table=name,
            )

    def write(self, name: str, write: Callable[[Path], object]) -> Path:
        """Let `write` make a Parquet file for a table; it is not in force before `keep`.

        Raises:
            ProjectError: when the folder cannot be written.
        """
        with storage.disk_errors(self._folder):
            self._folder.mkdir(exist_ok=True)
        return storage.add_by_content(self._folder, name, ".parquet", write)[0]

    def keep(self, name: str, file: Path | None = None) -> None:
        """Say that there is this table, in this file of the project; None when it is in a database.

        The caller holds the project's lock.
        """
        self._save({**self._known(), name: file.name if file else None})
        if file:
            storage.sweep(self._folder, self._named(), _KEEP_SECONDS)

    def forget(self, name: str) -> None:
        """Take a table in a database out of the list; the caller holds the project's lock."""
        self._save({known: file for known, file in self._known().items() if known != name})

    def rows_about(self, ids: Collection[int]) -> dict[str, pa.Table]:
        """The rows of people, by table; tables in a database are left out."""
        found = {name: chosen_rows(files, [_COLUMN], _naming(ids)) for name, files in self.files().items()}
        return {name: rows for name, rows in found.items() if rows is not None}

    def without(self, ids: Collection[int]) -> dict[str, int]:
        """Erase people from the tables in the project, for good.

        The caller holds the project's lock.

        Returns:
            Table → rows that are no longer there.
        """
        known, gone = self._known(), {}
        for name, files in self.files().items():
            for made in rewrite(name, files, [_COLUMN], _naming(ids)):
                known[name] = made.new.name
                gone[name] = made.left_out
        if gone:
            self._save(known)
        if self._folder.is_dir():
            storage.sweep(self._folder, self._named(), -1.0)
        return gone

    def _named(self) -> set[str]:
        return {file for file in self._known().values() if file}

    def _known(self) -> dict[str, str | None]:
        try:
            return dict(json.loads(self._file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError) as error:
            raise ProjectError(
                "{path} is damaged: put a copy of it in its place, or erased people would stay in the tables "
                "that it names.",
                path=str(self._file),
            ) from error

    def _save(self, known: dict[str, str | None]) -> None:
        storage.write_text(self._file, json.dumps(known, indent=1, sort_keys=True))


def check_name(table: str, name: str) -> None:
    """Raise a `WorkbenchError` when the last part `name` of a table is that of one of the standard tables."""
    if name in TABLES:
        raise WorkbenchError(
            "“{table}” is the name of a table that is read; choose another for the scores.", table=table
        )


def _naming(ids: Collection[int]) -> Choice:
    wanted = pa.array(sorted(ids), pa.int64())
    return lambda rows: pc.is_in(rows[_COLUMN], value_set=wanted.cast(rows[_COLUMN].type))
