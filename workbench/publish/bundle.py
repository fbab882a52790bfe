"""A publication: what may be shown to others, version by version, and nothing else.

    published/<slug>/
      current                 the number of the version that readers see; replaced whole, so never half
      versions/<n>/           never changed once it is there
        index.html            the page without a server: both languages, charts, tables, downloads
        <record id>.json      the records, without small groups and with rounded counts
        manifest.json         title, project, when, which records, SHA-256 of every file, hash of the last
        seal                  HMAC of the manifest under the project's key, which is not in here

A version is written under a temporary name beside its place, forced to disk, and moved there whole; then
`current` is replaced. Whatever fails before that, readers see what they saw before. Without `current` a page
is taken down: its versions are there, and readers get none. No query, rule or customer is in any of it.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench import storage
from workbench.analyses.groups import CROSSED, SEGMENTS
from workbench.errors import ProjectError, WorkbenchError, check_choice
from workbench.locale import LANGUAGES, say
from workbench.publish import seal
from workbench.publish.disclosure import disclosed_together
from workbench.records import SMALLEST_GROUP, AnyRecord, AssociationRecord, CohortRecord, Header, from_json
from workbench.segments import names_in, parse
from workbench.tables.privacy.names import sensitive

if TYPE_CHECKING:
    from workbench.project import Project

CURRENT = "current"
VERSIONS = "versions"
_SLUG = re.compile("[a-z0-9][a-z0-9-]*")
_PROGRAM = "personalization-workbench"


class Page(BaseModel):
    """`manifest.json`: a version of a page.

    Attributes:
        version: Its number, from 1.
        language: What readers get who asked for none.
        audience: For whom it was made, in the publisher's words; may be empty.
        ask: Whom readers may ask: whoever was accountable, if they wanted to be named.
        least: Groups of fewer people are not shown.
        until: The last moment of the data, if it is known.
        made_with: The program and packages, and their versions.
        records: Their ids, in the order in which they are shown.
        files: Of the version → SHA-256.
        previous: SHA-256 of the manifest of the version before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    slug: str
    version: int
    project: Header
    published: datetime
    language: str
    audience: str = ""
    ask: str = ""
    least: int = SMALLEST_GROUP
    until: datetime | None
    made_with: dict[str, str]
    records: list[str]
    files: dict[str, str]
    previous: str | None = None


@dataclass(frozen=True)
class Bundle:
    """A published version: where it is, its address, its number, and the files in it."""

    path: Path
    slug: str
    version: int
    files: list[str]


def shows_sensitive(project: Project, record: AnyRecord) -> str | None:
    """The column that a result is split by, or adjusted for, that is sensitive: age, sex, health …"""
    if isinstance(record, AssociationRecord):
        asked_for, columns = record.settings, record.summary.covariates
        columns = [*columns, *([asked_for.name] if asked_for.treatment == "column" else [])]
        return next(filter(sensitive, [*columns, asked_for.placebo or ""]), None)
    by = record.settings.by
    parts = by.split(CROSSED) if by else []
    if isinstance(record, CohortRecord) and record.settings.mix_by:
        parts.append(record.settings.mix_by)
    rules = {name: rule for name, rule in project.segments.items() if name in parts or by == SEGMENTS}
    asked = {name for rule, text in rules.items() for name in names_in(parse(rule, text))}
    return next((name for name in [*parts, *sorted(asked)] if sensitive(name)), None)


