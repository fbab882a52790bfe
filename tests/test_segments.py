"""Segment rules say what they mean, count what had happened by then, and explain themselves when wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import Project
from workbench.engines import fetch, table
from workbench.errors import DataError, RuleError
from workbench.segments import assign, members

END = datetime(2026, 7, 1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.create(tmp_path_factory.mktemp("segments") / "shop")
    project.commit(
        {
            "customers": pa.table(
                {
                    "customer_id": ["ana", "ben", "cleo", "dan"],
                    "country": ["ES", "FR", None, "ES"],
                    "age": [30, 41, 22, None],
                    "vip": [True, False, None, True],
                }
            ),
            "orders": pa.table(
                {
                    "order_id": ["1", "2", "3", "4"],
                    "customer_id": ["ana", "ana", "ben", "ana"],
                    "ts": [END - timedelta(days=d) for d in (400, 20, 100, 2)],
                    "revenue": [100.0, 50.0, 80.0, 30.0],
                    "refund": [0.0, 10.0, None, 0.0],
                }
            ),
        }
    )
    return project


def who(project: Project, rule: str, as_of: datetime = END) -> set[str]:
    people = table(project.engine, "customers").select("customer_id")
    seconds = int((as_of - datetime(1970, 1, 1)).total_seconds())
    people = people.mutate(as_of=ibis.literal(seconds, "int64"))
    rows = fetch(project.engine, members(project.engine, {"s": rule}, people))
    assert all(row["s"] in (True, False) for row in rows)
    return {row["customer_id"] for row in rows if row["s"]}


@pytest.mark.requirement("S01")
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("country == 'ES'", {"ana", "dan"}),
        ("country != 'ES'", {"ben"}),  # unknown is not different, it is unknown
        ("country is None", {"cleo"}),
        ("country is not None and not (country == 'ES')", {"ben"}),
        ("country in ['ES', 'PT'] or age < 25", {"ana", "cleo", "dan"}),
        ("country not in ('ES', 'PT')", {"ben"}),
        ("25 <= age < 41", {"ana"}),
        ("vip", {"ana", "dan"}),
        ("not vip", {"ben", "cleo"}),
        ("orders == 0", {"cleo", "dan"}),
        ("orders_12m >= 2", {"ana"}),
        ("orders_12m == 3", set()),
        ("orders == 3 and country == 'ES'", {"ana"}),
        ("revenue_90d > 69 and revenue_90d < 71", {"ana"}),  # 50 − 10 + 30
        ("average_order_value >= 80", {"ben"}),
        ("days_since_last_order <= 2", {"ana"}),
        ("days_since_first_order > 99 and days_since_first_order < 101", {"ben"}),
        ("age > -1", {"ana", "ben", "cleo"}),
    ],
)
def test_a_rule_finds_whom_it_names(shop: Project, rule: str, expected: set[str]) -> None:
    assert who(shop, rule) == expected


@pytest.mark.requirement("S01")
def test_history_is_what_had_happened_before_the_moment(shop: Project) -> None:
    """An order after the first exposure may be what the experiment did; it cannot decide the segment."""
    assert who(shop, "orders >= 3", END) == {"ana"}
    assert who(shop, "orders >= 3", END - timedelta(days=2)) == set()
    assert who(shop, "orders >= 2", END - timedelta(days=2)) == {"ana"}


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("country == ", "does not parse at character"),
        ("country = 'ES'", "does not parse at character"),
        ("contry == 'ES'", "names “contry”, which is not there; there are: country, age, vip, orders"),
        ("country > 3", "compares “country”, which is text, with a number"),
        ("orders >= 'three'", "compares “orders”, which is a number, with text"),
        ("age in ['a']", "compares “age”, which is a number, with text"),
        ("__import__('os').system('rm')", "names “__import__”, which is not there"),
        ("country.upper() == 'ES'", "which a rule cannot use"),
        ("country", "which a rule cannot use"),
        ("age + 1 > 3", "holds “age \\+ 1”, which a rule cannot use"),
        ("[age for age in country]", "which a rule cannot use"),
        ("lambda: 1", "which a rule cannot use"),
        ("", "does not parse"),
        ("country == 'ES'\x00", "cannot be read|does not parse"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong_and_is_not_saved(shop: Project, rule: str, says: str) -> None:
    with pytest.raises(RuleError, match=says):
        shop.segments["wrong"] = rule
    assert "wrong" not in shop.segments


def test_history_without_orders_says_so(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop")
    project.commit({"customers": pa.table({"customer_id": ["a"], "country": ["ES"]})})
    with pytest.raises(DataError, match="has no orders yet"):
        project.segments["loyal"] = "orders >= 3"
    project.segments["spain"] = "country == 'ES'"
    assert project.segment_sizes() == {"spain": (1, 1)}


def test_saved_segments_are_there_for_the_next_process(shop: Project) -> None:
    shop.segments["spain"] = "country == 'ES'"
    shop.segments["loyal"] = "orders >= 2"
    again = Project.open(shop.path)
    assert dict(again.segments) == {"spain": "country == 'ES'", "loyal": "orders >= 2"}
    assert again.segment_sizes() == {"spain": (2, 4), "loyal": (1, 4)}
    with pytest.raises(RuleError, match="is a column of customers"):
        shop.segments["country"] = "orders >= 2"
    del again.segments["loyal"]
    assert list(shop.segments) == ["spain"]


def test_everybody_is_in_exactly_one_group_the_first_that_fits(shop: Project) -> None:
    people = table(shop.engine, "customers").select("customer_id").mutate(as_of=ibis.literal(10**10, "int64"))
    rules = {"buyers": "orders > 0", "spain": "country == 'ES'"}
    rows = fetch(shop.engine, assign(shop.engine, rules, people))
    assert {row["customer_id"]: row["segment"] for row in rows} == {
        "ana": "buyers",
        "ben": "buyers",
        "cleo": "(rest)",
        "dan": "spain",
    }


_ATOMS = st.sampled_from(
    ["country == 'ES'", "age > 25", "vip", "orders >= 1", "country is None", "revenue < 90"]
)
_RULES = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=4,
)


@given(rule=_RULES)
@settings(max_examples=25, deadline=None)
def test_a_rule_and_its_opposite_divide_the_customers(shop: Project, rule: str) -> None:
    everybody = {"ana", "ben", "cleo", "dan"}
    inside, outside = who(shop, rule), who(shop, f"not ({rule})")
    assert inside | outside == everybody
    assert not inside & outside


@given(rule=_RULES)
@settings(max_examples=25, deadline=None)
def test_rules_agree_with_python_itself(shop: Project, rule: str) -> None:
    """A second interpreter of the same rule: Python's, on rows where every comparison has its answer."""

    class Unknown:
        """Not true under any comparison."""

        def __gt__(self, other: Any) -> bool:
            return False

    ages = {"ana": 30, "ben": 41, "cleo": 22, "dan": Unknown()}
    facts = {
        name: {"country": country, "age": ages[name], "vip": bool(vip), "orders": orders, "revenue": revenue}
        for name, country, vip, orders, revenue in [
            ("ana", "ES", True, 3, 170.0),
            ("ben", "FR", False, 1, 80.0),
            ("cleo", None, None, 0, 0.0),
            ("dan", "ES", True, 0, 0.0),
        ]
    }
    expected = {name for name, values in facts.items() if eval(rule, {}, values)}
    assert who(shop, rule) == expected
