"""A record on a page: sentence, figures, charts, segments, checks, details, in that order.

Everything a person wrote or a file held is escaped before it reaches HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets

from workbench import report
from workbench.charts import effect as effect_charts
from workbench.charts import value as value_charts
from workbench.charts.runtime import show
from workbench.locale import Texts
from workbench.records import Check, EffectRecord, ValueRecord

SIGNS = {"ok": "✓", "warn": "▲", "fail": "✕"}


def result_view(record: EffectRecord | ValueRecord, t: Texts) -> ipywidgets.VBox:
    """The whole of a record."""
    parts: list[ipywidgets.Widget] = [sentence(record, t)]
    if not record.failed:
        parts.append(figures(report.figures(record, t)))
        pictures = (
            effect_charts.pictures(record, t)
            if isinstance(record, EffectRecord)
            else value_charts.pictures(record, t)
        )
        parts += [show(chart, description) for chart, description in pictures]
        parts.append(folded(t("The numbers as a table"), table(report.rows(record, t))))
    parts += [checks(record.checks, t), details(record, t)]
    return ipywidgets.VBox(parts, layout=ipywidgets.Layout(width="100%")).add_class("wb-record")


def sentence(record: EffectRecord | ValueRecord, t: Texts) -> ipywidgets.HTML:
    """The large text."""
    kind = "association" if _is_association(record) else "withheld" if record.failed else "answer"
    return html(f'<p class="wb-sentence wb-{kind}" role="status">{escape(t(record.verdict))}</p>')


def figures(items: Sequence[report.Figure]) -> ipywidgets.HTML:
    """Up to three figures with their intervals in words."""
    cells = "".join(
        f'<div class="wb-figure"><span class="wb-label">{escape(item.label)}</span>'
        f'<span class="wb-value">{escape(item.value)}</span>'
        f'<span class="wb-detail">{escape(item.detail)}</span></div>'
        for item in items
    )
    return html(f'<div class="wb-figures">{cells}</div>')


def checks(items: Sequence[Check], t: Texts) -> ipywidgets.HTML:
    """Every check with a sign and a word, failures first."""
    words = {"ok": t("fine"), "warn": t("take care"), "fail": t("problem")}
    rows = "".join(
        f'<li class="wb-{item.status}"><span class="wb-sign" aria-hidden="true">{SIGNS[item.status]}</span>'
        f"<strong>{escape(words[item.status])}</strong> {escape(t(item.detail))}</li>"
        for item in items
    )
    return html(
        f'<section class="wb-checks"><h3>{escape(t("What we checked"))}</h3><ul>{rows}</ul></section>'
    )


def details(record: EffectRecord | ValueRecord, t: Texts) -> ipywidgets.HTML:
    """Definition, method, data, versions, the record's id, and the same as code."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in report.details(record, t)
    )
    code = escape(report.as_code(record))
    return folded(
        t("Details: definition, method, data, code"),
        f'<dl>{rows}</dl><pre tabindex="0"><code>{code}</code></pre>',
        kind="wb-details",
    )


def table(rows: Sequence[report.Row]) -> str:
    """Rows as an HTML table that can be scrolled sideways on a narrow screen."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in rows[0])
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escape(value)}</th>' if index == 0 else f"<td>{escape(value)}</td>"
            for index, value in enumerate(row.values())
        )
        + "</tr>"
        for row in rows
    )
    return (
        '<div class="wb-table" tabindex="0" role="group"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def folded(title: str, content: str, kind: str = "wb-folded") -> ipywidgets.HTML:
    """Content behind a line that opens it."""
    return html(f'<details class="{kind}"><summary>{escape(title)}</summary>{content}</details>')


def html(content: str) -> ipywidgets.HTML:
    """Markup that is as wide as the page."""
    return ipywidgets.HTML(content, layout=ipywidgets.Layout(width="100%", overflow="visible"))


def message(text: str, kind: str = "wb-error") -> ipywidgets.HTML:
    """One sentence that says what is wrong, read out at once."""
    role = "alert" if kind == "wb-error" else "note"
    return html(f'<p class="{kind}" role="{role}">{escape(text)}</p>') if text else html("")


def health(records: Sequence[EffectRecord | ValueRecord], t: Texts) -> str:
    """The light and its word for all checks of a page."""
    states: list[Any] = [check.status for record in records for check in record.checks]
    if "fail" in states:
        return f'<span class="wb-health wb-fail">{SIGNS["fail"]} {escape(t("a check failed"))}</span>'
    if "warn" in states:
        return f'<span class="wb-health wb-warn">{SIGNS["warn"]} {escape(t("read the warnings"))}</span>'
    return f'<span class="wb-health wb-ok">{SIGNS["ok"]} {escape(t("all checks fine"))}</span>'


def _is_association(record: EffectRecord | ValueRecord) -> bool:
    if isinstance(record, EffectRecord):
        return record.summary.word == "association"
    return any(item.word == "association" for item in record.summary.differences)
