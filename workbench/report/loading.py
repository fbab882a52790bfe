"""What came of loading files, and what the tables allow, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.locale import Texts, say
from workbench.metrics.catalogue import Loss, Readiness
from workbench.records import Check
from workbench.tables.report import LoadReport

_LISTED = 10
_SIGNS = {"fail": "✗", "warn": "!", "ok": "✓"}
_WORDS = {"missing": say("not possible"), "partly": say("possible with care"), "ready": say("possible")}
_LIGHTS = {"missing": "✗", "partly": "!", "ready": "✓"}


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
