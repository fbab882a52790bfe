"""Files wherever they lie: in a folder, packed with gzip, or inside a zip file.

A file in a zip file is called by a path that walks into it, `exports.zip/2026/orders.csv`. It is read where
it is: nothing is ever unpacked onto the disk, so no name in an archive can lead out of it.
"""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from glob import glob, has_magic
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast
from urllib.parse import unquote

from workbench.errors import DataError

UNPACKED_AT_MOST: Final = 32 << 30
"""Bytes that the files of an archive may have together, unpacked."""

WHOLE_AT_MOST: Final = 2 << 30
"""Bytes of a packed file that has to be held in memory as a whole (Parquet, workbooks)."""

ENDINGS: Final = (
    *(".gz", ".zip", ".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".parquet"),
    *(".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"),
)
_NO_TABLES = (
    *(".crc", ".md", ".pdf", ".doc", ".docx", ".html", ".htm", ".xml", ".png", ".jpg", ".jpeg", ".gif"),
    *(".svg", ".py", ".sql", ".ipynb", ".log", ".ini", ".toml", ".yaml", ".yml", ".db"),
)
_HIDDEN = (".", "_", "~$")
_GZIP, _ZIP = b"\x1f\x8b", b"PK"
_NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def stem(path: Path) -> str:
    """A file's name without the endings that say what kind it is.

    >>> stem(Path("orders.2026.csv.gz"))
    'orders.2026'
    """
    while path.suffix.lower() in ENDINGS:
        path = path.with_suffix("")
    return path.name


@contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], Callable[[], float]]]:
    """A file's bytes, unpacked when they are packed with gzip, and the share of it that has been read.

    Raises:
        DataError: when there is no such file.
    """
    place, member = _place(path)
    with ExitStack() as stack:
        if member is None:
            file: IO[bytes] = stack.enter_context(place.open("rb"))
            size = place.stat().st_size
        else:
            file = stack.enter_context(stack.enter_context(zipfile.ZipFile(place)).open(member))
            size = member.file_size
        packed = file.peek(2)[:2] == _GZIP  # type: ignore[attr-defined]  # both kinds of file can peek
        plain = cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=file))) if packed else file
        yield plain, lambda: file.tell() / max(1, size)


def _place(path: Path) -> tuple[Path, zipfile.ZipInfo | None]:
    """The file on the disk, and the one inside it when it is a zip file that the path walks into."""
    if path.exists():
        return path, None
    for archive in path.parents:
        if is_archive(archive):
            member = members(archive).get(path.relative_to(archive).as_posix())
            if member is not None:
                return archive, member
    raise DataError("There is no file {file}.", file=str(path))


def blocks(path: Path, size: int) -> Iterator[tuple[bytes, float]]:
    """The file's bytes, about `size` at a time, each with the share of the file that has been read then."""
    with opened(path) as (file, share):
        while block := file.read(size):
            yield block, share()


def whole(path: Path) -> bytes:
    """All bytes of a file that has to be in memory at once.

    Raises:
        DataError: when they are too many.
    """
    with opened(path) as (file, _):
        data = file.read(WHOLE_AT_MOST + 1)
    if len(data) > WHOLE_AT_MOST:
        raise DataError(
            "{file} has more than {limit:count} MB; unpack it first.",
            file=path.name,
            limit=WHOLE_AT_MOST >> 20,
        )
    return data


def on_disk(path: Path) -> bool:
    """Whether the path is a file of the disk that is not packed."""
    return path.is_file() and _begin(path) != _GZIP


