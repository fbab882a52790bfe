"""What scripts are promised: one JSON object each, exit code 0, or one sentence and another code."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from workbench.cli import main

SAMPLES = Path(__file__).parents[1] / "data" / "samples"


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def answer(*words: object) -> dict[str, Any]:
    result = call(*words, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def refusal(*words: object) -> str:
    result = call(*words)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, "more than one sentence"
    return lines[0].removeprefix("Error: ")


def write(path: Path, rows: Iterable[Iterable[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    answer("create", tmp_path / "shop", "--currency", "EUR", "--timezone", "Europe/Madrid")
    return tmp_path / "shop"


@pytest.fixture
def unit_file(tmp_path: Path) -> tuple[Path, Path]:
    """120 of 1000 against 150 of 1000, under names of somebody's own, and their map."""
    rows = [["user_id", "group", "converted", "spend", "country"]]
    for arm, successes in (("A", 120), ("B", 150)):
        for i in range(1000):
            rows.append([f"{arm}{i}", arm, str(int(i < successes)), "12.5" if i < successes else "0", "ES"])
    mapping = {
        "customer_id": "user_id",
        "variant": "group",
        "outcomes": {"conversion": "converted", "revenue": "spend"},
        "attributes": ["country"],
        "experiment": "home",
    }
    (tmp_path / "map.json").write_text(json.dumps(mapping))
    return write(tmp_path / "units.csv", rows), tmp_path / "map.json"


@pytest.mark.requirement("X02", "D01")
def test_a_unit_level_file_to_the_published_answer(shop: Path, unit_file: tuple[Path, Path]) -> None:
    file, mapping = unit_file
    loaded = answer("load", shop, file, "--grain", "unit", "--map", mapping)
    assert (loaded["rows_read"], loaded["rows_kept"], loaded["rejected"]) == (2000, 2000, [])
    assert {"table", "columns", "questions"} <= loaded.keys()
    effect = answer("effect", shop, "home", "--metric", "conversion", "--assignment", "random")
    assert {"metric", "kind", "arms", "comparisons", "probability_best", "checks", "verdict", "record"} <= (
        effect.keys()
    )
    (item,) = effect["comparisons"]
    assert item["probability_better"] == pytest.approx(0.97507, abs=5e-6)
    assert item["expected_loss"] == pytest.approx(0.000144, abs=5e-7)
    assert (item["arm"], item["control"], item["segment"], item["word"]) == ("B", "A", None, "effect")
    assert "pooled" not in item
    low, high = item["difference_interval"]
    assert low < item["difference"] < high
    by = answer("effect", shop, "home", "--by", "country", "--level", "0.9")
    assert [part["segment"] for part in by["comparisons"]] == [None, "ES"]
    assert by["comparisons"][1]["pooled"]["probability_better"] > 0.9
    assert by["comparisons"][0]["word"] == "association"


@pytest.mark.requirement("X02", "D01")
@pytest.mark.parametrize("form", ["successes", "sums", "mean"])
def test_a_summary_level_file_in_each_of_its_forms(shop: Path, tmp_path: Path, form: str) -> None:
    cells = {"A": (1580, 31500), "B": (1700, 32000), "C": (1550, 31000)}
    if form == "successes":
        mapping = {"variant": "v", "n": "users", "successes": "hits"}
        rows = [["v", "users", "hits"], *([arm, n, s] for arm, (s, n) in cells.items())]
    elif form == "sums":
        mapping = {"variant": "v", "n": "users", "sum": "s", "sum_of_squares": "q"}
        rows = [["v", "users", "s", "q"], *([arm, n, s, s] for arm, (s, n) in cells.items())]
    else:
        mapping = {"variant": "v", "n": "users", "mean": "m", "variance": "var"}
        rows = [
            ["v", "users", "m", "var"],
            *([arm, n, s / n, s / n * (1 - s / n) * n / (n - 1)] for arm, (s, n) in cells.items()),
        ]
    mapping |= {"metric": "conversion", "experiment": "e"}
    (tmp_path / "map.json").write_text(json.dumps(mapping))
    loaded = answer(
        "load", shop, write(tmp_path / "s.csv", rows), "--grain", "summary", "--map", tmp_path / "map.json"
    )
    assert loaded["rows_kept"] == 3
    effect = answer("effect", shop, "e", "--assignment", "random", "--prior", "jeffreys")
    best = effect["probability_best"]
    # sums and means do not say that the values are 0 or 1: a Student-t posterior, close but not the same
    tolerance = 5e-8 if form == "successes" else 2e-3
    assert [best[arm] for arm in "ABC"] == pytest.approx([0.0411975, 0.9254342, 0.0333682], abs=tolerance)


