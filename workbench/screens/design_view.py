"""The widgets of a design: what is planned on the left, what it could tell and its protocol on the right."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.analyses import design_words as words
from workbench.analyses.design import DesignView
from workbench.charts import design as pictures
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.result import Frame, html, table, unbroken
from workbench.screens import controls
from workbench.screens.cards import figure_row, part
from workbench.screens.design import DesignState
from workbench.screens.design_controls import asked
from workbench.screens.frame import columns
from workbench.screens.protocol_view import protocol_part


def view(state: DesignState, t: Texts) -> ipywidgets.Widget:
    """The design of a test."""
    answer = _Answer(state, t)

    def write(_change: object = None) -> None:
        if state.found is not None:
            answer.show(state.found)
        answer.layout.display = "" if state.found else "none"

    write()
    state.observe(write, "found")
    return columns(state, asked(state, t), [answer, protocol_part(state.protocol, t)], t)


class _Answer(ipywidgets.VBox):
    """What a design could tell; another one takes its place part by part."""

    def __init__(self, state: DesignState, t: Texts) -> None:
        self._t = t
        self._sentence, self._figures, self._length = html(""), html(""), html("")
        self._truths, self._duration, self._assurance = Frame(), Frame(), Frame()
        self._hold_out, self._levels = Frame(), Frame()
        self._numbers, self._hold_outs, self._level_table = Fold(), Fold(), Fold()
        self._own, self._held = html(""), html("")
        self._held_picture = _pictures(self._hold_out)
        again = controls.button(t("Split our own customers 1,000 times"), state.split_at_random)
        again.layout.display = "" if state.own else "none"
        trying = controls.allowed(again, state.project, "ask", t)
        super().__init__(
            [
                self._sentence,
                self._figures,
                _pictures(self._truths, self._duration, self._assurance),
                self._length,
                self._numbers,
                ipywidgets.VBox([self._own, ipywidgets.Box([trying]).add_class("wb-doing")]),
                html(part(t("Levels of personalisation"))),
                _pictures(self._levels),
                self._level_table,
                self._held,
                self._held_picture,
                self._hold_outs,
            ],
            layout=ipywidgets.Layout(width="100%"),
        )
        self.add_class("wb-record")

    def show(self, found: DesignView) -> None:
        """Put a design on the page."""
        t = self._t
        self._sentence.value = (
            f'<p class="wb-sentence" role="status">{unbroken(t(words.sentence(found)))}</p>'
            f'<p class="wb-help">{unbroken(words.basis(found, t))}</p>'
        )
        self._figures.value = figure_row(
            [(one.label, one.value, one.detail) for one in words.figures(found, t)]
        )
        self._truths.show(pictures.truths(found, t), wide=False)
        self._duration.show(pictures.duration(found, t), wide=False)
        self._assurance.show(pictures.assurance(found, t), wide=True)
        self._length.value = f"<p>{unbroken(words.length(found, t))}</p>"
        self._numbers.title = t("The numbers as a table")
        self._numbers.content = table(words.truth_rows(found, t)) + table(words.week_rows(found, t))
        self._own.value = part(t("The rule on our own customers"), self._a_a(found))
        self._levels.show(pictures.levels(found, t), wide=True)
        self._level_table.title = t("The levels as a table")
        self._level_table.content = table(words.level_rows(found, t))
        said, picture = words.hold_out_words(found), pictures.hold_out(found, t)
        self._held_picture.layout.display = "" if picture else "none"
        if picture is not None:
            self._hold_out.show(picture, wide=True)
        held = t("A global hold-out needs a year of orders to be planned on.") if said is None else t(said)
        self._held.value = part(t("A global hold-out"), f"<p>{unbroken(held)}</p>")
        self._hold_outs.title = t("The hold-outs as a table")
        self._hold_outs.content = table(words.hold_out_rows(found, t))

    def _a_a(self, found: DesignView) -> str:
        t = self._t
        if found.false_wins is not None:
            return f'<p role="status">{unbroken(t(words.false_win_words(found.false_wins)))}</p>'
        said = t(
            "An A/A test: customers who were all given the same are split at random, and the rule is asked "
            "who won. Values far from Normal, or many looks, make it find winners more often than it says."
        )
        if found.base.histogram is None:
            said = t("An A/A test needs your own customers; take the rate from the project for it.")
        return f"<p>{escape(said)}</p>"


def _pictures(*frames: ipywidgets.Widget) -> ipywidgets.Box:
    return ipywidgets.Box(list(frames)).add_class("wb-pictures")
