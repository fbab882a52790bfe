"""What can be asked of a project: each question is one call, and the answer one record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any, Literal

from workbench.folder import Folder
from workbench.notes import Note
from workbench.records import AnyRecord, AssociationRecord, CohortRecord, EffectRecord, ValueRecord


class Project(Folder):
    """A project; use `Project.create` or `Project.open`.

    Every question raises `NotAllowed` when the team does not let whoever is at the keyboard ask.
    """

    def effect(
        self,
        experiment: str,
        metric: str = "conversion",
        *,
        keep: bool = True,
        progress: Callable[[float], None] | None = None,
        cancel: Event | None = None,
        first: Callable[[EffectRecord], None] | None = None,
        **settings: Any,
    ) -> EffectRecord:
        """What an experiment did to a metric.

        Args:
            experiment: Its name in the tables.
            metric: `conversion`, `revenue`, or an outcome that was loaded.
            keep: Whether the record is kept in the project.
            progress: Told the share that is done while PyMC confirms.
            cancel: Stops PyMC once it is set.
            first: Told the answer before other models and the days before have been looked at, where that
                takes another question to the tables.
            settings: Those of `EffectSettings`.

        Raises:
            DataError: when the experiment, the metric or the group is not there.
            WorkbenchError: when a setting is out of its range.
        """
        self.team.check("ask")
        from workbench.analyses.effect import analyse
        from workbench.records import EffectSettings

        asked = EffectSettings(experiment=experiment, metric=metric, **settings)
        until = self._until(self.everything) if asked.looks is None else None
        if until is not None:
            asked = asked.model_copy(update={"looks": self.looks.count(experiment, until)})
        record = analyse(self, asked, progress=progress, cancel=cancel, first=first)
        if until is not None:
            self.looks.add(experiment, until)
        return self.records.add(record) if keep else record

    def design(self, **settings: Any) -> Any:
        """What a test could tell, how long it takes, how often its rule is wrong; see `analyses.design`."""
        self.team.check("ask")
        from workbench.analyses.design import design
        from workbench.analyses.planned import DesignSettings

        return design(self, DesignSettings(**settings))

    def lifetime_value(
        self,
        *,
        keep: bool = True,
        progress: Callable[[float], None] | None = None,
        cancel: Event | None = None,
        **settings: Any,
    ) -> ValueRecord:
        """What customers are worth, by group.

        Args:
            keep: Whether the record is kept in the project.
            progress: Told the share that is done while PyMC confirms.
            cancel: Stops PyMC once it is set.
            settings: Those of `ValueSettings`.

        Raises:
            DataError: when there are no orders, or the group is not there.
            ModelError: when the model does not fit these data well enough to be shown.
        """
        self.team.check("ask")
        from workbench.analyses.value import analyse
        from workbench.records import ValueSettings

        record = analyse(self, ValueSettings(**settings), progress=progress, cancel=cancel)
        return self.records.add(record) if keep else record

    def value_beside(self, **settings: Any) -> Any:
        """More about value: how it is spread, what grows with age, where it comes from.

        Args:
            settings: Those of `ValueSettings`, and `credited` and `treatment_cost` of
                `analyses.value_beside.analyse`.
        """
        self.team.check("ask")
        from workbench.analyses.value_beside import analyse
        from workbench.records import ValueSettings

        own = {name: settings.pop(name) for name in ("credited", "treatment_cost") if name in settings}
        return analyse(self, ValueSettings(**settings), **own)

    def not_random(
        self, name: str, metric: str = "conversion", *, keep: bool = True, **settings: Any
    ) -> AssociationRecord:
        """What can be said where people were not assigned at random; never an effect.

        Args:
            name: Of the experiment, the event or the column of customers that some had and others not.
            metric: `conversion`, `revenue`, or an outcome that was loaded.
            keep: Whether the record is kept in the project.
            settings: Those of `NotRandomSettings`.

        Raises:
            DataError: when the treatment, the metric, a covariate or a date is not there.
            ModelError: when a group is too small to begin with.
            WorkbenchError: when a setting is out of its range.
        """
        self.team.check("ask")
        from workbench.analyses.not_random import analyse
        from workbench.records import NotRandomSettings

        record = analyse(self, NotRandomSettings(name=name, metric=metric, **settings))
        return self.records.add(record) if keep else record

    def rfm(self, **settings: Any) -> Any:
        """Customers by recency, frequency and money, and what scores hide; see `analyses.rfm.RfmSettings`."""
        self.team.check("ask")
        from workbench.analyses.rfm import analyse

        return analyse(self, **settings)

    def validation(self, *, held_days: int | None = None, compare: bool = False, **settings: Any) -> Any:
        """How well the model of purchases foretells what it has not seen.

        Args:
            held_days: So many days at the end are held back; a third of the time unless given.
            compare: Whether the other models are held beside it.
            settings: Those of `ValueSettings`; `by`, `model` and `until` matter.

        Returns:
            A `records.validation.Validation`; None where too little can be held back.

        Raises:
            DataError: when there are no orders, or the group is not there.
        """
        self.team.check("ask")
        from workbench.analyses.validation import MODELS, held_back, validate
        from workbench.records import ValueSettings

        asked = ValueSettings(**settings)
        split = held_back(self, asked, held_days)
        return validate(self, asked, split, models=MODELS if compare else ())

    def cohorts(self, *, keep: bool = True, **settings: Any) -> CohortRecord:
        """What customers who began together did at the same age.

        Args:
            keep: Whether the record is kept in the project.
            settings: Those of `CohortSettings`.

        Raises:
            DataError: without orders or beginnings, or when a column, an experiment or a cohort is not there.
        """
        self.team.check("ask")
        from workbench.analyses.cohorts import analyse
        from workbench.records import CohortSettings

        record = analyse(self, CohortSettings(**settings))
        return self.records.add(record) if keep else record

    def contracts(self, **settings: Any) -> Any:
        """How long contracts are kept and what they bring; see `analyses.contracts.ContractSettings`."""
        self.team.check("ask")
        from workbench.analyses.contracts import analyse
        from workbench.analyses.contracts_found import ContractSettings

        return analyse(self, ContractSettings(**settings))

    def occasions(self, **settings: Any) -> Any:
        """Who still takes their occasions, one a period; see `analyses.occasions_found.OccasionSettings`."""
        self.team.check("ask")
        from workbench.analyses.occasions import analyse
        from workbench.analyses.occasions_found import OccasionSettings

        return analyse(self, OccasionSettings(**settings))

    def scores(self, path: str | Path | None = None, *, table: str | None = None, **settings: Any) -> Any:
        """Score every customer into a file, or a table where the tables are; see `analyses.scores`."""
        self.team.check("ask")
        from workbench.analyses.scores import write_scores

        return write_scores(self, path, table=table, **settings)

    def engagement(self, **settings: Any) -> Any:
        """What people did on pages, in social networks and in chats; see `analyses.engagement.analyse`."""
        self.team.check("ask")
        from workbench.analyses.engagement import analyse

        return analyse(self, **settings)

    def returning(self, experiment: str, **settings: Any) -> Any:
        """When customers come back, by arm of an experiment; see `analyses.returning.analyse`."""
        self.team.check("ask")
        from workbench.analyses.returning import analyse

        return analyse(self, experiment, **settings)

    def customer(self, identifier: str) -> Any:
        """Everything that is known of one customer; see `analyses.customer.analyse`. It is logged."""
        self.team.check("ask")
        from workbench.analyses.customer import analyse

        return analyse(self, identifier)

    def trust(self, **settings: Any) -> Any:
        """Whether people trust us with their data; see `analyses.trust.analyse`."""
        self.team.check("ask")
        from workbench.analyses.trust import analyse

        return analyse(self, **settings)

    def fairness(self, attribute: str, **settings: Any) -> Any:
        """How outcomes, prices and discounts differ by a sensitive group; see `analyses.fairness.analyse`."""
        self.team.check("ask")
        from workbench.analyses.fairness import analyse

        return analyse(self, attribute, **settings)

    def data_sheet(self) -> Any:
        """What the project holds, for what, and for how long; see `analyses.data_sheet.analyse`."""
        from workbench.analyses.data_sheet import analyse

        return analyse(self)

    def business_case(self, record: AnyRecord | str, **settings: Any) -> Any:
        """What the effect of a kept result, or of one at hand, is worth against what it costs.

        Args:
            record: The result of a randomised experiment, or its id.
            settings: Those of `analyses.business_case.CaseSettings`.
        """
        self.team.check("ask")
        from workbench.analyses.business_case import CaseSettings, business_case

        found = self.records[record] if isinstance(record, str) else record
        return business_case(found, CaseSettings(**settings))

    def rerun[R: (EffectRecord, ValueRecord, AssociationRecord, CohortRecord)](self, record: R) -> R:
        """The same question again, with the record's settings and seed.

        The result has the record's id when the data and the packages are those of the record.
        """
        self.team.check("ask")
        if isinstance(record, EffectRecord):
            from workbench.analyses.effect import analyse

            return analyse(self, record.settings, seed=record.seed)
        if isinstance(record, AssociationRecord):
            from workbench.analyses.not_random import analyse as analyse_association

            return analyse_association(self, record.settings, seed=record.seed)
        if isinstance(record, CohortRecord):
            from workbench.analyses.cohorts import analyse as analyse_cohorts

            return analyse_cohorts(self, record.settings, seed=record.seed)
        from workbench.analyses.value import analyse as analyse_value

        return analyse_value(self, record.settings, seed=record.seed)

    def publish(self, records: list[AnyRecord], title: str, **settings: Any) -> Any:
        """Write a version of a page that shows these records and holds nothing else.

        Args:
            records: What it shows.
            title: Of the page; those with the same title are versions of it.
            settings: `language`, `audience` and `sensitive_too` of `publish.bundle.publish`.
        """
        from workbench.publish.bundle import publish

        return publish(self, records, title, **settings)

    def note(self, record: AnyRecord, text: str, *, kind: Literal["note", "question"] = "note") -> Note:
        """Write a note, or a question, on what a record answers; see `notes.Notes` for all else.

        Raises:
            WorkbenchError: when there is no text, or too much.
        """
        from workbench.publish.versions import question

        return self.notes.add(question(record), text, record=record.id, kind=kind)
