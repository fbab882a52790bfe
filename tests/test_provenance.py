"""Who collected what, what would be lost without it, and what tools deliver."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pyarrow as pa
import pytest

from workbench import Project
from workbench.analyses import provenance, tools
from workbench.engines import has
from workbench.errors import ProjectError, WorkbenchError
from workbench.metrics.catalogue import readiness
from workbench.provenance import Origins, Tool, Tools, guess
from workbench.segments import sizes
from workbench.simulate import HOME, simulate
from workbench.tables.recipe import Recipe


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return simulate(customers=800, seed=2).tables


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, tables: dict[str, pa.Table]) -> Project:
    project = Project.create(tmp_path_factory.mktemp("origins") / "shop")
    project.commit(tables)
    project.segments["from search"] = "source == 'google' or orders >= 2"
    project.segments["mobile"] = "device == 'mobile'"
    project.effect(HOME, "conversion", by="source")
    project.effect(HOME, "conversion")
    return project


def emptied(rows: pa.Table, *columns: str) -> pa.Table:
    for name in columns:
        place = rows.column_names.index(name)
        rows = rows.set_column(place, name, pa.nulls(rows.num_rows, rows[name].type))
    return rows


@pytest.mark.requirement("D16")
@pytest.mark.parametrize(
    ("column", "party"),
    [
        ("customers.utm_source", "third"),
        ("customers.Original Source", "third"),
        ("events.campaign", "third"),
        ("customers.gclid", "third"),
        ("customers.credit_score", "third"),
        ("social.reach", "third"),
        ("surveys.score", "zero"),
        ("consents.source", "zero"),
        ("customers.onboarding_goal", "zero"),
        ("customers.Preferencias de contenido", "zero"),
        ("subscriptions.pref_frequency", "zero"),
        ("churn.reason", "zero"),
        ("sends.campaign_id", "first"),
        ("spend.campaign", "first"),
        ("customers.country", "first"),
        ("customers.lead_score", "first"),
        ("orders.revenue", "first"),
    ],
)
def test_a_first_guess(column: str, party: str) -> None:
    assert guess(*column.split(".")) == party


@pytest.mark.requirement("D16")
def test_what_was_said_is_kept_and_outweighs_the_guess(tmp_path: Path) -> None:
    said = Origins(tmp_path)
    assert said.of("customers.source") == "third"
    said["customers.source"] = "first"
    said["customers.loyalty.tier"] = "third"  # a column may have a dot in its name
    again = Origins(tmp_path)
    assert again.of("customers.source") == "first"
    assert dict(again) == {"customers.source": "first", "customers.loyalty.tier": "third"}
    del again["customers.source"]
    assert Origins(tmp_path).of("customers.source") == "third"
    with pytest.raises(ProjectError, match="no column of a standard table"):
        said["sources"] = "third"
    with pytest.raises(WorkbenchError, match="origin"):
        said["customers.source"] = "second"  # type: ignore[assignment]  # what a script may say
    (tmp_path / "provenance.toml").write_text("[customers]\nsource = 'bought'\n")
    with pytest.raises(ProjectError, match=r"provenance\.toml.*customers\.source"):
        said.of("customers.source")


@pytest.mark.requirement("D16")
@pytest.mark.parametrize(
    "columns",
    [
        {"customers.source", "customers.medium", "customers.campaign"},
        {"orders.revenue"},
        {"exposures.ts", "exposures.assignment"},
        {"customers.source", "orders.revenue", "exposures.ts"},
    ],
)
def test_metrics_lose_what_they_lose_when_the_columns_are_really_empty(
    tmp_path: Path, shop: Project, tables: dict[str, pa.Table], columns: set[str]
) -> None:
    poorer = Project.create(tmp_path / "poorer")
    poorer.commit(
        {
            name: emptied(rows, *(one.partition(".")[2] for one in columns if one.startswith(f"{name}.")))
            for name, rows in tables.items()
        }
    )
    then = {line.metric.name: line.light for line in readiness(poorer.engine)}
    hidden = provenance.Without(shop.engine, columns)
    assert {line.metric.name: line.light for line in readiness(hidden)} == then
    found = provenance.analyse(shop, columns)
    now = {line.metric.name: line.light for line in readiness(shop.engine)}
    assert {one.metric.name: one.after for one in found.metrics}.items() <= then.items()
    read = {one.metric.name for one in found.metrics}
    assert all(now[name] == light for name, light in then.items() if name not in read)
    gone = sum(now[name] != "missing" and then[name] == "missing" for name in now)
    assert found.lost_metrics == gone


@pytest.mark.requirement("D16")
def test_results_split_by_a_column_of_others_disappear_and_segments_are_counted_without_it(
    tmp_path: Path, shop: Project, tables: dict[str, pa.Table]
) -> None:
    found = provenance.analyse(shop)
    assert "customers.source" in found.columns
    lost = {one.by: one for one in found.splits}
    assert "device" not in lost
    assert "mobile" not in lost
    assert lost["source"].groups == len(set(tables["customers"]["source"].to_pylist()) - {None})
    assert [shop.records[id_].settings.by for id_ in lost["source"].kept] == ["source"]
    assert HOME in lost["source"].experiments
    poorer = Project.create(tmp_path / "poorer")
    poorer.commit({**tables, "customers": emptied(tables["customers"], "source", "medium", "campaign")})
    rule = {"from search": shop.segments["from search"]}
    end = int(max(tables["events"]["ts"].to_pylist()).timestamp()) + 10**6
    now, then = sizes(shop.engine, rule, end), sizes(poorer.engine, rule, end)
    assert lost["from search"].customers == (now["from search"][0], then["from search"][0])
    assert then["from search"][0] > 0
    assert str(len(found.splits)) in str(found.verdict)


def test_without_third_party_columns_nothing_is_lost(tmp_path: Path, tables: dict[str, pa.Table]) -> None:
    project = Project.create(tmp_path / "own")
    project.commit(
        {"orders": tables["orders"], "customers": tables["customers"].select(["customer_id", "country"])}
    )
    found = provenance.analyse(project)
    assert (found.columns, found.metrics, found.splits, found.lost_metrics) == ((), (), (), 0)
    assert "nothing would be lost" in str(found.verdict)


@pytest.mark.requirement("D19")
def test_a_tool_is_ready_when_its_own_files_filled_its_tables(tmp_path: Path, shop: Project) -> None:
    project = Project.create(tmp_path / "p")
    orders, customers = shop.store.files()["orders"][0], shop.store.files()["customers"][0]
    import pyarrow.parquet as pq

    project.commit({"orders": pq.read_table(orders)}, "shopify-orders-2026.csv")
    project.commit({"customers": pq.read_table(customers)}, "crm.csv")
    kept = Tools(project.path)
    kept["Shop"] = Tool(collects=("orders",), files=("shopify-*",), owner="Ana", limit="no margin")
    kept["Till"] = Tool(collects=("orders",), files=("till-*",))
    kept["CRM"] = Tool(collects=("customers", "consents"))
    kept["Mail"] = Tool(collects=("sends", "send_events"))
    found = {one.name: one for one in tools.analyse(project, checks=()).tools}
    assert {name: one.light for name, one in found.items()} == {
        "Shop": "ready",
        "Till": "missing",
        "CRM": "partly",
        "Mail": "missing",
    }
    assert found["Shop"].cells["lifetime_value"] == "ready"
    assert found["Till"].cells["lifetime_value"] == "missing"
    assert "lifetime_value" not in found["CRM"].cells
    assert "consents" in str(found["CRM"].notes[0])
    checked = {one.name: one for one in tools.analyse(project).tools}
    open_tables = {check.name.partition(".")[0] for check in project.checks() if check.status != "ok"}
    assert checked["Shop"].light == ("partly" if "orders" in open_tables else "ready")


@pytest.mark.requirement("D19")
def test_the_list_of_tools_is_a_file_that_people_can_write(tmp_path: Path) -> None:
    kept = Tools(tmp_path)
    kept["Shop"] = Tool(collects=("orders",), upgrade="API")
    kept["CRM"] = Tool(collects=("customers",))
    kept.rename("Shop", "Webshop", kept["Shop"].model_copy(update={"owner": "Ana"}))
    assert list(Tools(tmp_path)) == ["Webshop", "CRM"]
    assert tomllib.loads((tmp_path / "tools.toml").read_text("utf-8"))["Webshop"] == {
        "collects": ["orders"],
        "upgrade": "API",
        "owner": "Ana",
    }
    with pytest.raises(ProjectError, match="already"):
        kept.rename("Webshop", "CRM", Tool())
    with pytest.raises(ProjectError, match="no standard table"):
        kept["X"] = Tool(collects=("order",))
    (tmp_path / "tools.toml").write_text("[Shop]\ncolects = ['orders']\n")
    with pytest.raises(ProjectError, match=r"tools\.toml.*colects"):
        list(kept)


@pytest.mark.requirement("D19")
def test_tools_are_suggested_by_recipes_and_file_names(tmp_path: Path, tables: dict[str, pa.Table]) -> None:
    project = Project.create(tmp_path / "p")
    project.commit({"orders": tables["orders"]}, "shopify_export_october.csv")
    project.recipes["mails"] = Recipe(vendor="klaviyo-people", columns=("id",))
    found = tools.analyse(project, checks=()).suggested
    assert set(found) == {"Shopify", "Klaviyo"}
    assert found["Shopify"].collects == ("orders",)
    assert set(found["Klaviyo"].collects) >= {"customers"}
    assert not has(project.engine, "customers")
    kept = Tools(project.path)
    kept.update(found)
    again = tools.analyse(project, checks=())
    assert not again.suggested
    assert {one.name: one.light for one in again.tools} == {"Shopify": "ready", "Klaviyo": "missing"}
