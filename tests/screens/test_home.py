"""The home of a project: what it says is what the project holds, what failed as much as what worked."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from tests import sample_shop
from tests.sample_shop import EXPERIMENT
from tests.screens.pages import choose, control, words
from workbench import Project, screens
from workbench.demo import samples_folder
from workbench.locale import LANGUAGES, Texts
from workbench.publish import bundle, data_checks
from workbench.publish.library import OUTCOMES, Library, outcome, outcome_name
from workbench.publish.page import PUBLISHED
from workbench.publish.site import SCREENS
from workbench.publish.versions import question
from workbench.screens.home_results import matching
from workbench.screens.home_state import HomeState, lessons, show_index
from workbench.tables.privacy.access import user

T = Texts("en")


@pytest.fixture(scope="module")
def busy_shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A shop with a result whose arms are not as planned, and a page of two versions; not to be changed."""
    project = sample_shop.make(tmp_path_factory.mktemp("busy") / "shop")
    project.effect(EXPERIMENT, "revenue", planned_split={"generic": 0.7, "personalised": 0.3})
    wins = [record for record in project.records.values() if outcome(record) == "adopt"]
    lost = [record for record in project.records.values() if outcome(record) == "withheld"]
    project.publish(wins, "Home page", audience="the board")
    project.publish([*wins, *lost], "Home page", audience="the board")
    return project


@pytest.fixture
def own(busy_shop: Project, tmp_path: Path) -> Project:
    """A copy of it."""
    return sample_shop.copy(busy_shop, tmp_path / "own")


def more_orders(project: Project, folder: Path) -> Path:
    """Load thirty further orders of customers who are there."""
    rows = pd.read_csv(samples_folder() / "shop" / "orders.csv").tail(30)
    rows["order_id"] = [f"later-{place}" for place in range(30)]
    file = folder / "later.csv"
    rows.to_csv(file, index=False)
    project.load(file)
    return file


@pytest.mark.requirement("U02")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_result_without_a_verdict_is_listed_as_one_with_it_and_each_outcome_can_be_picked(
    busy_shop: Project, language: str
) -> None:
    t = Texts(language)
    page = screens.home(busy_shop, language)
    shown = words(page)
    for record in busy_shop.records.values():
        assert f'wb-outcome wb-{outcome(record)}"' in shown
    for wanted in OUTCOMES:
        choose(page, t("What became of it"), t(outcome_name(wanted)))
        listed = [part for part in words(page).split("\n") if "<h3>" in part and "wb-entries" in part][-1:]
        kept = [record for record in busy_shop.records.values() if outcome(record) == wanted]
        if not kept:
            assert t("No kept result is like that.") in words(page)
            continue
        assert listed[0].count("<li>") == len(kept)
        assert listed[0].count(f'wb-outcome wb-{wanted}"') == len(kept)


@pytest.mark.requirement("U02")
def test_results_are_searched_by_the_words_of_question_and_answer_in_any_order(busy_shop: Project) -> None:
    records = list(busy_shop.records.values())
    found = matching(records, "HOME revenue", "", T)
    assert [(T(question(one)), outcome(one)) for one in found] == [
        ("revenue in “personalised-home”", "withheld")
    ]
    assert matching(records, "not as large as planned", "", T) == found
    assert matching(records, "revenue", "adopt", T) == []
    assert matching(records, "", "", T) == records
    value = [one for one in records if one.kind == "value"]
    assert matching(records, "clará TODAVIA no", "described", Texts("es")) == value


def test_all_results_are_there_when_they_are_asked_for(own: Project) -> None:
    record = next(iter(own.records.values()))
    for place in range(14):
        changed = record.model_copy(
            update={"id": f"a{place}", "created": record.created + timedelta(minutes=place + 1)}
        )
        own.records.add(changed)
    (own.path / "records" / "b0.json").write_text("{}", encoding="utf-8")
    state = HomeState(own)
    assert state.kept == len(own.records) == 19
    assert len(state.results(T)) == 10
    state.all_results = True
    assert len(state.results(T)) == 18
    assert state.damaged == 1
    assert "Damaged or from another version, and not shown: 1" in words(screens.home(own, "en"))


