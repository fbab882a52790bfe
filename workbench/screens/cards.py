"""Tables whose rows are cards where the page is narrow, and figures side by side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

from workbench.report import Row

_SIGNS = {"✓": "wb-good", "▲": "wb-care", "✕": "wb-care"}


def part(title: str, content: str = "") -> str:
    """A part of the page under its title."""
    return f'<h2 class="wb-part">{escape(title)}</h2>{content}'


def minor(title: str, content: str) -> str:
    """A smaller part under its title; nothing where there is nothing in it."""
    return f'<h3 class="wb-minor">{escape(title)}</h3>{content}' if content else ""


def cards(rows: Sequence[Row], *, wide: Collection[str] = (), numbers: Collection[str] = ()) -> str:
    """A table, without the columns in which nothing stands; nothing where there are no rows.

    Args:
        rows: Column → text. A cell that begins with a sign (✓ ▲ ✕) has its colour as well.
        wide: Columns that hold sentences or lists.
        numbers: Columns that hold numbers.
    """
    names = [name for name in (rows[0] if rows else {}) if any(row[name] for row in rows)]
    if not names:
        return ""

    def kind(name: str) -> str:
        return "wb-said" if name in wide else "wb-number" if name in numbers else "wb-word"

    def cell(name: str, value: str) -> str:
        look = f"{kind(name)} {_SIGNS.get(value[:1], '')}".strip()
        return f'<td class="{look}" data-label="{escape(name)}">{escape(value)}</td>'

    head = "".join(f'<th scope="col" class="{kind(name)}">{escape(name)}</th>' for name in names)
    body = ""
    for row in rows:
        cells = "".join(cell(name, row[name]) for name in names[1:])
        body += f'<tr><th scope="row">{escape(row[names[0]])}</th>{cells}</tr>'
    return f'<table class="wb-cards wb-listed"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def figure_row(figures: Sequence[tuple[str, str, str]]) -> str:
    """Figures side by side: what each is, its value, and what there is to know of it."""
    cells = "".join(
        f'<div class="wb-figure"><span class="wb-label">{escape(label)}</span>'
        f'<span class="wb-value">{escape(value)}</span>'
        f'<span class="wb-detail">{escape(detail)}</span></div>'
        for label, value, detail in figures
    )
    return f'<div class="wb-figures">{cells}</div>'
