"""The widgets of customers by recency, frequency and money: four parts, each with its pictures and table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape

import ipywidgets

from workbench import report
from workbench.analyses.estimates import Needs
from workbench.analyses.rfm import USUAL_DAYS, Rfm
from workbench.analyses.rfm_model import ModelView
from workbench.analyses.rfm_moves import Moves
from workbench.analyses.rfm_segments import name_in_words
from workbench.analyses.rfm_tables import tables
from workbench.charts import rfm as charts
from workbench.charts import rfm_moves as moving
from workbench.charts.picture import Picture
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.result import Pictures, checks, figure_row, html, table, unbroken
from workbench.report import Figure, between
from workbench.screens import controls
from workbench.screens.cards import cards
from workbench.screens.disclosure import disclosure
from workbench.screens.download import Download
from workbench.screens.frame import columns, messages
from workbench.screens.inbox import Sent
from workbench.screens.presence import Presence
from workbench.screens.rfm import RfmState, SegmentList


def view(state: RfmState, t: Texts) -> ipywidgets.Widget:
    """What is asked on the left, the four parts of the answer on the right."""
    asked = [*_asked(state, t), _more(state, t), *_saving(state, t), _help(t)]
    return ipywidgets.VBox([Presence(state.watch), columns(state, asked, [_Answer(state, t)], t)])


# --- controls -------------------------------------------------------------------------------------------


def _asked(state: RfmState, t: Texts) -> list[ipywidgets.Widget]:
    last = date(2026, 3, 31) if state.until is None else state.until.date()
    before = last - timedelta(days=USUAL_DAYS)
    money = [(t("revenue"), "revenue"), *([(t("margin"), "margin")] if state.has_margin else [])]
    return [
        controls.text(state, "as_of", t("As of (day; empty: the last)"), example=last.isoformat()),
        controls.text(
            state, "before", t("Moves since (day; empty: 90 days before)"), example=before.isoformat()
        ),
        controls.choice(state, "money", t("Money"), lambda: money),
        controls.whole(state, "quiet_days", t("Gone by the rule after (days)"), 1, 3650),
        controls.whole(state, "horizon_days", t("The model looks ahead (days)"), 1, 3650),
        controls.percent(state, "gone_below", t("Gone by the model below (%)"), 1, 100, 5),
    ]


def _more(state: RfmState, t: Texts) -> ipywidgets.Widget:
    fifths = t("fifths")
    return controls.more(
        t,
        [
            controls.text(state, "recency_cuts", t("Cut points of recency (days)"), example=fifths),
            controls.text(
                state, "frequency_cuts", t("Cut points of frequency (days with one)"), example=fifths
            ),
            controls.text(
                state,
                "money_cuts",
                t("Cut points of money ({currency})", currency=t.currency),
                example=fifths,
            ),
            controls.tick(state, "same_cuts", t("Both days by the same cut points")),
            controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
        ],
    )


def _saving(state: RfmState, t: Texts) -> list[ipywidgets.Widget]:
    """The button that makes a rule of a segment."""

    def names() -> list[controls.Option]:
        there = [] if state.found is None else state.found.segments
        return [(name_in_words(one.named.name, t), place) for place, one in enumerate(there)]

    save = controls.button(t("Save as a rule"), lambda: state.save_segment(t))
    return [
        controls.choice(state, "chosen", t("Save as one of the project’s segments"), names, follows="found"),
        controls.allowed(save, state.project, "keep", t),
    ]


def _list(listed: SegmentList, t: Texts) -> ipywidgets.Widget:
    """The list of segments, which can be changed; behind a button."""
    listed.show(t)
    save = controls.button(t("Save the segments"), lambda: listed.save(t), primary=True)
    reset = controls.button(t("Standard segments"), lambda: listed.reset(t))
    buttons = [
        controls.allowed(save, listed.project, "keep", t),
        controls.only(reset, listed.project, "keep", t),
    ]
    inside = ipywidgets.VBox(
        [
            controls.lines(listed, "lines", t("Segments, best first: name | tier | rule"), rows=12),
            messages(listed, t),
            ipywidgets.HBox(buttons).add_class("wb-doing"),
        ]
    ).add_class("wb-controls")
    return disclosure(t("Change the segments"), [inside])


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("Recency, frequency, money"),
                t(
                    "Days since the last purchase, days with a purchase, what all orders brought less what "
                    "was given back. Each has a score from 1 to 5: one more for every fifth of the customers "
                    "that is strictly worse, so that equal customers have equal scores."
                ),
            ),
            (
                t("Cut points"),
                t(
                    "Four growing numbers instead of fifths. Below the first, days have 5; amounts and days "
                    "with a purchase up to the first have 1."
                ),
            ),
            (
                t("Segments, best first: name | tier | rule"),
                t(
                    "Rules compare r, f, m and fm, the mean of f and m; the first that is true counts. "
                    "Segments of a tier stand together and are one bar in the picture of the flows."
                ),
            ),
            (
                t("Both days by the same cut points"),
                t("Otherwise each day has its own fifths: then somebody moves down when others did more."),
            ),
            (
                t("Gone by the rule after (days)"),
                t("The usual rule: who has bought nothing for so long is gone, however rarely they buy."),
            ),
            (
                t("Gone by the model below (%)"),
                t("The model calls customers gone whose probability to buy ever again is lower."),
            ),
            (
                t("Save as a rule"),
                t("The rule keeps the cut points of today and can be used in every analysis."),
            ),
        ],
    )


# --- the answer -----------------------------------------------------------------------------------------


class _Answer(ipywidgets.VBox):
    """The answer; another one takes its place part by part, so that nothing jumps."""

    def __init__(self, state: RfmState, t: Texts) -> None:
        self._t = t
        self._missing, self._sentence, self._checked = html(""), html(""), html("")

        def part(title: str, name: str, csv: str) -> _Part:
            return _Part(title, Download(lambda: _file(state.found, name), label=csv))

        self._named = part(t("Segments"), "segments", t("Segments as CSV"))
        self._moves = part(t("Moves between two days"), "moves", t("Moves as CSV"))
        self._grid = part(t("What the scores hide"), "grid", t("Grid as CSV"))
        self._gone = part(t("Gone, or only silent"), "gone", t("Both counts as CSV"))
        below = [self._grid, self._gone, self._moves, self._checked]
        above = [self._missing, self._sentence, self._named, _list(state.listed, t)]
        super().__init__([*above, *below], layout=controls.full())

        def write(_change: object = None) -> None:
            said = "" if state.missing is None else escape(t(state.missing))
            self._missing.value = f'<p class="wb-sentence">{said}</p>' if said else ""
            for widget in (self._sentence, self._named, *below):
                widget.layout.display = "" if state.found is not None else "none"
            if state.found is not None:
                self._show(state.found)

        write()
        state.observe(write, ["found", "missing"])

    def _show(self, found: Rfm) -> None:
        t = self._t
        words = f'<p class="wb-sentence wb-answer-text" role="status">{unbroken(t(found.sentence))}</p>'
        self._sentence.value = words
        self._named.show(
            [charts.segment_picture(found, t)],
            folds=[(t("Segments as a table"), table(charts.segment_rows(found, t)))],
        )
        self._grid.show(
            charts.grid_pictures(found, t), folds=[(t("Cells as a table"), table(charts.grid_rows(found, t)))]
        )
        if isinstance(found.model, Needs):
            self._gone.need(t(found.model.sentence))
        else:
            rows = moving.gone_rows(found.model, found.settings.horizon_days, t)
            self._gone.show(
                [],
                sentence=_disagreement(found.model, t),
                figures=_figures(found, found.model, t),
                below=cards(rows, numbers=list(rows[0])[1:]),
            )
        if isinstance(found.moves, Needs):
            self._moves.need(t(found.moves.sentence))
        else:
            self._moves.show(
                moving.move_pictures(found.moves, found, t),
                sentence=_moved(found.moves, t),
                folds=[
                    (t("Moves as a table"), table(moving.move_rows(found.moves, t))),
                    (t("From segment to segment"), table(moving.matrix_rows(found.moves, t))),
                ],
            )
        self._checked.value = checks(found.checks, t)


class _Part(ipywidgets.VBox):
    """A part of the answer: its title, sentence, figures, pictures, tables and file; or what it needs."""

    def __init__(self, title: str, file: Download) -> None:
        self._title = html(f'<h2 class="wb-part">{escape(title)}</h2>')
        self._sentence, self._figures, self._below = html(""), html(""), html("")
        self._pictures = Pictures()
        self._folds = [Fold(), Fold()]
        self._file = file
        super().__init__(
            [
                self._title,
                self._sentence,
                self._figures,
                self._pictures,
                self._below,
                *self._folds,
                self._file,
            ],
            layout=controls.full(),
        )

    def need(self, sentence: str) -> None:
        """Say what is missing."""
        self.show([], sentence=sentence)
        self._file.layout.display = "none"

    def show(
        self,
        pictures: Sequence[Picture],
        *,
        sentence: str = "",
        figures: Sequence[Figure] = (),
        below: str = "",
        folds: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Put this in the place of what was there."""
        self._sentence.value = f"<p>{unbroken(sentence)}</p>" if sentence else ""
        self._figures.value = figure_row(figures)
        self._below.value = below
        self._pictures.show(pictures)
        for fold, (title, content) in zip(self._folds, [*folds, ("", ""), ("", "")], strict=False):
            fold.title, fold.content = title, content
        self._file.layout.display = ""


