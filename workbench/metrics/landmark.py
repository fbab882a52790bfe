"""Everybody is followed from the same date, the landmark: who had a treatment by then, what they did after.

Whoever had the treatment between `since` and the landmark is in the first group, whatever happens later;
outcomes count from the landmark on. So nobody is credited with time in which they could not fail: without a
landmark, whoever must first have lived (or bought) long enough to be treated is held against those who need
not have (Anderson, Cain & Gelber 1983, J. Clinical Oncology 1:710; Suissa 2008, American J. of Epidemiology
167:492).

    ───────┬──────────────────────────┬────────────────┬──────────────────────┬─────
           since − window             since            landmark               landmark + window
                  placebo                 treatment            outcome

People are rows of `customer_id`, `first_at` (when there was first anything of them, in seconds since 1970)
and `group`: `treated` or `control`; `earlier` had it before `since`; `new` were not known by then; `both`
were seen in more than one arm; `other` are neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import ibis

from workbench.engines import Engine, has, table, whole_seconds
from workbench.engines.duckdb import added
from workbench.metrics import actions
from workbench.metrics.actions import Timed
from workbench.metrics.cells import ask
from workbench.segments import label, zero

_GROUPS: Final = ("treated", "control")
_SEEN: Final = (("customers", "first_seen"), ("events", "ts"), ("orders", "ts"), ("exposures", "ts"))


@dataclass(frozen=True)
class Period:
    """When what counts, in seconds since 1970.

    Attributes:
        since: The first moment at which the treatment counts.
        landmark: From here on everybody is followed.
        until: The first moment at which outcomes no longer count.
    """

    since: int
    landmark: int
    until: int

    @property
    def window(self) -> int:
        """For how long outcomes count."""
        return self.until - self.landmark


def known(engine: Engine, before: int) -> Any:
    """Rows of `customer_id`, `first_at`: everybody of whom there was anything before that second."""
    seen = []
    for name, column in _SEEN:
        if has(engine, name) and column in table(engine, name).columns:
            rows = table(engine, name)
            seen.append(rows.select("customer_id", at=whole_seconds(rows[column])))
    together = ibis.union(*seen) if len(seen) > 1 else seen[0]
    together = together.filter(together.at < before)
    return together.group_by("customer_id").aggregate(first_at=together.at.min())


def by_event(engine: Engine, name: str, period: Period) -> Any:
    """Everybody known before the landmark: who had an event of that name before it, and who did not."""
    rows = table(engine, "events")
    rows = rows.filter(rows.name == name).select("customer_id", at=whole_seconds(rows.ts))
    rows = rows.filter(rows.at < period.landmark)
    had = rows.group_by("customer_id").aggregate(had=rows.at.min())
    everybody = known(engine, period.landmark).left_join(had, "customer_id").drop("customer_id_right")
    group = ibis.cases(
        (everybody.had.isnull(), "control"), (everybody.had < period.since, "earlier"), else_="treated"
    )
    return _old(everybody, group, period)


def by_exposure(engine: Engine, experiment: str, arm: str, control: str | None, period: Period) -> Any:
    """The same for who was in an arm; the others were in the control arm or, if it is None, in no arm."""
    rows = table(engine, "exposures")
    rows = rows.filter(rows.experience_id == experiment).select(
        "customer_id", "variant", at=whole_seconds(rows.ts)
    )
    rows = rows.filter(rows.at < period.landmark)
    seen = rows.group_by("customer_id").aggregate(
        one=rows.variant.min(), another=rows.variant.max(), had=rows.at.min()
    )
    everybody = known(engine, period.landmark).left_join(seen, "customer_id").drop("customer_id_right")
    none = everybody.had.isnull()
    cases = [
        (none, "control" if control is None else "other"),
        (everybody.one != everybody.another, "both"),
        (everybody.had < period.since, "earlier"),
        (everybody.one == arm, "treated"),
    ]
    if control is not None:
        cases.append((everybody.one == control, "control"))
    return _old(everybody, ibis.cases(*cases, else_="other"), period)


def by_column(engine: Engine, column: str, value: str, other: str | None, period: Period) -> Any:
    """The same for who has a value in a column of customers; the others have another one, or that one."""
    rows = table(engine, "customers")
    rows = rows.select("customer_id", value=label(rows[column]))
    everybody = known(engine, period.landmark).left_join(rows, "customer_id").drop("customer_id_right")
    cases = [(everybody.value.isnull(), "other"), (everybody.value == value, "treated")]
    if other is not None:
        cases.append((everybody.value != other, "other"))
    return _old(everybody, ibis.cases(*cases, else_="control"), period)


def sizes(engine: Engine, people: Any) -> dict[str, int]:
    """How many customers are in each group."""
    counted = people.group_by("group").aggregate(n=people.count().cast("float64"))
    found = added(ask(engine, counted, ["group"]), ["group"]).to_pylist()
    return {row["group"]: round(row["n"]) for row in found}


def compared(people: Any, before: int | None = None) -> Any:
    """Those of the two groups, perhaps only who was known before a second; `treated` is 1 or 0."""
    kept = people.filter(people.group.isin(_GROUPS))
    if before is not None:
        kept = kept.filter(kept.first_at < before)
    return kept.mutate(treated=ibis.ifelse(kept.group == "treated", 1, 0).cast("int64"))


def _old(everybody: Any, group: Any, period: Period) -> Any:
    """With their group; `new` are those of whom nothing was known before the treatment could count."""
    rows = everybody.mutate(group_=group)
    is_new = rows.group_.isin(_GROUPS) & (rows.first_at >= period.since)
    return rows.select("customer_id", "first_at", group=ibis.ifelse(is_new, "new", rows.group_))


def did(engine: Engine, people: Any, metric: Timed, begin: int, end: int) -> Any:
    """`people` with `y`: what they did between two seconds."""
    done = actions.of(engine, metric.table)
    at = whole_seconds(done.ts)
    done = done.filter(at >= begin, at < end)
    if "name" in done.columns:
        done = done.filter(done.name == metric.name)
        amount = done.x
    else:
        amount = done[metric.name]
    each = done.group_by("customer_id").aggregate(y=amount.sum())
    joined = people.left_join(each, "customer_id").drop("customer_id_right")
    y = ibis.coalesce(joined.y, zero())
    if metric.at_least is not None:
        enough = y > metric.at_least - 0.5
        y = ibis.ifelse(enough, ibis.literal(1, "int8"), ibis.literal(0, "int8")).cast("float64")
    return joined.mutate(y=y)
