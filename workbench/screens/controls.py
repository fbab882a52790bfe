"""Widgets bound to a state: each has a visible label, its unit in it, and follows the state both ways.

A control writes a value when a person changes it, and takes the state's when the state does; while it takes
one it writes none, so that one change is one computation.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from html import escape
from typing import Any

import ipywidgets
from traitlets import HasTraits

from workbench.analyses.experiment import SEGMENTS
from workbench.locale import Texts
from workbench.project import Project
from workbench.publish.fold import Fold
from workbench.publish.slider import Slider
from workbench.screens.ticking import Ticks
from workbench.team import Right

Option = tuple[str, Hashable]


def full() -> ipywidgets.Layout:
    """As wide as its place; a layout of its own, so that one control can be hidden alone."""
    return ipywidgets.Layout(width="100%")


def bind(state: HasTraits, name: str, widget: Any, *, scale: float = 1.0) -> Any:
    """Keep `widget.value` and the state's `name` the same; the widget shows it times `scale`."""
    taking = False

    def take(_change: Any = None) -> None:
        nonlocal taking
        taking = True
        try:
            value = getattr(state, name)
            widget.value = value if scale == 1.0 else round(value * scale, 6)
        finally:
            taking = False

    def write(change: Any) -> None:
        if not taking:
            setattr(state, name, change.new if scale == 1.0 else change.new / scale)

    take()
    state.observe(take, name)
    widget.observe(write, "value")
    return widget


def choice(
    state: HasTraits, name: str, label: str, options: Callable[[], Sequence[Option]], *, follows: str = ""
) -> ipywidgets.Dropdown:
    """A pick-list; its options are made again when the state's trait `follows` changes."""
    widget = ipywidgets.Dropdown(description=label, layout=full())
    offered: list[Option] = []
    taking = False

    def take(_change: Any = None) -> None:
        nonlocal taking
        taking = True
        try:
            wanted = list(options())
            if wanted != offered:
                offered[:] = wanted
                widget.options = [text for text, _ in wanted]
            values = [value for _, value in wanted]
            value = getattr(state, name)
            widget.index = values.index(value) if value in values else None
        finally:
            taking = False

    def write(change: Any) -> None:
        # by its place and not by its value: to a pick-list the value None is no choice at all
        if not taking and change.new is not None:
            setattr(state, name, offered[change.new][1])

    take()
    state.observe(take, [name, follows] if follows else name)
    widget.observe(write, "index")
    return widget


def whole(state: HasTraits, name: str, label: str, low: int, high: int) -> ipywidgets.BoundedIntText:
    """A whole number between two ends."""
    return bind(state, name, ipywidgets.BoundedIntText(min=low, max=high, description=label, layout=full()))


def percent(
    state: HasTraits, name: str, label: str, low: float, high: float, step: float
) -> ipywidgets.BoundedFloatText:
    """A share, shown in per cent."""
    widget = ipywidgets.BoundedFloatText(min=low, max=high, step=step, description=label, layout=full())
    return bind(state, name, widget, scale=100.0)


def slider(
    state: HasTraits,
    name: str,
    label: str,
    low: float,
    high: float,
    step: float,
    t: Texts,
    *,
    scale: float = 1.0,
) -> Slider:
    """A number that is dragged; it is taken when it is let go."""
    digits = 0 if step >= 1 else 1 if step >= 0.1 else 2
    widget = Slider(min=low, max=high, step=step, digits=digits, description=label, language=t.language)
    return bind(state, name, widget, scale=scale)


def text(state: HasTraits, name: str, label: str, *, example: str = "", live: bool = False) -> Any:
    """One line of text; `live` writes at each letter."""
    widget = ipywidgets.Text(description=label, placeholder=example, continuous_update=live, layout=full())
    return bind(state, name, widget)


def lines(state: HasTraits, name: str, label: str, *, example: str = "", rows: int = 3) -> Any:
    """Several lines of text, written at each letter."""
    return bind(
        state, name, ipywidgets.Textarea(description=label, placeholder=example, rows=rows, layout=full())
    )


def several(
    state: HasTraits,
    name: str,
    label: str,
    options: Callable[[], Sequence[tuple[str, str]]],
    *,
    follows: str = "",
) -> Ticks:
    """Any number of a list; its options are made again when the state's trait `follows` changes."""
    widget = Ticks(description=label)
    taking = False

    def take(_change: Any = None) -> None:
        nonlocal taking
        taking = True
        try:
            texts = {value: text for text, value in options()}
            widget.options = [[text, ""] for text in texts.values()]
            widget.value = [texts[value] for value in getattr(state, name) if value in texts]
        finally:
            taking = False

    def write(change: Any) -> None:
        if not taking:
            values = dict(options())
            setattr(state, name, [values[text] for text in change.new])

    take()
    state.observe(take, [name, follows] if follows else name)
    widget.observe(write, "value")
    return widget


