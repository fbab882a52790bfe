"""The versions of a published page: who made which, whether it is as it was, what moved between two."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench import report
from workbench.analyses.groups import SEGMENTS
from workbench.decisions import metric_name
from workbench.errors import ProjectError, WorkbenchError
from workbench.locale import Message, Texts, say
from workbench.publish import bundle, seal
from workbench.records import AnyRecord, AssociationRecord, CohortRecord, EffectRecord

if TYPE_CHECKING:
    from workbench.project import Project


@dataclass(frozen=True)
class Version:
    """A version of a page.

    Attributes:
        number: From 1.
        page: Its manifest; None where that cannot be read.
        hash: Of the manifest; it stands on the page.
        by: Who published it, as the project's access log says; None where it says nothing of this hash.
        current: Whether readers see it.
        problem: What is not as it was published; None where nothing was found.
    """

    number: int
    page: bundle.Page | None
    hash: str
    by: str | None
    current: bool
    problem: Message | None


def versions(project: Project, slug: str) -> list[Version]:
    """The versions of a page, newest first, each checked against its hashes, the next version and the key.

    Raises:
        ProjectError: when there is no page of that name.
    """
    published = project.path / "published"
    numbers = bundle.numbers(published / slug)
    if not numbers:
        raise ProjectError("There is no published page “{slug}” here.", slug=slug)
    shown = None
    with contextlib.suppress(ProjectError):
        shown = bundle.current(published, slug)
    who = {
        str(entry.details.get("manifest")): entry.user
        for entry in project.people.access.entries()[0]
        if entry.action == "publish" and entry.details.get("page") == slug
    }
    key = key_at_hand(project)
    found = []
    following: bundle.Page | None = None
    for number in reversed(numbers):
        page, problem, hashed = None, None, ""
        try:
            hashed = bundle.manifest_hash(published, slug, number)
            page = bundle.manifest_of(published, slug, number)
            bundle.checked(published, slug, number, key)
            if following is not None and following.version == number + 1 and following.previous != hashed:
                raise seal.tampered(slug, say("version {next} was made after another one", next=number + 1))
        except OSError:
            problem = seal.tampered(slug, say("{file} is missing", file=seal.MANIFEST)).message
        except ProjectError as error:
            problem = error.message
        found.append(Version(number, page, hashed, who.get(hashed), number == shown, problem))
        following = page
    return found


def key_at_hand(project: Project) -> bytes | None:
    """The project's key; None where it is not on this computer."""
    try:
        return project.people.key()
    except WorkbenchError:
        return None


def moved(project: Project, slug: str, before: int, after: int, t: Texts) -> list[str]:
    """Which headline numbers of a page are other ones in another version, a sentence each.

    Raises:
        ProjectError: when there is no such version, or it is not what was published.
    """
    published, key = project.path / "published", key_at_hand(project)
    _, old = bundle.read(published, slug, before, key)
    _, new = bundle.read(published, slug, after, key)
    return differences(old, new, t)


def differences(old: list[AnyRecord], new: list[AnyRecord], t: Texts) -> list[str]:
    """Which headline numbers of the same questions are other ones, a sentence each."""
    former = {_same(record): record for record in old}
    said = []
    for record in new:
        asked, before = t(question(record)), former.pop(_same(record), None)
        if before is None:
            said.append(t("{question}: this is new.", question=asked))
            continue
        if t(before.verdict) != t(record.verdict):
            said.append(
                t(
                    "{question}: it says now: “{after}” Before: “{before}”",
                    question=asked,
                    after=t(record.verdict),
                    before=t(before.verdict),
                )
            )
        known = {one.label: one for one in _figures(before, t)}
        for figure in _figures(record, t):
            was = known.get(figure.label)
            if was is not None and (was.value, was.detail) != (figure.value, figure.detail):
                said.append(
                    t(
                        "{question}: “{label}” was {before} ({before_detail}) and is {after} "
                        "({after_detail}).",
                        question=asked,
                        label=figure.label,
                        before=was.value,
                        before_detail=was.detail,
                        after=figure.value,
                        after_detail=figure.detail,
                    )
                )
    said += [t("{question}: this is no longer shown.", question=t(question(one))) for one in former.values()]
    return said or [t("The headline numbers are the same.")]


def question(record: AnyRecord) -> Message:
    """What a record answers, in a line."""
    if isinstance(record, AssociationRecord):
        asked_for = {"metric": metric_name(record.settings.metric), "name": record.settings.name}
        return say("{metric} and “{name}”, an association", **asked_for)
    if isinstance(record, CohortRecord):
        if record.settings.by:
            return say("Cohorts by {by}", by=record.settings.by)
        return say("Cohorts by when they began")
    settings = record.settings
    by = say("all saved segments") if settings.by == SEGMENTS else settings.by
    if isinstance(record, EffectRecord):
        asked = {"experiment": record.settings.experiment, "metric": metric_name(record.settings.metric)}
        if by:
            return say("{metric} in “{experiment}”, by {by}", **asked, by=by)
        return say("{metric} in “{experiment}”", **asked)
    if by:
        return say("Lifetime value by {by}", by=by)
    return say("Lifetime value")


def _figures(record: AnyRecord, t: Texts) -> list[report.Figure]:
    shown = isinstance(record, AssociationRecord) or not record.failed
    return report.figures(record, t) if shown else []


def _same(record: AnyRecord) -> str:
    return f"{record.kind} {question(record)}"
