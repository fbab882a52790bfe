"""What is out of sight until somebody asks for it."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets


def disclosure(label: str, widgets: Sequence[ipywidgets.Widget]) -> ipywidgets.VBox:
    """Widgets behind a line that shows and hides them."""
    inside = ipywidgets.VBox(list(widgets), layout=ipywidgets.Layout(display="none"))
    switch = ipywidgets.ToggleButton(description=label).add_class("wb-more").add_class("wb-disclosure")

    def turn(change: object = None) -> None:
        inside.layout.display = "" if switch.value else "none"

    switch.observe(turn, "value")
    return ipywidgets.VBox([switch, inside])
