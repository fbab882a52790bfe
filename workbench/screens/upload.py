"""Files from the reader's computer; what is too large is refused in the browser, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import traitlets

from workbench.screens.inbox import Sent


class Upload(anywidget.AnyWidget):
    """A file chooser that hands files over in one message and keeps no copy.

    Args:
        receive: Called with the files.
        traits: The attributes.

    Attributes:
        label: What the chooser is called.
        words: What may be chosen.
        sending: Said while the files are on their way.
        too_large: Said when they are larger than `limit`.
        limit: The largest that they may be together, in bytes.
        accept: The endings of files that may be chosen, as the browser wants them.
        multiple: Whether several may be chosen at once.
        kind: A class of the style sheet.
    """

    _esm = """
    let count = 0;
    function render({ model, el }) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      const help = document.createElement("p");
      el.className = model.get("kind");
      label.textContent = model.get("label");
      input.type = "file";
      input.accept = model.get("accept");
      input.multiple = model.get("multiple");
      input.id = `wb-upload-${count++}`;
      label.htmlFor = input.id;
      help.className = "wb-help";
      help.id = `${input.id}-help`;
      help.setAttribute("role", "status");
      help.textContent = model.get("words");
      input.setAttribute("aria-describedby", help.id);
      input.addEventListener("change", async () => {
        const files = [...input.files];
        if (!files.length) return;
        const large = files.reduce((size, file) => size + file.size, 0) > model.get("limit");
        help.className = large ? "wb-doubt" : "wb-help";
        help.textContent = model.get(large ? "too_large" : "sending");
        if (large) return;
        const contents = await Promise.all(files.map((file) => file.arrayBuffer()));
        model.send({ names: files.map((file) => file.name) }, undefined, contents);
        input.value = ""; // the same file can be sent again
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
    accept = traitlets.Unicode().tag(sync=True)
    multiple = traitlets.Bool(True).tag(sync=True)
    kind = traitlets.Unicode("wb-upload").tag(sync=True)

    def __init__(self, receive: Callable[[Sequence[Sent]], None], **traits: Any) -> None:
        super().__init__(**traits)
        self._receive = receive
        self.on_msg(self._arrived)

    def _arrived(self, _widget: object, content: dict[str, Any], buffers: list[memoryview]) -> None:
        names = map(str, content["names"])
        self._receive([(name, bytes(buffer)) for name, buffer in zip(names, buffers, strict=True)])
        self.send({"received": True})
