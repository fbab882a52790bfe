"""The widgets for a file before it is loaded: what it is, what would come in of it, its first rows."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.locale import Texts
from workbench.publish.result import html, table
from workbench.screens.loading import LoadState
from workbench.screens.long_table import LongTable
from workbench.screens.reading import EACH
from workbench.screens.report_view import show_left_out
from workbench.screens.trying import Trial
from workbench.tables.load import Preview
from workbench.tables.vendors import known_vendors

SHOWN_ROWS = 20
_LONGEST_CELL = 60


def view(state: LoadState, t: Texts) -> ipywidgets.Widget:
    """What the file is, and what would come in of it."""
    facts, trial, faults = html(""), html(""), LongTable(t)

    def write(_change: object = None) -> None:
        facts.value = _facts(state, t)
        trial.value = _trial(state, t)
        listed, count = ((), 0) if state.trial is None else (state.trial.listed, state.trial.left_out)
        show_left_out(faults, t("What would be left out ({n:count})", n=count), listed, count, t)

    write()
    state.observe(write, ["found", "trial", "lack", "kinds", "recipe", "holds"])
    return ipywidgets.VBox([facts, trial, faults])


def _facts(state: LoadState, t: Texts) -> str:
    found = state.found
    if found is None or not state.files:
        return ""
    several = len(state.files) > 1
    name = t("{n:count} files", n=len(state.files)) if several else state.files[0].name
    title = f'<h2 class="wb-part wb-file">{escape(name)}</h2>'
    said = [file_kind(found, t)]
    if several:
        said = [t("The first is shown: {file}", file=state.files[0].name), *said]
    lines = [" · ".join(said), *(t(note) for note in found.notes)]
    if state.recipe:
        lines.append(t("The recipe “{name}” was made for such a file, and is used.", name=state.recipe))
    vendor = state.vendor
    looks = ""
    if vendor is not None:
        looks = t("This looks like the export of {title}.", title=vendor.title)
        lines.append(t(vendor.about))
    elif found.proposal is not None and found.proposal.alternatives:
        words = t("It could also be {tables:listing}; say so if it is.", tables=found.proposal.alternatives)
        lines.append(words)
    helps = "".join(f'<p class="wb-help">{escape(line)}</p>' for line in lines)
    return title + (f"<p>{escape(looks)}</p>" if looks else "") + helps + _kinds(state, t)


def _kinds(state: LoadState, t: Texts) -> str:
    """What files of several kinds seem to hold."""
    if not state.kinds:
        return ""
    vendors = known_vendors()
    rows = [
        {
            t("File"): name,
            t("Seems to hold"): vendors[kind].title if kind in vendors else kind or t("nothing known"),
        }
        for name, kind in state.kinds
    ]
    hint = t("The files are of several kinds: each is read as it looks. Choose one alone to correct how.")
    return f'<p>{escape(hint)}</p><div class="wb-overview">{table(rows)}</div>'


def file_kind(found: Preview, t: Texts) -> str:
    """What kind of file it is, and how it is written."""
    if found.sheets:
        return t("Workbook, sheet “{sheet}”", sheet=found.sheet)
    if found.encoding is None:
        return t("Parquet")
    names = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252", "utf-16": "UTF-16"}
    encoding = names.get(found.encoding, found.encoding)
    if found.delimiter is None:
        return t("JSON, written in {encoding}", encoding=encoding)
    marks = {",": t("commas"), ";": t("semicolons"), "\t": t("tabs"), "|": t("vertical bars")}
    return t(
        "Text in columns, separated by {mark}, written in {encoding}",
        mark=marks.get(found.delimiter, found.delimiter),
        encoding=encoding,
    )


def _trial(state: LoadState, t: Texts) -> str:
    if state.lack is not None:
        return f'<p class="wb-doubt" role="status">▲ {escape(t(state.lack))}</p>'
    trial = state.trial
    if trial is None:
        return ""
    kind, sign = ("wb-doubt", "▲") if trial.left_out else ("wb-fine", "✓")
    into = ""
    if len(trial.tables) > 1:
        parts = [t("{table} {n:count}", table=name, n=rows) for name, rows in trial.tables.items() if rows]
        into = f'<p class="wb-help">{escape(t("Rows for: {parts:listing}.", parts=parts))}</p>'
    return f'<p class="{kind}" role="status">{sign} {escape(_said(trial, t))}</p>{into}'


def _said(trial: Trial, t: Texts) -> str:
    kept = trial.read - trial.left_out
    if trial.whole and not trial.left_out:
        return t("All {n:count} rows can be kept.", n=trial.read)
    if trial.whole:
        return t("{kept:count} of {n:count} rows can be kept.", kept=kept, n=trial.read)
    if not trial.left_out:
        return t("All of the first {n:count} rows can be kept.", n=trial.read)
    return t("{kept:count} of the first {n:count} rows can be kept.", kept=kept, n=trial.read)


def first_rows(state: LoadState, t: Texts) -> ipywidgets.HTML:
    """The first rows as they stand, with what becomes of each column."""
    widget = html("")

    def write(_change: object = None) -> None:
        found = state.found
        if found is None:
            widget.value = ""
            return
        named = {**state.attributes, **state.items, **state.outcomes, **state.mapping}
        known = {source: name for name, source in named.items() if isinstance(source, str)}
        rows = found.rows.slice(0, SHOWN_ROWS).to_pylist()
        head = "".join(
            f'<th scope="col">{escape(name)}{_becomes(name, known, state, t)}</th>' for name in found.columns
        )
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_cell(row[name]))}</td>" for name in found.columns) + "</tr>"
            for row in rows
        )
        title = t("The first {n:count} rows", n=len(rows))
        widget.value = (
            f'<h2 class="wb-part">{escape(title)}</h2><div class="wb-table wb-preview" tabindex="0" '
            f'role="group" aria-label="{escape(title)}"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )

    write()
    state.observe(write, ["found", "mapping", "outcomes", "items", "attributes", "holds"])
    return widget


def _becomes(column: str, known: dict[str, str], state: LoadState, t: Texts) -> str:
    """The name that a column gets, or that it is not kept since it says who somebody is."""
    if column in known:
        return f"<span>{escape(known[column])}</span>"
    personal = (state.found.personal or {}) if state.found else {}
    used = state.holds == EACH or (state.vendor is not None and column in state.vendor.columns)
    if column in personal and not used:
        return f'<span class="wb-away">{escape(t("not kept: {what}", what=t(personal[column])))}</span>'
    return "<span></span>"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"
