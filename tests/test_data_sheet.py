"""The data sheet says what the project's own files, records and pages say."""

from __future__ import annotations

import json
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from tests import sample_shop
from tests.sample_shop import EXPERIMENT
from workbench import Project
from workbench.analyses import data_sheet, provenance, tools
from workbench.analyses.data_sheet import SCREENS, DataSheet, TableUse
from workbench.cli import sheet as sheet_commands
from workbench.demo import load_sample
from workbench.locale import Texts
from workbench.provenance import Origins
from workbench.publish import data_sheet as words
from workbench.screens import titles
from workbench.tables.recipe import Recipe
from workbench.tables.schema import TABLES


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.create(tmp_path_factory.mktemp("sheet") / "shop", timezone="Europe/Madrid")
    load_sample(project)
    project.segments["loyal"] = "orders_12m >= 2"
    project.effect(EXPERIMENT, "conversion")
    return project


@pytest.fixture
def own_shop(shop: Project, tmp_path: Path) -> Project:
    return sample_shop.copy(shop, tmp_path / "own")


def of(sheet: DataSheet, name: str) -> TableUse:
    return next(one for one in sheet.tables if one.name == name)


@pytest.mark.requirement("G05")
def test_tables_rows_days_and_files_are_those_of_the_project(shop: Project) -> None:
    sheet = shop.data_sheet()
    rows = {
        name: sum(pq.read_metadata(file).num_rows for file in parts)
        for name, parts in shop.store.files().items()
    }
    assert {one.name: one.rows for one in sheet.tables} == {name: n for name, n in rows.items() if n}
    assert sheet.rows == sum(rows.values())
    orders = of(sheet, "orders")
    assert orders.files == ["orders.csv"]
    days = sorted(
        row.ts.tz_localize("UTC").tz_convert("Europe/Madrid").date()
        for row in shop.frame("orders").itertuples()
    )
    assert (orders.first, orders.last) == (days[0], days[-1])
    assert sheet.loads == 4
    assert sheet.customers == rows["customers"]


@pytest.mark.requirement("G05")
def test_a_screen_shows_the_tables_that_its_results_are_made_of(shop: Project) -> None:
    effect = shop.effect(EXPERIMENT, "revenue", by="loyal", keep=False)
    value = shop.lifetime_value(by=EXPERIMENT, keep=False)
    assert set(effect.source.fingerprints) <= set(SCREENS["3-effect-lab"])
    assert set(value.source.fingerprints) <= set(SCREENS["4-lifetime-value"])
    assert set(SCREENS) <= set(titles(Texts()))
    assert {name for shown in SCREENS.values() for name in shown} <= set(TABLES)


@pytest.mark.requirement("G05")
def test_it_names_the_published_pages_and_kept_results_of_a_table(own_shop: Project) -> None:
    records = [record for record in own_shop.records.values() if "orders" in record.source.fingerprints]
    chosen = next(record for record in records if "events" not in record.source.fingerprints)
    own_shop.publish([chosen], "What we found")
    sheet = own_shop.data_sheet()
    for one in sheet.tables:
        assert one.pages == (["What we found"] if one.name in chosen.source.fingerprints else [])
        assert one.results == sum(
            one.name in record.source.fingerprints for record in own_shop.records.values()
        )
    t = Texts("en")
    short = words.short_rows(sheet, chosen.source.fingerprints, t)
    assert {row[t("Data")] for row in short} == {
        str(TABLES[name].about) for name in chosen.source.fingerprints
    }


@pytest.mark.requirement("G05")
def test_purpose_ground_and_retention_are_what_is_written_down(own_shop: Project) -> None:
    names = {one.name for one in own_shop.data_sheet().tables}
    assert set(own_shop.data_sheet().unexplained) == names
    (own_shop.path / "processing.toml").write_text(
        '[orders]\npurpose = "Sending what was bought"\nlegal_basis = "contract"\nretention_days = 30\n'
    )
    sheet = own_shop.data_sheet()
    orders = of(sheet, "orders")
    assert (orders.purpose, orders.legal_basis, orders.retention_days) == (
        "Sending what was bought",
        "contract",
        30,
    )
    assert set(sheet.unexplained) == names - {"orders"}
    assert [check.status for check in sheet.checks if check.name == "orders.retention"] == ["fail"]
    text = words.document(sheet, titles(Texts()), Texts())
    assert "Sending what was bought (contract)" in text
    assert "30 days" in text


