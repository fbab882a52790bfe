"""Markup of what records say: sentence, figures, checks, tables, details; the same on every page.

Everything a person wrote or a file held is escaped before it reaches HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Literal, Protocol

from workbench import report
from workbench.locale import Message, Texts
from workbench.publish.library import SIGNS as OUTCOME_SIGNS
from workbench.publish.library import Outcome, outcome_name
from workbench.records import AnyRecord, Record, ValueRecord

SIGNS = {"ok": "✓", "warn": "▲", "fail": "✕"}


class Checked(Protocol):
    """Something that was looked at: a check of a record, a finding in the tables."""

    @property
    def status(self) -> Literal["ok", "warn", "fail"]: ...

    @property
    def detail(self) -> Message: ...


def sentence(record: AnyRecord, t: Texts) -> str:
    """What was found, under a label where it is no effect."""
    kind = "withheld" if record.failed else "association" if _is_association(record) else "answer"
    label = association_label(t) if kind == "association" and record.kind != "association" else ""
    return f'{label}<p class="wb-sentence wb-{kind}" role="status">{unbroken(t(record.verdict))}</p>'


def stated(text: Message, t: Texts, *, association: bool) -> str:
    """The sentence of an answer that is no record, under a label where it is no effect."""
    kind = "association" if association else "answer"
    said = f'<p class="wb-sentence wb-{kind}" role="status">{unbroken(t(text))}</p>'
    return (association_label(t) if association else "") + said


def figure_row(items: Sequence[report.Figure]) -> str:
    """Figures side by side; nothing where there are none."""
    if not items:
        return ""
    cells = "".join(
        f'<div class="wb-figure"><span class="wb-label">{unbroken(item.label)}</span>'
        f'<span class="wb-value">{unbroken(item.value)}</span>'
        f'<span class="wb-detail">{unbroken(item.detail)}</span></div>'
        for item in items
    )
    return f'<div class="wb-figures">{cells}</div>'


def association_label(t: Texts, meaning: str = "") -> str:
    """The sign of everything that is no effect."""
    name = escape(t("Association, not an effect"))
    return f'<p class="wb-no-effect" role="note"><strong>{name}</strong> <span>{escape(meaning)}</span></p>'


def chip(found: Outcome | None, t: Texts) -> str:
    """The sign and the word of what became of a question."""
    if found is None:
        return ""
    sign, words = OUTCOME_SIGNS[found], escape(t(outcome_name(found)))
    return f'<span class="wb-outcome wb-{found}"><span aria-hidden="true">{sign}</span> {words}</span>'


def checks(items: Sequence[Checked], t: Texts, title: str = "") -> str:
    """Each with a sign and a word, in the order given, under `title` or the usual one."""
    words = {"ok": t("fine"), "warn": t("take care"), "fail": t("problem")}
    rows = "".join(
        f'<li class="wb-{item.status}"><span class="wb-sign" aria-hidden="true">{SIGNS[item.status]}</span>'
        f"<strong>{escape(words[item.status])}</strong> <span>{unbroken(t(item.detail))}</span></li>"
        for item in items
    )
    return (
        f'<section class="wb-checks"><h2 class="wb-part">{escape(title or t("What we checked"))}</h2>'
        f"<ul>{rows}</ul></section>"
    )


def section_markup(section: report.Section, *, titled: bool = True) -> str:
    note = "".join(f'<p class="wb-help">{unbroken(line)}</p>' for line in section.note.splitlines())
    title = f'<h2 class="wb-part">{unbroken(section.title)}</h2>' if titled else ""
    return f"{title}{table(section.rows)}{note}"


def details(record: AnyRecord, t: Texts) -> str:
    """Definition, method, data, versions, the record's id, and the same as code."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in report.details(record, t)
    )
    return f'<dl>{rows}</dl><pre tabindex="0"><code>{escape(report.as_code(record))}</code></pre>'


def table(rows: Sequence[report.Row]) -> str:
    """Rows as an HTML table that can be scrolled sideways on a narrow screen."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in rows[0])
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escape(value)}</th>' if index == 0 else f"<td>{unbroken(value)}</td>"
            for index, value in enumerate(row.values())
        )
        + "</tr>"
        for row in rows
    )
    return (
        '<div class="wb-table" tabindex="0" role="group"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def message_text(text: str, kind: str = "wb-error") -> str:
    """The markup of `message`."""
    role = "alert" if kind == "wb-error" else "note"
    return f'<p class="{kind}" role="{role}">{escape(text)}</p>' if text else ""


def health(records: Sequence[Record], t: Texts) -> str:
    """The light and its word for all checks of a page."""
    return light([check for record in records for check in record.checks], t)


def light(checks: Sequence[Checked], t: Texts) -> str:
    """The light and its word for some checks."""
    states = [check.status for check in checks]
    if "fail" in states:
        return f'<span class="wb-health wb-fail">{SIGNS["fail"]} {escape(t("a check failed"))}</span>'
    if "warn" in states:
        return f'<span class="wb-health wb-warn">{SIGNS["warn"]} {escape(t("read the warnings"))}</span>'
    return f'<span class="wb-health wb-ok">{SIGNS["ok"]} {escape(t("all checks fine"))}</span>'


def unbroken(text: str) -> str:
    """Escaped; no line begins with a per-cent sign or ends with what belongs to the number after it."""
    return escape(text).replace(" %", "&nbsp;%").replace("&lt; ", "&lt;&nbsp;")


def _is_association(record: AnyRecord) -> bool:
    if not isinstance(record, ValueRecord):
        return record.summary.word == "association"
    return any(item.word == "association" for item in record.summary.differences)
