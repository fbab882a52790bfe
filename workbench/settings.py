"""What a project is set to: `project.toml`."""

from __future__ import annotations

import tomllib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench import storage
from workbench.errors import ProjectError, WorkbenchError, check_choice
from workbench.locale import LANGUAGES, say


class Settings(BaseModel):
    """`project.toml`.

    Attributes:
        currency: ISO 4217 code of all money in the tables.
        timezone: IANA name; times without an offset are read in it, days are counted in it.
        language: Language of texts where the reader has not said otherwise.
        engine: `duckdb`, or the address of a database whose tables are read in place; see `docs/engines.md`.
        memory_limit: What a query may use, in DuckDB's notation; it spills to disk above that.
        consent_purpose: Only what customers had agreed to for this purpose is analysed; None for all.
        smallest_group: Nothing is published of fewer people.
        id: Names the key of the pseudonyms.
        key_fingerprint: Tells whether a key is the right one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    currency: str = "EUR"
    timezone: str = "UTC"
    language: str = "en"
    engine: str = "duckdb"
    memory_limit: str = "70%"
    consent_purpose: str | None = None
    smallest_group: int = Field(default=10, ge=3)
    id: str = ""
    key_fingerprint: str = ""


def new_settings(*, name: str, currency: str, timezone: str, language: str) -> Settings:
    """The settings of a new project.

    Raises:
        WorkbenchError: when the currency, time zone or language is not known.
    """
    from babel import Locale

    check_choice(language, LANGUAGES, say("language"))
    if currency not in Locale.parse("en").currencies:
        raise WorkbenchError(
            "There is no currency “{currency}”; give its ISO code, such as EUR.", currency=currency
        )
    if timezone not in available_timezones():
        raise WorkbenchError(
            "There is no time zone “{zone}”; give its IANA name, such as Europe/Madrid.", zone=timezone
        )
    return Settings(name=name, currency=currency, timezone=timezone, language=language, id=uuid.uuid4().hex)


def check_new(folder: Path) -> None:
    """That a project can be made in a folder.

    Raises:
        ProjectError: when it holds something.
    """
    if (folder / "project.toml").exists():
        raise ProjectError("There is a project in {path} already; open it.", path=str(folder))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(
            "{path} is not an empty folder; choose a new one for the project.", path=str(folder)
        )


def read_settings(file: Path) -> Settings:
    """The settings in a file.

    Raises:
        ProjectError: when it is damaged, or a setting has a value that it cannot have.
    """
    try:
        return validated(tomllib.loads(file.read_text(encoding="utf-8")), file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError("{path} cannot be read: {reason}.", path=str(file), reason=str(error)) from error


def write_settings(file: Path, settings: Settings) -> None:
    """Write the settings, atomically."""
    storage.write_text(file, tomli_w.dumps(settings.model_dump(exclude_none=True)))


def validated(found: Mapping[str, Any], file: Path) -> Settings:
    """Settings from what a file says.

    Raises:
        ProjectError: when a setting is not known or has a value that it cannot have.
    """
    try:
        return Settings.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        raise ProjectError(
            "{path}: the setting “{setting}” is wrong: {reason}.",
            path=str(file),
            setting=".".join(str(part) for part in first["loc"]),
            reason=first["msg"],
        ) from error
