"""A button that hands a file over to the reader's computer; its content is sent when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

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
        made = self._make()
        if made is None:
            self.send({})
        else:
            self.send({"name": made[0]}, [made[1]])
