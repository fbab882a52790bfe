"""One customer against all: how they stand among them, and what is to be expected of them.

Purchases and spend of all customers give the posterior (`models.purchases`, `models.spend`); given it and the
history of this one, `models.one_customer` says whether they are still there and what they will bring.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import ibis
import numpy as np

from workbench.analyses import histories
from workbench.analyses.person import Person
from workbench.analyses.value import DRAWS, FEWER_DRAWS, MANY_ROWS
from workbench.clock import day_number, offsets
from workbench.engines import Engine, fetch, has, span, table, whole_seconds
from workbench.errors import ModelError
from workbench.locale import say
from workbench.metrics import purchases as purchase_histories
from workbench.metrics import rfm
from workbench.models import one_customer, purchases, spend
from workbench.models.importance import Array, independent_seeds
from workbench.models.one_customer import History
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.models.spend import SpendDraws, SpendRows
from workbench.records import Check, Interval, ValueSettings
from workbench.segments import is_credit, net_revenue

if TYPE_CHECKING:
    from workbench.project import Project

MODEL: Literal["mbg-nbd"] = "mbg-nbd"
"""It lets customers leave after the first purchase; BG/NBD is certain that who bought once is still there."""

_SEED = 1  # as of a lifetime value, so that both have the same draws


@dataclass(frozen=True)
class Bought:
    """A customer's orders.

    Attributes:
        orders: How many, without credits.
        money: What they brought, less what was given back.
        first: The day of the first.
        history: What the models need; None where no order is a purchase, since all was given back.
        recency: Days from the last purchase to the last day with an order of anybody.
        frequency: Days with a purchase.
    """

    orders: int
    money: float
    first: date
    history: History | None = None
    recency: int = 0
    frequency: int = 0


@dataclass(frozen=True)
class Standing:
    """How a customer stands among all customers who bought.

    Attributes:
        cell: Scores from 1 to 5 of recency, frequency and money.
        alike: How many customers have the same scores, this one among them.
        customers: How many customers bought.
    """

    cell: rfm.Cell
    alike: int
    customers: int


@dataclass(frozen=True)
class Expected:
    """Something that is not known.

    Attributes:
        mean: Its expectation.
        interval: Where the expectation lies, since the parameters of the model are not known.
        alone: Where that lies which this one customer will do; None for a probability.
    """

    mean: float
    interval: Interval
    alone: Interval | None = None


@dataclass(frozen=True)
class Outlook:
    """What is to be expected of a customer.

    Attributes:
        alive: The probability that they will ever buy again.
        purchases: Days with a purchase within the horizon.
        money: What these bring; None where that is withheld.
        weeks: The horizon, from the last day with an order of anybody.
        level: Probability of the intervals.
    """

    alive: Expected
    purchases: Expected
    money: Expected | None
    weeks: float
    level: float


class Shop:
    """All orders that may be analysed.

    Attributes:
        engine: Where they are.
        clock: When the project's clock is how far ahead of UTC.
        end_day: The last day with an order, in days since 1970.
    """

    def __init__(self, project: Project, seconds: tuple[int, int]) -> None:
        timezone = project.settings.timezone
        self.engine: Engine = project.engine
        self.timezone = timezone
        self.clock = offsets(timezone, *seconds)
        self.end_day = day_number(seconds[1], timezone)

    @classmethod
    def of(cls, project: Project) -> Shop | None:
        """The shop of a project; None without orders."""
        seconds = span(project.engine, "orders") if has(project.engine, "orders") else None
        return None if seconds is None else cls(project, seconds)

    @property
    def customers(self) -> Any:
        """What `rfm.customers` gives of all customers."""
        return rfm.customers(table(self.engine, "orders"), clock=self.clock, end_day=self.end_day)

    @cached_property
    def scale(self) -> rfm.Scale | None:
        """What customers are scored by."""
        return rfm.scale(self.engine, self.customers)

    def bought(self, person: Person) -> Bought | None:
        """A customer's orders that may be analysed; None without any."""
        orders = person.rows("orders")
        placed = ~is_credit(orders)
        sums = orders.aggregate(
            n=ibis.ifelse(placed, 1, 0).sum(),
            money=net_revenue(orders).sum(),
            first=whole_seconds(orders.ts.min(where=placed)),
        )
        (row,) = fetch(self.engine, sums)
        if not row["n"]:
            return None
        first = date(1970, 1, 1) + timedelta(days=day_number(int(row["first"]), self.timezone))
        whole = Bought(int(row["n"]), float(row["money"]), first)
        histories_ = purchase_histories.customers(orders, clock=self.clock, end_day=self.end_day)
        for one in fetch(self.engine, histories_.drop("customer_id")):
            since, tenure = int(one["recency_days"]), int(one["tenure_days"])
            weeks = purchase_histories.WEEK_DAYS
            history = History(int(one["x"]), since / weeks, tenure / weeks, float(one["s"]))
            return Bought(whole.orders, whole.money, first, history, tenure - since, history.x + 1)
        return whole

    def standing(self, bought: Bought) -> Standing | None:
        """How a customer stands among all; None where all was given back."""
        if bought.history is None or self.scale is None:
            return None
        cell = self.scale.cell(bought.recency, bought.frequency, bought.money)
        cells = rfm.cells(self.engine, self.customers, self.scale)
        return Standing(cell, cells.get(cell, 0), self.scale.customers)


