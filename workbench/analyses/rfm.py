"""Recency, frequency and money of all customers: named segments, their moves, and what scores hide.

`project.rfm()` answers four questions of the same customers, as they were at the end of a day:

1. which segment each is in, and what the segments bring (`analyses.rfm_segments`);
2. how they moved since an earlier day (`analyses.rfm_moves`);
3. how a model of purchases sees the customers of a cell (`analyses.rfm_model`);
4. who is gone, by a rule of so many days and by that model.

Scores are fifths of all customers, or steps between cut points that somebody chose (`metrics.rfm`). Refunds
count as they are known now, whatever the date. No customer leaves the engine: only sums by score do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from workbench.analyses import rfm_segments
from workbench.analyses.consent import consent_checks
from workbench.analyses.estimates import Needs
from workbench.analyses.histories import EXACT_UP_TO
from workbench.analyses.rfm_model import ModelView, model_view
from workbench.analyses.rfm_moves import Moves, moves
from workbench.analyses.rfm_rule import occurring
from workbench.analyses.rfm_segments import NamedSegment
from workbench.clock import day_number, offsets
from workbench.engines import Engine, span, table
from workbench.errors import DataError, WorkbenchError, check_between, check_choice
from workbench.locale import Message, say
from workbench.metrics import rfm as scoring
from workbench.metrics import rfm_sums as sums
from workbench.metrics.cells import ask
from workbench.metrics.rfm import FIFTHS, MEASURES, Cell, Scale
from workbench.records import Check, failures_first

if TYPE_CHECKING:
    from workbench.project import Project

USUAL_DAYS = 90
_EPOCH = date(1970, 1, 1)
_MEASURES = {"recency": say("recency"), "frequency": say("frequency"), "money": say("money")}


@dataclass(frozen=True)
class RfmSettings:
    """What is asked.

    Attributes:
        as_of: Customers are seen as at the end of this day; None for the last day with an order.
        before: The earlier day that moves are counted from; None for `USUAL_DAYS` before, or as long as there
            were orders.
        money: What is scored as money, `revenue` or `margin`, less what was given back.
        cuts: Measure → four growing cut points, instead of fifths. Of `recency`, in days: 5 below the first,
            4 from there and below the second, and so on. Of `frequency`, in days with a purchase, and of
            `money`: 1 up to the first, 2 above it, and so on.
        same_cuts: Whether the earlier day is scored by the cut points of `as_of`, not by its own fifths.
        horizon_days: How far ahead the model looks.
        quiet_days: The rule calls customers gone who have bought nothing for so many days.
        gone_below: The model calls those gone whose probability to be alive is below it.
        level: Of the intervals.
    """

    as_of: date | None = None
    before: date | None = None
    money: Literal["revenue", "margin"] = "revenue"
    cuts: Mapping[str, Sequence[float]] = field(default_factory=dict)
    same_cuts: bool = False
    horizon_days: int = USUAL_DAYS
    quiet_days: int = USUAL_DAYS
    gone_below: float = 0.5
    level: float = 0.95


@dataclass(frozen=True)
class SegmentSums:
    """What a named segment comes to.

    Attributes:
        named: The segment.
        customers, share: How many customers, and of all.
        orders, average_order: Of its customers so far, credits apart; None without an order.
        revenue, share_of_revenue: Less what was given back.
        margin: The same of margin; None where money is revenue.
        days_since: Days since the last purchase, on average; None without a customer.
    """

    named: NamedSegment
    customers: int
    share: float
    orders: int
    average_order: float | None
    revenue: float
    share_of_revenue: float
    margin: float | None
    days_since: float | None


@dataclass(frozen=True)
class GridCell:
    """Customers of one recency and frequency; `money` is what they brought of what is scored."""

    r: int
    f: int
    customers: int
    money: float


@dataclass(frozen=True)
class Rfm:
    """The answer.

    Attributes:
        settings: What was asked, with the dates filled in.
        scale: What customers are scored by.
        segments: Best first.
        cells: Recency by frequency.
        moves: Since the earlier day.
        model: The model's view, which has both kinds of being gone.
        sentence: The answer in one.
        checks: Failures first.
    """

    settings: RfmSettings
    scale: Scale
    segments: tuple[SegmentSums, ...]
    cells: tuple[GridCell, ...]
    moves: Moves | Needs
    model: ModelView | Needs
    sentence: Message
    checks: tuple[Check, ...]


def analyse(project: Project, **settings: Any) -> Rfm:
    """Score all customers and look at them by segment.

    Args:
        project: Where the orders are.
        settings: Those of `RfmSettings`.

    Raises:
        DataError: without orders, without a purchase by the day, or where orders have no margin.
        RuleError, ProjectError: when the project's own list of segments is wrong, or cannot be read.
        WorkbenchError: when a setting is out of its range.
    """
    asked = _checked(RfmSettings(**settings))
    shop = _Shop(project, asked)
    named = rfm_segments.read(project.path)
    places = rfm_segments.places(named)
    cells = ask(shop.engine, sums.totals(shop.at(shop.day), shop.scale), sums.SCORES).to_pylist()
    segments = _segments(named, places, cells, asked.money)
    model = _model(shop)
    asked = shop.settings
    return Rfm(
        settings=asked,
        scale=shop.scale,
        segments=segments,
        cells=_grid(cells),
        moves=_moves(shop, [one.name for one in named], places),
        model=model,
        sentence=_sentence(segments, model, asked),
        checks=tuple(failures_first([*_checks(shop, model), *consent_checks(project, "orders")])),
    )


class _Shop:
    """All orders that may be analysed, and the days that are asked about."""

    def __init__(self, project: Project, asked: RfmSettings) -> None:
        self.engine: Engine = project.engine
        self.orders = table(self.engine, "orders")
        seconds = span(self.engine, "orders")
        if seconds is None:
            raise DataError("The orders of this project have no times; load them again with their dates.")
        timezone = project.settings.timezone
        self._clock = offsets(timezone, *seconds)
        self.first, self.last = (day_number(moment, timezone) for moment in seconds)
        self.without_margin = _without_margin(self.engine, self.orders) if asked.money == "margin" else 0.0
        self.day = self._within(asked.as_of, self.last)
        usual = max(self.first, self.day - USUAL_DAYS)
        self.day_before = self._within(asked.before, usual)
        if asked.before is not None and self.day_before >= self.day:
            raise WorkbenchError(
                "Moves are counted from {before:date}, which is not before {as_of:date}; choose an earlier "
                "day.",
                before=_date(self.day_before),
                as_of=_date(self.day),
            )
        self.settings = replace(asked, as_of=_date(self.day), before=_date(self.day_before))
        found = self.scored_by(self.day)
        if found is None:
            raise DataError(
                "Nobody had bought anything by {day:date}; choose a later day.", day=_date(self.day)
            )
        self.scale: Scale = found

    def _within(self, wanted: date | None, usual: int) -> int:
        """A day of those with orders, in days since 1970."""
        day = usual if wanted is None else (wanted - _EPOCH).days
        if not self.first <= day <= self.last:
            raise WorkbenchError(
                "There are orders from {first:date} to {last:date}; {day:date} is outside, so choose a day "
                "within.",
                first=_date(self.first),
                last=_date(self.last),
                day=_date(day),
            )
        return day

    def at(self, day: int) -> Any:
        """The customers at the end of a day."""
        return scoring.customers(self.orders, clock=self._clock, end_day=day, money=self.settings.money)

    def scored_by(self, day: int) -> Scale | None:
        """What they are scored by; None where nobody had bought."""
        found = scoring.scale(self.engine, self.at(day))
        if found is None:
            return None
        return replace(found, cuts={**found.cuts, **_own_cuts(self.settings)})


def _checked(asked: RfmSettings) -> RfmSettings:
    check_choice(asked.money, ["revenue", "margin"], say("kind of money"))
    check_between(asked.horizon_days, 1, 3650, say("number of days ahead"))
    check_between(asked.quiet_days, 1, 3650, say("number of quiet days"))
    check_between(asked.gone_below, 0, 1, say("probability below which a customer is gone"), open_low=True)
    check_between(asked.level, 0.5, 1, say("level"), open_low=True, open_high=True)
    for measure, cuts in asked.cuts.items():
        check_choice(measure, MEASURES, say("measure"))
        steps = list(zip(cuts, list(cuts)[1:], strict=False))
        whole = measure == "money" or all(float(cut).is_integer() for cut in cuts)
        growing = all(isfinite(high) and low < high for low, high in steps)
        if len(cuts) != FIFTHS - 1 or not growing or not whole:
            raise WorkbenchError(
                "The cut points of {measure} are “{given}”; write four growing numbers, whole ones for days, "
                "such as 10 30 60 90.",
                measure=_MEASURES[measure],
                given=" ".join(f"{cut:g}" for cut in cuts),
            )
    return asked


def _own_cuts(asked: RfmSettings) -> dict[str, tuple[float, ...]]:
    """Cut points from the worst score to the best, which of days is from many to few."""
    given = {name: tuple(float(cut) for cut in cuts) for name, cuts in asked.cuts.items()}
    return {name: cuts[::-1] if name == "recency" else cuts for name, cuts in given.items()}


def _without_margin(engine: Engine, orders: Any) -> float:
    """Share of the orders whose margin is not known."""
    filled = {"n": orders.count(), "known": orders.margin.count()} if "margin" in orders.columns else None
    row = ask(engine, orders.aggregate(**filled)).to_pylist()[0] if filled else {"n": 0, "known": 0}
    if not row["known"]:
        raise DataError("The orders have no margin; load them with it, or score revenue as money.")
    return 1 - float(row["known"]) / float(row["n"])


# --- the parts ------------------------------------------------------------------------------------------


def _segments(
    named: Sequence[NamedSegment], places: Mapping[Cell, int], cells: Sequence[Mapping[str, Any]], money: str
) -> tuple[SegmentSums, ...]:
    kinds = ("n", "orders", "cents", "revenue", "recency")
    found = [dict.fromkeys(kinds, 0) for _ in named]
    for row in cells:
        of = found[places[int(row["r"]), int(row["f"]), int(row["m"])]]
        for kind in kinds:
            of[kind] += int(row[kind])
    n, revenue = (sum(row[kind] for row in found) for kind in ("n", "revenue"))
    return tuple(
        SegmentSums(
            named=one,
            customers=row["n"],
            share=row["n"] / n,
            orders=row["orders"],
            average_order=row["revenue"] / 100 / row["orders"] if row["orders"] else None,
            revenue=row["revenue"] / 100,
            share_of_revenue=row["revenue"] / revenue if revenue else 0.0,
            margin=row["cents"] / 100 if money == "margin" else None,
            days_since=row["recency"] / row["n"] if row["n"] else None,
        )
        for one, row in zip(named, found, strict=True)
    )


def _grid(cells: Sequence[Mapping[str, Any]]) -> tuple[GridCell, ...]:
    found: dict[tuple[int, int], list[int]] = {}
    for row in cells:
        both = found.setdefault((int(row["r"]), int(row["f"])), [0, 0])
        both[0] += int(row["n"])
        both[1] += int(row["cents"])
    return tuple(GridCell(r, f, n, cents / 100) for (r, f), (n, cents) in sorted(found.items()))


def _moves(shop: _Shop, names: Sequence[str], places: Mapping[Cell, int]) -> Moves | Needs:
    asked = shop.settings
    before = shop.scored_by(shop.day_before)
    if before is None or shop.day_before >= shop.day:
        return Needs(say("Moves need two days with customers; choose a later day, or load earlier orders."))
    by_before = shop.scale if asked.same_cuts else before
    question = sums.moves(shop.at(shop.day_before), by_before, shop.at(shop.day), shop.scale)
    return moves(
        ask(shop.engine, question, sums.MOVED),
        names,
        places,
        dates=(_date(shop.day_before), _date(shop.day)),
        same_cuts=asked.same_cuts,
        level=asked.level,
    )


def _model(shop: _Shop) -> ModelView | Needs:
    asked = shop.settings
    observed = shop.day + asked.horizon_days <= shop.last
    question = sums.histories(
        shop.at(shop.day),
        shop.scale,
        quiet_days=asked.quiet_days,
        by_day=shop.scale.customers <= EXACT_UP_TO,
        later=shop.at(shop.day + asked.horizon_days) if observed else None,
    )
    return model_view(
        ask(shop.engine, question, sums.HISTORY),
        horizon_days=asked.horizon_days,
        gone_below=asked.gone_below,
        level=asked.level,
        observed=observed,
    )


# --- words ----------------------------------------------------------------------------------------------


def _sentence(segments: Sequence[SegmentSums], model: ModelView | Needs, asked: RfmSettings) -> Message:
    first = max(segments, key=lambda one: one.share_of_revenue)
    values: dict[str, Any] = {"segment": rfm_segments.message_of(first.named.name)}
    values |= {"share": first.share, "revenue": first.share_of_revenue}
    if isinstance(model, Needs):
        return say(
            "The {share:percent} of customers called “{segment}” brought {revenue:percent} of the revenue.",
            **values,
        )
    wrong = sum(row.customers for row in model.table if row.quiet and not row.gone)
    return say(
        "The {share:percent} of customers called “{segment}” brought {revenue:percent} of the revenue. A "
        "rule of {days:count} days calls {quiet:percent} of customers gone; {wrong:count} of them are "
        "probably still there.",
        **values,
        days=asked.quiet_days,
        quiet=model.quiet,
        wrong=wrong,
    )


def _checks(shop: _Shop, model: ModelView | Needs) -> list[Check]:
    found = []
    for measure in MEASURES:
        missing = [score for score in rfm_segments.SCORES if score not in occurring(shop.scale, measure)]
        if missing:
            detail = say(
                "No customer has {scores:listing} for {measure}: too many are equal, and equal customers "
                "have equal scores. Cut points of your own can part them.",
                scores=[str(score) for score in missing],
                measure=_MEASURES[measure],
            )
            found.append(Check(name=f"ties.{measure}", status="ok", detail=detail))
    if shop.without_margin:
        detail = say(
            "Of {share:percent} of the orders the margin is not known; it counts as nothing.",
            share=shop.without_margin,
        )
        found.append(Check(name="margin", status="warn", detail=detail))
    if isinstance(model, Needs):
        return [*found, Check(name="model", status="warn", detail=model.sentence)]
    once = say(
        "{n:count} customers who bought on one day only ({share:percent}) are in every number.",
        n=model.once,
        share=model.once / model.customers,
    )
    return [*found, Check(name="once", status="ok", detail=once), model.check]


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)
