"""Content behind a line that opens it, by mouse or keyboard; it stays open while its content changes."""

from __future__ import annotations

import anywidget
import ipywidgets
import traitlets

from workbench.charts.runtime import Shared, one


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
      let inPlace = null;
      function fill() { // what nobody sees is not laid out: tables of hundreds of lines take their time
        const content = model.get("content");
        if (!fold.open || content === inPlace) return;
        inside.innerHTML = inPlace = content;
      }
      function write() {
        fold.className = model.get("kind");
        line.textContent = model.get("title");
        fold.hidden = !model.get("content");
        fill();
      }
      for (const name of ["title", "content", "kind"]) model.on(`change:${name}`, write);
      fold.addEventListener("toggle", fill);
      write();
      el.append(fold);
    }
    export default { render };
    """
    title = traitlets.Unicode().tag(sync=True)
    content = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode("wb-folded").tag(sync=True)

    @traitlets.default("layout")
    def _layout(self) -> ipywidgets.Layout:
        return one(Shared)  # a fold without content hides itself
