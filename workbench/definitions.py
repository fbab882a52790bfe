"""What a project keeps by name beside its tables: segments, recipes, records, looks, and muted alarms."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from zoneinfo import ZoneInfo

import tomli_w

from workbench import storage
from workbench.errors import ProjectError, WorkbenchError, check_choice
from workbench.locale import say
from workbench.records import AnyRecord, Frozen, Record, from_json
from workbench.tables.privacy.access import user
from workbench.team import Team

if TYPE_CHECKING:
    from workbench.tables.recipe import Recipe


class Segments(MutableMapping[str, str]):
    """The project's named rules, kept in `segments.toml`; a rule is checked before it is kept."""

    def __init__(self, folder: Path, check: Callable[[str, str], None]) -> None:
        self._folder = folder
        self._file = folder / "segments.toml"
        self._check = check

    def _read(self) -> dict[str, str]:
        try:
            return {name: str(rule) for name, rule in tomllib.loads(self._file.read_text("utf-8")).items()}
        except FileNotFoundError:
            return {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProjectError(
                "{path} cannot be read: {reason}.", path=str(self._file), reason=str(error)
            ) from error

    def __getitem__(self, name: str) -> str:
        return self._read()[name]

    def __setitem__(self, name: str, rule: str) -> None:
        Team(self._folder).check("keep")
        self._check(name, rule)
        with storage.lock(self._folder):
            storage.write_text(self._file, tomli_w.dumps({**self._read(), name: rule}))

    def __delitem__(self, name: str) -> None:
        Team(self._folder).check("keep")
        with storage.lock(self._folder):
            rules = self._read()
            del rules[name]
            storage.write_text(self._file, tomli_w.dumps(rules))

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


class Records(Mapping[str, AnyRecord]):
    """The project's records by id, newest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add[R: Record](self, record: R) -> R:
        """Keep a record; the same answer again stays as old as it is."""
        Team(self._folder.parent).check("keep")
        if record.id in self:
            with suppress(ProjectError):  # a damaged one is written anew
                kept = self[record.id]
                if kept.model_copy(update={"created": record.created}) == record:
                    return cast("R", kept)
        storage.write_text(self._folder / f"{record.id}.json", record.model_dump_json(indent=1))
        return record

    def __getitem__(self, record_id: str) -> AnyRecord:
        file = self._folder / f"{record_id}.json"
        if not record_id.isalnum() or not file.is_file():
            raise ProjectError(
                "There is no record {id} in this project; there are: {known}.",
                id=record_id,
                known=", ".join(list(self)[:10]) or "–",
            )
        try:
            return from_json(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ProjectError(
                "The record {id} is damaged or from another version; run the analysis again.", id=record_id
            ) from error

    def __iter__(self) -> Iterator[str]:

        files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
        return iter([file.stem for file in files])

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.glob("*.json"))

    def __contains__(self, record_id: object) -> bool:
        return (self._folder / f"{record_id}.json").is_file()


class Recipes(MutableMapping[str, "Recipe"]):
    """The project's recipes by name, in `recipes/`; each file can be copied to another project."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fitting(self, columns: Collection[str]) -> str | None:
        """The recipe that was made for a file with these columns; the newest where several were."""
        from workbench.tables.recipe import read

        files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
        return next((file.stem for file in files if read(file).fits(columns)), None)

    def __getitem__(self, name: str) -> Recipe:
        from workbench.tables.recipe import read

        file = self._folder / f"{name}.json"
        if name not in self:
            raise ProjectError(
                "There is no recipe “{name}” in this project; there are: {known}.",
                name=name,
                known=", ".join(self) or "–",
            )
        return read(file)

    def __setitem__(self, name: str, recipe: Recipe) -> None:
        Team(self._folder.parent).check("keep")
        if not re.fullmatch(r"[\w-]+", name):
            raise ProjectError(
                "A recipe cannot be called “{name}”: use letters, digits, “-” and “_”.", name=name
            )
        with storage.disk_errors(self._folder):
            self._folder.mkdir(exist_ok=True)
        storage.write_text(self._folder / f"{name}.json", recipe.to_json())

    def __delitem__(self, name: str) -> None:
        Team(self._folder.parent).check("keep")
        (self._folder / f"{name}.json").unlink()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(file.stem for file in self._folder.glob("*.json")))

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.glob("*.json"))

    def __contains__(self, name: object) -> bool:
        return bool(re.fullmatch(r"[\w-]+", str(name))) and (self._folder / f"{name}.json").is_file()


