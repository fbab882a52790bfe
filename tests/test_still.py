"""The still page is whole, says what the live page says, and gives away nothing."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests import sample_shop
from tests.shops import binary, unit_level
from workbench import Project, report
from workbench.locale import LANGUAGES, Texts
from workbench.publish import bundle

HOSTILE = (
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=alert(1)>",
    "=HYPERLINK('http://evil.example')",
    "**bold** [link](javascript:alert(1))",
    "{{7*7}} datum['x'] ' \" `",
)


class Reader(HTMLParser):
    """What a browser makes of a page: its elements with what stands in them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self._script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._script = tag == "script"
        if self._script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts[-1] += data
        else:
            self.text.append(data)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop, whose people have pseudonyms, with a page of all its results."""
    project = sample_shop.make(tmp_path_factory.mktemp("still") / "shop")
    project.effect(sample_shop.EXPERIMENT, by="loyal")
    project.not_random(sample_shop.OFFERS)
    project.publish(list(project.records.values()), "Home", audience="Marketing")
    return project


@pytest.fixture(scope="module")
def page(shop: Project) -> str:
    return still(shop, "home")


def still(project: Project, slug: str) -> str:
    folder = bundle.checked(project.path / "published", slug)
    return (folder / "index.html").read_text("utf-8")


@pytest.mark.requirement("G10", "U05")
def test_no_customer_and_no_rule_is_in_any_file_however_it_is_written(shop: Project) -> None:
    """Raw, behind HTML's and JSON's escapes, and inside the packed downloads."""
    folder = bundle.checked(shop.path / "published", "home")
    told = "".join(deciphered(file.read_text("utf-8")) for file in sorted(folder.rglob("*")))
    people = {
        str(row["customer_id"]) for row in shop.engine.query("SELECT customer_id FROM customers").to_pylist()
    }
    assert len(people) > 1000
    assert sum(len(person) > 15 for person in people) > 0.9 * len(people)  # pseudonyms
    assert not people & set(re.findall(r"-?\d+", told))
    assert not {f"{int(person) & (2**64 - 1):x}" for person in people} & set(
        re.findall("[0-9a-f]{9,16}", told)
    )
    assert not re.search(r"\bc\d{6}\b", told)  # what they are called in the files
    for rule in dict(shop.segments).values():
        assert rule not in told
    assert "orders_12m" not in told
    assert str(shop.path) not in told
    assert shop.settings.id not in told
    assert shop.people.key().hex() not in told


def deciphered(text: str) -> str:
    packed = re.findall(r"base64,([A-Za-z0-9+/=]+)", text)
    opened = [base64.b64decode(one).decode("utf-8") for one in packed]
    parsed = [json.dumps(json.loads(one), ensure_ascii=False) for one in jsons(text)]
    return "\n".join([text, html.unescape(text), *opened, *parsed])


def jsons(text: str) -> list[str]:
    if text.startswith("{"):
        return [text]
    return re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)


@pytest.mark.requirement("U05", "U06")
def test_it_says_in_both_languages_what_the_records_say(shop: Project, page: str) -> None:
    said = re.sub(r"\s+", " ", "".join(Reader(page).text).replace("\N{NO-BREAK SPACE}", " "))
    _, records = bundle.read(shop.path / "published", "home")
    for language in LANGUAGES:
        t = Texts(language)
        for record in records:
            assert plain(t(record.verdict)) in said
            for figure in report.figures(record, t):
                assert plain(figure.value) in said
            for check in record.checks:
                assert plain(t(check.detail)) in said
    assert "Marketing" in said
    assert "data until 4 Jan 2026" in said
    for record in records:
        assert record.id in said
        assert f"duckdb {record.versions['duckdb']}" in said


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\N{NO-BREAK SPACE}", " "))


@pytest.mark.requirement("G02")
def test_it_asks_nothing_of_anybody(page: str) -> None:
    for tag, given in Reader(page).elements:
        address = given.get("src") or given.get("href") or ""
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        assert not address or address.startswith(("data:text/csv", "?lang=", "live?lang=")), address
        assert not [name for name in given if name.startswith("on")]
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    scripts = policy[1].split("script-src ")[1].split(";")[0]
    assert "unsafe" not in scripts


@pytest.mark.requirement("U05")
def test_every_chart_is_told_in_words_and_one_vega_draws_them_all(page: str) -> None:
    read = Reader(page)
    charts = [given for tag, given in read.elements if given.get("role") == "img"]
    assert len(charts) > 10
    assert all(len(given.get("aria-label") or "") > 10 for given in charts)
    drawn = [chart for one in jsons(page) for chart in json.loads(one)]
    assert len(drawn) == len(charts)
    assert sum(len(script) > 500_000 for script in read.scripts) == 1
    labels = {given.get("for") for tag, given in read.elements if tag == "label"}
    chosen = [given.get("id") for tag, given in read.elements if tag == "select"]
    assert set(chosen) == labels


def test_filters_are_there_only_where_there_is_something_to_choose(tmp_path: Path) -> None:
    countries = ["ES"] * 300 + ["FR"] * 300 + ["MX"] * 200 + ["IT"] * 200
    shop = unit_level(
        tmp_path / "shop",
        {"A": binary(120, 1000), "B": binary(150, 1000)},
        assignment="random",
        attributes={"country": countries * 2},
    )
    shop.publish([shop.effect("home")], "Whole")
    shop.publish([shop.effect("home", by="country")], "Split")
    assert "<select" not in still(shop, "whole")
    offered = re.findall(r"<option[^>]*>(.*?)</option>", still(shop, "split"))
    assert {one.split(" ")[0] for one in offered} >= {"ES", "FR", "MX", "IT"}


def test_names_that_look_like_something_else_stay_text(tmp_path: Path) -> None:
    """HTML, scripts, formulas, Markdown and Vega expressions as names of arms, groups, page and audience."""
    shop = unit_level(
        tmp_path / "shop",
        {HOSTILE[0]: binary(120, 1000), HOSTILE[1]: binary(150, 1000)},
        assignment="random",
        attributes={"country": [HOSTILE[place % 5] for place in range(1000)] * 2},
    )
    shop.publish([shop.effect("home", by="country")], HOSTILE[0], audience=HOSTILE[1])
    (published,) = bundle.pages(shop.path / "published")
    page = still(shop, published.slug)
    read = Reader(page)
    assert {tag for tag, _ in read.elements if tag in ("img", "b", "iframe")} == set()
    assert sum(tag == "script" for tag, _ in read.elements) == 4  # two of ours, two of data
    said = plain("".join(read.text))
    for name in HOSTILE:
        assert plain(name) in said
    for one in jsons(page):
        assert "<" not in one
        json.loads(one)
    tables = [
        base64.b64decode(one).decode("utf-8-sig") for one in re.findall(r"base64,([A-Za-z0-9+/=]+)", page)
    ]
    assert any("'=HYPERLINK" in one for one in tables)
    assert not any(re.search(r"(?m)(^|,)\"?=HYPERLINK", one) for one in tables)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_in_a_file_for_spreadsheets_begins_as_a_formula_does(sign: str) -> None:
    """The signs are those of OWASP, CSV Injection; numbers stay numbers."""
    written = report.rows_as_csv([{"group": f"{sign}1+1", "difference": -3.5}])
    assert list(csv.reader(io.StringIO(written, newline="")))[1] == [f"'{sign}1+1", "-3.5"]
