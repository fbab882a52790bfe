"""The plan of an experiment, written before its data: saved, locked, from then on only amended in the open.

    protocols/
      home-page.json     all versions of one protocol, the oldest first

A lock is the SHA-256 of a version, of the moment it was locked and of the lock before it, so that neither the
plan nor its time nor an earlier version can be changed without a trace. `deviations` says where an analysis
departs from the plan.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from workbench import storage
from workbench.errors import ProjectError, WorkbenchError
from workbench.locale import Message, say
from workbench.records import EffectSettings
from workbench.records.base import Frozen


class PlannedRule(Frozen):
    """When the test ends.

    Attributes:
        probability: How sure one has to be, of either direction.
        loss: What the choice may lose on average at most, per customer in the metric's unit; None for any.
        min_weeks: Whole weeks before which nothing ends it.
    """

    probability: float = 0.975
    loss: float | None = None
    min_weeks: int = 2


class Protocol(Frozen):
    """What is going to be done, for whom, and how it will be judged.

    Attributes:
        analysis: The question that will be asked: experiment, primary metric, secondary metrics and
            guardrails, window, level, priors, smallest lift that matters, planned split, days left out.
        hypothesis: What is believed, and why.
        unit: What is assigned to an arm.
        population: Who may enter, in words or as the name of a segment.
        rule: When the test ends.
        looks: Weeks after the start at which one looks.
        weeks: Whole weeks in which customers enter.
        start: The day of the first one.
        segments: What the result will be split by.
    """

    analysis: EffectSettings
    hypothesis: str = ""
    unit: str = "customer"
    population: str = ""
    rule: PlannedRule = PlannedRule()
    looks: tuple[float, ...] = ()
    weeks: int = 2
    start: date | None = None
    segments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The experiment's."""
        return self.analysis.experiment

    @property
    def split(self) -> dict[str, float]:
        """Planned share of each arm; they sum to 1."""
        return _shares(self.analysis.planned_split)

    def check(self) -> None:
        """Make sure that the plan can be carried out.

        Raises:
            WorkbenchError: it has no name, fewer than two arms, a share of nothing, or no week.
        """
        if not self.name.strip():
            raise WorkbenchError("The protocol has no name; name the experiment.")
        split = self.analysis.planned_split or {}
        if len(split) < 2 or min(split.values(), default=0.0) <= 0:
            raise WorkbenchError(
                "The protocol of “{name}” needs two arms or more, each with a planned share above 0.",
                name=self.name,
            )
        if self.weeks < 1 or list(self.looks) != sorted(set(self.looks)):
            raise WorkbenchError(
                "The protocol of “{name}” needs a whole week or more, and looks one after the other.",
                name=self.name,
            )


