"""What is looked at before a number of an experiment is shown."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log

from workbench.analyses.experiment import Experiment
from workbench.analyses.propensities import ByGroup
from workbench.locale import Message, say
from workbench.metrics.cells import Cell
from workbench.models.adaptive import Propensities, assignment_p_value
from workbench.models.sample_ratio import log_bayes_factor, sample_ratio_p_value
from workbench.moments import WeightedMoments
from workbench.records import Assignment, Check, EffectSettings

SAMPLE_RATIO_ALARM = 0.001
TWO_ARMS_WARNING = 0.005
TWO_ARMS_ALARM = 0.1
FEWEST_CONVERSIONS = 10
FEWEST_CUSTOMERS = 30
UNEVEN = 0.1
_MILLION = 1e6


def believed(recorded: Assignment | None, said: Assignment | None) -> Assignment:
    """How people were assigned: what the data say, unless the analyst says something more cautious.

    An analyst's word makes unknown into random; it cannot make self-selected into random. Chance decided in
    an adaptive assignment, too, with shares that changed (`analyses.propensities`).
    """
    if recorded in ("self", "rule"):
        return said if said == "self" else recorded
    found = said or recorded or "unknown"
    return "random" if found == "adaptive" else found


def effect_checks(found: Experiment, settings: EffectSettings, control: str) -> list[Check]:
    """All checks of an experiment as a whole."""
    assignment = believed(found.recorded, settings.assignment)
    checks = [
        _assignment(found, settings, assignment),
        _two_arms(found),
        _sample_ratio(found, settings, assignment),
        _enough(found),
    ]
    if found.propensities is not None:
        checks.append(_propensities(found, found.propensities))
    if found.seconds:
        checks.append(_maturity(found, settings))
    if found.missing:
        checks.append(_missing(found))
    if found.late_rules:
        checks.append(
            Check(
                name="segments_before_exposure",
                status="warn",
                detail=say(
                    "The file gives no times, so the order history in {names:listing} was taken at the end "
                    "of the data; it may itself be an outcome of the experiment.",
                    names=list(found.late_rules),
                ),
            )
        )
    if settings.control is None:
        checks.append(
            Check(
                name="control",
                status="ok",
                detail=say(
                    "“{control}” was taken as the control; name another if it is not.", control=control
                ),
            )
        )
    return checks


def _assignment(found: Experiment, settings: EffectSettings, assignment: Assignment) -> Check:
    if assignment == "random":
        return Check(name="assignment", status="ok", detail=say("People were assigned at random."))
    if settings.assignment == "random":
        detail = say(
            "You say that people were assigned at random, but the data say that they were not; the data are "
            "believed, and differences are associations."
        )
    elif assignment == "unknown":
        detail = say(
            "How people were assigned is not known, so differences are associations; say so if it was "
            "at random."
        )
    else:
        detail = say("People were not assigned at random, so differences are associations.")
    return Check(name="assignment", status="warn", detail=detail)


def _two_arms(found: Experiment) -> Check:
    everybody = sum(found.assigned.values()) + found.two_arms
    share = found.two_arms / everybody if everybody else 0.0
    if not found.two_arms:
        return Check(name="two_arms", status="ok", detail=say("No customer was seen in two arms."))
    detail = say(
        "{n:count} customers ({share:percent}) were seen in more than one arm; they are left out.",
        n=found.two_arms,
        share=share,
    )
    if share > TWO_ARMS_ALARM:
        detail = say(
            "{n:count} customers ({share:percent}) were seen in more than one arm: the assignment does not "
            "hold; find out why before you read the numbers.",
            n=found.two_arms,
            share=share,
        )
        return Check(name="two_arms", status="fail", detail=detail)
    return Check(name="two_arms", status="warn" if share > TWO_ARMS_WARNING else "ok", detail=detail)


def _sample_ratio(found: Experiment, settings: EffectSettings, assignment: Assignment) -> Check:
    arms = found.arms
    sizes = [say("{arm} {n:count}", arm=arm, n=found.assigned[arm]) for arm in arms]
    if assignment != "random":
        return Check(
            name="sample_ratio",
            status="ok",
            detail=say(
                "Sizes of the arms: {sizes:listing}. Without random assignment none is expected.", sizes=sizes
            ),
        )
    if found.propensities is not None:
        return _ratio_of_propensities([found.propensities[arm, None] for arm in arms], sizes)
    planned = settings.planned_split or found.planned
    shares = [planned.get(arm, 0.0) for arm in arms] if planned else None
    counts = [found.assigned[arm] for arm in arms]
    p_value = sample_ratio_p_value(counts, shares)
    words = {"sizes": sizes, "p": p_value, "odds": _odds(log_bayes_factor(counts, shares))}
    if p_value < SAMPLE_RATIO_ALARM:
        return Check(
            name="sample_ratio",
            status="fail",
            detail=say(
                "The arms are not as large as planned ({sizes:listing}; p {p:p_value}; {odds}): somebody is "
                "lost or counted twice; find out why, or give the planned split if it was not even.",
                **words,
            ),
        )
    detail = say("The arms are as large as planned ({sizes:listing}; p {p:p_value}; {odds}).", **words)
    return Check(name="sample_ratio", status="ok", detail=detail)


def _odds(log_factor: float) -> Message:
    """How much likelier the sizes of the arms are with one split than with the other."""
    if log_factor > log(_MILLION):
        return say("more than a million times as likely with another split as with the planned one")
    if log_factor > 0:
        return say(
            "{times:number} times as likely with another split as with the planned one", times=exp(log_factor)
        )
    return say(
        "{times:number} times as likely with the planned split as with another", times=exp(-log_factor)
    )


def _ratio_of_propensities(arms: list[Propensities], sizes: list[Message]) -> Check:
    """The same where every customer had a probability of their own."""
    p_value = assignment_p_value(arms)
    words = {"sizes": sizes, "p": p_value}
    if p_value < SAMPLE_RATIO_ALARM:
        detail = say(
            "The arms are not as large as their probabilities say ({sizes:listing}; p {p:p_value}): "
            "somebody is lost or counted twice, or the probabilities are not those that were used; find "
            "out why.",
            **words,
        )
        return Check(name="sample_ratio", status="fail", detail=detail)
    detail = say("The arms are as large as planned ({sizes:listing}; p {p:p_value}).", **words)
    return Check(name="sample_ratio", status="ok", detail=detail)


def _propensities(found: Experiment, arms: ByGroup) -> Check:
    """How the probabilities of the arms moved, and how much is left to be said with them."""
    weighed: dict[str, WeightedMoments] = {}
    for (arm, _), pair in found.periods.items():
        if isinstance(pair, WeightedMoments):
            weighed[arm] = pair + weighed[arm] if arm in weighed else pair
    everybody = [one for (_, group), one in arms.items() if group is None]
    parts = [say("{arm} {n:count}", arm=arm, n=weighed[arm].effective) for arm in sorted(weighed)]
    words = {
        "low": min(one.low for one in everybody),
        "high": max(one.high for one in everybody),
        "parts": parts,
        "least": FEWEST_CUSTOMERS,
    }
    if any(pair.effective < FEWEST_CUSTOMERS for pair in weighed.values()):
        detail = say(
            "The probabilities of the arms ran from {low:percent} to {high:percent}, so that few customers "
            "carry an arm: it says no more than this many who count alike would ({parts:listing}), and below "
            "{least:count} no verdict is given.",
            **words,
        )
        return Check(name="propensities", status="fail", detail=detail)
    detail = say(
        "The probabilities of the arms ran from {low:percent} to {high:percent}; every customer counts with "
        "one over their own, since plain means would be biased. The arms say as much as this many who count "
        "alike would: {parts:listing}.",
        **words,
    )
    uneven = any(pair.effective < UNEVEN * pair.n for pair in weighed.values())
    return Check(name="propensities", status="warn" if uneven else "ok", detail=detail)


def _enough(found: Experiment) -> Check:
    cells: Mapping[str, Cell] = {arm: found.cells.get((arm, None), Cell()) for arm in found.arms}
    for arm, cell in cells.items():
        few = round(cell.all.total) if found.kind == "binary" else cell.positive.n
        if found.kind == "binary" and few < FEWEST_CONVERSIONS:
            return Check(
                name="enough_data",
                status="fail",
                detail=say(
                    "It is too early: “{arm}” has {few:count} conversions of {n:count} customers, and below "
                    "{least:count} no verdict is given.",
                    arm=arm,
                    few=few,
                    n=cell.all.n,
                    least=FEWEST_CONVERSIONS,
                ),
            )
        if found.kind == "mean" and cell.all.n < FEWEST_CUSTOMERS:
            return Check(
                name="enough_data",
                status="fail",
                detail=say(
                    "It is too early: “{arm}” has {n:count} customers, and below {least:count} no verdict is "
                    "given.",
                    arm=arm,
                    n=cell.all.n,
                    least=FEWEST_CUSTOMERS,
                ),
            )
    return Check(
        name="enough_data",
        status="ok",
        detail=say("Every arm has enough customers ({least:count} at least).", least=_least(found, cells)),
    )


def _least(found: Experiment, cells: Mapping[str, Cell]) -> int:
    return min(cell.all.n for cell in cells.values())


def _maturity(found: Experiment, settings: EffectSettings) -> Check:
    everybody = sum(found.assigned.values())
    share = found.immature / everybody if everybody else 0.0
    return Check(
        name="maturity",
        status="warn" if share > 0.5 else "ok",
        detail=say(
            "{n:count} customers ({share:percent}) were exposed less than {days:count} days before the end "
            "of the data; they are left out.",
            n=found.immature,
            share=share,
            days=settings.window_days,
        ),
    )


def _missing(found: Experiment) -> Check:
    everybody = sum(found.assigned.values())
    share = found.missing / everybody
    return Check(
        name="missing_outcomes",
        status="warn" if share > 0.01 else "ok",
        detail=say(
            "{n:count} customers ({share:percent}) have no outcome; they are left out.",
            n=found.missing,
            share=share,
        ),
    )