@pytest.mark.requirement("V03")
def test_cdnow_gives_the_published_estimates(tmp_path: Path) -> None:
    """Fader, Hardie & Lee (2005), Marketing Science 24(2); Fader & Hardie (2013), note 025."""
    answer("create", tmp_path / "cd", "--currency", "USD")
    loaded = answer("load", tmp_path / "cd", SAMPLES / "cdnow" / "cdnow.csv")
    assert (loaded["table"], loaded["rows_kept"]) == ("orders", 6919)
    value = answer("value", tmp_path / "cd", "--until", "1997-09-30")
    published = {
        "r": 0.2426,
        "alpha": 4.4135,
        "a": 0.7929,
        "b": 2.4258,
        "log_likelihood": -9582.4256,
        "p": 6.2488,
        "q": 3.7446,
        "v": 15.4477,
    }
    found = value["maximum_likelihood"]
    assert {name: round(found[name], 4) for name in published} == published
    assert (value["model"], value["customers"], value["rows"]) == ("bg-nbd", 2357, 1016)
    assert value["khat"] < 0.7
    (whole,) = value["value"]
    assert whole["group"] is None
    low, high = whole["interval"]
    assert low < whole["mean"] < high
    # 39 weeks later the same customers had bought again 1,882 times; here a third of the 39 is foretold
    held = value["holdout"]
    assert held["interval"][0] <= held["actual"] <= held["interval"][1]
    assert value["differences"] == []


@pytest.mark.requirement("U05")
def test_publish_prints_where_the_page_is(shop: Path, unit_file: tuple[Path, Path]) -> None:
    file, mapping = unit_file
    answer("load", shop, file, "--map", mapping)
    record = answer("effect", shop, "home", "--metric", "revenue")["record"]
    made = answer("publish", shop, record, "--title", "Home page")
    assert made["slug"] == "home-page"
    assert sorted(made["files"]) == sorted([f"{record}.json", "index.html", "manifest.json", "seal"])
    assert Path(made["path"]).is_dir()


@pytest.mark.requirement("S01")
def test_segments_can_be_saved_and_used(shop: Path) -> None:
    for name in ("customers", "orders", "exposures"):
        answer("load", shop, SAMPLES / "shop" / f"{name}.csv")
    made = answer("segment", shop, "loyal", "orders_12m >= 2 and country == 'ES'")
    assert 0 < made["customers"] < made["of"] == 6000
    effect = answer("effect", shop, "personalised-home", "--by", "loyal")
    assert {part["segment"] for part in effect["comparisons"]} == {None, "loyal", "(rest)"}
    assert "names “contry”" in refusal("segment", shop, "x", "contry == 'ES'")


@pytest.mark.requirement("V04", "I02")
def test_value_by_the_arms_of_an_experiment(shop: Path) -> None:
    for name in ("customers", "orders", "exposures"):
        answer("load", shop, SAMPLES / "shop" / f"{name}.csv")
    value = answer("value", shop, "--by", "personalised-home", "--margin", "0.4")
    assert [group["group"] for group in value["value"]] == ["personalised", "generic"]
    (item,) = value["differences"]
    assert item["groups"] == ["personalised", "generic"]
    assert item["word"] == "effect"
    means = {group["group"]: group["mean"] for group in value["value"]}
    assert item["mean"] == pytest.approx(means["personalised"] - means["generic"])
    # too few of the other's customers came back: their mean spend is not finite in some draws
    said = refusal("value", shop, "--by", "personalised-offers")
    assert "The result is withheld: mean spend is not finite" in said
    by_device = answer("value", shop, "--by", "device")
    assert {item["word"] for item in by_device["differences"]} == {"association"}
    assert "association, not an effect" in by_device["verdict"]


