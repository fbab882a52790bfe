"""A bundle: what may be shown to others, and nothing else.

    published/<slug>/
      page.json          title, project, when, which records
      <record>.json      the records, without small groups and with rounded counts

It is written beside its place and moved there whole. No query, rule or customer can be reached from it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench import storage
from workbench.analyses.groups import SEGMENTS
from workbench.errors import ProjectError, WorkbenchError
from workbench.publish.association_disclosure import disclosed_association
from workbench.publish.disclosure import disclosed
from workbench.records import AnyRecord, AssociationRecord, Header, from_json
from workbench.segments import names_in, parse
from workbench.tables.privacy.names import sensitive

if TYPE_CHECKING:
    from workbench.project import Project

_SLUG = re.compile("[a-z0-9][a-z0-9-]*")


class Page(BaseModel):
    """`page.json`."""

    model_config = ConfigDict(frozen=True)

    title: str
    slug: str
    project: Header
    published: datetime
    records: list[str]


@dataclass(frozen=True)
class Bundle:
    """A published bundle: where it is, its address, and the files in it."""

    path: Path
    slug: str
    files: list[str]


def shows_sensitive(project: Project, record: AnyRecord) -> str | None:
    """The column that a result is split by, or adjusted for, that is sensitive: age, sex, health …"""
    if isinstance(record, AssociationRecord):
        asked_for, columns = record.settings, record.summary.covariates
        columns = [*columns, *([asked_for.name] if asked_for.treatment == "column" else [])]
        return next(filter(sensitive, [*columns, asked_for.placebo or ""]), None)
    by = record.settings.by
    if not by:
        return None
    rules = {name: rule for name, rule in project.segments.items() if by in (name, SEGMENTS)}
    asked = {name for rule, text in rules.items() for name in names_in(parse(rule, text))}
    return next((name for name in [by, *sorted(asked)] if sensitive(name)), None)


def publish(
    project: Project,
    records: list[AnyRecord],
    title: str,
    *,
    sensitive_too: bool = False,
) -> Bundle:
    """Write a bundle of `records` under the project's `published` folder; the same title replaces it.

    Args:
        project: The project.
        records: What the page shows.
        title: Its title.
        sensitive_too: Whether results may be split by what is sensitive about people.

    Raises:
        WorkbenchError: without records or without a title, or when a result is split by what is sensitive
            and nobody said that it may.
    """
    if not records:
        raise WorkbenchError("There is nothing to publish; name at least one record.")
    if not title.strip():
        raise WorkbenchError("A page needs a title.")
    for record in () if sensitive_too else records:
        if column := shows_sensitive(project, record):
            raise _sensitive(record, column)
    folder = project.path / "published"
    page = Page(
        title=title.strip(),
        slug=_slug(title),
        project=project.header,
        published=datetime.now(UTC),
        records=[record.id for record in records],
    )
    with storage.lock(project.path), storage.disk_errors(folder):
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as temporary:
            new = Path(temporary) / page.slug
            new.mkdir()
            storage.write_text(new / "page.json", page.model_dump_json(indent=1))
            for record in records:
                storage.write_text(new / f"{record.id}.json", public(record).model_dump_json(indent=1))
            place = folder / page.slug
            if place.exists():
                place.rename(Path(temporary) / "old")
            new.rename(place)
    return Bundle(place, page.slug, sorted(file.name for file in place.iterdir()))


def _sensitive(record: AnyRecord, column: str) -> WorkbenchError:
    if isinstance(record, AssociationRecord):
        return WorkbenchError(
            "A result tells “{column}” of its two groups, which is sensitive; publish one without it, or say"
            " that it may be shown.",
            column=column,
        )
    return WorkbenchError(
        "A result is split by “{column}”, which is sensitive; publish it without that split, or say"
        " that it may be shown.",
        column=column,
    )


def unpublish(project: Project, slug: str) -> None:
    """Take a bundle away."""
    folder = project.path / "published"
    read(folder, slug)
    shutil.rmtree(folder / slug)


def pages(folder: Path) -> list[Page]:
    """The pages published in `folder`, newest first."""
    found = [read(folder, file.parent.name)[0] for file in folder.glob("*/page.json")]
    return sorted(found, key=lambda page: page.published, reverse=True)


def read(published: Path, slug: str) -> tuple[Page, list[AnyRecord]]:
    """A bundle's page and records.

    Raises:
        ProjectError: when there is none of that name, or it is damaged.
    """
    folder = published / slug
    if not _SLUG.fullmatch(slug) or not folder.is_dir():
        raise ProjectError("There is no published page “{slug}” here.", slug=slug)
    try:
        page = Page.model_validate_json((folder / "page.json").read_text(encoding="utf-8"))
        return page, [from_json((folder / f"{name}.json").read_text("utf-8")) for name in page.records]
    except (OSError, ValidationError, ValueError) as error:
        raise ProjectError("The published page “{slug}” is damaged; publish it again.", slug=slug) from error


def public(record: AnyRecord) -> AnyRecord:
    """The record as others may see it: nothing of fewer than ten people, counts rounded to tens, no rules."""
    if isinstance(record, AssociationRecord):
        return disclosed_association(record)
    return disclosed(record)


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "page"
