"""What is looked at before a lifetime value is shown."""

from __future__ import annotations

from workbench.analyses.histories import Histories
from workbench.locale import say
from workbench.models import spend
from workbench.records import Check, Holdout, ValueSettings, ValueSummary

_CORRELATED = 0.3
_OBSERVED_ALIKE = 0.2
_SAMPLERS_AGREE = 0.25
_FAR = 3.0  # times the longest observation
_MANY_ONCE = 0.3


def value_checks(summary: ValueSummary, found: Histories, settings: ValueSettings) -> list[Check]:
    """All checks of a lifetime value but those of single groups."""
    checks = [_diagnostics(summary), _independence(found), _calibration(summary.holdout)]
    checks += [*_reach(found, settings), *_once(found, settings)]
    if settings.by is not None and len(found.purchases) > 1:
        checks.append(_observed_alike(found))
        if found.word == "association":
            checks.append(
                Check(
                    name="assignment",
                    status="warn",
                    detail=say("The groups were not made at random, so differences are associations."),
                )
            )
    if found.earlier:
        checks.append(
            Check(
                name="bought_before",
                status="ok",
                detail=say(
                    "{n:count} customers had bought before they were exposed; only those acquired afterwards "
                    "({kept:count}) are compared.",
                    n=found.earlier,
                    kept=summary.customers,
                ),
            )
        )
    if summary.confirmed is not None:
        checks.append(_agreement(summary))
    return checks


def _diagnostics(summary: ValueSummary) -> Check:
    worst = max([summary.khat, *(group.khat for group in summary.value)])
    return Check(
        name="khat",
        status="ok",
        detail=say(
            "The importance sampling of the posterior is sound (largest k̂ {khat:number}; above 0.7 it would "
            "be withheld).",
            khat=worst,
        ),
    )


def _independence(found: Histories) -> Check:
    correlation = spend.frequency_spend_correlation(found.all_spend)
    strong = abs(correlation) > _CORRELATED
    text = say(
        "How often and how much people buy are about independent (correlation {r:number}), as the model "
        "assumes.",
        r=correlation,
    )
    if strong:
        text = say(
            "How often and how much people buy are related (correlation {r:number}), which the model does "
            "not know; the value of a group may be off, its order seldom.",
            r=correlation,
        )
    return Check(name="spend_independent", status="warn" if strong else "ok", detail=text)


def _reach(found: Histories, settings: ValueSettings) -> list[Check]:
    """Whether the horizon is far beyond what anybody was observed for."""
    longest = float(found.everybody.T.max())
    horizon = settings.horizon_weeks
    if horizon is not None and horizon <= _FAR * longest:
        return []
    text = say(
        "Nobody has been observed for longer than {weeks:count} weeks: what comes after that is the model's "
        "word alone. A shorter horizon rests on more.",
        weeks=longest,
    )
    return [Check(name="reach", status="warn", detail=text)]


def _once(found: Histories, settings: ValueSettings) -> list[Check]:
    """What BG/NBD says of those who bought once, where they are many."""
    rows = found.everybody
    if settings.model != "bg-nbd" or rows.one_time_share < _MANY_ONCE:
        return []
    text = say(
        "{share:percent} of the customers bought once, and BG/NBD holds all of them to be still there, "
        "however long ago it was. A new customer's value does not suffer from it; to judge single customers "
        "choose MBG/NBD or Pareto/NBD, in which they may have left.",
        share=rows.one_time_share,
    )
    return [Check(name="bought_once", status="ok", detail=text)]


def _calibration(held: Holdout | None) -> Check:
    if held is None:
        return Check(
            name="holdout",
            status="warn",
            detail=say(
                "There are too few weeks of data to hold some back and see whether the model foretells them."
            ),
        )
    inside = held.interval[0] <= held.actual <= held.interval[1]
    off = held.actual / held.predicted - 1 if held.predicted else 0.0
    values = {
        "weeks": held.weeks,
        "predicted": held.predicted,
        "low": held.interval[0],
        "high": held.interval[1],
        "actual": held.actual,
        "off": off,
    }
    if inside:
        text = say(
            "Of the last {weeks:count} weeks the model foretold {predicted:count} repeat purchases (between "
            "{low:count} and {high:count}); there were {actual:count}.",
            **values,
        )
    else:
        text = say(
            "Of the last {weeks:count} weeks the model foretold {predicted:count} repeat purchases (between "
            "{low:count} and {high:count}), but there were {actual:count} ({off:signed_percent}): values may "
            "be off by as much.",
            **values,
        )
    return Check(name="holdout", status="ok" if inside else "warn", detail=text)


def _observed_alike(found: Histories) -> Check:
    weeks = {name: float(rows.n @ rows.T / rows.customers) for name, rows in found.purchases.items()}
    low, high = min(weeks.values()), max(weeks.values())
    alike = high - low <= _OBSERVED_ALIKE * high
    text = say(
        "The groups have been observed for about as long ({low:number} to {high:number} weeks on average).",
        low=low,
        high=high,
    )
    if not alike:
        text = say(
            "The groups have not been observed for as long ({low:number} to {high:number} weeks on average), "
            "so their customers come from different times.",
            low=low,
            high=high,
        )
    return Check(name="observed_alike", status="ok" if alike else "warn", detail=text)


def _agreement(summary: ValueSummary) -> Check:
    assert summary.confirmed is not None
    gaps = {
        name: abs(summary.confirmed[name].mean - value.mean) / value.sd
        for name, value in summary.parameters.items()
    }
    worst = max(gaps, key=lambda name: gaps[name])
    fine = gaps[worst] < _SAMPLERS_AGREE
    text = say(
        "PyMC's sampler agrees: the largest gap is {gap:number} posterior standard deviations ({name}).",
        gap=gaps[worst],
        name=worst,
    )
    if not fine:
        text = say(
            "PyMC's sampler disagrees on {name} by {gap:number} posterior standard deviations; trust it, not "
            "this result.",
            gap=gaps[worst],
            name=worst,
        )
    return Check(name="confirmed", status="ok" if fine else "fail", detail=text)
