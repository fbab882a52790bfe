"""The protocol of a design: the form that saves, locks and amends it, and the protocols that there are."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.locale import Texts
from workbench.protocol import Protocols, Version
from workbench.publish.result import html
from workbench.screens import controls
from workbench.screens.cards import part
from workbench.screens.design_controls import metrics
from workbench.screens.frame import messages
from workbench.screens.protocol import ProtocolState


def protocol_part(state: ProtocolState, t: Texts) -> ipywidgets.VBox:
    """What a protocol holds beside the design, its buttons, and all protocols."""
    said = t(
        "Write down what will be done before the data are there. A lock is a mark of the whole plan and of "
        "its time; results then say where they depart from it."
    )
    intro = html(part(t("Protocol"), f"<p>{escape(said)}</p>"))
    parts = [intro, _form(state, t), _buttons(state, t), messages(state, t), _kept(state, t)]
    return ipywidgets.VBox(parts, layout=ipywidgets.Layout(width="100%"))


def _form(state: ProtocolState, t: Texts) -> ipywidgets.Widget:
    start = ipywidgets.DatePicker(description=t("First day"))
    by = controls.several(
        state, "by", t("Splits"), lambda: [(one, one) for one in state.splits], follows="splits"
    )
    by.layout.display = "" if state.splits else "none"
    grid = ipywidgets.Box(
        [
            controls.text(state, "experiment", t("Name of the experiment"), live=True),
            controls.text(state, "arms", t("Arms, the control first"), example="control, new"),
            controls.bind(state, "start", start),
            controls.text(state, "unit", t("What is assigned to an arm")),
            *(
                controls.several(state, name, label, lambda: metrics(state.design, t))
                for name, label in (
                    ("guardrails", t("Guardrails")),
                    ("secondary", t("Secondary")),
                    ("falling", t("Those that should go down")),
                )
            ),
            by,
            controls.lines(
                state, "excluded", t("Days that do not count"), example="2026-11-27 2026-11-30", rows=2
            ),
        ]
    ).add_class("wb-grid")
    because = t("Because … we believe that … for … moves … by …")
    hypothesis = controls.lines(state, "hypothesis", t("Hypothesis"), example=because, rows=2)
    return ipywidgets.VBox([hypothesis, grid])


def _buttons(state: ProtocolState, t: Texts) -> ipywidgets.Widget:
    save = controls.button(t("Save as a draft"), state.save)
    lock = controls.button(t("Save and lock"), state.lock, primary=True)
    reason = controls.text(state, "reason", t("Why it is amended"), live=True)
    amend = controls.button(t("Amend"), state.amend, primary=True)
    open_ones = ipywidgets.Box(
        [controls.only(save, state.project, "plan", t), controls.allowed(lock, state.project, "plan", t)]
    ).add_class("wb-doing")
    shut = ipywidgets.Box([reason, controls.allowed(amend, state.project, "plan", t)]).add_class("wb-beside")

    def turn(_change: object = None) -> None:
        named = bool(state.experiment.strip())
        save.disabled = lock.disabled = not named
        amend.disabled = not state.reason.strip()
        open_ones.layout.display = "none" if state.locked else ""
        shut.layout.display = "" if state.locked else "none"

    turn()
    state.observe(turn, ["experiment", "kept", "reason"])
    return ipywidgets.VBox([open_ones, shut])


def _kept(state: ProtocolState, t: Texts) -> ipywidgets.HTML:
    listed = html("")

    def write(_change: object = None) -> None:
        rows = "".join(_one(versions, t) for versions in state.kept)
        listed.value = f'<ul class="wb-list wb-protocols">{rows}</ul>' if rows else ""

    write()
    state.observe(write, "kept")
    return listed


def _one(versions: tuple[Version, ...], t: Texts) -> str:
    last = versions[-1]
    if last.locked is None:
        said = t("draft of {day:date}", day=last.saved.date())
    elif Protocols.intact(versions):
        said = t("✓ locked on {day:date}, mark {mark}", day=last.locked.date(), mark=(last.sha256 or "")[:16])
    else:
        said = t("✕ changed after it was locked")
    reasons = "".join(
        f"<span>{escape(t('version {n:count}: {reason}', n=one.number, reason=one.reason))}</span>"
        for one in versions[1:]
    )
    return f"<li><strong>{escape(last.protocol.name)}</strong><span>{escape(said)}</span>{reasons}</li>"
