"""The widgets for what a project holds: its tables, the checks, the days covered, what can be computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo

import ipywidgets

from workbench.charts import coverage as calendars
from workbench.charts.runtime import show
from workbench.locale import Texts
from workbench.metrics.catalogue import Readiness
from workbench.publish.fold import Fold
from workbench.publish.result import SIGNS, html, table
from workbench.records import Check, failures_first
from workbench.screens import controls
from workbench.screens.checking import CheckState, Coverage, Survey
from workbench.screens.frame import messages
from workbench.screens.presence import Presence

_LIGHTS = {"ready": ("ok", "✓"), "partly": ("warn", "▲"), "missing": ("none", "–")}


def view(state: CheckState, t: Texts) -> ipywidgets.Widget:
    """Everything about the tables of the project; empty while there are none."""
    holds, seen, fine, can = html(""), html(""), Fold(), html("")
    days = ipywidgets.Box().add_class("wb-pictures")
    days_title = html(f'<h2 class="wb-part">{escape(t("Days that are covered"))}</h2>')
    months = Fold(title=t("The days as a table"))
    calendar = ipywidgets.VBox([days_title, days, months])
    frames: dict[str, _Calendar] = {}

    def write(_change: object = None) -> None:
        held = state.held
        looked = bool(held.findings)
        holds.value = _holds(held, state, t)
        open_ones = [check for check in held.findings if check.status != "ok"]
        good = [check for check in held.findings if check.status == "ok"]
        seen.value = _part(t("What we checked"), _checks(open_ones, good, t)) if looked else ""
        fine.title = t("{n:count} checks are fine", n=len(good))
        fine.content = check_table(good, t) if good else ""
        calendar.layout.display = "" if held.coverage else "none"
        for one in held.coverage:
            frames.setdefault(one.table, _Calendar()).show(one, t)
        shown = [frames[one.table] for one in held.coverage]
        if list(days.children) != shown:
            days.children = shown
        months.content = "".join(_months(one, t) for one in held.coverage)
        can.value = _part(t("What can be computed"), _matrix(held.ready, t)) if looked else ""

    write()
    state.observe(write, ["held", "looking"])
    parts = [Presence(state.watch), messages(state, t), holds, seen, fine, calendar, can, _consent(state, t)]
    return ipywidgets.VBox(parts).add_class("wb-held")


def _part(title: str, content: str) -> str:
    return f'<h2 class="wb-part">{escape(title)}</h2>{content}'


# --- the tables -----------------------------------------------------------------------------------------


def _holds(held: Survey, state: CheckState, t: Texts) -> str:
    if not held.tables:
        hint = t("Nothing yet: choose a file, or load the sample shop.")
        return _part(t("What the project holds"), f"<p>{escape(hint)}</p>")
    zone = ZoneInfo(state.project.settings.timezone)

    def day(second: int) -> str:
        return t.date(datetime.fromtimestamp(second, UTC).astimezone(zone).date())

    rows = [
        {
            t("Table"): item.name,
            t("Rows"): t.count(item.rows),
            t("From"): day(item.span[0]) if item.span else "–",
            t("Until"): day(item.span[1]) if item.span else "–",
            t("Files"): _few(item.sources, t),
        }
        for item in held.tables
    ]
    busy = f'<p class="wb-help" role="status">{escape(t("The tables are being looked over …"))}</p>'
    return _part(
        t("What the project holds"),
        f'<div class="wb-overview">{table(rows)}</div>{_lights(held, t)}{busy if state.looking else ""}',
    )


def _few(names: Sequence[str], t: Texts) -> str:
    if len(names) <= 3:
        return ", ".join(names)
    return t("{some} and {n:count} more", some=", ".join(names[:2]), n=len(names) - 2)


def _lights(held: Survey, t: Texts) -> str:
    """Can it be trusted, and what can be computed: the answer in two figures."""
    if not held.findings:
        return ""
    counts = {status: sum(check.status == status for check in held.findings) for status in SIGNS}
    worst = next(status for status in ("fail", "warn", "ok") if counts[status])
    words = {
        "fail": t("problems: {n:count}", n=counts["fail"]),
        "warn": t("to look into: {n:count}", n=counts["warn"]),
        "ok": t("all fine"),
    }[worst]
    able = sum(one.light != "missing" for one in held.ready)
    cells = [
        (
            t("Can it be trusted?"),
            f'<span class="wb-{worst}"><span class="wb-sign" aria-hidden="true">{SIGNS[worst]}</span> '
            f"{escape(words)}</span>",
            t("checks made: {n:count}", n=len(held.findings)),
        ),
        (
            t("What can be computed?"),
            escape(t("{n:count} of {all:count} metrics", n=able, all=len(held.ready))),
            t("the list is below, with what the others need"),
        ),
    ]
    return (
        '<div class="wb-figures">'
        + "".join(
            f'<div class="wb-figure"><span class="wb-label">{escape(label)}</span>'
            f'<span class="wb-value">{value}</span><span class="wb-detail">{escape(detail)}</span></div>'
            for label, value, detail in cells
        )
        + "</div>"
    )


# --- the checks -----------------------------------------------------------------------------------------


def _checks(open_ones: Sequence[Check], good: Sequence[Check], t: Texts) -> str:
    if open_ones:
        return check_table(open_ones, t)
    return f"<p>{escape(t('Nothing to take care of: all {n:count} checks are fine.', n=len(good)))}</p>"


def check_table(checks: Iterable[Check], t: Texts) -> str:
    """Checks with a sign and a word, what was seen, and where they have them count, share and examples."""
    words = _words(t)
    heads = (t("Check"), t("Count"), t("Share"), t("Examples"))
    rows = "".join(
        f'<tr class="wb-{check.status}">'
        f'<th scope="row"><span class="wb-sign" aria-hidden="true">{SIGNS[check.status]}</span> '
        f"<strong>{escape(words[check.status])}</strong></th>"
        + _cell(heads[0], t(check.detail), "wb-said")
        + _cell(heads[1], "" if check.count is None else t.count(check.count))
        + _cell(heads[2], "" if check.share is None else t.percent(check.share))
        + _cell(heads[3], ", ".join(check.examples), "wb-said")
        + "</tr>"
        for check in checks
    )
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    return (
        f'<table class="wb-cards wb-checked"><thead><tr><th scope="col">{escape(t("State"))}</th>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _words(t: Texts) -> dict[str, str]:
    return {"ok": t("fine"), "warn": t("take care"), "fail": t("problem")}


def _cell(head: str, content: str, kind: str = "") -> str:
    """A cell that carries its heading along, for narrow pages, where a row is a card."""
    return f'<td class="{kind}" data-label="{escape(head)}">{escape(content)}</td>'


# --- the days -------------------------------------------------------------------------------------------


class _Calendar(ipywidgets.VBox):
    """The days of one table between a title and a caption."""

    def __init__(self) -> None:
        self._title, self._caption = html(""), html("")
        self._chart = show(None, "")
        super().__init__([self._title, self._chart, self._caption])
        self.add_class("wb-picture")

    def show(self, one: Coverage, t: Texts) -> None:
        picture = calendars.picture(one.table, one.days, one.gaps, t, daily=one.daily)
        self._title.value = f'<h3 class="wb-part">{escape(picture.title)}</h3>'
        self._chart.description = picture.description
        self._chart.chart = picture.chart
        self._caption.value = f'<p class="wb-help">{escape(picture.caption)}</p>'


def _months(one: Coverage, t: Texts) -> str:
    return f"<h3>{escape(one.table)}</h3>{table(calendars.by_month(one.days, one.gaps, t))}"


# --- the metrics ----------------------------------------------------------------------------------------


def _matrix(ready: Sequence[Readiness], t: Texts) -> str:
    """Metric by table: which are there, which lack something, which are to be taken with care."""
    words = {"ready": t("ready"), "partly": t("with care"), "missing": t("not yet")}
    sources = list(dict.fromkeys(name for one in ready for name in one.cells))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in sources)

    def light(one: Readiness, source: str) -> str:
        if source not in one.cells:
            return f'<td class="wb-unused" data-label="{escape(source)}"></td>'
        kind, sign = _LIGHTS[one.cells[source]]
        return (
            f'<td class="wb-{kind}" data-label="{escape(source)}"><span class="wb-sign" aria-hidden="true">'
            f'{sign}</span><span class="wb-unseen">{escape(words[one.cells[source]])}</span></td>'
        )

    rows = "".join(
        f'<tr><th scope="row">{_metric(one, words[one.light], t)}</th>'
        + "".join(light(one, source) for source in sources)
        + "</tr>"
        for one in sorted(ready, key=lambda one: ("ready", "partly", "missing").index(one.light))
    )
    legend = t("✓ there · ▲ there, to be taken with care · – not there · blank: not needed")
    return (
        '<div class="wb-table" tabindex="0" role="group"><table class="wb-cards wb-matrix">'
        f'<thead><tr><th scope="col">{escape(t("Metric"))}</th>{head}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div><p class="wb-help">{escape(legend)}</p>'
    )


def _metric(one: Readiness, word: str, t: Texts) -> str:
    """What a metric is, whether it can be computed, what it needs, and the checks that it depends on."""
    kind, sign = _LIGHTS[one.light]
    light = (
        f'<span class="wb-{kind}"><span class="wb-sign" aria-hidden="true">{sign}</span> '
        f"<strong>{escape(word)}</strong></span>"
    )
    title = escape(t(one.metric.title))
    needs = escape(" ".join(t(words) for words in (*one.missing, *one.caveats)))
    if not one.checks:
        return f'{title}<span class="wb-needs">{light}{" · " if needs else ""}{needs}</span>'
    words = _words(t)
    counts = {"n": len(one.checks), "open": sum(check.status != "ok" for check in one.checks)}
    said = t("checks: {n:count}, all fine", **counts)
    if counts["open"]:
        said = t("checks: {n:count}, to look into: {open:count}", **counts)
    items = "".join(
        f'<li class="wb-{check.status}"><span class="wb-sign" aria-hidden="true">{SIGNS[check.status]}</span>'
        f' <span class="wb-unseen">{escape(words[check.status])}</span> {escape(t(check.detail))}</li>'
        for check in failures_first(one.checks)
    )
    return (
        f'{title}<span class="wb-needs">{needs}</span>'
        f"<details><summary>{light} · {escape(said)}</summary><ul>{items}</ul></details>"
    )


# --- consent --------------------------------------------------------------------------------------------


def _consent(state: CheckState, t: Texts) -> ipywidgets.Widget:
    """For which purpose the tables are analysed, and how much of them that leaves."""
    left = html("")
    title = html(_part(t("Whose data are analysed"), ""))

    def options() -> list[controls.Option]:
        purposes = state.held.purposes
        known = [state.purpose] if state.purpose and state.purpose not in purposes else []
        return [
            (t("everybody"), None),
            *((t("who agreed to “{purpose}”", purpose=one), one) for one in (*purposes, *known)),
        ]

    pick = controls.choice(state, "purpose", t("Consent"), options, follows="held")
    box = ipywidgets.VBox([title, pick, left]).add_class("wb-consent")

    def write(_change: object = None) -> None:
        box.layout.display = "" if state.held.purposes or state.purpose else "none"
        rows = [
            {
                t("Table"): name,
                t("Rows that are analysed"): _of(share.rows_kept, share.rows, t),
                t("Customers"): _of(share.customers_kept, share.customers, t),
            }
            for name, share in state.held.shares.items()
        ]
        left.value = table(rows) if state.purpose else ""

    write()
    state.observe(write, ["held", "purpose"])
    return box


def _of(kept: int, whole: int, t: Texts) -> str:
    share = kept / whole if whole else 0.0
    return t("{kept:count} of {whole:count} ({share:percent})", kept=kept, whole=whole, share=share)
