"""Load and check: what a file seems to hold, what came in of it, and what did not."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pytest

from tests.screens.pages import answers, control, widgets, words
from workbench import Project, screens
from workbench.demo import samples_folder
from workbench.screens.loading import LoadState

MESSY = """fecha;cliente;pedido;importe;nota
03/04/2026;c1;o1;10,50;<script>alert(1)</script>
04/04/2026;c2;o2;20;b
05/04/2026;;o3;30;c
06/04/2026;c4;o4;treinta;d
"""


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """A file with dates that can be read in two ways, markup in a cell, and two rows that cannot be kept."""
    place = tmp_path / "pedidos.csv"
    place.write_text(MESSY, encoding="utf-8")
    return place


@pytest.mark.requirement("D01")
@pytest.mark.parametrize(
    ("file", "holds", "rows"),
    [
        ("shop/customers.csv", "customers", 6000),
        ("shop/orders.csv", "orders", 3661),
        ("unit/resultados.csv", "unit", 3488),
        ("summary/three_arms.csv", "summary", 3),
        ("cdnow/cdnow.csv", "orders", 6919),
    ],
)
def test_a_sample_needs_no_answer_to_come_in_whole(
    empty_shop: Project, file: str, holds: str, rows: int
) -> None:
    state = LoadState(empty_shop)
    state.path = str(samples_folder() / file)
    assert (state.problem, state.holds) == (None, holds)
    state.load()
    assert state.report is not None
    assert (state.report.rows_read, state.report.rows_kept) == (rows, rows)
    assert rows in [table.rows for table in state.tables]


@pytest.mark.requirement("D01")
def test_what_is_left_out_is_said_with_its_line_and_reason(empty_shop: Project, messy: Path) -> None:
    page = screens.load_and_check(empty_shop, "en")
    control(page, "Or a path on the computer that runs this").value = str(messy)
    preview = words(page)
    assert escape("<script>alert(1)</script>") in preview
    assert "<script>" not in preview
    assert "the day or the month?" in preview
    control(page, "Load").click()
    report = words(page)
    assert "2 of 4 rows are in “orders” now." in report
    assert "2 rows were left out" in report
    for line, reason in ((4, "no customer"), (5, "not a number")):
        assert f'<th scope="row">{line}</th>' in report
        assert f"<td>{reason}</td>" in report
    assert "treinta" in report


def test_another_order_of_dates_is_another_day(empty_shop: Project, messy: Path) -> None:
    days = {}
    for order in ("dmy", "mdy"):
        project = Project.create(messy.parent / order)
        state = LoadState(project)
        state.path = str(messy)
        assert [question.id for question in state.questions] == ["date_order"]
        state.date_order = order
        state.load()
        days[order] = project.engine.query("SELECT strftime(min(ts), '%m-%d') AS day FROM orders").to_pylist()
    assert days == {"dmy": [{"day": "04-03"}], "mdy": [{"day": "03-04"}]}


def test_a_column_can_be_another_one_than_was_guessed(empty_shop: Project, messy: Path) -> None:
    state = LoadState(empty_shop)
    state.path = str(messy)
    assert state.mapping["order_id"] == "pedido"
    state.choose("channel", "nota")
    state.choose("order_id", None)
    state.load()
    rows = empty_shop.engine.query("SELECT channel FROM orders ORDER BY ts").to_pylist()
    assert [row["channel"] for row in rows] == ["<script>alert(1)</script>", "b"]


def test_what_one_row_is_can_be_said_and_proposes_other_columns(empty_shop: Project) -> None:
    state = LoadState(empty_shop)
    state.path = str(samples_folder() / "unit" / "resultados.csv")
    assert state.outcomes == {"conversion": "convertido", "revenue": "gasto"}
    state.measure(["convertido"])
    state.keep(["pais"])
    state.experiment = "portada"
    state.load()
    named = empty_shop.engine.query("SELECT DISTINCT experience_id AS e, name AS n FROM outcomes").to_pylist()
    assert named == [{"e": "portada", "n": "conversion"}]
    state.look(samples_folder() / "unit" / "resultados.csv")
    state.holds = "customers"
    assert state.mapping["customer_id"] == "usuario"
    assert state.outcomes == {}


def test_a_file_that_cannot_be_read_is_one_sentence(empty_shop: Project, tmp_path: Path) -> None:
    page = screens.load_and_check(empty_shop, "en")
    control(page, "Or a path on the computer that runs this").value = "/no/such/file.csv"
    assert "There is no file /no/such/file.csv." in words(page)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing else")
    control(page, "Or a path on the computer that runs this").value = str(broken)
    assert "broken.parquet is not a whole Parquet file" in words(page)
    control(page, "Or a path on the computer that runs this").value = ""
    assert "wb-error" not in words(page)


def test_a_file_sent_through_the_page_stays_in_its_own_folder(empty_shop: Project, tmp_path: Path) -> None:
    state = LoadState(empty_shop)
    state.receive("../../evil.csv", MESSY.encode())
    assert state.file is not None
    assert state.file.name == "evil.csv"
    assert not list(tmp_path.rglob("evil.csv"))
    assert not (state.file.parent.parent / "evil.csv").exists()
    assert (state.path, state.holds) == ("", "orders")


def test_the_sample_is_offered_to_a_project_without_data_and_to_no_other(
    empty_shop: Project, own_shop: Project
) -> None:
    def offered(page: object) -> list[bool]:
        labels = [(w, getattr(w, "description", "")) for w in widgets(page)]  # type: ignore[arg-type]
        return [w.layout.display != "none" for w, label in labels if label == "Load the sample shop"]

    assert offered(screens.load_and_check(empty_shop, "en")) == [True]
    assert offered(screens.effect_lab(empty_shop, "en")) == [True]
    assert offered(screens.load_and_check(own_shop, "en")) == [False]
    own_shop.path.joinpath("tables.json").write_text(
        own_shop.path.joinpath("tables.json").read_text().replace('"exposures"', '"churn"')
    )
    assert offered(screens.effect_lab(Project.open(own_shop.path), "en")) == []


def test_an_answer_follows_the_sample_at_once(empty_shop: Project) -> None:
    page = screens.effect_lab(empty_shop, "en")
    assert "There is no experiment in this project yet." in answers(page)
    control(page, "Load the sample shop").click()
    assert "“personalised” converts better than “generic”" in answers(page)
    assert "wb-error" not in words(page)


def test_the_sample_fills_an_empty_screen_in_place(empty_shop: Project) -> None:
    page = screens.segments(empty_shop, "en")
    assert "There are no customers in this project yet." in words(page)
    assert "no data yet" in words(page)
    control(page, "Load the sample shop").click()
    assert "There are no customers" not in words(page)
    assert "data until 4 Jan 2026" in words(page)
    assert control(page, "Rule").value == ""
