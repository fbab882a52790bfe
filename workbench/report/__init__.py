"""A record in words: the figures, rows and objects that pages, terminals and scripts show of it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from workbench.locale import Message, Texts
from workbench.records import AnyRecord, AssociationRecord, CohortRecord, EffectRecord, ValueRecord, message
from workbench.report.association import association_details, association_figures, ladder_rows
from workbench.report.beside import Section, sections
from workbench.report.cohorts import cohort_details, cohort_figures, cohort_rows
from workbench.report.effect import arm_rows, effect_details, effect_figures, segment_name, segment_rows
from workbench.report.loading import check_lines, check_script, load_lines, loss_lines, loss_script
from workbench.report.numbers import PICTURES, as_csv, rows_as_csv
from workbench.report.together import (
    ends_together,
    frequentist_sections,
    ranking_section,
    together_words,
)
from workbench.report.value import (
    parts_section,
    value_definition,
    value_details,
    value_figures,
    value_rows,
    value_sections,
)
from workbench.report.words import Figure, Row, between, group_name

__all__ = [
    "Figure",
    "Row",
    "Section",
    "arm_rows",
    "as_code",
    "as_csv",
    "between",
    "check_lines",
    "check_script",
    "details",
    "ends_together",
    "figures",
    "frequentist_sections",
    "group_name",
    "load_lines",
    "loss_lines",
    "loss_script",
    "parts_section",
    "ranking_section",
    "rows",
    "rows_as_csv",
    "script",
    "sections",
    "segment_name",
    "segment_rows",
    "text",
    "together_words",
    "value_definition",
    "value_rows",
    "value_sections",
]

_CALLS = {
    "effect": ("effect", "experiment", "metric"),
    "value": ("lifetime_value",),
    "association": ("not_random", "name", "metric"),
    "cohorts": ("cohorts",),
}
"""Kind of record → the project's method, and the settings that it takes in their order."""


def figures(record: AnyRecord, t: Texts) -> list[Figure]:
    """At most three figures that carry the answer."""
    if isinstance(record, AssociationRecord):
        return association_figures(record, t)
    if isinstance(record, CohortRecord):
        return cohort_figures(record, t)
    return effect_figures(record, t) if isinstance(record, EffectRecord) else value_figures(record, t)


def rows(record: AnyRecord, t: Texts) -> list[Row]:
    """The record's main table."""
    if isinstance(record, ValueRecord):
        return value_rows(record, t)
    if isinstance(record, AssociationRecord):
        return ladder_rows(record, t)
    if isinstance(record, CohortRecord):
        return cohort_rows(record, t)
    return segment_rows(record, t) or arm_rows(record, t)


def text(record: AnyRecord, t: Texts) -> str:
    """A record for a terminal."""
    signs = {"ok": "✓", "warn": "!", "fail": "✗"}
    defined = [t(value_definition(record.settings))] if isinstance(record, ValueRecord) else []
    lines = [t(record.verdict), *defined, ""]
    if not record.failed or isinstance(record, AssociationRecord):  # its rows say themselves what is refused
        lines += [f"  {item.label}: {item.value}, {item.detail}" for item in figures(record, t)]
        for row in rows(record, t):
            first, *rest = row.items()
            lines.append(f"  {first[1]}: " + "; ".join(f"{name} {value}" for name, value in rest if value))
        claims = together_words(record, t) if isinstance(record, EffectRecord) else ""
        lines += [f"  {claims}"] if claims else []
    lines += ["", *(f"  {signs[check.status]} {t(check.detail)}" for check in record.checks)]
    return "\n".join([*lines, "", "  " + t("record {id}", id=record.id)])


def script(record: AnyRecord, t: Texts) -> dict[str, Any]:
    """A record for a machine: what the command line prints with `--json`."""
    found = {key: _scripted(value, t) for key, value in record.summary.model_dump(mode="json").items()}
    for name in ("holdout", "confirmed", "confirmation", "pooled_on", "together", "ranking", "frequentist"):
        if found.get(name) is None:
            found.pop(name, None)
    for item in found.get("comparisons", []):
        for name in ("pooled", "confirmed"):
            if item[name] is None:
                del item[name]
    return {
        **found,
        "checks": [
            {"name": check.name, "status": check.status, "detail": t(check.detail)} for check in record.checks
        ],
        "verdict": t(record.verdict),
        **({"outcome": record.outcome} if isinstance(record, EffectRecord) else {}),
        "record": record.id,
    }


def _scripted(value: Any, t: Texts) -> Any:
    """Without what is only drawn, and with its sentences worded."""
    if isinstance(value, dict):
        said = message(value)
        if isinstance(said, Message):
            return t(said)
        return {key: _scripted(item, t) for key, item in value.items() if key not in PICTURES}
    return [_scripted(item, t) for item in value] if isinstance(value, list) else value


def details(record: AnyRecord, t: Texts) -> list[tuple[str, str]]:
    """What a careful reader wants to know: definition, method, data, versions."""
    if isinstance(record, AssociationRecord):
        found = association_details(record, t)
    elif isinstance(record, CohortRecord):
        found = cohort_details(record, t)
    else:
        found = effect_details(record, t) if isinstance(record, EffectRecord) else value_details(record, t)
    source, zone = record.source, ZoneInfo(record.project.timezone)
    if source.first and source.until:
        found.append(
            (
                t("Data"),
                t(
                    "from {first:date} until {until:date}",
                    first=source.first.astimezone(zone).date(),
                    until=source.until.astimezone(zone).date(),
                ),
            )
        )
    found += [
        (t("Tables"), ", ".join(f"{name} {digest[:12]}" for name, digest in source.fingerprints.items())),
        (t("Versions"), ", ".join(f"{name} {version}" for name, version in record.versions.items())),
        (t("Record"), record.id),
    ]
    return found + [(t("Segment “{name}”", name=name), rule) for name, rule in record.definitions.items()]


def as_code(record: AnyRecord) -> str:
    """Lines for a notebook that ask the same question."""
    settings = record.settings
    call, *first = _CALLS[record.kind]
    given = {
        name: value
        for name, value in settings.model_dump().items()
        if name not in first
        and value != type(settings).model_fields[name].get_default(call_default_factory=True)
    }
    words = [repr(getattr(settings, name)) for name in first]
    words += [f"{name}={value!r}" for name, value in given.items()]
    imports = "import datetime\n" if any("datetime." in word for word in words) else ""
    return (
        f"{imports}import workbench as wb\n\nproject = wb.Project.open()\nproject.{call}({', '.join(words)})"
    )
