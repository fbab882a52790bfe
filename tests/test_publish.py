"""A bundle holds what may be shown, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.shops import binary, unit_level
from workbench import Project, WorkbenchError
from workbench.errors import ProjectError
from workbench.publish import bundle
from workbench.records import EffectRecord


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """Segments of 1000, 960, 24 and 6 customers."""
    countries = ["ES"] * 500 + ["FR"] * 480 + ["MX"] * 12 + ["IS"] * 3
    return unit_level(
        tmp_path / "shop",
        {
            "A": binary(60, 500) + binary(60, 480) + binary(4, 12) + binary(1, 3),
            "B": binary(75, 500) + binary(70, 480) + binary(4, 12) + binary(1, 3),
        },
        assignment="random",
        attributes={"country": countries * 2, "email": [f"person{i}@example.org" for i in range(1990)]},
    )


@pytest.mark.requirement("U05", "G10")
def test_a_bundle_holds_no_customer_and_no_rule(shop: Project) -> None:
    shop.segments["people"] = "email == 'person1@example.org' or country == 'ES'"
    records = [shop.effect("home", by="country"), shop.effect("home", by="people")]
    made = shop.publish(records, "Does it work?")
    assert (made.slug, made.path) == (
        "does-it-work",
        shop.path / "published" / "does-it-work" / "versions" / "1",
    )
    assert made.files == sorted(file.name for file in made.path.iterdir())
    text = "".join(file.read_text() for file in made.path.iterdir())
    for number in range(1990):
        assert f'"u{number}"' not in text
    assert "@example.org" not in text


@pytest.mark.requirement("G10")
def test_small_groups_are_hidden_and_cannot_be_found_by_subtraction(shop: Project) -> None:
    record = shop.effect("home", by="country")
    assert {item.segment for item in record.summary.comparisons} == {None, "ES", "FR", "MX", "IS"}
    page, (shown,) = bundle.read(shop.path / "published", shop.publish([record], "x").slug)
    assert isinstance(shown, EffectRecord)
    assert {item.segment for item in shown.summary.comparisons} == {None, "ES", "FR"}
    assert any("2 groups are not shown" in str(check.detail) for check in shown.checks)
    assert shown.id == record.id == page.records[0]


@pytest.mark.requirement("G10")
def test_published_counts_are_rounded_to_tens(shop: Project) -> None:
    (shown,) = bundle.read(shop.path / "published", shop.publish([shop.effect("home")], "x").slug)[1]
    assert isinstance(shown, EffectRecord)
    counts = [arm.n for arm in shown.summary.arms] + [item.n for item in shown.summary.comparisons]
    assert counts == [1000, 1000, 1990]
    assert [arm.total for arm in shown.summary.arms] == [120, 150]


def test_the_same_title_takes_the_place_of_the_old_page(shop: Project) -> None:
    first, second = shop.effect("home"), shop.effect("home", level=0.9)
    shop.publish([first], "¿Funciona la página?")
    shop.publish([second], "¿Funciona la página?")
    (page,) = bundle.pages(shop.path / "published")
    assert (page.slug, page.records, page.version) == ("funciona-la-pagina", [second.id], 2)
    assert {file.name for file in (shop.path / "published").iterdir()} == {"funciona-la-pagina"}


def test_a_page_can_be_taken_away(shop: Project) -> None:
    slug = shop.publish([shop.effect("home")], "Short lived").slug
    bundle.unpublish(shop, slug)
    assert bundle.pages(shop.path / "published") == []
    with pytest.raises(ProjectError, match="no published page “short-lived”"):
        bundle.unpublish(shop, slug)


@pytest.mark.parametrize("slug", ["../records", "..", "", ".hidden", "a/b"])
def test_an_address_cannot_leave_the_folder(shop: Project, slug: str) -> None:
    with pytest.raises(ProjectError, match="no published page"):
        bundle.read(shop.path / "published", slug)


def test_what_cannot_be_published_says_why(shop: Project) -> None:
    with pytest.raises(WorkbenchError, match="nothing to publish"):
        shop.publish([], "x")
    with pytest.raises(WorkbenchError, match="needs a title"):
        shop.publish([shop.effect("home")], "  ")
    slug = shop.publish([shop.effect("home")], "x").slug
    next((shop.path / "published" / slug / "versions" / "1").glob("[0-9a-f]*.json")).write_text("{}")
    with pytest.raises(ProjectError, match="is not what was published"):
        bundle.read(shop.path / "published", slug)
    with pytest.raises(ProjectError, match="There is no record abc in this project"):
        shop.records["abc"]


@pytest.mark.requirement("D06")
def test_what_is_sensitive_about_people_is_not_shown_unless_somebody_says_so(shop: Project) -> None:
    """Neither as a column nor hidden in the rule of a segment."""
    people = shop.engine.query("SELECT * FROM customers")
    ages = [20 + 10 * (place % 5) for place in range(people.num_rows)]
    shop.commit({"customers": people.append_column("edad", pa.array(ages))})
    shop.segments["older"] = "edad >= 40"
    for by in ("edad", "older", "segments"):
        record = shop.effect("home", by=by)
        with pytest.raises(WorkbenchError, match="is split by “edad”, which is sensitive"):
            shop.publish([record], "By age")
        assert shop.publish([record], "By age", sensitive_too=True).files
    assert shop.publish([shop.effect("home", by="country")], "By country").files
