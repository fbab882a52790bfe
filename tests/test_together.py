"""Segments together in a record: claims, ranks, tests without a prior; held against scipy and by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.shops import binary, event_level, unit_level
from workbench import Project
from workbench.charts import effect as charts
from workbench.locale import Texts
from workbench.records import EffectRecord, OtherMetric, Ranking, Together, from_json
from workbench.report import frequentist_sections, ranking_section, rows, together_words
from workbench.screens.effect import EffectState

EN = Texts("en")
SEGMENTS = ["Austria", "Belgium", "Chile", "Denmark", "Egypt"]
BOUGHT = {"control": [150, 150, 150, 150, 150], "new": [165, 150, 255, 75, 155]}
EACH = 1500


def converted() -> tuple[dict[str, list[float]], list[str]]:
    """Outcomes by arm, and the country of everybody in the order of the arms: one gains, one loses."""
    arms = {arm: [x for count in counts for x in binary(count, EACH)] for arm, counts in BOUGHT.items()}
    return arms, [name for _ in arms for name in SEGMENTS for _ in range(EACH)]


def shop(folder: Path, assignment: str = "random", metric: str = "conversion") -> Project:
    arms, countries = converted()
    return unit_level(folder, arms, metric=metric, assignment=assignment, attributes={"country": countries})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return shop(tmp_path_factory.mktemp("together") / "s")


def asked(project: Project, **settings: object) -> EffectRecord:
    return project.effect("home", "conversion", by="country", keep=False, **settings)  # type: ignore[arg-type]


def ranked(record: EffectRecord) -> Ranking:
    assert record.summary.ranking is not None
    return record.summary.ranking


def claimed(record: EffectRecord) -> Together:
    assert record.summary.together is not None
    return record.summary.together


def test_what_is_claimed_together_is_what_the_wider_intervals_leave_zero_out_of(project: Project) -> None:
    record = asked(project)
    found = claimed(record)
    assert (found.better, found.worse, found.segments) == (["Chile"], ["Denmark"], 5)
    for item in record.summary.comparisons:
        if item.segment is None:
            continue
        assert item.pooled is not None
        assert item.pooled.difference_together is not None
        low, high = item.pooled.difference_together
        assert low < item.pooled.difference_interval[0] < item.pooled.difference_interval[1] < high
        assert (low > 0) == (item.segment in found.better)
        assert (high < 0) == (item.segment in found.worse)
    words = together_words(record, EN)
    assert "better than “control” in Chile and worse in Denmark" in words
    assert "together with 95 %, out of 5 segments" in words
    assert "All together (95 %)" in rows(record, EN)[0]


def test_nothing_is_claimed_of_segments_that_are_alike(tmp_path: Path) -> None:
    counts = {"control": [50, 52, 47, 51], "new": [55, 48, 51, 50]}
    arms = {arm: [x for count in each for x in binary(count, 500)] for arm, each in counts.items()}
    countries = [name for _ in arms for name in SEGMENTS[:4] for _ in range(500)]
    same = unit_level(tmp_path / "s", arms, assignment="random", attributes={"country": countries})
    record = asked(same)
    assert claimed(record).better == claimed(record).worse == []
    assert "in none can the difference be told from nothing" in together_words(record, EN)
    section = ranking_section(record, EN)
    assert section is not None
    assert "Beware of the best as seen" in section.note


@pytest.mark.requirement("S05")
def test_segments_are_ranked_by_what_they_gain(project: Project) -> None:
    record = asked(project)
    found = ranked(record)
    pooled = {item.segment: item.pooled for item in record.summary.comparisons}
    gains = [one.gain for one in found.segments]
    assert gains == sorted(gains, reverse=True)
    assert (found.segments[0].segment, found.segments[-1].segment) == ("Chile", "Denmark")
    assert found.segments[0].rank_interval == (1, 1)
    assert found.segments[-1].rank_interval == (5, 5)
    assert sum(one.probability_top for one in found.segments) == pytest.approx(1)
    for one in found.segments:
        part = pooled[one.segment]
        assert part is not None
        assert one.customers == 2 * EACH
        assert one.gain == pytest.approx(part.difference * one.customers, rel=1e-8)
    assert found.days is None  # no times, so no pace
    assert found.best_seen == "Chile"
    assert found.seen == pytest.approx(105 / EACH, rel=0.01)
    assert found.pooled < found.seen
    assert 0 < found.by_luck < found.seen
    assert found.luck < 0.001


@pytest.mark.requirement("S05")
def test_lower_is_better_turns_the_ranking_round(project: Project) -> None:
    usual, turned = asked(project), asked(project, lower_is_better=True)
    names = [one.segment for one in ranked(usual).segments]
    assert [one.segment for one in ranked(turned).segments] == names[::-1]
    assert ranked(turned).best_seen == "Denmark"
    assert claimed(turned).better == claimed(usual).worse
    assert ranked(turned).by_luck < 0


def test_only_what_is_gained_by_the_treatment_is_ranked(tmp_path: Path, project: Project) -> None:
    chosen = asked(shop(tmp_path / "chosen", assignment="self"))
    assert chosen.summary.ranking is None
    assert chosen.summary.together is not None  # differences can be told from nothing whatever made them
    everybody = project.effect("home", "conversion", keep=False)
    assert everybody.summary.ranking is everybody.summary.together is None
    assert together_words(everybody, EN) == ""


def dated(folder: Path, per_day: int = 60, days: int = 28) -> Project:
    """Customers who come day by day for four weeks, the same number each day, and buy the day after."""
    random = np.random.default_rng(5)
    exposures, orders, countries = [], [], {}
    for i in range(per_day * days):
        name, arm = f"c{i:05d}", ("control", "new")[i % 2]
        day = i / per_day
        countries[name] = SEGMENTS[i // 2 % 3]
        exposures.append((name, arm, day))
        if random.random() < 0.2 + 0.1 * (arm == "new"):
            orders.append((name, day + 1, 20.0))
    orders.append(("c00000", 60.0, 1.0))
    return event_level(folder, exposures, orders, countries=countries)


@pytest.mark.requirement("S05")
def test_with_times_a_gain_is_that_of_thirty_days_at_the_pace_of_the_experiment(tmp_path: Path) -> None:
    record = dated(tmp_path / "s").effect("home", "conversion", by="country", keep=False)
    found = ranked(record)
    pooled = {item.segment: item.pooled for item in record.summary.comparisons}
    assert found.days == 30
    for one in found.segments:
        part = pooled[one.segment]
        assert part is not None
        # 20 customers a day in each country
        assert one.gain == pytest.approx(part.difference * 20 * 30, rel=2e-3)
    section = ranking_section(record, EN)
    assert section is not None
    assert section.title == "Which segments gain most in 30 days"
    assert section.rows[0]["Gain"].startswith("+")


def test_what_a_frequentist_would_say_is_scipys(project: Project) -> None:
    arms, countries = converted()
    found = asked(project).summary.frequentist
    assert found is not None
    whole = stats.ttest_ind(arms["new"], arms["control"], equal_var=False)
    assert found.p == pytest.approx(whole.pvalue, rel=1e-6)
    assert found.interval == pytest.approx(tuple(whole.confidence_interval(0.95)), rel=1e-6)
    assert found.always[0] < found.interval[0] < found.interval[1] < found.always[1]
    assert found.always_p > found.p
    assert (found.always_p <= 0.05) == (found.always[0] > 0 or found.always[1] < 0)
    half = len(countries) // 2
    where = np.array(countries[:half])
    single = {
        name: stats.ttest_ind(
            np.array(arms["new"])[where == name], np.array(arms["control"])[where == name], equal_var=False
        ).pvalue
        for name in SEGMENTS
    }
    assert {one.name: one.p for one in found.segments} == pytest.approx(single, rel=1e-6)
    assert [one.rate for one in found.segments] == pytest.approx(
        stats.false_discovery_control([single[one.name] for one in found.segments]), rel=1e-6
    )
    assert all(one.p <= one.rate <= one.any for one in found.segments)
    several = frequentist_sections(asked(project), EN)
    assert [section.title for section in several] == ["What a frequentist would say", "Several segments"]


def test_the_metrics_beside_the_one_that_decides_are_tested_too(tmp_path: Path) -> None:
    shop = dated(tmp_path / "s")
    others = (OtherMetric(metric="revenue", role="guardrail"), OtherMetric(metric="orders"))
    found = shop.effect("home", "conversion", keep=False, others=others).summary.frequentist
    assert found is not None
    assert [one.name for one in found.metrics] == ["conversion", "revenue", "orders"]
    assert [one.rate for one in found.metrics] == pytest.approx(
        stats.false_discovery_control([one.p for one in found.metrics]), rel=1e-6
    )


def test_a_record_of_before_still_loads_and_is_shown(project: Project) -> None:
    record = json.loads(asked(project).model_dump_json())
    for name in ("together", "ranking", "frequentist"):
        del record["summary"][name]
    for item in record["summary"]["comparisons"]:
        if item["pooled"]:
            del item["pooled"]["difference_together"]
    old = from_json(json.dumps(record))
    assert isinstance(old, EffectRecord)
    assert ranking_section(old, EN) is None
    assert frequentist_sections(old, EN) == []
    picture = charts.forest(old, EN)
    assert picture is not None
    assert "Thin line" not in picture.caption
    assert "widest" not in json.dumps(picture.chart.to_dict())


def test_the_forest_draws_the_intervals_that_hold_together(project: Project) -> None:
    record = asked(project)
    picture = charts.forest(record, EN)
    assert picture is not None
    assert picture.caption.startswith("“new” does better than “control” in Chile and worse in Denmark")
    drawn = find(picture.chart.to_dict(), "widest_low")
    expected = [
        100 * item.pooled.difference_together[0]
        for item in record.summary.comparisons
        if item.pooled is not None and item.pooled.difference_together is not None
    ]
    assert sorted(drawn) == pytest.approx(sorted(expected))


def find(spec: object, name: str) -> list[float]:
    """All values of a field in a chart's data."""
    if isinstance(spec, Mapping):
        own = [float(spec[name])] if isinstance(spec.get(name), int | float) else []
        return own + [x for key, part in spec.items() if key != name for x in find(part, name)]
    if isinstance(spec, Sequence) and not isinstance(spec, str):
        return [x for part in spec for x in find(part, name)]
    return []


