"""The protocols of a project, and what one holds beside the design that it fixes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from traitlets import Instance, List, Unicode

from workbench.analyses.planned import protocol_of
from workbench.errors import WorkbenchError
from workbench.locale import say
from workbench.project import Project
from workbench.protocol import Protocol, Protocols, Version
from workbench.records import OtherMetric
from workbench.screens.state import Guarded, splits
from workbench.screens.stretches import stretches

if TYPE_CHECKING:
    from workbench.screens.design import DesignState


class ProtocolState(Guarded):
    """What is written down before an experiment begins.

    Attributes:
        design: What is planned, and what it could tell.
        experiment, hypothesis, unit, start: As in `Protocol`.
        arms: Names in the order of the split, with commas between them.
        excluded: Stretches of days that will not count, such as `2026-11-27 2026-11-30`, one a line.
        guardrails, secondary: Metrics that will be looked at beside the one that decides.
        falling: Those of them that should go down.
        by: Splits that are planned.
        splits: What `by` may hold.
        reason: Why a locked protocol is amended.
        kept: All versions of each protocol, the one saved last first.
    """

    experiment = Unicode("")
    hypothesis = Unicode("")
    arms = Unicode("control, new")
    unit = Unicode("customer")
    start = Instance(date, allow_none=True)
    excluded = Unicode("")
    guardrails = List(Unicode())
    secondary = List(Unicode())
    falling = List(Unicode())
    by = List(Unicode())
    splits = List(Unicode())
    reason = Unicode("")
    kept = List()

    def __init__(self, design: DesignState, project: Project) -> None:
        super().__init__()
        self.design = design
        self.project = project
        self._store = Protocols(project.path / "protocols")

    def refresh(self) -> None:
        """Look again at what the project holds."""
        self.splits = splits(self.project)
        self._read()

    def save(self) -> None:
        """Keep the design as a draft of a protocol."""
        with self.working():
            version = self._store.save(self._protocol())
            self.notice = say("The protocol of “{name}” is saved as a draft.", name=version.protocol.name)
            self._read()

    def lock(self) -> None:
        """Save the design and lock it; from then on it can only be amended."""
        with self.working():
            version = self._store.save(self._protocol())
            locked = self._store.lock(version.protocol.name)
            self.notice = say(
                "The protocol of “{name}” is locked; its mark is {mark}.",
                name=version.protocol.name,
                mark=(locked.sha256 or "")[:16],
            )
            self._read()

    def amend(self) -> None:
        """Add the design, with a reason, to a protocol that is locked."""
        with self.working():
            version = self._store.amend(self._protocol(), self.reason)
            self.reason = ""
            self.notice = say(
                "The protocol of “{name}” has a version {n:count}; the earlier ones are kept.",
                name=version.protocol.name,
                n=version.number,
            )
            self._read()

    @property
    def locked(self) -> bool:
        """Whether the protocol of this experiment is locked."""
        versions = next((v for v in self.kept if v[-1].protocol.name == self.experiment.strip()), None)
        return versions is not None and versions[-1].locked is not None

    def _read(self) -> None:
        found: list[tuple[Version, ...]] = [self._store[name] for name in self._store]
        self.kept = sorted(found, key=lambda versions: versions[-1].saved, reverse=True)

    def _protocol(self) -> Protocol:
        view = self.design.found
        if view is None:
            raise WorkbenchError("There is no design to save yet; put right what is wrong first.")
        names = [name.strip() for name in self.arms.split(",") if name.strip()]
        if len(names) != len(view.settings.split):
            raise WorkbenchError(
                "The split has {n:count} arms; name as many, the control first: {names}.",
                n=len(view.settings.split),
                names=self.arms or "–",
            )
        return protocol_of(
            view.settings,
            experiment=self.experiment.strip(),
            arms=names,
            mean=view.base.metric.mean,
            looks=view.looks.weeks,
            hypothesis=self.hypothesis.strip(),
            unit=self.unit.strip() or "customer",
            start=self.start,
            excluded=stretches(self.excluded),
            others=self._others(),
            segments=tuple(self.by),
        )

    def _others(self) -> tuple[OtherMetric, ...]:
        roles: dict[Literal["guardrail", "secondary"], list[str]] = {
            "guardrail": self.guardrails,
            "secondary": self.secondary,
        }
        return tuple(
            OtherMetric(metric=metric, role=role, lower_is_better=metric in self.falling)
            for role, metrics in roles.items()
            for metric in metrics
            if metric != self.design.metric
        )
