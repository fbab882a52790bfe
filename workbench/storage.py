"""Files that are either the old ones or the new ones, never something in between.

A file is written beside its place under a temporary name, forced to disk, and renamed over the old one
(`os.replace` is atomic on one file system). What can go wrong on a disk becomes one sentence.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from workbench.errors import ProjectError

TEMPORARY = ".part"
_LOCK_SECONDS = 60.0


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path; what was written there takes the place of `path` when the block ends well.

    Raises:
        ProjectError: when the disk is full, the folder cannot be written or is not there; `path` is then
            what it was before.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with disk_errors(path):
            yield temporary
            _force_to_disk(temporary)
            os.replace(temporary, path)
            _force_to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def add_by_content(folder: Path, stem: str, suffix: str, write: Callable[[Path], object]) -> tuple[Path, str]:
    """Let `write` make a file and put it into `folder` under a name that holds the hash of its bytes.

    Returns:
        The file and its hex SHA-256.
    """
    temporary = folder / f"{stem}.{os.getpid()}{TEMPORARY}"
    try:
        with disk_errors(folder):
            write(temporary)
            _force_to_disk(temporary)
            digest = sha256_of(temporary)
            place = folder / f"{stem}-{digest[:12]}{suffix}"
            os.replace(temporary, place)
            _force_to_disk(folder)
    finally:
        temporary.unlink(missing_ok=True)
    return place, digest


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into sentences about `path`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ProjectError(
                "The disk is full: {path} could not be written and is as it was; make room and try again.",
                path=str(path),
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise ProjectError(
                "{path} cannot be written: the folder is read-only for you; change that or use another.",
                path=str(path),
            ) from error
        raise ProjectError(
            "{path} could not be written and is as it was: {reason}.",
            path=str(path),
            reason=error.strerror or str(error),
        ) from error


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Let one writer at a time into `folder`; readers need no lock.

    Raises:
        ProjectError: when another process has been writing for a minute.
    """
    guard = FileLock(str(folder / ".lock"), timeout=_LOCK_SECONDS)
    try:
        with disk_errors(folder):
            guard.acquire()
    except Timeout as error:
        raise ProjectError(
            "Another process is writing to {folder}; wait for it to end and try again.", folder=str(folder)
        ) from error
    try:
        yield
    finally:
        guard.release()


def sweep(folder: Path, keep: set[str], older_than_seconds: float) -> None:
    """Remove files of `folder` that nobody names any more, once no reader can still need them."""
    limit = time.time() - older_than_seconds
    for file in folder.iterdir():
        if file.is_file() and file.name not in keep and file.stat().st_mtime < limit:
            file.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _force_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # some file systems cannot force a folder to disk; a file must be
        if error.errno != errno.EINVAL or path.is_file():
            raise
    finally:
        os.close(handle)
