// Says when the page no longer reaches the Python behind it, since its controls then do nothing.
const EVERY = 10_000; // ms between two questions
const PATIENCE = 60_000; // ms without an answer: Python may be busy that long

export default {
  render({ model, el }) {
    const published = document.body.dataset.voila !== undefined;
    const bar = document.createElement("div");
    bar.className = "wb-lost";
    bar.setAttribute("role", "alert"); // what is put into it is read out
    el.append(bar);

    let lost = false;
    let answered = Date.now();

    function say(text) {
      if (bar.textContent === text) return;
      bar.replaceChildren(...(text ? [Object.assign(document.createElement("p"), { className: "wb-error", textContent: text })] : []));
    }

    function lose() {
      lost = true;
      say(model.get(published ? "lost_page" : "lost_notebook"));
    }

    function ask() {
      if (lost) return;
      try {
        model.send({});
      } catch {
        return lose();
      }
      if (Date.now() - answered > PATIENCE) say(model.get("slow"));
    }

    model.on("msg:custom", () => {
      answered = Date.now();
      if (!lost) say("");
    });
    model.on("comm_live_update", lose);
    // JupyterLab shows by itself whether a kernel is busy or away
    const timer = published ? setInterval(ask, EVERY) : undefined;
    return () => clearInterval(timer);
  },
};
