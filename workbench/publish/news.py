"""What has happened in a project lately: data, results, pages, plans and muted alarms, newest first.

When files came in and pages were taken down is known from the access log; who did it, and what was done about
people, stays there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from workbench.errors import ProjectError
from workbench.locale import Message, say
from workbench.project import Project
from workbench.publish import bundle
from workbench.publish.library import Library, Outcome, outcome
from workbench.publish.publications import Publication
from workbench.publish.versions import question
from workbench.tables.privacy.access import Access

MOST: Final = 10
_MOST_RESULTS = 5
"""So that an afternoon of questions does not hide the data and the pages."""
_TOGETHER = 5 * 60  # seconds between files that are told of together


@dataclass(frozen=True)
class News:
    """Something that happened.

    Attributes:
        at: When, in UTC.
        kind: What it is about.
        text: What happened; of a result, what was asked.
        slug: The page that it is about.
        outcome: That of a result.
    """

    at: datetime
    kind: Literal["data", "result", "page", "plan", "alarm"]
    text: Message
    slug: str = ""
    outcome: Outcome | None = None


def news(project: Project, library: Library, pages: Sequence[Publication]) -> list[News]:
    """What happened last, newest first; `MOST` at most."""
    return _newest_first([*_events(project, pages, MOST), *_results(library)])[:MOST]


def news_since(project: Project, pages: Sequence[Publication], moment: datetime) -> list[News]:
    """What happened after a moment, but for results, newest first."""
    return _newest_first([one for one in _events(project, pages, since=moment) if one.at > moment])


def _newest_first(found: Sequence[News]) -> list[News]:
    return sorted(found, key=lambda one: one.at, reverse=True)


def _events(
    project: Project,
    pages: Sequence[Publication],
    versions: int | None = None,
    since: datetime | None = None,
) -> list[News]:
    """What happened but for results; so many `versions` of a page at most, of the log what came `since`."""
    log = [one for one in project.people.access.entries()[0] if since is None or _moment(one.time) > since]
    return [
        *_shown_or_not(pages, log),
        *_published(project, pages, versions),
        *_loads(project, log),
        *_plans(project),
        *_alarms(project),
    ]


def _loads(project: Project, log: Sequence[Access]) -> Iterator[News]:
    """Files that came in: those of the log that a table names and that left rows in it."""
    written = {name: _written(project, entry["parts"]) for name, entry in project.manifest().items()}
    sources = {name: entry["sources"] for name, entry in project.manifest().items()}

    def took_effect(file: str, at: datetime) -> bool:
        return any(file in sources[name] and written[name] >= at.timestamp() for name in sources)

    told: set[str] = set()
    batch: list[str] = []
    latest: datetime | None = None
    before: datetime | None = None
    for entry in reversed(log):
        if entry.action != "load":
            continue
        at = _moment(entry.time)
        names = [str(name) for name in entry.details.get("files", ())]
        fresh = [name for name in names if name not in told and took_effect(name, at)]
        if not fresh:
            continue
        if latest and before and (before - at).total_seconds() > _TOGETHER:
            yield _loaded(latest, batch)
            batch, latest = [], None
        latest, before = latest or at, at
        told.update(fresh)
        batch = [*fresh, *batch]
    if latest:
        yield _loaded(latest, batch)


def _loaded(at: datetime, files: Sequence[str | Message]) -> News:
    if len(files) > 4:
        first = list(files[:3])
        rest = len(files) - 3
        return News(
            at, "data", say("Loaded: {files:listing}.", files=[*first, say("{n:count} more", n=rest)])
        )
    return News(at, "data", say("Loaded: {files:listing}.", files=list(files)))


def _written(project: Project, parts: Sequence[dict[str, str]]) -> float:
    """When the newest part of a table was written, in seconds since 1970."""
    files = [project.path / "tables" / part["file"] for part in parts]
    return max((file.stat().st_mtime for file in files if file.is_file()), default=0.0)


def _results(library: Library) -> Iterator[News]:
    for record in library.newest(_MOST_RESULTS):
        yield News(record.created, "result", question(record), outcome=outcome(record))


def _published(project: Project, pages: Sequence[Publication], most: int | None) -> Iterator[News]:
    for one in pages:
        for number in one.versions[-most:] if most else one.versions:
            try:
                page = bundle.manifest_of(project.path / "published", one.slug, number)
            except ProjectError:  # the list of pages says so of the one that is shown
                continue
            text = say("“{title}” was published.", title=page.title)
            if number > 1:
                text = say(
                    "Version {number:count} of “{title}” was published.", number=number, title=page.title
                )
            yield News(page.published, "page", text, one.slug)


def _shown_or_not(pages: Sequence[Publication], log: Sequence[Access]) -> Iterator[News]:
    """Pages that were taken down, deleted, or shown again, and links that were taken back or made anew."""
    titles = {one.slug: one.title for one in pages}
    for entry in reversed(log):  # what was done in one second stays in order
        slug = str(entry.details.get("page", ""))
        if entry.action != "publish" or not slug:
            continue
        named = {"title": titles.get(slug, slug)}
        version = entry.details.get("version")
        said = {
            "taken down": say("“{title}” was taken down.", **named),
            "deleted": say("“{title}” and all its versions were deleted.", **named),
            "shown again": say("“{title}” shows version {version} again.", **named, version=version),
            "link taken back": say("The link of “{title}” was taken back; nobody is let in.", **named),
            "link renewed": say("“{title}” has a new link; the one before no longer opens it.", **named),
        }.get(str(entry.details.get("did")))
        if said is not None:
            yield News(_moment(entry.time), "page", said, slug if slug in titles else "")


def _plans(project: Project) -> Iterator[News]:
    for name in project.protocols:
        try:
            versions = project.protocols[name]
        except ProjectError:  # the effect lab says so
            continue
        for version in versions:
            if version.locked is not None:
                text = say("The plan of the experiment “{name}” was locked.", name=name)
                if version.reason:
                    text = say(
                        "The plan of the experiment “{name}” was changed: {reason}",
                        name=name,
                        reason=version.reason,
                    )
                yield News(version.locked, "plan", text)


def _alarms(project: Project) -> Iterator[News]:
    for name, mute in project.alarms.items():
        text = say(
            "Muted until {day:date}: {alarm}. {reason}",
            day=mute.until,
            alarm=alarm_name(name),
            reason=mute.reason,
        )
        yield News(mute.at, "alarm", text)


def alarm_name(alarm: str) -> Message:
    """What a reader calls an alarm."""
    names = {
        "trust.change": say("People leave faster than before"),
        "trust.balance": say("Too few join for each who leaves"),
    }
    return names[alarm]


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
