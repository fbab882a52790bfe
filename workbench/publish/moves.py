"""Two answers to one question: what was asked otherwise, and whether new customers explain the move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scipy.special import ndtri

from workbench.decisions import loss
from workbench.locale import Message, say
from workbench.models.accrual import Grown, spread_of_move
from workbench.protocol import SETTING_NAMES
from workbench.publish.versions import question
from workbench.records import AnyRecord, Comparison, EffectRecord

PLANNED: Final = "protocol"
"""The check that an answer keeps to its plan, and the plan among what an answer was made of."""
_SAME_ANYWAY: Final = frozenset({"looks", "confirm", "second_opinion"})
"""Settings that ask nothing else: how often one looked, whether a second method looked as well."""
_NAMES: Final[Mapping[str, Message]] = SETTING_NAMES | {"assignment": say("How people came into their arm")}


def same_question(record: AnyRecord) -> tuple[str, Any]:
    """What is equal for records that answer the same question in the same way."""
    return record.kind, tuple(sorted((name, repr(value)) for name, value in _settings(record).items()))


def same_line(record: AnyRecord) -> str:
    """What is equal for records that answer the same question, whatever else was set."""
    return f"{record.kind} {question(record)}"


def other_settings(then: AnyRecord, now: AnyRecord) -> list[Message]:
    """Which settings are other ones."""
    before, after = _settings(then), _settings(now)
    return [
        _NAMES.get(name) or say("{name}", name=name)
        for name, value in after.items()
        if repr(before.get(name)) != repr(value)
    ]


def data_of(record: AnyRecord) -> dict[str, str]:
    """The tables that an answer was made of, and their fingerprints."""
    return {name: digest for name, digest in record.source.fingerprints.items() if name != PLANNED}


def explained(then: AnyRecord, now: AnyRecord) -> Message | None:
    """Whether new customers of the same kind explain how far the answer moved; None where it did not.

    Those of then are among those of now, so the two are not held against each other as if they were apart
    (`models.accrual`). Nothing is said of answers for which this is not known to hold: values and cohorts
    look further on with every day, and what is adjusted to be comparable is weighted anew.

    Args:
        then, now: Two answers to the same question, as they were kept.
    """
    if not isinstance(then, EffectRecord) or not isinstance(now, EffectRecord) or then.failed or now.failed:
        return None
    arm, control = now.summary.arm, now.summary.control
    before, after = _whole(then, arm, control), _whole(now, arm, control)
    if before is None or after is None or before.difference == after.difference:
        return None
    if then.summary.arm != arm:
        return say("It speaks of “{now}” now, and spoke of “{then}” then.", now=arm, then=then.summary.arm)
    if data_of(then) == data_of(now):
        return say("The data are the same: it was computed otherwise.")
    if then.definitions != now.definitions:
        return say("A segment is defined otherwise than before, so the two are not about the same customers.")
    sizes = {one.arm: one.n for one in then.summary.arms}
    grown = [
        Grown(sizes.get(one.arm, 0), one.n, one.sd) for one in now.summary.arms if one.arm in (arm, control)
    ]
    if any(not 0 < one.then <= one.now for one in grown):
        return say("Some customers of then are no longer counted, so chance alone cannot be judged.")
    if all(one.then == one.now for one in grown):
        return say("No customer came in; what is known of those who were there has changed.")
    settings = now.settings
    if settings.lift_prior is not None or now.summary.assignment == "adaptive":
        return None
    reach = spread_of_move(grown) * float(ndtri((1 + settings.level) / 2))
    moved = after.difference - before.difference
    told = {"reach": loss(now.summary.unit, reach), "level": settings.level}
    if abs(moved) <= reach:
        return say(
            "No more than chance: new customers like those before move it by up to {reach} either way in "
            "{level:whole_percent} of cases.",
            **told,
        )
    return say(
        "More than chance: new customers like those before move it by up to {reach} either way in "
        "{level:whole_percent} of cases. Those who came are others, or something has changed.",
        **told,
    )


def _settings(record: AnyRecord) -> dict[str, Any]:
    found: dict[str, Any] = record.settings.model_dump()
    return {name: value for name, value in found.items() if name not in _SAME_ANYWAY}


def _whole(record: EffectRecord, arm: str, control: str) -> Comparison | None:
    """The comparison of two arms over everybody."""
    found = record.summary.comparisons
    return next(
        (one for one in found if one.segment is None and (one.arm, one.control) == (arm, control)), None
    )
