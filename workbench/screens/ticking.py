"""Several of many: a list of ticks that is one widget however long it is."""

from __future__ import annotations

import anywidget
import traitlets


class Ticks(anywidget.AnyWidget):
    """A group of check boxes.

    Attributes:
        description: What the group is called.
        help: One line on what ticking one means.
        options: What may be ticked, each with a remark that may be empty.
        value: What is ticked, in the order of the options.
    """

    _esm = """
    let count = 0;
    function render({ model, el }) {
      const group = document.createElement("fieldset");
      const title = document.createElement("legend");
      const help = document.createElement("p");
      const list = document.createElement("div");
      el.classList.add("wb-ticks");
      help.className = "wb-help";
      help.id = `wb-ticks-${count++}`;
      group.setAttribute("aria-describedby", help.id);
      group.append(title, help, list);

      function fill() {
        list.replaceChildren(...model.get("options").map(([name, remark]) => {
          const label = document.createElement("label");
          const box = document.createElement("input");
          const words = document.createElement("span");
          box.type = "checkbox";
          box.value = name;
          box.addEventListener("change", () => {
            const ticked = [...list.querySelectorAll("input:checked")].map((one) => one.value);
            model.set("value", ticked);
            model.save_changes();
          });
          words.textContent = name;
          label.append(box, words);
          if (remark) {
            const quiet = document.createElement("em");
            quiet.textContent = remark;
            words.append(" ", quiet);
          }
          return label;
        }));
        tick();
      }
      function tick() {
        const value = model.get("value");
        for (const box of list.querySelectorAll("input")) box.checked = value.includes(box.value);
      }
      function name() {
        title.textContent = model.get("description");
        help.textContent = model.get("help");
      }
      model.on("change:options", fill);
      model.on("change:value", tick);
      for (const trait of ["description", "help"]) model.on(`change:${trait}`, name);
      name();
      fill();
      el.append(group);
    }
    export default { render };
    """
    description = traitlets.Unicode().tag(sync=True)
    help = traitlets.Unicode().tag(sync=True)
    options = traitlets.List().tag(sync=True)
    value = traitlets.List(traitlets.Unicode()).tag(sync=True)
