"""What a page tells of its work once that takes long: what is done, how far it is, and the button to stop it.

It stays at the edge of the window, whatever part of the page is looked at, and moves nothing else. A screen
reader is told what is done and when that changes, not every second.
"""

from __future__ import annotations

from collections.abc import Callable

import anywidget
import traitlets

from workbench.locale import Texts
from workbench.screens.work import Work


class WorkView(anywidget.AnyWidget):
    """The view of one `Work`.

    Args:
        work: The work.
        stop: Called when somebody wants it to end.
        t: The reader's words.

    Attributes:
        shown: Whether there is anything to tell.
        words: What is done.
        clock: How long it still takes, or has taken.
        share: The share that is done; None where nobody knows.
        label: What the button is called.
        ends: Whether there is one.
        ending: Whether somebody has pressed it.
    """

    _esm = """
    function render({ model, el }) {
      const make = (name, kind) => Object.assign(document.createElement(name), { className: kind });
      const words = make("p", "wb-work-words");
      const line = make("div", "wb-work-line");
      const bar = make("progress", "");
      const clock = make("span", "");
      const stop = make("button", "jupyter-button widget-button");
      words.setAttribute("role", "status");
      stop.type = "button";
      stop.addEventListener("click", () => model.send({ stop: true }));
      line.append(bar, clock);
      el.append(words, line, stop);
      el.classList.add("wb-work");
      function write() {
        const [shown, share] = [model.get("shown"), model.get("share")];
        el.classList.toggle("wb-work-shown", shown);
        const said = shown ? model.get("words") : "";
        if (words.textContent !== said) words.textContent = said;
        bar.setAttribute("aria-label", model.get("words"));
        if (share === null) bar.removeAttribute("value");
        else bar.value = share;
        clock.textContent = model.get("clock");
        stop.textContent = model.get("label");
        stop.disabled = model.get("ending");
        stop.hidden = !model.get("ends");
      }
      model.on("change", write);
      write();
      model.send({ seen: true });
    }
    export default { render };
    """
    shown = traitlets.Bool(False).tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    clock = traitlets.Unicode().tag(sync=True)
    share = traitlets.Float(None, allow_none=True).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    ends = traitlets.Bool(True).tag(sync=True)
    ending = traitlets.Bool(False).tag(sync=True)

    def __init__(self, work: Work, stop: Callable[[], None], t: Texts) -> None:
        super().__init__(label=t("Stop"))
        self._work, self._stop, self._t = work, stop, t
        work.unseen()
        work.observe(self._write, ["long", "stopping", "share", "doing", "clock"])
        self.on_msg(self._told)
        self._write()

    def _told(self, _widget: object, content: dict[str, object], _buffers: object) -> None:
        if "seen" in content:
            self._work.seen()
        else:
            self._stop()

    def _write(self, _change: object = None) -> None:
        work, t = self._work, self._t
        if not work.long and not self.shown:
            return
        with self.hold_sync():
            self.shown = work.long
            self.share = work.share or None  # none yet says as little as an unknown one
            self.ends, self.ending = work.ends, work.stopping
            self.words = (
                t("Stopping …") if work.stopping else t(work.doing) if work.doing else t("Computing …")
            )
            self.clock = t(work.clock) if work.clock else ""
