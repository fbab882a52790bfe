"""What the first reader of a page would pay for all that follow, done before readers come."""

from __future__ import annotations

import os
from pathlib import Path

_pages: list[tuple[str, int]] | None = None
_MOST = 40  # pages; the newest are the ones that are read


def pages() -> bool:
    """Lay out all pages in all languages for nobody, unless that has been done and they are the same.

    Altair reads its schema with the first chart, and keeps what it read; a record's text and charts are the
    same for all readers.

    Returns:
        Whether there was anything to do.
    """
    from altair.utils import schemapi
    from ipywidgets import Widget

    from workbench.errors import WorkbenchError
    from workbench.locale import LANGUAGES
    from workbench.publish import bundle
    from workbench.publish.page import PUBLISHED, show_page
    from workbench.publish.ready import keeping

    global _pages
    # Checking against the schema takes half of the time a chart is made in, and tests check every chart.
    schemapi.disable_debug_mode()
    folder = Path(os.environ.get(PUBLISHED, "published"))
    found = [(page.slug, page.version) for page in bundle.pages(folder)][:_MOST]
    if found == _pages:
        return False
    _pages = found
    with keeping():
        for slug, _ in found:
            for language in LANGUAGES:
                os.environ["QUERY_STRING"] = f"lang={language}"
                try:
                    show_page(slug)
                except WorkbenchError:
                    pass  # its readers are told
                finally:
                    Widget.close_all()
    return True