@pytest.mark.requirement("G05")
def test_it_says_what_stays_out_and_what_should_have(own_shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    lines = [f"p{i}@example.com,Ana {i},60012345{i},ES,{20 + i},{i}@x.org" for i in range(9)]
    file.write_text("email,full name,phone,country,age,second email\n" + "\n".join(lines) + "\n")
    mapping = {"customer_id": "email", "country": "country", "attributes": ["age", "second email"]}
    loaded = own_shop.load(file, table="customers", mapping=mapping)
    own_shop.recipes["contacts"] = Recipe.model_validate(
        {
            **loaded.recipe.model_dump(),
            "columns": ("email", "full name", "phone", "country", "age", "second email"),
        }
    )
    sheet = own_shop.data_sheet()
    (left,) = sheet.left_out
    assert set(left.columns) == {"full name", "phone"}
    kept = {column.name: column for column in of(sheet, "customers").columns}
    assert kept["age"].sensitive
    assert not kept["country"].sensitive
    assert kept["customer_id"].party is None
    telling = [name for name, column in kept.items() if column.identifies is not None]
    assert len(telling) == 1
    assert "email" in telling[0]
    assert any(check.name == "identifier" and check.status == "warn" for check in sheet.checks)
    assert sheet.sensitive == ["customers.age"]
    own_shop.people.erase("p3@example.com")
    assert own_shop.data_sheet().erased == 1


@pytest.mark.requirement("G05")
def test_origins_that_were_said_are_on_it(own_shop: Project) -> None:
    Origins(own_shop.path)["customers.country"] = "zero"
    columns = {column.name: column for column in of(own_shop.data_sheet(), "customers").columns}
    assert (columns["country"].party, columns["country"].said) == ("zero", True)
    assert (columns["source"].party, columns["source"].said) == ("third", False)


class _Reader(HTMLParser):
    """What a page holds: its tags in pairs, its words."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.requirement("G05")
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_is_whole_needs_nothing_else_and_runs_nothing(own_shop: Project, language: str) -> None:
    own_shop.change(name="<script>alert(1)</script> & Söhne")
    own_shop.segments["sensitive <b>"] = "device == 'mobile'"
    sheet, t = own_shop.data_sheet(), Texts(language)
    page = words.document(
        sheet, titles(t), t, provenance.analyse(own_shop), tools.analyse(own_shop, checks=())
    )
    reader = _Reader()
    reader.feed(page)
    assert reader.open == []
    assert not {"script", "link", "img", "iframe", "b"} & set(reader.seen)
    assert "http" not in page
    assert "<script>alert(1)</script> & Söhne" in reader.words
    for one in sheet.tables:
        assert one.name in reader.words
        for column in one.columns:
            assert column.name in reader.words


@pytest.mark.requirement("G05")
def test_the_same_for_a_script(shop: Project) -> None:
    sheet = shop.data_sheet()
    plain = json.loads(json.dumps(words.script(sheet, Texts())))
    assert {one["name"]: one["rows"] for one in plain["tables"]} == {
        one.name: one.rows for one in sheet.tables
    }
    assert {check["status"] for check in plain["checks"]} <= {"ok", "warn", "fail"}
    assert plain["consent_purpose"] is None


@pytest.mark.requirement("G06")
def test_it_says_what_people_were_asked_and_what_that_is_used_for(own_shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "consents.csv"
    lines = [f"c{i},profiling,{'yes' if i < 15 else 'no'},2025-01-0{1 + i % 9}" for i in range(20)]
    lines += ["c0,profiling,no,2025-02-01"]  # c0 took it back
    file.write_text("customer_id,purpose,granted,ts\n" + "\n".join(lines) + "\n")
    own_shop.load(file, table="consents")
    (asked,) = own_shop.data_sheet().asked
    assert (asked.purpose, asked.people, asked.agree) == ("profiling", 20, 14)
    (check,) = [check for check in own_shop.data_sheet().checks if check.name == "consent"]
    assert check.status == "warn"
    own_shop.change(consent_purpose="profiling")
    (check,) = [check for check in own_shop.data_sheet().checks if check.name == "consent"]
    assert check.status == "ok"
    assert "profiling" in str(check.detail)


def test_an_empty_project_and_a_damaged_record_are_no_hindrance(own_shop: Project, tmp_path: Path) -> None:
    empty = Project.create(tmp_path / "empty").data_sheet()
    assert (empty.tables, empty.rows) == ([], 0)
    assert "nothing" in str(empty.verdict)
    before = of(own_shop.data_sheet(), "orders").results
    (own_shop.path / "records" / "0123456789abcdef.json").write_text("{")
    assert of(own_shop.data_sheet(), "orders").results == before
    sheet = data_sheet.analyse(own_shop)
    assert sheet.made - empty.made < timedelta(minutes=5)


@pytest.mark.requirement("G05")
def test_the_commands_say_the_same(shop: Project, tmp_path: Path) -> None:
    group = click.Group(commands=list(sheet_commands.COMMANDS))
    page = tmp_path / "sheet.html"
    options = ["--out", str(page), "--language", "es", "--json"]
    asked = CliRunner().invoke(group, ["data-sheet", str(shop.path), *options])
    assert asked.exit_code == 0, asked.output
    plain = json.loads(asked.output)
    assert {one["name"] for one in plain["tables"]} == {one.name for one in shop.data_sheet().tables}
    assert '<html lang="es">' in page.read_text(encoding="utf-8")
    asked = CliRunner().invoke(group, ["fairness", str(shop.path), "device"])
    assert str(shop.fairness("device").verdict) in asked.output
