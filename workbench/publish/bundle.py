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
from workbench.locale import say
from workbench.records import Check, EffectRecord, Header, ValueRecord, from_json
from workbench.segments import names_in, parse
from workbench.tables.privacy.names import sensitive

if TYPE_CHECKING:
    from workbench.project import Project

SMALLEST_GROUP = 10
_ROUND_TO = 10
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


def splits_by_sensitive(project: Project, record: EffectRecord | ValueRecord) -> str | None:
    """The column by which a result is split that says something sensitive of people: age, sex, health …"""
    by = record.settings.by
    if not by:
        return None
    rules = {name: rule for name, rule in project.segments.items() if by in (name, SEGMENTS)}
    asked = {name for rule, text in rules.items() for name in names_in(parse(rule, text))}
    return next((name for name in [by, *sorted(asked)] if sensitive(name)), None)


def publish(
    project: Project,
    records: list[EffectRecord | ValueRecord],
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
        if column := splits_by_sensitive(project, record):
            raise WorkbenchError(
                "A result is split by “{column}”, which is sensitive; publish it without that split, or say"
                " that it may be shown.",
                column=column,
            )
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


def unpublish(project: Project, slug: str) -> None:
    """Take a bundle away."""
    folder = project.path / "published"
    read(folder, slug)
    shutil.rmtree(folder / slug)


def pages(folder: Path) -> list[Page]:
    """The pages published in `folder`, newest first."""
    found = [read(folder, file.parent.name)[0] for file in folder.glob("*/page.json")]
    return sorted(found, key=lambda page: page.published, reverse=True)


def read(published: Path, slug: str) -> tuple[Page, list[EffectRecord | ValueRecord]]:
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


def public(record: EffectRecord | ValueRecord) -> EffectRecord | ValueRecord:
    """The record as others may see it: no group of fewer than ten, counts rounded to tens, no rules.

    A rule may name people; the segment's own name is what readers get.

    A group that is left out could be found by subtraction if it were the only one; the next smallest is
    then left out with it.
    """
    if isinstance(record, EffectRecord):
        sizes = {
            (item.segment, item.arm): item.n
            for item in record.summary.comparisons
            if item.segment is not None
        }
    else:
        sizes = {(group.group, ""): group.customers for group in record.summary.value if group.group}
    hidden = {key for key, n in sizes.items() if n < SMALLEST_GROUP}
    if len(hidden) == 1 and len(sizes) > 1:
        hidden.add(min((key for key in sizes if key not in hidden), key=lambda key: sizes[key]))
    checks = list(record.checks)
    if hidden:
        checks.append(
            Check(
                name="small_groups",
                status="ok",
                detail=say(
                    "{n:count} groups are not shown, so that nobody can be recognised in one of fewer than "
                    "{least:count} people.",
                    n=len(hidden),
                    least=SMALLEST_GROUP,
                ),
            )
        )
    if isinstance(record, EffectRecord):
        effect = record.summary
        shown = effect.model_copy(
            update={
                "comparisons": [
                    item.model_copy(update={"n": _rounded(item.n)})
                    for item in effect.comparisons
                    if (item.segment, item.arm) not in hidden
                ],
                "arms": [
                    arm.model_copy(
                        update={
                            "n": _rounded(arm.n),
                            "total": _rounded(arm.total) if effect.unit == "share" else arm.total,
                            "buyers": None if arm.buyers is None else _rounded(arm.buyers),
                        }
                    )
                    for arm in effect.arms
                ],
                "customers": _rounded(effect.customers),
            }
        )
        return record.model_copy(update={"summary": shown, "checks": checks, "definitions": {}})
    value = record.summary
    names = {key[0] for key in hidden}
    lasting = value.model_copy(
        update={
            "value": [
                group.model_copy(update={"customers": _rounded(group.customers)})
                for group in value.value
                if group.group not in names
            ],
            "differences": [item for item in value.differences if not names & set(item.groups)],
            "customers": _rounded(value.customers),
        }
    )
    return record.model_copy(update={"summary": lasting, "checks": checks, "definitions": {}})


def _rounded(count: float) -> int:
    return round(count / _ROUND_TO) * _ROUND_TO


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "page"
