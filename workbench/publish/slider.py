"""A number that is dragged or moved by the arrow keys: the browser's own slider, with a name and its value
written as the reader writes numbers.
"""

from __future__ import annotations

import anywidget
import traitlets


class Slider(anywidget.AnyWidget):
    """A slider between two ends.

    Attributes:
        description: What it is called, its unit in it.
        value, min, max, step: Numbers in that unit.
        digits: How many places after the point are written.
        language: How they are written.
        live: Whether the value is taken while it moves, or once it is let go.
    """

    _esm = """
    function render({ model, el }) {
      const name = document.createElement("label");
      const slider = document.createElement("input");
      const written = document.createElement("output");
      const line = document.createElement("div");
      slider.type = "range";
      // each slider may have a module of its own, so that none can count the others
      slider.id = `wb-slider-${Math.random().toString(36).slice(2)}`;
      name.htmlFor = written.htmlFor = slider.id;
      el.classList.add("wb-slider");
      line.append(slider, written);
      el.append(name, line);

      function write() {
        const digits = model.get("digits");
        const numbers = new Intl.NumberFormat(model.get("language"), {
          minimumFractionDigits: digits, maximumFractionDigits: digits,
        });
        written.textContent = numbers.format(Number(slider.value)).replace("-", "\\u2212");
        slider.setAttribute("aria-valuetext", written.textContent);
      }
      function take() {
        name.textContent = model.get("description");
        for (const end of ["min", "max", "step"]) slider[end] = model.get(end);
        slider.value = model.get("value");
        write();
      }
      function give() {
        model.set("value", Number(slider.value));
        model.save_changes();
      }
      slider.addEventListener("input", () => {
        write();
        if (model.get("live")) give();
      });
      slider.addEventListener("change", give);
      model.on("change", take);
      take();
    }
    export default { render };
    """
    description = traitlets.Unicode().tag(sync=True)
    value = traitlets.Float().tag(sync=True)
    min = traitlets.Float(0.0).tag(sync=True)
    max = traitlets.Float(100.0).tag(sync=True)
    step = traitlets.Float(1.0).tag(sync=True)
    digits = traitlets.Int(0).tag(sync=True)
    language = traitlets.Unicode("en").tag(sync=True)
    live = traitlets.Bool(False).tag(sync=True)