def publish(
    project: Project,
    records: Sequence[AnyRecord],
    title: str,
    *,
    language: str | None = None,
    audience: str = "",
    sensitive_too: bool = False,
) -> Bundle:
    """Write a version of a page of `records` under the project's `published` folder, and show it from now on.

    Pages with the same address (made of the title) are versions of one page; former ones are kept.

    Args:
        project: The project.
        records: What the page shows.
        title: Its title.
        language: What readers get who asked for none; the project's unless given.
        audience: For whom it is, in a few words.
        sensitive_too: Whether results may be split by what is sensitive about people.

    Raises:
        WorkbenchError: without records or without a title; when a result is split by what is sensitive and
            nobody said that it may; when a former version and this one together would give few people away.
        ProjectError: when the disk is full, or the project's key is not there; nothing has changed then.
    """
    from workbench.publish.still import still

    if not records:
        raise WorkbenchError("There is nothing to publish; name at least one record.")
    if not title.strip():
        raise WorkbenchError("A page needs a title.")
    language = language or project.settings.language
    check_choice(language, LANGUAGES, say("language"))
    for record in () if sensitive_too else records:
        if column := shows_sensitive(project, record):
            raise _sensitive(record, column)
    slug, key = _slug(title), project.people.key()
    place = project.path / "published" / slug
    with _writing(project, place):
        former = numbers(place)
        shown = public(project, records, slug)
        files = {f"{record.id}.json": record.model_dump_json(indent=1).encode() for record in shown}
        page = Page(
            title=title.strip(),
            slug=slug,
            version=max(former, default=0) + 1,
            project=project.header,
            published=datetime.now(UTC),
            language=language,
            audience=audience.strip(),
            ask=project.team.ask_whom or "",
            least=project.settings.smallest_group,
            until=max((record.source.until for record in shown if record.source.until), default=None),
            made_with={_PROGRAM: metadata.version(_PROGRAM), **_versions(shown)},
            records=[record.id for record in shown],
            files={},
            previous=_manifest_hash(place, max(former)) if former else None,
        )
        files[seal.STILL] = still(page, shown).encode()
        digests = {name: seal.file_digest(name, content) for name, content in sorted(files.items())}
        manifest = page.model_copy(update={"files": digests}).model_dump_json(indent=1).encode()
        files[seal.STILL] = seal.with_hash(files[seal.STILL], manifest)
        files |= {seal.MANIFEST: manifest, seal.SEAL: seal.sealed(manifest, key).encode()}
        version = _put(place, page.version, files)
        project.people.access.add(
            "publish", page=slug, version=page.version, manifest=seal.digest(manifest), did="published"
        )
        storage.write_text(place / CURRENT, str(page.version))
    return Bundle(version, slug, page.version, sorted(files))


def roll_back(project: Project, slug: str, version: int) -> Page:
    """Show another version of a page from now on, or show it again after it was taken down.

    Raises:
        ProjectError: when there is none of that number, or it is not what was published.
    """
    published = project.path / "published"
    page, _ = read(published, slug, version, project.people.key())
    with _writing(project, published / slug):
        project.people.access.add("publish", page=slug, version=version, did="shown again")
        storage.write_text(published / slug / CURRENT, str(version))
    return page


def unpublish(project: Project, slug: str, *, for_good: bool = False) -> None:
    """Take a page down; its versions are kept unless it is `for_good`.

    Raises:
        ProjectError: when there is no page of that name that readers can see, or no version of it to delete.
    """
    place = project.path / "published" / slug
    if not _SLUG.fullmatch(slug) or not ((place / CURRENT).is_file() or (for_good and place.is_dir())):
        raise _none(slug)
    with _writing(project, place):
        project.people.access.add("publish", page=slug, did="deleted" if for_good else "taken down")
        (place / CURRENT).unlink(missing_ok=True)
        if for_good:
            gone = place.with_name(f".{slug}{storage.TEMPORARY}")
            place.rename(gone)
            shutil.rmtree(gone)


def pages(folder: Path) -> list[Page]:
    """The pages that readers of `folder` can see, newest first; those that are damaged are left out."""
    found = []
    for file in folder.glob(f"*/{CURRENT}"):
        with contextlib.suppress(ProjectError):
            found.append(manifest_of(folder, file.parent.name, current(folder, file.parent.name)))
    return sorted(found, key=lambda page: page.published, reverse=True)


def taken_down(folder: Path) -> list[str]:
    """The slugs of pages that have versions and are shown to nobody."""
    places = [file.parent for file in folder.glob(f"*/{VERSIONS}")]
    return sorted(place.name for place in places if not (place / CURRENT).is_file() and numbers(place))


def numbers(place: Path) -> list[int]:
    """The numbers of the versions that are in the folder of a page, in order."""
    folders = (place / VERSIONS).iterdir() if (place / VERSIONS).is_dir() else ()
    return sorted(int(folder.name) for folder in folders if folder.name.isdecimal())


