"""Commands about data: what scripts and schedulers can do with files, checks and people."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_cli import SAMPLES, answer, call, refusal


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    answer("create", tmp_path / "shop", "--timezone", "Europe/Madrid")
    answer("load", tmp_path / "shop", SAMPLES / "shop")
    return tmp_path / "shop"


@pytest.mark.requirement("D17", "D19")
def test_a_folder_is_loaded_checked_and_what_it_allows_is_told(shop: Path) -> None:
    found = answer("check", shop)
    assert {check["status"] for check in found["checks"]} == {"ok"}
    status = {metric["name"]: metric["status"] for metric in found["metrics"]}
    assert status["effect.conversion"] == "ready"
    assert status["effect.summaries"] == "missing"
    assert "What can be computed:" in call("check", shop).output


@pytest.mark.requirement("D16")
def test_what_would_be_lost_without_a_column_is_told(shop: Path) -> None:
    text = call("check", shop, "--without", "orders.revenue").output
    assert "Lifetime value of a customer: possible now, not possible without orders.revenue." in text
    assert call("check", shop, "--without", "orders.channel").output.strip().startswith("No metric reads")


@pytest.mark.requirement("D01", "Y11")
def test_a_recipe_is_kept_listed_and_used(shop: Path, tmp_path: Path) -> None:
    text = "n;quien;cuando;cuanto\n{0};zoe;03/04/2026;1.034,5\n"
    (tmp_path / "map.json").write_text(
        '{"order_id": "n", "customer_id": "quien", "ts": "cuando", "revenue": "cuanto"}'
    )
    one, two = tmp_path / "uno.csv", tmp_path / "dos.csv"
    one.write_text(text.format("X1"))
    two.write_text(text.format("X2"))
    told = ("--map", tmp_path / "map.json", "--date-order", "month-first", "--decimal", ",")
    answer("load", shop, one, *told, "--save-recipe", "pedidos")
    assert list(answer("recipes", shop)) == ["pedidos"]
    assert answer("load", shop, two)["added"] == {"orders": 1}
    shared = shop / "recipes" / "pedidos.json"
    assert answer("load", shop, two, "--recipe", shared)["added"] == {"orders": 0}
    assert "There is no recipe “none”" in refusal("load", shop, two, "--recipe", "none")
    assert "There is no export “none”" in refusal("load", shop, two, "--vendor", "none")


@pytest.mark.requirement("G04")
def test_a_person_is_handed_over_and_erased(shop: Path, tmp_path: Path) -> None:
    person = (SAMPLES / "shop" / "orders.csv").read_text().splitlines()[1].split(",")[1]
    handed = answer("export", shop, person, tmp_path / "person")["rows"]
    assert {"customers", "orders"} <= set(handed)
    assert answer("erase", shop, person, "--yes")["rows"] == handed
    assert "Nothing is known of that person" in refusal("export", shop, person, tmp_path / "again")
    assert [entry["action"] for entry in answer("log", shop)["entries"]] == ["load", "export", "erase"]


def test_erasing_asks_first(shop: Path) -> None:
    assert call("erase", shop, "c000001").exit_code == 1
    assert answer("log", shop)["entries"][-1]["action"] == "load"


@pytest.mark.requirement("G04")
def test_what_is_old_is_removed(shop: Path) -> None:
    assert "No row is older than it may be." in call("remove-old", shop).output
    (shop / "processing.toml").write_text(
        '[events]\npurpose = "measuring the site"\nlegal_basis = "consent"\nretention_days = 1\n'
    )
    assert answer("remove-old", shop)["rows"] == {"events": 42391}