def _file(found: Rfm | None, name: str) -> Sent | None:
    made = {} if found is None else tables(found)
    if name not in made or found is None:
        return None
    return f"rfm-{name}-{found.settings.as_of}.csv", report.rows_as_csv(made[name]).encode("utf-8-sig")


def _figures(found: Rfm, model: ModelView, t: Texts) -> list[Figure]:
    level = found.settings.level
    return [
        Figure(
            t("Gone by the rule"),
            t.percent(model.quiet),
            t("bought nothing for {days:count} days or more", days=found.settings.quiet_days),
        ),
        Figure(
            t("Gone for good, by the model"),
            t.percent(model.gone.value),
            between(t, (model.gone.low, model.gone.high), level, t.percent),
        ),
        Figure(
            t("Will buy nothing in the next {days:count} days", days=found.settings.horizon_days),
            t.percent(model.silent.value),
            between(t, (model.silent.low, model.silent.high), level, t.percent),
        ),
    ]


def _disagreement(model: ModelView, t: Texts) -> str:
    """Where rule and model say different things of the same customers."""
    early = sum(row.customers for row in model.table if row.quiet and not row.gone)
    late = sum(row.customers for row in model.table if row.gone and not row.quiet)
    return t(
        "Rule and model disagree about {n:count} customers: the rule gives up {early:count} that the model "
        "thinks are still there, and misses {late:count} that it thinks are gone. Silence is no end: those "
        "who buy nothing for a while are gone or only pause.",
        n=early + late,
        early=early,
        late=late,
    )


def _moved(moves: Moves, t: Texts) -> str:
    new, silent = sum(moves.new.values()), sum(moves.silent.values())
    words = t(
        "Of {n:count} customers of {before:date}, {silent:count} ({share:percent}) bought nothing until "
        "{after:date}; {new:count} are new since then.",
        n=moves.customers,
        before=moves.before,
        after=moves.after,
        silent=silent,
        share=silent / moves.customers,
        new=new,
    )
    if moves.improves is not None:
        words += " " + t(
            "Of those who were not yet in the best segment, {share:percent} moved up ({low:percent} to "
            "{high:percent}). Nothing here says why.",
            share=moves.improves.value,
            low=moves.improves.low,
            high=moves.improves.high,
        )
    return words
