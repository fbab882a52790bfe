"""Every question that an answer asks of DuckDB is also SQL for the large warehouses; none of them is run."""

from __future__ import annotations

import re
from typing import Any

import ibis
import pytest
import sqlglot

from tests import sample_shop
from tests.engines.questions import QUESTIONS
from workbench import Project
from workbench.models import importance

pytestmark = pytest.mark.engines
WAREHOUSES = ("bigquery", "snowflake", "trino", "clickhouse", "databricks")


@pytest.fixture(scope="module")
def asked(shop: Project, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The expressions behind all answers, each once whatever the numbers and words in it.

    Asked of a copy, since what is found out so roughly is kept for its project.
    """
    own = sample_shop.copy(shop, tmp_path_factory.mktemp("asked") / "shop")
    found: dict[str, Any] = {}
    compiled = ibis.to_sql

    def watched(expression: Any, **options: Any) -> Any:
        text = compiled(expression, **options)
        found[re.sub(r"'[^']*'|\d+", "0", str(text))] = expression
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ibis, "to_sql", watched)
        # Questions are the same whatever is made of their answers, so posteriors are quick and rough.
        for name, rough in (
            ("_ROUNDS", 1),
            ("_PROPOSALS_PER_DRAW", 0),
            ("_FEWEST_PROPOSALS", 200),
            ("KHAT_LIMIT", float("inf")),
            ("ESS_LIMIT", 0),
        ):
            patch.setattr(importance, name, rough)
        for name, question in QUESTIONS.items():
            if name != "checks":  # they ask for quartiles, which Ibis has no words for on BigQuery and Trino
                question(own)
    return list(found.values())


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_questions_compile(asked: list[Any], warehouse: str) -> None:
    assert len(asked) > 20
    for expression in asked:
        text = ibis.to_sql(expression, dialect=warehouse)
        parsed = sqlglot.parse_one(text, read=warehouse)
        assert isinstance(parsed, sqlglot.exp.Query)
        assert parsed.is_star or tuple(parsed.named_selects) == tuple(expression.as_table().columns)