def test_the_screen_answers_with_them(tmp_path: Path) -> None:
    state = EffectState(shop(tmp_path / "s"))
    assert state.record is not None
    assert state.record.summary.ranking is None
    state.by = "country"
    assert state.record is not None
    assert claimed(state.record).better == ["Chile"]
    assert ranked(state.record).segments[0].segment == "Chile"
    usual = claimed(state.record).level_of_each
    state.level = 0.8
    assert 0.8 < claimed(state.record).level_of_each < usual


@pytest.mark.requirement("X11")
def test_the_sizes_of_the_arms_are_set_against_the_plan_twice(tmp_path: Path) -> None:
    """χ² stops the verdict; beside it stands how much likelier the sizes are one way than the other."""

    def detail(folder: str, new: int) -> tuple[str, str]:
        arms = {"control": [1.0, 0.0] * 500, "new": [1.0, 0.0] * (new // 2)}
        record = unit_level(tmp_path / folder, arms, assignment="random").effect(
            "home", "conversion", keep=False
        )
        (check,) = [one for one in record.checks if one.name == "sample_ratio"]
        return check.status, EN(check.detail)

    status, words = detail("even", 1010)
    assert status == "ok"
    assert "1.71 times as likely with the planned split as with another" in words
    status, words = detail("odd", 1200)
    assert status == "fail"
    assert "291 times as likely with another split as with the planned one" in words
    status, words = detail("lost", 1500)
    assert "more than a million times as likely with another split" in words
