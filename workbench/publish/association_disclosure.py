"""What of two groups that were not made at random others may see.

Levels that few people have are named nowhere, neither in tables nor in sentences; a bar of few people is not
drawn; and nothing is said from which either could be found by subtraction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from workbench.analyses.not_random_checks import counterparts
from workbench.locale import Message, say
from workbench.publish.rounding import left_out, rounded
from workbench.publish.suppression import too_small
from workbench.records import SMALLEST_GROUP, Association, AssociationRecord, Check, message
from workbench.records.association import BalanceLine, LostLevel, OverlapShape, Placebo, Sensitivity, Step
from workbench.report.association import covariate_name

type Level = tuple[str, str]


def disclosed_association(record: AssociationRecord, least: int = SMALLEST_GROUP) -> AssociationRecord:
    """The record as others may see it."""
    one = record.summary
    levels = _rare(one.balance, one.lost, least)
    reasons = {name for name, n in one.left_out.items() if n < least}
    shape = (
        None
        if one.overlap is None
        else _overlap(one.overlap, [group.customers for group in one.groups], least)
    )
    shown = {
        "groups": tuple(x.model_copy(update={"customers": rounded(x.customers)}) for x in one.groups),
        "left_out": {name: rounded(n) for name, n in one.left_out.items() if name not in reasons},
        "overlap": shape,
        "comparable": one.comparable and _both(one.comparable),
        "lost": [
            x.model_copy(update={"treated": rounded(x.treated), "control": rounded(x.control)})
            for x in one.lost
            if (x.covariate, x.level) not in levels
        ],
        "balance": [
            x.model_copy(update={"customers": _both(x.customers)})
            for x in one.balance
            if (x.covariate, x.level) not in levels
        ],
        "ladder": [Step(rung=x.rung, answer=_answer(x.answer)) for x in _steps(one.ladder, shape)],
        "answer": _answer(one.answer),
        "placebo": one.placebo and _placebo(one.placebo),
        "sensitivity": one.sensitivity and _sensitivity(one.sensitivity, levels),
    }
    checks = [
        _check(check, shape, least)
        for check in record.checks
        if check.name.removeprefix("left_out_") not in reasons
    ]
    public = record.model_copy(
        update={"summary": one.model_copy(update=shown), "checks": checks, "definitions": {}}
    )
    said = AssociationRecord.model_validate(_said(public.model_dump(mode="json"), levels, least))
    return said.model_copy(update={"checks": [*said.checks, *left_out(len(levels) + len(reasons), least)]})


def _rare(balance: Sequence[BalanceLine], lost: Sequence[LostLevel], least: int) -> set[Level]:
    """Levels that too few of a group have."""
    found = {(x.covariate, x.level) for x in lost if min(x.treated, x.control) < least}
    for covariate in {line.covariate for line in balance}:
        sizes = {line.level: min(line.customers) for line in balance if line.covariate == covariate}
        found |= {(covariate, level) for level in too_small(sizes, least)}
    return found


def _overlap(shape: OverlapShape, sizes: Sequence[int], least: int) -> OverlapShape:
    alone = [share for share in shape.alone if share is not None]
    return shape.model_copy(
        update={
            "treated": _bars(shape.treated, least),
            "control": _bars(shape.control, least),
            "alone": tuple(_share(share, size, least) for share, size in zip(alone, sizes, strict=True)),
        }
    )


def _bars(counts: Sequence[int | None], least: int) -> list[int | None]:
    there = {place: n for place, n in enumerate(counts) if n}
    hidden = too_small(there, least)
    return [None if place in hidden else rounded(n or 0) for place, n in enumerate(counts)]


def _share(share: float, size: int, least: int) -> float | None:
    """Of a group; None where it stands for few of its people."""
    n = round(share * size)
    return None if 0 < n < least else rounded(n) / rounded(size)


def _steps(ladder: Sequence[Step], shape: OverlapShape | None) -> list[Step]:
    """What those few without a counterpart did would be the difference of two rungs."""
    few = shape is not None and None in shape.alone
    return [step for step in ladder if not (few and step.rung == "comparable")]


def _both(counts: tuple[float, float]) -> tuple[int, int]:
    return rounded(counts[0]), rounded(counts[1])


def _answer(answer: Any) -> Any:
    if not isinstance(answer, Association):
        return answer
    sizes = {"customers": _both(answer.customers), "effective": answer.effective and _both(answer.effective)}
    return answer.model_copy(update=sizes)


def _placebo(placebo: Placebo) -> Placebo:
    return placebo.model_copy(
        update={"seen": _answer(placebo.seen), "answer": _answer(placebo.answer)},
    )


def _sensitivity(found: Sensitivity, levels: Collection[Level]) -> Sensitivity:
    known = found.strongest
    rare = known is not None and (known.covariate, known.level) in levels
    return found.model_copy(update={"strongest": None}) if rare else found


def _check(check: Check, shape: OverlapShape | None, least: int) -> Check:
    if check.name == "overlap" and shape is not None:
        detail = check.detail if check.status == "fail" else counterparts(*shape.alone)
        return check.model_copy(update={"detail": detail, "share": shape.alone[0]})
    if check.name == "balance_of_pairs":  # how many have two things at once is not known here
        detail = say(
            "Of two things at once the groups are not balanced: they differ by {smd:number} standard "
            "deviations.",
            smd=check.detail.values["smd"],
        )
        return check.model_copy(update={"detail": detail})
    if check.count is None:
        return check
    few = check.count < least
    share = None if few or check.share is None else round(check.share, 3)
    return check.model_copy(update={"count": None if few else rounded(check.count), "share": share})


def _said(value: Any, levels: Collection[Level], least: int) -> Any:
    """A record as JSON whose sentences name no rare level and count no few people (`n`)."""
    if isinstance(value, list):
        return [_said(item, levels, least) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _said(item, levels, least) for key, item in value.items()}
    if found.keys() != {"text", "values"}:
        return found
    values = found["values"]
    about = message(values.get("covariate")), values.get("level")
    if any(about == (message(covariate_name(name)), level) for name, level in levels):
        values["level"] = _json(say("a rare value"))
    if isinstance(n := values.get("n"), int | float):
        few = say("fewer than {least:count}", least=least)
        values["n"] = _json(few) if n < least else rounded(n)
    return found


def _json(said: Message) -> dict[str, Any]:
    return {"text": said.text, "values": dict(said.values)}
