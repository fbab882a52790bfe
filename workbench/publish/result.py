"""A record on a page that is alive: the parts of `content`, as widgets that other records can take over."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets

from workbench.charts.picture import Picture
from workbench.charts.runtime import Chart, Shared, one, show
from workbench.locale import Texts
from workbench.publish.content import content
from workbench.publish.fold import Fold
from workbench.publish.markup import SIGNS as SIGNS
from workbench.publish.markup import Checked as Checked
from workbench.publish.markup import association_label as association_label
from workbench.publish.markup import checks as checks
from workbench.publish.markup import details as details
from workbench.publish.markup import figure_row as figure_row
from workbench.publish.markup import health as health
from workbench.publish.markup import message_text as message_text
from workbench.publish.markup import sentence as sentence
from workbench.publish.markup import table as table
from workbench.publish.markup import unbroken as unbroken
from workbench.records import CohortRecord, EffectRecord, ValueRecord

type Shown = EffectRecord | ValueRecord | CohortRecord


_WIDE = {"width": "100%", "overflow": "visible"}


class ResultView(ipywidgets.VBox):
    """A record on a page; another one takes its place part by part, so that nothing jumps or flickers.

    Args:
        t: The reader's language.
        record: What to show at first.
        trust_first: Whether a light above the sentence says how the checks went; pages have one already.
    """

    def __init__(self, t: Texts, record: Shown | None = None, *, trust_first: bool = False) -> None:
        self._t = t
        self._trust_first = trust_first
        self._sentence, self._figures, self._segments, self._checks, self._beside = (
            steady() for _ in range(5)
        )
        self._pictures = Pictures()
        self._table, self._tests, self._details = Fold(), Fold(), Fold(kind="wb-details")
        super().__init__(
            [
                self._sentence,
                self._figures,
                self._pictures,
                self._segments,
                self._table,
                self._checks,
                self._beside,
                self._tests,
                self._details,
            ],
            layout=ipywidgets.Layout(width="100%"),
        )
        self.add_class("wb-record")
        if record is not None:
            self.show(record)

    def show(self, record: Shown) -> None:
        """Put `record` on the page."""
        found = content(record, self._t, trust_first=self._trust_first)
        self._sentence.value = found.sentence
        self._figures.value = found.figures
        self._pictures.show(found.pictures)
        self._segments.value = found.segments
        self._checks.value = found.checks
        self._beside.value = found.beside
        for fold, part in (
            (self._table, found.table),
            (self._tests, found.tests),
            (self._details, found.details),
        ):
            fold.title, fold.content = part.title, part.content


class Frame(ipywidgets.VBox):
    """A chart between its title and its caption.

    Args:
        heading: The tag of the title.
    """

    def __init__(self, heading: str = "h2") -> None:
        self._heading = heading
        self._title, self._caption = steady(), steady()
        self._chart: Chart = show(None, "")
        super().__init__([self._title, self._chart, self._caption])
        self.add_class("wb-picture")

    def show(self, picture: Picture, *, wide: bool) -> None:
        (self.add_class if wide else self.remove_class)("wb-wide")
        self._title.value = f'<{self._heading} class="wb-part">{unbroken(picture.title)}</{self._heading}>'
        self._chart.description = picture.description
        self._chart.chart = picture.drawn
        caption = f'<p class="wb-help">{unbroken(picture.caption)}</p>' if picture.caption else ""
        self._caption.value = caption


class Pictures(ipywidgets.Box):
    """Charts side by side; those of another answer take their places, so that nothing jumps or flickers.

    Args:
        heading: The tag of their titles.
    """

    def __init__(self, heading: str = "h2") -> None:
        self._heading = heading
        self._frames: list[Frame] = []
        self._shown = 0
        super().__init__()
        self.add_class("wb-pictures")

    def show(self, pictures: Sequence[Picture]) -> None:
        """Put these in the place of those that were there; one that would stand alone is wide."""
        self._frames += [Frame(self._heading) for _ in range(len(pictures) - len(self._frames))]
        alone = sum(not picture.wide for picture in pictures) == 1
        for frame, picture in zip(self._frames, pictures, strict=False):
            frame.show(picture, wide=picture.wide or alone)
        if len(pictures) != self._shown:
            self._shown, self.children = len(pictures), self._frames[: len(pictures)]
        self.layout.display = "" if pictures else "none"


def html(content: str) -> ipywidgets.HTML:
    """Markup that is as wide as the page."""
    return ipywidgets.HTML(content, layout=ipywidgets.Layout(**_WIDE))


def steady(content: str = "") -> ipywidgets.HTML:
    """The same, for markup that is never hidden: all of it shares a layout and a style.

    Otherwise each would tell the browser of two more widgets, a third of what opening a page costs.
    """
    return ipywidgets.HTML(content, layout=one(_wide), style=one(_plain))


def _wide() -> Shared:
    return Shared(**_WIDE)


def _plain() -> ipywidgets.Widget:
    return ipywidgets.widgets.widget_string.HTMLStyle()


def message(text: str, kind: str = "wb-error") -> ipywidgets.HTML:
    """One sentence that says what is wrong, read out at once."""
    return html(message_text(text, kind))
