"""Where files lie that were sent through the page, until they are loaded or the page is gone.

However the process of a page ends, its copies go with it: a second process waits for that end, which no kill
can keep from it, and removes the folder.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from workbench import storage

Sent = tuple[str, bytes]
"""A file that is sent from or to the page: its name and its content."""

_GUARD = "import shutil, sys; sys.stdin.buffer.read(); shutil.rmtree(sys.argv[1], ignore_errors=True)"


class Inbox:
    """A private folder for the files that were sent."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._lent = False

    def put(self, files: Sequence[Sent]) -> list[Path]:
        """Keep files that were sent together; only the last part of their names is used.

        Raises:
            ProjectError: when the disk is full.
        """
        folder = Path(tempfile.mkdtemp(dir=self._made()))
        places = [folder / (Path(name).name or "file") for name, _ in files]
        with storage.disk_errors(folder):
            for place, (_, content) in zip(places, files, strict=True):
                place.write_bytes(content)
        return places

    def __contains__(self, file: Path) -> bool:
        return self._folder is not None and file.is_relative_to(self._folder)

    def keep_only(self, files: Collection[Path]) -> None:
        """Remove all that was sent but what was sent together with one of these."""
        for folder in self._folder.iterdir() if self._folder and self._folder.is_dir() else ():
            if not any(file.is_relative_to(folder) for file in files):
                shutil.rmtree(folder, ignore_errors=True)

    def keep(self) -> tuple[int, ...]:
        """Numbers of open files: the copies stay as long as a process that holds them, too."""
        if self._guard is None or self._guard.stdin is None:
            return ()
        self._lent = True
        return (self._guard.stdin.fileno(),)

    def _made(self) -> Path:
        if self._folder is None or not self._folder.is_dir():
            self._folder = Path(tempfile.mkdtemp(prefix="workbench-upload-"))
            # its input is a pipe from this process: it ends when this one does
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _GUARD, str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self._folder

    def __del__(self) -> None:
        if self._guard is not None:
            if self._guard.stdin is not None:
                self._guard.stdin.close()
            if not self._lent:
                self._guard.wait()
