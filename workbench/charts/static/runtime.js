// Hands Vega to every chart of the page, once. The bundle comes as text and is started only after this
// model is ready: anywidget gives up, for good, on a model whose own code needs more than two seconds.
const slot = (globalThis.workbenchVega ??= Promise.withResolvers());

async function start(bundle) {
  const address = URL.createObjectURL(new Blob([bundle], { type: "text/javascript" }));
  try {
    slot.resolve((await import(address)).default);
  } catch (error) {
    slot.reject(error);
  } finally {
    URL.revokeObjectURL(address);
  }
}

export default {
  initialize({ model }) {
    if (slot.started) return;
    slot.started = true;
    setTimeout(() => start(model.get("bundle")));
  },
  render({ el }) {
    el.hidden = true;
  },
};
