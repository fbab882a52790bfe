"""The widgets of what stands beside a lifetime value: each part with a sentence, pictures and a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

from workbench.analyses.estimates import Needs
from workbench.analyses.value_ages import Month, Numbered
from workbench.analyses.value_beside import Spread, ValueBeside
from workbench.analyses.value_products import FIRST_ORDERS, Products
from workbench.analyses.value_rise import Rise
from workbench.analyses.value_sources import Keeping, ReferralValue, WordOfMouth
from workbench.charts import value_beside as charts
from workbench.charts import value_groups
from workbench.charts.picture import Picture
from workbench.charts.value_beside import range_in_words
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.result import Pictures, association_label, html, table, unbroken
from workbench.report import Row, group_name, value_definition
from workbench.screens import controls
from workbench.screens.frame import columns
from workbench.screens.value_beside import ValueBesideState


def view(state: ValueBesideState, t: Texts) -> ipywidgets.Widget:
    """The parts, under what they need to be told."""
    asked = [
        controls.percent(state, "credited", t("Credit of a referral (% of the value)"), 0, 100, 5),
        controls.bind(
            state,
            "treatment_cost",
            ipywidgets.BoundedFloatText(
                min=0,
                max=1e12,
                step=0.1,
                description=t("Cost of the treatment, a customer ({currency})", currency=t.currency),
                layout=controls.full(),
            ),
        ),
        _help(t),
    ]
    return columns(state, asked, [_Answer(state, t)], t)


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("Credit of a referral (% of the value)"),
                t("How much of a referred customer’s value you put down to whoever brought them."),
            ),
            (
                t("Cost of the treatment, a customer"),
                t("What the variant of an experiment costs for each customer who gets it."),
            ),
        ],
    )


class _Answer(ipywidgets.VBox):
    """All parts; another answer takes their place part by part."""

    def __init__(self, state: ValueBesideState, t: Texts) -> None:
        self._t = t
        self._defined = html("")
        names = {
            "spread": t("How unevenly value is spread"),
            "numbers": t("Orders and customers’ age"),
            "rise": t("How orders grow with customers’ age"),
            "months": t("Loyal customers and new ones"),
            "breadth": t("Categories tried"),
            "recommended": t("Orders with a recommended product"),
            "sources": t("Word of mouth"),
            "referrals": t("What referrals add"),
            "keeping": t("Winning a customer and keeping one"),
        }
        self._parts = {name: _Part(title, t) for name, title in names.items()}
        super().__init__([self._defined, *self._parts.values()], layout=controls.full())

        def write(_change: object = None) -> None:
            self.layout.display = "" if state.found is not None else "none"
            if state.found is not None:
                self._show(state.found)

        write()
        state.observe(write, "found")

    def _show(self, found: ValueBeside) -> None:
        t = self._t
        self._defined.value = f'<p class="wb-help">{unbroken(t(value_definition(found.settings)))}</p>'
        show = {
            "spread": lambda one: _spread(one, t),
            "numbers": lambda one: _numbers(one, t),
            "rise": lambda one: _rise(one, t),
            "months": lambda one: _months(one, found, t),
            "breadth": lambda one: _breadth(one, t),
            "recommended": lambda one: _recommended(one, t),
            "sources": lambda one: _sources(one, t),
            "referrals": lambda one: _referrals(one, t),
            "keeping": lambda one: _keeping(one, t),
        }
        for name, part in self._parts.items():
            one = getattr(found, name)
            part.show(*((t(one.sentence),) if isinstance(one, Needs) else show[name](one)))


type Shown = tuple[str, Sequence[Picture], Sequence[Row]]
"""A sentence, pictures and the rows of a table."""


class _Part(ipywidgets.VBox):
    """A title, a sentence, pictures and a table behind a line."""

    def __init__(self, title: str, t: Texts) -> None:
        self._title, self._t = title, t
        self._text = html("")
        self._pictures = Pictures()
        self._table = Fold()
        super().__init__([self._text, self._pictures, self._table], layout=controls.full())

    def show(self, sentence: str, pictures: Sequence[Picture] = (), rows: Sequence[Row] = ()) -> None:
        """Put this in the place of what was there."""
        head = f'<h2 class="wb-part">{unbroken(self._title)}</h2>'
        paragraphs = "".join(
            line if line.startswith("<p") else f"<p>{unbroken(line)}</p>" for line in sentence.split("\n")
        )
        self._text.value = head + paragraphs
        self._pictures.show(pictures)
        self._table.title, self._table.content = self._t("The numbers as a table"), table(rows)


def _spread(one: Spread, t: Texts) -> Shown:
    sentence = t(
        "The {n:count} customers there are will bring {total} within the horizon; the top tenth of them "
        "holds {share}, and {half} of them hold half.",
        n=one.customers,
        total=range_in_words(one.total, t.money, t),
        share=range_in_words(one.tenths[0].share, t.percent, t),
        half=range_in_words(one.half, t.percent, t),
    )
    if one.negative:
        sentence += " " + t(
            "{share:percent} of them are expected to cost more than they bring.", share=one.negative
        )
    note = t(
        "Put in order by what is expected of each, given how often, how recently and how much they bought; "
        "service costs are left out."
    )
    return f"{sentence}\n{note}", [charts.tenths(one, t)], charts.tenth_rows(one, t)


def _numbers(found: list[Numbered], t: Texts) -> Shown:
    last = next((one for one in reversed(found) if one.number <= 5), found[-1])
    values = {
        "number": last.number,
        "n": last.customers,
        "rise": range_in_words(last.rise, t.signed_money, t),
    }
    if last.rise.low > 0:
        sentence = t(
            "Orders grow with age: the {n:count} customers with {number:count} purchases spent {rise} more "
            "on that one than on their own first.",
            **values,
        )
    elif last.rise.high < 0:
        sentence = t(
            "Orders shrink with age: the {n:count} customers with {number:count} purchases changed by {rise} "
            "from their own first one to that.",
            **values,
        )
    else:
        sentence = t(
            "Orders do not clearly grow with age: the {n:count} customers with {number:count} purchases "
            "changed by {rise} from their own first one to that.",
            **values,
        )
    mix = last.first.value - found[0].first.value
    sentence += " " + t(
        "Who stays makes {mix} of the gap to everybody’s first purchase.", mix=t.signed_money(mix)
    )
    return sentence, [charts.numbers(found, t)], charts.number_rows(found, t)


def _rise(one: Rise, t: Texts) -> Shown:
    rise = range_in_words(one.typical, t.signed_percent, t)
    sentence = t("For each year of age, the orders of the same customers change by {rise}.", rise=rise)
    if len(one.groups) > 1:
        sentence = t(
            "For each year of age, the orders of the same customers change by {rise} in a typical group; "
            "between groups that differs by {spread:percent} (standard deviation).",
            rise=rise,
            spread=one.spread,
        )
    note = t(
        "Over all orders at once it looks like {crude:signed_percent}: {within:signed_percent} within the "
        "same customers, {mix:signed_percent} since other customers are left.",
        crude=one.crude,
        within=one.within,
        mix=one.crude - one.within,
    )
    return f"{sentence}\n{note}", [value_groups.rises(one, t)], value_groups.rise_rows(one, t)


def _months(found: list[Month], whole: ValueBeside, t: Texts) -> Shown:
    first, last = found[0], found[-1]
    sentence = t(
        "In month {month:count} a customer who still bought left {buyer}, but only {share:percent} of those "
        "acquired did; of all who were acquired, gone or not, one left {acquired}. In the first month it was "
        "{first}.",
        month=last.month + 1,
        buyer=range_in_words(last.of_buyers, t.money, t),
        share=last.buying,
        acquired=range_in_words(last.of_acquired, t.money, t),
        first=range_in_words(first.of_acquired, t.money, t),
    )
    net = whole.settings.acquisition_cost is not None
    return (
        sentence,
        [charts.months(found, t), charts.to_date(found, t, net=net)],
        charts.month_rows(found, t),
    )


def _breadth(one: Products, t: Texts) -> Shown:
    title = t("Categories in the first {n:count} orders", n=FIRST_ORDERS)
    return _by_group(one, title, t("Distinct categories"), t)


def _recommended(one: Products, t: Texts) -> Shown:
    title = t("Orders a month with a recommended product")
    return _by_group(one, title, t("Orders a month, of an exposed customer"), t)


def _by_group(one: Products, title: str, axis: str, t: Texts) -> Shown:
    association = one.experiment is not None and one.word == "association"
    lines = [association_label(t)] if association else []
    for group in one.groups:
        value = range_in_words(group.value, t.number, t)
        name = group_name(group.group, t)
        if group.better is None:
            lines.append(t("{group}: {value}.", group=name, value=value))
        else:
            lines.append(
                t(
                    "{group}: {value}, with {p:percent} above the control.",
                    group=name,
                    value=value,
                    p=group.better,
                )
            )
    if len(one.groups) < 2:
        return "\n".join(lines), [], []
    picture = charts.grouped(one.groups, title, axis, t, association=association)
    return "\n".join(lines), [picture], charts.group_rows(one.groups, t)


def _sources(one: WordOfMouth, t: Texts) -> Shown:
    sentence = t(
        "{share} of the new customers came from organic or referral.",
        share=range_in_words(one.share, t.percent, t),
    )
    if one.referred is not None and one.bought is not None:
        sentence += " " + t(
            "Of {n:count} people whom customers referred, {share} have bought. Whether they would have come "
            "anyway is not known.",
            n=one.referred,
            share=range_in_words(one.bought, t.percent, t),
        )
    return sentence, [charts.sources(one.months, t)], charts.source_rows(one.months, t)


def _referrals(one: ReferralValue, t: Texts) -> Shown:
    sentence = t(
        "{referrers:count} customers brought {brought:count} others who bought; with {credit:whole_percent} "
        "of their value credited, referrals add {value} to the value of a customer.",
        referrers=one.referrers,
        brought=one.brought,
        credit=one.credited,
        value=range_in_words(one.for_each, t.money, t),
    )
    note = t(
        "First level only. Do not add it up over customers: those who were brought have that value already."
    )
    if one.twice:
        note += " " + t("{n:count} were claimed by more than one and count for the first.", n=one.twice)
    return f"{sentence}\n{note}", [], []


def _keeping(one: Keeping, t: Texts) -> Shown:
    values: dict[str, Any] = {
        "arm": one.arm,
        "control": one.control,
        "weeks": one.weeks,
        "kept": range_in_words(one.kept, t.percent, t),
    }
    if one.cost_of_keeping is None or one.ratio is None:
        return (
            t(
                "It is not clear that “{arm}” keeps more customers than “{control}”: after {weeks:count} "
                "weeks "
                "{kept} more are customers still, so that nothing can be said of what keeping one costs.",
                **values,
            ),
            [],
            [],
        )
    return (
        t(
            "After {weeks:count} weeks “{arm}” has kept {kept} more of its customers than “{control}”; one "
            "more kept costs {cost}, and winning one costs {ratio} times that.",
            **values,
            cost=range_in_words(one.cost_of_keeping, t.money, t),
            ratio=range_in_words(one.ratio, t.number, t),
        ),
        [],
        [],
    )
