"""What of a record others may see: nothing of few people, counts rounded, no rule that may name somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.locale import say
from workbench.records import SMALLEST_GROUP, Check, EffectRecord, EffectSummary, ValueRecord, ValueSummary

_ROUND_TO = 10


def too_small[K](sizes: Mapping[K, int]) -> set[K]:
    """Which of the groups that make up a whole may not be shown.

    One that is left out could be found by subtraction if it were the only one; the next smallest is then left
    out with it.
    """
    hidden = {key for key, n in sizes.items() if n < SMALLEST_GROUP}
    if len(hidden) == 1 and len(sizes) > 1:
        hidden.add(min((key for key in sizes if key not in hidden), key=lambda key: sizes[key]))
    return hidden


def rounded(count: float) -> int:
    """A count as it is published."""
    return round(count / _ROUND_TO) * _ROUND_TO


def left_out(groups: int) -> list[Check]:
    """Says that so many groups are not shown."""
    if not groups:
        return []
    detail = say(
        "{n:count} groups are not shown, so that nobody can be recognised in one of fewer than "
        "{least:count} people.",
        n=groups,
        least=SMALLEST_GROUP,
    )
    return [Check(name="small_groups", status="ok", detail=detail)]


def disclosed(record: EffectRecord | ValueRecord) -> EffectRecord | ValueRecord:
    """The record as others may see it.

    A rule may name people; the segment's own name is what readers get.
    """
    if isinstance(record, EffectRecord):
        hidden, shown = _effect(record.summary)
    else:
        hidden, shown = _value(record.summary)
    return record.model_copy(
        update={
            "summary": record.summary.model_copy(update=shown),
            "checks": [*record.checks, *left_out(hidden)],
            "definitions": {},
        }
    )


def _effect(effect: EffectSummary) -> tuple[int, dict[str, Any]]:
    hidden = too_small(
        {(item.segment, item.arm): item.n for item in effect.comparisons if item.segment is not None}
    )
    return len(hidden), {
        "comparisons": [
            item.model_copy(update={"n": rounded(item.n)})
            for item in effect.comparisons
            if (item.segment, item.arm) not in hidden
        ],
        "arms": [
            arm.model_copy(
                update={
                    "n": rounded(arm.n),
                    "total": rounded(arm.total) if effect.unit == "share" else arm.total,
                    "buyers": None if arm.buyers is None else rounded(arm.buyers),
                }
            )
            for arm in effect.arms
        ],
        "customers": rounded(effect.customers),
    }


def _value(value: ValueSummary) -> tuple[int, dict[str, Any]]:
    hidden = too_small({group.group: group.customers for group in value.value if group.group})
    return len(hidden), {
        "value": [
            group.model_copy(update={"customers": rounded(group.customers)})
            for group in value.value
            if group.group not in hidden
        ],
        "differences": [item for item in value.differences if not hidden & set(item.groups)],
        "customers": rounded(value.customers),
    }
