"""A word when the page no longer reaches the Python behind it, and the way back to where the reader was.

The page asks Python for a sign of life every ten seconds, and the server when Python is silent, so that it
can say which of them is gone. After each question Python tells where the page's controls stand. The browser
keeps that for this tab; when the reader loads a page again that was lost, it hands it to the new Python,
which sets the controls. Where the reader had scrolled to, and what was unfolded, it puts back by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anywidget
import ipywidgets
import traitlets

from workbench.locale import Texts

_HOLDERS = (ipywidgets.Accordion, ipywidgets.Stack, ipywidgets.Tab)
_KEPT = ("index", "value", "selected_index")
# what is only shown, what is sent to Python, and what nobody should find in a browser
_LEFT_OUT = (
    ipywidgets.HTML,
    ipywidgets.HTMLMath,
    ipywidgets.Label,
    ipywidgets.FloatProgress,
    ipywidgets.IntProgress,
    ipywidgets.FileUpload,
    ipywidgets.Image,
    ipywidgets.Password,
    ipywidgets.Play,
    ipywidgets.Valid,
)


class ConnectionGuard(anywidget.AnyWidget):
    """One on each page, anywhere on it; it is not seen until there is something to say.

    JupyterLab shows by itself whether a kernel is busy; there it only says when the kernel has stopped.

    Args:
        t: The reader's words.
        page: The page whose controls are put back where they were; none are without.
    """

    _esm = """
    const EVERY = 10_000; // ms between two questions
    const PATIENCE = 6_000; // ms without an answer, after which the server is asked
    const COMPUTING = 60_000; // ms without an answer although all are there: said as well
    const ASLEEP = 7_200_000; // ms without a look at the page: Python may stop until the reader is back

    function settings() {
      const place = document.getElementById("jupyter-config-data");
      return place ? JSON.parse(place.textContent) : {};
    }

    function render({ model, el }) {
      const published = document.body.dataset.voila !== undefined;
      const { baseUrl, kernelId } = settings();
      const kept = `workbench ${location.pathname}${location.search}`;
      let lost = false;
      let asked = 0; // when the oldest question was asked that has no answer yet
      let seen = Date.now();
      el.classList.add("wb-lost");
      el.setAttribute("role", "alert"); // what is put into it is read out

      function say(text, button = false) {
        if (el.dataset.said === text) return;
        el.dataset.said = text;
        el.replaceChildren();
        if (!text) return;
        const sentence = document.createElement("p");
        sentence.className = "wb-error";
        sentence.textContent = text;
        if (button) {
          const again = document.createElement("button");
          again.type = "button";
          again.textContent = model.get("again");
          again.addEventListener("click", () => location.reload());
          sentence.append(" ", again);
        }
        el.append(sentence);
      }
      function lose(which) {
        lost = true;
        keep({ lost });
        say(model.get(which), published);
      }
      function keep(change) {
        try {
          const all = { ...JSON.parse(sessionStorage.getItem(kept) ?? "{}"), ...change };
          sessionStorage.setItem(kept, JSON.stringify(all));
        } catch { /* a browser that keeps nothing brings nobody back */ }
      }
      function ask(question = {}) {
        if (lost || (document.hidden && Date.now() - seen > ASLEEP)) return;
        try {
          model.send(question);
        } catch {
          return lose("lost_page");
        }
        asked ||= Date.now();
      }
      async function look() {
        if (lost || !asked || Date.now() - asked < PATIENCE) return;
        let answer;
        try {
          answer = await fetch(`${baseUrl}api/kernels/${kernelId}`, { cache: "no-store" });
        } catch {
          keep({ lost: true }); // whoever loads the page before the server is back
          return say(model.get("unreachable")); // looked at again until it is
        }
        if (answer.status === 403) return lose("closed");
        if (answer.status === 404) return lose("lost_page");
        if (!answer.ok) return say(model.get("unreachable"));
        if (asked && Date.now() - asked > COMPUTING) say(model.get("slow"), true);
        else if (el.dataset.said === model.get("unreachable")) say("");
      }
      model.on("msg:custom", ({ places }) => {
        asked = 0;
        if (!lost) say("");
        if (places && published) keep({ places, lost: false });
      });
      model.on("comm_live_update", () => lose(published ? "lost_page" : "lost_notebook"));
      if (!published) return undefined;

      const before = (() => {
        try { return JSON.parse(sessionStorage.getItem(kept) ?? "{}"); } catch { return {}; }
      })();
      ask(before.lost ? { places: before.places } : {});
      if (before.lost) back(before);

      const stop = new AbortController();
      const on = (name, what) => addEventListener(name, what, { signal: stop.signal, capture: true });
      let soon;
      const later = () => { clearTimeout(soon); soon = setTimeout(ask, 400); };
      for (const name of ["change", "click", "keyup"]) on(name, later);
      on("visibilitychange", () => { seen = Date.now(); });
      on("scroll", () => keep({ top: scrollY }));
      on("toggle", () => keep({ open: folds().map((fold) => fold.open) }));
      const timers = [setInterval(ask, EVERY), setInterval(look, 2_000)];
      return () => { stop.abort(); timers.forEach(clearInterval); };
    }

    const folds = () => [...document.querySelectorAll("details")];

    // The page grows while it is drawn: again and again for some seconds, unless the reader goes elsewhere.
    function back({ top = 0, open = [] }) {
      const stop = new AbortController();
      const leave = () => stop.abort();
      for (const name of ["wheel", "pointerdown", "keydown", "touchstart"]) {
        addEventListener(name, leave, { once: true, signal: stop.signal });
      }
      const end = Date.now() + 8_000;
      const step = () => {
        if (stop.signal.aborted || Date.now() > end) return;
        folds().forEach((fold, index) => { if (open[index] !== undefined) fold.open = open[index]; });
        scrollTo({ top });
        setTimeout(step, 200);
      };
      step();
    }
    export default { render };
    """
    again = traitlets.Unicode().tag(sync=True)
    closed = traitlets.Unicode().tag(sync=True)
    lost_page = traitlets.Unicode().tag(sync=True)
    lost_notebook = traitlets.Unicode().tag(sync=True)
    slow = traitlets.Unicode().tag(sync=True)
    unreachable = traitlets.Unicode().tag(sync=True)

    def __init__(self, t: Texts, page: ipywidgets.Box | None = None) -> None:
        super().__init__(
            again=t("Load it again"),
            closed=t("The link of this page was taken back or made anew; ask for the new one."),
            lost_page=t(
                "This page has lost its connection and no longer changes. Load it again: it opens where you"
                " were."
            ),
            lost_notebook=t("The kernel of this page has stopped. Run the notebook again."),
            slow=t(
                "The page has not answered for a minute. If it is not computing, its connection is lost: "
                "load it again."
            ),
            unreachable=t(
                "The server cannot be reached: it has stopped, or the network is cut. What you see stays as"
                " it is; this goes away once it is back."
            ),
        )
        self._page = page
        self.on_msg(self._answer)

    def _answer(self, _widget: Any, question: dict[str, Any], _buffers: Any) -> None:
        if self._page is None:
            self.send({})
            return
        if isinstance(places := question.get("places"), dict):
            put_back(self._page, places)
        self.send({"places": places_of(self._page)})


def places_of(page: ipywidgets.Widget) -> dict[str, Any]:
    """Where the controls of a page stand: which control → what it says, ready for JSON."""
    return {key: control.get_state(kept)[kept] for key, control, kept in _controls(page)}


def put_back(page: ipywidgets.Widget, places: dict[str, Any]) -> None:
    """Set the controls of a page to where they stood.

    One after the other, from the top: the first may bring others with it. What no longer is there, or can no
    longer be said, is left as it is.
    """
    for key, place in places.items():
        for found, control, kept in _controls(page):
            if found == key and control.get_state(kept)[kept] != place:
                try:
                    control.set_state({kept: place})
                except (traitlets.TraitError, TypeError, ValueError, IndexError):
                    break
                # from a browser, a widget is not told of its own value; readers of it are
                control.send_state(kept)


def _controls(page: ipywidgets.Widget) -> Iterator[tuple[str, ipywidgets.Widget, str]]:
    """Each control below `page` in order, by a name that is the same whenever the page is made anew."""
    count: dict[str, int] = {}

    def walk(widget: ipywidgets.Widget) -> Iterator[tuple[str, ipywidgets.Widget, str]]:
        kept = next((name for name in _KEPT if name in widget.keys), None)
        control = isinstance(widget, _HOLDERS) or "description" in widget.keys
        if kept and control and not isinstance(widget, _LEFT_OUT):
            name = f"{type(widget).__name__} {getattr(widget, 'description', '')}"
            count[name] = count.get(name, 0) + 1
            yield f"{name} {count[name]}", widget, kept
        for child in getattr(widget, "children", ()):
            yield from walk(child)

    yield from walk(page)


def guarded(page: ipywidgets.Box) -> ipywidgets.Box:
    """A published page with its guard."""
    from workbench.publish.page import reader_language

    page.children = (ConnectionGuard(Texts(reader_language()), page), *page.children)
    return page
