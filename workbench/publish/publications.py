"""The published pages of a project: what each says, and whether that is still so."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from workbench.errors import ProjectError
from workbench.locale import Message, Texts, say
from workbench.project import Project
from workbench.publish import bundle
from workbench.publish.library import Library, Outcome, outcome
from workbench.publish.versions import differences, key_at_hand, question
from workbench.records import AnyRecord


@dataclass(frozen=True)
class Publication:
    """A page that is, or was, published.

    Attributes:
        slug: Its name in addresses.
        shown: Whether readers see it.
        page: The version that readers see, or would; None where that cannot be read.
        verdict, outcome: The first sentence on it, and what became of its question.
        problem: What is not as it was published; readers then get nothing.
        behind: Why it no longer says what is known now.
        versions: The numbers of its versions, in order.
        records: The ids of what it shows.
    """

    slug: str
    shown: bool
    page: bundle.Page | None
    verdict: Message | None = None
    outcome: Outcome | None = None
    problem: Message | None = None
    behind: tuple[Message, ...] = ()
    versions: tuple[int, ...] = ()
    records: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it is called."""
        return self.page.title if self.page else self.slug

    @property
    def when(self) -> datetime:
        """When the version that is shown was published."""
        return self.page.published if self.page else datetime.min.replace(tzinfo=UTC)


def publications(project: Project, library: Library) -> list[Publication]:
    """The pages that readers see, newest first, and then those that were taken down."""
    places = [file.parent for file in (project.path / "published").glob(f"*/{bundle.VERSIONS}")]
    found = [_publication(project, place.name, library) for place in places if bundle.numbers(place)]
    return sorted(found, key=lambda one: (one.shown, one.when), reverse=True)


def moved(project: Project, publication: Publication, t: Texts) -> list[str]:
    """What the version that is shown says otherwise than the one before it, a sentence each."""
    shown = publication.page.version if publication.page else 0
    if shown - 1 not in publication.versions:
        return []
    published, key = project.path / "published", key_at_hand(project)
    try:
        _, old = bundle.read(published, publication.slug, shown - 1, key)
        _, new = bundle.read(published, publication.slug, shown, key)
    except ProjectError as error:
        return [t(error.message)]
    return differences(old, new, t)


def _publication(project: Project, slug: str, library: Library) -> Publication:
    published = project.path / "published"
    numbers = tuple(bundle.numbers(published / slug))
    number, shown = numbers[-1], False
    with contextlib.suppress(ProjectError):
        number, shown = bundle.current(published, slug), True
    page = problem = None
    records: Sequence[AnyRecord] = ()
    try:
        page = bundle.manifest_of(published, slug, number)
        _, records = bundle.read(published, slug, number, key_at_hand(project))
    except ProjectError as error:
        problem = error.message
    return Publication(
        slug=slug,
        shown=shown,
        page=page,
        verdict=records[0].verdict if records else None,
        outcome=outcome(records[0]) if records else None,
        problem=problem,
        behind=tuple(_behind(project, page, records, library)) if page and records else (),
        versions=numbers,
        records=tuple(record.id for record in records),
    )


def _behind(
    project: Project, page: bundle.Page, records: Sequence[AnyRecord], library: Library
) -> Iterator[Message]:
    """What has changed since the page was made."""
    now = {name: entry["sha256"] for name, entry in project.manifest().items()}
    read = {table: digest for record in records for table, digest in record.source.fingerprints.items()}
    changed = sorted(table for table, digest in read.items() if now.get(table) != digest)
    if changed and not project.in_place:
        yield say("The data have changed since: {tables:listing}.", tables=changed)
    asked = [question(record) for record in records]
    for record in library.since(page.published):
        if record.id not in page.records and question(record) in asked:
            yield say("A newer result is kept: {verdict}", verdict=record.verdict)
            return
