"""Content behind a line that opens it, by mouse or keyboard; it stays open while its content changes."""

from __future__ import annotations

import anywidget
import traitlets


class Fold(anywidget.AnyWidget):
    """A `<details>` element.

    Attributes:
        title: The line, plain text.
        content: Markup; whoever sets it has escaped what others wrote.
        kind: A class of the style sheet.
    """

    _esm = """
    function render({ model, el }) {
      const fold = document.createElement("details");
      const line = document.createElement("summary");
      const inside = document.createElement("div");
      fold.append(line, inside);
      function write() {
        fold.className = model.get("kind");
        line.textContent = model.get("title");
        inside.innerHTML = model.get("content");
        fold.hidden = !model.get("content");
      }
      for (const name of ["title", "content", "kind"]) model.on(`change:${name}`, write);
      write();
      el.append(fold);
    }
    export default { render };
    """
    title = traitlets.Unicode().tag(sync=True)
    content = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode("wb-folded").tag(sync=True)
