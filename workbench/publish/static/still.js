// Brings a sheet to life: languages, charts and their filters. Everything it needs is in the page.
(() => {
  /*chart*/

  const vega = () => {
    /*vega*/
  };

  const PAPERS = { a4: "A4", letter: "letter" };
  const STEP = 200; // ms; more than a chart waits before it is drawn again
  const STEPS = 50; // before a page is printed with what there is

  const pages = [...document.querySelectorAll(".wb-page")];
  const specs = {};
  for (const store of document.querySelectorAll(".wb-specs")) {
    JSON.parse(store.textContent).forEach((chart, place) => {
      specs[`${store.dataset.for}-${place}`] = chart;
    });
  }

  // As much of a widget's model as the drawing asks for.
  function modelOf(values) {
    const heard = {};
    return {
      get: (name) => values[name],
      on: (name, hear) => (heard[name] ??= []).push(hear),
      set(name, value) {
        values[name] = value;
        for (const hear of heard[`change:${name}`] ?? []) hear();
      },
      save_changes() {},
    };
  }

  const models = {};
  function draw(place) {
    if (models[place.id]) return;
    const model = modelOf({ ...specs[place.id.slice("chart-".length)] });
    models[place.id] = model;
    drawing.render({ model, el: place, signal: new AbortController().signal });
  }

  // Those in sight first; the others once they come near, or when the page is printed.
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) draw(target);
      }
    },
    { rootMargin: "50%" },
  );

  function choose(select) {
    const chart = specs[select.dataset.chart];
    const place = document.getElementById(`chart-${select.dataset.chart}`);
    const kept = ([name, rows]) => [
      name,
      rows.filter((row) => !select.value || !("label" in row && "order" in row) || row.label === select.value),
    ];
    draw(place);
    models[place.id].set("data", Object.fromEntries(Object.entries(chart.data).map(kept)));
  }

  function title() {
    const shown = pages.find((page) => page.lang === document.documentElement.lang);
    document.title = shown?.querySelector(".wb-title").textContent ?? document.title;
    if (location.protocol.startsWith("http")) {
      for (const link of document.querySelectorAll(".wb-live")) link.hidden = false;
    }
    return shown;
  }

  for (const link of document.querySelectorAll(".wb-languages a")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      document.documentElement.lang = link.lang;
      try {
        history.replaceState(null, "", `?lang=${link.lang}`);
      } catch {
        // a page from a disk may not write its address in every browser
      }
      title()?.querySelector(`.wb-languages a[lang=${link.lang}]`).focus();
    });
  }
  for (const select of document.querySelectorAll(".wb-choice select")) {
    select.addEventListener("change", () => choose(select));
  }
  title();

  // A chart is a picture once the printer has it: drawn for paper before, each is as sharp and as large as the
  // words beside it (`wb-paper` in the style sheet).
  const places = () => [...document.querySelectorAll(".wb-place")].filter((place) => place.clientWidth);
  const ready = (place) => place.querySelector("svg") && !place.querySelector('[style*="hidden"]');
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  async function forPaper() {
    document.documentElement.classList.add("wb-paper");
    places().forEach(draw);
    for (let turn = 0; turn < STEPS; turn += 1) {
      await wait(STEP);
      if (turn > 1 && places().every(ready)) break;
    }
    await Promise.all(places().filter(ready).map(picture));
  }

  // As an image, since that is what a PDF has words for; a drawing among the elements of a page has none.
  function picture(place) {
    const text = new XMLSerializer().serializeToString(place.querySelector("svg"));
    const image = new Image();
    image.className = "wb-sheet";
    image.alt = place.getAttribute("aria-label");
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    place.before(image);
    return image.decode();
  }

  async function print() {
    await forPaper();
    globalThis.print();
  }

  function forScreen() {
    document.documentElement.classList.remove("wb-paper");
    document.querySelectorAll(".wb-sheet").forEach((image) => image.remove());
  }

  for (const button of document.querySelectorAll(".wb-print")) {
    button.hidden = false;
    button.addEventListener("click", print);
  }

  const start = () => {
    const charts = document.querySelectorAll(".wb-place");
    if (charts.length) slot.resolve(vega()); // the drawing waits for it; where there are no charts, neither is
    for (const place of charts) observer.observe(place);
  };

  // Whoever prints without a dialog asks for a sheet in the address. Their browser's clock may run out before a
  // frame is painted, so nothing waits for one.
  const paper = PAPERS[new URLSearchParams(location.search).get("paper")];
  if (paper) {
    const sheet = document.createElement("style");
    sheet.textContent = `@page { size: ${paper}; }`;
    document.head.append(sheet);
    start();
    forPaper();
  } else {
    requestAnimationFrame(() => setTimeout(start)); // the words first: Vega starts once the page has been painted
  }
  addEventListener("beforeprint", () => document.querySelectorAll(".wb-place").forEach(draw));
  addEventListener("afterprint", forScreen);
})();
