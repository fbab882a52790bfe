"""The data sheet: what a project holds about people, where it came from, for what, and for how long.

It is read off the project itself: the tables and the files that filled them, who collected their columns,
`processing.toml`, the consents, the recipes, the metrics that read a column, and the published pages.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from workbench.analyses.data_sheet_checks import sheet_checks
from workbench.analyses.provenance import Origin, kept_results, origins
from workbench.engines import Engine, fetch, has, table
from workbench.locale import Message, say
from workbench.metrics.catalogue import CATALOGUE, Metric
from workbench.provenance import Party
from workbench.records import Check, Frozen, Header, Number, Text, failures_first
from workbench.tables.checks.stored import Profile, profiles
from workbench.tables.privacy.consent import consented
from workbench.tables.privacy.identifiers import kind_name
from workbench.tables.privacy.names import named_identifier, sensitive
from workbench.tables.privacy.retention import Processing
from workbench.tables.vendors import known_vendors

if TYPE_CHECKING:
    from workbench.project import Project
    from workbench.tables.recipe import Recipe

SCREENS: Final[Mapping[str, tuple[str, ...]]] = {
    "2-segments": ("customers", "orders"),
    "3-effect-lab": ("customers", "exposures", "orders", "events", "outcomes", "summaries"),
    "4-lifetime-value": ("customers", "orders", "exposures", "churn", "spend", "order_items", "referrals"),
    "5-cohorts": ("customers", "orders", "exposures"),
    "6-engagement": ("customers", "events", "orders", "exposures", "social"),
    "7-one-customer": (
        *("customers", "aliases", "events", "orders", "order_items", "refunds", "exposures", "sends"),
        *("send_events", "subscriptions", "surveys", "consents", "leads", "referrals", "churn"),
    ),
    "8-trust": (
        *("customers", "consents", "subscriptions", "sends", "send_events", "orders", "order_items"),
        "exposures",
    ),
}
"""Screen → the tables it shows something of; the first screen looks over all, the last one shows results."""


class ColumnUse(Frozen):
    """One column.

    Attributes:
        party: Who collected it; None for what names a person, which is a pseudonym made here.
        said: Whether somebody said who collected it; else it is guessed.
        filled: Share of the rows in which it is filled.
        sensitive: Whether its name says that it is.
        identifies: What its name says that it tells of who somebody is.
        metrics: Names of the metrics that read it.
    """

    name: str
    party: Party | None
    said: bool
    filled: Number
    sensitive: bool
    identifies: Text | None
    metrics: list[str]


class TableUse(Frozen):
    """One table.

    Attributes:
        about: What one row is.
        first, last: The days of its first and last row, on the project's clock.
        files: The newest files that filled it.
        purpose, legal_basis, retention_days, note: As `processing.toml` has it; None where it says nothing.
        metrics: What is computed of it.
        screens: The screens that show something of it, by the names of their notebooks.
        results: How many results that the project keeps were made of it.
        pages: Titles of the published pages that show such results.
    """

    name: str
    about: Text
    rows: int
    first: date | None
    last: date | None
    files: list[str]
    columns: list[ColumnUse]
    purpose: str | None
    legal_basis: str | None
    retention_days: int | None
    note: str
    metrics: list[Text]
    screens: list[str]
    results: int
    pages: list[str]


class Asked(Frozen):
    """A purpose for which people were asked their consent: how many were asked, and how many agree now."""

    purpose: str
    people: int
    agree: int


class LeftOut(Frozen):
    """Columns of a file that a recipe leaves there, since they say who somebody is, with what they hold."""

    recipe: str
    columns: dict[str, Text]


class DataSheet(Frozen):
    """What a project holds, for what.

    Attributes:
        made: When the sheet was made (UTC).
        customers: How many there are; None where no table tells.
        tables: Those with rows.
        consent_purpose: Only what customers agreed to for this is analysed; None for all.
        asked: What people were asked.
        left_out: What the project's recipes leave in the files.
        erased: People who were erased and may not come back.
        loads: How often files were loaded.
        checks: What to see to, and what is in order.
    """

    project: Header
    made: datetime
    customers: int | None
    tables: list[TableUse]
    consent_purpose: str | None
    asked: list[Asked]
    left_out: list[LeftOut]
    erased: int
    loads: int
    checks: list[Check]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(one.rows for one in self.tables)

    @property
    def sensitive(self) -> list[str]:
        """The sensitive columns, as `table.column`."""
        return [
            f"{one.name}.{column.name}" for one in self.tables for column in one.columns if column.sensitive
        ]

    @property
    def unexplained(self) -> list[str]:
        """Tables of which nothing is written down about what they are for."""
        return [one.name for one in self.tables if one.purpose is None]

    @property
    def verdict(self) -> Message:
        """What it holds in a sentence."""
        if not self.tables:
            return say("This project holds nothing yet.")
        values = {"tables": len(self.tables), "rows": self.rows, "n": len(self.unexplained)}
        if self.unexplained:
            return say(
                "This project holds {rows:count} rows in {tables:count} tables; of {n:count} of them nobody"
                " has written down what they are for.",
                **values,
            )
        return say(
            "This project holds {rows:count} rows in {tables:count} tables, each for a purpose that is"
            " written down.",
            **values,
        )


def analyse(project: Project) -> DataSheet:
    """The data sheet of a project, as it is now."""
    engine, people = project.everything, project.people
    found = profiles(engine)
    known = origins(project, found)
    processing = people.processing()
    results = [set(record.source.fingerprints) for record in kept_results(project).values()]
    pages = _published(project)
    manifest = project.manifest()
    zone = ZoneInfo(project.settings.timezone)
    tables = [
        TableUse(
            name=name,
            about=profile.table.about,
            rows=profile.rows,
            first=_day(profile.first, zone),
            last=_day(profile.last, zone),
            files=[file for file in manifest.get(name, {}).get("sources", ()) if file],
            columns=_columns(profile, [one for one in known if one.table == name]),
            **_written(processing.get(name)),
            metrics=[metric.title for metric in CATALOGUE if name in {need.table for need in metric.needs}],
            screens=[screen for screen, shown in SCREENS.items() if name in shown],
            results=sum(name in read for read in results),
            pages=[title for title, read in pages.items() if name in read],
        )
        for name, profile in found.items()
    ]
    entries = people.access.entries()[0]
    recipes = [_left_out(name, recipe) for name, recipe in project.recipes.items()]
    sheet = DataSheet(
        project=project.header,
        made=datetime.now(UTC),
        customers=found["customers"].rows if "customers" in found else None,
        tables=tables,
        consent_purpose=project.settings.consent_purpose,
        asked=_asked(engine),
        left_out=[one for one in recipes if one.columns],
        erased=len({entry.person for entry in entries if entry.action == "erase" and entry.person}),
        loads=sum(entry.action == "load" for entry in entries),
        checks=[],
    )
    return sheet.model_copy(update={"checks": failures_first(sheet_checks(project, sheet))})


def _written(record: Processing | None) -> dict[str, Any]:
    """What is written down about a table."""
    if record is None:
        return {"purpose": None, "legal_basis": None, "retention_days": None, "note": ""}
    return record.model_dump()


def _columns(profile: Profile, known: Iterable[Origin]) -> list[ColumnUse]:
    """The columns of a table that hold something; those that name persons first."""
    declared = profile.table
    readers = {name: [one.name for one in CATALOGUE if _reads(one, profile, name)] for name in profile.filled}
    persons = [
        ColumnUse(
            name=name,
            party=None,
            said=True,
            filled=profile.filled[name] / profile.rows,
            sensitive=False,
            identifies=None,
            metrics=readers[name],
        )
        for name in declared.persons
        if profile.holds(name)
    ]
    return persons + [
        ColumnUse(
            name=one.column,
            party=one.party,
            said=one.said,
            filled=one.filled,
            sensitive=sensitive(one.column),
            identifies=_identifies(one.column) if declared.column(one.column) is None else None,
            metrics=readers[one.column],
        )
        for one in known
    ]


def _reads(metric: Metric, profile: Profile, column: str) -> bool:
    """Whether a metric reads a column, or may be split by it."""
    return any(
        need.table == profile.table.name
        and (
            column in need.columns
            or column in (need.better or ())
            or (need.attribute and column not in ("customer_id", "first_seen", "signed_up"))
        )
        for need in metric.needs
    )


def _identifies(column: str) -> Message | None:
    kind = named_identifier(column)
    return None if kind is None else kind_name(kind)


def _day(second: int | None, zone: ZoneInfo) -> date | None:
    return None if second is None else datetime.fromtimestamp(second, UTC).astimezone(zone).date()


def _published(project: Project) -> dict[str, set[str]]:
    """Title of a published page → the tables that its results were made of; damaged pages are passed over."""
    found: dict[str, set[str]] = {}
    for place in sorted((project.path / "published").glob("*/current")):
        try:
            version = place.parent / "versions" / place.read_text("utf-8").strip()
            page = json.loads((version / "manifest.json").read_text("utf-8"))
            records = [json.loads((version / f"{id_}.json").read_text("utf-8")) for id_ in page["records"]]
            read = set().union(*(record["source"]["fingerprints"] for record in records))
            found.setdefault(page["title"], set()).update(read)
        except (OSError, ValueError, KeyError):
            continue
    return found


def _asked(engine: Engine) -> list[Asked]:
    """For what people were asked their consent, and how many agree by their newest answer."""
    if not has(engine, "consents"):
        return []
    consents = table(engine, "consents")
    counted = consents.group_by("purpose").aggregate(people=consents.customer_id.nunique())
    found = []
    for row in sorted(fetch(engine, counted), key=lambda row: str(row["purpose"])):
        people = consents.filter(consents.purpose == row["purpose"]).select("customer_id").distinct()
        agree = consented(people, consents, row["purpose"], None)
        (kept,) = fetch(engine, agree.aggregate(n=agree.count()))
        found.append(Asked(purpose=row["purpose"], people=int(row["people"]), agree=int(kept["n"])))
    return found


def _left_out(name: str, recipe: Recipe) -> LeftOut:
    """What a recipe leaves in the file of what says who somebody is."""
    vendor = known_vendors().get(recipe.vendor or "")
    read = set(vendor.columns if vendor else _flat(recipe.mapping))
    personal = set(vendor.personal if vendor else ())
    unread = [column for column in recipe.columns if column not in read]
    return LeftOut(
        recipe=name,
        columns={
            column: _identifies(column) or say("named by the system as personal")
            for column in unread
            if column in personal or named_identifier(column)
        },
    )


def _flat(mapping: Any) -> Iterator[str]:
    """The columns of a file that a mapping names, however deep."""
    if isinstance(mapping, str):
        yield mapping
    elif isinstance(mapping, Mapping):
        for value in mapping.values():
            yield from _flat(value)
    elif isinstance(mapping, Collection):
        for value in mapping:
            yield from _flat(value)
