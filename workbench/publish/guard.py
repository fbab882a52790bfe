"""A word when the page no longer reaches the Python behind it, since its controls then do nothing."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from workbench.locale import Texts


class ConnectionGuard(anywidget.AnyWidget):
    """One on each page, anywhere on it; it is not seen until there is something to say.

    On a published page it asks Python for a sign of life every ten seconds. JupyterLab shows by itself
    whether a kernel is busy; there it only says when the kernel has stopped.
    """

    _esm = """
    const EVERY = 10_000; // ms between two questions
    const PATIENCE = 60_000; // ms without an answer: Python may be computing that long

    function render({ model, el }) {
      const published = document.body.dataset.voila !== undefined;
      let lost = false;
      let answered = Date.now();
      el.classList.add("wb-lost");
      el.setAttribute("role", "alert"); // what is put into it is read out

      function say(text) {
        if (el.textContent === text) return;
        const sentence = document.createElement("p");
        sentence.className = "wb-error";
        sentence.textContent = text;
        el.replaceChildren(...(text ? [sentence] : []));
      }
      function lose() {
        lost = true;
        say(model.get(published ? "lost_page" : "lost_notebook"));
      }
      function ask() {
        if (lost) return;
        try {
          model.send({});
        } catch {
          return lose();
        }
        if (Date.now() - answered > PATIENCE) say(model.get("slow"));
      }
      model.on("msg:custom", () => {
        answered = Date.now();
        if (!lost) say("");
      });
      model.on("comm_live_update", lose);
      const timer = published ? setInterval(ask, EVERY) : undefined;
      return () => clearInterval(timer);
    }
    export default { render };
    """
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

    def _answer(self, _widget: Any, _question: Any, _buffers: Any) -> None:
        self.send({})
