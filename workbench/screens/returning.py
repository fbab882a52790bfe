"""Coming back: when the customers of each arm order, buy again or leave."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from traitlets import Float, Instance, List, Unicode

from workbench.analyses.returning import experiments, outcomes
from workbench.analyses.returning_answer import Returning
from workbench.engines import table
from workbench.errors import WorkbenchError
from workbench.locale import say
from workbench.metrics.cells import ask
from workbench.screens.answering import FindingState
from workbench.screens.state import splits
from workbench.screens.work import Turn

_ASKED = ("experiment", "outcome", "arm", "control", "assignment", "level", "days", "until_day", "by")


class ReturningState(FindingState):
    """What is asked, and the answer.

    Attributes:
        experiment: One whose exposures have times.
        outcome: `order`, `repeat` or `churn`.
        arm, control: The arm to speak of, and the one it is held against; None lets the data say.
        assignment: How people came into their arms; None lets the data say.
        days: After how many days shares are compared, such as `30, 60, 90, 180`.
        until_day: The last day that counts; None for that of the data.
        by: What to split by; None for everybody together.
        groups: What `by` may be.
        names, outcomes, arms: What may be chosen.
        found: The answer; None while there is none.
    """

    asked = _ASKED

    experiment = Unicode(None, allow_none=True)
    outcome = Unicode(None, allow_none=True)
    arm = Unicode(None, allow_none=True)
    control = Unicode(None, allow_none=True)
    assignment = Unicode(None, allow_none=True)
    level = Float(0.95)
    days = Unicode("30, 60, 90, 180")
    until_day = Instance(date, allow_none=True)
    by = Unicode(None, allow_none=True)

    names = List(Unicode())
    outcomes = List(Unicode())
    arms = List(Unicode())
    groups = List(Unicode())
    found = Instance(Returning, allow_none=True)

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        self.names, self.outcomes = experiments(engine), list(outcomes(engine))
        self.missing = None
        if not self.names:
            self.missing = say("There is no experiment whose exposures have times in this project yet.")
        elif not self.outcomes:
            self.missing = say("There are neither orders nor ends of customers in this project yet.")
        self.settle()

    def fit(self) -> None:
        """Let what is asked fit what there is."""
        if self.missing is not None:
            return
        if self.experiment not in self.names:
            self.experiment = self.names[0]
        if self.outcome not in self.outcomes:
            self.outcome = self.outcomes[0]
        rows = table(self.project.engine, "exposures")
        rows = rows.filter(rows.experience_id == self.experiment).select("variant").distinct()
        self.arms = sorted(row["variant"] for row in ask(self.project.engine, rows).to_pylist())
        self.groups = splits(self.project)
        if self.by not in self.groups:
            self.by = None
        if self.control not in self.arms:
            self.control = None
        if self.arm not in self.arms or self.arm == self.control:
            self.arm = None

    def settings(self) -> dict[str, Any]:
        """What is asked now, as `Project.returning` takes it.

        Raises:
            WorkbenchError: when the days are not whole numbers.
        """
        parts = re.findall(r"[^\s,;]+", self.days)
        if not parts or not all(part.isdecimal() for part in parts):
            raise WorkbenchError(
                "“{days}” are not numbers of days; write them as 30, 60, 90, 180.", days=self.days
            )
        return {
            "outcome": self.outcome,
            "arm": self.arm,
            "control": self.control,
            "assignment": self.assignment,
            "level": self.level,
            "days": tuple(int(part) for part in parts),
            "until": self.until_day,
            "by": self.by,
        }

    def find(self, turn: Turn) -> Returning:
        return self.project.returning(self.experiment or "", **self.settings())
