"""What every page carries besides its content: the look, and a word when it no longer answers."""

from __future__ import annotations

from importlib import resources
from typing import Any

import anywidget
import traitlets

from workbench.locale import Texts

_LOOK = "jupyter/voila/templates/workbench/static/workbench.css"


class ConnectionGuard(anywidget.AnyWidget):
    """Put one on a page: it brings the page's look, and says when the page has lost its kernel.

    A published page has its look before this arrives; in JupyterLab it comes from here.
    """

    _esm = (resources.files(__package__) / "static" / "guard.js").read_text(encoding="utf-8")
    _css = resources.files("workbench.publish").joinpath(_LOOK).read_text(encoding="utf-8")
    lost_page = traitlets.Unicode().tag(sync=True)
    lost_notebook = traitlets.Unicode().tag(sync=True)
    slow = traitlets.Unicode().tag(sync=True)

    def __init__(self, t: Texts) -> None:
        super().__init__(
            lost_page=t("This page has lost its connection and no longer changes. Load it again."),
            lost_notebook=t("The kernel of this page has stopped. Run the notebook again."),
            slow=t(
                "The page has not answered for a minute. If it is not computing, its connection is lost: "
                "load it again."
            ),
        )
        self.on_msg(self._answer)

    def _answer(self, _: Any, question: Any, buffers: Any) -> None:
        self.send({})
