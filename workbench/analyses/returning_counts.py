"""What leaves the engine about coming back: life tables by arm, group and stratum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import ibis
import numpy as np

from workbench.analyses import propensities
from workbench.analyses.groups import MOST_GROUPS, in_groups
from workbench.analyses.returning_answer import About, ReturningSettings
from workbench.engines import has, table
from workbench.errors import DataError
from workbench.metrics import exposure
from workbench.metrics.cells import ask
from workbench.metrics.returning import KEYS, lives
from workbench.models.survival import LifeTable

if TYPE_CHECKING:
    from workbench.project import Project

MOST_STRATA = 40
_FINE = 1_000_000  # probabilities that are apart by less are the same
_COARSE = 20
"""Where there are many probabilities, a stratum is 5 points of it wide; five strata already take away nine
tenths of what the arms differ in (Cochran 1968, "The effectiveness of adjustment by subclassification in
removing bias in observational studies", Biometrics 24)."""

type Row = dict[str, Any]


class Lived(NamedTuple):
    """Some customers of one arm.

    Attributes:
        table: Their life table; where they do not all count alike, of so many who do.
        seen: That of the customers one by one.
        people: How many there are.
        left: How many are left at its end.
    """

    table: LifeTable
    seen: LifeTable
    people: int
    left: int


class Counts:
    """The engine's answer as life tables, by what they are about, arm, group and stratum.

    Strata are of customers who got their arm with the same probability; there are some only where the shares
    of two arms changed, since of more arms only that of the own is known.

    Attributes:
        people: Customers by arm, without those seen in several.
        two_arms: Those.
        groups: Groups, the largest first; none where none were asked for.
        propensities: The probabilities of the arms, where the shares changed.
    """

    def __init__(self, project: Project, asked: ReturningSettings, until: int, *, adaptive: bool) -> None:
        engine = project.engine
        exposures = table(engine, "exposures")
        everyone = exposure.assigned(exposures, asked.experiment)
        keys = []
        if asked.by is not None:
            everyone, keys = in_groups(project, everyone, asked.by, until + 1), ["group"]
        self.propensities: propensities.ByGroup | None = None
        self._weighted = adaptive
        if adaptive:
            everyone = exposure.with_propensity(everyone, exposures, asked.experiment)
            self.propensities = propensities.of_arms(engine, everyone)
            everyone = everyone.mutate(weight=1 / everyone.propensity)
            arms = sorted(arm for arm, _ in self.propensities)
            if len(arms) == 2:
                everyone, keys = _with_stratum(project, everyone, arms[0]), [*keys, "stratum"]
        orders = table(engine, "orders") if has(engine, "orders") else None
        churn = table(engine, "churn") if has(engine, "churn") else None
        self._days = asked.days[-1]
        asked_rows = lives(everyone, orders, churn, until=until, days=self._days, by=keys)
        self._rows: dict[tuple[str, str, str | None], list[Row]] = {}
        self.people: dict[str, int] = {}
        self.two_arms = 0
        sizes: dict[str, int] = {}
        for row in ask(engine, asked_rows, [*KEYS, *keys]).to_pylist():
            arm, group, n = row["arm"], row.get("group"), int(row["n"])
            if row["about"] != "people":
                if arm is not None:
                    self._rows.setdefault((row["about"], arm, group), []).append(row)
            elif arm is None:
                self.two_arms += n
            else:
                self.people[arm] = self.people.get(arm, 0) + n
                if group is not None:
                    sizes[group] = sizes.get(group, 0) + n
        if not self.people:
            raise DataError(
                "Nobody was in one arm of “{name}” before the end of what counts; choose a later last day.",
                name=asked.experiment,
            )
        if len(sizes) > MOST_GROUPS:
            raise DataError(
                "“{by}” has more than {most:count} groups; choose a column with fewer, or define segments.",
                by=asked.by,
                most=MOST_GROUPS,
            )
        self.groups = sorted(sizes, key=lambda group: (-sizes[group], group))

    def lived(self, about: About, arm: str, group: str | None = None) -> Lived:
        """One arm of one kind of event; of all customers, or of one group."""
        return self._lived(self._of(about, arm, group))

    def strata(self, about: About, arm: str, group: str | None = None) -> dict[int, LifeTable]:
        """The same by stratum, of customers one by one; one stratum where the shares did not change."""
        if self._weighted and len(self.people) != 2:
            return {}
        parts: dict[int, list[Row]] = {}
        for row in self._of(about, arm, group):
            parts.setdefault(row.get("stratum") or 0, []).append(row)
        return {stratum: self._lived(rows).seen for stratum, rows in parts.items()}

    def _of(self, about: About, arm: str, group: str | None) -> list[Row]:
        groups: Iterable[str | None] = [group] if group is not None or not self.groups else self.groups
        return [row for one in groups for row in self._rows.get((about, arm, one), [])]

    def _lived(self, rows: list[Row]) -> Lived:
        def ended(name: str) -> tuple[np.ndarray, np.ndarray]:
            events, censored = np.zeros(self._days), np.zeros(self._days + 1)
            for row in rows:
                (events if row["event"] else censored)[int(row["day"])] += float(row[name])
            return events, censored

        events, censored = ended("n")
        seen = LifeTable.of(events, censored)
        whole = LifeTable.weighted(*ended("w"), *ended("ww")) if self._weighted else seen
        return Lived(whole, seen, round(float(events.sum() + censored.sum())), round(float(censored[-1])))


def _with_stratum(project: Project, people: Any, arm: str) -> Any:
    """With `stratum`: the probability of an arm, whichever of the two they got, as a whole number."""
    p = ibis.ifelse(people.arm == arm, people.propensity, 1 - people.propensity)
    fine = (p * _FINE).round().cast("int64")
    there = people.filter(people.arm.notnull()).aggregate(n=fine.nunique())
    few = ask(project.engine, there).to_pylist()[0]["n"] <= MOST_STRATA
    return people.mutate(stratum=fine if few else (p * _COARSE).floor().cast("int64"))