class Version(Frozen):
    """A protocol as it was at a time.

    Attributes:
        number: From 1.
        reason: Why it differs from the version before; empty for the first.
        saved: When it was written.
        locked: When it was locked; None for a draft.
        sha256: The lock; None for a draft.
    """

    number: int
    protocol: Protocol
    reason: str = ""
    saved: datetime = Field(default_factory=lambda: datetime.now(UTC))
    locked: datetime | None = None
    sha256: str | None = None

    def lock_after(self, before: str | None) -> str:
        """The hash that locks this version after the lock `before`."""
        # without defaults, so that a setting that comes with a later release does not break a lock
        content = self.model_dump(mode="json", exclude={"sha256"}, exclude_defaults=True)
        content["saved"] = self.saved.isoformat()
        text = json.dumps({"before": before, "version": content}, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


class _File(BaseModel):
    versions: tuple[Version, ...]


class Protocols(Mapping[str, tuple[Version, ...]]):
    """The project's protocols by the experiment's name: all versions of each, the oldest first.

    Args:
        folder: Where they are.
        check: Makes sure that whoever is at the keyboard may write one.
    """

    def __init__(self, folder: Path, check: Callable[[], None] = lambda: None) -> None:
        self._folder = folder
        self._check = check

    def save(self, protocol: Protocol) -> Version:
        """Keep a draft; it takes the place of an earlier draft.

        Raises:
            ProjectError: the protocol is locked; it can only be amended.
            WorkbenchError: the plan cannot be carried out.
        """
        protocol.check()
        with self._writing():
            versions = self.get(protocol.name, ())
            if versions and versions[-1].locked:
                raise ProjectError(
                    "The protocol of “{name}” has been locked since {day:date}; amend it and say why.",
                    name=protocol.name,
                    day=versions[-1].locked.date(),
                )
            draft = Version(number=len(versions[:-1]) + 1, protocol=protocol)
            self._write(protocol.name, (*versions[:-1], draft))
        return draft

    def lock(self, name: str) -> Version:
        """Lock the draft: from now on it can only be amended.

        Raises:
            ProjectError: there is no draft of that name.
        """
        with self._writing():
            versions = self[name]
            if versions[-1].locked:
                raise ProjectError("The protocol of “{name}” is locked already.", name=name)
            locked = _locked(versions[-1], versions[:-1])
            self._write(name, (*versions[:-1], locked))
        return locked

    def amend(self, protocol: Protocol, reason: str) -> Version:
        """Add a version to a locked protocol; it is locked at once, and the old ones stay.

        Raises:
            ProjectError: the protocol is not locked, so that it can simply be saved.
            WorkbenchError: no reason is given, nothing has changed, or the plan cannot be carried out.
        """
        protocol.check()
        if not reason.strip():
            raise WorkbenchError(
                "Say why the protocol of “{name}” is amended; the reason is kept with it.", name=protocol.name
            )
        with self._writing():
            versions = self[protocol.name]
            if not versions[-1].locked:
                raise ProjectError(
                    "The protocol of “{name}” is still a draft; save it instead.", name=protocol.name
                )
            if versions[-1].protocol == protocol:
                raise WorkbenchError("Nothing in the protocol of “{name}” has changed.", name=protocol.name)
            new = Version(number=len(versions) + 1, protocol=protocol, reason=reason.strip())
            locked = _locked(new, versions)
            self._write(protocol.name, (*versions, locked))
        return locked

    @staticmethod
    def intact(versions: tuple[Version, ...]) -> bool:
        """Whether every lock still fits what it locks."""
        before: str | None = None
        for version in versions:
            if version.locked is None:
                return version is versions[-1]
            if version.sha256 != version.lock_after(before):
                return False
            before = version.sha256
        return True

    def __getitem__(self, name: str) -> tuple[Version, ...]:
        file = self._file(name)
        if not file.is_file():
            raise KeyError(name)
        return _read(file)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(_read(file)[-1].protocol.name for file in self._folder.glob("*.json")))

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.glob("*.json"))

    def _writing(self) -> Any:
        self._check()
        with storage.disk_errors(self._folder):
            self._folder.mkdir(exist_ok=True)
        return storage.lock(self._folder)

    def _write(self, name: str, versions: tuple[Version, ...]) -> None:
        storage.write_text(self._file(name), _File(versions=versions).model_dump_json(indent=1))

    def _file(self, name: str) -> Path:
        """A file that the name can be seen in; names that would share one are told apart by their hash."""
        plain = re.sub(r"[^\w-]+", "-", name).strip("-")[:60]
        if plain == name:
            return self._folder / f"{plain}.json"
        return self._folder / f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.json"


def _read(file: Path) -> tuple[Version, ...]:
    try:
        return _File.model_validate_json(file.read_text(encoding="utf-8")).versions
    except ValueError as error:
        raise ProjectError(
            "{path} is damaged or from another version of the workbench; it is no protocol.", path=str(file)
        ) from error


def _locked(version: Version, before: tuple[Version, ...]) -> Version:
    now = version.model_copy(update={"locked": datetime.now(UTC)})
    return now.model_copy(update={"sha256": now.lock_after(before[-1].sha256 if before else None)})


# --- what was done otherwise ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Observed:
    """What is known of how the experiment went.

    Attributes:
        arms: The arms in the data.
        first, last: When its first and its last customer came.
        looks: How often somebody has looked at the result.
    """

    arms: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None
    looks: int = 0


SETTING_NAMES: dict[str, Message] = {
    "metric": say("Metric"),
    "per": say("Divided by"),
    "control": say("Control arm"),
    "window_days": say("Window after the first exposure (days)"),
    "from_day": say("First day that counts"),
    "statistic": say("Statistic"),
    "prior": say("Prior of a conversion rate"),
    "lift_prior": say("Expected lift"),
    "level": say("Level of the intervals"),
    "rope": say("Smallest lift that matters"),
    "lower_is_better": say("Lower is better"),
    "adjust": say("Adjusted for the time before"),
}


def deviations(versions: tuple[Version, ...], settings: EffectSettings, observed: Observed) -> list[Message]:
    """Where an analysis departs from the protocol, in sentences; none where it keeps to it.

    Args:
        versions: All versions of the protocol, the oldest first.
        settings: What was asked.
        observed: How the experiment went.
    """
    protocol = versions[-1].protocol
    return [
        *_of_the_lock(versions, observed),
        *_of_the_question(protocol, settings),
        *_of_the_arms(protocol, settings, observed),
        *_of_the_course(protocol, settings, observed),
    ]


