"""Segments: groups of customers by a rule, checked and counted while it is written."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets
from traitlets import Bool, Dict, Instance, Unicode

from workbench.engines import fetch, has, table
from workbench.errors import RuleError, WorkbenchError
from workbench.locale import Message, Texts, say
from workbench.project import Project
from workbench.publish.fold import Fold
from workbench.publish.result import html
from workbench.screens import controls
from workbench.screens.frame import columns
from workbench.screens.state import ScreenState, groups, last_second
from workbench.screens.tabs import tabs
from workbench.screens.work import Turn
from workbench.segments import check_rule, history_columns, label, sizes

EXAMPLES = (
    'country == "ES" and orders_12m >= 3',
    'device in ["mobile", "tablet"] or revenue > 200',
    "days_since_last_order > 90",
    "source is None",
)
_VALUES = 6
_DRAFT = "new segment"

type _Counted = tuple[dict[str, tuple[str, int, int]], dict[str, list[str]]]


class SegmentState(ScreenState):
    """The project's segments, and one that is being written.

    Attributes:
        name: What the one being written is called.
        rule: Its rule.
        doubt: What is wrong with the rule so far.
        size: How many customers are in it, and of how many there are.
        saved: Rule, customers in it and customers in all, by name.
        values: Frequent values of each column that a rule may name.
        described: Whether there is a table of customers, which rules are about; orders alone have none.
    """

    name = Unicode("")
    rule = Unicode("")
    doubt = Instance(Message, allow_none=True)
    size = Instance(tuple, allow_none=True)
    saved = Dict()
    values = Dict()
    described = Bool(False)

    def __init__(self, project: Project) -> None:
        self._stale = True
        super().__init__(project)
        self.observe(lambda _: self._check(), "rule")
        self.answer()

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        self.described = has(engine, "customers")
        there = self.described or has(engine, "orders")
        self.missing = None if there else say("There are no customers in this project yet.")
        self._stale = True

    def answer(self) -> None:
        """Count the rule that is being written, and what is saved where that was not counted yet."""
        rule, name, stale = self.rule, self.name.strip() or _DRAFT, self._stale
        if not self.described or not (stale or rule.strip()):
            self.drop()
            return
        saved = dict(self.project.segments)

        def find(turn: Turn) -> _Counted | None:
            size, doubt = self._size(name, rule) if rule.strip() else (None, None)
            turn.show(lambda: self._show(size, doubt))
            return self._count(saved) if stale else None

        def take(found: _Counted | None) -> None:
            if found is not None:
                self.saved, self.values, self._stale = *found, False

        self.drop()
        self.wait_for(find, take)

    def _check(self) -> None:
        """Count the rule that is being written, or say what is wrong with it."""
        self._show(None, None)
        with self.working():
            self.answer()

    def _show(self, size: tuple[int, int] | None, doubt: Message | None) -> None:
        self.size, self.doubt = size, doubt

    def _size(self, name: str, rule: str) -> tuple[tuple[int, int] | None, Message | None]:
        """How many customers a rule takes, of how many; or what is wrong with it."""
        last = last_second(self.project)
        try:
            check_rule(self.project.engine, name, rule)
            return sizes(self.project.engine, {name: rule}, 0 if last is None else last + 1)[name], None
        except RuleError as error:
            return None, error.message

    def _count(self, saved: dict[str, str]) -> _Counted:
        """The saved segments with their sizes, and the values that a rule may name."""
        engine = self.project.engine
        counted = self.project.segment_sizes() if saved else {}
        customers = table(engine, "customers")
        values: dict[str, list[str]] = {}
        for column in groups(self.project):
            counts = customers.group_by(value=label(customers[column])).aggregate(n=customers.count())
            counts = counts.filter(counts.value.notnull())
            rows = fetch(engine, counts.order_by([counts.n.desc(), counts.value]).limit(_VALUES))
            values[column] = [row["value"] for row in rows]
        return {name: (rule, *counted[name]) for name, rule in saved.items()}, values

    def look_again(self) -> None:
        """Show what was saved elsewhere."""
        with self.working():
            self.refresh()
            self.answer()

    def edit(self, name: str) -> None:
        """Take a saved segment up again."""
        with self.working():
            rule = self.project.segments[name]
            self.name = name
            self.rule = rule
            self.notice = None

    def save(self) -> None:
        """Keep the segment."""
        with self.working():
            name = self.name.strip()
            if not name:
                raise WorkbenchError("Give the segment a name.")
            if not self.rule.strip():
                raise WorkbenchError("Write the segment's rule.")
            self.project.segments[name] = self.rule.strip()
            self.notice = say("“{name}” is saved.", name=name)
            self.name = self.rule = ""
            self.look_again()

    def delete(self, name: str) -> None:
        """Forget a segment; records that used it keep its rule."""
        with self.working():
            del self.project.segments[name]
            self.notice = say("“{name}” is deleted.", name=name)
            self.look_again()


def view(state: SegmentState, t: Texts) -> ipywidgets.Widget:
    """Rules over what is known of customers, and segments by what they bought; each is made when opened."""

    def by_purchases() -> ipywidgets.Widget:
        from workbench.screens.rfm import RfmState
        from workbench.screens.rfm_view import view as rfm_view

        bought = RfmState(state.project)
        bought.observe(lambda _: state.look_again(), "kept")
        return rfm_view(bought, t)

    parts = [(t("By a rule"), lambda: rules(state, t)), (t("By what they bought (RFM)"), by_purchases)]
    return tabs(t("Parts of the screen"), parts, opened=0 if state.described else 1)


def rules(state: SegmentState, t: Texts) -> ipywidgets.Widget:
    """The rule on the left, the saved segments and the columns there are on the right."""
    if not state.described:
        words = t("Rules are about the table of customers, which is not there yet; load a file with one.")
        return html(f'<p class="wb-sentence">{escape(words)}</p>')
    save = controls.button(t("Save"), state.save, primary=True)
    asked = [
        controls.text(state, "name", t("Name"), example=t("loyal")),
        controls.lines(state, "rule", t("Rule"), example=EXAMPLES[0], rows=4),
        _live(state, t),
        controls.allowed(save, state.project, "keep", t),
        _examples(state, t),
        controls.meanings(t, _meanings(t)),
    ]
    return columns(state, asked, [_saved(state, t), _columns(state, t)], t)


def _live(state: SegmentState, t: Texts) -> ipywidgets.HTML:
    """What the rule comes to so far."""
    widget = html("")

    def write(_change: object = None) -> None:
        if state.doubt is not None:
            words, kind = t(state.doubt), "wb-doubt"
        elif state.size is not None:
            inside, everybody = state.size
            share = inside / everybody if everybody else 0.0
            words = t(
                "{n:count} of {everybody:count} customers ({share:percent})",
                n=inside,
                everybody=everybody,
                share=share,
            )
            kind = "wb-fine"
        else:
            words, kind = t("The number of customers appears here while you write."), "wb-help"
        widget.value = f'<p class="{kind}" role="status">{escape(words)}</p>'

    write()
    state.observe(write, ["doubt", "size"])
    return widget


def _examples(state: SegmentState, t: Texts) -> ipywidgets.Widget:
    """Rules to begin with, each taken over by its button."""

    def take(rule: str) -> ipywidgets.Button:
        return controls.button(rule, lambda: setattr(state, "rule", rule)).add_class("wb-code")

    title = html(f'<p class="wb-help">{escape(t("Examples to begin with:"))}</p>')
    return ipywidgets.VBox([title, *(take(rule) for rule in EXAMPLES)]).add_class("wb-examples")


def _saved(state: SegmentState, t: Texts) -> ipywidgets.VBox:
    box = ipywidgets.VBox()
    title = html(f'<h2 class="wb-part">{escape(t("Saved segments"))}</h2>')

    def line(name: str, rule: str, inside: int, everybody: int) -> ipywidgets.Box:
        share = inside / everybody if everybody else 0.0
        size = t(
            "{n:count} of {everybody:count} customers ({share:percent})",
            n=inside,
            everybody=everybody,
            share=share,
        )
        words = html(
            f"<strong>{escape(name)}</strong> <code>{escape(rule)}</code>"
            f'<span class="wb-bar" aria-hidden="true"><span style="width:{share:.1%}"></span></span>'
            f"<span>{escape(size)}</span>"
        ).add_class("wb-segment")
        edit = controls.button(t("Edit"), lambda: state.edit(name))
        delete = controls.button(t("Delete"), lambda: state.delete(name))
        edit.tooltip = t("Edit “{name}”", name=name)
        delete.tooltip = t("Delete “{name}”", name=name)
        controls.only(delete, state.project, "keep", t)
        return ipywidgets.Box([words, edit, delete]).add_class("wb-row")

    def fill(_change: object = None) -> None:
        rows: Sequence[ipywidgets.Widget] = [line(name, *entry) for name, entry in state.saved.items()]
        empty = html(f'<p class="wb-help">{escape(t("None yet: write a rule, or take an example."))}</p>')
        box.children = [title, *(rows or [empty])]

    fill()
    state.observe(fill, "saved")
    return box


def _columns(state: SegmentState, t: Texts) -> Fold:
    """What a rule may name."""
    fold = Fold(title=t("What a rule can name"))

    def write(_change: object = None) -> None:
        rows = "".join(
            f"<dt><code>{escape(name)}</code></dt><dd>{escape(', '.join(values) or '–')}</dd>"
            for name, values in state.values.items()
        )
        history = ", ".join(f"<code>{escape(name)}</code>" for name in history_columns())
        words = t("From the order history; a window is written _12m, _8w or _30d:")
        fold.content = f"<dl>{rows}</dl><p>{escape(words)} {history}</p>"

    write()
    state.observe(write, "values")
    return fold


def _meanings(t: Texts) -> list[tuple[str, str]]:
    return [
        (t("Name"), t("What the group is called in results; not the name of a column.")),
        (
            t("Rule"),
            t("Compares columns with values and joins that with and, or, not, in, is None."),
        ),
        (
            t("Order history"),
            t("In an experiment it ends before the first exposure, so that no segment is an outcome of it."),
        ),
    ]
