"""Collects the sentences a person reads and keeps the Spanish catalogue in step with them.

A sentence is the literal first argument of `t(...)`, `say(...)`, a `Texts` that calls itself
(`self(...)`), or of one of the errors in `workbench.errors`. `python -m tools.texts` writes new ones into
the catalogue without a translation and drops those that are no longer used; translations stay.
"""

from __future__ import annotations

import ast
import io
import string
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog, pofile

from workbench import errors

ROOT = Path(__file__).parents[1]
SPANISH = ROOT / "workbench" / "locale" / "es" / "LC_MESSAGES" / "workbench.po"
_ERRORS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.WorkbenchError)
}
WORDING_CALLS = {"t", "say", "self"} | _ERRORS
# Babel's own header carries dates and names that would make every run a change.
_HEADER = """\
msgid ""
msgstr ""
"Language: es\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def sentences(source: str) -> Iterator[str]:
    """Each sentence in a Python source that is put into words."""
    for argument in _first_arguments(source):
        for node in _alternatives(argument):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
                yield node.value


def built_sentences(source: str) -> Iterator[str]:
    """Sentences put together before they could be translated: f-strings, `+`, `%`, `.format()`, `.join()`."""
    for argument in _first_arguments(source):
        for node in _alternatives(argument):
            method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr
            if isinstance(node, ast.JoinedStr | ast.BinOp) or method in ("format", "join"):
                yield f"line {node.lineno}: {ast.unparse(node)}"


def _first_arguments(source: str) -> Iterator[ast.expr]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
            if name in WORDING_CALLS:
                yield node.args[0]


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    """Both branches of `a if x else b`; anything else as it is."""
    if isinstance(node, ast.IfExp):
        yield from _alternatives(node.body)
        yield from _alternatives(node.orelse)
    else:
        yield node


def placeholders(template: str) -> set[tuple[str, str]]:
    """Names and formats of the placeholders of a template.

    >>> sorted(placeholders("{n:count} rows of {file}"))
    [('file', ''), ('n', 'count')]
    """
    return {(name, form or "") for _, name, form, _ in string.Formatter().parse(template) if name is not None}


def collect() -> dict[str, list[str]]:
    """Every sentence of the package with the modules that use it."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "workbench").rglob("*.py")):
        for sentence in sentences(path.read_text(encoding="utf-8")):
            places = found.setdefault(sentence, [])
            place = path.relative_to(ROOT).as_posix()
            if place not in places:
                places.append(place)
    return found


def read_catalogue() -> Catalog:
    """The Spanish catalogue as it is on disk."""
    with SPANISH.open("rb") as file:
        return pofile.read_po(file, locale="es")


def main() -> None:
    """Bring the catalogue in step with the sources and say what is left to translate."""
    known = read_catalogue()
    catalogue = Catalog(locale="es")
    for sentence, places in collect().items():
        entry = catalogue.add(sentence, locations=[(place, 0) for place in places])
        if old := known.get(sentence):
            entry.string, entry.user_comments = old.string, old.user_comments
            entry.flags |= old.flags & {"fuzzy"}
    written = io.BytesIO()
    pofile.write_po(written, catalogue, width=0, omit_header=True, include_lineno=False)
    SPANISH.write_bytes(_HEADER.encode() + written.getvalue())
    missing = sum(1 for message in catalogue if message.id and not message.string)
    print(f"{len(catalogue)} sentences, {missing} without a translation.")


if __name__ == "__main__":
    main()
