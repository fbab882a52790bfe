"""Segments: a rule is checked and counted while it is written."""

from __future__ import annotations

import pytest

from tests.screens.pages import control, widgets, words
from workbench import Project, screens
from workbench.screens.segmenting import EXAMPLES, SegmentState


@pytest.mark.requirement("S01")
def test_the_size_that_is_shown_while_writing_is_the_size_once_saved(own_shop: Project) -> None:
    state = SegmentState(own_shop)
    for rule in EXAMPLES:
        state.name, state.rule = "mine", rule
        assert (state.doubt, state.problem) == (None, None)
        shown = state.size
        state.save()
        assert state.saved["mine"] == (rule, *own_shop.segment_sizes()["mine"])
        assert shown == own_shop.segment_sizes()["mine"]


def test_sizes_add_up(own_shop: Project) -> None:
    state = SegmentState(own_shop)
    sizes = []
    for rule in ('device == "mobile"', 'not device == "mobile"'):
        state.rule = rule
        assert state.size is not None
        sizes.append(state.size)
    assert sizes[0][0] + sizes[1][0] == sizes[0][1] == 6000


def test_a_rule_that_is_not_one_yet_is_said_beside_it_and_is_not_saved(own_shop: Project) -> None:
    page = screens.segments(own_shop, "en")
    control(page, "Name").value = "half"
    control(page, "Rule").value = "orders_12m >"
    assert "does not parse" in words(page)
    control(page, "Rule").value = "pais == 'ES'"
    assert "names “pais”, which is not there" in words(page)
    control(page, "Save").click()
    assert "half" not in own_shop.segments
    control(page, "Rule").value = "country == 'ES'"
    assert "2,680 of 6,000 customers" in words(page)
    control(page, "Save").click()
    assert own_shop.segments["half"] == "country == 'ES'"
    assert "“half” is saved." in words(page)


def test_a_segment_needs_a_name_and_a_rule(own_shop: Project) -> None:
    state = SegmentState(own_shop)
    state.save()
    assert str(state.problem) == "Give the segment a name."
    state.name = "empty"
    state.save()
    assert str(state.problem) == "Write the segment's rule."
    state.name, state.rule = "country", "orders > 1"
    state.save()
    assert "is a column of customers" in str(state.problem)


def test_a_segment_can_be_taken_up_again_and_deleted(own_shop: Project) -> None:
    own_shop.segments["<i>Spain</i>"] = "country == 'ES'"
    page = screens.segments(own_shop, "en")
    assert "<i>" not in words(page)
    assert "&lt;i&gt;Spain&lt;/i&gt;" in words(page)
    buttons = {w.tooltip: w for w in widgets(page) if getattr(w, "tooltip", None)}
    buttons["Edit “<i>Spain</i>”"].click()
    assert (control(page, "Name").value, control(page, "Rule").value) == ("<i>Spain</i>", "country == 'ES'")
    buttons["Delete “<i>Spain</i>”"].click()
    assert list(own_shop.segments) == ["loyal"]
    assert "&lt;i&gt;Spain&lt;/i&gt;</strong>" not in words(page)


def test_what_a_rule_can_name_is_shown_with_frequent_values(shop: Project) -> None:
    state = SegmentState(shop)
    assert state.values["device"] == ["mobile", "desktop", "tablet"]
    assert state.values["country"][0] == "ES"
    assert "customer_id" not in state.values
