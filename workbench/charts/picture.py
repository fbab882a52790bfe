"""A chart with its words: the words are the page's, so that they wrap, are read out and can be copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from workbench.report import Row


@dataclass(frozen=True)
class Picture:
    """One chart that answers one question.

    Attributes:
        title: The answer.
        chart: The chart, without a title of its own.
        description: What the chart shows, for those who do not see it.
        caption: What its marks mean; empty when they need no words.
        wide: Whether it needs a line of its own where others stand side by side.
    """

    title: str
    chart: alt.LayerChart
    description: str
    caption: str = ""
    wide: bool = False


def in_words(rows: Sequence[Row]) -> str:
    """A table as one sentence.

    >>> in_words([{"Arm": "A", "Mean": "5 %"}, {"Arm": "B", "Mean": "6 %"}])
    'Arm A, Mean 5 %; Arm B, Mean 6 %'
    """
    return "; ".join(", ".join(f"{name} {value}" for name, value in row.items()) for row in rows)
