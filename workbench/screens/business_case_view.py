"""The widgets of a business case: what is assumed on the left, the case on the right."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.analyses.business_case_words import month_rows
from workbench.charts.business_case import fan
from workbench.locale import Texts
from workbench.models.business_case import LONGEST
from workbench.publish import business_case as markup
from workbench.publish.fold import Fold
from workbench.publish.result import Frame, checks, html, table
from workbench.screens import controls
from workbench.screens.business_case import BusinessCaseState
from workbench.screens.download import Download
from workbench.screens.frame import columns, messages
from workbench.screens.work_view import WorkView

_MOST = 1e12


def view(state: BusinessCaseState, t: Texts) -> ipywidgets.Widget:
    """A result and what is assumed, and the case for or against it."""
    answer, missing = _Answer(state, t), html("")

    def write(_change: object = None) -> None:
        said = t(state.missing) if state.missing is not None else ""
        missing.value = f'<p class="wb-sentence">{escape(said)}</p>' if said else ""
        if state.found is not None:
            answer.show(state)
        answer.layout.display = "" if state.found else "none"

    write()
    state.observe(write, ["found", "missing"])
    asked = [*_main(state, t), _more(state, t), _files(state, t), _help(t)]
    return columns(state, asked, [missing, answer], t)


class _Answer(ipywidgets.VBox):
    """A case; another one takes its place part by part."""

    def __init__(self, state: BusinessCaseState, t: Texts) -> None:
        self._t = t
        self._head, self._problem, self._foot = html(""), html(""), html("")
        self._fan = Frame()
        self._months, self._checks = Fold(), Fold()
        pictures = ipywidgets.Box([self._fan]).add_class("wb-pictures")
        super().__init__(
            [self._head, self._problem, pictures, self._foot, self._months, self._checks],
            layout=ipywidgets.Layout(width="100%"),
        )
        self.add_class("wb-record")

    def show(self, state: BusinessCaseState) -> None:
        """Put the case on the page."""
        t, case = self._t, state.found
        assert case is not None
        self._head.value = markup.trust(case, t, lit=True) + markup.answer(case, t)
        self._problem.value = markup.problem(case, t)
        self._fan.show(fan(case, t), wide=True)
        self._foot.value = markup.size_and_plan(case, t)
        self._months.title = t("The months as a table")
        self._months.content = table(month_rows(case, t))
        self._checks.title = t("What we checked")
        self._checks.content = checks(case.record.checks, t)


def _main(state: BusinessCaseState, t: Texts) -> list[ipywidgets.Widget]:
    unit = _number(state, "unit_value", t("Value of one unit ({currency})", currency=t.currency), 1)

    def turn(_change: object = None) -> None:
        unit.layout.display = "none" if state.unit is None else ""

    turn()
    state.observe(turn, "unit")
    return [
        controls.choice(
            state,
            "chosen",
            t("Result"),
            lambda: [(t(state.name(choice)), choice) for choice in state.offered],
            follows="offered",
        ),
        unit,
        _number(state, "customers", t("Customers a month (0: as measured)"), 100),
        controls.percent(state, "margin", t("Margin (%)"), 0.1, 100, 1),
        controls.whole(state, "months", t("Months that count"), 1, LONGEST),
        _number(state, "cost_once", t("Cost once ({currency})", currency=t.currency), 100),
        _number(state, "cost_per_month", t("Cost a month ({currency})", currency=t.currency), 10),
        _number(state, "half_life", t("Effect halves in (months; 0: never)"), 1),
    ]


def _more(state: BusinessCaseState, t: Texts) -> ipywidgets.Widget:
    return controls.more(
        t,
        [
            controls.percent(state, "share", t("Share that gets it (%)"), 1, 100, 1),
            _number(state, "cost_per_customer", t("Cost a customer ({currency})", currency=t.currency), 0.1),
            controls.percent(state, "discount", t("Discount a year (%)"), 0, 1000, 1),
            controls.choice(
                state, "paper", t("Paper of the PDF"), lambda: [("A4", "a4"), (t("Letter"), "letter")]
            ),
        ],
    )


def _number(state: BusinessCaseState, name: str, label: str, step: float) -> ipywidgets.BoundedFloatText:
    """A number that is not negative."""
    widget = ipywidgets.BoundedFloatText(
        min=0, max=_MOST, step=step, description=label, layout=controls.full()
    )
    return controls.bind(state, name, widget)


class _Paper(Download):
    """The button that prints the case; the file is handed over once there is one."""

    def __init__(self, state: BusinessCaseState, t: Texts) -> None:
        super().__init__(lambda: None, label=t("One page as PDF"))
        self._print = lambda: state.as_pdf(t.language, self.hand)

    def _wanted(self, _widget: object, _content: object, _buffers: object) -> None:
        self._print()


def _files(state: BusinessCaseState, t: Texts) -> ipywidgets.Widget:
    """The buttons that hand the case over, and what goes on meanwhile."""
    buttons = ipywidgets.HBox(
        [_Paper(state, t), Download(state.as_page, label=t("One page as HTML"))]
    ).add_class("wb-beside")
    box = ipywidgets.VBox(
        [buttons, messages(state.printing, t), WorkView(state.printing.work, state.printing.stop, t)]
    )

    def show(_change: object = None) -> None:
        box.layout.display = "" if state.found is not None else "none"

    show()
    state.observe(show, "found")
    return box


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("Result"),
                t("A randomised experiment’s; a file that is handed over keeps it in the project, too."),
            ),
            (
                t("Value of one unit ({currency})", currency=t.currency),
                t("What one conversion, or one of whatever is counted, brings before the margin is taken."),
            ),
            (
                t("Customers a month (0: as measured)"),
                t(
                    "Who meet it for the first time in a month; each counts once, with what the experiment "
                    "saw in its window. Measured are its last whole weeks."
                ),
            ),
            (t("Margin (%)"), t("What is left of revenue once what is sold has been paid for.")),
            (t("Months that count"), t("Gains and costs after that are left out.")),
            (
                t("Cost once ({currency})", currency=t.currency),
                t("Such as building it; it is paid before the first month."),
            ),
            (
                t("Cost a month ({currency})", currency=t.currency),
                t("Such as a licence or the people who keep it going."),
            ),
            (
                t("Effect halves in (months; 0: never)"),
                t(
                    "What is new wears off. The experiment saw its own weeks only, so this is an assumption, "
                    "and a hold-out is how to find out."
                ),
            ),
            (t("Share that gets it (%)"), t("The rest is kept as it is, a hold-out that shows if it lasts.")),
            (
                t("Cost a customer ({currency})", currency=t.currency),
                t("Of each customer who gets it, such as a voucher."),
            ),
            (t("Discount a year (%)"), t("How much less money is worth that comes a year later.")),
            (t("Paper of the PDF"), t("The case fits one page of either.")),
        ],
    )
