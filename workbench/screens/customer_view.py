"""The widgets for one customer: sentence, figures, line of time, scores, consents, details.

Folded is what is long, and what is sensitive.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import ipywidgets
import pyarrow as pa

from workbench.analyses.customer import Attribute, CustomerView
from workbench.analyses.outlook import Expected
from workbench.charts import timeline
from workbench.charts.runtime import show
from workbench.locale import Texts
from workbench.metrics import rfm
from workbench.publish.fold import Fold
from workbench.publish.result import checks, html, table
from workbench.report import Figure, Row, between
from workbench.screens import controls
from workbench.screens.customer import CustomerState
from workbench.screens.frame import columns
from workbench.screens.long_table import LongTable

_ROWS_IN_TABLES = 1000


def view(state: CustomerState, t: Texts) -> ipywidgets.Widget:
    """The widgets of one customer."""
    return columns(state, _asked(state, t), [_Customer(state, t)], t)


def _asked(state: CustomerState, t: Texts) -> list[ipywidgets.Widget]:
    who = ipywidgets.VBox(
        [
            controls.text(state, "identifier", t("Identifier or pseudonym")),
            controls.button(t("Show"), state.look, primary=True),
            html(f'<p class="wb-help">{escape(t("Each look is written into the access log."))}</p>'),
        ]
    ).add_class("wb-tight")
    offered = ipywidgets.VBox(
        [
            html(f'<p class="wb-help">{escape(t("Or begin with somebody:"))}</p>'),
            controls.button(t("Like many who came back"), lambda: state.try_one("typical")),
            controls.button(t("With the most orders"), lambda: state.try_one("most")),
            controls.button(t("Bought often, but long ago"), lambda: state.try_one("away")),
        ]
    ).add_class("wb-tight")
    return [
        who,
        *([] if state.project.in_place else [offered]),
        controls.whole(state, "horizon_weeks", t("How far ahead (weeks)"), 1, 520),
        controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
        _help(t),
    ]


def _help(t: Texts) -> ipywidgets.Widget:
    identifier = t(
        "As your shop’s own systems have it, such as a customer number. It is turned into the pseudonym,"
        " which takes its place, and is not kept."
    )
    return controls.meanings(
        t,
        [
            (t("Identifier or pseudonym"), identifier),
            (t("How far ahead (weeks)"), t("Counted from the last day on which anybody ordered.")),
            (t("Level of the intervals"), t("How likely it is that an interval holds the true value.")),
        ],
    )


class _Customer(ipywidgets.VBox):
    """What is known of a customer; another one takes its place part by part."""

    def __init__(self, state: CustomerState, t: Texts) -> None:
        self._state = state
        self._words = _Words(t, state.project.settings.timezone)
        self._sentence, self._figures, self._standing = html(""), html(""), html("")
        self._agreed, self._checks, self._attributes = html(""), html(""), html("")
        self._picture, self._tables = _Picture(), ipywidgets.VBox().add_class("wb-tight")
        self._happened = LongTable(t)
        self._history = Fold(title=t("All that was said about consent"))
        self._sensitive = Fold()
        self._details = Fold(title=t("Details: how this is computed"), kind="wb-details")
        self._of_tables: dict[str, LongTable] = {}
        super().__init__(
            [
                *(self._sentence, self._figures, self._checks),
                *(ipywidgets.Box([self._picture]).add_class("wb-pictures"), self._happened),
                *(self._standing, self._agreed, self._history, self._attributes, self._sensitive),
                *(self._tables, self._details),
            ],
            layout=ipywidgets.Layout(width="100%"),
        )
        self.add_class("wb-record")
        state.observe(lambda _: self._write(), "shown")
        self._write()

    def _write(self) -> None:
        found, words = self._state.shown, self._words
        t = words.t
        if found is None:
            hint = t(
                "Type an identifier, or begin with one of the customers that are offered: you see what"
                " happened, whether they are still a customer, and what is to be expected of them."
            )
            if self._state.project.in_place:
                hint = t(
                    "Type an identifier as the database has it: you see what happened, whether they are still"
                    " a customer, and what is to be expected of them. Nobody is offered, since identifiers"
                    " are never taken out of the database."
                )
            self._sentence.value = f"<p>{escape(hint)}</p>"
            for widget in (self._figures, self._standing, self._agreed, self._checks, self._attributes):
                widget.value = ""
            for fold in (self._history, self._sensitive, self._details):
                fold.content = ""
            self._happened.show("", ())
            self._tables.children = []
            self._picture.show(None, t)
            return
        self._sentence.value = words.sentence(found)
        self._figures.value = words.figures(found)
        self._picture.show(found, t)
        newest_first = {t("When"): range(len(found.marks), 0, -1)}
        title = t("What happened, as a table")
        self._happened.show(title, timeline.rows(found, t), values=newest_first)
        self._standing.value = words.standing(found)
        self._agreed.value = words.agreements(found)
        self._history.content = table(words.statements(found))
        doubts = [one for one in found.checks if one.status != "ok"]
        self._checks.value = checks(doubts, t) if doubts else ""
        plain = [one for one in found.attributes if not one.sensitive]
        private = [one for one in found.attributes if one.sensitive]
        self._attributes.value = words.part(t("What else is known"), words.facts(plain)) if plain else ""
        self._sensitive.title = t("Sensitive facts ({n:count})", n=len(private))
        self._sensitive.content = words.facts(private)
        self._details.content = words.details(found)
        self._show_tables(found)

    def _show_tables(self, found: CustomerView) -> None:
        words, shown = self._words, []
        for name, rows in found.tables.items():
            place = self._of_tables.setdefault(name, LongTable(words.t))
            title = words.t("Visits") if name == "visits" else name
            title = f"{title} ({words.t.count(found.rows.get(name, rows.num_rows))})"
            if rows.num_rows > _ROWS_IN_TABLES:
                title += " – " + words.t("the newest {n:count} are listed", n=_ROWS_IN_TABLES)
            listed = rows.slice(0, _ROWS_IN_TABLES)
            place.show(title, words.rows(listed), values=_values(listed))
            shown.append(place)
        self._tables.children = shown


class _Picture(ipywidgets.VBox):
    """The line of time between its title and its caption."""

    def __init__(self) -> None:
        self._title, self._caption = html(""), html("")
        self._chart = show(None, "")
        super().__init__([self._title, self._chart, self._caption])
        self.add_class("wb-picture").add_class("wb-wide")

    def show(self, found: CustomerView | None, t: Texts) -> None:
        drawn = None if found is None else timeline.picture(found, t)
        self.layout.display = "none" if drawn is None else ""
        if drawn is not None:
            self._title.value = f'<h2 class="wb-part">{escape(drawn.title)}</h2>'
            self._chart.description, self._chart.chart = drawn.description, drawn.chart
            self._caption.value = f'<p class="wb-help">{escape(drawn.caption)}</p>' if drawn.caption else ""


class _Words:
    """A customer as markup.

    Args:
        t: The reader's language.
        timezone: Times in tables are put on this clock.
    """

    def __init__(self, t: Texts, timezone: str) -> None:
        self.t = t
        self._zone = ZoneInfo(timezone)

    def part(self, title: str, content: str) -> str:
        return f'<h2 class="wb-part">{escape(title)}</h2>{content}'

    def sentence(self, found: CustomerView) -> str:
        t = self.t
        name = t("Pseudonym {pseudonym}", pseudonym=found.pseudonym) if found.pseudonym else ""
        quiet = f'<p class="wb-help">{escape(name)}</p>' if name else ""
        return f'<p class="wb-sentence" role="status">{_unbroken(t(found.sentence))}</p>{quiet}'

    # --- the numbers ------------------------------------------------------------------------------------

    def figures(self, found: CustomerView) -> str:
        """Whether they are still there, what they will bring, how they score."""
        cells = "".join(
            f'<div class="wb-figure"><span class="wb-label">{_unbroken(one.label)}</span>'
            f'<span class="wb-value">{_unbroken(one.value)}</span>'
            f'<span class="wb-detail">{_unbroken(one.detail)}</span></div>'
            for one in self._numbers(found)
        )
        return f'<div class="wb-figures">{cells}</div>' if cells else ""

    def _numbers(self, found: CustomerView) -> list[Figure]:
        t, numbers = self.t, []
        if (outlook := found.outlook) is not None:
            alive = between(t, outlook.alive.interval, outlook.level, t.percent)
            numbers.append(Figure(t("Still a customer"), t.percent(outlook.alive.mean), alive))
            label = t("Expected in the next {weeks:count} weeks", weeks=outlook.weeks)
            expected, write = (
                (outlook.purchases, t.number) if outlook.money is None else (outlook.money, t.money)
            )
            numbers.append(Figure(label, write(expected.mean), self._spread(expected, outlook.level, write)))
        if (standing := found.standing) is not None:
            share = standing.alike / standing.customers
            detail = t(
                "recency, frequency and money, each from 1 to 5; {share:percent} of customers have the same",
                share=share,
            )
            numbers.append(Figure(t("RFM cell"), " · ".join(map(str, standing.cell)), detail))
        return numbers

    def _spread(self, expected: Expected, level: float, write: Any) -> str:
        """Where the expectation lies, and where what this one will do."""
        t = self.t
        said = between(t, expected.interval, level, write)
        if expected.alone is None:
            return said
        low, high = expected.alone
        alone = t("this one alone: {low} to {high}", low=write(low), high=write(high))
        if not high:
            alone = t("this one alone: most likely nothing")
        elif not low:
            alone = t("this one alone: up to {high}, perhaps nothing", high=write(high))
        return t("{expectation} on average over such customers; {alone}", expectation=said, alone=alone)

    def standing(self, found: CustomerView) -> str:
        t, standing, bought = self.t, found.standing, found.bought
        if standing is None or bought is None:
            return ""
        values = {
            t("Recency"): t(
                "last purchase {n:count} days before the last order of anybody", n=bought.recency
            ),
            t("Frequency"): t("days with a purchase: {n:count}", n=bought.frequency),
            t("Money"): t("{money:money} spent", money=bought.money),
        }
        rows = "".join(
            f'<tr><th scope="row">{escape(name)}</th><td class="wb-said">{escape(value)}</td>'
            f'<td><span class="wb-score" aria-hidden="true">{"●" * score}{"○" * (rfm.FIFTHS - score)}</span> '
            f"{escape(t('{score} of 5', score=score))}</td></tr>"
            for (name, value), score in zip(values.items(), standing.cell, strict=True)
        )
        rule = t(
            "5: at least four fifths of them do worse; 1: fewer than one fifth do. Equal customers have equal"
            " scores."
        )
        return self.part(
            t("Compared with all {n:count} customers who bought", n=standing.customers),
            f'<table class="wb-cards wb-scores"><tbody>{rows}</tbody></table>'
            f'<p class="wb-help">{escape(rule)}</p>',
        )

    # --- consents and facts -----------------------------------------------------------------------------

    def agreements(self, found: CustomerView) -> str:
        t = self.t
        title = t("What they agreed to")
        if not found.agreements:
            nothing = t("Nothing is recorded of what this customer agreed to.")
            return self.part(title, f"<p>{escape(nothing)}</p>")
        items = []
        for one in found.agreements:
            word = t("agrees") if one.granted else t("does not agree")
            if one.since:
                word = t("{word} since {day:date}", word=word, day=one.since.date())
            sign, kind = ("✓", "wb-ok") if one.granted else ("✕", "wb-none")
            items.append(
                f'<li class="{kind}"><span class="wb-sign" aria-hidden="true">{sign}</span>'
                f"<strong>{escape(one.purpose)}</strong> <span>{escape(word)}</span></li>"
            )
        return self.part(title, f'<ul class="wb-list">{"".join(items)}</ul>')

    def statements(self, found: CustomerView) -> list[Row]:
        t = self.t
        return [
            {
                t("When"): self._moment(said.at) if said.at else t("not known"),
                t("Purpose"): one.purpose,
                t("Said"): t("yes") if said.granted else t("no"),
                t("Source"): said.source or "–",
            }
            for one in found.agreements
            for said in reversed(one.statements)
        ]

    def facts(self, attributes: Sequence[Attribute]) -> str:
        rows = "".join(
            f"<dt>{escape(one.name)}</dt><dd>{escape(self._cell(one.value))}</dd>" for one in attributes
        )
        return f"<dl>{rows}</dl>" if rows else ""

    # --- tables and details -----------------------------------------------------------------------------

    def rows(self, found: pa.Table) -> list[Row]:
        return [{name: self._cell(value) for name, value in row.items()} for row in found.to_pylist()]

    def details(self, found: CustomerView) -> str:
        t = self.t
        items = [
            (
                t("Still a customer"),
                t(
                    "The probability that they will buy again at all, by MBG/NBD from when and how often"
                    " everybody bought. It knows nothing of visits, messages or surveys."
                ),
            ),
            (
                t("Expected"),
                t(
                    "Days with a purchase times the money of each (Gamma-Gamma), for each draw of the"
                    " posterior; neither discounted nor less costs. The first interval is what is not known"
                    " of customers with this history; the second holds what chance does to a single one as"
                    " well."
                ),
            ),
            (
                t("RFM cell"),
                t(
                    "Recency counts days since the last purchase, frequency days with a purchase, money all"
                    " orders less what was given back. A score is 1 plus the fifths of customers that are"
                    " strictly worse."
                ),
            ),
            (t("Visits"), t("As the events name them; else until nothing happens for half an hour.")),
            (
                t("Last seen"),
                t("By a visit, an order, a click, an answer; mail programs open messages by themselves."),
            ),
            (t("Times"), t("On the clock of {zone}.", zone=self._zone.key)),
        ]
        fine = [t(one.detail) for one in found.checks if one.status == "ok"]
        items += [(t("What we checked"), " ".join(fine))] if fine else []
        terms = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in items)
        code = f'project.customer("{found.pseudonym}")' if found.pseudonym else "project.customer(…)"
        return f'<dl>{terms}</dl><pre tabindex="0"><code>{escape(code)}</code></pre>'

    def _cell(self, value: Any) -> str:
        t = self.t
        if value is None:
            return "–"
        if isinstance(value, bool):
            return t("yes") if value else t("no")
        if isinstance(value, datetime):
            return self._moment(value.replace(tzinfo=UTC).astimezone(self._zone))
        if isinstance(value, date):
            return t.date(value)
        if isinstance(value, int | float):
            return t.plain(value)
        return str(value)

    def _moment(self, at: datetime) -> str:
        return f"{self.t.date(at.date())}, {at:%H:%M}"


def _values(rows: pa.Table) -> dict[str, list[Any]]:
    """What columns of numbers, times and days are sorted by."""
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_temporal)
    return {
        name: column.to_pylist()
        for name, column in zip(rows.column_names, rows.columns, strict=True)
        if any(is_kind(column.type) for is_kind in kinds)
    }


def _unbroken(text: str) -> str:
    """Escaped, and no line begins with a per-cent sign."""
    return escape(text).replace(" %", "&nbsp;%")
