"""Work that goes on when its page is closed: a process of its own, found again by what was asked.

A page ends with its tab. What takes minutes, a load of large files or a confirmation by PyMC, is done by
`python -m workbench.screens.apart PROJECT NAME`, which outlives it. Both sides meet in files of the project's
folder `work/`, named by the hash of what is asked:

    NAME.json    what is asked
    NAME.lock    held by the process as long as it lives
    NAME.state   how far it is, and whether it has ended
    NAME.result  what came of it, until a page takes it
    NAME.stop    made by whoever wants it to end

Whoever asks the same again, or comes back, follows what is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from workbench import storage
from workbench.engines.cancelling import Cancel, under
from workbench.errors import Cancelled, ProjectError, WorkbenchError
from workbench.project import Project
from workbench.records.base import message
from workbench.screens.work import Turn

_EVERY = 0.3  # seconds between two looks at the files of the other side
_STARTS = 60.0  # seconds until a process that was started holds its lock, at the latest
_LINGERS = 10.0  # seconds for which a page that is there takes all of the result

type Tell = Callable[[float], None]


def name_of(kind: str, asked: Mapping[str, Any]) -> str:
    """The name of the work that is asked for."""
    content = json.dumps([kind, asked], sort_keys=True).encode()
    return f"{kind}-{hashlib.sha256(content).hexdigest()[:24]}"


def standing(project: Path, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Work of a kind that goes on or has ended and was not taken yet: its name and what was asked."""
    found = []
    for file in sorted((project / "work").glob(f"{kind}-*.json")):
        try:
            found.append((file.stem, json.loads(file.read_text(encoding="utf-8"))["asked"]))
        except (OSError, ValueError, KeyError):
            continue
    return found


