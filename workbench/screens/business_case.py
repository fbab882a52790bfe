"""The business case of a result: which result, what is assumed, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable

from traitlets import Float, Instance, Int, List, Unicode

from workbench.analyses.business_case import BusinessCase
from workbench.analyses.experiment import experiments
from workbench.decisions import metric_name
from workbench.errors import ProjectError
from workbench.locale import Message, say
from workbench.project import Project
from workbench.publish.browser import PAPERS
from workbench.publish.business_case import document
from workbench.publish.pdf import sheet_pdf
from workbench.publish.versions import question
from workbench.records import EffectRecord, EffectSettings
from workbench.screens.answering import FindingState
from workbench.screens.inbox import Sent
from workbench.screens.state import Guarded
from workbench.screens.work import Turn

AT_HAND, REVENUE = "at_hand", "revenue"
_ASKED = (
    "chosen",
    "customers",
    "share",
    "margin",
    "unit_value",
    "months",
    "half_life",
    "cost_once",
    "cost_per_month",
    "cost_per_customer",
    "discount",
)
_OFFERED = 30


class BusinessCaseState(FindingState):
    """Which result, what is assumed, and the case.

    Attributes:
        chosen: The id of a kept result, `at_hand` for the answer of the effect lab, or `revenue` for the
            revenue of the experiment that is looked at there.
        customers: Reached a month; 0 for as many as were measured.
        unit_value: Of one unit of a metric that is not money; 0 where nobody has said.
        half_life: In months; 0 for an effect that stays.
        discount: A year.
        at_hand: The answer of the effect lab.
        kept: Kept results of experiments, newest first.
        offered: What `chosen` may be.
        unit: The metric of which one unit is to be valued; None where it is money.
        found: The case; None while there is none.
        paper: Which paper a PDF is for.
        printing: What is going on while one is made.
    """

    asked = _ASKED

    chosen = Unicode("")
    customers = Float(0.0)
    share = Float(0.95)
    margin = Float(1.0)
    unit_value = Float(0.0)
    months = Int(12)
    half_life = Float(0.0)
    cost_once = Float(0.0)
    cost_per_month = Float(0.0)
    cost_per_customer = Float(0.0)
    discount = Float(0.1)

    at_hand = Instance(EffectRecord, allow_none=True)
    kept = List(Instance(EffectRecord))
    offered = List(Unicode())
    unit = Instance(Message, allow_none=True)
    found = Instance(BusinessCase, allow_none=True)
    paper = Unicode(PAPERS[0])

    def __init__(self, project: Project, at_hand: EffectRecord | None = None) -> None:
        self.printing = Guarded()
        self._revenue: tuple[EffectSettings, EffectRecord] | None = None
        self.at_hand = at_hand
        super().__init__(project)

    def look(self, record: EffectRecord | None) -> None:
        """Take another answer of the effect lab."""
        self.at_hand = record
        with self.working():
            self.refresh()
        self.answer()

    def refresh(self) -> None:
        super().refresh()
        self.kept = self._kept()
        self.offered = [
            *([AT_HAND] if self.at_hand is not None else []),
            *([REVENUE] if self._has_revenue() else []),
            *(record.id for record in self.kept),
        ]
        self.missing = None
        if not self.offered:
            self.missing = say("There is no result of an experiment yet; ask for one, and come back.")
        self.settle()

    def _kept(self) -> list[EffectRecord]:
        found: list[EffectRecord] = []
        for record_id in self.project.records:
            try:
                record = self.project.records[record_id]
            except ProjectError:  # it is damaged, which the home tells
                continue
            if isinstance(record, EffectRecord):
                found.append(record)
            if len(found) == _OFFERED:
                break
        return found

    def _has_revenue(self) -> bool:
        """Whether the experiment that is looked at can be asked for money, and is not."""
        record = self.at_hand
        if record is None or record.summary.unit == "money":
            return False
        return REVENUE in experiments(self.project.engine).get(record.settings.experiment, [])

    def fit(self) -> None:
        """Choose what there is, money before all else."""
        if self.missing is not None:
            return
        if self.chosen not in self.offered:
            self.chosen = REVENUE if REVENUE in self.offered else self.offered[0]
        record = self._record()
        self.unit = None
        if record is not None and record.summary.unit != "money":
            self.unit = metric_name(record.summary.metric)

    def _record(self) -> EffectRecord | None:
        """The chosen result; None for the revenue, for which the project has to be asked."""
        if self.chosen == AT_HAND:
            return self.at_hand
        return next((record for record in self.kept if record.id == self.chosen), None)

    def name(self, choice: str) -> Message:
        """What one of those offered is called."""
        if choice == REVENUE and self.at_hand is not None:
            return say("revenue in “{experiment}”", experiment=self.at_hand.settings.experiment)
        if choice == AT_HAND and self.at_hand is not None:
            return say("the answer in Results: {question}", question=question(self.at_hand))
        record = next(record for record in self.kept if record.id == choice)
        return say("{question}, {day:date}", question=question(record), day=record.created.date())

    def answer(self) -> None:
        """Make the case, as soon as it is known what a unit is worth."""
        if self.ready and self.missing is None and self.unit is not None and not self.unit_value:
            self.drop()
            self.found, self.problem = None, None
            self.notice = say(
                "“{metric}” is not money: say under “Value of one unit” what one of it brings.",
                metric=self.unit,
            )
            return
        super().answer()

    def find(self, turn: Turn) -> BusinessCase:
        case: BusinessCase = self.project.business_case(
            self._record() or self._asked_for_revenue(),
            customers_per_month=self.customers or None,
            share=self.share,
            margin=self.margin,
            unit_value=None if self.unit is None else self.unit_value,
            months=self.months,
            half_life_months=self.half_life or None,
            cost_once=self.cost_once,
            cost_per_month=self.cost_per_month,
            cost_per_customer=self.cost_per_customer,
            discount_per_year=self.discount,
        )
        return case

    def _asked_for_revenue(self) -> EffectRecord:
        """The revenue of the experiment in the effect lab, asked for once."""
        assert self.at_hand is not None
        theirs = self.at_hand.settings
        wanted = EffectSettings(
            experiment=theirs.experiment,
            metric=REVENUE,
            control=theirs.control,
            assignment=theirs.assignment,
            level=theirs.level,
            window_days=theirs.window_days,
            rope=theirs.rope,
            planned_split=theirs.planned_split,
            excluded=theirs.excluded,
            together=theirs.together,
            arm=theirs.arm,
        )
        if self._revenue is None or self._revenue[0] != wanted:
            asked = wanted.model_dump(exclude={"experiment", "metric"}, exclude_unset=True)
            record = self.project.effect(wanted.experiment, REVENUE, keep=False, **asked)
            self._revenue = wanted, record
        return self._revenue[1]

    # --- to take along ----------------------------------------------------------------------------------

    def as_page(self) -> Sent | None:
        """The case as a page; the result that it rests on is kept, so that it can be found again."""
        case = self.found
        if case is None:
            return None
        with self.working():
            self._keep(case)
            return f"business-case-{case.record.id}.html", document(case).encode()
        return None

    def as_pdf(self, language: str, take: Callable[[Sent | None], None]) -> None:
        """Print the case on one page.

        Args:
            language: In which it is printed.
            take: Takes the file; None where there is none.
        """
        case = self.found
        if case is None or self.printing.busy:
            take(None)
            return
        with self.working():
            self._keep(case)
        if self.problem is not None:
            take(None)
            return

        def printed(turn: Turn) -> bytes:
            turn.tell(doing=say("Printing the page …"))
            return sheet_pdf(document(case), self.project.path, language=language, paper=self.paper)

        def made(content: bytes | None) -> None:
            take(None if content is None else (f"business-case-{case.record.id}.pdf", content))

        self.printing.wait_for(printed, made)

    def _keep(self, case: BusinessCase) -> None:
        if case.record.id not in self.project.records:
            self.project.records.add(case.record)
