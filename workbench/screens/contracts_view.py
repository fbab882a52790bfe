"""The widgets of contracts: the sentence, how many are kept, what they bring, what was checked."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets

from workbench.analyses.contracts_found import ContractsView
from workbench.charts import contracts as charts
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.markup import stated
from workbench.publish.result import Pictures, checks, html, table
from workbench.report import Row
from workbench.screens import controls
from workbench.screens.contracts import ContractsState
from workbench.screens.frame import columns

MODEL_NAMES = {"sbg": "sBG", "bdw": "BdW"}


def view(state: ContractsState, t: Texts) -> ipywidgets.Widget:
    """The widgets of contracts."""
    return columns(state, [*_main(state, t), _more(state, t), _help(t)], [_Answer(state, t)], t)


def _main(state: ContractsState, t: Texts) -> list[ipywidgets.Widget]:
    payment = ipywidgets.BoundedFloatText(
        min=0.01, max=1e9, description=t("Margin of a payment ({currency})", currency=t.currency)
    )
    return [
        controls.choice(
            state, "by", t("Split by"), lambda: controls.split_options(state.groups, t), follows="groups"
        ),
        controls.choice(state, "period", t("Renewed every"), lambda: _periods(t)),
        controls.bind(state, "payment", payment),
        controls.whole(state, "horizon", t("Payments that are counted"), 1, 1200),
        controls.percent(state, "discount_per_year", t("Discount a year (%)"), 0, 1000, 1),
        controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
    ]


def _periods(t: Texts) -> list[controls.Option]:
    return [(t("week"), "week"), (t("month"), "month"), (t("quarter"), "quarter"), (t("year"), "year")]


def _more(state: ContractsState, t: Texts) -> ipywidgets.Widget:
    models = [
        (t("the one that fits better"), "best"),
        (t("sBG: each customer stays as they are"), "sbg"),
        (t("BdW: renewing grows easier or harder"), "bdw"),
    ]
    return controls.more(t, [controls.choice(state, "model", t("Model of the renewals"), lambda: models)])


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("Renewed every"),
                t("Only whole periods count; what ended in the one that is running counts later."),
            ),
            (t("Margin of a payment ({currency})", currency=t.currency), t("What is left of it for you.")),
            (
                t("Payments that are counted"),
                t("Of a new contract the first is paid at once, the others if it is renewed."),
            ),
            (
                t("Model of the renewals"),
                t("Customers differ in how easily they leave; who stays longer is not always more loyal."),
            ),
        ],
    )


class _Answer(ipywidgets.VBox):
    """What was found; a new answer takes its place part by part."""

    def __init__(self, state: ContractsState, t: Texts) -> None:
        self._state, self._t = state, t
        self._sentence, self._tables, self._checks = (html("") for _ in range(3))
        self._pictures = Pictures()
        self._curve, self._details = Fold(), Fold(kind="wb-details")
        super().__init__(
            [
                self._sentence,
                self._pictures,
                self._tables,
                self._checks,
                self._curve,
                self._details,
            ],
            layout=controls.full(),
        )
        self.add_class("wb-record")
        self._show()
        state.observe(self._show, "found")

    def _show(self, _change: object = None) -> None:
        found, t = self._state.found, self._t
        self.layout.display = "" if found else "none"
        if found is None:
            return
        association = any(one.word == "association" for one in found.differences)
        self._sentence.value = stated(found.sentence, t, association=association)
        self._pictures.show(charts.pictures(found, t))
        self._tables.value = _tables(found, t)
        self._checks.value = checks(found.checks, t)
        self._curve.title = t("The curve as a table")
        self._curve.content = "".join(
            _part(charts.group_name(group, t), charts.curve_rows(group, t), "h3") for group in found.groups
        )
        self._details.title = t("Details: method, data")
        self._details.content = _details(found, t)


def _part(title: str, rows: Sequence[Row], tag: str = "h2") -> str:
    return f'<{tag} class="wb-part">{escape(title)}</{tag}>{table(rows)}'


def _tables(found: ContractsView, t: Texts) -> str:
    worth = _part(t("What contracts bring"), charts.group_rows(found, t))
    if not found.differences:
        return worth
    return worth + _part(t("What groups differ by"), charts.difference_rows(found, t))


def _details(found: ContractsView, t: Texts) -> str:
    likelihoods = ", ".join(
        f"{MODEL_NAMES[name]} {t.number(value)}" for name, value in found.log_likelihoods.items()
    )
    items = [
        (
            t("Method"),
            t(
                "{model}, on sums by periods seen and ended; posterior by Pareto-smoothed importance "
                "sampling.",
                model=MODEL_NAMES[found.model],
            ),
        ),
        (t("Log likelihoods"), likelihoods),
        (t("Data until"), t.date(found.until)),
    ]
    return (
        "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in items) + "</dl>"
    )
