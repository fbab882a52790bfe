"""Writes docs/requirements.md: what the workbench does, and the tests that show it.

`docs/requirements.toml` words each requirement; `@pytest.mark.requirement("X02")` on a test, a class of
tests or a whole module (`pytestmark`) says which it shows. Only what a test shows is listed.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORDING = ROOT / "docs" / "requirements.toml"
TABLE = ROOT / "docs" / "requirements.md"

_HEAD = """\
# What it does, and the tests that show it

Written by `make requirements` from `docs/requirements.toml` and the tests; each test runs in `make test`.
"""


def shown(tests: Path = ROOT / "tests") -> dict[str, list[str]]:
    """The tests (`file::test`) that show each requirement, by its id."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(tests.rglob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for name, ids in _marked(module.body, _marks(module.body)):
            for identity in sorted(ids):
                found[identity].append(f"{path.relative_to(tests)}::{name}")
    return dict(found)


def _marked(body: list[ast.stmt], inherited: set[str]) -> Iterator[tuple[str, set[str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _marked(node.body, inherited | _ids(node.decorator_list) | _marks(node.body))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield node.name, inherited | _ids(node.decorator_list)


def _marks(body: list[ast.stmt]) -> set[str]:
    """Ids in the `pytestmark` of a module or a class."""
    return {
        identity
        for node in body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        for identity in _ids([node.value])
    }


def _ids(nodes: list[ast.expr]) -> set[str]:
    return {
        argument.value
        for root in nodes
        for node in ast.walk(root)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def wordings() -> dict[str, dict[str, str]]:
    """Our words for each requirement: area -> id -> sentence."""
    return tomllib.loads(WORDING.read_text(encoding="utf-8"))


def table() -> str:
    """The text of docs/requirements.md.

    Raises:
        LookupError: when a test shows a requirement that has no wording.
    """
    tests = shown()
    areas = wordings()
    unworded = sorted(tests.keys() - {identity for area in areas.values() for identity in area})
    if unworded:
        raise LookupError(f"docs/requirements.toml has no words for: {', '.join(unworded)}")
    parts = [_HEAD]
    for area, rows in areas.items():
        lines = [
            f"| {identity} | {words} | {'<br>'.join(f'`{test}`' for test in tests[identity])} |"
            for identity, words in rows.items()
            if identity in tests
        ]
        if lines:
            parts.append("\n".join([f"\n## {area}\n", "| id | what | tests |", "|---|---|---|", *lines, ""]))
    return "".join(parts)


def main() -> int:
    """Write the table; 1 when a requirement has no wording."""
    try:
        text = table()
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 1
    TABLE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
