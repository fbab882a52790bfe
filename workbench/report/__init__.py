"""A record in words: the figures, rows and objects that pages, terminals and scripts show of it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from workbench.locale import Texts
from workbench.records import EffectRecord, ValueRecord
from workbench.report.beside import Section, sections
from workbench.report.effect import arm_rows, effect_details, effect_figures, segment_name, segment_rows
from workbench.report.loading import check_lines, check_script, load_lines, loss_lines, loss_script
from workbench.report.numbers import as_csv
from workbench.report.value import value_details, value_figures, value_rows
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
    "figures",
    "group_name",
    "load_lines",
    "loss_lines",
    "loss_script",
    "rows",
    "script",
    "sections",
    "segment_name",
    "segment_rows",
    "text",
    "value_rows",
]


def figures(record: EffectRecord | ValueRecord, t: Texts) -> list[Figure]:
    """At most three figures that carry the answer."""
    return effect_figures(record, t) if isinstance(record, EffectRecord) else value_figures(record, t)


def rows(record: EffectRecord | ValueRecord, t: Texts) -> list[Row]:
    """The record's main table."""
    if isinstance(record, ValueRecord):
        return value_rows(record, t)
    return segment_rows(record, t) or arm_rows(record, t)


def text(record: EffectRecord | ValueRecord, t: Texts) -> str:
    """A record for a terminal."""
    signs = {"ok": "✓", "warn": "!", "fail": "✗"}
    lines = [t(record.verdict), ""]
    if not record.failed:
        lines += [f"  {item.label}: {item.value}, {item.detail}" for item in figures(record, t)]
        for row in rows(record, t):
            first, *rest = row.items()
            lines.append(f"  {first[1]}: " + "; ".join(f"{name} {value}" for name, value in rest))
    lines += ["", *(f"  {signs[check.status]} {t(check.detail)}" for check in record.checks)]
    return "\n".join([*lines, "", "  " + t("record {id}", id=record.id)])


def script(record: EffectRecord | ValueRecord, t: Texts) -> dict[str, Any]:
    """A record for a machine: what the command line prints with `--json`."""
    pictures = {"density", "draws"}
    found = {key: _without(value, pictures) for key, value in record.summary.model_dump(mode="json").items()}
    for name in ("holdout", "confirmed", "confirmation", "pooled_on"):
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


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, names) for key, item in value.items() if key not in names}
    return [_without(item, names) for item in value] if isinstance(value, list) else value


def details(record: EffectRecord | ValueRecord, t: Texts) -> list[tuple[str, str]]:
    """What a careful reader wants to know: definition, method, data, versions."""
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


def as_code(record: EffectRecord | ValueRecord) -> str:
    """Lines for a notebook that ask the same question."""
    settings = record.settings
    first = {"experiment", "metric"} if isinstance(record, EffectRecord) else set()
    given = {
        name: value
        for name, value in settings.model_dump().items()
        if name not in first
        and value != type(settings).model_fields[name].get_default(call_default_factory=True)
    }
    words = [repr(getattr(settings, name)) for name in ("experiment", "metric") if name in first]
    words += [f"{name}={value!r}" for name, value in given.items()]
    call = "effect" if isinstance(record, EffectRecord) else "lifetime_value"
    dated = getattr(settings, "until", None) or getattr(settings, "excluded", ())
    imports = "import datetime\n" if dated else ""
    return (
        f"{imports}import workbench as wb\n\nproject = wb.Project.open()\nproject.{call}({', '.join(words)})"
    )
