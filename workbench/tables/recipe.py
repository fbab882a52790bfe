"""A recipe: how one kind of file is read, written down so that the next one is read the same way.

Recipes are JSON files without any data in them, so that they can be shared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.errors import DataError, check_choice
from workbench.locale import Message, say
from workbench.tables.cells import DateOrder, DecimalMark
from workbench.tables.schema import GRAINS, Grain


class Recipe(BaseModel):
    """How a file is read; what is None is found from the file.

    Attributes:
        about: What the recipe is for, in the words of whoever made it.
        table: The standard table it holds, at the event grain.
        grain: `event`, `unit` (a row a customer, with a variant and outcomes) or `summary` (a row an arm).
        vendor: The system whose export it is; see `vendors.VENDORS`.
        mapping: Standard column → column of the file; see `load.read_tables`.
        experiment: The experience of every row, or the column that holds it.
        timezone: IANA name of the zone of times without an offset; the project's when None.
        date_order: How `03/04/2026` is read.
        decimal: The decimal mark.
        sheet: The sheet of a workbook.
        encoding: How the text is written.
        columns: The columns of the file that it was made for; a file with the same ones is read by it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str = ""
    table: str | None = None
    grain: Grain | None = None
    vendor: str | None = None
    mapping: dict[str, Any] | None = None
    experiment: str | None = None
    timezone: str | None = None
    date_order: DateOrder | None = None
    decimal: DecimalMark | None = None
    sheet: str | None = None
    encoding: str | None = None
    columns: tuple[str, ...] = ()
    version: Literal[1] = 1

    def with_settings(self, settings: Mapping[str, Any]) -> Recipe:
        """The recipe with some settings replaced; those that are None stay.

        Raises:
            DataError: when a setting is none, or has a value that it cannot have.
        """
        given = {name: value for name, value in settings.items() if value is not None}
        if not given:
            return self
        for name, choices in (("grain", GRAINS), ("date_order", ("dmy", "mdy")), ("decimal", (".", ","))):
            if name in given:
                check_choice(given[name], choices, Message(name.replace("_", " "), {}))
        return _validated({**self.model_dump(exclude_none=True), **given}, say("These settings"))

    def fits(self, columns: Collection[str]) -> bool:
        """Whether a file with these columns is of the kind that the recipe was made for."""
        return bool(self.columns) and set(self.columns) == set(columns)

    def to_json(self) -> str:
        """The recipe as the text of its file."""
        return self.model_dump_json(indent=1, exclude_none=True, exclude_defaults=True)


def parse(text: str, file: str) -> Recipe:
    """The recipe that a file holds; a bare mapping of columns is one too.

    Raises:
        DataError: when it is none, saying what is wrong.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise DataError(
            "{file} is no recipe: it is not JSON ({reason}).", file=file, reason=str(error)
        ) from error
    if not isinstance(found, Mapping):
        raise DataError(
            "{file} is no recipe: it has to be one JSON object, from our column to the file's.", file=file
        )
    if not set(found) & set(Recipe.model_fields) - {"experiment"}:
        found = {"mapping": found}
    return _validated(found, file)


def _validated(found: Mapping[str, Any], file: str | Message) -> Recipe:
    try:
        return Recipe.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            "{file}: “{setting}” cannot be read as part of a recipe ({reason}).",
            file=file,
            setting=".".join(str(part) for part in first["loc"]),
            reason=first["msg"],
        ) from error


def read(file: Path) -> Recipe:
    """The recipe in a file.

    Raises:
        DataError: when it cannot be read or is none.
    """
    try:
        return parse(file.read_text(encoding="utf-8"), file.name)
    except UnicodeDecodeError as error:
        raise DataError("{file} is no recipe: it is not text.", file=file.name) from error
    except OSError as error:
        raise DataError(
            "The recipe {file} cannot be read: {reason}.", file=str(file), reason=error.strerror or str(error)
        ) from error


def name_for(file: str) -> str:
    """A name for the recipe of a file: its own, without dates and numbers.

    >>> name_for("Pedidos 2026-10.csv"), name_for("events_20260101.json.gz"), name_for("2026.csv")
    ('pedidos', 'events', 'file')
    """
    stem = file.split(".")[0]
    words = re.findall(r"[^\W\d_]+", stem.lower())
    return "-".join(words) or "file"
