"""The tools of a project held against what is loaded: which of them bring what, and which metrics rest on it.

A tool's tables are there when they have rows and, where the tool says what its files are called, when one of
the files that filled them is of that name. Its light is that of its worst table: `missing` when none of its
tables is there, `partly` when some are not or a check of one asks for care, else `ready`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import takewhile
from typing import TYPE_CHECKING

from workbench.locale import Message, say
from workbench.metrics.catalogue import Light, Readiness
from workbench.provenance import Tool, Tools
from workbench.records import Check
from workbench.tables.vendors import known_vendors

if TYPE_CHECKING:
    from workbench.project import Project

_WORST_FIRST: tuple[Light, ...] = ("missing", "partly", "ready")


@dataclass(frozen=True)
class Held:
    """What is loaded of a tool.

    Attributes:
        name: The tool.
        tool: What is written down about it.
        tables: Its tables that are there → the files that brought them.
        light: How far it delivers.
        notes: Why it is not `ready`.
        cells: Metric → light, for the metrics that read one of its tables.
    """

    name: str
    tool: Tool
    tables: Mapping[str, tuple[str, ...]]
    light: Light
    notes: tuple[Message, ...]
    cells: Mapping[str, Light]


@dataclass(frozen=True)
class Inventory:
    """All tools of a project.

    Attributes:
        tools: In the order of `tools.toml`.
        metrics: The metrics, each with its readiness.
        unclaimed: Tables with rows that no tool brings.
        suggested: Tools that recipes and file names speak of and the list does not have.
    """

    tools: tuple[Held, ...]
    metrics: tuple[Readiness, ...]
    unclaimed: tuple[str, ...]
    suggested: Mapping[str, Tool]


def analyse(project: Project, checks: Sequence[Check] | None = None) -> Inventory:
    """Hold the project's tools against what is loaded.

    Args:
        project: The project.
        checks: What `project.checks` gave, where it is known already.
    """
    checks = project.checks() if checks is None else checks
    ready = tuple(project.readiness(checks))
    tools = dict(Tools(project.path))
    loaded = _loaded(project)
    held = tuple(_held(name, tool, loaded, ready, checks) for name, tool in tools.items())
    claimed = {table for one in held for table in one.tables}
    return Inventory(
        tools=held,
        metrics=ready,
        unclaimed=tuple(name for name in loaded if name not in claimed),
        suggested=_suggested(project, loaded, tools),
    )


def _loaded(project: Project) -> dict[str, tuple[str, ...]]:
    """Tables with rows → the files that they are from; of a database only the tables are known."""
    if project.in_place:
        from workbench.tables.checks.stored import profiles

        return dict.fromkeys(profiles(project.everything), ())
    return {
        name: tuple(filter(None, entry["sources"]))
        for name, entry in sorted(project.manifest().items())
        if entry["rows"]
    }


def _held(
    name: str,
    tool: Tool,
    loaded: Mapping[str, tuple[str, ...]],
    ready: Sequence[Readiness],
    checks: Sequence[Check],
) -> Held:
    tables = {}
    for table in tool.collects:
        files = loaded.get(table)
        if files is not None and tool.files and files:
            files = tuple(file for file in files if _matches(file, tool.files)) or None
        if files is not None:
            tables[table] = files
    away = [table for table in tool.collects if table not in tables]
    doubted = [check for check in checks if check.status != "ok" and check.name.partition(".")[0] in tables]
    notes = []
    if not tool.collects:
        notes.append(say("Nothing is written down about what it collects."))
    if away:
        notes.append(say("Not loaded: {tables:listing}.", tables=away))
    if doubted:
        notes.append(
            say(
                "Checks of {tables:listing} ask for care.",
                tables=sorted({check.name.partition(".")[0] for check in doubted}),
            )
        )
    light: Light = "missing" if not tables else "partly" if notes else "ready"
    return Held(name, tool, tables, light, tuple(notes), _cells(tool.collects, tables, ready))


def _cells(
    collects: Collection[str], tables: Collection[str], ready: Sequence[Readiness]
) -> dict[str, Light]:
    """The worst light of each metric over the tables that the tool collects."""
    cells = {}
    for one in ready:
        lights: set[Light] = {
            light if table in tables else "missing" for table, light in one.cells.items() if table in collects
        }
        if lights:
            cells[one.metric.name] = min(lights, key=_WORST_FIRST.index)
    return cells


def _matches(file: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(file.lower(), pattern.lower()) for pattern in patterns)


def _suggested(
    project: Project, loaded: Mapping[str, tuple[str, ...]], tools: Mapping[str, Tool]
) -> dict[str, Tool]:
    """Systems that recipes or the names of the loaded files speak of, and that are not listed."""
    recipes = {recipe.vendor for recipe in project.recipes.values() if recipe.vendor}
    listed = {name.lower() for name in tools}
    found: dict[str, Tool] = {}
    for vendor in known_vendors().values():
        name = brand(vendor.title)
        pattern = f"*{name.split()[0].lower()}*"
        filled = {
            table for table, files in loaded.items() if any(_matches(file, (pattern,)) for file in files)
        }
        if name.lower() in listed or not (filled or vendor.name in recipes):
            continue
        collects = {*found.get(name, Tool()).collects, *(filled or vendor.tables)}
        found[name] = Tool(collects=tuple(sorted(collects)), files=(pattern,) if filled else ())
    return found


def brand(title: str) -> str:
    """The system in the title of an export: the words that begin it with a capital or a digit.

    >>> brand("Google Analytics 4 (BigQuery)"), brand("Shopify orders"), brand("Doxee: videos")
    ('Google Analytics 4', 'Shopify', 'Doxee')
    """
    words = [word.rstrip(":") for word in title.split()]
    return " ".join(takewhile(lambda word: word[0].isupper() or word[0].isdigit(), words))