class Looks:
    """How often each experiment's result was looked at while its data grew.

    Looking twice at the same data is one look: nothing can change in between.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def _all(self) -> dict[str, list[int]]:
        try:
            found: dict[str, list[int]] = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none yet; or unreadable, and then nothing is known of earlier looks
            return {}
        return found

    def count(self, experiment: str, until: int) -> int:
        """Looks there have been, that at data until `until` (seconds since 1970) included."""
        return len({*self._all().get(experiment, []), until})

    def add(self, experiment: str, until: int) -> None:
        """Note a look; a folder that cannot be written notes none."""
        found = self._all()
        if until in found.get(experiment, []):
            return
        found[experiment] = sorted({*found.get(experiment, []), until})
        with suppress(ProjectError):
            storage.write_text(self._file, json.dumps(found, indent=1))


ALARMS: Final = ("trust.balance", "trust.change")
"""The alarms that can be muted, by the name of their check."""


class Mute(Frozen):
    """That an alarm is known of and shall not lead for a while.

    Attributes:
        reason: Why, in somebody's words.
        until: The last day on which it is muted.
        who: Whoever muted it.
        at: When they did.
        seen: The last day of the data that they had seen: what begins later is another alarm.
    """

    reason: str
    until: date
    who: str
    at: datetime
    seen: date | None = None


class Alarms(Mapping[str, Mute]):
    """The alarms that are muted today, by name, kept in `alarms.json`; a muted alarm is still told of.

    Args:
        file: Where they are kept.
        timezone: Says which day is today.
    """

    def __init__(self, file: Path, timezone: str) -> None:
        self._file = file
        self._zone = ZoneInfo(timezone)

    @property
    def today(self) -> date:
        """The day on the project's clock."""
        return datetime.now(self._zone).date()

    def mute(self, alarm: str, reason: str, until: date, *, who: str = "", seen: date | None = None) -> Mute:
        """Mute an alarm, or mute it otherwise.

        Args:
            alarm: One of `ALARMS`.
            reason: Why; others will read it.
            until: The last day on which it is muted.
            who: Whoever mutes it; the operating system's name for whoever runs this if empty.
            seen: The last day of the data that was looked at.

        Raises:
            WorkbenchError: when there is no such alarm, no reason is given, or that day is over.
        """
        check_choice(alarm, ALARMS, say("alarm"))
        if not reason.strip():
            raise WorkbenchError("Say why the alarm is muted; whoever sees it muted will want to know.")
        if until < self.today:
            raise WorkbenchError(
                "The alarm cannot be muted until {until:date}, which is over; give today or a later day.",
                until=until,
            )
        mute = Mute(
            reason=reason.strip(), until=until, who=who.strip() or user(), at=datetime.now(UTC), seen=seen
        )
        self._write({**self._all(), alarm: mute})
        return mute

    def unmute(self, alarm: str) -> None:
        """Let an alarm sound again."""
        self._write({name: mute for name, mute in self._all().items() if name != alarm})

    def _all(self) -> dict[str, Mute]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            return {name: Mute.model_validate(mute) for name, mute in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            raise ProjectError(
                "{path} cannot be read; mend or delete it, and then no alarm is muted.", path=str(self._file)
            ) from error

    def _write(self, mutes: Mapping[str, Mute]) -> None:
        Team(self._file.parent).check("mute")
        found = {name: mute.model_dump(mode="json") for name, mute in mutes.items()}
        storage.write_text(self._file, json.dumps(found, indent=1, ensure_ascii=False))

    def _now(self) -> dict[str, Mute]:
        return {name: mute for name, mute in self._all().items() if mute.until >= self.today}

    def __getitem__(self, alarm: str) -> Mute:
        return self._now()[alarm]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())
