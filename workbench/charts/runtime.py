"""Charts on a page, in JupyterLab and in Voilà, without asking any other computer for anything.

Vega is bundled once, when a release is made (`python -m workbench.charts.runtime`), and is sent to a page
once, by its `VegaRuntime`. Every `Chart` waits for it, so a page holds one copy however many charts it
shows. The first chart creates the runtime; whichever reaches the browser first, the chart is drawn. A page of
our server brings Vega itself (`BROUGHT`), as a file that a browser keeps and that no kernel has to send.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from workbench.charts.picture import BROUGHT, Drawing
from workbench.charts.theme import specified


def _static(name: str) -> str:
    return (resources.files(__package__) / "static" / name).read_text(encoding="utf-8")


class VegaRuntime(anywidget.AnyWidget):
    """Vega for all charts of a page. It need not be displayed; a page that displays it shows nothing."""

    _esm = _static("runtime.js")
    bundle = traitlets.Unicode().tag(sync=True)


class Chart(anywidget.AnyWidget):
    """A chart on a page, as wide as its place unless it has a width of its own.

    It is drawn again when `chart` is set, without flicker; a `Drawing` with the same specification only gets
    its new data. If it cannot be drawn its description is shown in its place.

    Attributes:
        chart: The chart on screen, of Altair or a `Drawing`; `None` shows nothing.
        description: What the chart says, in a sentence: read out by screen readers.
        selection: The value of each selection parameter a person has used, by the parameter's name, as
            Vega writes it: `{"brush": {"day": [1, 5]}}`.
    """

    _esm = _static("chart.js")
    _css = _static("chart.css")
    chart = traitlets.Any()
    description = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    data = traitlets.Dict().tag(sync=True)
    selection = traitlets.Dict().tag(sync=True)

    @traitlets.observe("chart")
    def _write_spec(self, change: Any) -> None:
        new = change.new
        with self.hold_sync():
            if isinstance(new, Drawing):
                self.spec, self.data = new.spec, new.data
            else:
                self.spec, self.data = {} if new is None else specified(new), {}
            self.selection = {}


class Shared(ipywidgets.Layout):
    """A layout of many widgets, which cannot be changed: whoever hides one would hide all.

    Raises:
        TypeError: when it is changed.
    """

    _made = False

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._made = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._made and name in self.keys:
            raise TypeError(f"Many widgets share this layout; one whose {name} changes needs its own.")
        super().__setattr__(name, value)


_ones: dict[Callable[[], Any], Any] = {}


def one[W: ipywidgets.Widget](make: Callable[[], W]) -> W:
    """The page's widget of which one is enough: made when first asked for, and again if it was closed."""
    found: W | None = _ones.get(make)
    if found is None or found.comm is None:
        found = _ones[make] = make()
    return found


def runtime() -> VegaRuntime:
    """The runtime of this kernel's page."""
    return one(_vega)


def _vega() -> VegaRuntime:
    return VegaRuntime(bundle=_static("vega_runtime.js"))


def show(chart: Any, description: str) -> Chart:
    """Put a chart on a page.

    Args:
        chart: A `Drawing`, or any chart of Altair, with its theme already applied
            (`workbench.charts.theme.themed`).
        description: What the chart says, in a sentence, for those who do not see it.
    """
    if not os.environ.get(BROUGHT):
        runtime()
    return Chart(chart=chart, description=description, layout=one(Shared))


def build(path: Path) -> None:
    """Write the bundle of Vega, Vega-Lite and vega-embed that charts are drawn with.

    Needed when Altair is upgraded: the bundle has to speak the version of Vega-Lite that Altair writes.
    """
    import altair
    import vl_convert

    vega_lite = ".".join(altair.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    head = (
        f"// vega {vl_convert.get_vega_version()}, vega-lite {vega_lite}, "
        f"vega-embed {vl_convert.get_vega_embed_version()}; licences: README.md\n"
    )
    bundle = vl_convert.javascript_bundle("export default vegaEmbed;", vl_version=vega_lite)
    path.write_text(head + bundle, encoding="utf-8")


if __name__ == "__main__":
    build(Path(__file__).parent / "static" / "vega_runtime.js")
