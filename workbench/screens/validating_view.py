"""The widgets of how well models foretell: a sentence, the models side by side, three pictures."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.charts import validation as charts
from workbench.locale import Message, Texts, say
from workbench.publish.fold import Fold
from workbench.publish.result import Pictures, html, message_text, table
from workbench.records.validation import Validation
from workbench.screens import controls
from workbench.screens.frame import columns
from workbench.screens.validating import ValidatingState

_CLOSE = 0.05  # of the errors: models that are nearer to each other are as good


def view(state: ValidatingState, t: Texts) -> ipywidgets.Widget:
    """The widgets of a hold-out."""
    held = controls.choice(
        state,
        "held_days",
        t("Held back"),
        lambda: [
            (t("a third of the time"), 0),
            (t("the last 30 days"), 30),
            (t("the last 90 days"), 90),
            (t("the last 180 days"), 180),
        ],
    )
    meant = controls.meanings(
        t,
        [
            (
                t("Held back"),
                t("The models see nothing of it; what they foretold is held against what came."),
            ),
            (
                t("Mean error, RMSE, correlation"),
                t(
                    "Of single customers’ purchases. “Nobody buys again” does well by the mean error, since "
                    "most do not; the root of the mean squared error and the correlation tell who does."
                ),
            ),
        ],
    )
    return columns(state, [held, meant], [_Answer(state, t)], t)


def sentence(found: Validation) -> Message:
    """How far the model was off, and which one foretold best."""
    own = next(one for one in found.methods if one.method == found.model)
    known = [one for one in found.methods if one.method in charts.NAMES]
    best = min(known, key=lambda one: one.rmse)
    plain = min((one for one in found.methods if one.method not in charts.NAMES), key=lambda one: one.rmse)
    values = {
        "model": charts.NAMES[found.model],
        "customers": found.customers,
        "weeks": found.weeks,
        "predicted": own.predicted,
        "actual": found.actual,
        "best": charts.NAMES[best.method],
    }
    if own.rmse >= plain.rmse:
        return say(
            "Of {customers:count} customers {model} foretold {predicted:count} purchases in {weeks:count} "
            "weeks, {actual:count} came; for single customers it does no better than a rule of thumb.",
            **values,
        )
    if own.rmse > best.rmse * (1 + _CLOSE):
        return say(
            "Of {customers:count} customers {model} foretold {predicted:count} purchases in {weeks:count} "
            "weeks, {actual:count} came; {best} foretells single customers better here.",
            **values,
        )
    return say(
        "Of {customers:count} customers {model} foretold {predicted:count} purchases in {weeks:count} weeks, "
        "{actual:count} came; no model here foretells single customers better by much.",
        **values,
    )


class _Answer(ipywidgets.VBox):
    """What came of it; a new answer takes its place part by part."""

    def __init__(self, state: ValidatingState, t: Texts) -> None:
        self._state, self._t = state, t
        self._nothing, self._sentence, self._methods, self._scores = (html("") for _ in range(4))
        self._pictures = Pictures()
        self._tables = Fold()
        super().__init__(
            [
                self._nothing,
                self._sentence,
                self._methods,
                self._pictures,
                self._scores,
                self._tables,
            ],
            layout=controls.full(),
        )
        self.add_class("wb-record")
        self._show()
        state.observe(self._show, ["found", "asked"])

    def _show(self, _change: object = None) -> None:
        found, t = self._state.found, self._t
        nothing = t(
            "There are too few weeks or too few customers who came back to hold some back and see whether "
            "the models foretell them."
        )
        self._nothing.value = message_text(nothing, "wb-help") if self._state.asked and found is None else ""
        for part in self.children[1:-1]:
            part.layout.display = "" if found else "none"
        if found is None:
            self._tables.content = ""  # a fold without content hides itself
            return
        said = escape(t(sentence(found))).replace(" %", "&nbsp;%")
        self._sentence.value = f'<p class="wb-sentence wb-answer" role="status">{said}</p>'
        title = escape(t("Models side by side, the best first"))
        self._methods.value = f'<h2 class="wb-part">{title}</h2>{table(charts.method_rows(found, t))}'
        self._pictures.show(charts.pictures(found, t))
        self._scores.value = _scores(found, t)
        self._tables.title = t("The numbers as a table")
        self._tables.content = "".join(
            table(rows)
            for rows in (
                charts.tracking_rows(found, t),
                charts.purchase_rows(found, t),
                charts.probability_rows(found, t),
            )
        )


def _scores(found: Validation, t: Texts) -> str:
    """Scores of probabilities and of whole distributions, in words."""
    covered = found.coverage["0.9"]
    lines = [
        t(
            "Intervals of 90 % for what single customers buy held it {share:percent} of the time.",
            share=covered,
        ),
        t(
            "Brier score of the probabilities to buy: {brier:number}; of everybody’s share for all: "
            "{plain:number}. Smaller is better.",
            brier=found.brier,
            plain=found.brier_of_share,
        ),
        t(
            "Continuous ranked probability score: {crps:number} purchases; of one distribution for all: "
            "{plain:number}.",
            crps=found.crps,
            plain=found.crps_of_all,
        ),
    ]
    if found.money is not None:
        predicted, actual = found.money
        lines.append(
            t(
                "Money foretold: {predicted:money}; it was {actual:money} ({off:signed_percent}).",
                predicted=predicted,
                actual=actual,
                off=predicted / actual - 1 if actual else 0.0,
            )
        )
    if found.binning is not None:
        lines.append(
            t(
                "Customers were put together by the week; by the day the estimates would move by "
                "{gap:number} standard errors at most.",
                gap=found.binning,
            )
        )
    if found.behind:
        best = min(found.behind, key=lambda model: found.behind[model])
        others = [(charts.NAMES[model], *gap) for model, gap in found.behind.items() if model != best]
        lines.append(
            t(
                "Leaving out the customers of the known time one by one speaks for {best}; behind it are "
                "{others:listing} (log density, with its standard error).",
                best=charts.NAMES[best],
                others=[
                    t("{model} by {gap:number} ± {error:number}", model=name, gap=gap, error=error)
                    for name, gap, error in others
                ],
            )
        )
    items = "".join(f"<li>{escape(line).replace(' %', '&nbsp;%')}</li>" for line in lines)
    return f'<h2 class="wb-part">{escape(t("How good the probabilities are"))}</h2><ul>{items}</ul>'