def outlook(
    project: Project, history: History, weeks: float, level: float
) -> tuple[Outlook | None, list[Check]]:
    """What is to be expected of a customer, and what has to be said of it; None where it is withheld."""
    found = histories.read(project, ValueSettings(model=MODEL))
    rows, seed, checks = found.everybody, _seeds()[2], list[Check]()
    try:
        bought = _purchases(_packed(rows.x, rows.t_x, rows.T, rows.n))
    except ModelError as error:
        return None, [Check(name="outlook", status="fail", detail=error.message)]
    khat = bought.checks["khat"]
    try:
        money = found.all_spend
        spent = _spend(_packed(money.x, money.n, money.mean_log, money.var_log), _draws(rows))
        future = one_customer.future(bought, spent, history, weeks, seed)
        khat = max(khat, spent.checks["khat"])
    except ModelError as error:
        future = one_customer.future(bought, None, history, weeks, seed)
        checks.append(Check(name="spend", status="warn", detail=error.message))
    checks.append(_sound(khat))
    return (
        Outlook(
            alive=_expected(future.alive, level),
            purchases=_expected(future.purchases, level, future.possible_purchases),
            money=None if future.money is None else _expected(future.money, level, future.possible_money),
            weeks=weeks,
            level=level,
        ),
        checks,
    )


def _sound(khat: float) -> Check:
    detail = say(
        "The importance sampling of the posterior is sound (largest k̂ {khat:number}; above 0.7 it would be "
        "withheld).",
        khat=khat,
    )
    return Check(name="khat", status="ok", detail=detail)


def _expected(draws: Array, level: float, futures: Array | None = None) -> Expected:
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(draws, ends)
    if futures is None:
        return Expected(float(draws.mean()), (float(low), float(high)))
    least, most = np.quantile(futures, ends, method="inverted_cdf")  # what is counted stays whole
    return Expected(float(draws.mean()), (float(low), float(high)), (float(least), float(most)))


def _seeds() -> list[np.random.SeedSequence]:
    return independent_seeds(independent_seeds(_SEED, 1)[0], 3)


def _packed(*columns: Array) -> bytes:
    return np.stack(columns).tobytes()


# Fitted once for the same histories, whoever is looked at.


@lru_cache(maxsize=4)
def _purchases(packed: bytes) -> PurchaseDraws:
    rows = PurchaseRows(*np.frombuffer(packed).reshape(4, -1))
    return purchases.posterior(rows, MODEL, _draws(rows), _seeds()[0])


@lru_cache(maxsize=4)
def _spend(packed: bytes, draws: int) -> SpendDraws:
    return spend.posterior(SpendRows(*np.frombuffer(packed).reshape(4, -1)), draws, _seeds()[1])


def _draws(rows: PurchaseRows) -> int:
    return DRAWS if len(rows.x) < MANY_ROWS else FEWER_DRAWS
