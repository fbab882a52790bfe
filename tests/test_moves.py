"""Two answers to one question: what is told of how far they are apart, and when nothing can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scipy.stats import norm

from tests.shops import binary, unit_level
from workbench.locale import Texts
from workbench.publish.moves import explained, other_settings, same_line, same_question
from workbench.records import EffectRecord

T = Texts("en")
pytestmark = pytest.mark.requirement("U03")


@pytest.fixture(scope="module")
def then(tmp_path_factory: pytest.TempPathFactory) -> EffectRecord:
    return asked(tmp_path_factory.mktemp("then") / "shop", (60, 500), (75, 500))


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> EffectRecord:
    return asked(tmp_path_factory.mktemp("now") / "shop", (120, 1000), (150, 1000))


def asked(folder: Path, a: tuple[int, int], b: tuple[int, int], **settings: Any) -> EffectRecord:
    project = unit_level(folder, {"A": binary(*a), "B": binary(*b)}, assignment="random")
    return project.effect("home", keep=False, **settings)


def changed(record: EffectRecord, **settings: Any) -> EffectRecord:
    return record.model_copy(update={"settings": record.settings.model_copy(update=settings)})


def moved(record: EffectRecord, by: float) -> EffectRecord:
    """The same but for the difference over everybody."""
    (whole,) = record.summary.comparisons
    other = whole.model_copy(update={"difference": whole.difference + by})
    return record.model_copy(update={"summary": record.summary.model_copy(update={"comparisons": [other]})})


def reach(now: EffectRecord, level: float) -> float:
    """How far as many customers again move it, by hand: Var(M - m) of an arm is s² (2 - 1)."""
    variance = sum(arm.sd**2 for arm in now.summary.arms)
    return float(norm.ppf((1 + level) / 2) * variance**0.5)


def said(then: EffectRecord, now: EffectRecord) -> str:
    found = explained(then, now)
    return "" if found is None else T(found)


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_a_move_either_way_is_held_against_the_level_that_was_asked_for(
    then: EffectRecord, now: EffectRecord, level: float, way: float
) -> None:
    now = changed(now, level=level)
    (before,), (after,) = then.summary.comparisons, now.summary.comparisons
    level_now = before.difference - after.difference  # brings now back to then
    near = moved(now, level_now + way * 0.98 * reach(now, level))
    far = moved(now, level_now + way * 1.02 * reach(now, level))
    assert said(then, near).startswith("No more than chance")
    assert said(then, far).startswith("More than chance")
    assert f"{level:.0%}".replace("%", " %") in said(then, far).replace("\N{NO-BREAK SPACE}", " ")


def test_what_did_not_move_or_has_no_answer_is_not_explained(then: EffectRecord, now: EffectRecord) -> None:
    assert explained(then, then) is None
    (check, *_) = now.checks
    failed = now.model_copy(update={"checks": [check.model_copy(update={"status": "fail"})]})
    assert said(then, moved(now, 0.01))
    assert explained(then, moved(failed, 0.01)) is None
    assert explained(failed, moved(now, 0.01)) is None


def test_other_reasons_than_chance_are_told_first(then: EffectRecord, now: EffectRecord) -> None:
    now = moved(now, 0.01)
    same = now.model_copy(update={"source": then.source})
    assert said(then, same) == "The data are the same: it was computed otherwise."
    marked = {**now.source.fingerprints, "protocol": "another plan"}
    planned = same.model_copy(
        update={"source": then.source.model_copy(update={"fingerprints": then.source.fingerprints | marked})}
    )
    assert not said(then, planned).startswith("The data are the same")
    plan_only = then.source.model_copy(
        update={"fingerprints": {**then.source.fingerprints, "protocol": "another plan"}}
    )
    assert said(then, same.model_copy(update={"source": plan_only})).startswith("The data are the same")
    defined = now.model_copy(update={"definitions": {"loyal": "orders > 3"}})
    assert "defined otherwise" in said(then, defined)
    other = now.summary.model_copy(update={"arm": "A", "control": "B"})
    turned = now.summary.comparisons[0].model_copy(update={"arm": "A", "control": "B"})
    switched = now.model_copy(update={"summary": other.model_copy(update={"comparisons": [turned]})})
    assert explained(then, switched) is None  # then, nothing is known of this pair


def test_which_arm_it_speaks_of_is_told(then: EffectRecord, now: EffectRecord) -> None:
    """Then it spoke of C against A; of B against A there was an answer, too."""
    spoke = then.summary.model_copy(update={"arm": "C"})
    assert said(then.model_copy(update={"summary": spoke}), moved(now, 0.01)) == (
        "It speaks of “B” now, and spoke of “C” then."
    )


def test_where_the_answer_is_no_plain_mean_nothing_is_said_of_chance(
    then: EffectRecord, now: EffectRecord
) -> None:
    now = moved(now, 0.01)
    adaptive = now.model_copy(update={"summary": now.summary.model_copy(update={"assignment": "adaptive"})})
    assert explained(then, adaptive) is None
    assert explained(then, changed(now, lift_prior=(0.0, 0.1))) is None


def test_settings_that_ask_nothing_else_make_no_other_question(then: EffectRecord) -> None:
    for more in ({"looks": 7}, {"confirm": True}):
        again = changed(then, **more)
        assert same_question(then) == same_question(again)
        assert other_settings(then, again) == []
    other = changed(then, level=0.8)
    assert same_question(then) != same_question(other)
    assert same_line(then) == same_line(other)
    assert len(other_settings(then, other)) == 1
