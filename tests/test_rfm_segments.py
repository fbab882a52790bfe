"""Named segments: rules over scores, the project's own list, and segments saved as rules."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from tests import rfm_shop
from workbench.analyses import rfm_segments
from workbench.analyses.rfm_rule import as_rule, occurring
from workbench.analyses.rfm_segments import STANDARD, NamedSegment, from_lines, places, to_lines
from workbench.errors import ProjectError, RuleError, WorkbenchError
from workbench.locale import Texts
from workbench.metrics.rfm import Scale


@pytest.mark.requirement("F01")
def test_the_standard_list_is_the_grid() -> None:
    found = places(STANDARD)
    assert len(found) == 125
    for cell in product(range(1, 6), repeat=3):
        assert STANDARD[found[cell]].name == rfm_shop.segment(*cell), cell


@pytest.mark.requirement("F01")
def test_a_list_of_ones_own_is_kept_and_the_standard_one_comes_back(tmp_path: Path) -> None:
    own = (
        NamedSegment("VIP", "mine", "r >= 4 and (f == 5 or m == 5) and not f < 2"),
        NamedSegment("others", "theirs", "1 <= r <= 5"),
    )
    assert rfm_segments.read(tmp_path) == STANDARD
    rfm_segments.write(tmp_path, own)
    assert rfm_segments.read(tmp_path) == own
    vip = {cell for cell, place in places(own).items() if place == 0}
    assert vip == {(r, f, m) for r in (4, 5) for f in range(2, 6) for m in range(1, 6) if f == 5 or m == 5}
    rfm_segments.reset(tmp_path)
    assert rfm_segments.read(tmp_path) == STANDARD
    (tmp_path / rfm_segments.FILE).write_text("[[segment]]\nname = 1")
    with pytest.raises(ProjectError, match="does not hold segments by scores"):
        rfm_segments.read(tmp_path)


@pytest.mark.parametrize(
    ("segments", "says"),
    [
        ([("a", "t", "r >= 2")], "r 1, f 1, m 1 are in no segment"),
        ([("a", "t", "r >= 1"), ("b", "t", "f == 5")], "“b” can hold nobody"),
        ([("a", "t", "r >= 3"), ("a", "t", "r < 3")], "name of its own"),
        ([("a", "t", "r == 5"), ("b", "u", "r == 4"), ("c", "t", "r >= 1")], "one below the other"),
        ([("a", "t", "x > 1")], "“x”"),
        ([("a", "t", "r >")], "cannot be read"),
        ([("a", "t", "__import__('os')")], "cannot be read"),
        ([("a", "t", "r == 9 and spent > 5"), ("b", "t", "r >= 1")], "“spent”"),
        ([("a", "t", "r in 5")], "“r in 5”"),
        ([], "between 1 and 20"),
    ],
)
def test_a_list_that_does_not_say_where_everybody_belongs_is_refused(
    segments: list[tuple[str, str, str]], says: str
) -> None:
    with pytest.raises(RuleError, match=says):
        places([NamedSegment(*one) for one in segments])


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_is_written_out_is_read_back(language: str) -> None:
    t = Texts(language)
    assert from_lines(to_lines(STANDARD, t) + "\n\n", t) == STANDARD
    with pytest.raises(RuleError, match="Line 1 is “champions r == 5”"):
        from_lines("champions r == 5", t)


@pytest.mark.requirement("F01")
@pytest.mark.requirement("S01")
def test_a_segment_saved_as_a_rule_holds_the_same_customers(tmp_path: Path) -> None:
    """Where everybody orders once a day and nothing is given back whole, rules and scores agree exactly."""
    orders = rfm_shop.many()
    orders = orders[(orders.revenue > 0) & (orders.refund < orders.revenue)]
    project = rfm_shop.make(tmp_path / "s", orders)
    found = project.rfm()
    cells = places([one.named for one in found.segments])
    for place, one in enumerate(found.segments):
        having = [cell for cell, at in cells.items() if at == place]
        if one.customers:
            project.segments[one.named.name] = as_rule(having, found.scale)
    sizes = project.segment_sizes()
    assert {name: n for name, (n, _) in sizes.items()} == {
        one.named.name: one.customers for one in found.segments if one.customers
    }
    assert sum(n for n, _ in sizes.values()) == found.scale.customers
    assert as_rule(list(cells), found.scale) == "orders >= 1"


def test_scores_that_ties_leave_out_need_no_condition() -> None:
    scale = Scale(100, {"recency": (90, 60, 60, 10), "frequency": (1, 1, 1, 3), "money": (10, 20, 30, 40)})
    assert occurring(scale, "recency") == [1, 2, 4, 5]
    assert occurring(scale, "frequency") == [1, 4, 5]
    assert occurring(scale, "money") == [1, 2, 3, 4, 5]
    upper = [(5, f, m) for f in (2, 3, 4, 5) for m in range(1, 6)]
    assert as_rule(upper, scale) == "orders >= 1 and days_since_last_order < 10 and orders > 1"
    with pytest.raises(WorkbenchError, match="no rule to save"):
        as_rule([(3, 2, 1)], scale)
