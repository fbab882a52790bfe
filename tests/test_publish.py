"""A bundle holds what may be shown, and nothing else."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from tests.shops import binary, unit_level
from workbench import Project, WorkbenchError
from workbench.errors import ProjectError
from workbench.locale import Texts, say
from workbench.publish import bundle
from workbench.publish.disclosure import disclosed
from workbench.records import Check, EffectRecord
from workbench.records.effect import Delivery, Week


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
    assert {item.arm_n for item in shown.summary.comparisons} == {None}  # nor by arm
    assert [arm.total for arm in shown.summary.arms] == [120, 150]


@pytest.mark.requirement("G10")
def test_a_hidden_group_is_in_no_part_of_a_result_however_well_it_did(tmp_path: Path) -> None:
    """Attack: of Iceland's eighteen nobody bought in one arm and all in the other; tests, ranks and claims
    that are counted beside the table would tell so."""
    countries = ["ES"] * 503 + ["FR"] * 480 + ["Mexico"] * 41 + ["Iceland"] * 9
    shop = unit_level(
        tmp_path / "shop",
        {
            "A": binary(60, 503) + binary(60, 480) + binary(4, 41) + binary(0, 9),
            "B": binary(75, 503) + binary(70, 480) + binary(5, 41) + binary(9, 9),
        },
        assignment="random",
        attributes={"country": countries * 2},
    )
    record = shop.effect("home", by="country")
    kept = record.summary
    assert kept.ranking is not None
    assert "Iceland" in {one.segment for one in kept.ranking.segments}
    assert kept.frequentist is not None
    assert "Mexico" in {one.name for one in kept.frequentist.segments}
    assert kept.together is not None
    claimed = kept.together.model_copy(update={"better": ["ES", "Iceland"], "worse": ["Iceland"]})
    words = {
        "verdict": say(
            "It works best in “{name}”, and in {all:listing}.", name="Iceland", all=["ES", "Mexico"]
        ),
        "checks": [
            Check(name="small_segments", status="fail", detail=say("“{name}” is small.", name="Iceland")),
            Check(name="maturity", status="ok", detail=say("“{name}” was seen for long.", name="Mexico")),
        ],
    }
    for best in ("ES", "Iceland"):
        told = {"together": claimed, "ranking": kept.ranking.model_copy(update={"best_seen": best})}
        shown = disclosed(record.model_copy(update={"summary": kept.model_copy(update=told), **words}))
        assert isinstance(shown, EffectRecord)
        assert (shown.summary.ranking is None) == (best == "Iceland")
        assert [check.name for check in shown.failed] == ["small_segments"]  # which withheld, and still does
        text = shown.model_dump_json()
        assert "Iceland" not in text
        assert "Mexico" not in text  # the eighteen would be what is left over
        assert {item.segment for item in shown.summary.comparisons} == {None, "ES", "FR"}
        counts = [shown.summary.customers, *(arm.n for arm in shown.summary.arms)]
        assert [n % 10 for n in counts] == [0, 0, 0]


@pytest.mark.requirement("G10")
@pytest.mark.parametrize(
    ("reached", "told"), [(9, False), (991, False), (10, True), (990, True), (0, True), (1000, True)]
)
def test_whom_a_treatment_reached_is_not_told_where_few_were_or_were_not(
    shop: Project, reached: int, told: bool
) -> None:
    record = shop.effect("home")
    size = next(arm.n for arm in record.summary.arms if arm.arm == "B")
    share = (reached if reached < 500 else size - (1000 - reached)) / size
    summary = record.summary.model_copy(update={"delivery": Delivery(arm="B", shares={"B": share})})
    shown = disclosed(record.model_copy(update={"summary": summary}))
    assert isinstance(shown, EffectRecord)
    assert (shown.summary.delivery is not None) == told


@pytest.mark.requirement("G10")
@pytest.mark.parametrize(("newest", "told"), [(19, False), (20, True)])
def test_a_week_of_few_cannot_be_had_from_the_lines_up_to_it(shop: Project, newest: int, told: bool) -> None:
    """Attack: the effect up to a week less that up to the week before; of 19 people one arm has nine."""
    record = shop.effect("home")
    where = {
        "difference": 0.1,
        "difference_interval": (0.0, 0.2),
        "so_far": 0.1,
        "so_far_interval": (0.0, 0.2),
    }
    weeks = [Week(start=date(2026, 3, 2 + 7 * place), n=n, **where) for place, n in enumerate((204, newest))]
    shown = disclosed(
        record.model_copy(update={"summary": record.summary.model_copy(update={"weeks": weeks})})
    )
    assert isinstance(shown, EffectRecord)
    assert [week.n for week in shown.summary.weeks] == ([200, 20] if told else [])


@pytest.mark.requirement("G10")
def test_what_was_found_of_few_people_is_neither_counted_nor_are_they_named(tmp_path: Path) -> None:
    """Three customers were seen in two arms, which is counted in the project's own answer."""
    arms = {"A": binary(60, 500), "B": binary(75, 500)}
    shop = unit_level(tmp_path / "shop", arms, assignment="random", twice=("u7", "u8", "u9"))
    record = shop.effect("home", control="A")
    own = next(check for check in record.checks if check.name == "two_arms")
    assert Texts("en")(own.detail).startswith("3 customers")
    named = own.model_copy(update={"count": 3, "share": 0.003, "examples": ("u7", "u8", "u9")})
    for check in (own, named):
        shown = disclosed(record.model_copy(update={"checks": [check]}))
        (found,) = shown.checks
        assert (found.count, found.share, found.examples) == (None, None, ())
        assert Texts("en")(found.detail).startswith("fewer than 10 customers (0.0 %)")


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


@pytest.mark.parametrize(
    "slug",
    ["../records", "..", "", ".hidden", "a/b", "../published/x", "./x", "x/", "../../other/published/x"],
)
def test_an_address_cannot_leave_the_folder(shop: Project, slug: str) -> None:
    """Also where it leads to a page: of this project, or of another one beside it."""
    shop.publish([shop.effect("home")], "x")
    published = shop.path / "published"
    shutil.copytree(published, shop.path.parent / "other" / "published")
    for wanted in (
        lambda: bundle.read(published, slug),
        lambda: bundle.current(published, slug),
        lambda: bundle.folder_of(published, slug, 1),
        lambda: bundle.roll_back(shop, slug, 1),
        lambda: bundle.unpublish(shop, slug),
        lambda: bundle.unpublish(shop, slug, for_good=True),
    ):
        with pytest.raises(ProjectError, match="no published page"):
            wanted()
    assert bundle.read(published, "x")[0].version == 1
    assert (shop.path.parent / "other" / "published" / "x" / "current").is_file()


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
