"""A screen opens as it was left, answers that took long are found again, and neither is ever a wrong one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.screens.test_work import comes
from tests.shops import binary, unit_level
from workbench import Project
from workbench.screens import answering
from workbench.screens.effect import EffectState
from workbench.screens.remembering import Answers, LastAsked


@pytest.fixture
def project(tmp_path: Path) -> Project:
    counts = {"A": [(40, 500), (60, 700)], "B": [(60, 500), (75, 700)]}
    return unit_level(
        tmp_path / "shop",
        {arm: [x for cell in cells for x in binary(*cell)] for arm, cells in counts.items()},
        assignment="random",
        attributes={"country": (["ES"] * 500 + ["IT"] * 700) * 2},
    )


def opened(project: Project, life: Callable[[EffectState], None] = lambda _: None) -> EffectState:
    """The effect lab as a page opens it, after what somebody does there."""

    async def open_it() -> EffectState:
        state = EffectState(Project.open(project.path))
        await comes(lambda: not state.busy)
        life(state)
        await comes(lambda: not state.busy)
        file = project.path / "screens" / "effect.json"
        await comes(lambda: not state.changed or file.exists())
        await comes(lambda: LastAsked(project.path, "EffectState").asked == state._memory.asked)  # type: ignore[union-attr]
        return state

    return asyncio.run(open_it())


def by_country(state: EffectState) -> None:
    state.by = "country"
    state.level = 0.8


def fail(*_args: Any, **_settings: Any) -> None:
    raise AssertionError("asked again")


def test_a_screen_opens_as_it_was_left_and_one_click_undoes_that(project: Project) -> None:
    opened(project, by_country)
    again = opened(project)
    assert (again.by, again.level, again.changed) == ("country", 0.8, True)
    assert again.record is not None
    assert again.record.settings.by == "country"
    fresh = opened(project, lambda state: state.start_again())
    assert (fresh.by, fresh.level, fresh.changed) == (None, 0.95, False)
    assert fresh.record is not None
    assert fresh.record.settings.by is None
    assert opened(project).by is None


@pytest.mark.parametrize(
    "left",
    [
        {"by": "a column that is gone", "experiment": "gone"},
        {"by": 3, "no such control": 1},
        {"split": "nonsense"},
    ],
)
def test_what_no_longer_is_there_is_not_asked_for(project: Project, left: dict[str, Any]) -> None:
    place = project.path / "screens" / "effect.json"
    place.parent.mkdir()
    place.write_text(json.dumps({"asked": left, "seconds": {}}), encoding="utf-8")

    async def open_it() -> None:
        state = EffectState(project)
        await comes(lambda: not state.busy)
        assert (state.problem, state.by, state.split) == (None, None, "")
        assert state.record is not None

    asyncio.run(open_it())


@pytest.mark.parametrize("content", ["", "[]", "{", '{"asked": 3, "seconds": {}}'])
def test_a_damaged_memory_is_none(project: Project, content: str) -> None:
    place = project.path / "screens" / "effect.json"
    place.parent.mkdir()
    place.write_text(content, encoding="utf-8")
    assert LastAsked(project.path, "EffectState").asked == {}


def test_a_state_in_a_script_remembers_nothing(project: Project) -> None:
    state = EffectState(project)
    state.by = "country"
    assert not (project.path / "screens").exists()
    assert EffectState(project).by is None


def test_an_answer_that_took_long_is_found_when_the_screen_is_opened_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "LONG", 0.0)
    before = opened(project, by_country).record
    assert before is not None
    monkeypatch.setattr(Project, "effect", fail)
    again = opened(project)
    assert again.problem is None
    assert again.record == before


def test_an_answer_is_not_found_once_anything_it_depends_on_has_changed(project: Project) -> None:
    record = EffectState(project).record
    assert record is not None
    answers = Answers(project)
    answers.add(record.settings, record)
    assert answers.get(record.settings) == record
    assert answers.get(record.settings.model_copy(update={"level": 0.5})) is None
    (file,) = (project.path / "cache").glob("answer-*")
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace("0.95", "0.94"), encoding="utf-8")
    assert answers.get(record.settings) is None
    file.write_text(whole, encoding="utf-8")
    assert answers.get(record.settings) == record
    project.segments["from Spain"] = "country == 'ES'"
    assert answers.get(record.settings) is None
    answers.add(record.settings, record)
    rows = project.engine.query("SELECT * FROM customers")
    project.commit({"customers": rows.slice(1)})
    assert answers.get(record.settings) is None
