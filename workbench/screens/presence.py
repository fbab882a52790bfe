"""A word from the browser that a page is on screen: only then does it hear of what changes in the background.

Until a page has fetched the state of its widgets, what a thread changes in them may never reach it.
"""

from __future__ import annotations

from collections.abc import Callable

import anywidget


class Presence(anywidget.AnyWidget):
    """One on a page, of no size.

    Args:
        seen: Called when the page is on screen.
    """

    _esm = """
    export default { render({ model, el }) { el.hidden = true; model.send({}); } };
    """

    def __init__(self, seen: Callable[[], None]) -> None:
        super().__init__()
        self.on_msg(lambda _widget, _content, _buffers: seen())
