"""A chart with its words: the words are the page's, so that they wrap, are read out and can be copied."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt


@dataclass(frozen=True)
class Picture:
    """One chart that answers one question.

    Attributes:
        title: The answer.
        chart: The chart, without a title of its own.
        description: What the chart shows, for those who do not see it.
        caption: What its marks mean; empty when they need no words.
    """

    title: str
    chart: alt.LayerChart
    description: str
    caption: str = ""