def test_results_that_were_kept_since_are_read_and_no_more(busy_shop: Project) -> None:
    newest, *older = busy_shop.records.values()
    library = Library(busy_shop)
    assert [one.id for one in library.since(older[0].created)] == [newest.id]
    assert list(library.since(datetime.now(UTC))) == []
    assert [one.id for one in library.everything()] == [newest.id, *(one.id for one in older)]


def test_what_is_new_is_newest_first_and_nobody_is_named(own: Project, tmp_path: Path) -> None:
    bundle.unpublish(own, "home-page")
    bundle.roll_back(own, "home-page", 1)
    own.people.export(
        str(pd.read_csv(samples_folder() / "shop" / "orders.csv").customer_id[0]), tmp_path / "x"
    )
    state = HomeState(own)
    times = [one.at.replace(microsecond=0) for one in state.news]
    assert times == sorted(times, reverse=True)
    assert len(times) <= 10
    said = [T(one.text) for one in state.news]
    assert said[:2] == ["“Home page” shows version 1 again.", "“Home page” was taken down."]
    assert "Version 2 of “Home page” was published." in said
    assert next(one.outcome for one in state.news if one.kind == "result") == "withheld"
    assert not [line for line in said if user() in line or "export" in line.lower()]


def test_a_file_that_could_not_be_loaded_is_not_told_of_as_news(own: Project, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("order_id,customer_id\n1,2\n", encoding="utf-8")
    with pytest.raises(Exception, match=r"orders\.csv"):
        own.load(tmp_path / "orders.csv", table="orders")
    loads = [one for one in HomeState(own).news if one.kind == "data"]
    log = own.people.access.entries()[0]
    tried = [datetime.fromisoformat(one.time) for one in log if one.action == "load"][-1]
    assert all(one.at < tried for one in loads)


def test_a_page_says_when_the_data_have_changed_or_a_newer_result_is_kept(
    own: Project, tmp_path: Path
) -> None:
    (before,) = HomeState(own).pages
    assert before.behind == ()
    assert "It says what is known now." in words(screens.home(own, "en"))
    more_orders(own, tmp_path)
    state = HomeState(own)
    (after,) = state.pages
    assert [T(reason) for reason in after.behind] == ["The data have changed since: orders."]
    assert [T(one.detail) for one in state.attention() if one.way == "9-publish"] == [
        "“Home page”: The data have changed since: orders."
    ]
    newer = own.effect(EXPERIMENT, "conversion", by="device")
    assert newer.id not in after.records
    (last,) = HomeState(own).pages
    assert T(last.behind[-1]) == f"A newer result is kept: {T(newer.verdict)}"
    assert "What moved since version 1" in words(screens.home(own, "en"))


def test_a_changed_page_and_one_that_was_taken_down_are_named(own: Project) -> None:
    file = own.path / "published" / "home-page" / "versions" / "2" / "index.html"
    file.write_text(file.read_text(encoding="utf-8") + " ", encoding="utf-8")
    state = HomeState(own)
    assert state.attention()[0].status == "fail"
    assert "index.html was changed" in T(state.attention()[0].detail)
    bundle.unpublish(own, "home-page")
    state = HomeState(own)
    assert [(one.slug, one.shown) for one in state.pages] == [("home-page", False)]
    assert state.attention() == []


def test_the_checks_are_remembered_until_the_data_change(own: Project, tmp_path: Path) -> None:
    (own.path / "cache" / data_checks.FILE).unlink(missing_ok=True)
    state = HomeState(own)
    assert state.findings is None
    state.watch()
    state.wait(60)
    assert [one.name for one in state.findings or ()] == [one.name for one in own.checks()]
    assert not any(one.examples for one in data_checks.remembered(own) or ())
    again = HomeState(own)
    assert again.findings == state.findings
    assert "all checks fine" in words(screens.home(own, "en"))
    more_orders(own, tmp_path)
    assert data_checks.remembered(own) is None
    (own.path / "cache").mkdir(exist_ok=True)
    (own.path / "cache" / data_checks.FILE).write_text('{"of": 1}', encoding="utf-8")
    assert data_checks.remembered(own) is None
    state = HomeState(own)
    state.watch()
    state.wait(60)
    care = [T(one.detail) for one in state.attention() if one.way == "1-load-and-check"]
    assert any("orders within a minute of another" in line for line in care)


def test_the_home_of_an_empty_project_says_what_to_do_and_does_it(empty_shop: Project) -> None:
    page = screens.home(empty_shop, "en")
    assert "There are no data in this project yet." in words(page)
    assert words(page).count("It needs ") == 8
    control(page, "Load the sample shop").click()
    shown = words(page)
    assert "There are no data" not in shown
    assert T.count(57397) in shown
    assert shown.count("It needs ") == 1
    assert "Loaded: customers.csv, orders.csv, events.csv and exposures.csv." in shown


def test_other_projects_are_named_and_nothing_else_of_them_is_said(own: Project) -> None:
    other = Project.create(own.path.parent / "an other", name="The <b>other</b> one")
    text = (other.path / "project.toml").read_text(encoding="utf-8")
    changed = text.replace('engine = "duckdb"', 'engine = "postgresql://reader:hunter2@db.example.org/shop"')
    assert changed != text
    (other.path / "project.toml").write_text(changed, encoding="utf-8")
    (own.path.parent / "broken").mkdir()
    (own.path.parent / "broken" / "project.toml").write_text("= nothing", encoding="utf-8")
    shown = words(screens.home(own, "en"))
    assert "The &lt;b&gt;other&lt;/b&gt; one" in shown
    assert f"workbench serve &#x27;{other.path}&#x27; --screens" in shown
    assert "hunter2" not in shown
    assert "broken" not in shown


def test_titles_of_pages_and_files_are_text(own: Project, tmp_path: Path) -> None:
    file = more_orders(own, tmp_path)
    odd = file.with_name("<img src=x onerror=alert(1)>.csv")
    shutil.copy(file, odd)
    rows = pd.read_csv(odd)
    rows["order_id"] = [f"odd-{place}" for place in range(30)]
    rows.to_csv(odd, index=False)
    own.load(odd)
    own.publish([next(iter(own.records.values()))], "<script>alert(2)</script>")
    shown = words(screens.home(own, "en"))
    assert "<script" not in shown
    assert "<img" not in shown


def test_lessons_are_those_of_the_folder_and_without_any_there_is_no_such_part(
    own: Project, tmp_path: Path
) -> None:
    assert list(lessons(tmp_path)) == []
    (tmp_path / "lessons").mkdir()
    said = {"titles": {"en": "One", "es": "Uno"}, "summary": {"en": "First", "es": "Primero"}}
    for name, metadata in (("2-two", said), ("1-one", said), ("note", {})):
        text = json.dumps({"cells": [], "metadata": metadata})
        (tmp_path / "lessons" / f"{name}.ipynb").write_text(text, encoding="utf-8")
    (tmp_path / "lessons" / "0-not.ipynb").write_text("{", encoding="utf-8")
    assert [one.stem for one in lessons(tmp_path)] == ["1-one", "2-two"]
    shown = words(screens.home(own, "es"))
    for one in lessons():
        assert f'href="lessons/{one.stem}.ipynb"' in shown
        assert one.title["es"] in shown


def test_readers_get_the_pages_and_their_sentences_and_no_way_to_the_screens(
    own: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = next(one for one in own.records.values() if one.kind == "value")
    own.publish([last], "Worth")
    monkeypatch.delenv(SCREENS, raising=False)
    monkeypatch.setenv(PUBLISHED, str(own.path / "published"))
    shown = words(show_index())
    assert shown.index("Worth") < shown.index("Home page")
    assert T(last.verdict).split(".")[0] in shown
    assert "data until 4 Jan 2026" in shown
    assert ".ipynb" not in shown
    assert "the board" not in shown
    assert str(own.path) not in shown
