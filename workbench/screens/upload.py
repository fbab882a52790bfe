"""A file from the reader's computer; one that is too large is refused in the browser, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets


class Upload(anywidget.AnyWidget):
    """A file chooser that hands a file over in one message and keeps no copy.

    Args:
        receive: Called with the file's name and content.
        traits: The attributes.

    Attributes:
        label: What the chooser is called.
        words: What may be chosen.
        sending: Said while the file is on its way.
        too_large: Said when a file is larger than `limit`.
        limit: The largest file, in bytes.
    """

    _esm = """
    let count = 0;
    function render({ model, el }) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      const help = document.createElement("p");
      el.className = "wb-upload";
      label.textContent = model.get("label");
      input.type = "file";
      input.accept = ".csv,.tsv,.txt,.parquet,.gz";
      input.id = `wb-upload-${count++}`;
      label.htmlFor = input.id;
      help.className = "wb-help";
      help.id = `${input.id}-help`;
      help.setAttribute("role", "status");
      help.textContent = model.get("words");
      input.setAttribute("aria-describedby", help.id);
      input.addEventListener("change", async () => {
        const [file] = input.files;
        if (!file) return;
        const large = file.size > model.get("limit");
        help.className = large ? "wb-doubt" : "wb-help";
        help.textContent = model.get(large ? "too_large" : "sending");
        if (large) return;
        model.send({ name: file.name }, undefined, [await file.arrayBuffer()]);
      });
      model.on("msg:custom", () => { help.textContent = model.get("words"); });
      el.append(label, input, help);
    }
    export default { render };
    """
    label = traitlets.Unicode().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    sending = traitlets.Unicode().tag(sync=True)
    too_large = traitlets.Unicode().tag(sync=True)
    limit = traitlets.Int().tag(sync=True)

    def __init__(self, receive: Callable[[str, bytes], None], **traits: Any) -> None:
        super().__init__(**traits)
        self._receive = receive
        self.on_msg(self._arrived)

    def _arrived(self, _widget: object, content: dict[str, Any], buffers: list[memoryview]) -> None:
        self._receive(str(content["name"]), bytes(buffers[0]))
        self.send({"received": True})