def current(published: Path, slug: str) -> int:
    """The number of the version that readers see.

    Raises:
        ProjectError: when there is no page of that name, or it was taken down.
    """
    try:
        if not _SLUG.fullmatch(slug):
            raise _none(slug)
        return int((published / slug / CURRENT).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _none(slug) from error


def folder_of(published: Path, slug: str, version: int) -> Path:
    """Where a version of a page is.

    Raises:
        ProjectError: when there is none.
    """
    folder = published / slug / VERSIONS / str(version)
    if not _SLUG.fullmatch(slug) or not folder.is_dir():
        raise _none(slug)
    return folder


def manifest_of(published: Path, slug: str, version: int) -> Page:
    """The manifest of a version, as it is; nothing has been checked.

    Raises:
        ProjectError: when there is no such version, or its manifest cannot be read.
    """
    folder = folder_of(published, slug, version)
    try:
        page = Page.model_validate_json((folder / seal.MANIFEST).read_text("utf-8"))
    except FileNotFoundError as error:
        raise seal.tampered(slug, say("{file} is missing", file=seal.MANIFEST)) from error
    except (OSError, ValidationError, ValueError) as error:
        raise seal.tampered(slug, say("{file} was changed", file=seal.MANIFEST)) from error
    if (page.slug, page.version) != (slug, version):
        raise seal.tampered(slug, say("{file} was changed", file=seal.MANIFEST))
    return page


def checked(published: Path, slug: str, version: int | None = None, key: bytes | None = None) -> Path:
    """The folder of a version, the current one unless given, of which every file is as it was published.

    Args:
        published: The folder of all pages.
        slug: The page.
        version: Its number.
        key: The project's key, where it is at hand.

    Raises:
        ProjectError: when there is none.
        Tampered: when it is not what was published.
    """
    version = current(published, slug) if version is None else version
    page, folder = manifest_of(published, slug, version), folder_of(published, slug, version)
    try:
        seal.check(folder, slug, page.files, key)
    except OSError as error:
        raise seal.tampered(slug, say("a file cannot be read")) from error
    return folder


def read(
    published: Path, slug: str, version: int | None = None, key: bytes | None = None
) -> tuple[Page, list[AnyRecord]]:
    """The page and records of a version, the current one unless given, once they are `checked`.

    Raises:
        ProjectError: when there is none of that name, or it is not what was published.
    """
    folder = checked(published, slug, version, key)
    page = manifest_of(published, slug, int(folder.name))
    try:
        return page, [_record((folder / f"{name}.json").read_text("utf-8")) for name in page.records]
    except (OSError, ValidationError, ValueError) as error:
        raise ProjectError(
            "The published page “{slug}” was made by another version of the workbench; publish it again.",
            slug=slug,
        ) from error


_record = lru_cache(maxsize=128)(from_json)  # the same text is the same record, of which there need be one


def manifest_hash(published: Path, slug: str, version: int) -> str:
    """The hash that stands on the page: SHA-256 of `manifest.json`."""
    return _manifest_hash(folder_of(published, slug, version).parents[1], version)


def public(project: Project, records: Sequence[AnyRecord], slug: str = "") -> list[AnyRecord]:
    """Records as others may see them, next to each other and to the versions of the page `slug` that are out.

    Raises:
        WorkbenchError: when few people could be told from two of them.
    """
    before: list[tuple[AnyRecord, AnyRecord]] = []
    published = project.path / "published"
    for version in numbers(published / slug) if slug else ():
        with contextlib.suppress(ProjectError):
            for shown in read(published, slug, version)[1]:
                before.append((project.records.get(shown.id, shown), shown))
    return disclosed_together(records, least=project.settings.smallest_group, before=before)


@contextlib.contextmanager
def _writing(project: Project, place: Path) -> Iterator[None]:
    """One writer at a time, who may publish; what a killed one left behind is cleared away."""
    project.team.check("publish")
    with storage.lock(project.path), storage.disk_errors(place):
        for part in place.parent.glob(f".*{storage.TEMPORARY}"):
            shutil.rmtree(part, ignore_errors=True)
        for part in (place / VERSIONS).glob(f".*{storage.TEMPORARY}"):
            shutil.rmtree(part, ignore_errors=True)
        yield


def _put(place: Path, version: int, files: Mapping[str, bytes]) -> Path:
    """Move a version into its place, whole."""
    folder = place / VERSIONS
    folder.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=folder, prefix=f".{version}-", suffix=storage.TEMPORARY))
    try:
        for name, content in files.items():
            with storage.replacing(new / name) as temporary:
                temporary.write_bytes(content)
        new.chmod(0o755)
        return new.rename(folder / str(version))
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _manifest_hash(place: Path, version: int) -> str:
    return storage.sha256_of(place / VERSIONS / str(version) / seal.MANIFEST)


def _versions(records: Sequence[AnyRecord]) -> dict[str, str]:
    return {name: version for record in records for name, version in record.versions.items()}


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


def _none(slug: str) -> ProjectError:
    return ProjectError("There is no published page “{slug}” here.", slug=slug)


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "page"
