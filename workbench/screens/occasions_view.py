"""The widgets of occasions: how well they are foretold, who is still there, what groups differ by."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets

from workbench.analyses.occasions_found import EVENT, OPENED, ORDERS, OccasionsView
from workbench.charts import occasions as charts
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.markup import stated
from workbench.publish.result import Pictures, checks, html, table
from workbench.report import Row
from workbench.screens import controls
from workbench.screens.frame import columns
from workbench.screens.occasions import OccasionsState


def view(state: OccasionsState, t: Texts) -> ipywidgets.Widget:
    """The widgets of occasions."""
    return columns(state, [*_main(state, t), _more(state, t), _help(t)], [_Answer(state, t)], t)


def _main(state: OccasionsState, t: Texts) -> list[ipywidgets.Widget]:
    return [
        controls.choice(state, "of", t("An occasion is taken by"), lambda: _kinds(state, t), follows="kinds"),
        controls.choice(state, "period", t("One occasion every"), lambda: _periods(t)),
        controls.choice(
            state, "by", t("Split by"), lambda: controls.split_options(state.groups, t), follows="groups"
        ),
        controls.whole(state, "horizon", t("Occasions to come that are counted"), 1, 260),
    ]


def _kinds(state: OccasionsState, t: Texts) -> list[controls.Option]:
    words = {ORDERS: t("an order"), OPENED: t("opening a message")}
    return [
        (words.get(one) or t("the event “{name}”", name=one.removeprefix(EVENT)), one) for one in state.kinds
    ]


def _periods(t: Texts) -> list[controls.Option]:
    return [(t("week"), "week"), (t("month"), "month"), (t("quarter"), "quarter")]


def _more(state: OccasionsState, t: Texts) -> ipywidgets.Widget:
    return controls.more(
        t,
        [
            controls.whole(state, "held_periods", t("Periods held back (0: a third)"), 0, 260),
            controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
        ],
    )


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("An occasion is taken by"),
                t(
                    "Doing it at least once in a period; how often within it does not matter. Openings by "
                    "mail programs cannot be told from those by people."
                ),
            ),
            (
                t("One occasion every"),
                t(
                    "Of the calendar, where the shop is. The period in which a customer began is no "
                    "occasion, nor is one that is still running."
                ),
            ),
            (
                t("Split by"),
                t("In an experiment occasions count after the first exposure, for all who were exposed."),
            ),
            (t("Occasions to come that are counted"), t("So many of the next periods.")),
            (
                t("Periods held back (0: a third)"),
                t("The model sees nothing of them; what it foretold is held against what came."),
            ),
            (t("Level of the intervals"), t("How likely it is that an interval holds the true value.")),
        ],
    )


class _Answer(ipywidgets.VBox):
    """What was found; a new answer takes its place part by part."""

    def __init__(self, state: OccasionsState, t: Texts) -> None:
        self._state, self._t = state, t
        self._first, self._methods, self._sentence, self._tables, self._checks = (html("") for _ in range(5))
        self._held, self._pictures = Pictures(), Pictures()
        self._map, self._details = Fold(), Fold(kind="wb-details")
        super().__init__(
            [
                self._first,
                self._held,
                self._methods,
                self._sentence,
                self._pictures,
                self._tables,
                self._checks,
                self._map,
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
        self._show_foretold(found)
        association = any(one.word == "association" for one in found.differences)
        self._sentence.value = stated(found.sentence, t, association=association)
        self._pictures.show(charts.pictures(found, t))
        self._tables.value = _tables(found, t)
        rest = [check for check in found.checks if check.name != "holdout"]
        self._checks.value = checks(rest, t) if rest else ""
        self._map.title = t("The numbers as a table")
        self._map.content = _numbers(found, t)
        self._details.title = t("Details: method, data")
        self._details.content = _details(found, t)

    def _show_foretold(self, found: OccasionsView) -> None:
        """What is read before any number: whether the model foretold what it had not seen."""
        t, held = self._t, found.foretold
        first = [check for check in found.checks if check.name == "holdout"]
        self._first.value = checks(first, t, t("How well the model foretold what it had not seen"))
        self._held.show([] if held is None else [charts.tracking(held, found.settings, t)])
        note = t(
            "Of the number of occasions that one customer took. Most take none, so that the mean error "
            "flatters whoever expects none; the root of the mean squared error (RMSE) does not."
        )
        self._methods.value = (
            ""
            if held is None
            else f'{table(charts.method_rows(held, t))}<p class="wb-help">{escape(note)}</p>'
        )


def _part(title: str, rows: Sequence[Row], tag: str = "h2") -> str:
    return f'<{tag} class="wb-part">{escape(title)}</{tag}>{table(rows)}'


def _tables(found: OccasionsView, t: Texts) -> str:
    if not found.differences:
        return _part(t("Who is still there, and what is to come"), charts.group_rows(found, t))
    return _part(t("Who is still there, and what is to come"), charts.group_rows(found, t)) + _part(
        t("What groups differ by"), charts.difference_rows(found, t)
    )


def _numbers(found: OccasionsView, t: Texts) -> str:
    held = found.foretold
    parts = [
        _part(t("By what was taken and since when not"), charts.cell_rows(found, t), "h3"),
        _part(t("Each of the next occasions"), charts.by_period_rows(found.groups, t), "h3"),
    ]
    if held is not None:
        rows = charts.tracking_rows(held, found.settings, t)
        parts.append(_part(t("Periods that were held back"), rows, "h3"))
    return "".join(parts)


def _details(found: OccasionsView, t: Texts) -> str:
    fitted = ", ".join(f"{name} {t.number(value)}" for name, value in _greek(found.parameters))
    items = [
        (
            t("Method"),
            t(
                "BG/BB (Fader, Hardie and Shang, 2010), on counts by occasions had and taken and the last "
                "one; posterior by Pareto-smoothed importance sampling. It knows no seasons."
            ),
        ),
        (t("Posterior means"), fitted),
        (
            t("Sampling"),
            t(
                "worst khat {khat:number}, fewest effective draws {ess:count}",
                khat=found.diagnostics["khat"],
                ess=found.diagnostics["ess"],
            ),
        ),
        (
            t("Occasions"),
            t(
                "from {first:date} until {until:date}; {n:count} customers began too late for a whole one "
                "and are left out",
                first=found.first,
                until=found.until,
                n=found.unseen,
            ),
        ),
    ]
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in items)
    return f"<dl>{rows}</dl>"


def _greek(parameters: dict[str, float]) -> list[tuple[str, float]]:
    letters = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ"}
    return [(letters[name], value) for name, value in parameters.items()]
