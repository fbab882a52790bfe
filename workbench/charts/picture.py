"""A chart with its words: the words are the page's, so that they wrap, are read out and can be copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from workbench.report import Row


BROUGHT = "WORKBENCH_VEGA_BROUGHT"
"""The environment variable that is set where pages bring Vega themselves."""


class Specified(Protocol):
    """A chart of Altair, or a `Drawing`."""

    def to_dict(self) -> dict[str, Any]:
        """Its specification in Vega-Lite."""


@dataclass(frozen=True)
class Drawing:
    """A chart apart from what it shows: with other data it need not be made again, only filled again.

    Attributes:
        spec: In Vega-Lite, with named data. The same object for all drawings that differ in their data only,
            so whoever makes it remembers it; nobody changes it.
        data: Name → rows.
    """

    spec: Mapping[str, Any]
    data: Mapping[str, Sequence[Mapping[str, Any]]]

    def to_dict(self) -> dict[str, Any]:
        """The whole specification."""
        return {**self.spec, "datasets": {name: list(rows) for name, rows in self.data.items()}}


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
    chart: Specified
    description: str
    caption: str = ""
    wide: bool = False

    @cached_property
    def drawn(self) -> Drawing:
        """The chart as a drawing; one of Altair is written down only once."""
        if isinstance(self.chart, Drawing):
            return self.chart
        from workbench.charts.theme import specified

        return Drawing(specified(self.chart), {})


def in_words(rows: Sequence[Row]) -> str:
    """A table as one sentence.

    >>> in_words([{"Arm": "A", "Mean": "5 %"}, {"Arm": "B", "Mean": "6 %"}])
    'Arm A, Mean 5 %; Arm B, Mean 6 %'
    """
    return "; ".join(", ".join(f"{name} {value}" for name, value in row.items()) for row in rows)
