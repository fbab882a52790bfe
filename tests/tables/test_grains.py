"""What rows become: keys made of their cells, answers of wide surveys, rows left out by rule, labels."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.tables.grains import LINE
from workbench.tables.labels import country, device
from workbench.tables.load import Loaded
from workbench.tables.merge import merge
from workbench.tables.rows import with_key

Load = Callable[..., Loaded]
PAYMENTS = {"customer_id": "user", "ts": "date", "revenue": "total"}


def notes(loaded: Loaded) -> list[str]:
    return [str(note) for note in loaded.report.notes]


# --- keys that are made ------------------------------------------------------------------------------------

HEADER = "user,date,total\n"
ROWS = ["a,2026-01-01,5", "a,2026-01-01,5", "b,2026-01-02,7", "c,2026-01-03,1"]


@pytest.mark.requirement("D20")
def test_a_longer_file_and_one_that_overlaps_add_only_what_is_new(load: Load) -> None:
    parts = (ROWS[:2], ROWS, ROWS[1:])
    files = [load(HEADER + "\n".join(rows) + "\n", mapping=PAYMENTS).tables["orders"] for rows in parts]
    for order in permutations(files):
        stored = None
        for rows in order:
            stored = merge(stored, rows, "orders")
        assert stored is not None
        assert sorted(stored["revenue"].to_pylist()) == [1.0, 5.0, 5.0, 7.0]


def test_the_order_of_columns_and_empty_further_ones_make_no_difference(load: Load) -> None:
    one = load(HEADER + "\n".join(ROWS) + "\n", mapping=PAYMENTS)
    other = load(
        "total,shop,user,date\n5,,a,2026-01-01\n5.00,,a,2026-01-01\n7,,b,2026-01-02\n1,,c,2026-01-03\n",
        "other.csv",
        mapping={**PAYMENTS, "channel": "shop"},
    )
    assert one.tables["orders"]["order_id"] == other.tables["orders"]["order_id"]


cells = st.one_of(st.none(), st.text(alphabet="ab:1|\x1f", max_size=3))


@given(st.lists(st.tuples(cells, cells, cells), min_size=2, max_size=6))
@settings(max_examples=60, deadline=None)
def test_rows_have_one_key_exactly_when_they_are_equal_and_the_same_in_number(
    rows: list[tuple[str | None, ...]],
) -> None:
    columns = {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate("xyz")}
    made = with_key(pa.table({**columns, LINE: range(len(rows))}), "key", [])["key"].to_pylist()
    assert len(set(made)) == len(rows)
    seen: dict[tuple[str | None, ...], int] = {}
    for row, key in zip(rows, made, strict=True):
        seen[row] = seen.get(row, 0) + 1
        assert key.endswith(f"-{seen[row]}")
    assert len({key.split("-")[0] for key in made}) == len(set(rows))


def test_keys_that_are_there_stay_and_a_salt_hides_what_the_others_hold() -> None:
    rows = pa.table({"key": ["k1", None], "who": ["ana@mail.example", "ana@mail.example"], LINE: [2, 3]})
    plain, salted = (with_key(rows, "key", [], salt=salt)["key"].to_pylist() for salt in ("", "secret"))
    assert plain[0] == salted[0] == "k1"
    assert plain[1] != salted[1]


# --- rows left out by rule ---------------------------------------------------------------------------------

TAGGED = (
    'id,who,when,total,tags,units\n1,a,2026-01-01,50,"web, Wholesale",1\n2,b,2026-01-02,20,,2\n'
    "3,c,2026-01-03,9,TEST,1\n4,d,2026-01-04,9000,web,500\n5,e,2026-01-05,9,tested,n/a\n"
)
ORDERS = {"order_id": "id", "customer_id": "who", "ts": "when", "revenue": "total"}


@pytest.mark.requirement("D08")
def test_test_and_bulk_orders_are_left_out_by_rule_and_counted(load: Load) -> None:
    rules = [
        {"column": "tags", "has": "wholesale"},
        {"column": "tags", "is": "test"},
        {"column": "units", "above": 100},
    ]
    loaded = load(TAGGED, mapping={**ORDERS, "exclude": rules})
    assert loaded.tables["orders"]["order_id"].to_pylist() == ["2", "5"]
    assert [(one.line, one.column, one.reason) for one in loaded.report.rejected] == [
        (2, "tags", "left out by a rule of yours"),
        (4, "tags", "left out by a rule of yours"),
        (5, "units", "left out by a rule of yours"),
    ]
    assert (loaded.report.rows_read, loaded.report.rows_kept) == (5, 2)
    assert "tags" not in loaded.tables["orders"].column_names


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"column": "tag", "has": "x"}, "There is no column “tag” in data.csv; its columns are: id,"),
        ({"column": "tags"}, "A rule of what to leave out has a column and one test,"),
        ({"column": "tags", "like": "x"}, "There is no test “like”; choose one of: has, is, above, below."),
        ({"column": "units", "above": "many"}, "A column can only be above or below a number,"),
    ],
)
def test_a_rule_that_is_none_is_refused(load: Load, rule: dict[str, Any], sentence: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        load(TAGGED, mapping={**ORDERS, "exclude": [rule]})
    assert str(refused.value).startswith(sentence)


# --- surveys -----------------------------------------------------------------------------------------------

SHEETS = (
    "when,mail,How likely are you to recommend us?,Why?,How easy was it?\n"
    "2026-01-01 10:00,a,9,fast,7\n2026-01-02 10:00,b,,slow,\n2026-01-03 10:00,c,,,\n2026-01-04 10:00,d,3,,5\n"
    "2026-01-04 10:00,d,3,,5\n"
)


@pytest.mark.requirement("D15")
def test_a_sheet_of_answers_a_row_becomes_a_row_an_answer(load: Load) -> None:
    loaded = load(SHEETS, "spring.csv")
    assert loaded.report.table == "surveys"
    rows = loaded.tables["surveys"].select(["customer_id", "instrument", "item", "score", "text"]).to_pylist()
    assert [(row["customer_id"], row["item"], row["score"], row["text"]) for row in rows] == [
        ("a", "How likely are you to recommend us?", 9.0, None),
        ("a", "Why?", None, "fast"),
        ("a", "How easy was it?", 7.0, None),
        ("b", "Why?", None, "slow"),
        ("d", "How likely are you to recommend us?", 3.0, None),
        ("d", "How easy was it?", 5.0, None),
    ]
    assert {row["instrument"] for row in rows} == {"spring"}
    assert [(one.line, one.reason) for one in loaded.report.rejected] == [
        (4, "no question is answered here"),
        (6, "the same row came before"),
    ]


def scales(loaded: Loaded) -> dict[tuple[str, float | None], tuple[float | None, float | None]]:
    rows = loaded.tables["surveys"].to_pylist()
    return {(row["customer_id"], row["score"]): (row["scale_min"], row["scale_max"]) for row in rows}


@pytest.mark.requirement("D15")
def test_whether_ten_points_begin_at_nothing_or_at_one_is_asked(load: Load) -> None:
    text = "who,nps,score\na,n,9\nb,n,1\nc,n,10\n"
    mapping: dict[str, Any] = {"customer_id": "who", "instrument": "nps", "score": "score"}
    asked = load(text, mapping=mapping)
    assert set(scales(asked).values()) == {(None, None)}
    (question,) = [one for one in asked.report.questions if one.id == "scale"]
    assert question.choices == ("0-10", "1-10", "unknown")
    for answer, ends in (("1-10", (1.0, 10.0)), ("0-10", (0.0, 10.0))):
        told = load(text, mapping={**mapping, "scale": answer})
        assert set(scales(told).values()) == {ends}
        assert not told.report.questions
    with_zero = load(text + "d,n,0\n", mapping=mapping)
    assert set(scales(with_zero).values()) == {(0.0, 10.0)}
    assert not with_zero.report.questions
    with pytest.raises(WorkbenchError, match="“ten” is no scale"):
        load(text, mapping={**mapping, "scale": "ten"})


def test_a_scale_may_be_said_for_one_question(load: Load) -> None:
    loaded = load(SHEETS, mapping={**WIDE, "scale": {"How easy was it?": "1-7"}})
    assert scales(loaded)["a", 7.0] == (1.0, 7.0)
    assert scales(loaded)["a", 9.0] == (None, None)


WIDE = {
    "customer_id": "mail",
    "ts": "when",
    "items": ["How likely are you to recommend us?", "Why?", "How easy was it?"],
}


@pytest.mark.requirement("D14")
def test_answers_of_new_customers_describe_them(load: Load) -> None:
    text = "mail,What do you sell?,How many are you?\na,shoes,12\nb,food,3\nc,,7\nd,,\na,boots,\n"
    mapping = {
        "customer_id": "mail",
        "instrument": "onboarding",
        "items": {"What do you sell?": "What do you sell?", "Size": "How many are you?"},
    }
    loaded = load(text, mapping=mapping)
    assert loaded.tables["customers"].select(
        ["customer_id", "onboarding_what_do_you_sell", "onboarding_size"]
    ).to_pylist() == [
        {"customer_id": "a", "onboarding_what_do_you_sell": "boots", "onboarding_size": 12},
        {"customer_id": "b", "onboarding_what_do_you_sell": "food", "onboarding_size": 3},
        {"customer_id": "c", "onboarding_what_do_you_sell": None, "onboarding_size": 7},
    ]
    assert loaded.tables["surveys"].num_rows == 6
    assert "Left unanswered by the 4 customers: “What do you sell?” by 50.0 % and “Size” by 25.0 %." in notes(
        loaded
    )
    one_by_one = "who,kind,question,answer\na,Onboarding,Goal,growth\nb,nps,Goal,9\n"
    long = load(
        one_by_one,
        mapping={"customer_id": "who", "instrument": "kind", "item": "question", "text": "answer"},
    )
    assert long.tables["customers"].select(["customer_id", "onboarding_goal"]).to_pylist() == [
        {"customer_id": "a", "onboarding_goal": "growth"}
    ]


def test_items_are_for_surveys_and_rates_only(load: Load) -> None:
    with pytest.raises(WorkbenchError, match="Only the tables surveys and rates have items"):
        load(SHEETS, table="orders", mapping={"customer_id": "mail", "ts": "when", "items": ["Why?"]})


# --- labels ------------------------------------------------------------------------------------------------


@pytest.mark.requirement("D02")
def test_countries_become_codes_and_what_is_no_country_stays(load: Load) -> None:
    loaded = load(
        "cliente,país\n1,España\n2,spain\n3,ESP\n4,ES\n5,Narnia\n6,\n7,EE. UU.\n8,uk\n", table="customers"
    )
    found = loaded.tables["customers"]["country"].to_pylist()
    assert found == ["ES", "ES", "ES", "ES", "Narnia", None, "US", "GB"]
    (note,) = [note for note in notes(loaded) if note.startswith("Countries written in other ways")]
    assert all(text in note for text in ("España → ES", "spain → ES", "ESP → ES", "uk → GB"))


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("DE", ["Germany", "Alemania", "DEU", "276", "de"]),
        ("MX", ["Mexico", "México", "Méjico", "MEX"]),
        ("GB", ["United Kingdom", "Reino Unido", "GBR", "UK", "England"]),
        ("US", ["United States of America", "Estados Unidos", "USA", "U.S.A.", "EEUU"]),
        ("CI", ["Côte d'Ivoire", "Ivory Coast", "Costa de Marfil"]),
        ("CZ", ["Czechia", "Czech Republic", "República Checa", "Chequia"]),
    ],
)
def test_a_country_is_known_by_its_names_and_codes(code: str, names: list[str]) -> None:
    assert {country(name) for name in names} == {code}


AGENTS = {
    "mobile": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
    "tablet": "Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126"
    " Safari/537.36",
    "desktop": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Safari/537.36",
    "other": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "app": "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP1A)",
}


@pytest.mark.requirement("D03")
def test_devices_are_known_by_word_and_by_user_agent(load: Load) -> None:
    assert {kind: device(agent) for kind, agent in AGENTS.items()} == {kind: kind for kind in AGENTS}
    loaded = load(
        "cliente,dispositivo\n1,Móvil\n2,ordenador\n3,Tableta\n4,Mobile App\n5,smart TV\n6,Walkman\n7,\n",
        table="customers",
    )
    assert loaded.tables["customers"]["device"].to_pylist() == [
        *("mobile", "desktop", "tablet", "app", "other", "Walkman"),
        None,
    ]
    assert any("ordenador → desktop" in note for note in notes(loaded))


@pytest.mark.requirement("D13")
def test_several_values_in_a_cell_are_put_in_order(load: Load) -> None:
    loaded = load(
        'who,likes\n1,"tea; coffee;tea"\n2,coffee;tea\n3,\n4,;\n',
        mapping={"customer_id": "who", "attributes": ["likes"], "split": {"likes": ";"}},
        table="customers",
    )
    assert loaded.tables["customers"]["likes"].to_pylist() == ["coffee|tea", "coffee|tea", None, None]
    with pytest.raises(WorkbenchError, match="There is no column of text to split “like”"):
        load("who,likes\n1,a\n", mapping={"customer_id": "who", "split": {"like": ";"}}, table="customers")
