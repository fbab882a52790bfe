"""A record in words: the figures, rows and objects that pages, terminals and scripts show of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from workbench.decisions import amount, change, main_comparison, main_difference, metric_name
from workbench.locale import Texts, say
from workbench.metrics.catalogue import Loss, Readiness
from workbench.records import Check, Comparison, EffectRecord, Interval, ValueRecord
from workbench.segments import NOT_KNOWN, REST
from workbench.tables.report import LoadReport

Row = dict[str, str]
_LISTED = 10
_SIGNS = {"fail": "✗", "warn": "!", "ok": "✓"}
_WORDS = {"missing": say("not possible"), "partly": say("possible with care"), "ready": say("possible")}
_LIGHTS = {"missing": "✗", "partly": "!", "ready": "✓"}


@dataclass(frozen=True)
class Figure:
    """One number to be read at a glance: what it is, the number, and its interval in words."""

    label: str
    value: str
    detail: str


def between(t: Texts, interval: Interval, level: float, wording: Any) -> str:
    """An interval in words; `wording` turns a number into text or a `Message`."""
    low, high = (wording(end) for end in interval)
    return t("between {low} and {high} ({level:whole_percent})", low=low, high=high, level=level)


def segment_name(record: EffectRecord, item: Comparison, t: Texts) -> str:
    """A segment of a comparison, with the arm where there are several to compare."""
    name = group_name(item.segment, t)
    return name if len(record.summary.arms) == 2 else f"{name} · {item.arm}"


def group_name(group: str | None, t: Texts) -> str:
    """A group as a reader calls it: everybody, the rest, those not known, or its own name."""
    known = {None: t("everybody"), REST: t("the rest"), NOT_KNOWN: t("not known")}
    return known.get(group) or str(group)


def figures(record: EffectRecord | ValueRecord, t: Texts) -> list[Figure]:
    """At most three figures that carry the answer."""
    return _effect_figures(record, t) if isinstance(record, EffectRecord) else _value_figures(record, t)


def _effect_figures(record: EffectRecord, t: Texts) -> list[Figure]:
    summary, level = record.summary, record.settings.level
    best = main_comparison(summary)
    found = [
        Figure(
            t("Difference per customer"),
            t(change(summary.unit, best.difference)),
            between(t, best.difference_interval, level, lambda end: t(change(summary.unit, end))),
        )
    ]
    if best.lift is not None and best.lift_interval is not None:
        found.append(
            Figure(
                t("Lift"),
                t.signed_percent(best.lift),
                between(t, best.lift_interval, level, t.signed_percent),
            )
        )
    if summary.word == "effect":
        found.append(
            Figure(
                t("Probability of being better"),
                t.percent(best.probability_better),
                t("best of all arms: {p:percent}", p=summary.probability_best[best.arm]),
            )
        )
    return found


def _value_figures(record: ValueRecord, t: Texts) -> list[Figure]:
    level, summary = record.settings.level, record.summary
    found, spoken_of = [], [group.group for group in summary.value[:1]]
    if summary.differences:
        item = main_difference(summary)
        spoken_of = list(item.groups)
        first, second = (group_name(group, t) for group in item.groups)
        found.append(
            Figure(
                t("Difference of {first} and {second}", first=first, second=second),
                t.signed_money(item.mean),
                between(t, item.interval, level, t.signed_money),
            )
        )
    for group in summary.value:
        if group.group not in spoken_of:
            continue
        found.append(
            Figure(
                t("Value of “{group}”", group=group_name(group.group, t))
                if group.group
                else t("Value of a new customer"),
                t.money(group.mean),
                between(t, group.interval, level, t.money),
            )
        )
    return found


def arm_rows(record: EffectRecord, t: Texts) -> list[Row]:
    """The arms as a table."""
    unit, level = record.summary.unit, record.settings.level
    return [
        {
            t("Arm"): arm.arm,
            t("Customers"): t.count(arm.n),
            t("Mean"): t(amount(unit, arm.mean)),
            t("Interval"): between(t, arm.interval, level, lambda end: t(amount(unit, end))),
            t("Best of all"): t.percent(arm.probability_best),
        }
        for arm in record.summary.arms
    ]


def segment_rows(record: EffectRecord, t: Texts) -> list[Row]:
    """The segments as a table, by their pooled value, largest first."""
    unit, level = record.summary.unit, record.settings.level
    rows = []
    for item in sorted(
        (item for item in record.summary.comparisons if item.segment is not None and item.pooled is not None),
        key=lambda item: -item.pooled.difference if item.pooled else 0.0,
    ):
        assert item.pooled is not None
        rows.append(
            {
                t("Segment"): segment_name(record, item, t),
                t("Customers"): t.count(item.n),
                t("Difference as seen"): t(change(unit, item.difference)),
                t("Difference, pooled"): t(change(unit, item.pooled.difference)),
                t("Interval"): between(
                    t, item.pooled.difference_interval, level, lambda end: t(change(unit, end))
                ),
                t("Better"): t.percent(item.pooled.probability_better),
            }
        )
    return rows


def value_rows(record: ValueRecord, t: Texts) -> list[Row]:
    """The groups' values as a table."""
    level = record.settings.level
    return [
        {
            t("Group"): group_name(group.group, t),
            t("Customers"): t.count(group.customers),
            t("Value of a new customer"): t.money(group.mean),
            t("Interval"): between(t, group.interval, level, t.money),
            t("Repeat purchases"): t.number(group.purchases),
            t("Spend per purchase"): t.money(group.spend),
        }
        for group in record.summary.value
    ]


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
    for name in ("holdout", "confirmed", "pooled_on"):
        if found.get(name) is None:
            found.pop(name, None)
    for item in found.get("comparisons", []):
        if item["pooled"] is None:
            del item["pooled"]
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
    found = _effect_details(record, t) if isinstance(record, EffectRecord) else _value_details(record, t)
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


