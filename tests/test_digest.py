"""The digest: then and now are what the records say, chance is judged as what it is, and nobody is named."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import sleep

import pandas as pd
import pyarrow as pa
import pytest
from click.testing import CliRunner

from tests import sample_shop
from tests.sample_shop import EXPERIMENT
from tests.shops import binary, unit_level
from tests.test_still import HOSTILE, Reader, deciphered, plain
from tests.trust_shop import living
from workbench import Project, report
from workbench.cli import main
from workbench.decisions import main_comparison
from workbench.demo import samples_folder
from workbench.errors import ProjectError
from workbench.locale import LANGUAGES, Texts
from workbench.protocol import Protocol
from workbench.publish import bundle, digest
from workbench.publish.digest import Answer
from workbench.publish.digest_sheet import digest_document, verdict
from workbench.publish.links import Links
from workbench.records import EffectRecord, EffectSettings
from workbench.tables.privacy.access import user

T = Texts("en")
Successes = dict[str, tuple[int, int]]
EARLY: Successes = {"A": (60, 500), "B": (72, 500)}
LATE: Successes = {"A": (600, 5000), "B": (720, 5000)}


def fill(project: Project, arms: Successes, metric: str = "conversion", sex: bool = False) -> None:
    """One experiment, `home`: of each arm's customers so many succeeded."""
    people = [(f"{arm}{i}", arm, float(i < k)) for arm, (k, n) in arms.items() for i in range(n)]
    ids = [name for name, _, _ in people]
    none = pa.array([None] * len(ids), pa.timestamp("us"))
    customers = {"customer_id": ids, **({"sex": ["f", "m"] * (len(ids) // 2)} if sex else {})}
    project.commit(
        {
            "customers": pa.table(customers),
            "exposures": pa.table(
                {
                    "customer_id": ids,
                    "experience_id": ["home"] * len(ids),
                    "variant": [arm for _, arm, _ in people],
                    "ts": none,
                    "assignment": ["random"] * len(ids),
                }
            ),
            "outcomes": pa.table(
                {
                    "customer_id": [*ids, *ids],
                    "experience_id": ["home"] * (2 * len(ids)),
                    "name": [metric] * len(ids) + ["click"] * len(ids),
                    "value": [value for _, _, value in people] * 2,
                }
            ),
        }
    )


def now() -> datetime:
    sleep(0.02)  # files know when they were written to about a hundredth of a second
    return datetime.now(UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    project = Project.create(tmp_path / "shop", name="Shop", timezone="Europe/Madrid")
    fill(project, EARLY)
    return project


def moved(project: Project, arms: Successes) -> tuple[EffectRecord, datetime, EffectRecord]:
    """The answer before more customers came in, the moment in between, and the answer after."""
    before = project.effect("home")
    since = now()
    fill(project, arms)
    return before, since, project.effect("home")


@pytest.mark.requirement("U03")
def test_then_and_now_are_what_the_two_records_say_in_both_languages(shop: Project) -> None:
    before, since, after = moved(shop, LATE)
    found = digest.digest(shop, since)
    (one,) = found.answers
    assert isinstance(one.then, EffectRecord)
    assert isinstance(one.now, EffectRecord)
    for shown, kept in ((one.then, before), (one.now, after)):
        was, is_now = main_comparison(shown.summary), main_comparison(kept.summary)
        assert (was.difference, was.difference_interval) == (is_now.difference, is_now.difference_interval)
    assert found.rows == {
        "customers": (1000, 10_000),
        "exposures": (1000, 10_000),
        "outcomes": (2000, 20_000),
    }
    said = plain("".join(Reader(digest_document(shop, found)).text))
    for language in LANGUAGES:
        t = Texts(language)
        for record in (before, after):
            assert plain(t(record.verdict)) in said
            figure = report.figures(record, t)[0]
            assert plain(figure.value) in said
            assert plain(figure.detail) in said


@pytest.mark.requirement("U03")
def test_a_decision_that_changed_is_told_first_even_if_it_was_asked_before_others(shop: Project) -> None:
    shop.effect("home", "click", level=0.9999)
    before, since, after = moved(shop, LATE)
    assert (before.outcome, after.outcome) == ("keep_measuring", "adopt")
    later = shop.effect("home", "click", level=0.9999)
    assert later.created > after.created
    found = digest.digest(shop, since)
    assert [one.flipped for one in found.answers] == [True, False]
    assert found.answers[0].now is not None
    assert found.answers[0].now.id == after.id
    assert T(verdict(shop, found)).split(": ")[1].startswith("one decision changed, one answer moved")


@pytest.mark.requirement("U03")
def test_nothing_happened(shop: Project) -> None:
    shop.effect("home")
    digest.digest(shop)
    since = now()
    found = digest.digest(shop, since)
    assert found.empty
    day = since.astimezone(digest.local(shop, since).tzinfo).date()
    assert T(verdict(shop, found)) == f"Nothing has moved since {T.date(day)}."
    assert T(verdict(shop, found)) in "".join(Reader(digest_document(shop, found)).text)
    assert shop.effect("home").created < since  # the same answer again is the old one
    assert digest.digest(shop, since).empty


@pytest.mark.requirement("U03")
@pytest.mark.parametrize(
    ("late", "said"),
    [
        ({"A": (600, 5000), "B": (720, 5000)}, "No more than chance"),  # the same shares
        (
            {"A": (130, 1000), "B": (130, 1000)},
            "No more than chance",
        ),  # two standard errors below, of newcomers
        ({"A": (600, 5000), "B": (1500, 5000)}, "More than chance"),  # newcomers convert two and a half times
        (EARLY | {"A": (50, 480)}, "no longer counted"),
        (EARLY | {"B": (90, 500)}, "No customer came in"),
    ],
)
def test_a_move_is_held_against_what_newcomers_can_bring_about(
    shop: Project, late: Successes, said: str
) -> None:
    _, since, _ = moved(shop, late)
    (one,) = digest.digest(shop, since).answers
    assert said in T(one.explained or "")


@pytest.mark.requirement("U03", "G10")
def test_what_would_give_few_people_away_is_not_told(shop: Project) -> None:
    """Three more customers: then and now together would say what they did."""
    before, since, after = moved(shop, {"A": (60, 500), "B": (74, 503)})
    found = digest.digest(shop, since)
    (one,) = found.answers
    assert (one.then, one.now) == (None, None)
    assert "give fewer than 10 people away" in T(one.hidden or "")
    said = plain("".join(Reader(digest_document(shop, found)).text))
    for record in (before, after):
        assert plain(T(record.verdict)) not in said
        assert plain(report.figures(record, T)[0].detail) not in said


@pytest.mark.requirement("U03", "G10")
def test_what_this_digest_and_a_former_one_would_give_away_is_not_told(shop: Project) -> None:
    """A digest told of 1,000 people; the answer about 1,003 was not told, and is not told as that of then."""
    shop.effect("home")
    digest.remember(shop, digest.digest(shop))
    fill(shop, {"A": (60, 500), "B": (74, 503)})
    shop.effect("home")
    since = now()
    fill(shop, LATE)
    shop.effect("home")
    (one,) = digest.digest(shop, since).answers
    assert (one.then, one.now) == (None, None)


@pytest.mark.requirement("U03", "G10")
def test_a_group_of_few_is_in_no_answer_of_a_digest(tmp_path: Path) -> None:
    """Nine people of each arm live in Iceland, and no answer tells of them."""

    def counted(folder: str, spain: int) -> Project:
        arms = {
            arm: binary(spain // part, spain) + binary(60, 480) + binary(40, 300) + binary(won, 9)
            for arm, part, won in (("A", 8, 0), ("B", 7, 9))
        }
        countries = ["ES"] * spain + ["FR"] * 480 + ["MX"] * 300 + ["Iceland"] * 9
        return unit_level(tmp_path / folder, arms, assignment="random", attributes={"country": countries * 2})

    project, later = counted("shop", 503), counted("later", 1503)
    project.effect("home", by="country")
    since = now()
    tables = ("customers", "exposures", "outcomes")
    project.commit({name: later.engine.query(f"SELECT * FROM {name}") for name in tables})
    assert "Iceland" in project.effect("home", by="country").model_dump_json()
    (again,) = digest.digest(project, since).answers
    (first,) = digest.digest(project, datetime(2026, 1, 1, tzinfo=UTC)).first
    for shown in (again.then, again.now, first.now):
        assert isinstance(shown, EffectRecord)
        assert "Iceland" not in shown.model_dump_json()
        assert shown.summary.customers % 10 == 0


def test_what_is_split_by_something_sensitive_is_not_told(shop: Project) -> None:
    fill(shop, EARLY, sex=True)
    since = now()
    record = shop.effect("home", by="sex")
    (one,) = digest.digest(shop, since).first
    assert "“sex”, which is sensitive" in T(one.hidden or "")
    assert T(record.verdict) not in html.unescape(digest_document(shop, digest.digest(shop, since)))


def test_a_question_that_is_asked_otherwise_is_no_decision_that_changed(shop: Project) -> None:
    shop.effect("home")
    since = now()
    fill(shop, LATE)
    shop.effect("home", level=0.8)
    (one,) = digest.digest(shop, since).answers
    assert (one.flipped, one.explained) == (False, None)
    assert [T(name) for name in one.otherwise] == ["Level of the intervals"]


def test_it_begins_where_the_last_one_of_another_day_ended(shop: Project) -> None:
    assert digest.last(shop) is None
    shop.effect("home")
    found = digest.digest(shop)
    assert [len(found.first), found.since] == [1, None]
    digest.remember(shop, found)
    assert digest.last(shop) is None  # the same day: as a page, and as PDF
    yesterday = datetime.now(UTC) - timedelta(days=1)
    made = json.loads((shop.path / digest.FILE).read_text("utf-8"))
    at = {"at": yesterday.isoformat()}
    (shop.path / digest.FILE).write_text(json.dumps([made[0] | at, *made]), encoding="utf-8")
    assert digest.digest(shop).since == yesterday
    (shop.path / digest.FILE).write_text(json.dumps([made[0] | at | {"aside": True}]), encoding="utf-8")
    assert digest.digest(shop).since is None
    (shop.path / digest.FILE).write_text("{", encoding="utf-8")
    with pytest.raises(ProjectError, match="what the last digest told"):
        digest.digest(shop)


def test_a_day_begins_when_it_begins_where_the_shop_is(shop: Project) -> None:
    assert digest.moment(shop, date(2026, 11, 1)) == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert digest.moment(shop, datetime(2026, 7, 1, 12)) == datetime(2026, 7, 1, 10, tzinfo=UTC)


@pytest.mark.requirement("U03")
def test_pages_links_and_plans_are_told_of_from_that_moment_on(shop: Project) -> None:
    record = shop.effect("home")
    shop.publish([record], "Old page")
    since = now()
    page = shop.publish([record], HOSTILE[0])
    Links(shop.path).renew(page.slug)
    Links(shop.path).revoke(page.slug)
    bundle.unpublish(shop, page.slug)
    planned = EffectSettings(experiment="home", metric="click", planned_split={"A": 0.5, "B": 0.5})
    shop.protocols.save(Protocol(analysis=planned))
    shop.protocols.lock("home")
    shop.effect("home", "conversion")
    found = digest.digest(shop, since)
    said = [T(one.text) for one in found.news]
    assert said == [
        "The plan of the experiment “home” was locked.",
        f"“{HOSTILE[0]}” was taken down.",
        f"The link of “{HOSTILE[0]}” was taken back; nobody is let in.",
        f"“{HOSTILE[0]}” has a new link; the one before no longer opens it.",
        f"“{HOSTILE[0]}” was published.",
    ]
    assert "Metric: planned was click, asked was conversion." in [T(one) for _, one in found.departures]
    page_text = digest_document(shop, found)
    read = Reader(page_text)
    assert HOSTILE[0] in "".join(read.text)
    assert sum(tag == "script" for tag, _ in read.elements) == 4
    assert user() not in "".join(Reader(unstyled(page_text)).text)


def test_names_that_look_like_something_else_stay_text(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop", name=HOSTILE[1])
    arms = {HOSTILE[0]: EARLY["A"], HOSTILE[1]: EARLY["B"]}
    fill(project, arms, metric=HOSTILE[4])
    project.effect("home", HOSTILE[4])
    since = now()
    fill(project, {HOSTILE[0]: LATE["A"], HOSTILE[1]: LATE["B"]}, metric=HOSTILE[4])
    project.effect("home", HOSTILE[4])
    read = Reader(digest_document(project, digest.digest(project, since)))
    assert {tag for tag, _ in read.elements if tag in ("img", "b", "iframe")} == set()
    assert sum(tag == "script" for tag, _ in read.elements) == 4
    said = plain("".join(read.text))
    for name in (HOSTILE[0], HOSTILE[1], HOSTILE[4]):
        assert plain(name) in said


# --- the sample shop ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, datetime]:
    """The sample shop, a moment, and thirty further orders within a minute of others; not to be changed."""
    project = sample_shop.make(tmp_path_factory.mktemp("busy") / "shop")
    digest.digest(project)
    since = now()
    rows = pd.read_csv(samples_folder() / "shop" / "orders.csv").tail(30)
    rows["order_id"] = [f"later-{place}" for place in range(30)]
    file = project.path.parent / "later.csv"
    rows.to_csv(file, index=False)
    project.load(file)
    project.lifetime_value(by=EXPERIMENT)
    return project, since


@pytest.mark.requirement("U03")
def test_rows_files_and_checks_that_came_to_fail_are_told(busy: tuple[Project, datetime]) -> None:
    project, since = busy
    found = digest.digest(project, since)
    assert found.rows is not None
    then, after = found.rows["orders"]
    assert then is not None
    assert (after - then, found.rows["customers"][0]) == (30, found.rows["customers"][1])
    assert [one.name for one in found.failing] == ["orders.again"]
    assert [T(one.text) for one in found.news] == ["Loaded: later.csv."]
    assert digest.digest(project, now()).empty
    assert [T(asked) for asked in found.waiting] == [
        "revenue in “personalised-offers”",
        "conversion in “personalised-home”, by device",
    ]


@pytest.mark.requirement("U03")
def test_a_check_that_recovered_is_told(busy: tuple[Project, datetime], tmp_path: Path) -> None:
    project = sample_shop.copy(busy[0], tmp_path / "own")
    digest.digest(project)
    since = now()
    kept = project.frame("SELECT * FROM orders WHERE order_id NOT LIKE 'later-%'")
    project.commit({"orders": pa.Table.from_pandas(kept, preserve_index=False)})
    found = digest.digest(project, since)
    assert [one.name for one in found.recovered] == ["orders.again"]
    assert found.failing == ()
    assert found.rows is not None
    assert found.rows["orders"] == (len(kept) + 30, len(kept))


@pytest.mark.requirement("U03", "G10")
def test_no_customer_and_nobody_of_the_access_log_is_in_the_file(busy: tuple[Project, datetime]) -> None:
    project, _ = busy
    project.people.export(
        str(pd.read_csv(samples_folder() / "shop" / "orders.csv").customer_id[0]), project.path.parent / "x"
    )
    for since in (None, busy[1]):
        found = digest.digest(project, since)
        told = deciphered(digest_document(project, found))
        people = {
            str(row["customer_id"])
            for row in project.engine.query("SELECT customer_id FROM customers").to_pylist()
        }
        assert len(people) > 1000
        assert not people & set(re.findall(r"-?\d+", told))
        assert not re.search(r"\bc\d{6}\b", told)
        assert user() not in "".join(Reader(unstyled(told)).text)
        assert str(project.path) not in told
        assert "export" not in " ".join(T(one.text) for one in found.news)


@pytest.mark.requirement("U03")
def test_an_alarm_that_sounds_and_one_that_was_muted_are_told(tmp_path: Path) -> None:
    """People leave three times as fast from day 75 on."""
    project = living(tmp_path / "shop", days=90, people=2_000, leaving=0.02, rise=(75, 3.0))
    first = digest.digest(project)
    assert "trust.change" in [one.name for one in first.failing]
    since = now()
    project.alarms.mute("trust.change", "the list was cleaned", project.alarms.today, who="Somebody")
    found = digest.digest(project, since)
    assert (found.failing, found.recovered) == ((), ())
    (told,) = found.news
    assert T(told.text).endswith("People leave faster than before. the list was cleaned")
    assert "Somebody" not in digest_document(project, found)


def unstyled(page: str) -> str:
    return re.sub(r"<style.*?</style>", "", page, flags=re.DOTALL)


def test_rows_of_any_moment_are_known_as_far_as_they_were_noted(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop")
    before = now()
    fill(project, EARLY)
    between = now()
    fill(project, LATE)
    rows = [project.store.rows_at(at) for at in (before, between, now())]
    assert [one and one.get("customers") for one in rows] == [{}, 1000, 10_000]
    (project.path / "rows.jsonl").unlink()
    assert Project.open(project.path).store.rows_at(between) is None
    assert Project.open(project.path).store.rows_at(now()) == rows[2]


@pytest.mark.requirement("U03")
def test_the_command_writes_the_page_and_remembers_but_for_a_question_aside(
    shop: Project, tmp_path: Path
) -> None:
    shop.effect("home")
    out = tmp_path / "digest.html"
    aside = CliRunner().invoke(
        main, ["digest", str(shop.path), "--since", "2020-01-01", "--out", str(out), "--json"]
    )
    assert aside.exit_code == 0, aside.output
    told = json.loads(aside.output)
    assert told["first"][0]["now"]["verdict"] in html.unescape(out.read_text("utf-8")).replace("\xa0", " ")
    assert digest.last(shop) is None
    done = CliRunner().invoke(main, ["digest", str(shop.path), "--out", str(out), "--language", "es"])
    assert done.exit_code == 0, done.output
    assert '<html lang="es"' in out.read_text("utf-8")
    made = json.loads((shop.path / digest.FILE).read_text("utf-8"))
    assert [one["aside"] for one in made] == [True, False]


def test_an_answer_is_told_once(shop: Project) -> None:
    """Asked three times since, of growing data: the last is what is said now."""
    first = shop.effect("home")
    since = now()
    for factor in (3, 5, 10):
        fill(shop, {arm: (k * factor, n * factor) for arm, (k, n) in EARLY.items()})
        newest = shop.effect("home")
    found = digest.digest(shop, since)
    assert [ids(one) for one in found.answers] == [(first.id, newest.id)]


def ids(one: Answer) -> tuple[str, str]:
    assert one.then is not None
    assert one.now is not None
    return one.then.id, one.now.id
