"""The data sheet in words: rows for a page, plain values for a script, a page of its own to print."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from workbench.analyses.data_sheet import DataSheet, TableUse
from workbench.analyses.provenance import Reliance
from workbench.analyses.tools import Inventory
from workbench.locale import Message, Texts, say
from workbench.metrics.catalogue import Light
from workbench.provenance import Party
from workbench.publish.result import checks, table
from workbench.report import Row

PARTIES: Mapping[Party, Message] = {
    "zero": say("told by customers"),
    "first": say("seen by us"),
    "third": say("collected by others"),
}
_BASES: Mapping[str, Message] = {
    "consent": say("consent"),
    "contract": say("contract"),
    "legal obligation": say("legal obligation"),
    "vital interests": say("vital interests"),
    "public task": say("public task"),
    "legitimate interests": say("legitimate interests"),
}
_SHOWN_FILES = 3


def rows(sheet: DataSheet, titles: Mapping[str, str], t: Texts) -> list[Row]:
    """A row a table.

    Args:
        sheet: The data sheet.
        titles: Screen → its title.
        t: The reader's language.
    """
    return [
        {
            t("Table"): one.name,
            t("Rows"): t.count(one.rows),
            t("Days"): days(one, t),
            t("Files"): files(one, t),
            t("What for"): purpose(one, t),
            t("Kept for"): kept_for(one, t),
            t("Used by"): used_by(one, titles, t),
        }
        for one in sheet.tables
    ]


def column_rows(one: TableUse, t: Texts) -> list[Row]:
    """A row a column of a table."""
    return [
        {
            t("Column"): column.name,
            t("Who collected it"): t("a pseudonym made here")
            if column.party is None
            else origin(column.party, column.said, t),
            t("Filled"): t.percent(column.filled),
            t("Sensitive"): t("yes") if column.sensitive else "",
            t("Metrics that read it"): t.count(len(column.metrics)) if column.metrics else "",
        }
        for column in one.columns
    ]


def short_rows(sheet: DataSheet, tables: Collection[str], t: Texts) -> list[Row]:
    """What a published page can say of the data that it was made of, a row a table: nothing inward.

    Args:
        sheet: The data sheet.
        tables: The tables that the page's results read, such as the keys of `record.source.fingerprints`.
        t: The reader's language.
    """
    return [
        {
            t("Data"): t(one.about),
            t("Days"): days(one, t),
            t("What for"): purpose(one, t),
            t("Kept for"): kept_for(one, t),
            t("Who collected it"): ", ".join(
                t(PARTIES[party]) for party in PARTIES if any(column.party == party for column in one.columns)
            ),
        }
        for one in sheet.tables
        if one.name in tables
    ]


def days(one: TableUse, t: Texts) -> str:
    """From when to when."""
    if one.first is None or one.last is None:
        return "–"
    if one.first == one.last:
        return t.date(one.first)
    return t("{first:date} to {last:date}", first=one.first, last=one.last)


def files(one: TableUse, t: Texts) -> str:
    """The files that filled it, the newest ones."""
    if len(one.files) <= _SHOWN_FILES:
        return ", ".join(one.files) or "–"
    shown = one.files[: -_SHOWN_FILES - 1 : -1]
    return t("{some} and {n:count} more", some=", ".join(shown), n=len(one.files) - len(shown))


def purpose(one: TableUse, t: Texts) -> str:
    """What it is for, and on what ground."""
    if one.purpose is None:
        return t("not written down")
    return t("{purpose} ({basis})", purpose=one.purpose, basis=_BASES[one.legal_basis or "consent"])


def kept_for(one: TableUse, t: Texts) -> str:
    """How long its rows are kept."""
    if one.purpose is None:
        return t("not written down")
    if one.retention_days is None:
        return t("no limit")
    return t("{n:count} days", n=one.retention_days)


def used_by(one: TableUse, titles: Mapping[str, str], t: Texts) -> str:
    """The screens and published pages that show something of it."""
    parts = [titles[screen] for screen in one.screens if screen in titles]
    parts += [t("“{page}” (published)", page=page) for page in one.pages]
    return ", ".join(parts) or "–"


def origin(party: Party, said: bool, t: Texts) -> str:
    """Who collected a column, and whether that is a guess."""
    words = t(PARTIES[party])
    return words if said else t("{origin} (guessed)", origin=words)


def script(sheet: DataSheet, t: Texts) -> dict[str, Any]:
    """The sheet as plain values, its sentences in the reader's language."""
    plain = sheet.model_dump(mode="json", exclude={"tables", "checks", "left_out"})
    plain["verdict"] = t(sheet.verdict)
    plain["tables"] = [
        {
            **one.model_dump(mode="json", exclude={"about", "metrics", "columns"}),
            "about": t(one.about),
            "metrics": [t(metric) for metric in one.metrics],
            "columns": [
                {
                    **column.model_dump(mode="json", exclude={"identifies"}),
                    "identifies": None if column.identifies is None else t(column.identifies),
                }
                for column in one.columns
            ],
        }
        for one in sheet.tables
    ]
    plain["left_out"] = [
        {"recipe": one.recipe, "columns": {name: t(kind) for name, kind in one.columns.items()}}
        for one in sheet.left_out
    ]
    plain["checks"] = [
        {"name": check.name, "status": check.status, "detail": t(check.detail)} for check in sheet.checks
    ]
    return plain


