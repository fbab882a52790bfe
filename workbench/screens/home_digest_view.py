"""The widgets of the digest on the home."""

from __future__ import annotations

from html import escape
from typing import Literal

import ipywidgets

from workbench.locale import Texts
from workbench.publish.result import html
from workbench.screens import controls
from workbench.screens.download import Download
from workbench.screens.frame import messages
from workbench.screens.home_digest import DigestState
from workbench.screens.work_view import WorkView


def digest_part(state: DigestState, t: Texts) -> ipywidgets.VBox:
    """What has moved, as a file: from which day on, and the buttons that make it."""
    since = ipywidgets.DatePicker(description=t("Moved since"), layout=controls.full())
    what = t("What has moved: answers then and now, data, checks, pages, plans and alarms, as one file.")
    about = t.sentences([what, t(state.begins)])
    return ipywidgets.VBox(
        [
            html(f'<h3>{escape(t("For the team"))}</h3><p class="wb-help">{escape(about)}</p>'),
            controls.bind(state, "since", since),
            ipywidgets.HBox(
                [
                    _Made(state, "html", t, label=t("Digest as a page")),
                    _Made(state, "pdf", t, label=t("Digest as PDF")),
                ],
                layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="8px"),
            ),
            WorkView(state.work, state.stop, t),
            messages(state, t),
            controls.meanings(
                t,
                [
                    (t("Moved since"), t("The first day that is told of.")),
                    (
                        t("Digest as a page"),
                        t("One file that opens in every browser, in both languages, without a server."),
                    ),
                    (t("Digest as PDF"), t("The same for paper, printed by the browser of this computer.")),
                ],
            ),
        ]
    ).add_class("wb-short")


class _Made(Download):
    """A button whose file is handed over once it is made."""

    def __init__(self, state: DigestState, ending: Literal["html", "pdf"], t: Texts, *, label: str) -> None:
        super().__init__(lambda: None, label=label)
        self._begin = lambda: state.make(ending, t.language, self.hand)

    def _wanted(self, _widget: object, _content: object, _buffers: object) -> None:
        self._begin()