def _of_the_lock(versions: tuple[Version, ...], observed: Observed) -> Iterator[Message]:
    first = versions[0].locked
    if not Protocols.intact(versions):
        yield say("The protocol's file was changed after it was locked.")
    if first is None:
        yield say("The protocol was never locked.")
    elif observed.first is not None and first > observed.first:
        yield say(
            "The protocol was locked on {locked:date}, after the first customer on {first:date}.",
            locked=first.date(),
            first=observed.first.date(),
        )
    for version in versions[1:]:
        late = version.locked and observed.first is not None and version.locked > observed.first
        if late:
            yield say(
                "The protocol was amended on {day:date}, with data already there: {reason}",
                day=version.locked.date() if version.locked else None,
                reason=version.reason,
            )


def _of_the_question(protocol: Protocol, settings: EffectSettings) -> Iterator[Message]:
    planned = protocol.analysis
    for name, words in SETTING_NAMES.items():
        was, used = getattr(planned, name), getattr(settings, name)
        # a control or a statement that the plan leaves open is not departed from
        if was != used and not (name == "control" and None in (was, used)):
            yield say(
                "{setting}: planned was {planned}, asked was {used}.",
                setting=words,
                planned=_value(name, was),
                used=_value(name, used),
            )
    if settings.by is not None and settings.by not in protocol.segments:
        yield say("A split by “{by}” was not planned.", by=settings.by)
    for other in planned.others:
        if other not in settings.others and other.role == "guardrail":
            yield say("The guardrail “{metric}” was planned and is not looked at.", metric=other.metric)


def _of_the_arms(protocol: Protocol, settings: EffectSettings, observed: Observed) -> Iterator[Message]:
    split = protocol.split
    if observed.arms and set(observed.arms) != set(split):
        yield say(
            "Arms: planned were {planned:listing}, found were {found:listing}.",
            planned=list(split),
            found=list(observed.arms),
        )
    even = dict.fromkeys(split, 1.0)
    used = _shares(settings.planned_split or even)
    if {arm: round(share, 6) for arm, share in used.items()} != {
        arm: round(share, 6) for arm, share in split.items()
    }:
        yield say(
            "Split: planned was {planned:listing}, asked was {used:listing}.",
            planned=_split(split),
            used=_split(used),
        )


def _of_the_course(protocol: Protocol, settings: EffectSettings, observed: Observed) -> Iterator[Message]:
    if protocol.looks and observed.looks > len(protocol.looks):
        yield say(
            "Looks: {planned:count} were planned, there have been {found:count}.",
            planned=len(protocol.looks),
            found=observed.looks,
        )
    for first, last in settings.excluded:
        if (first, last) not in protocol.analysis.excluded:
            yield say(
                "The days from {first:date} to {last:date} are left out, which was not planned.",
                first=first,
                last=last,
            )
    if protocol.start is not None and observed.first is not None and observed.first.date() < protocol.start:
        yield say(
            "The first customer came on {first:date}, before the planned start on {start:date}.",
            first=observed.first.date(),
            start=protocol.start,
        )
    if observed.first is not None and observed.last is not None:
        # the first day and the last one both count
        weeks = (observed.last - observed.first + timedelta(days=1)) / timedelta(weeks=1)
        if weeks < protocol.rule.min_weeks:
            yield say(
                "Customers came for {found:number} weeks; the rule asks for {least:count} at least.",
                found=weeks,
                least=protocol.rule.min_weeks,
            )


def _shares(split: Mapping[str, float] | None) -> dict[str, float]:
    whole = sum((split or {}).values())
    return {arm: share / whole for arm, share in (split or {}).items()} if whole else {}


def _split(split: Mapping[str, float]) -> list[Message]:
    return [say("{arm} {share:percent}", arm=arm, share=share) for arm, share in split.items()]


def _value(name: str, value: Any) -> Message:
    if value is None:
        return say("none")
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if name == "lift_prior":
        return say("{low:signed_percent} to {high:signed_percent}", low=value[0], high=value[1])
    if name == "prior":
        return say("Beta({a:plain}, {b:plain})", a=value[0], b=value[1])
    if name in ("level", "rope"):
        return say("{value:whole_percent}", value=value)
    return say("{value:plain}", value=value) if isinstance(value, int | float) else say("{name}", name=value)
