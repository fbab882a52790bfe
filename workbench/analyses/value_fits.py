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
from typing import TYPE_CHECKING

import numpy as np

from workbench.analyses import histories as reading
from workbench.analyses.histories import Histories
from workbench.analyses.value_groups import Fit, FitAlone, Groups, fit, groups_of
from workbench.analyses.value_within import Within, fit_within
from workbench.errors import ModelError, WorkbenchError
from workbench.models import lifetime_value, purchases, spend
from workbench.models.importance import Array, independent_seeds
from workbench.models.newcomers import Newcomers
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.models.spend import SpendRows
from workbench.records import Check, Holdout, ValueSettings

if TYPE_CHECKING:
    from workbench.project import Project

DRAWS = 2000
# the posterior of many customers is narrow: fewer draws find its mean and ends as well
FEWER_DRAWS = 1000
MANY_ROWS = 4000
_MOST_GROUPS = 24
_HOLDOUT_DRAWS = 200
_HOLDOUT_SHARE = 1 / 3
_SHORTEST_HOLDOUT_WEEKS = 8.0
_MOST_KEPT = 4


@dataclass
class Fitted:
    """Everything that takes time.

    Attributes:
        found: The histories.
        whole: Of everybody.
        groups: Those that could be fitted; `whole` alone where nobody asked for groups.
        left_out: What is to be said of groups that could not, or hardly.
        differs: How much groups differ, where they were drawn towards each other; as `Groups.differs`.
        maximum_likelihood: The classical estimates; empty where these data have none.
    """

    found: Histories
    whole: FitAlone
    groups: list[Fit]
    left_out: list[Check]
    maximum_likelihood: dict[str, float]
    differs: dict[str, Array] | None
    _seed: np.random.SeedSequence
    _before: tuple[PurchaseRows, PurchaseDraws] | None = None
    _looked: bool = False
    _held: dict[float, Holdout | None] = field(default_factory=dict)
    _mixed: dict[tuple[str, str], Newcomers] = field(default_factory=dict)
    _within: dict[str, Within] = field(default_factory=dict)

    def within(self, project: Project, settings: ValueSettings) -> Within:
        """The arms of the experiment in the groups of `settings.within`, pooled.

        Raises:
            DataError: when `within` is not there.
            ModelError: when the posterior fails its checks.
            WorkbenchError: when `by` is no experiment with a control, or there are too many segments.
        """
        name = str(settings.within)
        if name not in self._within:
            seed = independent_seeds(self._seed, 2)[1]
            self._within[name] = fit_within(project, settings, self.found.control, seed)
        return self._within[name]

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
    seeds = independent_seeds(seed, len(found.purchases) + 4)
    everybody = found.everybody
    draws = DRAWS if len(everybody.x) < MANY_ROWS else FEWER_DRAWS
    whole = fit("", everybody, found.all_spend, settings, draws, seeds[0])
    groups = Groups([whole], [])
    if settings.by is not None:
        groups = groups_of(found, whole, settings, draws, seeds[3:])
    return Fitted(
        found=found,
        whole=whole,
        groups=groups.fits,
        left_out=groups.checks,
        maximum_likelihood=_maximum_likelihood(everybody, found.all_spend, settings),
        differs=groups.differs,
        _seed=seeds[1],
    )


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