@pytest.mark.requirement("T1", "X02")
def test_what_was_not_random_is_an_association(shop: Path) -> None:
    for name in ("customers", "events", "orders", "exposures"):
        answer("load", shop, SAMPLES / "shop" / f"{name}.csv")
    words = (
        "--metric",
        "revenue",
        "--covariate",
        "country",
        "--covariate",
        "tenure",
        "--landmark",
        "2025-12-01",
    )
    said = answer("not-random", shop, "personalised-offers", *words)
    assert (said["word"], said["answer"]["word"]) == ("association", "association")
    assert said["covariates"] == ["country", "tenure"]
    assert said["period"]["landmark"] == "2025-12-01"
    assert {"overlap", "balance", "ladder", "sensitivity", "checks", "verdict", "record"} <= said.keys()
    assert "probability_better" not in json.dumps(said)
    assert "association, not an effect" in call("not-random", shop, "personalised-offers").output
    assert answer("publish", shop, said["record"], "--title", "Offers")["slug"] == "offers"
    assert "no event “flight”" in refusal("not-random", shop, "flight", "--treatment", "event")
    assert call("not-random", shop, "x", "--landmark", "soon").exit_code == 2


@pytest.mark.requirement("D01")
def test_bad_files_are_one_sentence(shop: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert "empty.csv" in refusal("load", shop, empty)
    header = write(tmp_path / "header.csv", [["customer_id", "ts", "revenue"]])
    assert "header.csv" in refusal("load", shop, header)
    assert "nowhere.csv" in refusal("load", shop, tmp_path / "nowhere.csv")
    (tmp_path / "map.json").write_text('{"customer_id": "uid", "ts": "when", "revenue": "total"}')
    file = write(tmp_path / "orders.csv", [["uid", "when", "price"], ["a", "2026-01-01", "3"]])
    said = refusal("load", shop, file, "--table", "orders", "--map", tmp_path / "map.json")
    assert "total" in said
    assert "price" in said
    (tmp_path / "bad.json").write_text("{")
    assert "is not JSON" in refusal("load", shop, file, "--map", tmp_path / "bad.json")


@pytest.mark.requirement("D01")
def test_a_text_in_a_number_column_is_named_by_line_and_column(shop: Path, tmp_path: Path) -> None:
    rows = [["order_id", "customer_id", "ts", "revenue"]]
    rows += [[f"o{i}", f"c{i}", f"2026-01-{i:02d} 10:00:00", "12.5"] for i in range(1, 20)]
    rows[7][3] = "twelve"
    loaded = answer("load", shop, write(tmp_path / "orders.csv", rows))
    assert (loaded["rows_read"], loaded["rows_kept"]) == (19, 18)
    (bad,) = loaded["rejected"]
    assert (bad["line"], bad["column"]) == (8, "revenue")
    assert "twelve" in bad["text"]


def test_two_variants_for_one_customer_are_counted(shop: Path, tmp_path: Path) -> None:
    rows = [["user_id", "variant", "converted"]]
    rows += [[f"u{i}", "A" if i % 2 else "B", str(int(i % 5 == 0))] for i in range(1000)]
    rows += [["u0", "A", "1"], ["u1", "B", "0"]]
    answer("load", shop, write(tmp_path / "twice.csv", rows), "--grain", "unit", "--experiment", "e")
    effect = answer("effect", shop, "e", "--metric", "conversion")
    assert sum(arm["n"] for arm in effect["arms"]) == 998
    check = next(check for check in effect["checks"] if check["name"] == "two_arms")
    assert check["detail"].startswith("2 customers (0.2 %)")


def test_wrong_words_on_the_command_line_are_one_sentence(shop: Path, tmp_path: Path) -> None:
    assert "is not a project" in refusal("effect", tmp_path, "home")
    assert "no experiment “home”" in refusal("effect", shop, "home")
    assert "no orders yet" in refusal("value", shop)
    assert "no record nothing" in refusal("publish", shop, "nothing", "--title", "x").lower()
    assert "a project in" in refusal("create", shop)
    assert call("effect", shop).exit_code == 2


@pytest.mark.requirement("U05", "V04", "S01", "D25")
def test_the_demo_does_the_main_job(tmp_path: Path) -> None:
    done = answer("demo", tmp_path / "demo")
    assert "converts better" in done["verdicts"]["conversion"]
    assert "association, not an effect" in done["verdicts"]["self_selected"]
    assert {group["group"] for group in done["value"]} == {"personalised", "generic"}
    assert (tmp_path / "demo" / "published" / done["published"][0] / "current").is_file()
    assert "There is a project in" in refusal("demo", tmp_path / "demo")
    assert call("demo", tmp_path / "demo", "--replace", "--language", "es").exit_code == 0


def test_the_demo_never_removes_a_project_of_yours(shop: Path) -> None:
    assert "is a project of yours" in refusal("demo", shop, "--replace")
    assert (shop / "project.toml").is_file()
