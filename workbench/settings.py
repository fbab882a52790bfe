"""What a project is set to: `project.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ConfigDict, ValidationError

from workbench import storage
from workbench.errors import ProjectError


class Settings(BaseModel):
    """`project.toml`.

    Attributes:
        currency: ISO 4217 code of all money in the tables.
        timezone: IANA name; times without an offset are read in it, days are counted in it.
        language: Language of texts where the reader has not said otherwise.
        engine: `duckdb`, or the address of a database whose tables are read in place; see `docs/engines.md`.
        memory_limit: What a query may use, in DuckDB's notation; it spills to disk above that.
        consent_purpose: Only what customers had agreed to for this purpose is analysed; None for all.
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
    id: str = ""
    key_fingerprint: str = ""


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
