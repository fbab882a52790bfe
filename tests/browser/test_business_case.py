"""The business case on paper: one page of either size, in both languages, whatever it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import sample_shop
from tools.browser import find
from workbench import Project
from workbench.locale import LANGUAGES, say
from workbench.publish.business_case import document
from workbench.publish.pdf import sheet_pdf
from workbench.records import Check

CASES = {
    "pays": {"cost_once": 300.0, "half_life_months": 9.0},
    "warned": {"cost_once": 300.0, "half_life_months": 9.0},
    "undecided": {"cost_once": 2000.0},
}
LONG = Check(
    name="long",
    status="warn",
    detail=say(
        "On a few days people came in other shares than was planned: between 12 and 19 May there were more "
        "in the new arm; leave those days out, or find out what happened, since it may be another change."
    ),
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = sample_shop.make(tmp_path_factory.mktemp("cases") / "shop")
    project.effect(sample_shop.EXPERIMENT, "revenue")
    return project


@pytest.mark.requirement("U04")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("paper", "outcome"), [("a4", "undecided"), ("letter", "pays"), ("letter", "warned")]
)
def test_it_is_one_page(
    shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, paper: str, outcome: str
) -> None:
    monkeypatch.setenv("CHROMIUM", find() or "")
    record = next(
        one
        for one in shop.records.values()
        if one.kind == "effect" and one.summary.unit == "money" and one.summary.word == "effect"
    )
    if outcome == "warned":
        record = record.model_copy(update={"checks": [*[LONG] * 4, *record.checks]})
    case = shop.business_case(record, margin=0.4, cost_per_month=20, **CASES[outcome])
    assert case.outcome == ("undecided" if outcome == "undecided" else "pays")
    printed = sheet_pdf(document(case), tmp_path, language=language, paper=paper)
    assert len(re.findall(rb"/Type /Page\b", printed)) == 1
    assert f"/Lang ({language})".encode() in printed
