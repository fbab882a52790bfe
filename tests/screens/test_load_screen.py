"""Load and check: what a file seems to hold, what came in of it and what did not, and next month's file."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.screens.loads import PATH, loaded, messy_file, page_of, rows_of
from tests.screens.pages import answers, control, widgets, words
from workbench import Project, screens
from workbench.demo import samples_folder
from workbench.screens.loading import LoadState
from workbench.tables.recipe import Recipe
from workbench.tables.vendors import known_vendors


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """A file with faults and a question."""
    return messy_file(tmp_path)


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
    assert (state.problem, state.lack, state.holds) == (None, None, holds)
    assert state.trial is not None
    assert state.trial.left_out == 0
    report = loaded(state)
    assert (report.rows_read, report.rows_kept) == (rows, rows)
    assert rows in [entry["rows"] for entry in empty_shop.manifest().values()]
    assert (state.path, state.files) == ("", [])


@pytest.mark.requirement("D01")
def test_what_will_be_left_out_is_said_before_and_after_with_its_line_and_reason(
    empty_shop: Project, messy: Path
) -> None:
    state = LoadState(empty_shop)
    page = page_of(state)
    control(page, PATH).value = str(messy)
    before = words(page)
    assert escape("<script>alert(1)</script>") in before
    assert "<script>" not in before
    assert "the day or the month?" in before
    assert "2 of 4 rows can be kept." in before
    control(page, "Load").click()
    state.run.wait(60)
    after = words(page)
    assert "2 of 4 rows are in “orders” now." in after
    assert "2 rows were left out" in after
    for said in (before, after):
        for line, reason in ((4, "no customer"), (5, "not a number")):
            assert f'<th scope="row">{line}</th>' in said
            assert f"<td>{reason}</td>" in said
        assert "treinta" in said


def test_a_question_that_the_file_leaves_open_is_asked_by_a_control_until_it_is_answered(
    empty_shop: Project, messy: Path
) -> None:
    days = {}
    for order, label in (("dmy", "day first: 31/12"), ("mdy", "month first: 12/31")):
        state = LoadState(Project.create(messy.parent / order))
        page = page_of(state)
        state.path = str(messy)
        assert state.asked == ["date_order"]
        pick = control(page, "Order of dates")
        assert "the day or the month?" in words(page)
        pick.index = list(pick.options).index(label)
        assert "the day or the month?" not in words(page)
        assert control(page, "Order of dates") is pick
        assert loaded(state).questions == ()
        found = state.project.engine.query("SELECT strftime(min(ts), '%m-%d') AS day FROM orders")
        days[order] = found.to_pylist()
    assert days == {"dmy": [{"day": "04-03"}], "mdy": [{"day": "03-04"}]}


def test_the_scale_of_a_survey_is_asked_before_it_is_loaded(empty_shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "nps.csv"
    lines = [f"c{number},2026-01-{1 + number % 28:02},nps,{1 + number % 10}" for number in range(60)]
    file.write_text("\n".join(["customer_id,ts,instrument,score", *lines]))
    state = LoadState(empty_shop)
    state.look([file])
    assert (state.holds, state.asked) == ("surveys", ["scale"])
    state.scale = "1-10"
    assert state.trial is not None
    assert state.trial.questions == ()
    assert loaded(state).questions == ()
    ends = empty_shop.engine.query("SELECT DISTINCT scale_min, scale_max FROM surveys").to_pylist()
    assert ends == [{"scale_min": 1.0, "scale_max": 10.0}]


def test_a_column_can_be_another_one_than_was_guessed(empty_shop: Project, messy: Path) -> None:
    state = LoadState(empty_shop)
    state.path = str(messy)
    assert state.mapping["order_id"] == "pedido"
    state.choose("channel", "nota")
    state.choose("order_id", None)
    loaded(state)
    rows = empty_shop.engine.query("SELECT channel FROM orders ORDER BY ts").to_pylist()
    assert [row["channel"] for row in rows] == ["<script>alert(1)</script>", "b"]


def test_what_a_table_needs_is_said_as_soon_as_it_lacks(empty_shop: Project, messy: Path) -> None:
    state = LoadState(empty_shop)
    page = page_of(state)
    state.path = str(messy)
    state.choose("customer_id", None)
    assert "needs customer_id" in words(page)
    state.load()
    state.run.wait(60)
    assert "needs customer_id" in str(state.run.problem)
    assert state.files == [messy]
    state.choose("customer_id", "cliente")
    assert "needs customer_id" not in words(page)
    assert loaded(state).rows_kept == 2


def test_what_one_row_is_can_be_said_and_proposes_other_columns(empty_shop: Project) -> None:
    state = LoadState(empty_shop)
    state.path = str(samples_folder() / "unit" / "resultados.csv")
    assert state.outcomes == {"conversion": "convertido", "revenue": "gasto"}
    state.measure(["convertido"])
    state.keep(["pais"])
    state.experiment = "portada"
    loaded(state)
    named = empty_shop.engine.query("SELECT DISTINCT experience_id AS e, name AS n FROM outcomes").to_pylist()
    assert named == [{"e": "portada", "n": "conversion"}]
    state.look([samples_folder() / "unit" / "resultados.csv"])
    state.holds = "customers"
    assert state.mapping["customer_id"] == "usuario"
    assert state.outcomes == {}


@pytest.mark.requirement("G01")
def test_columns_that_say_who_somebody_is_are_marked_and_kept_only_when_ticked(
    empty_shop: Project, tmp_path: Path
) -> None:
    file = tmp_path / "clientes.csv"
    people = [f"c{number},ES,ana{number}@example.org" for number in range(40)]
    file.write_text("\n".join(["customer_id,country,correo", *people]))
    state = LoadState(empty_shop)
    page = page_of(state)
    state.look([file])
    assert state.holds == "customers"
    assert "not kept: e-mail address" in words(page)
    ticks = control(page, "Further columns to keep")
    assert ticks.value == []
    assert ["correo", "e-mail address"] in [list(option) for option in ticks.options]
    ticks.value = ["correo"]
    assert "not kept" not in words(page)
    loaded(state)
    assert "correo" in empty_shop.engine.query("SELECT * FROM customers").column_names


def test_an_export_is_recognised_and_its_name_is_a_choice_beside_the_tables(
    empty_shop: Project, tmp_path: Path
) -> None:
    file = tmp_path / "orders_export_1.csv"
    columns = known_vendors()["shopify-orders"].columns
    cells = {
        "Email": "ana@example.org",
        "Financial Status": "paid",
        "Created at": "2026-03-01 09:50:26 +0100",
        "Currency": "EUR",
        "Total": "25.00",
        "Lineitem quantity": "1",
        "Lineitem price": "12.50",
    }
    first = [
        {**cells, "Name": f"#{number}", "Id": str(number), "Lineitem name": "Taza", "Lineitem sku": "T1"}
        for number in (1001, 1002)
    ]
    more = [{"Name": "#1001", "Email": "ana@example.org", "Lineitem name": "Té", "Lineitem quantity": "1"}]
    lines = [",".join(row.get(name, "") for name in columns) for row in [*first, *more]]
    file.write_text("\n".join([",".join(columns), *lines]))
    state = LoadState(empty_shop)
    page = page_of(state)
    state.look([file])
    assert state.holds == "shopify-orders"
    assert "This looks like the export of Shopify orders." in words(page)
    options = list(control(page, "What one row is").options)
    assert {"Shopify orders", "customer with results", "orders"} <= set(options)
    report = loaded(state)
    assert report.vendor == "shopify-orders"
    assert (rows_of(empty_shop, "orders"), rows_of(empty_shop, "order_items")) == (2, 3)


def test_a_sheet_without_a_table_is_one_sentence_and_another_can_be_chosen(
    empty_shop: Project, tmp_path: Path
) -> None:
    book = Workbook()
    book.active.title = "Pedidos"
    for row in (("pedido", "cliente", "fecha", "importe"), *_orders(12)):
        book["Pedidos"].append(row)
    book.create_sheet("Léeme")
    book.create_sheet("Enero")
    for row in (("pedido", "cliente", "fecha", "importe"), *_orders(3, "x")):
        book["Enero"].append(row)
    file = tmp_path / "pedidos.xlsx"
    book.save(file)
    state = LoadState(empty_shop)
    page = page_of(state)
    state.look([file])
    assert (state.sheets, state.sheet) == (["Pedidos", "Léeme", "Enero"], "Pedidos")
    assert list(control(page, "Sheet").options) == ["Pedidos", "Léeme", "Enero"]
    state.sheet = "Léeme"
    assert "The sheet “Léeme” of pedidos.xlsx has no column names" in str(state.problem)
    assert state.found is None
    state.sheet = "Enero"
    assert state.problem is None
    assert loaded(state).rows_kept == 3


def _orders(count: int, prefix: str = "o") -> list[tuple[str, str, str, float]]:
    return [
        (f"{prefix}{number}", f"c{number % 5}", f"2026-01-{1 + number % 28:02}", 10.5 + number)
        for number in range(count)
    ]


def test_a_file_that_cannot_be_read_is_one_sentence(empty_shop: Project, tmp_path: Path) -> None:
    state = LoadState(empty_shop)
    page = page_of(state)
    control(page, PATH).value = "/no/such/file.csv"
    assert "There is no file /no/such/file.csv." in str(state.problem)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing else")
    control(page, PATH).value = str(broken)
    assert "broken.parquet is not a whole Parquet file" in str(state.problem)
    control(page, PATH).value = ""
    assert state.problem is None
    assert state.files == []


# --- recipes --------------------------------------------------------------------------------------------


@pytest.mark.requirement("Y11")
def test_next_month_the_recipe_reads_the_file_in_one_click(empty_shop: Project, tmp_path: Path) -> None:
    october, november = tmp_path / "Pedidos 2026-10.csv", tmp_path / "Pedidos 2026-11.csv"
    head = "fecha;cliente;pedido;importe;nota"
    october.write_text(f"{head}\n03/04/2026;c1;o1;10,50;a\n04/05/2026;c2;o2;20,25;b\n")
    november.write_text(f"{head}\n05/06/2026;c1;o3;30,75;a\n06/07/2026;c3;o4;5,10;b\n")
    state = LoadState(empty_shop)
    page = page_of(state)
    state.look([october])
    state.choose("channel", "nota")
    state.date_order = "mdy"
    loaded(state)
    assert state.recipes.name == "pedidos"
    control(page, "Remember").click()
    assert state.recipes.names == ["pedidos"]

    again = LoadState(Project.open(empty_shop.path))
    page = page_of(again)
    again.look([november])
    assert "The recipe “pedidos” was made for such a file" in words(page)
    assert (again.asked, again.mapping["channel"]) == ([], "nota")
    control(page, "Load").click()
    again.run.wait(60)
    assert again.run.report is not None
    assert "Read as the recipe “pedidos” says." in words(page)
    assert again.recipes.offered is None
    found = empty_shop.engine.query("SELECT channel, strftime(ts, '%m-%d') AS day FROM orders ORDER BY ts")
    assert found.to_pylist() == [
        {"channel": "a", "day": "03-04"},
        {"channel": "b", "day": "04-05"},
        {"channel": "a", "day": "05-06"},
        {"channel": "b", "day": "06-07"},
    ]


def test_a_recipe_can_be_left_aside_or_corrected(empty_shop: Project, messy: Path) -> None:
    mapping = {"customer_id": "cliente", "ts": "fecha", "revenue": "importe"}
    columns = ("fecha", "cliente", "pedido", "importe", "nota")
    empty_shop.recipes["mine"] = Recipe(table="orders", mapping=mapping, columns=columns, decimal=",")
    state = LoadState(empty_shop)
    state.look([messy])
    assert (state.recipe, state.mapping) == ("mine", mapping)
    state.recipe = None
    assert state.mapping["order_id"] == "pedido"
    state.recipe = "mine"
    assert (state.mapping, state.decimal) == (mapping, ",")
    state.choose("order_id", "pedido")
    loaded(state)
    assert state.recipes.offered is not None
    assert state.recipes.name == "pedidos"


def test_recipes_are_taken_handed_on_and_forgotten(empty_shop: Project) -> None:
    state = LoadState(empty_shop).recipes
    made = Recipe(about="from Ana", table="orders", mapping={"customer_id": "who"}, columns=("who",))
    state.receive([("Ventas 2026.json", made.to_json().encode())])
    assert state.names == ["ventas"]
    assert state.about("ventas") == "orders"
    handed_on = state.handed_on("ventas")
    assert handed_on is not None
    assert handed_on[0] == "ventas.json"
    assert Recipe.model_validate(json.loads(handed_on[1])) == made
    for content in (b"\xff\xfe", b"no recipe"):
        state.receive([("x.json", content)])
        assert "x.json is no recipe" in str(state.problem)
    state.delete("ventas")
    assert (state.names, list(empty_shop.recipes)) == ([], [])


# --- the sample -----------------------------------------------------------------------------------------


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
