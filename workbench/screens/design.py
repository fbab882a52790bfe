"""The design of a test: what it could tell, how long it takes, how often the rule would be wrong."""

from __future__ import annotations

import re

from traitlets import Bool, Float, Instance, Int, List, Unicode

from workbench.analyses import baseline
from workbench.analyses.design import DesignView, design
from workbench.analyses.planned import DesignSettings
from workbench.engines import span
from workbench.errors import WorkbenchError
from workbench.project import Project
from workbench.screens.answering import FindingState
from workbench.screens.effect import PRIORS
from workbench.screens.protocol import ProtocolState
from workbench.screens.work import Turn

SPLITS = 1000
_ASKED = (
    "metric",
    "low",
    "high",
    "weeks",
    "looks",
    "level",
    "loss",
    "window_days",
    "population",
    "split",
    "traffic",
    "min_weeks",
    "rope",
    "prior",
    "prior_in_analysis",
    "lower_is_better",
    "mean",
    "sd",
    "zeros",
    "weekly",
    "worth",
    "assured",
    "hold_out",
    "several",
    "few",
)


class DesignState(FindingState):
    """What is planned, and what it could tell.

    Attributes:
        low, high: Between which lifts the effect is expected to lie (95 %).
        loss: Largest expected loss as a share of the control's mean; 0 for any.
        population: A saved segment; None for everybody.
        split: Shares of the arms, the control first, such as `80 20`.
        mean, sd, zeros, weekly: As written by hand; empty to take them from the project. A share in per cent.
        metrics: What `metric` may be.
        populations: What `population` may be.
        own: Whether the project has customers to take rates from.
        found: What the design could tell; None while there is none.
        protocol: The state of what else a protocol holds.
    """

    asked = _ASKED

    metric = Unicode("conversion", allow_none=True)
    low = Float(-0.1)
    high = Float(0.2)
    weeks = Int(3)
    looks = Unicode("weekly")
    level = Float(0.95)
    loss = Float(0.005)
    window_days = Int(14)
    population = Unicode(None, allow_none=True)
    split = Unicode("50 / 50")
    traffic = Float(1.0)
    min_weeks = Int(2)
    rope = Float(0.01)
    prior = Unicode("uniform")
    prior_in_analysis = Bool(False)
    lower_is_better = Bool(False)
    mean = Unicode("")
    sd = Unicode("")
    zeros = Unicode("")
    weekly = Unicode("")
    worth = Float(0.05)
    assured = Float(0.5)
    hold_out = Float(0.05)
    several = Int(4)
    few = Int(20)

    metrics = List(Unicode())
    populations = List(Unicode())
    own = Bool(False)
    found = Instance(DesignView, allow_none=True)

    def __init__(self, project: Project, simulations: int = 4000) -> None:
        self._simulations = simulations
        self.protocol = ProtocolState(self, project)
        super().__init__(project)

    def refresh(self) -> None:
        super().refresh()
        self.own = span(self.project.engine, "orders", "events", "exposures") is not None
        self.metrics = baseline.metrics(self.project) or ["conversion", "revenue", "orders"]
        self.populations = list(self.project.segments)
        self.settle()
        if not self.own:  # so that there is something to change
            self.mean, self.weekly = self.mean or "5", self.weekly or "5000"
        self.protocol.refresh()

    def fit(self) -> None:
        """Plan with what there is."""
        if self.metric not in self.metrics:
            self.metric = self.metrics[0]
        if self.population not in self.populations:
            self.population = None

    def settings(self) -> DesignSettings:
        """What is planned now.

        Raises:
            WorkbenchError: something that is written by hand is no number.
        """
        share = self.metric == "conversion" or (self.metric or "").startswith("any:")
        mean = _number(self.mean)
        zeros = _number(self.zeros)
        return DesignSettings(
            metric=self.metric or "",
            window_days=self.window_days,
            population=self.population,
            weeks=self.weeks,
            looks=self.looks,
            split=tuple(self._shares()),
            traffic=self.traffic,
            believed=(self.low, self.high),
            prior_in_analysis=self.prior_in_analysis,
            prior=PRIORS[self.prior],
            level=self.level,
            loss=self.loss or None,
            min_weeks=self.min_weeks,
            rope=self.rope,
            lower_is_better=self.lower_is_better,
            mean=mean / 100 if mean is not None and share else mean,
            sd=_number(self.sd),
            zeros=None if zeros is None else zeros / 100,
            weekly=_number(self.weekly),
            worth=self.worth,
            assured=self.assured,
            hold_out=self.hold_out,
            several=self.several,
            few=self.few,
            simulations=self._simulations,
        )

    def _shares(self) -> list[float]:
        found = [float(part.replace(",", ".")) for part in re.findall(r"\d+(?:[.,]\d+)?", self.split)]
        if len(found) < 2 or min(found) <= 0:
            raise WorkbenchError(
                "The split “{split}” is not one: give a number above 0 for each arm, the control first, such "
                "as 50 / 50.",
                split=self.split,
            )
        return found

    def find(self, turn: Turn) -> DesignView:
        return design(self.project, self.settings())

    def split_at_random(self) -> None:
        """Run an A/A test: the rule on the project's own customers, split at random."""
        if self.found is None or self.busy:
            return

        def take(found: DesignView | None) -> None:
            if found is not None:  # one that fails leaves the design that it was asked of
                self.take(found)

        self.wait_for(
            lambda _: design(self.project, self.settings().model_copy(update={"splits": SPLITS})), take
        )


def _number(text: str) -> float | None:
    """A number as a person writes it; None where nothing is written."""
    plain = text.replace("%", "").replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    if not plain:
        return None
    if "," in plain and "." in plain:  # the last of the two is the decimal one
        plain = plain.replace("." if plain.rfind(",") > plain.rfind(".") else ",", "")
    try:
        return float(plain.replace(",", "."))
    except ValueError as error:
        raise WorkbenchError("“{written}” is not a number; write it like 1234.5.", written=text) from error
