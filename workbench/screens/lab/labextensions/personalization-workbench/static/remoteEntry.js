// The workbench in JupyterLab: a card in the launcher for each screen and lesson, and links between them that
// open in a tab. It is a prebuilt extension as JupyterLab documents them, small enough to be written by hand:
// nothing is built, and nothing is taken from JupyterLab but what it shares with extensions.
(() => {
  const NAME = "personalization-workbench";
  const COMMAND = "workbench:open";
  const CATEGORY = "Personalization Workbench";
  const FOLDERS = ["", "notebooks"]; // where the notebooks may be, seen from where JupyterLab was started
  const NOTEBOOK = /^(\d+)-[\w-]+\.ipynb$/;

  let scope = {};
  async function shared(name) {
    const versions = Object.values(scope[name] ?? {});
    if (!versions.length) throw new Error(`JupyterLab does not share ${name}`);
    return (await versions[0].get())();
  }

  const join = (...parts) => parts.filter(Boolean).join("/");

  // The notebooks of a folder that are screens or lessons: those that say their titles.
  async function listed(contents, folder) {
    let found;
    try {
      found = (await contents.get(folder, { content: true })).content;
    } catch {
      return []; // there is no such folder
    }
    const files = found.filter(({ type, name }) => type === "notebook" && NOTEBOOK.test(name));
    const read = await Promise.all(files.map(async ({ name }) => {
      const path = join(folder, name);
      try {
        const { metadata } = (await contents.get(path, { content: true, type: "notebook" })).content;
        return { path, number: NOTEBOOK.exec(name)[1], titles: metadata.titles, summary: metadata.summary ?? {} };
      } catch {
        return {};
      }
    }));
    return read.filter(({ titles }) => titles).sort((one, other) => one.number - other.number);
  }

  async function notebooks(contents) {
    for (const folder of FOLDERS) {
      const screens = await listed(contents, folder);
      if (screens.length) return [screens, await listed(contents, join(folder, "lessons"))];
    }
    return [[], []];
  }

  // Somebody asked for this notebook, so that its first cell, which shows it, is run unless it has been.
  async function show(app, path) {
    const panel = await app.commands.execute("docmanager:open", { path });
    if (!panel?.sessionContext) return;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session?.kernel?.info; // a kernel that is not there yet runs nothing
    const cells = panel.content.widgets;
    const first = cells.findIndex(({ model }) => model.type === "code");
    if (first < 0 || cells[first].model.outputs.length || cells[first].model.executionCount) return;
    panel.content.activeCellIndex = first;
    app.shell.activateById(panel.id);
    await app.commands.execute("notebook:run-cell");
  }

  // A link of a page to a notebook, as a path from where JupyterLab was started; null for any other link.
  function target(app, event) {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return null;
    const link = event.target.closest?.(".wb-page a[href]");
    const here = app.shell.currentWidget?.context?.path;
    const href = link?.getAttribute("href") ?? "";
    if (!here || !/^[\w./-]+\.ipynb(\?[^#]*)?$/.test(href) || href.startsWith("/")) return null;
    const place = new URL(href, `http://here/${here.split("/").map(encodeURIComponent).join("/")}`);
    return decodeURIComponent(place.pathname.slice(1));
  }

  async function extension() {
    const [{ ILauncher }, { ITranslator }, { LabIcon }] = await Promise.all(
      ["@jupyterlab/launcher", "@jupyterlab/translation", "@jupyterlab/ui-components"].map(shared),
    );

    function icon(number, colour) {
      const drawn = number === "0"
        ? '<path d="M10 24 24 11l14 13M14 22v14h20V22" fill="none" stroke="#fff" stroke-width="4"/>'
        : `<text x="24" y="33" font-family="sans-serif" font-size="26" text-anchor="middle" fill="#fff">${number}</text>`;
      const svgstr = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">'
        + `<rect width="48" height="48" rx="6" fill="${colour}"/>${drawn}</svg>`;
      return new LabIcon({ name: `workbench:${colour}-${number}`, svgstr });
    }

    function activate(app, launcher, translator) {
      const language = translator?.languageCode?.startsWith("es") ? "es" : "en";
      app.commands.addCommand(COMMAND, {
        label: ({ title }) => title ?? CATEGORY,
        caption: ({ summary, title }) => summary || title || CATEGORY,
        icon: ({ number, lesson }) => (number ? icon(number, lesson ? "#00694B" : "#0072B2") : undefined),
        execute: ({ path }) => show(app, path),
      });
      document.addEventListener("click", (event) => {
        const path = target(app, event);
        if (path === null) return;
        event.preventDefault();
        app.commands.execute(COMMAND, { path });
      });
      if (!launcher) return;
      app.restored.then(() => notebooks(app.serviceManager.contents)).then(([screens, lessons]) => {
        const cards = [...screens, ...lessons.map((one) => ({ ...one, lesson: true }))];
        cards.forEach(({ path, number, titles, summary, lesson = false }, rank) => {
          const title = titles[language] ?? titles.en;
          const said = summary[language] ?? summary.en ?? "";
          const args = { path, number, title, summary: said, lesson };
          launcher.add({ command: COMMAND, args, category: CATEGORY, rank });
        });
      });
    }

    return {
      id: `${NAME}:plugin`,
      description: "Cards for the screens and lessons, and links between them",
      autoStart: true,
      optional: [ILauncher, ITranslator],
      activate,
    };
  }

  globalThis._JUPYTERLAB ??= {};
  globalThis._JUPYTERLAB[NAME] = {
    init(shareScope) { scope = shareScope; },
    async get(module) {
      if (module !== "./extension") throw new Error(`there is no ${module} here`);
      const plugin = await extension();
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
