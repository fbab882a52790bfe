"""The widget that shows a folder of the computer that runs this."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import anywidget
import ipywidgets
import traitlets

from workbench.locale import Texts
from workbench.screens.browsing import FolderBrowser, Item, file_size
from workbench.screens.frame import messages


class FolderList(anywidget.AnyWidget):
    """A folder as a list: the arrow keys walk it, Enter opens, the space bar ticks.

    Attributes:
        label: What the list is called.
        place: The folder.
        up: What the way up is called; empty when there is none.
        items: Name, kind (`folder` or `file`) and remark of each item.
        words: `nothing` said of an empty folder, `tick` for the ticks, `take` and `all` on the buttons.
        note: What else there is to say of the folder.
    """

    _esm = """
    const STEP = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity };
    let count = 0;
    function render({ model, el }) {
      const make = (tag, kind, text) => {
        const one = document.createElement(tag);
        if (kind) one.className = kind;
        if (text !== undefined) one.textContent = text;
        return one;
      };
      const title = make("p", "wb-folder-title");
      const head = make("div", "wb-folder-head");
      const list = make("ul", "wb-folder-list");
      const foot = make("div", "wb-folder-foot");
      const note = make("p", "wb-help");
      el.classList.add("wb-folder");
      el.setAttribute("role", "group");
      title.id = `wb-folder-${count++}`;
      el.setAttribute("aria-labelledby", title.id);
      el.append(title, head, list, foot, note);

      const ticked = () => [...list.querySelectorAll("input:checked")].map((one) => one.value);
      const act = (words, message, kind = "") => {
        const button = make("button", `jupyter-button ${kind}`, words);
        button.addEventListener("click", () => model.send(message()));
        return button;
      };
      function finish() {
        const names = ticked();
        const words = model.get("words");
        const files = list.querySelectorAll("input").length;
        foot.replaceChildren(
          ...(names.length ? [act(words.take.replace("#", names.length), () => ({ take: ticked() }))] : []),
          ...(!names.length && files > 1 ? [act(words.all, () => ({ folder: true }))] : []),
        );
      }
      function reach(row) { // one row at a time is in the tab order
        for (const one of list.querySelectorAll("button, input")) {
          one.tabIndex = one.closest("li") === row ? 0 : -1;
        }
      }
      function fill() {
        const hadFocus = el.contains(document.activeElement);
        const words = model.get("words");
        title.textContent = model.get("label");
        const up = model.get("up");
        const path = make("span", "", model.get("place"));
        path.title = model.get("place");
        head.replaceChildren(...(up ? [act(up, () => ({ up: true }))] : []), path);
        list.replaceChildren(...model.get("items").map(({ name, kind, remark }) => {
          const row = make("li");
          const open = make("button", "wb-folder-open", kind === "folder" ? `${name}/` : name);
          open.addEventListener("click", () => {
            model.send(kind === "folder" ? { open: name } : { take: [name] });
          });
          if (kind !== "folder") {
            const box = make("input");
            box.type = "checkbox";
            box.value = name;
            box.setAttribute("aria-label", words.tick.replace("#", name));
            box.addEventListener("change", finish);
            row.append(box);
          }
          row.append(open, make("span", "", remark));
          row.addEventListener("focusin", () => reach(row));
          return row;
        }));
        if (!list.children.length) list.append(make("li", "wb-help", words.nothing));
        list.scrollTop = 0;
        note.textContent = model.get("note");
        reach(list.firstElementChild);
        finish();
        if (hadFocus) (list.querySelector("button") ?? head.querySelector("button"))?.focus();
      }
      list.addEventListener("keydown", (event) => {
        const step = STEP[event.key];
        const row = event.target.closest("li");
        if (step === undefined || !row) return;
        event.preventDefault();
        const rows = [...list.children];
        const place = Math.min(rows.length - 1, Math.max(0, rows.indexOf(row) + step));
        const same = event.target.tagName === "INPUT" ? "input" : "button";
        (rows[place].querySelector(same) ?? rows[place].querySelector("button"))?.focus();
      });
      let waiting;
      for (const name of ["label", "place", "up", "items", "words", "note"]) {
        model.on(`change:${name}`, () => { clearTimeout(waiting); waiting = setTimeout(fill); });
      }
      fill();
    }
    export default { render };
    """
    label = traitlets.Unicode().tag(sync=True)
    place = traitlets.Unicode().tag(sync=True)
    up = traitlets.Unicode().tag(sync=True)
    items = traitlets.List().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)


def view(state: FolderBrowser, t: Texts, timezone: str) -> ipywidgets.Widget:
    """The folder, and what went wrong with it."""
    zone = ZoneInfo(timezone)
    listed = FolderList(
        label=t("Or files on the computer that runs this"),
        words={
            "nothing": t("No file here that could hold a table."),
            "tick": t("Choose {name}", name="#"),
            "take": t("Look at the {n} chosen", n="#"),
            "all": t("Look at the whole folder"),
        },
    )

    def item(one: Item) -> dict[str, str]:
        if one.folder:
            return {"name": one.name, "kind": "folder", "remark": ""}
        day = t.date(one.changed.astimezone(zone).date())
        return {"name": one.name, "kind": "file", "remark": f"{file_size(one.size, t)} · {day}"}

    def write(_change: object = None) -> None:
        more = t("… and {n:count} more: type the path instead.", n=state.more) if state.more else ""
        with listed.hold_sync():
            listed.place = str(state.place)
            listed.up = t("Up") if state.can_go_up else ""
            listed.items = [item(one) for one in state.items]
            listed.note = more

    def asked(_widget: object, content: dict[str, object], _buffers: object) -> None:
        match content:
            case {"open": str(name)}:
                state.open(name)
            case {"up": True}:
                state.up()
            case {"take": list(names)}:
                state.take([str(name) for name in names])
            case {"folder": True}:
                state.take_folder()

    write()
    state.observe(write, ["place", "items", "more"])
    listed.on_msg(asked)
    return ipywidgets.VBox([listed, messages(state, t)]).add_class("wb-tight")
