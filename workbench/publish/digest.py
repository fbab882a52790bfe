"""What has moved in a project since a moment: answers, data, checks, pages, plans and alarms.

Answers are those that a page would show to others (`disclosure`): nothing of few people, and nothing where so
few came in that then and now, or this digest and a former one, together would give them away. Whoever did
something is not told, nor what was done about people. A question is the same where all its settings are;
where only its line is the same, what was asked otherwise is said. When digests were made and which answers
they told is remembered (`digests.json`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from workbench import report, storage
from workbench.definitions import ALARMS
from workbench.engines import span
from workbench.errors import ProjectError, WorkbenchError
from workbench.locale import Message, Texts, say
from workbench.project import Project
from workbench.publish import data_checks
from workbench.publish.bundle import shows_sensitive
from workbench.publish.disclosure import disclosed_together
from workbench.publish.library import Library, outcome
from workbench.publish.moves import PLANNED, data_of, explained, other_settings, same_line, same_question
from workbench.publish.news import News, news_since
from workbench.publish.publications import publications
from workbench.publish.versions import question
from workbench.records import AnyRecord, Check

FILE: Final = "digests.json"
_RANK: Final = ("ok", "warn", "fail")


@dataclass(frozen=True)
class Answer:
    """A question that was answered since.

    Attributes:
        asked: The question.
        now: What is said now, as others may see it; None where that may not be shown.
        again: Whether it had been answered before.
        then: What was said then; None where it was not, or may not be shown.
        hidden: Why nothing is shown of it.
        otherwise: Which settings were other ones.
        explained: Whether new customers alone explain how far it moved, where that can be said.
        failing, recovered: Checks that went well before and do not now, and the other way round.
        flipped: Whether the outcome is another one.
        moved: Whether the sentence or a figure is.
    """

    asked: Message
    now: AnyRecord | None
    again: bool = False
    then: AnyRecord | None = None
    hidden: Message | None = None
    otherwise: tuple[Message, ...] = ()
    explained: Message | None = None
    failing: tuple[Check, ...] = ()
    recovered: tuple[Check, ...] = ()
    flipped: bool = False
    moved: bool = True


@dataclass(frozen=True)
class Digest:
    """What has moved.

    Attributes:
        since: The moment from which on; None for the beginning.
        at: When it was made.
        answers: Questions that were asked again: those whose outcome is another one first, then those that
            moved, the newest first.
        first: Questions that were answered for the first time, the newest first.
        until: The last moment of the data, then and now.
        rows: Table → its rows then and now; None where that is not known.
        failing, recovered: Checks of the data, and alarms, that have come to fail, and that no longer do; all
            that fail now where nobody has noted how they went then, which is what `noted` says.
        news: What else happened, the newest first.
        departures: Where new answers depart from what was planned.
        waiting: Questions that were not asked again though their data have changed.
    """

    since: datetime | None
    at: datetime
    answers: tuple[Answer, ...] = ()
    first: tuple[Answer, ...] = ()
    until: tuple[datetime | None, datetime | None] = (None, None)
    rows: Mapping[str, tuple[int | None, int]] | None = None
    failing: tuple[Check, ...] = ()
    recovered: tuple[Check, ...] = ()
    noted: bool = True
    news: tuple[News, ...] = ()
    departures: tuple[tuple[Message, Message], ...] = ()
    waiting: tuple[Message, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing has moved."""
        return not (
            self.first
            or (self.noted and self.failing)
            or self.recovered
            or self.news
            or self.departures
            or any(one.moved for one in self.answers)
            or any(then != now for then, now in (self.rows or {}).values())
        )


def digest(project: Project, since: date | datetime | None = None) -> Digest:
    """What has moved since a moment.

    Args:
        project: The project; its data are checked where that was not done today.
        since: A moment, or the beginning of a day, on the project's clock; the last digest before today
            unless given, and the beginning of everything where there was none.
    """
    begin = last(project) if since is None else moment(project, since)
    records = sorted(Library(project).everything(), key=lambda one: one.created, reverse=True)
    new = [record for record in records if begin is None or record.created > begin]
    old = [record for record in records if begin is not None and record.created <= begin]
    pairs = list(_pairs(project, new, old))
    failing, recovered, noted = _checks(project, begin)
    return Digest(
        since=begin,
        at=datetime.now(UTC),
        answers=tuple(
            sorted((one for one in pairs if one.again), key=lambda one: (not one.flipped, not one.moved))
        ),
        first=tuple(one for one in pairs if not one.again),
        until=(_until(old), _now(project)),
        rows=_rows(project, begin),
        failing=tuple(failing),
        recovered=tuple(recovered),
        noted=noted,
        news=tuple(_news(project, begin)),
        departures=tuple(_departures(new, old)),
        waiting=tuple(_waiting(project, records)),
    )


