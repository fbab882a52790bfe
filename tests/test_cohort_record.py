"""What was found about cohorts is kept, said again, and published without the few."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

import workbench as wb
from workbench import Project, WorkbenchError, report
from workbench.charts import cohorts as charts
from workbench.cli import main
from workbench.locale import LANGUAGES, Texts
from workbench.publish import bundle
from workbench.publish.blocks import blocks
from workbench.publish.disclosure import disclosed
from workbench.records import CohortRecord, from_json
from workbench.screens.cohorting import CohortsState

T = Texts("en")
SIZES = {"2025-01-01": 52, "2025-02-01": 14, "2025-03-01": 4, "2025-04-01": 45, "2025-05-01": 48}
LEAST = 10


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Cohorts of known sizes, one of four people; a fifth come back each month, and four of an odd kind."""
    rng = np.random.default_rng(3)
    rows: list[tuple[str, date, float]] = []
    customers: list[tuple[str, str]] = []
    for begin, size in SIZES.items():
        for i in range(size):
            name = f"{begin}-{i}"
            first = date.fromisoformat(begin) + timedelta(days=int(rng.integers(20)))
            customers.append((name, "odd" if i < 4 else "new" if i % 2 else "old"))
            rows.append((name, first, 20.0))
            rows += [
                (name, day, float(rng.gamma(2, 15)))
                for age in range(1, 9)
                if (day := first + timedelta(days=int(30.4 * age) + 5)) < date(2025, 9, 25)
                and rng.random() < 0.2
            ]
    rows.append(("late", date(2025, 9, 30), 1.0))
    customers.append(("late", "old"))
    project = Project.create(tmp_path_factory.mktemp("cohorts") / "p", currency="EUR")
    names, days, money = zip(*rows, strict=True)
    project.commit(
        {
            "orders": pa.table(
                {
                    "order_id": [f"o{i}" for i in range(len(rows))],
                    "customer_id": list(names),
                    "ts": pa.array(days, pa.date32()).cast(pa.timestamp("us")),
                    "revenue": list(money),
                }
            ),
            "customers": pa.table(
                {"customer_id": [name for name, _ in customers], "edad": [kind for _, kind in customers]}
            ),
        }
    )
    return project


@pytest.fixture(scope="module")
def record(shop: Project) -> CohortRecord:
    return shop.cohorts(mix_by="edad", project_periods=3)


def test_a_record_is_kept_read_back_and_the_same_again(shop: Project, record: CohortRecord) -> None:
    kept = shop.records[record.id]
    assert kept == record
    assert from_json(record.model_dump_json()) == record
    assert shop.rerun(record).id == record.id
    assert T(kept.verdict) == T(record.verdict)
    assert shop.cohorts(level=0.8, keep=False).id not in shop.records


def test_its_code_asks_the_same_question(
    shop: Project, record: CohortRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_PROJECT", str(shop.path))
    *lines, call = report.as_code(record).splitlines()
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)
    assert eval(call, names).id == record.id
    assert names["wb"] is wb


def test_the_screen_keeps_what_it_shows(shop: Project) -> None:
    state = CohortsState(shop)
    state.level = 0.9
    assert state.record is not None
    assert not state.kept
    state.keep()
    assert state.kept
    assert shop.records[state.record.id] == state.record


def test_the_command_line_keeps_and_says_it(shop: Project) -> None:
    result = CliRunner().invoke(main, ["cohorts", str(shop.path), "--project-periods", "0", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["record"] in shop.records
    assert [one["customers"] for one in told["cohorts"]] == [*SIZES.values(), 1]


# --- published ------------------------------------------------------------------------------------------


@pytest.mark.requirement("G10")
def test_cohorts_of_few_are_not_published_and_counts_are_rounded(record: CohortRecord) -> None:
    shown = disclosed(record)
    assert isinstance(shown, CohortRecord)
    names = {one.name for one in shown.summary.cohorts}
    assert "2025-03-01" not in names
    # four and one are fewer than ten together, so another goes with them
    gone = [one.customers for one in record.summary.cohorts if one.name not in names]
    assert sum(gone) >= LEAST
    assert len(gone) >= 2
    for one in shown.summary.cohorts:
        assert one.customers % 10 == 0
        assert all(n % 10 == 0 and n > 0 for n in one.mix.values())
        assert "odd" not in one.mix
        assert all(cell.customers % 10 == 0 and cell.customers > 0 for cell in one.cells)
    assert "groups are not shown" in " ".join(T(check.detail) for check in shown.checks)


@pytest.mark.requirement("G10")
def test_what_few_bought_can_not_be_found_by_subtraction(record: CohortRecord) -> None:
    """Between two values that are told, what is hidden is nothing, or two ages with ten buyers and more."""
    shown = disclosed(record)
    assert isinstance(shown, CohortRecord)
    known = {one.name: one for one in record.summary.cohorts}
    hidden_ages = 0
    for one in shown.summary.cohorts:
        hidden: list[int] = []
        for cell, whole in zip(one.cells, known[one.name].cells, strict=False):
            buyers = whole.active or 0
            if 0 < buyers < LEAST or 0 < whole.customers - buyers < LEAST:
                assert cell.active is cell.orders is cell.revenue is cell.margin is None
                hidden.append(buyers)
                hidden_ages += 1
            else:
                assert cell.revenue is not None
                assert cell.revenue / cell.customers == pytest.approx((whole.revenue or 0) / whole.customers)
            if cell.value is not None:
                assert cell.value == whole.value
                assert not hidden or (len(hidden) > 1 and sum(hidden) >= LEAST)
                hidden = []
    assert hidden_ages > 3


@pytest.mark.requirement("G10", "U05")
def test_nothing_of_a_small_cohort_is_in_the_files(shop: Project, record: CohortRecord) -> None:
    with pytest.raises(WorkbenchError, match="“edad”, which is sensitive"):
        shop.publish([record], "By age")
    plain = shop.cohorts(project_periods=3, compare=("2025-03-01", "2025-01-01"), age=1)
    assert "Mar 2025" in T(plain.verdict)
    made = shop.publish([plain], "Cohorts")
    text = "".join(file.read_text() for file in made.path.iterdir() if file.name != "seal")
    assert "2025-03-01" not in text
    assert "Mar 2025" not in text
    _, (shown,) = bundle.read(shop.path / "published", made.slug)
    assert isinstance(shown, CohortRecord)
    assert shown.summary.difference is None


@pytest.mark.requirement("V07")
@pytest.mark.parametrize("language", LANGUAGES)
def test_its_page_has_the_map_and_what_is_to_come(record: CohortRecord, language: str) -> None:
    t = Texts(language)
    shown = disclosed(record)
    assert isinstance(shown, CohortRecord)
    found = blocks(shown, t)
    (pictures,) = [block for block in found if isinstance(block, tuple)]
    grid, value = pictures
    assert grid.title in grid.description
    spec = grid.chart.to_dict()
    strokes = [layer for layer in spec["layer"] if layer["mark"]["type"] == "rule"]
    places = len(shown.summary.cohorts) * max(len(one.cells) for one in shown.summary.cohorts)
    told = sum(cell.active is not None for one in shown.summary.cohorts for cell in one.cells)
    # every place of the map is either told or hatched
    assert strokes
    assert all(len(layer["data"]["values"]) == places - told for layer in strokes)
    assert any("low" in str(layer.get("encoding", {})) for layer in value.chart.to_dict()["layer"])
    assert t(shown.verdict) in str(found[0]).replace("&nbsp;", " ")
    assert charts.cell_rows(shown, "revenue", t)
