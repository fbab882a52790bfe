"""What came of a model's predictions for a period that it had not seen."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from workbench.records.base import Frozen, Interval, Number


class Errors(Frozen):
    """Predictions of single customers held against what they did.

    Attributes:
        method: A model, or `nobody` (nobody buys again), or `same-rate` (everybody goes on as before).
        predicted: Repeat purchases of all customers together.
        mae, rmse: Mean absolute and root mean squared error of a customer's purchases.
        correlation: None where all predictions are equal.
    """

    method: str
    predicted: Number
    mae: Number
    rmse: Number
    correlation: Number | None


class Band(Frozen):
    """Customers who are alike, what was foretold of them and what came, on average.

    Attributes:
        label: Repeat purchases so far (7 stands for more, too), or the tenth.
        interval: Of the prediction, since the parameters are not known.
    """

    label: int
    customers: int
    predicted: Number
    interval: Interval
    actual: Number


class Tracked(Frozen):
    """Repeat purchases of all customers from the split until the end of a week."""

    week: Number
    predicted: Number
    interval: Interval
    actual: int


class Validation(Frozen):
    """A model fitted to what was known at a date, and what came afterwards.

    Attributes:
        split: The last day that the model saw.
        weeks: What came after it.
        model: The model that is judged below.
        customers: Those acquired by the split.
        actual: Their repeat purchases afterwards.
        money: Predicted and actual money of these purchases; None where it could not be foretold.
        methods: The models that were tried, and two who know no model.
        by_purchases: Customers by their repeat purchases so far.
        by_probability: Customers in tenths by their probability to buy at all, with the share that did.
        brier, brier_of_share: Of these probabilities; of the same share for everybody.
        crps, crps_of_all: The continuous ranked probability score, in purchases; of one distribution for all.
        coverage: Share of customers whose purchases lie in their own interval, by its level.
        tracking: Week by week.
        log_likelihoods: Model → what the known period says for it, at its maximum.
        behind: Model → by how much its leave-one-out log density of the known period is behind the best
            one's, and the standard error of that; empty where it was not computed or cannot be trusted.
        binning: Where customers were put together by the week: by how many standard errors the estimates move
            at most when they are put together by the day.
    """

    split: date
    weeks: Number
    model: str
    customers: int
    actual: int
    money: tuple[Number, Number] | None
    methods: list[Errors]
    by_purchases: list[Band]
    by_probability: list[Band]
    brier: Number
    brier_of_share: Number
    crps: Number
    crps_of_all: Number
    coverage: dict[str, Number]
    tracking: list[Tracked]
    log_likelihoods: dict[str, Number]
    binning: Number | None = None
    behind: dict[str, tuple[Number, Number]] = Field(default_factory=dict)