def tick(state: HasTraits, name: str, label: str) -> ipywidgets.Checkbox:
    """Yes or no."""
    return bind(state, name, ipywidgets.Checkbox(description=label, indent=False, layout=full()))


def button(label: str, action: Callable[[], None], *, primary: bool = False) -> ipywidgets.Button:
    """A button that does one thing."""
    widget = ipywidgets.Button(description=label, button_style="primary" if primary else "")
    widget.on_click(lambda _button: action())
    return widget


def allowed(widget: ipywidgets.Button, project: Project, right: Right, t: Texts) -> ipywidgets.Widget:
    """A button; with the reason below it, and nothing that it does, for whom the team does not let do it."""
    why = project.team.refusal(right)
    if why is None:
        return widget
    reason = ipywidgets.HTML(f'<p class="wb-help">{escape(t(why))}</p>', layout=full())
    box = ipywidgets.VBox([only(widget, project, right, t), reason]).add_class("wb-tight")

    def follow(_change: object = None) -> None:
        box.layout.display = widget.layout.display

    follow()
    widget.layout.observe(follow, "display")
    return box


def only(widget: ipywidgets.Button, project: Project, right: Right, t: Texts) -> ipywidgets.Button:
    """The same where the reason is in sight already: it is the button's tooltip."""
    why = project.team.refusal(right)
    if why is not None:

        def stay(_change: object = None) -> None:
            widget.disabled = True

        widget.tooltip = t(why)
        stay()
        widget.observe(stay, "disabled")
    return widget


def keep(state: Any, t: Texts) -> ipywidgets.Widget:
    """The button that keeps the state's record; it says when that is done."""
    widget = button("", state.keep, primary=True)

    def show(_change: object = None) -> None:
        widget.disabled = state.kept
        widget.description = t("Kept") if state.kept else t("Keep this result")
        widget.layout.display = "" if state.record is not None else "none"

    show()
    state.observe(show, ["kept", "record"])
    return allowed(widget, state.project, "keep", t)


def more(t: Texts, widgets: Sequence[ipywidgets.Widget]) -> ipywidgets.VBox:
    """Controls that are out of sight until they are asked for."""
    inside = ipywidgets.VBox(list(widgets), layout=ipywidgets.Layout(display="none"))
    switch = ipywidgets.ToggleButton(description=t("More settings")).add_class("wb-more")

    def turn(change: Any) -> None:
        inside.layout.display = "" if change.new else "none"
        switch.description = t("Fewer settings") if change.new else t("More settings")

    switch.observe(turn, "value")
    return ipywidgets.VBox([switch, inside])


def meanings(t: Texts, items: Sequence[tuple[str, str]]) -> Fold:
    """One line of help for each control, behind one line."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in items)
    return Fold(title=t("What do these mean?"), content=f"<dl>{rows}</dl>", kind="wb-folded wb-meanings")


def split_options(names: Sequence[str], t: Texts) -> list[Option]:
    """What a result may be split by."""
    return [
        (t("nothing: everybody together"), None),
        *((t("all saved segments") if name == SEGMENTS else name, name) for name in names),
    ]


def assignments(t: Texts) -> list[Option]:
    """How people may have come into their groups."""
    return [
        (t("as the data say"), None),
        (t("at random"), "random"),
        (t("at random, with shares that moved"), "adaptive"),
        (t("by a rule"), "rule"),
        (t("people chose, or did something"), "self"),
        (t("not known"), "unknown"),
    ]


def of_arms(state: Any, t: Texts) -> list[ipywidgets.Widget]:
    """What is asked of every comparison of arms: groups, the arm to speak of, its assignment, the level."""
    return [
        choice(state, "by", t("Split by"), lambda: split_options(state.groups, t), follows="groups"),
        choice(
            state,
            "arm",
            t("Arm to speak of"),
            lambda: [(t("the likeliest best"), None), *((arm, arm) for arm in state.arms)],
            follows="arms",
        ),
        choice(state, "assignment", t("How people came into their arm"), lambda: assignments(t)),
        choice(state, "level", t("Level of the intervals"), lambda: levels(t)),
    ]


def levels(t: Texts) -> list[Option]:
    """Probabilities of intervals to pick from."""
    return [(t.whole_percent(level), level) for level in (0.8, 0.9, 0.95, 0.99)]
