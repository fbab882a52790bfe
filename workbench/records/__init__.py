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

__all__ = [
    "SIGNIFICANT_DIGITS",
    "SMALLEST_GROUP",
    "Acquisition",
    "AnyRecord",
    "ArmResult",
    "Assignment",
    "Association",
    "AssociationRecord",
    "AssociationSummary",
    "Check",
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
    "Prior",
    "RankedSegment",
    "Ranking",
    "Record",
    "Refused",
    "RuleRate",
    "Source",
    "Text",
    "Together",
    "ValueDifference",
    "ValueRecord",
    "ValueSettings",
    "ValueSummary",
    "Week",
    "Witness",
    "Word",
    "failures_first",
    "from_json",
    "message",
    "package_versions",
]

type AnyRecord = EffectRecord | ValueRecord | AssociationRecord


class _Envelope(BaseModel):
    record: Annotated[AnyRecord, Field(discriminator="kind")]


def from_json(text: str) -> AnyRecord:
    """Read a record back.

    Raises:
        pydantic.ValidationError: when the text is not one.
    """
    return _Envelope.model_validate({"record": json.loads(text)}).record
