"""What the first page of a process pays for all that follow, done once before readers come."""

from __future__ import annotations


def charts() -> None:
    """Draw a chart that nobody sees: Altair reads its schema with the first one, and keeps what it read."""
    from altair.utils import schemapi

    import workbench.people  # noqa: F401  # a page asks for the key of its project
    from workbench.charts import posterior
    from workbench.locale import LANGUAGES, Texts

    lines = [
        posterior.Line("a", "a", 1.0, (0.5, 1.5), (0.8, 1.2)),
        posterior.Line("b", "b", 2.0, (1.5, 2.5), (1.8, 2.2)),
    ]
    # Checking against the schema takes half of the time a chart is made in, and tests check every chart.
    schemapi.disable_debug_mode()
    for code in LANGUAGES:
        posterior.lines(lines, Texts(code), axis="x")
