"""A record on a page: sentence, figures, charts, segments, checks, details, in that order.

Everything a person wrote or a file held is escaped before it reaches HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Literal, Protocol

import ipywidgets

from workbench import report
from workbench.charts import effect as effect_charts
from workbench.charts import value as value_charts
from workbench.charts.picture import Picture
from workbench.charts.runtime import Chart, show
from workbench.locale import Message, Texts
from workbench.publish.fold import Fold
from workbench.records import EffectRecord, ValueRecord

SIGNS = {"ok": "✓", "warn": "▲", "fail": "✕"}


class Checked(Protocol):
    """Something that was looked at: a check of a record, a finding in the tables."""

    @property
    def status(self) -> Literal["ok", "warn", "fail"]: ...

    @property
    def detail(self) -> Message: ...


def result_view(record: EffectRecord | ValueRecord, t: Texts) -> ResultView:
    """The whole of a record."""
    return ResultView(t, record)


class ResultView(ipywidgets.VBox):
    """A record on a page; another one takes its place part by part, so that nothing jumps or flickers.

    Args:
        t: The reader's language.
        record: What to show at first.
        trust_first: Whether a light above the sentence says how the checks went; pages have one already.
    """

    def __init__(
        self, t: Texts, record: EffectRecord | ValueRecord | None = None, *, trust_first: bool = False
    ) -> None:
        self._t = t
        self._trust_first = trust_first
        self._sentence, self._figures, self._checks, self._beside = (html("") for _ in range(4))
        self._frames: list[_Frame] = []
        self._pictures = ipywidgets.Box().add_class("wb-pictures")
        self._table, self._details = Fold(), Fold(kind="wb-details")
        super().__init__(
            [
                self._sentence,
                self._figures,
                self._pictures,
                self._table,
                self._checks,
                self._beside,
                self._details,
            ],
            layout=ipywidgets.Layout(width="100%"),
        )
        self.add_class("wb-record")
        if record is not None:
            self.show(record)

    def show(self, record: EffectRecord | ValueRecord) -> None:
        """Put `record` on the page."""
        t, shown = self._t, not record.failed
        light = f'<p class="wb-trusted">{health([record], t)}</p>' if self._trust_first else ""
        self._sentence.value = light + _sentence(record, t)
        self._figures.value = _figures(report.figures(record, t)) if shown else ""
        self._show_pictures(_pictures(record, t) if shown else [])
        self._table.title = t("The numbers as a table")
        self._table.content = table(report.rows(record, t)) if shown else ""
        self._checks.value = checks(record.checks, t)
        sections = report.sections(record, t) if shown and isinstance(record, EffectRecord) else []
        self._beside.value = "".join(map(_section, sections))
        self._details.title = t("Details: definition, method, data, code")
        self._details.content = _details(record, t)

    def _show_pictures(self, pictures: Sequence[Picture]) -> None:
        self._frames += [_Frame() for _ in range(len(pictures) - len(self._frames))]
        alone = sum(not picture.wide for picture in pictures) == 1
        for frame, picture in zip(self._frames, pictures, strict=False):
            frame.show(picture, wide=picture.wide or alone)
        if len(self._pictures.children) != len(pictures):
            self._pictures.children = self._frames[: len(pictures)]


class _Frame(ipywidgets.VBox):
    """A chart between its title and its caption."""

    def __init__(self) -> None:
        self._title, self._caption = html(""), html("")
        self._chart: Chart = show(None, "")
        super().__init__([self._title, self._chart, self._caption])
        self.add_class("wb-picture")

    def show(self, picture: Picture, *, wide: bool) -> None:
        (self.add_class if wide else self.remove_class)("wb-wide")
        self._title.value = f'<h2 class="wb-part">{_words(picture.title)}</h2>'
        self._chart.description = picture.description
        self._chart.chart = picture.chart
        caption = f'<p class="wb-help">{escape(picture.caption)}</p>' if picture.caption else ""
        self._caption.value = caption


def _pictures(record: EffectRecord | ValueRecord, t: Texts) -> list[Picture]:
    if isinstance(record, EffectRecord):
        return effect_charts.pictures(record, t)
    return value_charts.pictures(record, t)


def _sentence(record: EffectRecord | ValueRecord, t: Texts) -> str:
    kind = "withheld" if record.failed else "association" if _is_association(record) else "answer"
    return f'<p class="wb-sentence wb-{kind}" role="status">{_words(t(record.verdict))}</p>'


def _figures(items: Sequence[report.Figure]) -> str:
    cells = "".join(
        f'<div class="wb-figure"><span class="wb-label">{_words(item.label)}</span>'
        f'<span class="wb-value">{_words(item.value)}</span>'
        f'<span class="wb-detail">{_words(item.detail)}</span></div>'
        for item in items
    )
    return f'<div class="wb-figures">{cells}</div>'


def checks(items: Sequence[Checked], t: Texts) -> str:
    """Each with a sign and a word, in the order given."""
    words = {"ok": t("fine"), "warn": t("take care"), "fail": t("problem")}
    rows = "".join(
        f'<li class="wb-{item.status}"><span class="wb-sign" aria-hidden="true">{SIGNS[item.status]}</span>'
        f"<strong>{escape(words[item.status])}</strong> <span>{_words(t(item.detail))}</span></li>"
        for item in items
    )
    return (
        f'<section class="wb-checks"><h2 class="wb-part">{escape(t("What we checked"))}</h2>'
        f"<ul>{rows}</ul></section>"
    )


def _section(section: report.Section) -> str:
    note = f'<p class="wb-help">{_words(section.note)}</p>' if section.note else ""
    return f'<h2 class="wb-part">{_words(section.title)}</h2>{table(section.rows)}{note}'


def _details(record: EffectRecord | ValueRecord, t: Texts) -> str:
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


def html(content: str) -> ipywidgets.HTML:
    """Markup that is as wide as the page."""
    return ipywidgets.HTML(content, layout=ipywidgets.Layout(width="100%", overflow="visible"))


def message(text: str, kind: str = "wb-error") -> ipywidgets.HTML:
    """One sentence that says what is wrong, read out at once."""
    return html(message_text(text, kind))


def message_text(text: str, kind: str = "wb-error") -> str:
    """The markup of `message`."""
    role = "alert" if kind == "wb-error" else "note"
    return f'<p class="{kind}" role="{role}">{escape(text)}</p>' if text else ""


def health(records: Sequence[EffectRecord | ValueRecord], t: Texts) -> str:
    """The light and its word for all checks of a page."""
    states: list[Any] = [check.status for record in records for check in record.checks]
    if "fail" in states:
        return f'<span class="wb-health wb-fail">{SIGNS["fail"]} {escape(t("a check failed"))}</span>'
    if "warn" in states:
        return f'<span class="wb-health wb-warn">{SIGNS["warn"]} {escape(t("read the warnings"))}</span>'
    return f'<span class="wb-health wb-ok">{SIGNS["ok"]} {escape(t("all checks fine"))}</span>'


def _words(text: str) -> str:
    """Escaped; no line begins with a per-cent sign or ends with what belongs to the number after it."""
    return escape(text).replace(" %", "&nbsp;%").replace("&lt; ", "&lt;&nbsp;")


def _is_association(record: EffectRecord | ValueRecord) -> bool:
    if isinstance(record, EffectRecord):
        return record.summary.word == "association"
    return any(item.word == "association" for item in record.summary.differences)