def _begin(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(2)


def members(archive: Path) -> dict[str, zipfile.ZipInfo]:
    """The files in a zip file by their names.

    Raises:
        DataError: when the archive is damaged or locked, would unpack to too much, or has names that lead out
            of it.
    """
    return _members(archive, archive.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _members(archive: Path, changed: int) -> dict[str, zipfile.ZipInfo]:
    """What `members` gives, looked up once for an archive that was last changed then."""
    try:
        with zipfile.ZipFile(archive) as packed:
            infos = [info for info in packed.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError("{file} is damaged: it cannot be unpacked.", file=archive.name) from error
    if sum(info.file_size for info in infos) > UNPACKED_AT_MOST:
        raise DataError(
            "{file} would unpack to more than {limit:count} GB; unpack the files you need from it first.",
            file=archive.name,
            limit=UNPACKED_AT_MOST >> 30,
        )
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        if info.flag_bits & 1:
            raise DataError(
                "{file} is protected by a password; unpack it and choose the files in it.", file=archive.name
            )
        place = PurePosixPath(info.filename)
        if place.is_absolute() or ".." in place.parts or re.search(r"[\\:]", info.filename):
            raise DataError(
                "{file} holds a file whose name leads out of it, {name}; pack it anew.",
                file=archive.name,
                name=info.filename,
            )
        if place.as_posix() in found:
            raise DataError(
                "{file} holds two files called {name}; pack it anew.", file=archive.name, name=info.filename
            )
        found[place.as_posix()] = info
    return found


def is_archive(path: Path) -> bool:
    """Whether this is a zip file of files, rather than a workbook, which is a zip file too."""
    if not path.is_file() or _begin(path) != _ZIP or not zipfile.is_zipfile(path):
        return False
    return not is_workbook(members(path))


def is_workbook(names: Iterable[str]) -> bool:
    """Whether these are the names of the files that a workbook is made of."""
    names = set(names)
    return "[Content_Types].xml" in names or {"mimetype", "content.xml"} <= names


def expand(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """The files that are meant by a file, a folder, a zip file, a pattern (`events_2026*.csv`), or several.

    They come in the order a person would put them, `part-2` before `part-10`, each once. In folders and
    archives what is hidden (`.crc`, `_SUCCESS`), empty, or of a kind that holds no tables is passed over.

    Raises:
        DataError: when one of them names nothing.
    """
    asked = [paths] if isinstance(paths, str | Path) else list(paths)
    if not asked:
        raise DataError("No file was named.")
    return list(dict.fromkeys(file for one in asked for file in _expanded(Path(one).expanduser())))


def _expanded(path: Path) -> list[Path]:
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.is_file() and _shown(file.relative_to(path))]
        found = [file for file in found if file.stat().st_size]
        if not found:
            raise DataError("There are no files with data in the folder {folder}.", folder=str(path))
    elif is_archive(path):
        names = members(path)
        found = [path / name for name, info in names.items() if info.file_size and _shown(Path(name))]
        if not found:
            raise DataError("There are no files with data in {file}.", file=path.name)
    elif not path.exists() and has_magic(str(path)):
        found = [Path(name) for name in glob(str(path), recursive=True)]
        if not found:
            raise DataError("No file is called {pattern}.", pattern=str(path))
        found.sort(key=_natural)
        return [file for one in found for file in _expanded(one)]
    else:
        _place(path)
        return [path]
    found.sort(key=_natural)
    return [file for one in found for file in (_expanded(one) if is_archive(one) else [one])]


def _shown(path: Path) -> bool:
    """Whether a file in a folder may hold a table, by its names."""
    return path.suffix.lower() not in _NO_TABLES and not any(
        part.startswith(_HIDDEN) and "=" not in part for part in path.parts
    )


def _natural(path: Path) -> list[list[str | int]]:
    """A key that puts `part-2` before `part-10`."""
    parts = [re.split(r"(\d+)", part.casefold()) for part in path.parts]
    return [[int(piece) if place % 2 else piece for place, piece in enumerate(pieces)] for pieces in parts]


def folder_keys(path: Path) -> dict[str, str | None]:
    """What the folders right above a file say of its rows, as Hive writes it.

    >>> folder_keys(Path("export/type=decisions/date=2026-01-01/part-0.parquet"))
    {'type': 'decisions', 'date': '2026-01-01'}
    """
    keys: dict[str, str | None] = {}
    for folder in path.parents:
        name, mark, value = folder.name.partition("=")
        if not mark or not name:
            break
        keys[unquote(name)] = None if value == _NO_PARTITION else unquote(value)
    return dict(reversed(keys.items()))