def moment(project: Project, since: date | datetime) -> datetime:
    """A moment on the project's clock; that of a day is its beginning."""
    at = since if isinstance(since, datetime) else datetime.combine(since, time())
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(project.settings.timezone))


def local(project: Project, at: datetime) -> datetime:
    """A moment on the project's clock."""
    return at.astimezone(ZoneInfo(project.settings.timezone))


def last(project: Project) -> datetime | None:
    """When the last digest before today was made; those of one day, as HTML and as PDF, tell of the same."""
    today = local(project, datetime.now(UTC)).date()
    told = [datetime.fromisoformat(one["at"]) for one in _made(project) if not one["aside"]]
    return max((at for at in told if local(project, at).date() < today), default=None)


def remember(project: Project, found: Digest, *, aside: bool = False) -> None:
    """Note what the team was told; the next digest begins where this one ends, unless that was `aside`."""
    told = [one for answer in (*found.answers, *found.first) for one in (answer.then, answer.now)]
    shown = sorted({one.id for one in told if one is not None})
    with storage.lock(project.path):
        made = [*_made(project), {"at": found.at.isoformat(), "aside": aside, "shown": shown}]
        storage.write_text(project.path / FILE, json.dumps(made, indent=1))


def _made(project: Project) -> list[dict[str, Any]]:
    """The digests that were made, oldest first."""
    file = project.path / FILE
    try:
        found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ProjectError(
            "{path} cannot be read, so it is not known what the last digest told; mend it or take it away.",
            path=str(file),
        ) from error
    return found


# --- answers --------------------------------------------------------------------------------------------


def _pairs(project: Project, new: Sequence[AnyRecord], old: Sequence[AnyRecord]) -> Iterator[Answer]:
    """The newest answer to each question, beside the last one before; newest first."""
    latest = {same_question(record): record for record in reversed(new)}
    exact = {same_question(record): record for record in reversed(old)}
    alike = {same_line(record): record for record in reversed(old)}
    found = [record for record in new if latest[same_question(record)] is record]
    before = [exact.get(same_question(record)) or alike.get(same_line(record)) for record in found]
    least = project.settings.smallest_group
    earlier = [record for record in before if record is not None]
    told = _told(project, [*new, *old])
    former = dict(zip((one.id for one in earlier), _shown(project, earlier, least, told), strict=True))
    known = [*told, *((one, shown) for one in earlier if (shown := former[one.id]) is not None)]
    for record, then, shown in zip(found, before, _shown(project, found, least, known), strict=True):
        seen = None if then is None else former[then.id]
        if shown is None or (then is not None and seen is None):
            hidden = _why_hidden(project, [record, *([] if then is None else [then])], least)
            yield Answer(question(record), None, again=then is not None, hidden=hidden)
        elif then is None or seen is None:
            yield Answer(question(record), shown)
        else:
            yield _moved(then, record, seen, shown)


def _told(project: Project, records: Iterable[AnyRecord]) -> list[tuple[AnyRecord, AnyRecord]]:
    """The answers that former digests told of, as they were kept, and as if all of them had been told."""
    ids = {name for one in _made(project) for name in one["shown"]}
    return [(record, record) for record in records if record.id in ids]


def _shown(
    project: Project,
    records: Sequence[AnyRecord],
    least: int,
    before: Sequence[tuple[AnyRecord, AnyRecord]],
) -> list[AnyRecord | None]:
    """Each as others may see it beside the others; None for those that they may not."""
    may = [record for record in records if shows_sensitive(project, record) is None]
    try:
        shown = disclosed_together(may, least=least, before=before)
    except WorkbenchError:  # two of them give few people away: the newest first, and the other one not
        taken: list[AnyRecord] = []
        shown = []
        for record in may:
            with suppress(WorkbenchError):
                shown = disclosed_together([*taken, record], least=least, before=before)
                taken.append(record)
    by_id = {record.id: record for record in shown}
    return [by_id.get(record.id) for record in records]


def _why_hidden(project: Project, records: Iterable[AnyRecord], least: int) -> Message:
    for record in records:
        if (column := shows_sensitive(project, record)) is not None:
            return say("It tells of “{column}”, which is sensitive, and is not shown here.", column=column)
    return say(
        "Beside what else was told it would give fewer than {least:count} people away; it is told once more "
        "have come in.",
        least=least,
    )


