"""The house: rooms import only rooms to their left, stay small, and open without heavy libraries."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "workbench"

ORDER = (
    "locale",
    "clock",
    "errors",
    "storage",
    "engines",
    "records",
    "protocol",
    "tables",
    "store",
    "intake",
    "team",
    "definitions",
    "provenance",
    "notes",
    "people",
    "settings",
    "folder",
    "project",
    "simulate",
    "segments",
    "moments",
    "metrics",
    "models",
    "decisions",
    "report",
    "demo",
    "analyses",
    "charts",
    "publish",
    "lessons",
    "screens",
    "cli",
)
# `project.effect(...)` is the one call that walks the whole line, so the project reaches to its right; it
# does so inside its functions only, so that a project opens without loading what it does not need.
WALKS_THE_LINE = {
    ("folder", "segments"): "a segment's rule is checked when it is stored",
    ("folder", "metrics"): "readiness() asks the catalogue of metrics",
    ("project", "analyses"): "effect() and lifetime_value() ask for a result",
    ("project", "publish"): "publish() hands records to the publisher",
}
HEAVY = {"altair", "arviz", "ipywidgets", "nutpie", "pandas", "playwright", "pymc", "pytensor", "scipy.stats"}
LONGEST = 450
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def imported_rooms(source: str, module: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """Rooms that a module imports, each with whether it does so inside a function.

    Args:
        source: Python source.
        module: The module's place below the package, such as `("models", "pooling")`; for a package's
            `__init__` the last part is `__init__`.
    """
    tree = ast.parse(source)
    inside = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ("workbench", *module)[: -node.level] if node.level else ()
            start = (*base, *(node.module or "").split(".")) if node.module else base
            names = [(*start, alias.name) for alias in node.names]
        else:
            continue
        for name in names:
            if name[0] == "workbench" and len(name) > 1:
                yield name[1], id(node) in inside


def test_imports_are_read_from_every_form_of_import() -> None:
    source = """
import workbench.models.pooling
from workbench import charts
from ..decisions import verdict
from .binary import beta
def later():
    from workbench.screens import effect
"""
    assert list(imported_rooms(source, ("metrics", "conversion"))) == [
        ("models", False),
        ("charts", False),
        ("decisions", False),
        ("metrics", False),
        ("screens", True),
    ]


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def test_every_room_has_its_place() -> None:
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in modules()} - {"__init__"}
    assert rooms <= set(ORDER)


def test_rooms_import_only_rooms_to_their_left() -> None:
    wrong = []
    for path in modules():
        module = path.relative_to(PACKAGE).with_suffix("").parts
        room = module[0]
        if room == "__init__":  # the front door opens on every room
            continue
        reachable = {room, *ORDER[: ORDER.index(room)]}
        for other, lazily in imported_rooms(path.read_text(encoding="utf-8"), module):
            if other not in reachable and not (lazily and (room, other) in WALKS_THE_LINE):
                wrong.append(f"{path.relative_to(ROOT)} imports {other}")
    assert not wrong


def test_opening_the_package_loads_nothing_heavy() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import sys, workbench; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "workbench.project" in shown.stdout.split()
    assert not HEAVY & set(shown.stdout.split())


@pytest.mark.parametrize("folder", ["workbench", "tests", "tools"])
def test_no_module_holds_two_ideas(folder: str) -> None:
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }
    assert sizes
    assert {name: lines for name, lines in sizes.items() if lines > LONGEST} == {}


def test_names_say_what_a_module_is_about() -> None:
    parts = {part.removesuffix(".py") for path in modules() for part in path.relative_to(PACKAGE).parts}
    assert not parts & SAYS_NOTHING
