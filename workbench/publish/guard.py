"""A word when the page no longer reaches the Python behind it, and the way back to where the reader was.

The page asks Python for a sign of life every four seconds, and the server when Python is silent, so that it
can say which of them is gone. As long as one is, controls do nothing and look it; once the way is free again
the page connects itself anew. After each question Python tells where the page's controls stand. The browser
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
    const EVERY = 4_000; // ms between two questions
    const PATIENCE = 2_000; // ms without an answer, after which the server is asked
    const ANSWER = 3_000; // ms that the server has
    const SILENT = 10_000; // ms without an answer from a Python that computes nothing: the connection is dead
    const TRIES = 3; // new connections, before Python is given up
    const COMPUTING = 60_000; // ms without an answer although all are there: said as well
    const ASLEEP = 7_200_000; // ms without a look at the page: Python may stop until the reader is back
    const OFFERS = ["lost_page", "slow"]; // where loading the page again helps
    const HOLDS = ["closed", "lost_page", "unreachable"]; // where no control does anything
    const CONTROLS = ".wb-page :is(button, input, select, textarea, .noUi-target)";

    function settings() {
      const place = document.getElementById("jupyter-config-data");
      return place ? JSON.parse(place.textContent) : {};
    }

    function render({ model, el }) {
      const published = document.body.dataset.voila !== undefined;
      const { baseUrl, kernelId } = settings();
      const kernel = model.widget_manager?.kernel;
      const kept = `workbench ${location.pathname}${location.search}`;
      let said = "";
      let lost = false;
      let dead = false; // nothing can be said to Python any more; the server knows why
      let asked = 0; // when the oldest question was asked that has no answer yet
      let tries = 0; // new connections since the last answer
      let looking = false;
      let seen = Date.now();
      let held = []; // controls that wait for Python
      let focused;
      el.classList.add("wb-lost");
      el.setAttribute("role", "alert"); // what is put into it is read out

      function say(which) {
        if (said === which) return;
        said = which;
        hold(HOLDS.includes(which));
        el.replaceChildren();
        if (!which) return;
        const sentence = document.createElement("p");
        sentence.className = "wb-error";
        sentence.textContent = model.get(which);
        if (published && OFFERS.includes(which)) {
          const again = document.createElement("button");
          again.type = "button";
          again.textContent = model.get("again");
          again.addEventListener("click", () => location.reload());
          sentence.append(" ", again);
        }
        el.append(sentence);
      }
      // What is read, folded and saved goes on without Python.
      function hold(wanted) {
        if (wanted === held.length > 0) return;
        if (wanted) {
          focused = document.activeElement;
          held = [...document.querySelectorAll(CONTROLS)].filter(
            (one) => !one.closest(".wb-chart, .wb-lost") && !one.hasAttribute("disabled"),
          );
        }
        for (const one of held) one.toggleAttribute("disabled", wanted);
        if (wanted) return;
        held = [];
        if (document.activeElement === document.body) focused?.focus?.({ preventScroll: true });
      }
      function lose(which) {
        lost = true;
        keep({ lost });
        say(which);
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
          dead = true;
        }
        asked ||= Date.now();
      }
      async function look() {
        if (lost || looking || !(dead || (asked && Date.now() - asked > PATIENCE))) return;
        looking = true;
        const found = await server();
        looking = false;
        if (!dead && !asked) return; // Python has answered meanwhile
        if (found.status === 403) return lose("closed");
        if (found.status === 404) return lose("lost_page");
        if (found.status !== 200) {
          tries = 0;
          keep({ lost: true }); // whoever loads the page before the server is back
          return say("unreachable"); // looked at again until it is
        }
        if (dead) return lose("lost_page");
        if (found.state === "busy") {
          if (Date.now() - asked > COMPUTING) say("slow");
          else if (said === "unreachable") say("");
        } else if (tries === TRIES) {
          keep({ lost: true });
          say("lost_page"); // an answer would still be heard
        } else if (said || kernel?.connectionStatus !== "connected" || Date.now() - asked > SILENT) {
          asked = Date.now() + ++tries * PATIENCE; // each has more time than the one before
          connect();
        }
      }
      async function server() {
        const stop = new AbortController(); // packets may be lost without a word
        const end = setTimeout(() => stop.abort(), ANSWER);
        try {
          const how = { cache: "no-store", signal: stop.signal };
          const answer = await fetch(`${baseUrl}api/kernels/${kernelId}`, how);
          const about = answer.ok ? await answer.json() : {};
          return { status: answer.status, state: about.execution_state };
        } catch {
          return {};
        } finally {
          clearTimeout(end);
        }
      }
      // Jupyter tries again after up to half a minute, then no more; a connection that lost its way it keeps.
      async function connect() {
        try {
          await kernel?.reconnect();
        } catch { /* looked at again */ }
      }
      model.on("msg:custom", ({ places }) => {
        asked = tries = 0;
        if (!lost) say("");
        if (places && published) keep({ places, lost: false });
      });
      model.on("comm_live_update", () => {
        dead = true;
        if (published) look();
        else lose("lost_notebook");
      });
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
      for (const name of ["online", "offline"]) on(name, () => ask());
      on("visibilitychange", () => { seen = Date.now(); ask(); });
      on("scroll", () => keep({ top: scrollY }));
      on("toggle", () => keep({ open: folds().map((fold) => fold.open) }));
      let broken = false;
      const cut = (_kernel, status) => {
        ask(); // and once it is back: what was asked before may have been lost
        if (broken && status === "connected") free(model.widget_manager);
        broken = status !== "connected";
      };
      kernel?.connectionStatusChanged.connect(cut);
      const timers = [setInterval(() => asked || ask(), EVERY), setInterval(look, 1_000)];
      return () => {
        stop.abort();
        timers.forEach(clearInterval);
        kernel?.connectionStatusChanged.disconnect(cut);
      };
    }

    // A control that has said something is silent until Python has done with it; of what the connection took
    // along nobody will hear. So it waits no longer, and says again what Python has not repeated: what the
    // reader chose last holds.
    async function free(manager) {
      for (const coming of Object.values(manager?._models ?? {})) {
        const one = await coming;
        const unheard = one._pending_msgs > 0 ? [...one._expectedEchoMsgIds.keys()] : [];
        while (one._pending_msgs > 0) one._handle_status({ content: { execution_state: "idle" } });
        const state = Object.fromEntries(unheard.map((name) => [name, one.get(name)]));
        if (unheard.length) one.save(state, { patch: true });
      }
    }

    const folds = () => [...document.querySelectorAll("details")];

    // The page grows while it is drawn: again and again for some seconds, unless the reader goes elsewhere.
    function back({ top = 0, open = [] }) {
      const stop = new AbortController();
      const leave = () => stop.abort();
      for (const name of ["wheel", "pointerdown", "keydown", "touchstart"]) {
        addEventListener(name, leave, { once: true, signal: stop.signal });
      }
      const end = Date.now() + 20_000;
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
