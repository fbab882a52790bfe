"""The effect lab: every change is answered once, and with the project's own answer."""

from __future__ import annotations

import csv
import io
import logging
from html import escape
from pathlib import Path
from typing import Any

import pytest

from tests.sample_shop import EXPERIMENT, OFFERS
from tests.screens.pages import answers, charts, choose, control, words
from tests.shops import binary, unit_level
from workbench import Project, report, screens
from workbench.locale import Texts
from workbench.screens.effect import EffectState


def asked(project: Project, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the project is asked from now on."""
    questions: list[dict[str, Any]] = []
    effect = project.effect

    def counted(**settings: Any) -> Any:
        questions.append(settings)
        return effect(**settings)

    monkeypatch.setattr(project, "effect", counted)
    return questions


@pytest.mark.requirement("C01")
def test_the_answer_is_the_projects_own(shop: Project) -> None:
    state = EffectState(shop)
    state.by = "country"
    state.metric = "revenue"
    assert state.record is not None
    assert state.record.id == shop.effect(EXPERIMENT, "revenue", by="country", keep=False).id


def test_one_change_is_one_stretch_of_work(shop: Project) -> None:
    state, seen = EffectState(shop), list[bool]()
    state.observe(lambda change: seen.append(change.new), "busy")
    state.metric = "revenue"
    assert seen == [True, False]
    state.split = "nonsense"
    assert state.problem is not None
    assert state.record is None
    assert seen == [True, False] * 2


def test_one_change_is_one_question(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    state = EffectState(shop)
    questions = asked(shop, monkeypatch)
    for name, value in {
        "metric": "revenue",
        "by": "segments",
        "control": "generic",
        "assignment": "self",
        "level": 0.9,
        "window_days": 28,
        "rope": 0.05,
        "prior": "jeffreys",
        "split": "50/50",
        "lower_is_better": True,
        "experiment": OFFERS,
    }.items():
        setattr(state, name, value)
        assert state.problem is None
    assert len(questions) == 11
    assert questions[-1]["prior"] == (0.5, 0.5)


def test_looking_keeps_nothing_until_the_person_says_so(own_shop: Project) -> None:
    state = EffectState(own_shop)
    before = set(own_shop.records)
    state.window_days = 21
    assert set(own_shop.records) == before
    assert not state.kept
    state.keep()
    assert state.record is not None
    assert set(own_shop.records) - before == {state.record.id}
    assert state.kept
    state.window_days = 14
    assert not state.kept
    state.window_days = 21
    assert state.kept


def test_what_does_not_fit_another_experiment_is_let_go(tmp_path: Path) -> None:
    project = unit_level(tmp_path / "shop", {"A": binary(60, 500), "B": binary(80, 500)}, assignment="random")
    first = EffectState(project)
    assert (first.experiment, first.metrics, first.arms) == ("home", ["conversion"], ["A", "B"])
    first.control = "B"
    more = "SELECT * FROM {0} UNION ALL SELECT * REPLACE ('other' AS experience_id, {1}) FROM {0}"
    exposures = more.format("exposures", "replace(variant, 'B', 'C') AS variant")
    outcomes = more.format("outcomes", "'signup' AS name")
    project.commit({"exposures": project.engine.query(exposures), "outcomes": project.engine.query(outcomes)})
    state = EffectState(project)
    state.control, state.split = "B", "1 2"
    state.experiment = "other"
    assert (state.metric, state.control, state.split, state.problem) == ("signup", None, "", None)
    assert state.record is not None
    assert state.record.summary.metric == "signup"


@pytest.mark.requirement("X11")
def test_a_planned_split_can_be_given_in_the_order_of_the_arms(tmp_path: Path) -> None:
    project = unit_level(tmp_path / "shop", {"A": binary(80, 800), "B": binary(20, 200)}, assignment="random")
    state = EffectState(project)
    assert state.record is not None
    assert state.record.outcome == "withheld"
    state.split = "80 / 20"
    assert state.record.settings.planned_split == {"A": 80.0, "B": 20.0}
    assert state.record.outcome != "withheld"
    state.split = "80"
    assert state.record is None
    assert "A, B" in str(state.problem)
    state.split = "66,6 33,3"
    assert state.problem is None


def test_an_experiment_with_one_arm_is_refused_in_a_sentence_and_another_one_is_answered(
    tmp_path: Path,
) -> None:
    project = unit_level(tmp_path / "shop", {"A": binary(80, 800)}, assignment="random")
    page = screens.effect_lab(project, "en")
    assert "only one arm" in words(page)
    assert answers(page) == ""


def test_a_fault_of_ours_is_one_sentence_on_the_page_and_its_traceback_in_the_log(
    shop: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state = EffectState(shop)

    def fail(**_settings: Any) -> None:
        raise KeyError("secret-customer-17")

    monkeypatch.setattr(shop, "effect", fail)
    monkeypatch.setattr(logging.getLogger("traitlets"), "propagate", True)
    with caplog.at_level(logging.ERROR):
        state.level = 0.8
    assert "KeyError" in str(state.problem)
    assert "secret" not in str(state.problem)
    assert "secret-customer-17" in caplog.text
    assert (state.busy, state.record) == (False, None)


@pytest.mark.requirement("T1")
def test_only_random_assignment_is_called_an_effect(shop: Project) -> None:
    page = screens.effect_lab(shop, "en")
    assert "association" not in answers(page)
    choose(page, "How people came into their arm", "people chose, or did something")
    assert "This is an association, not an effect" in answers(page)
    choose(page, "Experiment", OFFERS)
    choose(page, "How people came into their arm", "at random")
    assert "This is an association, not an effect" in answers(page)


@pytest.mark.requirement("U06")
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_change_of_a_control_changes_sentence_and_charts_in_place(shop: Project, language: str) -> None:
    t = Texts(language)
    page = screens.effect_lab(shop, language)
    first = charts(page)
    drawn = first[0].spec
    choose(page, t("Metric"), t("revenue"))
    choose(page, t("Split by"), "country")
    record = shop.effect(EXPERIMENT, "revenue", by="country", keep=False)
    assert escape(t(record.verdict)).replace(" %", "&nbsp;%").replace("&lt; ", "&lt;&nbsp;") in answers(page)
    assert charts(page)[: len(first)] == first
    assert first[0].spec != drawn
    assert len(charts(page)) == len(first) + 1
    shown = words(page)
    for check in record.checks:
        assert escape(t(check.detail)).replace(" %", "&nbsp;%").replace("&lt; ", "&lt;&nbsp;") in shown
    assert control(page, t("Level of the intervals")).label == t.whole_percent(0.95)


@pytest.mark.requirement("G02")
def test_names_from_files_are_text_and_never_markup(tmp_path: Path) -> None:
    arm = "<img src=x onerror=alert(1)>"
    project = unit_level(
        tmp_path / "shop",
        {arm: binary(80, 500), "A": binary(60, 500)},
        assignment="random",
        attributes={"country": ["<b>ES</b>"] * 600 + ["FR"] * 400},
    )
    page = screens.effect_lab(project, "en")
    choose(page, "Split by", "country")
    shown = words(page)
    assert "<img" not in shown
    assert "<b>" not in shown
    assert escape(arm) in shown
    assert escape("<b>ES</b>") in shown


@pytest.mark.requirement("U07")
def test_every_number_can_be_had_for_a_spreadsheet(shop: Project) -> None:
    state = EffectState(shop)
    state.by = "country"
    record = state.record
    assert record is not None
    lines = dict(csv.reader(io.StringIO(report.as_csv(record))))
    item = next(item for item in record.summary.comparisons if item.segment)
    assert item.pooled is not None
    name = f"summary.comparisons[{item.arm} {item.segment}]"
    assert float(lines[f"{name}.difference"]) == item.difference
    assert float(lines[f"{name}.pooled.difference_interval[1]"]) == item.pooled.difference_interval[1]
    assert lines["record"] == record.id


def test_a_name_cannot_be_a_formula_in_a_spreadsheet(tmp_path: Path) -> None:
    shop = unit_level(
        tmp_path / "s", {"=1+1": binary(120, 1000), "B": binary(150, 1000)}, assignment="random"
    )
    record = shop.effect("home", control="=1+1", keep=False)
    values = [value for _, value in csv.reader(io.StringIO(report.as_csv(record)))]
    assert "'=1+1" in values
    assert not [value for value in values if value.startswith(("=", "+", "@"))]