def _effect_details(record: EffectRecord, t: Texts) -> list[tuple[str, str]]:
    settings, summary = record.settings, record.summary
    if summary.kind == "binary":
        definition = t(
            "Share of customers with at least one success ({metric}).", metric=metric_name(settings.metric)
        )
        method = t(
            "Beta-binomial posterior of each arm with a Beta({a:number}, {b:number}) prior; probabilities, "
            "intervals and losses by quadrature from the same posterior.",
            a=settings.prior[0],
            b=settings.prior[1],
        )
    else:
        definition = t(
            "Mean of {metric} over all customers, those without any included.",
            metric=metric_name(settings.metric),
        )
        method = t(
            "Student-t posterior of each arm's mean (reference prior); probabilities, intervals and "
            "losses by quadrature from the same posterior."
        )
    if record.source.until:
        definition += " " + t(
            "Counted for {days:count} days after a customer's first exposure.", days=settings.window_days
        )
    found = [(t("Definition"), definition), (t("Method"), method)]
    if any(item.pooled for item in summary.comparisons):
        found.append(
            (
                t("Segments"),
                t(
                    "Effects, not rates, are drawn towards the effect over everybody as far as the segments "
                    "agree (hierarchical Normal model, spread between segments integrated over)."
                ),
            )
        )
    return found


def _value_details(record: ValueRecord, t: Texts) -> list[tuple[str, str]]:
    settings, summary = record.settings, record.summary
    names = {"bg-nbd": "BG/NBD", "mbg-nbd": "MBG/NBD"}
    parameters = ", ".join(
        f"{name} {t.number(value.mean)} ± {t.number(value.sd, 2)}"
        for name, value in summary.parameters.items()
    )
    return [
        (
            t("Definition"),
            t(
                "Expected repeat purchases in the {weeks:count} weeks after a customer's first, times "
                "expected spend, times a margin of {margin:percent}, discounted by {discount:percent} a "
                "year.",
                weeks=settings.horizon_weeks,
                margin=settings.margin,
                discount=settings.discount_per_year,
            ),
        ),
        (
            t("Method"),
            t(
                "{model} for purchases and Gamma-Gamma for spend, on {rows:count} compressed rows; "
                "posterior by Pareto-smoothed importance sampling (k̂ {khat:number}).",
                model=names[summary.model],
                rows=summary.rows,
                khat=summary.khat,
            ),
        ),
        (t("Parameters"), parameters),
    ]


