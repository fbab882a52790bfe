"""What was left out because people had not agreed, and whether those who did are like the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.engines import has, table
from workbench.records import Check
from workbench.tables.privacy.consent import consent_contrast, consent_share
from workbench.tables.schema import standard

if TYPE_CHECKING:
    from workbench.project import Project


def consent_checks(project: Project, name: str) -> list[Check]:
    """What consent leaves of the table that an analysis is about; nothing where none is asked for."""
    purpose, engine = project.settings.consent_purpose, project.everything
    if not purpose or not has(engine, name, "consents"):
        return []
    consents = table(engine, "consents")
    share = consent_share(engine, table(engine, name), consents, purpose, standard(name).time)
    checks = [Check(name="consent", status="ok", detail=share.note)]
    if has(engine, "customers", "orders"):
        orders = table(engine, "orders")
        contrast = consent_contrast(engine, table(engine, "customers"), orders, consents, purpose)
        if contrast.note is not None:
            checks.append(Check(name="consent_contrast", status="ok", detail=contrast.note))
    return checks
