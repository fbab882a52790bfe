"""The widgets for one person's data, and for who looked at people's data."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import ipywidgets

from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.result import html, table
from workbench.screens import controls
from workbench.screens.disclosure import disclosure
from workbench.screens.download import Download
from workbench.screens.frame import messages
from workbench.screens.people import PeopleState
from workbench.screens.work_view import WorkView


def view(state: PeopleState, t: Texts, timezone: str) -> ipywidgets.Widget:
    """What can be asked about one person, out of sight until it is wanted."""
    identifier = controls.text(
        state, "identifier", t("Identifier of the person, as the loaded files have it"), live=True
    ).add_class("wb-short")
    export = Download(state.export, label=t("Download all that is known of them"))
    erase = controls.button(t("Erase them …"), state.ask)
    warning = t("Erasing cannot be undone, and later files leave the person out.")
    sure = html(f'<p class="wb-doubt">{escape(warning)}</p>')
    yes = controls.button(t("Erase for good"), state.erase).add_class("wb-danger")
    no = controls.button(t("Keep them"), state.leave)
    doing = ipywidgets.Box([export, controls.allowed(erase, state.project, "erase", t)]).add_class("wb-doing")
    asking = ipywidgets.VBox([sure, ipywidgets.Box([yes, no]).add_class("wb-doing")]).add_class("wb-tight")

    def show(_change: object = None) -> None:
        asking.layout.display = "" if state.confirming else "none"
        doing.layout.display = "none" if state.confirming else ""
        erase.disabled = not state.identifier.strip()

    show()
    state.observe(show, ["confirming", "identifier"])
    label = t("One person’s data, and who has looked at people’s data")
    told = [messages(state, t), WorkView(state.work, state.stop, t), _log(state, t, timezone)]
    whole = disclosure(label, [identifier, doing, asking, *told])
    whole.children[0].observe(lambda _: state.look(), "value")
    return whole


def _log(state: PeopleState, t: Texts, timezone: str) -> ipywidgets.Widget:
    fold = Fold(title=t("Who did what with people’s data, newest first"))
    zone = ZoneInfo(timezone)
    words = {
        "load": t("loaded"),
        "read": t("read rows"),
        "export": t("exported a person"),
        "erase": t("erased a person"),
        "publish": t("published"),
        "consent purpose": t("changed the purpose"),
    }

    def when(text: str) -> str:
        moment = datetime.fromisoformat(text).astimezone(zone)
        return f"{t.date(moment.date())}, {moment:%H:%M}"

    def write(_change: object = None) -> None:
        rows = [
            {
                t("When"): when(entry.time),
                t("Who"): entry.user,
                t("What"): words[entry.action],
                t("Of it"): _details(entry.details),
            }
            for entry in state.entries
        ]
        fold.content = table(rows) or f"<p>{escape(t('Nothing yet.'))}</p>"

    write()
    state.observe(write, "entries")
    return fold


def _details(details: Any) -> str:
    return "; ".join(
        ", ".join(map(str, value)) if isinstance(value, list) else str(value) for value in details.values()
    )
