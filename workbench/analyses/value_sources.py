"""Where new customers come from, what referrals are worth, and what keeping a customer costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from workbench.analyses import histories as reading
from workbench.analyses.estimates import Estimate, Needs, of_arm
from workbench.analyses.value_fits import Fitted
from workbench.engines import has, table
from workbench.locale import say
from workbench.metrics import word_of_mouth
from workbench.metrics.cells import ask
from workbench.models.arms import BetaArm
from workbench.models.importance import Array
from workbench.models.purchases import probability_still_customer
from workbench.records import Interval, ValueSettings

if TYPE_CHECKING:
    from workbench.project import Project

MEDIA = ("organic", "referral")


@dataclass(frozen=True)
class SourceMonth:
    """The new customers of a month, and the share of them that nobody paid for."""

    month: date
    customers: int
    share: Estimate


@dataclass(frozen=True)
class WordOfMouth:
    """How many new customers came by themselves or were brought by others.

    Attributes:
        months: By the month of their first purchase.
        share: Over all months.
        referred: Customers whom others referred; None without the table of referrals.
        bought: The share of them who bought.
    """

    months: list[SourceMonth]
    share: Estimate
    referred: int | None
    bought: Estimate | None


@dataclass(frozen=True)
class ReferralValue:
    """What customers bring by bringing others.

    Attributes:
        customers: All who bought.
        referrers: Those of them who referred somebody who bought.
        brought: Customers who were referred and bought, each counted once.
        twice: Customers whom more than one claims; they count for the first who did.
        credited: Share of a referred customer's value that is credited to the referral.
        for_each: What that adds to the value of a customer, on average over all.
    """

    customers: int
    referrers: int
    brought: int
    twice: int
    credited: float
    for_each: Estimate


def word_of_mouth_share(project: Project, settings: ValueSettings, what: Fitted) -> WordOfMouth | Needs:
    """The share of new customers from organic and referral, month by month."""
    engine = project.engine
    if not has(engine, "customers") or "medium" not in table(engine, "customers").columns:
        return Needs(say("Load customers with the medium that brought them to see how many came unpaid for."))
    _, last = reading.days_of(what.found)
    each = reading.everyone(project, settings)
    asked = word_of_mouth.by_first_day(each, table(engine, "customers"), MEDIA, end_day=last)
    months: dict[date, list[int]] = {}
    for row in ask(engine, asked, ["day"]).to_pylist():
        day = date(1970, 1, 1) + timedelta(days=int(row["day"]))
        known = months.setdefault(day.replace(day=1), [0, 0])
        known[0] += int(row["free"] or 0)
        known[1] += int(row["n"] or 0)
    if not any(n for _, n in months.values()):
        return Needs(say("No customer’s medium is known, so nothing can be said of word of mouth."))
    found = [
        SourceMonth(month, n, _share(free, n, settings.level)) for month, (free, n) in sorted(months.items())
    ]
    free, all_ = (sum(one[place] for one in months.values()) for place in (0, 1))
    referred = bought = None
    if has(engine, "referrals"):
        counted = word_of_mouth.conversion(table(engine, "referrals"), each)
        (row,) = ask(engine, counted).to_pylist()
        referred = int(row["referred"] or 0)
        bought = _share(int(row["bought"] or 0), referred, settings.level) if referred else None
    return WordOfMouth(found, _share(free, all_, settings.level), referred, bought)


@dataclass(frozen=True)
class Keeping:
    """Winning a customer against keeping one, by an experiment whose treatment costs something.

    Attributes:
        arm, control: Whose retention is compared.
        weeks: After which it is.
        kept: How many more of a hundred customers are customers still, as a share.
        cost_of_keeping: Of one customer more that is kept; None where it is not clear that any is.
        ratio: Cost of winning one over that; None as above.
    """

    arm: str
    control: str
    weeks: int
    kept: Estimate
    cost_of_keeping: Estimate | None
    ratio: Estimate | None


def keeping(settings: ValueSettings, what: Fitted, winning: Array | None, each: float) -> Keeping | Needs:
    """What one more customer kept costs, beside what one won does.

    Args:
        settings: Its horizon says after which time a customer counts as kept.
        what: The posteriors, by arm.
        winning: Draws of the cost of winning a customer; None where it is not known.
        each: What the treatment costs for each customer who has it.
    """
    control = next((fit for fit in what.groups if fit.name == what.found.control), None)
    arms = [fit for fit in what.groups if fit is not control]
    if control is None or not arms or what.found.word != "effect" or winning is None or not each:
        return Needs(
            say(
                "Split by a randomised experiment, choose a net value with the cost of winning a customer, "
                "and say what the treatment costs, to hold winning a customer against keeping one."
            )
        )
    weeks = settings.horizon_weeks or 52
    still = [probability_still_customer(fit.purchases, weeks) for fit in (arms[0], control)]
    more = still[0] - still[1]
    kept = _drawn(more, settings.level)
    if kept.low <= 0:
        return Keeping(arms[0].name, control.name, weeks, kept, None, None)
    keep = each / more
    return Keeping(
        arm=arms[0].name,
        control=control.name,
        weeks=weeks,
        kept=kept,
        cost_of_keeping=_drawn(keep, settings.level),
        ratio=_drawn(winning / keep, settings.level),
    )


def _drawn(draws: Array, level: float) -> Estimate:
    """Median and interval; a ratio to something small has no mean worth telling."""
    low, middle, high = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return Estimate(float(middle), float(low), float(high))


def _share(some: int, n: int, level: float) -> Estimate:
    known = of_arm(BetaArm(0.5 + some, 0.5 + n - some), level)
    return Estimate(some / n, known.low, known.high) if n else known


def referral_value(
    project: Project, settings: ValueSettings, what: Fitted, worth: tuple[float, Interval], credited: float
) -> ReferralValue | Needs:
    """What a customer's referrals add to their value, first level only.

    Args:
        project: Where the referrals are.
        settings: The last day is taken from it.
        what: The histories.
        worth: Mean and interval of the value of a new customer.
        credited: Share of a referred customer's value that is credited to the referral.
    """
    engine = project.engine
    if not has(engine, "referrals"):
        return Needs(
            say("Load who brought whom (the table “referrals”) to see what word of mouth adds to a value.")
        )
    each = reading.everyone(project, settings)
    (row,) = ask(engine, word_of_mouth.brought(table(engine, "referrals"), each)).to_pylist()
    brought, customers = int(row["brought"] or 0), int(what.whole.rows.customers)
    mean, (low, high) = worth
    rate = of_arm(BetaArm(0.5 + brought, 0.5 + max(0, customers - brought)), settings.level)
    share = brought / customers
    # both ends at once: wider than the interval of the product
    ends = sorted(credited * a * b for a in (rate.low, rate.high) for b in (low, high))
    return ReferralValue(
        customers=customers,
        referrers=int(row["referrers"] or 0),
        brought=brought,
        twice=int(row["twice"] or 0),
        credited=credited,
        for_each=Estimate(credited * share * mean, ends[0], ends[-1]),
    )