def as_code(record: EffectRecord | ValueRecord) -> str:
    """Lines for a notebook that ask the same question."""
    settings = record.settings
    first = {"experiment", "metric"} if isinstance(record, EffectRecord) else set()
    given = {
        name: value
        for name, value in settings.model_dump().items()
        if name not in first and value != type(settings).model_fields[name].default
    }
    words = [repr(getattr(settings, name)) for name in ("experiment", "metric") if name in first]
    words += [f"{name}={value!r}" for name, value in given.items()]
    call = "effect" if isinstance(record, EffectRecord) else "lifetime_value"
    imports = "import datetime\n" if getattr(settings, "until", None) else ""
    return (
        f"{imports}import workbench as wb\n\nproject = wb.Project.open()\nproject.{call}({', '.join(words)})"
    )


def load_lines(loaded: LoadReport, t: Texts) -> list[str]:
    """What came of loading files, a line each: what is in, what is worth knowing, what was left out."""
    values = {"kept": loaded.rows_kept, "read": loaded.rows_read, "file": ", ".join(loaded.files)}
    lines = [
        t("{kept:count} of {read:count} rows of {file} are in {table} now.", **values, table=loaded.table)
        if len(loaded.added) < 2
        else t("{kept:count} of {read:count} rows of {file} were taken in.", **values)
    ]
    lines += [
        "  " + t("{table}: {n:count} new rows", table=table, n=rows) for table, rows in loaded.added.items()
    ]
    lines += [f"  {t(note)}" for note in loaded.notes]
    lines += [
        "  "
        + t(
            "line {line}, {column}: {reason} ({text})",
            line=row.line,
            column=row.column or "–",
            reason=t(row.reason),
            text=row.text[:60],
        )
        for row in loaded.rejected[:_LISTED]
    ]
    if loaded.rejected_count > _LISTED:
        lines.append("  " + t("… and {n:count} more rows left out", n=loaded.rejected_count - _LISTED))
    return lines + ["? " + t(question.question) for question in loaded.questions]


def check_lines(checks: Sequence[Check], ready: Sequence[Readiness], t: Texts) -> list[str]:
    """The checks of the tables and the metrics they allow, a line each, what needs care first."""
    lines = [f"{_SIGNS[check.status]} {t(check.detail)}{_examples(check)}" for check in checks]
    lines.append(t("What can be computed:"))
    for one in ready:
        why = [t(part).rstrip(".") for part in (*one.missing, *one.caveats)]
        why += [check.name for check in one.checks if check.status != "ok"]
        lines.append(f"{_LIGHTS[one.light]} {t(one.metric.title)}" + (f" ({'; '.join(why)})" if why else ""))
    return lines


def check_script(checks: Sequence[Check], ready: Sequence[Readiness], t: Texts) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "checks": [
            {
                "name": check.name,
                "status": check.status,
                "detail": t(check.detail),
                "count": check.count,
                "share": check.share,
                "examples": list(check.examples),
            }
            for check in checks
        ],
        "metrics": [
            {
                "name": one.metric.name,
                "title": t(one.metric.title),
                "status": one.light,
                "tables": dict(one.cells),
                "missing": [t(part) for part in one.missing],
                "caveats": [t(part) for part in one.caveats],
                "checks": {check.name: check.status for check in one.checks},
            }
            for one in ready
        ],
    }


def loss_lines(lost: Sequence[Loss], t: Texts) -> list[str]:
    """What metrics would lose, a line each."""
    if not lost:
        return [t("No metric reads these columns.")]
    return [
        t(
            "{metric}: {before} now, {after} without {columns:listing}.",
            metric=t(one.metric.title),
            before=t(_WORDS[one.before]),
            after=t(_WORDS[one.after]),
            columns=list(one.columns),
        )
        for one in lost
    ]


def loss_script(loss: Loss, t: Texts) -> dict[str, Any]:
    """The same of one metric as plain values."""
    return {
        "name": loss.metric.name,
        "title": t(loss.metric.title),
        "columns": list(loss.columns),
        "before": loss.before,
        "after": loss.after,
        "missing": [t(part) for part in loss.missing],
    }


def _examples(check: Check) -> str:
    return f" ({', '.join(check.examples[:3])})" if check.examples and check.status != "ok" else ""
