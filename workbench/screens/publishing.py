"""Publish: kept results become a page that others may see; nothing else goes out."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from zoneinfo import ZoneInfo

import ipywidgets
from traitlets import Bool, Instance, List, Unicode

from workbench.locale import Texts, say
from workbench.publish import bundle
from workbench.publish import versions as history
from workbench.publish.association_result import AssociationView
from workbench.publish.page import address, record_view
from workbench.publish.pdf import pdf
from workbench.publish.result import ResultView, html
from workbench.publish.versions import Version, question
from workbench.records import AnyRecord
from workbench.screens import controls
from workbench.screens.download import Download
from workbench.screens.frame import columns, served
from workbench.screens.inbox import Sent
from workbench.screens.publishing_versions import versions_of
from workbench.screens.state import ScreenState
from workbench.screens.work import Turn

_IN_SIGHT = 8


class PublishState(ScreenState):
    """Kept records, those that are chosen, and the pages that are out.

    Attributes:
        records: The kept records, newest first.
        chosen: Ids of those for the page, in the order in which they were chosen.
        title: The page's title.
        audience: For whom it is, in a few words; may be empty.
        sensitive_too: Whether a result may tell what is sensitive about people.
        pages: The pages that are out, newest first.
        down: Pages that were taken down and whose versions are kept.
        published: The slug of the page that was published last.
    """

    ways = ("3-effect-lab", "4-lifetime-value")

    records = List()
    chosen = List(Unicode())
    title = Unicode("")
    audience = Unicode("")
    sensitive_too = Bool(False)
    pages = List(Instance(bundle.Page))
    down = List(Unicode())
    published = Unicode("")

    def refresh(self) -> None:
        super().refresh()
        self.records = list(self.project.records.values())
        self.pages = bundle.pages(self.project.path / "published")
        self.down = bundle.taken_down(self.project.path / "published")
        self.missing = None
        if not (self.records or self.pages or self.down):
            self.missing = say(
                "No result has been kept yet: keep one in the effect lab or under lifetime value."
            )

    def choose(self, record_id: str, *, wanted: bool) -> None:
        """Put a record on the page, or take it off."""
        if wanted != (record_id in self.chosen):
            rest = [chosen for chosen in self.chosen if chosen != record_id]
            self.chosen = [*rest, record_id] if wanted else rest

    def sensitive(self) -> bool:
        """Whether a chosen record tells what is sensitive about people."""
        known = {record.id: record for record in self.records}
        return any(bundle.shows_sensitive(self.project, known[chosen]) for chosen in self.chosen)

    def preview(self) -> list[AnyRecord]:
        """The chosen records as others will see them; none where together they would give people away."""
        known = {record.id: record for record in self.records}
        with self.working():
            return bundle.public(self.project, [known[chosen] for chosen in self.chosen])
        return []

    def publish(self) -> None:
        """Make the page; one with the same title gets another version."""
        if not self._gives_way():
            return
        known = {record.id: record for record in self.records}
        records, title = [known[chosen] for chosen in self.chosen], self.title
        asked = {"audience": self.audience, "sensitive_too": self.sensitive_too}

        def take(made: bundle.Page | None) -> None:
            if made is None:
                return
            self.published = made.slug
            self.notice = say("“{title}” is published.", title=title.strip())
            if made.version > 1:
                self.notice = say(
                    "Version {version:count} of “{title}” is published; the former ones are kept.",
                    version=made.version,
                    title=title.strip(),
                )
            self.title, self.audience, self.chosen, self.sensitive_too = "", "", [], False
            self.refresh()

        self.wait_for(lambda _: self.project.publish(records, title, **asked), take, ends=False)

    def unpublish(self, slug: str, *, for_good: bool = False) -> None:
        """Take a page down, or delete all its versions."""
        with self.working():
            bundle.unpublish(self.project, slug, for_good=for_good)
            self.notice = say("The page is no longer published; its versions and results are still kept.")
            if for_good:
                self.notice = say("The page and all its versions are deleted; its results are still kept.")
            self.refresh()

    def roll_back(self, slug: str, version: int) -> None:
        """Show another version of a page to its readers."""
        with self.working():
            page = bundle.roll_back(self.project, slug, version)
            self.notice = say(
                "Readers of “{title}” now see version {version:count}.", title=page.title, version=version
            )
            self.refresh()

    def as_pdf(self, slug: str, language: str, take: Callable[[Sent | None], None]) -> None:
        """Print the page as its readers see it, for paper.

        Args:
            slug: The page.
            language: Its language.
            take: Takes the file; None where it could not be printed, or something else is wanted by now.
        """
        if not self._gives_way():
            take(None)
            return

        def made(content: bytes | None) -> None:
            take(None if content is None else (f"{slug}.pdf", content))

        def printed(turn: Turn) -> bytes:
            turn.tell(doing=say("Printing the page …"))
            return pdf(self.project, slug, language=language)

        self.wait_for(printed, made)

    def _gives_way(self) -> bool:
        """Whether something else may be begun: printing ends for it, publishing does not."""
        if self.busy and self.work.ends:
            self._taken(None)
            self.drop()
        return not self.busy

    def versions(self, slug: str) -> list[Version]:
        """The versions of a page, newest first, each checked."""
        with self.working():
            return history.versions(self.project, slug)
        return []

    def moved(self, slug: str, t: Texts) -> list[str]:
        """What is other in the newest version than in the one before; nothing where there is only one."""
        numbers = bundle.numbers(self.project.path / "published" / slug)
        if len(numbers) < 2:
            return []
        with self.working():
            return history.moved(self.project, slug, numbers[-2], numbers[-1], t)
        return []


def view(state: PublishState, t: Texts) -> ipywidgets.Widget:
    """The kept results to choose from on the left; what is out, and what would go out, on the right."""
    publish = controls.button(t("Publish"), state.publish, primary=True)

    may = controls.tick(state, "sensitive_too", t("Show splits by age, sex and the like"))

    def allow(_change: object = None) -> None:
        publish.disabled = not (state.chosen and state.title.strip())
        may.layout.display = "" if state.sensitive() else "none"

    allow()
    state.observe(allow, ["chosen", "title"])
    asked = [
        _records(state, t),
        controls.text(state, "title", t("Title of the page"), live=True),
        controls.text(state, "audience", t("For whom it is")),
        may,
        controls.allowed(publish, state.project, "publish", t),
        controls.meanings(t, _meanings(state, t)),
    ]
    return columns(state, asked, [_link(state, t), _pages(state, t), _preview(state, t)], t)


def _records(state: PublishState, t: Texts) -> ipywidgets.VBox:
    """A box to tick for each kept result, newest first; older ones are under “more”."""
    box = ipywidgets.VBox()
    title = html(f'<p class="wb-label">{escape(t("Kept results, newest first"))}</p>')
    zone = ZoneInfo(state.project.settings.timezone)
    ticks: dict[str, ipywidgets.Checkbox] = {}

    def line(record: AnyRecord) -> ipywidgets.VBox:
        tick = ipywidgets.Checkbox(description=t(question(record)), indent=False, layout=controls.full())
        ticks[record.id] = tick
        tick.observe(lambda change: state.choose(record.id, wanted=change.new), "value")
        day = t.date(record.created.astimezone(zone).date())
        words = html(f'<p class="wb-help">{escape(day)} · {escape(t(record.verdict))}</p>')
        return ipywidgets.VBox([tick, words]).add_class("wb-choice")

    def follow(_change: object = None) -> None:
        for record_id, tick in ticks.items():
            tick.value = record_id in state.chosen

    def fill(_change: object = None) -> None:
        ticks.clear()
        rows = [line(record) for record in state.records]
        rest = [controls.more(t, rows[_IN_SIGHT:])] if len(rows) > _IN_SIGHT else []
        box.children = [title, *rows[:_IN_SIGHT], *rest]
        follow()

    fill()
    state.observe(fill, "records")
    state.observe(follow, "chosen")
    return box


def _link(state: PublishState, t: Texts) -> ipywidgets.HTML:
    """Where the page is that was published last."""
    widget = html("")

    def write(_change: object = None) -> None:
        link = ""
        if state.published in [page.slug for page in state.pages]:
            link = f"<p>{_way_to(state.published, t('Open the page'), t)}</p>"
        widget.value = link

    write()
    state.observe(write, ["published", "pages"])
    return widget


def _way_to(slug: str, words: str, t: Texts) -> str:
    """A link where pages are served; the command that serves them elsewhere."""
    if served():
        return f'<a href="{address(slug, t.language)}" target="_blank">{escape(words)}</a>'
    return escape(words)


def _pages(state: PublishState, t: Texts) -> ipywidgets.VBox:
    box = ipywidgets.VBox()
    title = html(f'<h2 class="wb-part">{escape(t("Published pages"))}</h2>')
    zone = ZoneInfo(state.project.settings.timezone)

    def line(page: bundle.Page) -> ipywidgets.VBox:
        day = t.date(page.published.astimezone(zone).date())
        words = html(f"{_way_to(page.slug, page.title, t)} <span>{escape(day)}</span>").add_class(
            "wb-segment"
        )
        away = controls.button(t("Take down"), lambda: state.unpublish(page.slug))
        away.tooltip = t("Take “{title}” down", title=page.title)
        controls.only(away, state.project, "publish", t)
        paper = _Paper(state, page.slug, t)
        paper.about = t("Save “{title}” as PDF", title=page.title)
        row = ipywidgets.Box([words, paper, away]).add_class("wb-row")
        return ipywidgets.VBox([row, versions_of(state, page.slug, t)])

    def gone(slug: str) -> ipywidgets.VBox:
        words = html(f"{escape(slug)} <span>{escape(t('taken down'))}</span>").add_class("wb-segment")
        delete = controls.button(t("Delete for good"), lambda: state.unpublish(slug, for_good=True))
        delete.tooltip = t("Delete all versions of “{slug}”", slug=slug)
        controls.only(delete, state.project, "publish", t)
        row = ipywidgets.Box([words, delete]).add_class("wb-row")
        return ipywidgets.VBox([row, versions_of(state, slug, t)])

    def fill(_change: object = None) -> None:
        rows: list[ipywidgets.Widget] = [line(page) for page in state.pages]
        rows += [gone(slug) for slug in state.down]
        if not rows:
            rows = [html(f'<p class="wb-help">{escape(t("Nothing has been published yet."))}</p>')]
        elif not served():
            hint = t("To see them, run: workbench serve {path}", path=str(state.project.path))
            rows.append(html(f'<p class="wb-help">{escape(hint)}</p>'))
        box.children = [title, *rows]

    fill()
    state.observe(fill, ["pages", "down"])
    return box


class _Paper(Download):
    """The button that prints a page; the file is handed over once there is one."""

    def __init__(self, state: PublishState, slug: str, t: Texts) -> None:
        super().__init__(lambda: None, label=t("Save as PDF"))
        self._print = lambda: state.as_pdf(slug, t.language, self.hand)

    def _wanted(self, _widget: object, _content: object, _buffers: object) -> None:
        self._print()


def _preview(state: PublishState, t: Texts) -> ipywidgets.VBox:
    """The chosen results as others will see them."""
    box = ipywidgets.VBox()
    title = html(f'<h2 class="wb-part">{escape(t("As others will see it"))}</h2>')
    views: dict[str, ResultView | AssociationView] = {}

    def fill(_change: object = None) -> None:
        shown = state.preview()
        for record in shown:
            views[record.id] = views.get(record.id) or record_view(record, t)
        hint = html(f'<p class="wb-help">{escape(t("Choose a result, and it is shown here."))}</p>')
        box.children = [title, *([views[record.id] for record in shown] or [hint])]

    fill()
    state.observe(fill, "chosen")
    return box


def _meanings(state: PublishState, t: Texts) -> list[tuple[str, str]]:
    return [
        (
            t("Kept results, newest first"),
            t("Those chosen appear on the page in the order in which you choose them."),
        ),
        (
            t("Title of the page"),
            t("A page with the same title gets another version; the former ones are kept."),
        ),
        (t("For whom it is"), t("A few words at the top of the page; they may be left out.")),
        (
            t("Save as PDF"),
            t("One sheet a result, printed by the Chromium, Chrome or Edge of this computer."),
        ),
        (t("Versions"), t("What was published when, whether it is still as it was, and the way back.")),
        (
            t("Show splits by age, sex and the like"),
            t("They are left out unless you say so; ask yourself whether the page needs them."),
        ),
        (
            t("As others will see it"),
            t(
                "Without groups of fewer than {least:count} people and with rounded counts; no customer, "
                "rule or query goes out.",
                least=state.project.settings.smallest_group,
            ),
        ),
    ]
