"""Files on the computer that runs this: a small browser of its folders."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import traitlets

from workbench.errors import DataError
from workbench.locale import Texts
from workbench.screens.state import Guarded
from workbench.tables.sources.files import ENDINGS

FILES = "WORKBENCH_FILES"
"""The environment variable that names the one folder whose files may be loaded."""

LISTED_AT_MOST = 1000
_HIDDEN = (".", "_", "~$")


@dataclass(frozen=True)
class Item:
    """Something in a folder.

    Attributes:
        name: Its name.
        folder: Whether it is a folder.
        size: Bytes of a file.
        changed: When it was changed last.
    """

    name: str
    folder: bool
    size: int
    changed: datetime


class FolderBrowser(Guarded):
    """Folders to walk through, and files to choose from them.

    Args:
        start: Where to begin, unless the environment names a folder, which then cannot be left.
        choose: Called with what was chosen.

    Attributes:
        place: The folder that is shown.
        items: What is in it, folders first: the files that may hold a table.
        more: How many items are there beyond those listed.
    """

    place = traitlets.Instance(Path)
    items = traitlets.List(traitlets.Instance(Item))
    more = traitlets.Int(0)

    def __init__(self, start: Path, choose: Callable[[Sequence[Path]], None]) -> None:
        super().__init__()
        named = os.environ.get(FILES)
        self.root = Path(named).expanduser().resolve() if named else None
        self._choose = choose
        self.place = self.root or start.expanduser().resolve()
        with self.working():
            self._show(self.place)

    def checked(self, path: str | Path) -> Path:
        """The path, from the folder that is shown if it is not whole.

        Raises:
            DataError: when it leads out of the one folder whose files may be loaded.
        """
        place = self.place / Path(path).expanduser()
        if self.root is not None and not place.resolve().is_relative_to(self.root):
            raise DataError(
                "{path} is outside {folder}, and only files in that folder may be loaded here.",
                path=str(place),
                folder=str(self.root),
            )
        return place

    @property
    def can_go_up(self) -> bool:
        """Whether there is a folder above that may be seen."""
        return self.place != self.root and self.place != self.place.parent

    def open(self, name: str) -> None:
        """Go into a folder."""
        with self.working():
            self._show(self.checked(name).resolve())

    def up(self) -> None:
        """Go to the folder above."""
        if self.can_go_up:
            with self.working():
                self._show(self.place.parent)

    def take(self, names: Sequence[str]) -> None:
        """Choose files of the folder."""
        with self.working():
            places = [self.checked(name) for name in names]
            self._choose(places)

    def take_folder(self) -> None:
        """Choose all files in the folder and below it."""
        self._choose([self.place])

    def _show(self, folder: Path) -> None:
        try:
            with os.scandir(folder) as entries:
                found = [item for entry in entries if (item := _item(entry)) is not None]
        except FileNotFoundError as error:
            raise DataError("There is no folder {folder}.", folder=str(folder)) from error
        except OSError as error:
            raise DataError(
                "The folder {folder} cannot be opened: {reason}.",
                folder=str(folder),
                reason=error.strerror or str(error),
            ) from error
        found.sort(key=lambda item: (not item.folder, _natural(item.name)))
        self.place, self.items = folder, found[:LISTED_AT_MOST]
        self.more = max(0, len(found) - LISTED_AT_MOST)


def _item(entry: os.DirEntry[str]) -> Item | None:
    """What is worth listing: folders, and files that may hold a table."""
    if entry.name.startswith(_HIDDEN) and "=" not in entry.name:
        return None
    try:
        known, folder = entry.stat(), entry.is_dir()
    except OSError:  # a link that leads nowhere
        return None
    suffix = Path(entry.name).suffix.lower()
    if not folder and ((suffix and suffix not in ENDINGS) or not known.st_size):
        return None
    return Item(entry.name, folder, known.st_size, datetime.fromtimestamp(known.st_mtime, UTC))


def _natural(name: str) -> list[str | int]:
    """A key that puts `part-2` before `part-10`."""
    pieces = re.split(r"(\d+)", name.casefold())
    return [int(piece) if place % 2 else piece for place, piece in enumerate(pieces)]


def file_size(size: int, t: Texts) -> str:
    """A size in the unit that suits it.

    >>> file_size(3_400_000, Texts("es")), file_size(512, Texts("en"))
    ('3,4 MB', '512 bytes')
    """
    if size < 1000:
        return t("{n:count} bytes", n=size)
    power = next((power for power in (1, 2) if size < 999.5 * 1000**power), 3)
    return f"{t.number(size / 1000**power, 2)} {('kB', 'MB', 'GB')[power - 1]}"


def chosen_files(files: Sequence[Path], t: Texts) -> tuple[str, str]:
    """What was chosen: the file, or how many there are; and its size, or where they are."""
    if len(files) > 1:
        folder = Path(os.path.commonpath([file.parent for file in files]))
        return t("{n:count} files", n=len(files)), t("in {folder}", folder=folder.name or str(folder))
    (file,) = files
    return file.name, file_size(file.stat().st_size, t) if file.is_file() else ""
