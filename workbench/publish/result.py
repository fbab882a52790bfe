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
from workbench.records import AnyRecord, Check, EffectRecord, Record, ValueRecord

SIGNS = {"ok": "✓", "warn": "▲", "fail": "✕"}


class Checked(Protocol):
    """Something that was looked at: a check of a record, a finding in the tables."""

    @property
    def status(self) -> Literal["ok", "warn", "fail"]: ...

    @property
    def detail(self) -> Message: ...


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
        self._sentence, self._figures, self._segments, self._checks, self._beside = (
            html("") for _ in range(5)
        )
        self._pictures = Pictures()
        self._table, self._tests, self._details = Fold(), Fold(), Fold(kind="wb-details")
        super().__init__(
            [
                self._sentence,
                self._figures,
                self._pictures,
                self._segments,
                self._table,
                self._checks,
                self._beside,
                self._tests,
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
        self._sentence.value = light + _foretold(record, t) + sentence(record, t)
        self._figures.value = figure_row(report.figures(record, t)) if shown else ""
        rows = report.rows(record, t) if shown else []
        self._pictures.show(_pictures(record, rows, t) if shown else [])
        self._table.title = t("The numbers as a table")
        self._table.content = table(rows)
        self._checks.value = checks([check for check in record.checks if not _is_first(record, check)], t)
        sections = report.sections(record, t) if shown and isinstance(record, EffectRecord) else []
        self._beside.value = "".join(map(_section, sections))
        self._show_segments(record if shown and isinstance(record, EffectRecord) else None)
        if isinstance(record, ValueRecord):
            self._show_worth(record, shown=shown)
        self._details.title = t("Details: definition, method, data, code")
        self._details.content = details(record, t)

    def _show_worth(self, record: ValueRecord, *, shown: bool) -> None:
        """What a value has beyond other records: its definition, cost and payback, parts of a difference."""
        t = self._t
        self._sentence.value += (
            f'<p class="wb-help">{unbroken(t(report.value_definition(record.settings)))}</p>'
        )
        self._segments.value = "".join(map(_section, report.value_sections(record, t) if shown else []))
        parts = report.parts_section(record, t) if shown else None
        self._table.content += _section(parts) if parts else ""

    def _show_segments(self, record: EffectRecord | None) -> None:
        """What is claimed of segments where no forest says it, their ranks, and tests without a prior."""
        claims, ranked, tests = "", None, list[report.Section]()
        if record is not None:
            found = record.summary.together
            claims = report.together_words(record, self._t) if found and not found.pooled else ""
            ranked = report.ranking_section(record, self._t)
            tests = report.frequentist_sections(record, self._t)
        self._segments.value = message_text(claims, "wb-help") + (_section(ranked) if ranked else "")
        self._tests.title = tests[0].title if tests else ""
        self._tests.content = "".join(
            _section(section, titled=index > 0) for index, section in enumerate(tests)
        )


class Frame(ipywidgets.VBox):
    """A chart between its title and its caption.

    Args:
        heading: The tag of the title.
    """

    def __init__(self, heading: str = "h2") -> None:
        self._heading = heading
        self._title, self._caption = html(""), html("")
        self._chart: Chart = show(None, "")
        super().__init__([self._title, self._chart, self._caption])
        self.add_class("wb-picture")

    def show(self, picture: Picture, *, wide: bool) -> None:
        (self.add_class if wide else self.remove_class)("wb-wide")
        self._title.value = f'<{self._heading} class="wb-part">{unbroken(picture.title)}</{self._heading}>'
        self._chart.description = picture.description
        self._chart.chart = picture.chart
        caption = f'<p class="wb-help">{unbroken(picture.caption)}</p>' if picture.caption else ""
        self._caption.value = caption


class Pictures(ipywidgets.Box):
    """Charts side by side; those of another answer take their places, so that nothing jumps or flickers.

    Args:
        heading: The tag of their titles.
    """

    def __init__(self, heading: str = "h2") -> None:
        self._heading = heading
        self._frames: list[Frame] = []
        self._shown = 0
        super().__init__()
        self.add_class("wb-pictures")

    def show(self, pictures: Sequence[Picture]) -> None:
        """Put these in the place of those that were there; one that would stand alone is wide."""
        self._frames += [Frame(self._heading) for _ in range(len(pictures) - len(self._frames))]
        alone = sum(not picture.wide for picture in pictures) == 1
        for frame, picture in zip(self._frames, pictures, strict=False):
            frame.show(picture, wide=picture.wide or alone)
        if len(pictures) != self._shown:
            self._shown, self.children = len(pictures), self._frames[: len(pictures)]
        self.layout.display = "" if pictures else "none"


def _pictures(record: EffectRecord | ValueRecord, rows: Sequence[report.Row], t: Texts) -> list[Picture]:
    if isinstance(record, EffectRecord):
        return effect_charts.pictures(record, t, rows)
    return value_charts.pictures(record, t)


def sentence(record: AnyRecord, t: Texts) -> str:
    """What was found, under a label where it is no effect."""
    kind = "withheld" if record.failed else "association" if _is_association(record) else "answer"
    label = association_label(t) if kind == "association" and record.kind != "association" else ""
    return f'{label}<p class="wb-sentence wb-{kind}" role="status">{unbroken(t(record.verdict))}</p>'


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


def _is_first(record: AnyRecord, check: Check) -> bool:
    """Whether a check stands above the answer: how well a model foretold what it had not seen."""
    return isinstance(record, ValueRecord) and check.name == "holdout"


def _foretold(record: AnyRecord, t: Texts) -> str:
    """What is read before a value."""
    first = [check for check in record.checks if _is_first(record, check)]
    return checks(first, t, t("How well the model foretold what it had not seen")) if first else ""


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


def _section(section: report.Section, *, titled: bool = True) -> str:
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


def health(records: Sequence[Record], t: Texts) -> str:
    """The light and its word for all checks of a page."""
    states: list[Any] = [check.status for record in records for check in record.checks]
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
