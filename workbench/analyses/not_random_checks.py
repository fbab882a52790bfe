"""What is looked at before a comparison that was not random is shown."""

from __future__ import annotations

from collections.abc import Callable

from workbench.analyses.followed import Followed
from workbench.decisions import change
from workbench.locale import Message, say
from workbench.models.overlap import LARGEST_IMBALANCE, Adjustment
from workbench.records import Assignment, Association, Check, NotRandomSettings, Refused
from workbench.records.association import Placebo
from workbench.report.association import covariate_name, few_or_share

_MANY_ALONE = 0.1
_SHOWN = 4


def first_checks_of(found: Followed, settings: NotRandomSettings, assignment: Assignment) -> list[Check]:
    """What is known before anything is compared."""
    return [_assignment(settings, assignment), _landmark(found, settings), *_left_out(found)]


def checks_of(
    found: Followed,
    settings: NotRandomSettings,
    adjusted: Adjustment,
    answer: Association | Refused,
    placebo: Placebo | None,
) -> list[Check]:
    """Whether the groups can be compared, and were made alike."""
    checks = [_overlap(adjusted), *_lost(adjusted), *_balance(adjusted, settings)]
    if isinstance(answer, Refused) and all(check.status != "fail" for check in checks):
        checks.append(Check(name="answer", status="fail", detail=answer.reason))
    return [*checks, _placebo(found, placebo)]


def _assignment(settings: NotRandomSettings, assignment: Assignment) -> Check:
    words = {
        "random": say("People were assigned at random."),
        "rule": say("A rule decided who had it, so differences are associations."),
        "self": say("People chose, or came to it by what they did, so differences are associations."),
        "unknown": say("How people came to it is not known, so differences are associations."),
    }
    detail = words[assignment]
    if settings.assignment == "random" and assignment != "random":
        detail = say(
            "You say that people were assigned at random, but the data say that they were not; the data are "
            "believed, and differences are associations."
        )
    return Check(name="assignment", status="ok" if assignment == "random" else "warn", detail=detail)


def _landmark(found: Followed, settings: NotRandomSettings) -> Check:
    if found.period is None:
        return Check(
            name="landmark",
            status="warn",
            detail=say(
                "The file gives no times, so nobody can tell whether everybody was followed from the same "
                "date, and whether what is adjusted for was there before the treatment."
            ),
        )
    return Check(
        name="landmark",
        status="ok",
        detail=say(
            "Everybody is followed from {landmark:date}, for {days:count} days. Who had it from {since:date} "
            "until then is in the first group, whatever they did later.",
            landmark=found.period.landmark,
            days=settings.window_days,
            since=found.period.since,
        ),
    )


def _left_out(found: Followed) -> list[Check]:
    words: dict[str, Callable[[int], Message]] = {
        "new": lambda n: say(
            "{n:count} customers came only after the treatment could count; nothing is known of them from "
            "before, so they are left out.",
            n=n,
        ),
        "earlier": lambda n: say(
            "{n:count} customers had it before it could count; they are left out, since what it did to them "
            "may be in what is adjusted for.",
            n=n,
        ),
        "both": lambda n: say("{n:count} customers were seen in more than one arm; they are left out.", n=n),
        "missing": lambda n: say("{n:count} customers have no outcome; they are left out.", n=n),
    }
    everybody = sum(found.sizes) + sum(found.left_out.values())
    return [
        Check(
            name=f"left_out_{name}",
            status="warn" if n > _MANY_ALONE * everybody else "ok",
            detail=words[name](n),
            count=n,
            share=n / everybody,
        )
        for name, n in found.left_out.items()
    ]


def _overlap(adjusted: Adjustment) -> Check:
    first, other = adjusted.overlap.alone
    if adjusted.people is None:
        reason = next(iter(adjusted.answers.values())).refused
        assert reason is not None
        return Check(name="overlap", status="fail", detail=reason, share=first)
    return Check(
        name="overlap",
        status="warn" if max(first, other) > _MANY_ALONE else "ok",
        detail=counterparts(first, other),
        share=first,
    )


def counterparts(first: float | None, other: float | None) -> Message:
    """Who has no counterpart; None where those are too few to say how many."""
    return say(
        "{first} of those who had it and {other} of the others have no counterpart in the other group; they "
        "are left out of every adjusted number.",
        first=few_or_share(first),
        other=few_or_share(other),
    )


def _lost(adjusted: Adjustment) -> list[Check]:
    """The population that has changed, named."""
    if not adjusted.lost or adjusted.people is None:
        return []
    names = [
        say("{covariate}: {level}", covariate=covariate_name(one.covariate), level=one.level)
        for one in adjusted.lost[:_SHOWN]
    ]
    rest = len(adjusted.lost) - len(names)
    if rest:
        names.append(say("{rest:count} more", rest=rest))
    return [
        Check(
            name="population",
            status="warn",
            detail=say(
                "The adjusted numbers say nothing of customers with {names:listing}: next to none of them "
                "have a counterpart.",
                names=names,
            ),
            count=len(adjusted.lost),
        )
    ]


def _balance(adjusted: Adjustment, settings: NotRandomSettings) -> list[Check]:
    one = adjusted.answers[settings.target]
    if not one.balance:
        return []
    worst = max(one.balance, key=lambda line: abs(line.after))
    fine = abs(worst.after) < LARGEST_IMBALANCE
    detail = say(
        "Weighted, the groups differ by {after:number} standard deviations at most ({covariate}: {level}); "
        "as they are, by up to {before:number}.",
        after=abs(worst.after),
        covariate=covariate_name(worst.covariate),
        level=worst.level,
        before=max(abs(line.before) for line in one.balance),
    )
    checks = [
        Check(
            name="balance",
            status="ok" if fine else "fail",
            detail=detail if fine or one.refused is None else one.refused,
        )
    ]
    pair = one.worst_pair
    if fine and pair is not None and pair.after >= LARGEST_IMBALANCE:
        first, other = (
            say("{covariate}: {level}", covariate=covariate_name(covariate), level=level)
            for covariate, level in (pair.first, pair.other)
        )
        checks.append(
            Check(
                name="balance_of_pairs",
                status="warn",
                detail=say(
                    "Of two things at once the groups are not balanced: customers with {first} and {other} "
                    "differ by {smd:number} standard deviations.",
                    first=first,
                    other=other,
                    smd=pair.after,
                ),
            )
        )
    return checks


def _placebo(found: Followed, placebo: Placebo | None) -> Check:
    if found.before is None:
        return Check(name="placebo", status="warn", detail=found.about)
    if placebo is None or isinstance(placebo.answer, Refused):
        return Check(
            name="placebo",
            status="warn",
            detail=say("The placebo ({about}) could not be adjusted, so it says nothing.", about=found.about),
        )
    low, high = placebo.answer.interval
    values = {
        "about": placebo.about,
        "difference": change(found.unit, placebo.answer.difference),
        "low": change(found.unit, low),
        "high": change(found.unit, high),
    }
    if low > 0 or high < 0:
        return Check(
            name="placebo",
            status="warn",
            detail=say(
                "Placebo: the treatment cannot have changed {about}, yet the groups differ in it after the "
                "same adjustment ({difference}, from {low} to {high}). Something that matters is not known.",
                **values,
            ),
        )
    return Check(
        name="placebo",
        status="ok",
        detail=say(
            "Placebo: in {about}, which the treatment cannot have changed, no difference is left after the "
            "same adjustment ({difference}, from {low} to {high}).",
            **values,
        ),
    )
