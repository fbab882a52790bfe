"""Looking at a screen without a browser: all its widgets, and the words on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets

from workbench.charts.runtime import Chart
from workbench.publish.fold import Fold


def widgets(page: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """The page and everything in it, in reading order."""
    yield page
    for child in getattr(page, "children", ()):
        yield from widgets(child)


def words(page: ipywidgets.Widget) -> str:
    """The markup on the page, without its style sheets; descriptions are plain text to the browser."""
    found = []
    for widget in widgets(page):
        if isinstance(widget, ipywidgets.HTML) and "<style>" not in widget.value:
            found.append(widget.value)
        elif isinstance(widget, Fold):
            found.append(widget.content)
    return "\n".join(found)


def control(page: ipywidgets.Widget, label: str) -> Any:
    """The control with that label."""
    found = [widget for widget in widgets(page) if getattr(widget, "description", None) == label]
    assert len(found) == 1, f"{label}: {len(found)}"
    return found[0]


def choose(page: ipywidgets.Widget, label: str, option: str) -> None:
    """Choose from a pick-list as a person does."""
    pick = control(page, label)
    pick.index = list(pick.options).index(option)


def charts(page: ipywidgets.Widget) -> list[Chart]:
    """The charts on the page, from top to bottom."""
    return [widget for widget in widgets(page) if isinstance(widget, Chart)]


def answers(page: ipywidgets.Widget) -> str:
    """What the sentence of a result says."""
    return "\n".join(part for part in words(page).split("\n") if "wb-sentence" in part)
