"""The frozen record of an analysis: what was asked, of which data, with what, and what came out.

A record holds no customer, only settings, checks, a summary and thinned draws; it is all a published page
has. Texts in it are `Message`s, so the same record reads in either language. `project.rerun(record)` gives
the same numbers, or says which data have changed.
"""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import BaseModel, Field

from workbench.records.base import (
    SIGNIFICANT_DIGITS,
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
from workbench.records.value import (
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
    "AnyRecord",
    "ArmResult",
    "Assignment",
    "Check",
    "Comparison",
    "Confirmation",
    "Delivery",
    "Density",
    "EffectRecord",
    "EffectSettings",
    "EffectSummary",
    "Estimate",
    "FactorRow",
    "Frozen",
    "Gain",
    "GroupValue",
    "Header",
    "Holdout",
    "Interval",
    "Number",
    "OtherMetric",
    "OtherResult",
    "Pooled",
    "Prior",
    "Record",
    "RuleRate",
    "Source",
    "Text",
    "ValueDifference",
    "ValueRecord",
    "ValueSettings",
    "ValueSummary",
    "Week",
    "Witness",
    "Word",
    "failures_first",
    "from_json",
    "package_versions",
]

AnyRecord = Annotated[EffectRecord | ValueRecord, Field(discriminator="kind")]


class _Envelope(BaseModel):
    record: AnyRecord


def from_json(text: str) -> EffectRecord | ValueRecord:
    """Read a record back.

    Raises:
        pydantic.ValidationError: when the text is not one.
    """
    return _Envelope.model_validate({"record": json.loads(text)}).record
