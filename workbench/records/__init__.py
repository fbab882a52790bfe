"""The frozen record of an analysis: what was asked, of which data, with what, and what came out.

A record holds no customer, only settings, checks, a summary and thinned draws; it is all a published page
has. Texts in it are `Message`s, so the same record reads in either language. `project.rerun(record)` gives
the same numbers, or says which data have changed.
"""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import BaseModel, Field

from workbench.records.association import (
    Association,
    AssociationRecord,
    AssociationSummary,
    NotRandomSettings,
    Refused,
)
from workbench.records.base import (
    SIGNIFICANT_DIGITS,
    SMALLEST_GROUP,
    Assignment,
    Check,
    Density,
    Frozen,
    Header,
    Interval,
    Number,
    Record,
    Source,
    Text,
    Word,
    failures_first,
    message,
    package_versions,
)
from workbench.records.cohorts import (
    Cohort,
    CohortCell,
    CohortDifference,
    CohortRecord,
    CohortSettings,
    CohortSummary,
    Projected,
)
from workbench.records.effect import (
    ArmResult,
    Comparison,
    Confirmation,
    Delivery,
    EffectRecord,
    EffectSettings,
    EffectSummary,
    FactorRow,
    Gain,
    OtherMetric,
    OtherResult,
    Pooled,
    Prior,
    RuleRate,
    Week,
    Witness,
)
from workbench.records.together import Frequentist, PValue, RankedSegment, Ranking, Together
from workbench.records.value import (
    Acquisition,
    Curve,
    DifferencePart,
    Estimate,
    GroupValue,
    Holdout,
    ValueDifference,
    ValueRecord,
    ValueSettings,
    ValueSummary,
)
from workbench.records.value_pooled import (
    Alone,
    ArmEffect,
    ArmWithin,
    PooledGroups,
    SegmentDifference,
    Within,
)

__all__ = [
    "SIGNIFICANT_DIGITS",
    "SMALLEST_GROUP",
    "Acquisition",
    "Alone",
    "AnyRecord",
    "ArmEffect",
    "ArmResult",
    "ArmWithin",
    "Assignment",
    "Association",
    "AssociationRecord",
    "AssociationSummary",
    "Check",
    "Cohort",
    "CohortCell",
    "CohortDifference",
    "CohortRecord",
    "CohortSettings",
    "CohortSummary",
    "Comparison",
    "Confirmation",
    "Curve",
    "Delivery",
    "Density",
    "DifferencePart",
    "EffectRecord",
    "EffectSettings",
    "EffectSummary",
    "Estimate",
    "FactorRow",
    "Frequentist",
    "Frozen",
    "Gain",
    "GroupValue",
    "Header",
    "Holdout",
    "Interval",
    "NotRandomSettings",
    "Number",
    "OtherMetric",
    "OtherResult",
    "PValue",
    "Pooled",
    "PooledGroups",
    "Prior",
    "Projected",
    "RankedSegment",
    "Ranking",
    "Record",
    "Refused",
    "RuleRate",
    "SegmentDifference",
    "Source",
    "Text",
    "Together",
    "ValueDifference",
    "ValueRecord",
    "ValueSettings",
    "ValueSummary",
    "Week",
    "Within",
    "Witness",
    "Word",
    "failures_first",
    "from_json",
    "message",
    "package_versions",
]

type AnyRecord = EffectRecord | ValueRecord | AssociationRecord | CohortRecord


class _Envelope(BaseModel):
    record: Annotated[AnyRecord, Field(discriminator="kind")]


def from_json(text: str) -> AnyRecord:
    """Read a record back.

    Raises:
        pydantic.ValidationError: when the text is not one.
    """
    return _Envelope.model_validate({"record": json.loads(text)}).record
