"""The effect lab lets PyMC confirm the effects by group, in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.screens.pages import answers, choose, control, words
from tests.shops import binary, unit_level
from workbench import Project
from workbench.analyses import confirmed
from workbench.errors import ModelError
from workbench.locale import Texts
from workbench.models.hierarchical import Hierarchy, SampledEffect
from workbench.models.pooling import PooledEffect, pool_segments
from workbench.moments import Moments
from workbench.report import together_words
from workbench.screens.effect import EffectState
from workbench.screens.effect_view import results

SECONDS = 60
LABEL = "Confirm the groups with PyMC"


@pytest.fixture
def split(tmp_path: Path) -> EffectState:
    """The lab on an experiment with two countries, split by them."""
    counts = {"A": [(40, 500), (60, 700)], "B": [(60, 500), (75, 700)]}
    project = unit_level(
        tmp_path / "shop",
        {arm: [x for cell in cells for x in binary(*cell)] for arm, cells in counts.items()},
        assignment="random",
        attributes={"country": (["ES"] * 500 + ["IT"] * 700) * 2},
    )
    state = EffectState(project)
    state.by = "country"
    return state


@pytest.fixture
def sampler(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """In the place of PyMC, the closed form after the event is set, so that a test need not sample."""
    go = threading.Event()

    def sample(
        control: Sequence[Moments],
        arm: Sequence[Moments],
        level: float,
        lower_is_better: bool,
        seed: Any,
        progress: Callable[[float], None],
        cancel: threading.Event,
    ) -> Hierarchy:
        progress(0.5)
        while not go.wait(0.01):
            if cancel.is_set():
                raise ModelError("stopped")
        closed = pool_segments("binary", control, arm, level, lower_is_better=lower_is_better)
        parts = []
        for part in closed.segments:
            assert isinstance(part, PooledEffect)
            fields = {name: getattr(part, name) for name in SampledEffect.__dataclass_fields__}
            parts.append(SampledEffect(**fields))
        checks = {"rhat": 1.0, "ess": 2000.0, "divergences": 0.0}
        joint = closed.joint
        each = closed.level_of_each, joint.differences, joint.if_alike
        return Hierarchy(tuple(parts), closed.overall, closed.tau, None, 4, 4, checks, *each)

    monkeypatch.setattr(confirmed, "sample_shares", sample)
    return go


@pytest.mark.requirement("C03")
def test_a_confirmation_runs_beside_the_page_and_takes_the_place_of_the_answer(
    split: EffectState, sampler: threading.Event
) -> None:
    before = split.record
    assert before is not None
    split.confirm()
    assert split.confirming
    assert split.record is before
    sampler.set()
    split.wait(SECONDS)
    assert (split.confirming, split.problem) == (False, None)
    assert split.work.share == 0.5
    assert split.record is not None
    assert split.record.settings.confirm
    parts = [item for item in split.record.summary.comparisons if item.segment is not None]
    for item in parts:
        assert item.pooled is not None
        assert item.confirmed == item.pooled
    (check,) = [check for check in split.record.checks if check.name == "confirmed"]
    assert check.status == "ok"
    claims = split.record.summary.together
    assert claims is not None
    assert claims.sampled
    assert not before.summary.together.sampled  # type: ignore[union-attr] # there are two countries
    assert "in PyMC’s draws of all segments together" in together_words(split.record, Texts("en"))
    assert "PyMC" not in together_words(before, Texts("en"))
    assert not split.kept
    split.keep()
    assert split.record.id in split.project.records


def test_a_stopped_confirmation_leaves_the_answer_as_it_was(
    split: EffectState, sampler: threading.Event
) -> None:
    before = split.record
    split.confirm()
    split.stop()
    split.wait(SECONDS)
    assert (split.record, split.problem, split.confirming) == (before, None, False)


def test_a_new_question_ends_the_confirmation_of_the_old_one(
    split: EffectState, sampler: threading.Event
) -> None:
    split.confirm()
    split.level = 0.8
    sampler.set()
    split.wait(SECONDS)
    assert split.record is not None
    assert split.record.settings.level == 0.8
    assert split.record.summary.confirmation is None


def test_the_page_offers_it_where_there_are_groups_and_shows_what_came_of_it(
    split: EffectState, sampler: threading.Event
) -> None:
    sampler.set()
    page = results(split, Texts("en"))
    assert "Interval by PyMC" not in words(page)
    button = control(page, LABEL)
    button.click()
    split.wait(SECONDS)
    assert "Interval by PyMC" in words(page)
    assert "sampler agrees on the groups" in words(page)
    assert (button.disabled, button.description) == (True, "The groups are confirmed with PyMC")
    choose(page, "Split by", "nothing: everybody together")
    assert button.layout.display == "none"
    split.confirm()
    assert not split.confirming


def test_a_confirmation_that_fails_is_said_on_the_page(
    split: EffectState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_settings: Any) -> None:
        raise ModelError("The sampler did not converge.")

    monkeypatch.setattr(confirmed, "sample_shares", fail)
    page = results(split, Texts("en"))
    before = answers(page)
    control(page, LABEL).click()
    split.wait(SECONDS)
    assert "The sampler did not converge." in words(page)
    assert answers(page) == before


def test_a_confirmed_answer_is_not_asked_for_again(
    split: EffectState, sampler: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler.set()
    split.confirm()
    split.wait(SECONDS)

    def fail(*_args: Any, **_settings: Any) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(Project, "effect", fail)
    split.answer()
    assert split.problem is None
    assert split.record is not None
    assert split.record.summary.confirmation is not None
