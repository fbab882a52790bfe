"""A business case of a kept result: what it is refused for, its money, its words, its page, its command."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tests import sample_shop
from tests.shops import binary, unit_level
from workbench import Project
from workbench.analyses import business_case_words as words
from workbench.analyses.business_case import BusinessCase, CaseSettings, business_case, reached_a_month
from workbench.charts.business_case import fan
from workbench.cli import main
from workbench.decisions import main_comparison
from workbench.errors import WorkbenchError
from workbench.locale import LANGUAGES, Texts
from workbench.publish.business_case import document, months_as_csv
from workbench.records import EffectRecord, from_json

CUSTOMERS = {"customers_per_month": 1000.0}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return sample_shop.make(tmp_path_factory.mktemp("cases") / "shop")


@pytest.fixture(scope="module")
def revenue(shop: Project) -> EffectRecord:
    return shop.effect(sample_shop.EXPERIMENT, "revenue")


def case_of(record: Any, **settings: Any) -> BusinessCase:
    return business_case(record, CaseSettings(**settings))


def refusal(record: Any, **settings: Any) -> str:
    with pytest.raises(WorkbenchError) as caught:
        case_of(record, **settings)
    return str(caught.value)


@pytest.mark.requirement("U04")
def test_no_money_is_promised_on_what_is_no_effect(
    shop: Project, revenue: EffectRecord, tmp_path: Path
) -> None:
    associated = shop.effect(sample_shop.OFFERS, "revenue")
    assert "association, not an effect" in refusal(associated)
    assert "result of a randomised experiment" in refusal(shop.lifetime_value(keep=False))
    ratio = shop.effect(sample_shop.EXPERIMENT, "revenue", keep=False, per="orders")
    assert "ratio" in refusal(ratio)
    quantile = shop.effect(sample_shop.EXPERIMENT, "revenue", keep=False, statistic="quantile")
    assert "quantile" in refusal(quantile)
    uneven = unit_level(
        tmp_path / "uneven", {"old": binary(100, 1000), "new": binary(300, 2000)}, assignment="random"
    ).effect("home")
    assert uneven.outcome == "withheld"
    assert "A check of this result failed" in refusal(uneven, unit_value=10, **CUSTOMERS)


@pytest.mark.requirement("U04")
def test_without_costs_the_case_is_as_sure_as_the_result(revenue: EffectRecord) -> None:
    item = main_comparison(revenue.summary)
    case = case_of(revenue, discount_per_year=0, share=1, margin=0.5, **CUSTOMERS)
    assert case.net.mean == pytest.approx(12 * 1000 * 0.5 * item.difference)
    assert case.net.bands[0.95] == pytest.approx(
        tuple(12 * 1000 * 0.5 * end for end in item.difference_interval), rel=2e-3
    )
    assert case.pays == pytest.approx(item.probability_better, abs=2e-4)
    assert case.outcome == "pays"
    assert case.roi is None
    assert case.staying_month == pytest.approx(1000 * 0.5 * item.control_mean)


def test_customers_a_month_are_those_who_came_in_the_last_whole_weeks(
    shop: Project, revenue: EffectRecord
) -> None:
    """Counted in the table of exposures: who was first seen in the weeks that the case rests on."""
    exposures = shop.engine.query(
        "SELECT customer_id, min(ts) AS first FROM exposures "
        f"WHERE experience_id = '{sample_shop.EXPERIMENT}' GROUP BY 1"
    ).to_pylist()
    weeks = revenue.summary.weeks[-5:-1]
    days = [row["first"].date() for row in exposures]
    came = sum(weeks[0].start <= day < revenue.summary.weeks[-1].start for day in days)
    assert reached_a_month(revenue) == pytest.approx(came * 365.25 / 12 / 28, rel=0.05)
    assert case_of(revenue).course.customers == reached_a_month(revenue)


@pytest.mark.requirement("U04")
def test_a_share_becomes_money_by_what_a_unit_is_worth(tmp_path: Path) -> None:
    shop = unit_level(
        tmp_path / "shares", {"old": binary(200, 2000), "new": binary(280, 2000)}, assignment="random"
    )
    record = shop.effect("home", control="old")
    assert "what one unit of it is worth" in refusal(record, **CUSTOMERS)
    assert "how many customers are reached" in refusal(record, unit_value=50)
    case = case_of(record, unit_value=50, margin=0.3, share=1, months=1, discount_per_year=0, **CUSTOMERS)
    # 40 more of 1,000 convert, and each leaves 15
    assert case.net.mean == pytest.approx(1000 * 0.04 * 15, rel=0.01)
    assert case.staying_month == pytest.approx(1000 * 0.1 * 15, rel=0.01)


def test_of_a_metric_that_should_go_down_less_is_money(tmp_path: Path) -> None:
    shop = unit_level(
        tmp_path / "returns",
        {"old": binary(280, 2000), "new": binary(200, 2000)},
        metric="returned",
        assignment="random",
    )
    record = shop.effect("home", "returned", control="old", lower_is_better=True)
    case = case_of(record, unit_value=8, share=1, months=1, discount_per_year=0, **CUSTOMERS)
    assert case.net.mean == pytest.approx(1000 * 0.04 * 8, rel=0.01)
    low, high = case.net.bands[0.95]
    assert 0 < low < case.net.mean < high


@pytest.mark.requirement("U04")
def test_each_outcome_says_what_to_do(revenue: EffectRecord) -> None:
    t = Texts("en")
    pays = case_of(revenue, margin=0.4, cost_once=300)
    assert pays.outcome == "pays"
    plan = " ".join(t(item) for item in words.plan(pays))
    assert "keep 5 % as they are" in plan
    assert "Look again after month" in plan
    undecided = case_of(revenue, margin=0.4, cost_once=1500)
    assert undecided.outcome == "undecided"
    assert "not decided" in t(words.sentence(undecided))
    assert undecided.longer is not None
    # to wait costs more than it can be worth
    assert undecided.longer.forgone > undecided.information
    assert "go ahead now" in t(words.plan(undecided)[0])
    even = case_of(revenue, margin=0.4, cost_once=3500, customers_per_month=500)
    assert even.longer is not None
    assert even.pays == pytest.approx(0.5, abs=0.2)
    assert even.longer.weeks is None  # more than five years
    assert f"{t.count(even.longer.customers)} " in t(words.plan(even)[0])
    never = case_of(revenue, margin=0.4, cost_once=90_000)
    assert never.outcome == "does_not_pay"
    assert "do not spend" in t(words.plan(never)[0])
    assert never.month is None
    assert "after month 12" in words.break_even(never, t)
    for case in (pays, undecided, never):
        assert (case.net.bands[0.95][0] > 0) == (case.outcome == "pays")
        assert (case.net.bands[0.95][1] < 0) == (case.outcome == "does_not_pay")


def test_what_is_paid_back_and_lost_again_is_said_so(revenue: EffectRecord) -> None:
    t = Texts("en")
    case = case_of(revenue, margin=0.4, half_life_months=2, cost_per_month=100)
    assert case.lost_again
    assert case.month == 1
    assert "no longer by month 12" in fan(case, t).title
    assert case.stops is not None
    assert f"From month {case.stops} on" in " ".join(t(item) for item in words.plan(case))


def test_a_limit_in_the_table_is_where_the_case_turns(revenue: EffectRecord) -> None:
    settings = {"margin": 0.4, "cost_once": 300.0, "cost_per_month": 20.0, "half_life_months": 9.0}
    case = case_of(revenue, **settings)
    assert case.outcome == "pays"
    limits = {one.name: one.limit for one in case.limits}
    names = {"customers": "customers_per_month", "half_life": "half_life_months"}
    for name in ("customers", "share", "cost_once", "cost_per_month", "half_life"):
        at = limits[name]
        assert at is not None
        moved = case_of(revenue, **{**settings, names.get(name, name): at})
        assert moved.pays == pytest.approx(0.975, abs=1e-6)
    assert limits["gain"] is not None
    assert case_of(revenue, **{**settings, "margin": 0.4 * limits["gain"]}).pays == pytest.approx(0.975)
    rows = words.assumption_rows(case, Texts("en"))
    (once,) = [row for row in rows if row["Assumption"] == "Cost once"]
    assert once["Sure to pay with"] == f"≤ {Texts('en').money(limits['cost_once'] or 0)}"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("share", 0),
        ("margin", 1.2),
        ("months", 0),
        ("cost_once", -1),
        ("half_life_months", 0),
        ("months", 999),
    ],
)
def test_an_assumption_out_of_its_range_is_one_sentence(
    revenue: EffectRecord, setting: str, value: float
) -> None:
    assert "has to be" in refusal(revenue, **{setting: value})


def test_a_kept_result_gives_the_same_case(revenue: EffectRecord) -> None:
    again = from_json(revenue.model_dump_json())
    assert case_of(again, cost_once=500).fan == case_of(revenue, cost_once=500).fan


@pytest.mark.requirement("U04", "U06")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_the_case_and_holds_nothing_but_sums(revenue: EffectRecord, language: str) -> None:
    case, t = case_of(revenue, margin=0.4, cost_once=300), Texts(language)
    page = document(case)
    for said in (t(words.sentence(case)), t(words.plan(case)[0])):
        assert said.split(" %")[0].split("+")[0] in page
    assert case.record.id in page
    assert "customer_id" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_the_months_can_be_taken_along_as_numbers(revenue: EffectRecord) -> None:
    case = case_of(revenue, margin=0.4, cost_once=300)
    rows = list(csv.DictReader(io.StringIO(months_as_csv(case))))
    assert [int(row["month"]) for row in rows] == list(range(13))
    assert [float(row["mean"]) for row in rows] == [one.mean for one in case.fan]
    assert float(rows[-1]["low_0.95"]) == case.net.bands[0.95][0]
    assert float(rows[0]["high_0.5"]) == -300


@pytest.mark.requirement("U04")
def test_the_command_says_it_and_writes_the_page(
    shop: Project, revenue: EffectRecord, tmp_path: Path
) -> None:
    out = tmp_path / "case.html"
    asked = ["business-case", str(shop.path), revenue.id, "--margin", "0.4", "--cost-once", "300"]
    plain = CliRunner().invoke(main, [*asked, "--out", str(out)])
    assert plain.exit_code == 0, plain.output
    case = case_of(revenue, margin=0.4, cost_once=300)
    assert Texts("en")(words.sentence(case)) in plain.stdout
    assert out.read_text(encoding="utf-8") == document(case)
    found = json.loads(CliRunner().invoke(main, [*asked, "--json"]).stdout)
    assert found["probability_pays"] == case.pays
    assert found["fan"][-1]["mean"] == case.net.mean
    assert found["outcome"] == "pays"
    wrong = CliRunner().invoke(main, [*asked, "--out", str(tmp_path / "case.doc")])
    assert wrong.exit_code == 1
    assert ".html or .pdf" in wrong.stderr


def test_costs_move_the_whole_fan_by_what_they_are(revenue: EffectRecord) -> None:
    """Money is neither made nor lost: a cost at once moves every end of every band by itself."""
    free, paid = case_of(revenue), case_of(revenue, cost_once=1234)
    for one, other in zip(free.fan, paid.fan, strict=True):
        for level in one.bands:
            assert np.subtract(one.bands[level], other.bands[level]) == pytest.approx(1234)
    assert paid.cost == pytest.approx(1234)
    assert replace(paid.course, cost_once=0.0).net(1.0) == pytest.approx(paid.course.net(1.0) + 1234)
