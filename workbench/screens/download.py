"""A button that hands a file over to the reader's computer; its content is sent when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import ipywidgets
import traitlets

from workbench import report
from workbench.locale import Texts
from workbench.screens.inbox import Sent


class Download(anywidget.AnyWidget):
    """A button for one file. Nothing of the file is on the page before somebody presses it.

    Args:
        make: Called when it is pressed; gives the file's name and content, or None when there is none.
        traits: The attributes.

    Attributes:
        label: What the button is called.
        about: What it is called where there are several of them, for screen readers.
        kind: A class of the style sheet.
    """

    _esm = """
    function render({ model, el }) {
      const button = document.createElement("button");
      function write() {
        button.className = `jupyter-button widget-button ${model.get("kind")}`;
        button.textContent = model.get("label");
        if (model.get("about")) button.setAttribute("aria-label", model.get("about"));
      }
      button.addEventListener("click", () => {
        button.disabled = true;
        model.send({ wanted: true });
      });
      model.on("msg:custom", ({ name }, buffers) => {
        button.disabled = false;
        if (!name) return;
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob(buffers));
        link.download = name;
        el.append(link);
        link.click();
        link.remove();
        setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser has read it by then
      });
      for (const name of ["label", "about", "kind"]) model.on(`change:${name}`, write);
      write();
      el.append(button);
    }
    export default { render };
    """
    label = traitlets.Unicode().tag(sync=True)
    about = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode().tag(sync=True)

    def __init__(self, make: Callable[[], Sent | None], **traits: Any) -> None:
        super().__init__(**traits)
        self._make = make
        self.on_msg(self._wanted)

    def _wanted(self, _widget: object, _content: object, _buffers: object) -> None:
        self.hand(self._make())

    def hand(self, made: Sent | None) -> None:
        """Hand a file over, and let the button be pressed again."""
        if made is None:
            self.send({})
        else:
            self.send({"name": made[0]}, [made[1]])


def record_files(state: Any, t: Texts) -> ipywidgets.Box:
    """The buttons that hand over the state's record: its numbers for a spreadsheet, and all of it."""

    def numbers() -> Sent | None:
        record = state.record
        return record and (f"{record.kind}-{record.id}.csv", report.as_csv(record).encode("utf-8-sig"))

    def whole() -> Sent | None:
        record = state.record
        return record and (f"{record.kind}-{record.id}.json", record.model_dump_json(indent=1).encode())

    box = ipywidgets.HBox(
        [Download(numbers, label=t("Numbers as CSV")), Download(whole, label=t("Record as JSON"))]
    ).add_class("wb-beside")

    def show(_change: object = None) -> None:
        box.layout.display = "" if state.record is not None else "none"

    show()
    state.observe(show, "record")
    return box
