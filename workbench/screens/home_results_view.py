"""The widgets of the kept results on the home: what narrows them down, and the results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

import ipywidgets

from workbench.locale import Texts
from workbench.publish.library import OUTCOMES, outcome, outcome_name
from workbench.publish.markup import chip
from workbench.publish.page import address
from workbench.publish.publications import Publication
from workbench.publish.result import html, unbroken
from workbench.publish.versions import question
from workbench.records import AnyRecord
from workbench.screens import controls, titles
from workbench.screens.frame import columns, served, way
from workbench.screens.home_state import HomeState
from workbench.screens.notes import counted
from workbench.screens.notes_view import note_markup, notes


def results(state: HomeState, t: Texts) -> ipywidgets.VBox:
    """All kept results, and what narrows them down."""
    listed = html("")
    everything = controls.button("", lambda: setattr(state, "all_results", True))
    everything.add_class("wb-more")

    def options() -> list[tuple[str, object]]:
        return [(t("any"), ""), *((t(outcome_name(one)), one) for one in OUTCOMES)]

    asked = [
        controls.text(state, "search", t("Search"), live=True),
        controls.choice(state, "outcome", t("What became of it"), options),
        controls.meanings(
            t,
            [
                (t("Search"), t("Words of the question or of the answer, in any order.")),
                (t("What became of it"), t("Only results with this end; those that failed as well.")),
            ],
        ),
    ]
    box = ipywidgets.VBox(layout=ipywidgets.Layout(width="100%"))
    title = html(f"<h2>{escape(t('All results'))}</h2>")
    found = columns(state, asked, [listed, everything], t)

    def write(_change: object = None) -> None:
        if not state.kept:
            words = t("No result has been kept yet. Ask a question under {screen} and keep the answer.")
            link = way("3-effect-lab", titles(t)["3-effect-lab"], t)
            box.children = [
                html(
                    f"<h2>{escape(t('All results'))}</h2>"
                    f'<p class="wb-help">{escape(words).replace("{screen}", link)}</p>'
                )
            ]
            return
        records = state.results(t)
        state.offer(records)
        listed.value = _listed(state, records, t)
        filtered = bool(state.search.strip() or state.outcome)
        everything.description = t("Show all {n:count} results", n=state.kept)
        some = not filtered and len(records) + state.damaged < state.kept
        everything.layout.display = "" if some else "none"
        box.children = [title, found]

    write()
    state.observe(write, ["search", "outcome", "all_results", "kept", "pages", "written"])
    return box


def notes_on_results(state: HomeState, t: Texts) -> ipywidgets.VBox:
    """The notes on one of the results, and the choice of which."""

    def options() -> list[tuple[str, object]]:
        return [(t(one), str(one)) for one in state.noteable]

    return notes(
        state.notes, t, [controls.choice(state, "noted", t("Which result"), options, follows="noteable")]
    )


def _listed(state: HomeState, records: Sequence[AnyRecord], t: Texts) -> str:
    out: dict[str, list[Publication]] = {}
    for page in state.pages:
        for record_id in page.records if page.shown else ():
            out.setdefault(record_id, []).append(page)

    def entry(record: AnyRecord) -> str:
        day = t.date(local(state, record.created).date())
        where = [
            f'<a href="{address(page.slug, t.language)}">{escape(page.title)}</a>'
            if served()
            else escape(page.title)
            for page in out.get(record.id, ())
        ]
        on = f" · {escape(t('on the page'))} {', '.join(where)}" if where else ""
        return (
            f"<li><h3>{escape(t(question(record)))}</h3>"
            f"<p>{chip(outcome(record), t)} {unbroken(t(record.verdict))}</p>"
            f'<p class="wb-help">{escape(day)}{on}</p>{_written(state, record, t)}</li>'
        )

    said = f'<ul class="wb-entries">{"".join(map(entry, records))}</ul>'
    if not records:
        said = f'<p role="status">{escape(t("No kept result is like that."))}</p>'
    if state.damaged:
        words = t("Damaged or from another version, and not shown: {n:count}", n=state.damaged)
        said += f'<p class="wb-help">{escape(words)}</p>'
    return said


def _written(state: HomeState, record: AnyRecord, t: Texts) -> str:
    """What was written about a result, behind a line that says how much that is."""
    threads = state.written.of(record)
    told = counted(threads, t)
    if not told:
        return ""
    said = "".join(note_markup(note, state.notes, t) for thread in threads for note in thread.notes)
    return f"<details><summary>{escape(told)}</summary>{said}</details>"


def local(state: HomeState, moment: datetime) -> datetime:
    """A moment on the shop's clock."""
    return moment.astimezone(ZoneInfo(state.project.settings.timezone))
