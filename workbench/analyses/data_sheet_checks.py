"""What to see to in the data of a project, and what is in order, for its data sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.analyses.fairness import sensitive_segments
from workbench.locale import say
from workbench.records import Check

if TYPE_CHECKING:
    from workbench.analyses.data_sheet import DataSheet
    from workbench.project import Project


def sheet_checks(project: Project, sheet: DataSheet) -> list[Check]:
    """What to see to, and what is in order."""
    found = [
        Check(name=f"{due.table}.retention", status="fail", detail=due.note) for due in project.people.due()
    ]
    if sheet.unexplained:
        detail = say(
            "For what and on what ground they are kept is not written down for {tables:listing}: write it"
            " into processing.toml.",
            tables=sheet.unexplained,
        )
        found.append(Check(name="purpose", status="warn", detail=detail, count=len(sheet.unexplained)))
    telling = {
        f"{one.name}.{column.name}": column.identifies
        for one in sheet.tables
        for column in one.columns
        if column.identifies is not None
    }
    for name, kind in telling.items():
        detail = say(
            "“{column}” is kept and holds: {kind}. Load its file without it.", column=name, kind=kind
        )
        found.append(Check(name="identifier", status="warn", detail=detail))
    for name, columns in sensitive_segments(project).items():
        detail = say(
            "The segment “{segment}” asks for {columns:listing}, which is sensitive: use it to look at"
            " differences, not to decide what somebody gets.",
            segment=name,
            columns=columns,
        )
        found.append(Check(name="targeting", status="warn", detail=detail))
    found.append(_consent(sheet))
    if sheet.sensitive:
        detail = say(
            "Sensitive: {columns:listing}. Results split by them are published only if somebody says that"
            " they may be.",
            columns=sheet.sensitive,
        )
        found.append(Check(name="sensitive", status="ok", detail=detail, count=len(sheet.sensitive)))
    detail = say(
        "What says who somebody is (names, addresses, telephones, documents, cards) is left out of every file"
        " that is loaded; customers are known by pseudonyms, whose key is not in the project."
    )
    found.append(Check(name="pseudonyms", status="ok", detail=detail))
    if sheet.erased:
        detail = say("People who were erased and are left out of later files: {n:count}.", n=sheet.erased)
        found.append(Check(name="erased", status="ok", detail=detail, count=sheet.erased))
    return found


def _consent(sheet: DataSheet) -> Check:
    if sheet.consent_purpose:
        detail = say(
            "Only what customers had agreed to for “{purpose}” is analysed.", purpose=sheet.consent_purpose
        )
        return Check(name="consent", status="ok", detail=detail)
    if sheet.asked:
        detail = say(
            "People were asked their consent, but everybody is analysed: choose the purpose on the page where"
            " files are loaded."
        )
        return Check(name="consent", status="warn", detail=detail)
    return Check(name="consent", status="ok", detail=say("No consent was loaded; everybody is analysed."))
