"""An experiment whose exposures, orders and events have times: read window by window from the engine.

Two questions can be asked. A mean or a share in a window that begins with the exposure comes from cells over
time, which answer for every window, metric and attribute at once (`metrics.over_time`). What needs several
numbers of one customer (ratios, what they did before, who stayed, delivery) is asked for that window alone
(`metrics.per_customer`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast
from zoneinfo import ZoneInfo

import ibis

from workbench import segments
from workbench.analyses import crossed as crossed_experiments
from workbench.analyses import propensities
from workbench.analyses.groups import (
    CROSSED,
    SEGMENTS,
    and_everybody,
    crossed,
    described,
    in_segments,
    names_in_rules,
    rules_for,
)
from workbench.engines import Engine, span, table, whole_seconds
from workbench.errors import DataError, ModelError
from workbench.metrics import actions, exposure, per_customer, touch
from workbench.metrics.actions import Timed
from workbench.metrics.cells import Cell, ask
from workbench.metrics.over_time import EVERYBODY, KEYS, Grid, OverTime, over_time
from workbench.metrics.per_customer import VALUE, Asked
from workbench.models import bootstrap, linearised
from workbench.moments import CrossMoments, Histogram, Moments, added_up
from workbench.records import EffectSettings

if TYPE_CHECKING:
    from workbench.project import Project

_MONEY = {
    "revenue",
    "spend",
    "margin",
    "value",
    "gasto",
    "importe",
    "ingresos",
    "order_value",
    "sales",
    "ventas",
}
UNDER, BEFORE, DELIVERED = "under", "before", "delivered"
type Unit = Literal["share", "money", "number"]
type Cells = dict[tuple[str, str | None], Cell]


@dataclass(frozen=True)
class People:
    """The people of an experiment, before anybody is left out.

    Attributes:
        rows: `metrics.exposure.assigned`, with the columns of the groups.
        groups: Attribute → its column in `rows`.
        by: The attribute that is asked about.
        exposed: First and last exposure, in seconds since 1970.
        seconds: First and last moment of the data.
        rules: The segment rules that were used.
        excluded: Stretches of time that do not count, in seconds since 1970.
    """

    rows: Any
    groups: dict[str, str]
    by: str
    exposed: tuple[int, int]
    seconds: tuple[int, int]
    rules: dict[str, str] = field(default_factory=dict)
    excluded: tuple[tuple[int, int], ...] = ()


def people_of(project: Project, settings: EffectSettings) -> People:
    """Who was in the experiment, and in which group.

    Raises:
        DataError: when the exposures have no times, or the group is not there.
    """
    engine = project.engine
    exposures = table(engine, "exposures")
    seconds = span(engine, "orders", "events", "exposures")
    exposed = _exposed(engine, exposures, settings)
    if seconds is None or exposed is None:
        raise DataError(
            "The exposures of “{name}” say no times, so orders cannot be counted after them; "
            "load outcomes with the file, or exposures with times.",
            name=settings.experiment,
        )
    if settings.crossed_with is not None:
        names = settings.experiment, settings.crossed_with
        everyone = exposure.in_both(exposures, names, crossed_experiments.prefixes(engine, *names), CROSSED)
    else:
        everyone = exposure.assigned(exposure.together(exposures, settings.together), settings.experiment)
    stretches = tuple(_stretches(settings.excluded, project.settings.timezone))
    for begin, end in stretches:
        everyone = everyone.filter(~everyone.as_of.between(begin, end - 1))
    rules = rules_for(project, settings.by)
    if settings.by and CROSSED in settings.by:
        rows = crossed(engine, everyone, settings.by, rules, seconds[1] + 1)
        return People(rows, {settings.by: "crossed"}, settings.by, exposed, seconds, rules, stretches)
    if rules:
        rows = in_segments(engine, everyone, rules, seconds[1] + 1)
        return People(rows, {SEGMENTS: "segment"}, SEGMENTS, exposed, seconds, rules, stretches)
    rows, groups = described(engine, everyone, settings.by)
    by = settings.by or next(iter(groups), EVERYBODY)
    return People(rows, groups, by, exposed, seconds, {}, stretches)


def _exposed(engine: Engine, exposures: Any, settings: EffectSettings) -> tuple[int, int] | None:
    """First and last exposure in seconds since 1970; None when none says when."""
    names = [name for name in (settings.experiment, settings.crossed_with) if name is not None]
    rows = exposures.filter(exposures.experience_id.isin(names))
    edges = {"first": rows.ts.min(), "last": rows.ts.max()}
    asked = {name: whole_seconds(edge) for name, edge in edges.items()}
    row = ask(engine, rows.aggregate(**asked)).to_pylist()[0]
    return None if row["first"] is None else (int(row["first"]), int(row["last"]))


def _stretches(days: tuple[tuple[date, date], ...], timezone: str) -> Iterator[tuple[int, int]]:
    """First to last day, both included, as seconds from and to."""
    zone = ZoneInfo(timezone)
    for first, last in days:
        begin, end = (
            datetime(d.year, d.month, d.day, tzinfo=zone) for d in (first, last + timedelta(days=1))
        )
        yield int(begin.timestamp()), int(end.timestamp())


def event_names(engine: Engine) -> list[str]:
    """Names of events that are offered as metrics, the most frequent first."""
    names = ask(engine, actions.names(table(engine, "events"))).to_pylist()
    often = sorted((row for row in names if row["name"]), key=lambda row: (-row["n"], row["name"]))
    return [row["name"] for row in often[: actions.MOST_NAMES]]


class Timeline:
    """What the people of an experiment did, asked of the engine once a question.

    Args:
        project: Where they are.
        settings: Which metric, window and dates.
        metric: The metric.
        under: What it is divided by; None for a mean.
        adaptive: Whether customers count with one over the probability of their arm.
    """

    def __init__(
        self,
        project: Project,
        settings: EffectSettings,
        metric: Timed,
        under: Timed | None = None,
        *,
        adaptive: bool = False,
    ) -> None:
        self._engine = project.engine
        self._settings = settings
        self.adaptive = adaptive
        self.metric, self._under = metric, under
        self._simple_cells: Cells | None = None
        asked = settings.experiment, settings.crossed_with, settings.by
        about = asked, tuple(settings.together.items()), settings.excluded
        # what metrics and windows have in common is made once, where the engine knows that nothing changed
        self._about = (*about, tuple(project.segments.items()), project.settings.timezone)
        self.people = self._kept("people", lambda: people_of(project, settings))

    def _kept[T](self, name: object, make: Callable[[], T]) -> T:
        kept = getattr(self._engine, "kept", None)
        return make() if kept is None else cast(T, kept((name, self._about), make))

    @property
    def divided(self) -> bool:
        """Whether the metric is divided by another."""
        return self._under is not None

    def _done(self, name: str) -> Any:
        rows = actions.of(self._engine, name)
        for begin, end in self.people.excluded:
            rows = rows.filter(~whole_seconds(rows.ts).between(begin, end - 1))
        return rows

    @property
    def simple(self) -> bool:
        """Whether cells over time know it: a sum or a share, from the first exposure on."""
        metric, settings = self.metric, self._settings
        return (
            self._under is None
            and not self.adaptive
            and not settings.from_day
            and metric.at_least in (None, 1)
            and metric.table in ("orders", "events")
            and settings.statistic == "mean"
        )

    @cached_property
    def _over_time(self) -> tuple[dict[str | None, int], dict[tuple[str, str], Cell]]:
        """Customers put into each arm, and cells by arm and group; the rows they come from are not held."""
        people, metric, settings = self.people, self.metric, self._settings
        source = metric.table if metric.table in ("orders", "events") else "orders"
        grid = Grid.of(settings.window_days)

        def question() -> Any:
            return over_time(
                people.rows,
                self._done(source),
                names=self._names(source),
                groups=people.groups,
                grid=grid,
                exposed=people.exposed,
                until=people.seconds[1],
                falls=source == "orders",
            )

        rows = OverTime(ask(self._engine, self._kept(("over time", source, grid), question), KEYS), grid)
        cells = rows.cells(people.by, metric.name, settings.window_days, share=metric.share)
        return rows.assigned(people.by), cells

    def _names(self, source: str) -> list[str]:
        """The actions that are asked for: all that may be next, where the answer is remembered."""
        if not hasattr(self._engine, "answer"):
            return [self.metric.name]
        return ["orders", "revenue"] if source == "orders" else event_names(self._engine)

    @cached_property
    def in_arms(self) -> dict[str | None, int]:
        """Customers put into each arm, and under None those who were in several."""
        if self.simple:
            return self._over_time[0]
        rows = self.people.rows
        counted = rows.group_by("arm").aggregate(n=rows.count())
        return {row["arm"]: int(row["n"]) for row in ask(self._engine, counted).to_pylist()}

    @property
    def counts_successes(self) -> bool:
        """Whether the cells are of yes and no."""
        whole = self._under is None and not self.adaptive
        return self.metric.share and whole and not self._settings.adjust

    @property
    def unit(self) -> Unit:
        """What the metric is counted in; a ratio of counts below one is a share."""
        if self._under is None or self.metric.name == "revenue":
            return unit_of("binary" if self.metric.share else "mean", self.metric.name)
        below_one = all(cell.all.mean <= 1 for (_, group), cell in self.cells().items() if group is None)
        return "share" if below_one and self.metric.table != "stays" else "number"

    @cached_property
    def in_groups(self) -> dict[tuple[str, str], int]:
        """Customers put into each arm, by group."""
        rows = self.people.rows.filter(self.people.rows.arm.notnull())
        column = self.people.groups[self.people.by]
        counted = rows.group_by("arm", group=rows[column]).aggregate(n=rows.count())
        return {(row["arm"], row["group"]): int(row["n"]) for row in ask(self._engine, counted).to_pylist()}

    @cached_property
    def _weighed(self) -> Any:
        """The people with `propensity`."""
        exposures = table(self._engine, "exposures")
        return exposure.with_propensity(self.people.rows, exposures, self._settings.experiment)

    @cached_property
    def propensities(self) -> propensities.ByGroup:
        """The probabilities of those in one arm, by arm and group; None is everybody.

        Raises:
            ModelError: when they cannot be worked with.
        """
        column = self.people.groups.get(self.people.by) if self._settings.by else None
        return propensities.of_arms(self._engine, self._weighed, [column] if column else [])

    def cells(self) -> Cells:
        """What the answer is made of, by arm and group, and under None for everybody.

        A ratio, a quantile and a mean that is weighted or adjusted are given as the moments of a mean that
        has the same estimate and standard error, so that whatever is done with means can be done with them.
        """
        if self._simple_cells is None:
            self._simple_cells = self._made()
        return self._simple_cells

    def _made(self) -> Cells:
        settings = self._settings
        if settings.statistic == "quantile":
            return self._quantiles()
        if self.simple and not settings.adjust:
            return dict(and_everybody(self._over_time[1], settings.by))
        second = UNDER if self._under else BEFORE if settings.adjust else self.second
        pairs = and_everybody(self.by_group(second), settings.by)
        if self._under:
            return {key: Cell(linearised.ratio(pair)) for key, pair in pairs.items()}
        if settings.adjust:
            theta = linearised.slope(pair for (_, group), pair in pairs.items() if group is None)
            centre = {
                group: sum(
                    (pair.x for (_, other), pair in pairs.items() if other == group), Moments.empty()
                ).mean
                for _, group in pairs
            }
            return {
                key: Cell(linearised.adjusted(pair, theta, centre[key[1]])) for key, pair in pairs.items()
            }
        return {key: Cell(pair.y) for key, pair in pairs.items()}

    def _quantiles(self) -> Cells:
        cells: Cells = {}
        for key, one in self._histograms.items():
            arm, group = key[0], key[1] if len(key) > 1 else None
            try:
                cells[arm, group] = Cell(linearised.quantile(one, self._settings.quantile))
            except ModelError:
                if group is None:
                    raise
                cells[arm, group] = Cell()  # it cannot be told there, which is said of the group
        return cells

    # --- several numbers of one customer ----------------------------------------------------------------

    @cached_property
    def _values(self) -> Any:
        """The people whose window is over, each with the numbers that are asked for."""
        settings, people = self._settings, self.people
        window = (settings.from_day, settings.window_days)
        asked = {VALUE: Asked(self.metric, window)}
        if self._under is not None:
            asked[UNDER] = Asked(self._under, window)
        if settings.before_days:
            asked[BEFORE] = Asked(self.metric, (-settings.before_days, 0))
        if settings.delivered:
            asked[DELIVERED] = Asked(Timed("events", settings.delivered, 1), (0, settings.window_days))
        group = people.groups.get(people.by) if self._grouped else None
        rows = self._weighed if self.adaptive else people.rows
        rows = per_customer.mature(rows, people.seconds[1], settings.window_days)
        rows = rows.select(
            "customer_id",
            "first",
            "as_of",
            "arm",
            group=rows[group] if group else ibis.literal(EVERYBODY),
            **({"weight": 1 / rows.propensity} if self.adaptive else {}),
        )
        rows = per_customer.with_week(rows, people.exposed[0])
        tables = {one.action.table for one in asked.values()}
        return per_customer.values(rows, {name: self._done(name) for name in sorted(tables)}, asked)

    @property
    def seconds(self) -> list[str]:
        """The second numbers that are asked for."""
        settings = self._settings
        wanted = {UNDER: self._under is not None, BEFORE: settings.before_days, DELIVERED: settings.delivered}
        return [name for name, there in wanted.items() if there]

    @property
    def second(self) -> str:
        """One of them, for when only the value matters; the value itself where there is none."""
        return self.seconds[0] if self.seconds else VALUE

    @property
    def _grouped(self) -> bool:
        """Whether it is asked for by group: where the cells are made of it."""
        return self._settings.by is not None and not (self.simple and not self._settings.adjust)

    @cached_property
    def _cross(self) -> dict[tuple[str, str, int], dict[str, CrossMoments]]:
        rows, threshold = self._values, self.threshold
        if threshold is not None:
            rows = per_customer.cut(rows, threshold)
        sums = per_customer.weighted_cross if self.adaptive else per_customer.cross
        return sums(self._engine, rows, ["arm", "group", "week"], self.seconds or [VALUE])

    def by_group(self, second: str) -> dict[tuple[str, str], CrossMoments]:
        """Moments of the value and a second number, by arm and group."""
        return _summed(self._cross, second, lambda key: (key[0], key[1]))

    def everybody(self, second: str) -> dict[tuple[str, None], CrossMoments]:
        """The same by arm."""
        return _summed(self._cross, second, lambda key: (key[0], None))

    def by_week(self, second: str) -> dict[tuple[str, int], CrossMoments]:
        """The same by arm and week of the first exposure, counted from the first of all."""
        return _summed(self._cross, second, lambda key: (key[0], key[2]))

    def has(self, *, cross: bool, histograms: bool) -> bool:
        """Whether products and histograms, as far as they are wanted, were asked for before."""
        wanted = {"_cross": cross, "_histograms": histograms}
        return all(name in vars(self) for name, needed in wanted.items() if needed)

    @cached_property
    def histograms(self) -> dict[str, Histogram]:
        """By arm, which values there are and how many customers have them."""
        return {key[0]: one for key, one in self._histograms.items() if len(key) == 1}

    @cached_property
    def _histograms(self) -> dict[tuple[str, ...], Histogram]:
        by_group = self._settings.statistic == "quantile" and self._settings.by is not None
        return per_customer.histograms(self._engine, self._values, ["group"] if by_group else [])

    @cached_property
    def threshold(self) -> float | None:
        """Where the largest values are cut: a quantile of those above zero, over all arms together."""
        if self._settings.statistic != "cut":
            return None
        return bootstrap.winsor_threshold(self.histograms.values(), self._settings.quantile, nonzero=True)


def _summed[K](
    found: Mapping[tuple[str, str, int], dict[str, CrossMoments]],
    second: str,
    key_of: Callable[[tuple[str, str, int]], K],
) -> dict[K, CrossMoments]:
    parts: dict[K, list[CrossMoments]] = {}
    for key, seconds in found.items():
        parts.setdefault(key_of(key), []).append(seconds[second])
    return {place: added_up(some) for place, some in parts.items()}


def unit_of(kind: str, metric: str) -> Unit:
    """What the values of a metric are counted in."""
    if kind == "binary":
        return "share"
    return "money" if metric.lower() in _MONEY else "number"


def read_tables(metrics: Iterable[Timed], by: str | None, rules: dict[str, str]) -> tuple[str, ...]:
    """The tables that an answer is made of."""
    used = {"exposures", *("events" if metric.table == "stays" else metric.table for metric in metrics)}
    names = (by or "").split(CROSSED)
    if any(map(touch.is_touch, names)):
        used |= {"events"}
    if by and not all(map(touch.is_touch, names)):
        used |= {"customers"} | (
            {"orders"} if any(map(segments.is_history, names_in_rules(rules))) else set()
        )
    return tuple(sorted(used))
