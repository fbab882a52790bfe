"""Whether an experiment was analysed as it had been planned."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from workbench.analyses.experiment import Experiment
from workbench.locale import say
from workbench.protocol import Observed, Version, deviations
from workbench.records import Check, EffectSettings

if TYPE_CHECKING:
    from workbench.project import Project


def _versions(project: Project, experiment: str) -> tuple[Version, ...]:
    return project.protocols.get(experiment, ())


def fingerprint_of(project: Project, experiment: str) -> dict[str, str]:
    """What the protocol was locked as; nothing where there is none."""
    versions = _versions(project, experiment)
    return {"protocol": versions[-1].sha256} if versions and versions[-1].sha256 else {}


def protocol_checks(project: Project, found: Experiment, settings: EffectSettings) -> list[Check]:
    """Where the analysis departs from the experiment's protocol; nothing where it has none."""
    versions = _versions(project, settings.experiment)
    if not versions:
        return []
    first, last = (
        [datetime.fromtimestamp(second, UTC) for second in found.timeline.people.exposed]
        if found.timeline
        else (None, None)
    )
    observed = Observed(tuple(found.arms), first, last, settings.looks or 0)
    apart = deviations(versions, settings, observed)
    if apart:
        return [
            Check(name="protocol", status="warn", detail=say("Not as planned: {reason}", reason=reason))
            for reason in apart
        ]
    detail = say(
        "The analysis is the one that was planned; its protocol is locked since {day:date}.",
        day=versions[0].locked,
    )
    return [Check(name="protocol", status="ok", detail=detail)]
