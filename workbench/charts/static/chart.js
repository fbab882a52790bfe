// Draws one Vega-Lite chart as wide as its place, in the Vega that the page's runtime brings. A chart whose
// specification stays gets its new data without being made again.
const slot = (globalThis.workbenchVega ??= Promise.withResolvers());

const SOON = 100; // ms: let a window that is being resized come to rest
const PATIENCE = 10_000; // ms without a picture before the words are shown in its place
const NARROW = 600; // px: below, views side by side are drawn one below the other
const SHARP = 2; // pixels of a saved picture for each of the page's
const NARROWEST = 40; // px for one view of a composed chart
const LETTER = 7; // px of a letter of an axis title, as a rule
const NAMES = 180; // px that names on the left take, as a rule
const HIGH = 200; // px of a view whose height is that of its rows, at least

function isSingle(spec) {
  const facets = ["row", "column", "facet"].some((channel) => spec.encoding?.[channel]);
  return !facets && !(spec.vconcat || spec.hconcat || spec.concat || spec.spec);
}

// A title in lines for which there is room.
function lines(title, room) {
  const found = [];
  for (const word of title.split(" ")) {
    const longer = found.length ? `${found.at(-1)} ${word}` : word;
    if (found.length && longer.length * LETTER > room) found.push(word);
    else found.splice(-1, 1, longer);
  }
  return found;
}

// A copy of a view and its layers in which no axis title is cut off.
function titled(spec, rooms) {
  const copy = spec.layer ? { ...spec, layer: spec.layer.map((part) => titled(part, rooms)) } : { ...spec };
  for (const [channel, room] of Object.entries(rooms)) {
    const field = copy.encoding?.[channel];
    if (typeof field?.title !== "string" || field.title.length * LETTER <= room) continue;
    copy.encoding = { ...copy.encoding, [channel]: { ...field, title: lines(field.title, room) } };
  }
  return copy;
}

// A copy of the specification in which every view without a width of its own has a number for one.
function fit(spec, width) {
  if (spec.vconcat) return { ...spec, vconcat: spec.vconcat.map((part) => fit(part, width)) };
  if (spec.hconcat && width < NARROW) {
    const { hconcat, ...rest } = spec;
    return fit({ ...rest, vconcat: hconcat }, width);
  }
  if (spec.hconcat) {
    const each = width / spec.hconcat.length;
    return { ...spec, hconcat: spec.hconcat.map((part) => fit(part, each)) };
  }
  if (spec.spec) return { ...spec, spec: fit(spec.spec, width) };
  const open = spec.width === undefined || spec.width === "container";
  const high = typeof spec.height === "number" ? spec.height : HIGH;
  const whole = titled(spec, { x: width - NAMES, y: high });
  return open ? { ...whole, width: Math.max(NARROWEST, Math.floor(width)) } : whole;
}

async function embed(spec, place, width) {
  const vegaEmbed = await slot.promise;
  // The interpreter (ast) needs no `eval`, so a published page can forbid it.
  const options = { actions: false, ast: true, mode: "vega-lite", renderer: "svg" };
  if (isSingle(spec)) {
    const autosize = { type: "fit-x", contains: "padding" };
    return vegaEmbed(place, { autosize, ...fit(spec, width) }, options);
  }
  // How much room axes and headers take is known only once they are drawn: draw, measure, draw again.
  const first = await vegaEmbed(place, fit(spec, width), options);
  const drawn = place.querySelector("svg").width.baseVal.value;
  const across = Math.max(1, Math.floor(drawn / width));
  if (Math.abs(drawn - width) < 2) return first;
  first.finalize();
  return vegaEmbed(place, fit(spec, width - (drawn - width) / across), options);
}

// The picture as a file of the reader's; in the colours of paper, whatever the page's are.
async function save(el, kind) {
  const svg = el.querySelector("svg");
  const { width, height } = svg.getBoundingClientRect();
  const text = new XMLSerializer().serializeToString(svg);
  let url = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  if (kind === "PNG") {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: SHARP * width, height: SHARP * height });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    url = canvas.toDataURL("image/png");
  }
  const title = el.closest(".wb-picture")?.querySelector(".wb-part")?.textContent ?? "";
  const name = title.normalize("NFKD").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "").toLowerCase();
  Object.assign(document.createElement("a"), { href: url, download: `${name || "chart"}.${kind.toLowerCase()}` }).click();
}

