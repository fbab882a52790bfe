"""Who collected the columns of a project, and the tools that bring them: `provenance.toml` and `tools.toml`.

A column is zero-party when customers told it of themselves (answers, preferences, consents), third-party when
somebody else collected it (where a visit came from as an advertiser's link says it, scores that were bought),
first-party when the shop saw it itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from workbench import storage
from workbench.errors import ProjectError, check_choice
from workbench.locale import say
from workbench.tables.guess import words
from workbench.tables.schema import TABLES
from workbench.team import Team

Party = Literal["zero", "first", "third"]
"""Who collected a column: the customer by telling it, the shop itself, or somebody else."""

PARTIES: Final[tuple[Party, ...]] = get_args(Party)

_TOLD_TABLES: Final = frozenset({"surveys", "consents"})
_BOUGHT_TABLES: Final = frozenset({"social"})
"""Tables that a network counts and hands over."""
_ARRIVALS: Final = frozenset({"customers", "events", "leads"})
"""Tables in which source, medium and campaign say where somebody came from; elsewhere they are the shop's."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ARRIVED: Final = _words("source medium campaign fuente medio campana")
_TOLD: Final = _words(
    "preference preferences preferencia preferencias pref prefs interest interests interes intereses survey"
    " encuesta onboarding wish wishes wants deseo deseos favourite favorite favorito favorita declared"
    " declarado declarada answer answers respuesta respuestas reason motivo consent consentimiento"
)
_BOUGHT: Final = _words(
    "utm gclid gbraid wbraid fbclid msclkid ttclid dclid fbp fbc enriched enriquecido enriquecida lookalike"
    " appended dmp broker acxiom bluekai clearbit equifax experian liveramp nielsen"
)
_BOUGHT_TOGETHER: Final = tuple(
    map(_words, ["third party", "credit score", "external score", "score externo", "puntuacion externa"])
)


def guess(table: str, column: str) -> Party:
    """Who probably collected a column, by its name.

    >>> [guess("customers", name) for name in ("utm_source", "onboarding_goal", "country")]
    ['third', 'zero', 'first']
    >>> guess("consents", "source"), guess("sends", "campaign_id"), guess("customers", "Credit Score")
    ('zero', 'first', 'third')
    """
    found = frozenset(words(column))
    if table in _TOLD_TABLES:
        return "zero"
    if table in _BOUGHT_TABLES or found & _BOUGHT or any(pair <= found for pair in _BOUGHT_TOGETHER):
        return "third"
    if found & _TOLD:
        return "zero"
    return "third" if table in _ARRIVALS and found & _ARRIVED else "first"


class Origins(MutableMapping[str, Party]):
    """What was said of columns: `table.column` → who collected it, kept in `provenance.toml` by table.

    Columns of which nothing was said are not in it; `of` guesses them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "provenance.toml"

    def of(self, column: str) -> Party:
        """Who collected `table.column`: as was said, else as is guessed."""
        return self._said().get(column) or guess(*split_column(column))

    def _said(self) -> dict[str, Party]:
        sections = _checked(self._file, TypeAdapter(dict[str, dict[str, Party]]))
        return {
            f"{table}.{column}": party
            for table, columns in sections.items()
            for column, party in columns.items()
        }

    def __getitem__(self, column: str) -> Party:
        return self._said()[column]

    def __setitem__(self, column: str, party: Party) -> None:
        split_column(column)
        check_choice(party, PARTIES, say("origin of a column"))
        with storage.lock(self._folder):
            self._write({**self._said(), column: party})

    def __delitem__(self, column: str) -> None:
        with storage.lock(self._folder):
            said = self._said()
            del said[column]
            self._write(said)

    def _write(self, said: dict[str, Party]) -> None:
        Team(self._folder).check("keep")
        sections: dict[str, dict[str, Party]] = {}
        for name in sorted(said):
            table, column = split_column(name)
            sections.setdefault(table, {})[column] = said[name]
        storage.write_text(self._file, tomli_w.dumps(sections))

    def __iter__(self) -> Iterator[str]:
        return iter(self._said())

    def __len__(self) -> int:
        return len(self._said())


def split_column(column: str) -> tuple[str, str]:
    """Table and column of `table.column`.

    Raises:
        ProjectError: when there is no such table, or no column is named.
    """
    table, _, name = column.partition(".")
    if table not in TABLES or not name:
        raise ProjectError(
            "“{column}” names no column of a standard table; write it like customers.source.", column=column
        )
    return table, name


class Tool(BaseModel):
    """One tool of the inventory.

    Attributes:
        collects: The standard tables that it fills.
        files: Patterns of the names of the files that come from it, such as `shopify-*`; with none, any file
            that filled its tables is taken to be its.
        activates: Where what it knows is used: e-mail, the site, advertisements …
        owner: Who looks after it.
        limit: What it cannot do.
        upgrade: What it would need.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    collects: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    activates: str = ""
    owner: str = ""
    limit: str = ""
    upgrade: str = ""


class Tools(MutableMapping[str, Tool]):
    """The tools of a project by name, in the order in which they were added, kept in `tools.toml`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "tools.toml"

    def _read(self) -> dict[str, Tool]:
        tools = _checked(self._file, TypeAdapter(dict[str, Tool]))
        for name, tool in tools.items():
            self._check(name, tool)
        return tools

    def _check(self, name: str, tool: Tool) -> None:
        if not name.strip() or name != name.strip():
            raise ProjectError("A tool needs a name without spaces around it.")
        for table in tool.collects:
            if table not in TABLES:
                raise ProjectError(
                    "The tool “{tool}” collects “{table}”, which is no standard table; they are: {known}.",
                    tool=name,
                    table=table,
                    known=", ".join(TABLES),
                )

    def __getitem__(self, name: str) -> Tool:
        return self._read()[name]

    def __setitem__(self, name: str, tool: Tool) -> None:
        self._check(name, tool)
        with storage.lock(self._folder):
            self._write({**self._read(), name: tool})

    def __delitem__(self, name: str) -> None:
        with storage.lock(self._folder):
            tools = self._read()
            del tools[name]
            self._write(tools)

    def rename(self, name: str, new: str, tool: Tool) -> None:
        """Put a tool under a new name in the place of the old one, in one write.

        Raises:
            ProjectError: when another tool has that name.
        """
        self._check(new, tool)
        with storage.lock(self._folder):
            tools = self._read()
            if new != name and new in tools:
                raise ProjectError("There is a tool “{tool}” already; give this one another name.", tool=new)
            renamed = {new if key == name else key: held for key, held in tools.items()}
            self._write({**renamed, new: tool})

    def _write(self, tools: dict[str, Tool]) -> None:
        Team(self._folder).check("keep")
        plain = {name: tool.model_dump(exclude_defaults=True) for name, tool in tools.items()}
        storage.write_text(self._file, tomli_w.dumps(plain))

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def _checked(file: Path, kind: TypeAdapter[Any]) -> Any:
    """What a file says; empty when there is no such file.

    Raises:
        ProjectError: when it cannot be read, or says what it cannot say.
    """
    try:
        return kind.validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError("{path} cannot be read: {reason}.", path=str(file), reason=str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise ProjectError(
            "{path}: the setting “{setting}” is wrong: {reason}.",
            path=str(file),
            setting=".".join(str(part) for part in first["loc"]),
            reason=first["msg"],
        ) from error
