"""Parts of a screen of which one is seen at a time; each is made when it is first opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets


def tabs(
    label: str, items: Sequence[tuple[str, Callable[[], ipywidgets.Widget]]], opened: int = 0
) -> ipywidgets.VBox:
    """Buttons in a row, and under them the part whose button is down.

    Args:
        label: What the row is called, for those who cannot see it.
        items: Title and maker of each part.
        opened: Which is open at first.
    """
    bar = ipywidgets.ToggleButtons(
        description=label, options=[(title, place) for place, (title, _) in enumerate(items)]
    )
    bar.add_class("wb-tabs")
    bar.value = opened
    made: dict[int, ipywidgets.Widget] = {}
    body = ipywidgets.VBox(layout=ipywidgets.Layout(width="100%"))

    def show(_change: Any = None) -> None:
        place = bar.value
        if place not in made:
            made[place] = items[place][1]()
        body.children = [made[place]]

    show()
    bar.observe(show, "value")
    return ipywidgets.VBox([bar, body], layout=ipywidgets.Layout(width="100%"))