def _moved(then: AnyRecord, now: AnyRecord, seen: AnyRecord, shown: AnyRecord) -> Answer:
    """An answer beside the one before, `seen` and `shown` as others may see them."""
    exact = same_question(then) == same_question(now)
    went = {check.name: check.status for check in seen.checks}
    goes = {check.name: check.status for check in shown.checks}
    return Answer(
        asked=question(now),
        now=shown,
        again=True,
        then=seen,
        otherwise=() if exact else tuple(other_settings(then, now)),
        explained=explained(then, now) if exact else None,
        failing=_come_to_fail(shown.checks, went),
        recovered=_come_to_fail(seen.checks, goes),
        flipped=exact and outcome(then) != outcome(now),
        moved=_said(seen) != _said(shown),
    )


def _come_to_fail(checks: Iterable[Check], before: Mapping[str, str]) -> tuple[Check, ...]:
    """Those that went better `before`, or were not there; departures from a plan are told apart from them."""
    return tuple(
        one for one in checks if one.name != PLANNED and _worse(before.get(one.name, "ok"), one.status)
    )


def _worse(then: str, now: str) -> bool:
    return _RANK.index(now) > _RANK.index(then)


def _said(record: AnyRecord) -> tuple[object, ...]:
    """What a reader takes from a record."""
    t = Texts("en", record.project.currency)
    return outcome(record), t(record.verdict), *(() if record.failed else report.figures(record, t))


def _departures(new: Sequence[AnyRecord], old: Sequence[AnyRecord]) -> Iterator[tuple[Message, Message]]:
    """Question and where its answer departs from the plan, if that is new."""
    told = {(str(question(one)), str(detail)) for one in old for detail in _apart(one)}
    for record in new:
        for detail in _apart(record):
            if (str(question(record)), str(detail)) not in told:
                told.add((str(question(record)), str(detail)))
                yield question(record), detail


def _apart(record: AnyRecord) -> list[Message]:
    apart = [one.detail for one in record.checks if one.name == PLANNED and one.status != "ok"]
    return [detail.values.get("reason", detail) for detail in apart]


def _waiting(project: Project, records: Sequence[AnyRecord]) -> Iterator[Message]:
    """Questions whose last answer is about data that are others now."""
    if project.in_place:
        return
    now = {name: entry["sha256"] for name, entry in project.manifest().items()}
    told: set[str] = set()
    for record in records:
        if same_line(record) in told:
            continue
        told.add(same_line(record))
        if any(now.get(name) != digest for name, digest in data_of(record).items()):
            yield question(record)


# --- data, checks, news ---------------------------------------------------------------------------------


def _until(records: Iterable[AnyRecord]) -> datetime | None:
    """Until when the data went that answers of then were made of."""
    return max((one.source.until for one in records if one.source.until is not None), default=None)


def _now(project: Project) -> datetime | None:
    """The last moment of the data."""
    seconds = span(project.everything, "orders", "events", "exposures")
    return datetime.fromtimestamp(seconds[1], UTC) if seconds else None


def _rows(project: Project, since: datetime | None) -> dict[str, tuple[int | None, int]] | None:
    """Table → rows then and now; None for tables in a database, whose rows nobody counts."""
    if project.in_place:
        return None
    now = {name: int(entry["rows"]) for name, entry in project.manifest().items()}
    then = {} if since is None else project.store.rows_at(since)
    if then is None:
        return {name: (None, rows) for name, rows in now.items()}
    return {name: (then.get(name, 0), now.get(name, 0)) for name in {**now, **then}}


def _checks(project: Project, since: datetime | None) -> tuple[list[Check], list[Check], bool]:
    """Checks of the data and alarms that came to fail, those that recovered, and whether that is known."""
    if project.in_place:
        return [], [], True
    known = data_checks.remembered(project)
    now = [*(data_checks.looked_over(project) if known is None else known), *_alarms(project)]
    then = {} if since is None else data_checks.noted(project, since)
    data_checks.note(project, now)
    if since is not None and not then:
        return [check for check in now if check.status != "ok"], [], False
    was = {name: check.status for name, check in then.items()}
    failing = [one for one in now if _worse(was.get(one.name, "ok"), one.status)]
    recovered = [one for one in now if one.name in was and _worse(one.status, was[one.name])]
    return failing, recovered, True


def _alarms(project: Project) -> list[Check]:
    """Whether the alarms sound."""
    try:
        found = project.trust()
    except WorkbenchError:  # without the tables that it needs, or the right to ask
        return []
    return [
        check.model_copy(update={"examples": ()})
        for check in found.checks
        if check.name in ALARMS and check.name not in found.muted
    ]


def _news(project: Project, since: datetime | None) -> list[News]:
    beginning = datetime.min.replace(tzinfo=UTC)
    return news_since(project, publications(project, Library(project)), since or beginning)