def follow(
    project: Path, kind: str, asked: Mapping[str, Any], turn: Turn, keep_open: Sequence[int] = ()
) -> str:
    """Have work done apart, or follow it where that is being done; gives what came of it, as JSON.

    Args:
        project: The project's folder.
        kind: A name of `_KINDS`.
        asked: What is asked, ready for JSON.
        turn: Is told how far it is; its `cancel` ends it. When the page is gone the work goes on.
        keep_open: Numbers of open files that the process holds, too.

    Raises:
        Cancelled: when it was stopped.
        WorkbenchError: what went wrong there.
        ProjectError: when it ended without a word.
    """
    name = name_of(kind, asked)
    place = project / "work" / name
    if not place.with_suffix(".json").exists():
        place.parent.mkdir(exist_ok=True)
        storage.write_text(place.with_suffix(".json"), json.dumps({"kind": kind, "asked": asked}))
        subprocess.Popen(
            [sys.executable, "-m", "workbench.screens.apart", str(project.resolve()), name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )
    turn.began(_age(place))
    while not turn.closed:
        state = _read(place.with_suffix(".state"))
        if state.get("ended"):
            return _taken(place, state)
        if not _lives(place):
            if _read(place.with_suffix(".state")).get("ended"):  # between the two looks
                continue
            if not place.with_suffix(".json").exists():
                raise ProjectError("What was going on here has ended, and another page has shown it.")
            _forget(place)
            raise ProjectError(
                "What was going on here ended before it was done, and nothing has changed; begin it again."
            )
        if "share" in state:
            turn.tell(state["share"])
        if turn.cancel.wait(_EVERY):
            place.with_suffix(".stop").touch()
            time.sleep(_EVERY)
    raise Cancelled("The page is closed.")  # nobody hears it


def _taken(place: Path, state: Mapping[str, Any]) -> str:
    problem = state.get("problem")
    try:
        if state.get("cancelled"):
            raise Cancelled("Stopped; nothing has changed.")
        if problem is not None:
            raise WorkbenchError(message(problem))
        return place.with_suffix(".result").read_text(encoding="utf-8")
    finally:
        _forget(place)


def _forget(place: Path) -> None:
    for ending in (".json", ".state", ".result", ".stop", ".lock"):
        place.with_suffix(ending).unlink(missing_ok=True)


def _lives(place: Path) -> bool:
    """Whether the process is there, or about to be."""
    lock = FileLock(str(place.with_suffix(".lock")), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    there = place.with_suffix(".json").exists() and not place.with_suffix(".state").exists()
    return there and _age(place) < _STARTS


def _age(place: Path) -> float:
    """Seconds since it was begun."""
    try:
        return max(0.0, time.time() - place.with_suffix(".json").stat().st_mtime)
    except OSError:  # another page has taken what came of it
        return 0.0


def _read(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


# --- the process ----------------------------------------------------------------------------------------


def _effect(project: Project, asked: Mapping[str, Any], tell: Tell, cancel: Cancel) -> tuple[str, str]:
    from workbench.records import EffectSettings

    settings = EffectSettings.model_validate_json(asked["settings"])
    return _recorded(project, settings, project.effect, tell, cancel)


def _value(project: Project, asked: Mapping[str, Any], tell: Tell, cancel: Cancel) -> tuple[str, str]:
    from workbench.records import ValueSettings

    settings = ValueSettings.model_validate_json(asked["settings"])
    return _recorded(project, settings, project.lifetime_value, tell, cancel)


def _recorded(
    project: Project, settings: Any, ask: Callable[..., Any], tell: Tell, cancel: Cancel
) -> tuple[str, str]:
    from workbench.screens.remembering import Answers

    record = ask(**dict(settings), keep=False, progress=tell, cancel=cancel)
    Answers(project).add(settings, record)
    text = record.model_dump_json()
    return text, text


def _load(project: Project, asked: Mapping[str, Any], tell: Tell, cancel: Cancel) -> tuple[str, str]:
    from workbench.tables.recipe import Recipe

    how = Recipe.model_validate_json(asked["recipe"])
    report = project.load(list(asked["files"]), recipe=how, progress=tell, cancel=cancel)
    # rows that were left out may name people: they stay for no longer than a page takes to show them
    return report.model_dump_json(), report.model_copy(update={"rejected": ()}).model_dump_json()


_KINDS = {"effect": _effect, "value": _value, "load": _load}


def main(folder: Path, name: str) -> None:
    """Do the work of that name."""
    place = folder / "work" / name
    with FileLock(str(place.with_suffix(".lock")), timeout=_STARTS):
        asked, cancel = _read(place.with_suffix(".json")), Cancel()
        state = _State(place)
        state.write(share=0.0)
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(_EVERY):
                if place.with_suffix(".stop").exists():
                    cancel.set()
                state.put()

        threading.Thread(target=watch, daemon=True).start()
        shown = None
        try:
            with under(cancel):
                whole, shown = _KINDS[asked["kind"]](
                    Project.open(folder), asked["asked"], lambda share: state.note(share), cancel
                )
            _private(place.with_suffix(".result"), whole)
            said: dict[str, Any] = {}
        except Exception as error:
            from workbench.records.base import _plain
            from workbench.screens.state import worded

            said = {"cancelled": True} if cancel.is_set() else {"problem": _plain(worded(error))}
        ended.set()
        state.write(ended=True, **said)
        if shown is not None:
            time.sleep(_LINGERS)
            if not _is(place.with_suffix(".result"), whole):
                return  # it was taken
            if asked["kind"] == "load":
                _private(place.with_suffix(".result"), shown)
            else:  # whoever comes back finds the answer
                _forget(place)


def _is(file: Path, text: str) -> bool:
    try:
        return file.read_text(encoding="utf-8") == text
    except OSError:
        return False


class _State:
    """How far the process is, as a file."""

    def __init__(self, place: Path) -> None:
        self._file = place.with_suffix(".state")
        self._lock = threading.Lock()
        self._share: float | None = None

    def note(self, share: float) -> None:
        self._share = share

    def put(self) -> None:
        if self._share is not None:
            share, self._share = self._share, None
            self.write(share=min(1.0, share))

    def write(self, **content: Any) -> None:
        with self._lock:
            _private(self._file, json.dumps(content))


def _private(file: Path, text: str) -> None:
    """Write a file for nobody else's eyes, whole or not at all."""
    part = file.with_suffix(f"{file.suffix}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(part, file)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
