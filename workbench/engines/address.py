"""Where a project's tables are, as one line of `project.toml`, and the engine that runs there.

    duckdb                                              Parquet files in the project's folder
    postgresql://user@host:5432/shop?schema=sales       PostgreSQL; the same as postgres://
    spark+local?tables=/data/shop                       Spark in this process
    spark://host:7077?schema=sales                      a standalone Spark cluster
    sc://host:15002?schema=sales                        Spark Connect; the same as spark+connect://

`docs/engines.md` says what may follow the question mark, and how a package brings an engine of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoints, entry_points
from urllib.parse import parse_qsl, quote, urlencode

from workbench.engines import Engine
from workbench.errors import DataError, ProjectError

GROUP = "personalization_workbench.engines"
"""The group of entry points in which other packages name their engines, by the scheme of the address."""

_SPARK = ("spark", "spark+local", "spark+connect")
_KINDS = {"duckdb": "duckdb", "postgres": "postgresql", "postgresql": "postgresql", "sc": "spark+connect"}
_KINDS |= {kind: kind for kind in _SPARK}
_PARAMETERS = {"duckdb": (), "postgresql": ("schema", "timeout")}
_PARAMETERS |= dict.fromkeys(_SPARK, ("schema", "catalog", "tables", "spark.…"))
_FORMS = ("duckdb", "postgresql://user@host/database", "spark+local", "spark://host:7077", "sc://host:15002")
_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+]*)(?:://(?P<server>[^/?]*)(?P<path>/[^?]*)?)?(?:\?(?P<query>.*))?", re.DOTALL
)
_HOST = r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\]|%2[fF][^@:,]*)(?::\d+)?"  # %2F…: the folder of a socket
_SERVER = re.compile(rf"(?:(?P<user>[^:@]+)(?::[^@]*)?@)?(?P<hosts>{_HOST}(?:,{_HOST})*)?")


@dataclass(frozen=True)
class Address:
    """An engine's address, taken apart.

    Attributes:
        kind: Which engine: `duckdb`, `postgresql`, `spark`, `spark+local`, `spark+connect`, or the scheme of
            another package's.
        target: What the engine's own client is given; may hold a password, so it is never shown.
        shown: The address for people, without passwords, tokens or parameters.
        hosts: `host:port` of each server.
        options: What stands behind the question mark, but for what is part of `target`.
    """

    kind: str
    target: str
    shown: str
    hosts: tuple[str, ...]
    options: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"

    def check_table(self, table: str, known: Sequence[str]) -> None:
        """Raise a `DataError` unless there is such a table among those that are known."""
        if table not in known:
            raise DataError(
                "There is no table {table} in {where}; there are: {known}.",
                table=table,
                where=self.shown,
                known=", ".join(known) or "–",
            )


def read_address(text: str) -> Address:
    """Take an address apart.

    Raises:
        ProjectError: when it is none, or asks for something that its engine does not know. The address
            itself is not repeated, since it may hold a password.

    >>> read_address("postgresql://ana:secret@db.example:5432/shop?schema=sales").shown
    'postgresql://ana@db.example:5432/shop'
    >>> read_address("spark://one:7077,two:7077?tables=/data/shop").hosts
    ('one:7077', 'two:7077')
    """
    text = text.strip()
    found = _ADDRESS.fullmatch(text)
    scheme = found["scheme"] if found else ""
    kind = _KINDS.get(scheme) or (scheme if scheme in _others().names else None)
    if found is None or kind is None:
        raise ProjectError(
            "There is no engine “{scheme}”; write one of these forms: {forms}.",
            scheme=scheme or re.split("[:?@/]", text)[0],
            forms=", ".join([*_FORMS, *(f"{name}://…" for name in sorted(_others().names))]),
        )
    server, path = found["server"] or "", found["path"] or ""
    parts = _SERVER.fullmatch(server)
    if parts is None or (kind in ("spark", "spark+connect") and not parts["hosts"]):
        raise ProjectError(
            "The address of the engine {scheme} does not name a server in the form {form}; percent-encode "
            "signs such as @ and / in it.",
            scheme=scheme,
            form=f"{scheme}://{'user@' if kind == 'postgresql' else ''}host:port",
        )
    options = dict(parse_qsl(found["query"] or "", keep_blank_values=True))
    target = text
    if kind == "postgresql":
        its_own = {name: options.pop(name) for name in list(options) if name not in _PARAMETERS[kind]}
        target = f"postgresql://{server}{path}"
        target += f"?{urlencode(its_own, quote_via=quote)}" if its_own else ""
    elif kind in _SPARK:
        target = {"spark": f"spark://{server}", "spark+local": "local[*]"}.get(kind, f"sc://{server}{path}")
    if kind in _PARAMETERS:
        _check_options(kind, options)
    shown = scheme
    if found["server"] is not None:
        who = f"{parts['user']}@" if parts["user"] else ""
        shown += f"://{who}{parts['hosts'] or ''}{path if kind == 'postgresql' else ''}"
    return Address(kind, target, shown, tuple((parts["hosts"] or "").split(",")), options)


def _check_options(kind: str, options: Mapping[str, str]) -> None:
    known = _PARAMETERS[kind]
    for name, value in options.items():
        if name not in known and not (kind in _SPARK and name.startswith("spark.")):
            raise ProjectError(
                "The engine {kind} has no parameter “{name}”; it has: {known}.",
                kind=kind,
                name=name,
                known=", ".join(known) or "–",
            )
        if not value:
            raise ProjectError("The parameter “{name}” of the engine {kind} is empty.", name=name, kind=kind)
        if name == "timeout" and not (value.isdecimal() and int(value) > 0):
            raise ProjectError("The parameter “timeout” of the engine has to be a whole number of seconds.")
        if name == "tables" and not (value.startswith("/") or re.match(r"[a-z][a-z0-9+]*:/", value)):
            raise ProjectError(
                "The folder of tables is “{path}”; give its full path, such as /data/shop or "
                "s3a://bucket/shop.",
                path=value,
            )


def open_engine(address: str) -> Engine:
    """The engine at an address outside the project; nothing is connected to before the first question.

    Raises:
        ProjectError: when there is no such engine or the address is wrong.
        DataError: when the packages for it are not installed.
    """
    found = read_address(address)
    if found.kind == "duckdb":
        raise ProjectError("DuckDB reads the tables of a project; open the project instead.")
    try:
        if found.kind == "postgresql":
            from workbench.engines.postgresql import PostgreSQLEngine

            return PostgreSQLEngine(found)
        if found.kind in _SPARK:
            from workbench.engines.spark import SparkEngine

            return SparkEngine(found)
    except ImportError as error:
        raise DataError(
            "{engine} needs packages that are not installed; install personalization-workbench[{extra}].",
            engine="PostgreSQL" if found.kind == "postgresql" else "Spark",
            extra="postgres" if found.kind == "postgresql" else "spark",
        ) from error
    engine: Engine = _others()[found.kind].load()(found)
    return engine


def _others() -> EntryPoints:
    return entry_points(group=GROUP)
