// Brings a still page to life: languages, charts and their filters. Everything it needs is in the page.
(() => {
  /*chart*/

  const vega = () => {
    /*vega*/
  };

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

  // The words first: Vega starts once the page has been painted.
  requestAnimationFrame(() =>
    setTimeout(() => {
      slot.resolve(vega()); // the drawing waits for it
      for (const place of document.querySelectorAll(".wb-place")) observer.observe(place);
    }),
  );
  addEventListener("beforeprint", () => document.querySelectorAll(".wb-place").forEach(draw));
})();