function files(el) {
  const bar = document.createElement("p");
  const named = document.documentElement.lang.startsWith("es") ? "Guardar el gráfico como" : "Save the chart as";
  bar.className = "wb-save";
  for (const kind of ["PNG", "SVG"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = kind;
    button.setAttribute("aria-label", `${named} ${kind}`);
    button.addEventListener("click", () => save(el, kind));
    bar.append(button);
  }
  return bar;
}

function listen(model, spec, view) {
  const selection = {};
  for (const { name, select } of spec.params ?? []) {
    if (!select) continue;
    let timer;
    view.addSignalListener(name, (_, value) => {
      selection[name] = value;
      clearTimeout(timer);
      timer = setTimeout(() => {
        model.set("selection", structuredClone(selection));
        model.save_changes();
      }, SOON);
    });
  }
}

export default {
  render({ model, el, signal }) {
    let turn = 0; // a later drawing overtakes an earlier one
    let shown; // the view on screen, its place, and what it was made of
    let width = 0; // as drawn last
    let asked; // the specification and the data that were drawn last, or are being drawn
    let timer;

    el.classList.add("wb-chart");
    el.setAttribute("role", "figure");
    const bar = files(el);
    const label = () => el.setAttribute("aria-label", model.get("description"));

    function words() {
      if (shown || el.querySelector(".wb-chart-words")) return;
      const text = document.createElement("p");
      text.className = "wb-chart-words";
      text.textContent = model.get("description");
      el.prepend(text);
    }

    function replace(next) {
      shown?.view.finalize();
      el.replaceChildren(...(next ? [next.place, bar] : []));
      next?.place.removeAttribute("style");
      next?.place.setAttribute("aria-hidden", "true"); // the description says it; parts of a picture say nothing
      shown = next;
    }

    async function draw() {
      const mine = ++turn;
      const spec = model.get("spec");
      const data = model.get("data");
      asked = { spec, data };
      if (!spec?.$schema) return replace();
      width = el.clientWidth;
      if (!width) return; // not on screen yet; the observer below calls again
      const place = document.createElement("div");
      // Drawn out of sight and then swapped in, so that nothing flickers or jumps.
      place.style.cssText = `position:absolute;visibility:hidden;width:${width}px`;
      el.append(place);
      try {
        const whole = structuredClone({ ...spec, datasets: { ...spec.datasets, ...data } });
        const result = await embed(whole, place, width);
        if (mine !== turn || signal.aborted) {
          result.finalize();
          return place.remove();
        }
        replace({ place, view: result, spec, width });
        listen(model, spec, result.view);
      } catch (error) {
        console.error(error);
        place.remove();
        if (mine !== turn) return;
        replace();
        words();
      }
    }

    // Other data in the same chart: its view takes them, which costs far less than another view.
    async function fill() {
      const data = model.get("data");
      if (asked?.spec === model.get("spec") && asked.data === data) return; // it came with its specification
      if (!shown || shown.spec !== model.get("spec") || shown.width !== width) return draw();
      const mine = ++turn;
      asked = { spec: shown.spec, data };
      const { view } = shown.view;
      try {
        for (const [name, rows] of Object.entries(data)) view.data(name, structuredClone(rows));
        await view.runAsync();
      } catch (error) {
        console.error(error);
        if (mine === turn) draw();
      }
    }

    function redraw() {
      clearTimeout(timer);
      timer = setTimeout(draw, shown ? SOON : 0);
    }

    const observer = new ResizeObserver(() => {
      if (el.clientWidth && el.clientWidth !== width) redraw();
    });
    observer.observe(el);
    model.on("change:spec", draw);
    model.on("change:data", fill);
    model.on("change:description", label);
    label();
    draw();
    const waiting = setTimeout(words, PATIENCE);

    return () => {
      observer.disconnect();
      clearTimeout(waiting);
      clearTimeout(timer);
      turn += 1;
      shown?.view.finalize();
    };
  },
};
