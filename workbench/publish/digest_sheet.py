"""The digest in words: one sentence, three figures, then and now side by side, and what else happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from html import escape
from importlib import metadata
from itertools import groupby
from typing import Any

from workbench import report
from workbench.locale import Message, Texts, say
from workbench.project import Project
from workbench.publish.blocks import Block
from workbench.publish.content import Folded
from workbench.publish.digest import Answer, Digest, local
from workbench.publish.library import outcome
from workbench.publish.markup import SIGNS, checks, chip, figure_row, stated, table, unbroken
from workbench.publish.sheet import Sheet, document
from workbench.records import AnyRecord, Check

_PROGRAM = "personalization-workbench"


def digest_document(project: Project, found: Digest, language: str | None = None) -> str:
    """The digest as one HTML file, in all languages.

    Args:
        project: The project.
        found: What has moved in it.
        language: What readers get whose browser asks for none that we speak; the project's unless given.
    """
    settings = project.settings
    return document(lambda t: _sheet(project, found, t), language or settings.language, settings.currency)


def verdict(project: Project, found: Digest) -> Message:
    """What has moved, in one sentence."""
    flipped = sum(one.flipped for one in found.answers)
    moved = sum(one.moved and not one.flipped for one in found.answers)
    first, failing = len(found.first), len(found.failing) if found.noted else 0
    added = sum(max(0, now - (then or 0)) for then, now in (found.rows or {}).values() if then is not None)
    parts = [
        _counted(flipped, say("one decision changed"), say("{n:count} decisions changed", n=flipped)),
        _counted(moved, say("one answer moved"), say("{n:count} answers moved", n=moved)),
        _counted(
            first,
            say("one question was answered for the first time"),
            say("{n:count} questions were answered for the first time", n=first),
        ),
        _counted(added, say("one row of data came in"), say("{n:count} rows of data came in", n=added)),
        _counted(failing, say("one check came to fail"), say("{n:count} checks came to fail", n=failing)),
    ]
    told = [part for part in parts if part is not None]
    if found.since is None:
        if not told:
            return say("Nothing has happened in this project yet.")
        return say("So far: {what:listing}.", what=told)
    day = local(project, found.since).date()
    if found.empty:
        return say("Nothing has moved since {day:date}.", day=day)
    if not told:
        return say("Since {day:date} no answer has moved.", day=day)
    return say("Since {day:date}: {what:listing}.", day=day, what=told)


def file_name(project: Project, found: Digest, ending: str) -> str:
    """What its file is called."""
    return f"digest-{local(project, found.at).date().isoformat()}.{ending}"


def script(project: Project, found: Digest, t: Texts) -> dict[str, Any]:
    """The digest for a machine."""

    def told(record: AnyRecord | None) -> dict[str, Any] | None:
        if record is None:
            return None
        figures = [] if record.failed else report.figures(record, t)[:1]
        return {
            "record": record.id,
            "outcome": outcome(record),
            "verdict": t(record.verdict),
            "figure": {"label": figures[0].label, "value": figures[0].value, "detail": figures[0].detail}
            if figures
            else None,
        }

    def answers(found: Sequence[Answer]) -> list[dict[str, Any]]:
        return [
            {
                "question": t(one.asked),
                "then": told(one.then),
                "now": told(one.now),
                "flipped": one.flipped,
                "moved": one.moved,
                "notes": [t(line) for line in _lines(one)],
            }
            for one in found
        ]

    def checked(items: Sequence[Check]) -> list[dict[str, str]]:
        return [{"name": one.name, "status": one.status, "detail": t(one.detail)} for one in items]

    return {
        "verdict": t(verdict(project, found)),
        "since": found.since,
        "at": found.at,
        "answers": answers(found.answers),
        "first": answers(found.first),
        "data_until": {"then": found.until[0], "now": found.until[1]},
        "rows": {name: {"then": then, "now": now} for name, (then, now) in (found.rows or {}).items()},
        "failing": checked(found.failing),
        "recovered": checked(found.recovered),
        "departures": [{"question": t(asked), "detail": t(detail)} for asked, detail in found.departures],
        "news": [{"at": one.at, "kind": one.kind, "text": t(one.text)} for one in found.news],
        "not_asked_again": [t(asked) for asked in found.waiting],
    }


def _lines(one: Answer) -> list[Message]:
    """What is to be said of an answer beside what it says."""
    asked = say("Asked otherwise than before: {what:listing}.", what=list(one.otherwise))
    return [
        *([] if one.hidden is None else [one.hidden]),
        *([asked] if one.otherwise else []),
        *([] if one.explained is None else [one.explained]),
    ]


def _counted(n: int, one: Message, more: Message) -> Message | None:
    return None if n == 0 else one if n == 1 else more


def _sheet(project: Project, found: Digest, t: Texts) -> Sheet:
    words = _Words(project, found, t)
    at = local(project, found.at)
    since = t("since {day:date}", day=local(project, found.since).date()) if found.since else ""
    return Sheet(
        title=t("What has moved"),
        facts=[project.settings.name, since, words.until],
        pages=[words.blocks()],
        foot=[
            t(
                "Made on {day:date}. Answers are told as on published pages: groups of fewer than "
                "{least:count} people are not shown and counts of people are rounded.",
                day=at.date(),
                least=project.settings.smallest_group,
            ),
            t("Made with {made}.", made=f"{_PROGRAM} {metadata.version(_PROGRAM)}"),
        ],
    )


class _Words:
    """The parts of the digest in one language."""

    def __init__(self, project: Project, found: Digest, t: Texts) -> None:
        self._project, self._found, self._t = project, found, t

    @property
    def until(self) -> str:
        """Until when the data go."""
        last = self._found.until[1]
        return "" if last is None else self._t("data until {day:date}", day=self._day(last))

    def blocks(self) -> list[Block]:
        found, t = self._found, self._t
        flipped = [one for one in found.answers if one.flipped]
        moved = [one for one in found.answers if one.moved and not one.flipped]
        still = [one for one in found.answers if not one.moved]
        return [
            stated(verdict(self._project, found), t, association=False),
            figure_row(self._figures()),
            self._answers(t("Decisions that changed"), flipped),
            self._answers(t("Answers that moved"), moved),
            self._how_sure(),
            self._answers(t("Answered for the first time"), found.first),
            self._departures(),
            self._checks(),
            self._data(),
            self._happened(),
            Folded(t("Asked again, and nothing moved"), "".join(map(self._answer, still))),
            Folded(t("Not asked again since their data changed"), self._waiting()),
        ]

    def _figures(self) -> list[report.Figure]:
        found, t = self._found, self._t
        told = []
        if found.answers or found.first:
            first = t("for the first time: {n:count}", n=len(found.first))
            told.append(
                report.Figure(t("Questions answered"), t.count(len(found.answers) + len(found.first)), first)
            )
        rows = found.rows or {}
        if rows and all(then is not None for then, _ in rows.values()):
            added = sum(now - (then or 0) for then, now in rows.values())
            total = t("now {n:count}", n=sum(now for _, now in rows.values()))
            told.append(report.Figure(t("Rows of data"), _signed(added, t), total))
        then, now = found.until
        if now is not None:
            before = t("before: {day:date}", day=self._day(then)) if then else t("not known from before")
            told.append(report.Figure(t("Data until"), t.date(self._day(now)), before))
        return told

    # --- answers ----------------------------------------------------------------------------------------

    def _answers(self, title: str, answers: Sequence[Answer]) -> str:
        if not answers:
            return ""
        told = "".join(map(self._answer, answers))
        return f'<section><h2 class="wb-part">{escape(title)}</h2>{told}</section>'

    def _answer(self, one: Answer) -> str:
        t = self._t
        notes = "".join(f"<p>{unbroken(t(line))}</p>" for line in _lines(one))
        sides = [] if one.then is None else [self._side(say("Then, {day:date}"), one.then)]
        if one.now is not None:
            sides.append(self._side(say("Now, {day:date}") if one.then else say("{day:date}"), one.now))
        beside = f'<div class="wb-then-now">{"".join(sides)}</div>' if sides else ""
        turned = "".join(_turned(check.status, check.detail, t) for check in one.failing)
        for check in one.recovered:
            turned += _turned("ok", say("No longer so: “{detail}”", detail=check.detail), t)
        asked = unbroken(t(one.asked))
        return f'<article class="wb-move"><h3>{asked}</h3>{beside}{notes}{turned}</article>'

    def _side(self, when: Message, record: AnyRecord) -> str:
        """What a record says: its outcome, sentence and main figure."""
        t = self._t
        day = self._day(record.created)
        figures = [] if record.failed else report.figures(record, t)[:1]
        main = "".join(
            f'<p class="wb-label">{unbroken(one.label)}</p><p class="wb-value">{unbroken(one.value)}</p>'
            f'<p class="wb-detail">{unbroken(one.detail)}</p>'
            for one in figures
        )
        return (
            f'<div class="wb-side"><p><span class="wb-when">{escape(t(when, day=day))}</span> '
            f"{chip(outcome(record), t)}</p>{main}<p>{unbroken(t(record.verdict))}</p></div>"
        )

    def _how_sure(self) -> str:
        if not any(one.explained for one in self._found.answers):
            return ""
        words = self._t(
            "Those who were counted then are counted now as well, so a move is held against what those who "
            "came in could bring about, not against two samples. Of many answers, a few move further by "
            "chance."
        )
        return f'<p class="wb-help">{escape(words)}</p>'

    def _departures(self) -> str:
        t = self._t
        title = escape(t("Otherwise than planned"))
        by_reason: dict[str, list[str]] = {}
        for asked, detail in self._found.departures:
            by_reason.setdefault(t(detail), []).append(t(asked))
        items = "".join(
            f'<li>{unbroken(reason)} <span class="wb-label">({unbroken(t.listing(asked))})</span></li>'
            for reason, asked in by_reason.items()
        )
        return f'<section><h2 class="wb-part">{title}</h2><ul>{items}</ul></section>' if items else ""

    # --- data and all else ------------------------------------------------------------------------------

    def _checks(self) -> str:
        found, t = self._found, self._t
        told = ""
        if found.failing:
            title = t("Checks that came to fail") if found.noted else t("Checks that do not go well")
            told = checks(found.failing, t, title)
            if not found.noted:
                words = t("How they went before has not been noted; from now on it is.")
                told += f'<p class="wb-help">{escape(words)}</p>'
        return told + (checks(found.recovered, t, t("Checks that recovered")) if found.recovered else "")

    def _data(self) -> str:
        found, t = self._found, self._t
        changed = {name: pair for name, pair in sorted((found.rows or {}).items()) if pair[0] != pair[1]}
        rows = [
            {
                t("Table"): name,
                t("Rows then"): "–" if then is None else t.count(then),
                t("Rows now"): t.count(now),
                t("Added"): "–" if then is None else _signed(now - then, t),
            }
            for name, (then, now) in changed.items()
        ]
        if not rows:
            return ""
        note = ""
        if any(then is None for then, _ in changed.values()):
            words = t("How many rows there were then has not been noted; from now on it is.")
            note = f'<p class="wb-help">{escape(words)}</p>'
        return f'<section><h2 class="wb-part">{escape(t("Data"))}</h2>{table(rows)}{note}</section>'

    def _happened(self) -> str:
        found, t = self._found, self._t
        days = "".join(
            f"<dt>{escape(t.date(day))}</dt><dd>"
            + "".join(f"<p>{unbroken(t(one.text))}</p>" for one in events)
            + "</dd>"
            for day, events in groupby(found.news, lambda one: self._day(one.at))
        )
        title = escape(t("Files, pages, plans and alarms"))
        return f'<section><h2 class="wb-part">{title}</h2><dl>{days}</dl></section>' if days else ""

    def _waiting(self) -> str:
        items = "".join(f"<li>{unbroken(self._t(asked))}</li>" for asked in self._found.waiting)
        return f"<ul>{items}</ul>" if items else ""

    def _day(self, at: datetime) -> date:
        return local(self._project, at).date()


def _turned(status: str, detail: Message, t: Texts) -> str:
    """A check of an answer that goes otherwise than before, in a line."""
    sign = f'<span class="wb-sign" aria-hidden="true">{SIGNS[status]}</span>'
    return f'<p class="wb-{status}">{sign} {unbroken(t(detail))}</p>'


def _signed(change: int, t: Texts) -> str:
    """A change of a count, with its sign."""
    return ("+" if change > 0 else "−" if change < 0 else "") + t.count(abs(change))