def left_out(sheet: DataSheet, t: Texts) -> list[Row]:
    """What the project's recipes leave in the files, a row a recipe."""
    return [
        {
            t("Recipe"): one.recipe,
            t("Left in the file"): t.listing(
                [t("{column} ({kind})", column=name, kind=kind) for name, kind in one.columns.items()]
            ),
        }
        for one in sheet.left_out
    ]


def consents(sheet: DataSheet, t: Texts) -> list[Row]:
    """What people were asked, a row a purpose."""
    return [
        {
            t("Consent for"): one.purpose,
            t("People asked"): t.count(one.people),
            t("Agree now"): t(
                "{n:count} ({share:percent})",
                n=one.agree,
                share=one.agree / one.people if one.people else 0.0,
            ),
            t("Asked for in analyses"): t("yes") if one.purpose == sheet.consent_purpose else t("no"),
        }
        for one in sheet.asked
    ]


def lost_rows(reliance: Reliance, t: Texts) -> list[Row]:
    """What results could no longer be split by, a row each."""
    found = []
    for one in reliance.splits:
        now, then = t("{n:count} groups", n=one.groups), t("none")
        if one.customers is not None:
            now, then = (t("{n:count} customers", n=n) for n in one.customers)
        answers = [t("{name}: {n:count} metrics", name=name, n=n) for name, n in one.experiments.items()]
        found.append(
            {
                t("Split by"): one.by,
                t("Needs"): ", ".join(one.columns),
                t("Now"): now,
                t("Then"): then,
                t("Answers that go"): ", ".join(answers) or "–",
                t("Kept results"): t.count(len(one.kept)),
            }
        )
    return found


def loss_rows(reliance: Reliance, t: Texts) -> list[Row]:
    """The metrics that read a column that would be gone, a row each."""
    return [
        {
            t("Metric"): t(one.metric.title),
            t("Reads"): ", ".join(one.columns),
            t("Now"): light(one.before, t),
            t("Then"): light(one.after, t),
            t("What it would lack"): " ".join(t(words) for words in one.missing)
            if one.after == "missing"
            else "",
        }
        for one in reliance.metrics
        if one.before != "missing"
    ]


def tool_rows(inventory: Inventory, t: Texts) -> list[Row]:
    """A row a tool."""
    return [
        {
            t("Tool"): one.name,
            t("State"): light(one.light, t),
            t("Collects"): ", ".join(one.tool.collects),
            t("What is missing"): " ".join(t(note) for note in one.notes),
            t("Is used in"): one.tool.activates,
            t("Owner"): one.tool.owner,
            t("Limit"): one.tool.limit,
            t("Upgrade needed"): one.tool.upgrade,
        }
        for one in inventory.tools
    ]


def light(state: Light, t: Texts) -> str:
    """A light as a sign and a word."""
    words = {"ready": t("✓ ready"), "partly": t("▲ with care"), "missing": t("✕ not there")}
    return words[state]


def document(
    sheet: DataSheet,
    titles: Mapping[str, str],
    t: Texts,
    reliance: Reliance | None = None,
    inventory: Inventory | None = None,
) -> str:
    """The sheet as an HTML page that needs nothing else, made to be printed.

    Args:
        sheet: The data sheet.
        titles: Screen → its title.
        t: The reader's language.
        reliance: What would be lost without third-party data, where that is to be on it.
        inventory: The tools, where they are to be on it.
    """
    title = t("Data sheet: {project}", project=sheet.project.name)
    made = t("Made on {day:date}.", day=sheet.made.astimezone(ZoneInfo(sheet.project.timezone)).date())
    parts = [
        (t("What we use"), table(rows(sheet, titles, t))),
        (t("Consent"), table(consents(sheet, t))),
        (t("What stays out when files are read"), table(left_out(sheet, t))),
    ]
    if reliance is not None:
        lost = _paragraph(t(reliance.verdict)) + table(loss_rows(reliance, t)) + table(lost_rows(reliance, t))
        parts.append((t("Without third-party data"), lost))
    if inventory is not None:
        parts.append((t("Tools"), table(tool_rows(inventory, t))))
    parts += [(one.name, _table_part(one, t)) for one in sheet.tables]
    sections = [f"<section><h2>{escape(name)}</h2>{content}</section>" for name, content in parts if content]
    return (
        f'<!doctype html><html lang="{t.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{_paragraph(made)}"
        f"{_paragraph(t(sheet.verdict))}{checks(sheet.checks, t)}{''.join(sections)}</body></html>"
    )


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _table_part(one: TableUse, t: Texts) -> str:
    computed = t("Computed of it: {metrics:listing}.", metrics=[t(metric) for metric in one.metrics])
    words = [t(one.about), *([computed] if one.metrics else []), *([one.note] if one.note else [])]
    return "".join(map(_paragraph, words)) + table(column_rows(one, t))


_STYLE = """
body { max-width: 1100px; margin: 0 auto; padding: 24px 16px; background: #FFFFFF; color: #1F2937;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; }
h1 { font-size: 25px; line-height: 1.25; } h2 { margin: 32px 0 8px; font-size: 20px; }
p { max-width: 75ch; margin: 0 0 8px; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid #D1D5DB; text-align: left; vertical-align: top;
  overflow-wrap: break-word; }
.wb-table { overflow-x: auto; }
.wb-checks ul { padding: 0; list-style: none; } .wb-checks li { padding: 4px 0; }
.wb-checks strong { margin: 0 8px; } .wb-warn .wb-sign, .wb-fail .wb-sign { color: #A63E00; }
@media print { body { padding: 0; font-size: 11px; } table { font-size: 10px; } h2 { break-after: avoid; }
  tr { break-inside: avoid; } .wb-table { overflow: visible; } }
"""
