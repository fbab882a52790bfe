"""The widgets of cohorts: the sentence, the cells, what customers bring by age, who the cohorts are."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.charts import cohorts as charts
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.result import Pictures, checks, html, table
from workbench.records.cohorts import EXPOSED, FIRST_ORDER, MEASURES, SIGNED_UP, Measure
from workbench.report.cohorts import cohort_rows, named
from workbench.report.numbers import rows_as_csv
from workbench.screens import controls
from workbench.screens.cohorting import CohortsState
from workbench.screens.download import Download, record_files
from workbench.screens.frame import columns
from workbench.screens.inbox import Sent
from workbench.screens.notes import NotesState
from workbench.screens.notes_view import notes


def view(state: CohortsState, t: Texts) -> ipywidgets.Widget:
    """The widgets of cohorts."""
    asked = [*_main(state, t), _more(state, t), controls.keep(state, t), record_files(state, t), _help(t)]
    written = NotesState(state.project)

    def look(_change: object = None) -> None:
        written.look(state.record)

    look()
    state.observe(look, "record")
    return columns(state, asked, [_Answer(state, t), notes(written, t)], t)


def _main(state: CohortsState, t: Texts) -> list[ipywidgets.Widget]:
    return [
        controls.choice(
            state, "start", t("A cohort begins with"), lambda: _starts(state, t), follows="starts"
        ),
        controls.choice(state, "period", t("Period"), lambda: _periods(t)),
        controls.choice(
            state, "measure", t("In the cells"), lambda: [(charts.measure_name(m, t), m) for m in MEASURES]
        ),
        controls.choice(
            state, "by", t("Cohorts by"), lambda: _groups(state, t, t("when they began")), follows="groups"
        ),
        controls.choice(
            state,
            "first",
            t("Compare"),
            lambda: _cohorts(state, t),
            follows="names",
        ),
        controls.choice(
            state,
            "second",
            t("with"),
            lambda: _cohorts(state, t),
            follows="names",
        ),
    ]


def _more(state: CohortsState, t: Texts) -> ipywidgets.Widget:
    return controls.more(
        t,
        [
            controls.choice(
                state,
                "mix_by",
                t("What cohorts are made of"),
                lambda: _groups(state, t, t("nothing")),
                follows="groups",
            ),
            controls.whole(state, "age", t("Age at which they are compared (−1: the last)"), -1, 1000),
            controls.percent(state, "margin", t("Margin kept of revenue (%)"), 0.1, 100, 1),
            controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
        ],
    )


def _starts(state: CohortsState, t: Texts) -> list[controls.Option]:
    words = {FIRST_ORDER: t("the first order"), SIGNED_UP: t("the sign-up")}
    return [
        (
            words.get(one) or t("the first exposure to “{experiment}”", experiment=one.removeprefix(EXPOSED)),
            one,
        )
        for one in state.starts
    ]


def _periods(t: Texts) -> list[controls.Option]:
    return [(t("day"), "day"), (t("week"), "week"), (t("month"), "month"), (t("quarter"), "quarter")]


def _groups(state: CohortsState, t: Texts, none: str) -> list[controls.Option]:
    return [(none, None), *((name, name) for name in state.groups)]


def _cohorts(state: CohortsState, t: Texts) -> list[controls.Option]:
    settings = state.settings()
    return [(t("as the data say"), None), *((t(named(name, settings)), name) for name in state.names)]


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("A cohort begins with"),
                t("Customers are put together by the period in which that happened."),
            ),
            (
                t("Period"),
                t("Ages are counted in periods from each customer’s own beginning; a month is 30.4 days."),
            ),
            (
                t("In the cells"),
                t("Of those who have lived through that age; margin as the orders have it, else a share."),
            ),
            (t("Cohorts by"), t("The values of a column instead of beginnings, such as device or source.")),
            (
                t("Compare"),
                t("What one customer of each brought by the same age; the interval is Student’s t."),
            ),
            (t("with"), t("The other cohort; without, the newest old enough is held against the oldest.")),
            (t("What cohorts are made of"), t("A cohort may differ because other people came.")),
            (
                t("Age at which they are compared (−1: the last)"),
                t("Both cohorts have to have lived through it."),
            ),
            (t("Margin kept of revenue (%)"), t("Only where the orders carry no margin of their own.")),
            (t("Level of the intervals"), t("How likely it is that an interval holds the true value.")),
        ],
    )


class _Answer(ipywidgets.VBox):
    """What was found; a new answer takes its place part by part."""

    def __init__(self, state: CohortsState, t: Texts) -> None:
        self._state, self._t = state, t
        self._sentence, self._checks = html(""), html("")
        self._pictures = Pictures()
        self._cells, self._worth, self._mix = Fold(), Fold(), Fold()
        super().__init__(
            [
                self._sentence,
                self._pictures,
                self._checks,
                self._cells,
                self._worth,
                self._mix,
                Download(lambda: _csv(state), label=t("Cells as CSV")),
            ],
            layout=controls.full(),
        )
        self.add_class("wb-record")
        self._show()
        state.observe(self._show, ["record", "measure"])

    def _show(self, _change: object = None) -> None:
        found, t, measure = self._state.record, self._t, _measure(self._state)
        self.layout.display = "" if found else "none"
        if found is None:
            return
        said = escape(t(found.verdict)).replace(" %", "&nbsp;%")
        self._sentence.value = f'<p class="wb-sentence wb-association" role="status">{said}</p>'
        self._pictures.show(charts.pictures(found, measure, t))
        self._checks.value = checks(found.checks, t)
        self._cells.title = t("The cells as a table")
        self._cells.content = table(charts.cell_rows(found, measure, t))
        self._worth.title = t("What cohorts brought, as a table")
        self._worth.content = table(cohort_rows(found, t))
        self._mix.title = t("What cohorts are made of")
        self._mix.content = table(charts.mix_rows(found, t))


def _measure(state: CohortsState) -> Measure:
    return next(one for one in MEASURES if one == state.measure)


def _csv(state: CohortsState) -> Sent | None:
    found = state.record
    return found and ("cohorts.csv", rows_as_csv(found.rows()).encode("utf-8-sig"))
