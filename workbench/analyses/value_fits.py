"""The posteriors that a lifetime value is made from, kept while the data are what they were.

Margin, costs, horizon and discount turn draws into money; they change no posterior. What is fitted once for
the same tables, groups, model, last day and seed therefore answers all of them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.analyses import histories as reading
from workbench.analyses.histories import Histories
from workbench.errors import ModelError, WorkbenchError
from workbench.locale import Message, say
from workbench.models import lifetime_value, purchases, spend
from workbench.models.importance import independent_seeds
from workbench.models.newcomers import Newcomers
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.models.spend import SpendDraws, SpendRows
from workbench.records import Check, Holdout, ValueSettings

if TYPE_CHECKING:
    from workbench.project import Project

DRAWS = 2000
# the posterior of many customers is narrow: fewer draws find its mean and ends as well
FEWER_DRAWS = 1000
MANY_ROWS = 4000
_MOST_GROUPS = 24
_FEWEST_REPEATERS = 20
_HOLDOUT_DRAWS = 200
_HOLDOUT_SHARE = 1 / 3
_SHORTEST_HOLDOUT_WEEKS = 8.0
_MOST_KEPT = 4


@dataclass(frozen=True)
class Fit:
    """A group's posterior.

    Attributes:
        name: Of the group; empty for everybody.
        rows, money: What it was fitted to.
        purchases, spend: Draws, as many of each.
        newcomers: What these purchases mean for a customer just acquired.
        seeds: For what else has to be drawn for this group.
    """

    name: str
    rows: PurchaseRows
    money: SpendRows
    purchases: PurchaseDraws
    spend: SpendDraws
    newcomers: Newcomers
    seeds: list[np.random.SeedSequence]

    @property
    def khat(self) -> float:
        """The worse of both posteriors."""
        return max(self.purchases.checks["khat"], self.spend.checks["khat"])


@dataclass
class Fitted:
    """Everything that takes time.

    Attributes:
        found: The histories.
        whole: Of everybody.
        groups: Those that could be fitted; `whole` alone where nobody asked for groups.
        left_out: What is to be said of groups that could not.
        maximum_likelihood: The classical estimates; empty where these data have none.
    """

    found: Histories
    whole: Fit
    groups: list[Fit]
    left_out: list[Check]
    maximum_likelihood: dict[str, float]
    _seed: np.random.SeedSequence
    _before: tuple[PurchaseRows, PurchaseDraws] | None = None
    _looked: bool = False
    _held: dict[float, Holdout | None] = field(default_factory=dict)
    _mixed: dict[tuple[str, str], Newcomers] = field(default_factory=dict)

    def mixed(self, rates: Fit, dropout: Fit) -> Newcomers:
        """Customers who buy as often as those of one group and drop out as those of another do."""
        if rates is dropout:
            return rates.newcomers
        key = (rates.name, dropout.name)
        if key not in self._mixed:
            rate = {name: rates.purchases[name] for name in ("r", "alpha")}
            drawn = {**dropout.purchases.parameters, **rate}
            self._mixed[key] = Newcomers(replace(dropout.purchases, parameters=drawn))
        return self._mixed[key]

    def holdout(self, project: Project, settings: ValueSettings) -> Holdout | None:
        """The last third of the time foretold from the first two; None when that is too short for that."""
        if settings.level not in self._held:
            self._held[settings.level] = self._foretold(project, settings)
        return self._held[settings.level]

    def _foretold(self, project: Project, settings: ValueSettings) -> Holdout | None:
        found = self.found
        days = (found.until - found.first).days
        split = found.until - timedelta(days=int(days * _HOLDOUT_SHARE))
        weeks = (found.until - split).days / 7
        if weeks < _SHORTEST_HOLDOUT_WEEKS:
            return None
        if not self._looked:
            self._looked = True
            try:
                before = reading.read(project, settings, split).everybody
                draws = purchases.posterior(before, settings.model, FEWER_DRAWS, self._seed)
                self._before = before, draws.thin(_HOLDOUT_DRAWS)
            except WorkbenchError:
                self._before = None
        if self._before is None:
            return None
        known, draws = self._before
        actual = reading.repeat_purchases(found, split) - float(known.n @ known.x)
        result = lifetime_value.holdout(known, draws, weeks, actual, settings.level, self._seed)
        return Holdout(
            split=split,
            weeks=weeks,
            predicted=result.predicted,
            interval=(result.low, result.high),
            actual=round(actual),
        )


_kept: OrderedDict[Hashable, Fitted] = OrderedDict()
_keeping = threading.Lock()


def fitted(project: Project, settings: ValueSettings, seed: int) -> Fitted:
    """What was fitted for this question; fitted now unless it is known.

    Raises:
        DataError: without orders, or when the group is not there.
        ModelError: when nobody came back, or a posterior fails its own diagnostics.
        WorkbenchError: when there are too many groups.
    """
    key = _key(project, settings, seed)
    if key is None:
        return _fit_all(project, settings, seed)
    with _keeping:
        known = _kept.get(key)
    if known is None:
        known = _fit_all(project, settings, seed)
    with _keeping:
        _kept[key] = known
        _kept.move_to_end(key)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return known


def _key(project: Project, settings: ValueSettings, seed: int) -> Hashable | None:
    """What the posteriors depend on; None where nobody says when the tables change."""
    if project.in_place:
        return None
    tables = tuple(sorted(project.fingerprints(*project.manifest()).items()))
    rules = tuple(sorted(dict(project.segments).items()))
    place = (str(project.path.resolve()), project.settings.timezone, project.settings.consent_purpose)
    asked = (settings.by, settings.model, settings.until, reading.EXACT_UP_TO)
    return place, tables, rules, asked, seed


def _fit_all(project: Project, settings: ValueSettings, seed: int) -> Fitted:
    found = reading.read(project, settings)
    if len(found.purchases) > _MOST_GROUPS:
        raise WorkbenchError(
            "“{by}” has {n:count} groups; choose something with at most {most:count}.",
            by=settings.by,
            n=len(found.purchases),
            most=_MOST_GROUPS,
        )
    seeds = independent_seeds(seed, len(found.purchases) + 3)
    everybody = found.everybody
    draws = DRAWS if len(everybody.x) < MANY_ROWS else FEWER_DRAWS
    whole = _fit("", everybody, found.all_spend, settings, draws, seeds[0])
    groups, left_out = [whole], list[Check]()
    if settings.by is not None:
        groups, left_out = _groups(found, settings, draws, seeds[3:])
    return Fitted(
        found=found,
        whole=whole,
        groups=groups,
        left_out=left_out,
        maximum_likelihood=_maximum_likelihood(everybody, found.all_spend, settings),
        _seed=seeds[1],
    )


def _fit(
    name: str,
    rows: PurchaseRows,
    money: SpendRows,
    settings: ValueSettings,
    draws: int,
    seed: np.random.SeedSequence,
) -> Fit:
    one, other, *more = independent_seeds(seed, 4)
    bought = purchases.posterior(rows, settings.model, draws, one)
    spent = spend.posterior(money, draws, other)
    spend.expected_spend(spent)  # a mean that is not finite withholds the group
    return Fit(name, rows, money, bought, spent, Newcomers(bought), more)


def _groups(
    found: Histories, settings: ValueSettings, draws: int, seeds: list[np.random.SeedSequence]
) -> tuple[list[Fit], list[Check]]:
    """The groups that can be fitted, and what is to be said of those that cannot."""
    groups: list[Fit] = []
    small: list[str] = []
    withheld: list[Message] = []
    for (name, rows), seed in zip(found.purchases.items(), seeds, strict=True):
        money = found.spend.get(name)
        if money is None or money.customers < _FEWEST_REPEATERS:
            small.append(name)
            continue
        try:
            groups.append(_fit(name, rows, money, settings, draws, seed))
        except ModelError as error:
            withheld.append(say("{group}: {reason}", group=name, reason=error.message))
    if not groups:
        raise ModelError(
            "No group can be estimated alone: each needs at least {least:count} customers who bought again "
            "and a posterior that passes its checks; leave the grouping out.",
            least=_FEWEST_REPEATERS,
        )
    status: Literal["warn", "fail"] = "warn" if len(groups) > 1 else "fail"
    checks = []
    if small:
        text = say(
            "{n:count} groups have fewer than {least:count} customers who bought again and are left out: "
            "{names:listing}.",
            n=len(small),
            least=_FEWEST_REPEATERS,
            names=small,
        )
        checks.append(Check(name="small_groups", status=status, detail=text))
    if withheld:
        text = say("Some groups are withheld. {reasons:sentences}", reasons=withheld)
        checks.append(Check(name="withheld_groups", status=status, detail=text))
    return groups, checks


def _maximum_likelihood(rows: PurchaseRows, money: SpendRows, settings: ValueSettings) -> dict[str, float]:
    """The classical estimates; empty where these data have none, which does not trouble the posterior."""
    try:
        bought, spent = purchases.maximum_likelihood(rows, settings.model), spend.maximum_likelihood(money)
    except ModelError:
        return {}
    return {
        **bought.parameters,
        "log_likelihood": bought.log_likelihood,
        **spent.parameters,
        "spend_log_likelihood": spent.log_likelihood,
    }
