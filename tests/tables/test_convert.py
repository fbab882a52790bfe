"""What the text of a cell means: numbers, days, times and yes or no, as people and programs write them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from workbench.errors import DataError
from workbench.tables.convert import Converted, Converter, Field, tighten
from workbench.tables.evidence import Evidence, choose_date_order, choose_decimal, look_at


def converted(
    values: Any, kind: Any, *, timezone: str = "UTC", order: Any = "dmy", decimal: Any = ".", **options: Any
) -> Converted:
    field = Field("x", kind, "c", **options)
    make = Converter([field], timezone=timezone, date_order=order, decimal=decimal)
    column = values if isinstance(values, pa.Array) else pa.array(values)
    return make(pa.table({"c": column}))


def value(text: str, kind: str, **options: Any) -> Any:
    return converted([text], kind, **options).values["x"][0].as_py()


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1034", 1034, 1034),
        ("1.034", 1.034, 1034),
        ("1,034", 1034, 1.034),
        ("1.034,00", None, 1034),
        ("1,034.50", 1034.5, None),
        ("12,50", None, 12.5),
        ("12.50", 12.5, None),
        ("1.000.000,5", None, 1000000.5),
        ("1 034,00", None, 1034),
        ("1\u00a0034", 1034, 1034),
        ("-3", -3, -3),
        ("−3", -3, -3),
        ("€ 3", 3, 3),
        ("3,5 €", None, 3.5),
        ("12 EUR", 12, 12),
        ("1e3", 1000, 1000),
        (".5", 0.5, None),
        (" 7\t", 7, 7),
        ("12 34", None, None),
        ("1_000", None, None),
        ("inf", None, None),
        ("1e999", None, None),
        ("0x10", None, None),
        ("12%", None, None),
        ("siete", None, None),
    ],
)
@pytest.mark.requirement("D01")
def test_a_number_is_read_with_its_decimal_mark_or_not_at_all(
    text: str, point: float | None, comma: float | None
) -> None:
    assert value(text, "float64", decimal=".") == point
    assert value(text, "float64", decimal=",") == comma


def test_a_number_is_the_same_written_in_english_and_in_spanish() -> None:
    chance = random.Random(3)
    amounts = [round(chance.uniform(-1, 1) * 10 ** chance.randrange(10), 2) for _ in range(3000)]
    english = [f"{amount:,.2f}" for amount in amounts]
    spanish = [text.translate(str.maketrans(",.", ".,")) for text in english]
    assert converted(english, "float64").values["x"].to_pylist() == amounts
    assert converted(spanish, "float64", decimal=",").values["x"].to_pylist() == amounts


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-05", "2026-03-05 00:00:00"),
        ("2026-3-5 1:02", "2026-03-05 01:02:00"),
        ("2026-03-05T01:02:03.5", "2026-03-05 01:02:03.500000"),
        ("2026-03-05 01:30:00 +0100", "2026-03-05 00:30:00"),
        ("2026-03-05T01:30:00+01:00", "2026-03-05 00:30:00"),
        ("2026-03-05T01:30:00+0100", "2026-03-05 00:30:00"),
        ("2026-03-05 01:30:00 -05", "2026-03-05 06:30:00"),
        ("2026-03-05T01:30:00Z", "2026-03-05 01:30:00"),
        ("2026-03-05 01:30:00 UTC", "2026-03-05 01:30:00"),
        ("05/03/2026", "2026-03-05 00:00:00"),
        ("5.3.26 10:00", "2026-03-05 10:00:00"),
        ("5/3/2026, 1:02:03 PM", "2026-03-05 13:02:03"),
        ("05-03-2026 12:30 a.m.", "2026-03-05 00:30:00"),
        ("05/03/2026 10:00:00 +0200", "2026-03-05 08:00:00"),
        ("20260305", "2026-03-05 00:00:00"),
        ("1772672400", "2026-03-05 01:00:00"),
        ("1772672400123", "2026-03-05 01:00:00.123000"),
        ("5 Mar 2026", "2026-03-05 00:00:00"),
        ("March 5, 2026", "2026-03-05 00:00:00"),
        ("2026-02-30", None),
        ("31/02/2026", None),
        ("2026-03-05 25:00", None),
        ("infinity", None),
        ("2026", None),
        ("ayer", None),
    ],
)
@pytest.mark.requirement("D01")
def test_a_time_is_read_with_its_offset_and_its_afternoon(text: str, moment: str | None) -> None:
    expected = None if moment is None else datetime.fromisoformat(moment)
    assert value(text, "timestamp") == expected


def test_day_and_month_follow_the_order_asked_for() -> None:
    assert value("03/04/2026", "timestamp", order="dmy") == datetime(2026, 4, 3)
    assert value("03/04/2026", "timestamp", order="mdy") == datetime(2026, 3, 4)
    assert value("25/12/2026", "timestamp", order="mdy") is None
    assert value("2026-12-25", "timestamp", order="mdy") == datetime(2026, 12, 25)


@pytest.mark.parametrize("zone", ["Europe/Madrid", "America/New_York", "Asia/Kolkata", "Atlantic/Canary"])
@pytest.mark.requirement("D01")
def test_local_times_become_utc_as_python_has_it(zone: str) -> None:
    chance = random.Random(7)
    start = datetime(2024, 1, 1)
    times = [start + timedelta(minutes=chance.randrange(3 * 365 * 24 * 60)) for _ in range(2000)]
    made = converted([str(time) for time in times], "timestamp", timezone=zone)
    city = ZoneInfo(zone)
    for time, read, changed in zip(
        times, made.values["x"].to_pylist(), made.clock_changes["x"].tolist(), strict=True
    ):
        moments = {
            time.replace(tzinfo=city, fold=fold).astimezone(UTC).replace(tzinfo=None) for fold in (0, 1)
        }
        assert read in moments
        assert changed == (len(moments) == 2)


def test_the_hour_of_the_clock_change_is_marked() -> None:
    times = ["2026-03-29 02:30", "2026-10-25 02:30", "2026-10-25 02:30 +0200", "2026-03-29 03:30"]
    made = converted(times, "timestamp", timezone="Europe/Madrid")
    assert made.clock_changes["x"].tolist() == [True, True, False, False]
    assert made.values["x"].to_pylist() == [
        datetime(2026, 3, 29, 1, 30),
        datetime(2026, 10, 25, 1, 30),
        datetime(2026, 10, 25, 0, 30),
        datetime(2026, 3, 29, 1, 30),
    ]


def test_a_calendar_day_is_not_moved_by_the_time_zone() -> None:
    assert value("2026-03-05", "day", timezone="Europe/Madrid") == datetime(2026, 3, 5)
    assert value("2026-03-05", "timestamp", timezone="Europe/Madrid") == datetime(2026, 3, 4, 23)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(DataError, match="There is no time zone “Madrid”"):
        converted(["2026-03-05"], "timestamp", timezone="Madrid")


def test_yes_and_no_in_both_languages() -> None:
    words = ["sí", "SI", "yes", "Y", "true", "1", "1.0", "no", "N", "False", "0", "quizá", ""]
    truth = [True] * 7 + [False] * 4 + [None, None]
    assert converted(words, "bool").values["x"].to_pylist() == truth
    measured = converted([*words, "2,5"], "measure", decimal=",").values["x"].to_pylist()
    assert measured == [1.0] * 7 + [0.0] * 4 + [None, None, 2.5]


def test_nothing_is_blank_but_a_country_may_be_called_na() -> None:
    assert converted(["", " ", "NULL", "nan", "\\N", "NA", "-"], "string").values["x"].to_pylist() == [
        *[None] * 5,
        "NA",
        "-",
    ]
    made = converted(["NA", "n/a", "None", "-", "x"], "float64", blank=None)
    assert made.faulty["x"].tolist() == [False] * 4 + [True]


def test_identifiers_keep_their_zeros_and_lose_the_decimals_of_a_float() -> None:
    assert converted(["007", " 7 "], "string").values["x"].to_pylist() == ["007", "7"]
    assert converted(pa.array([7.0, 7.5]), "string").values["x"].to_pylist() == ["7", "7.5"]
    assert converted(pa.array([7, None]), "string").values["x"].to_pylist() == ["7", None]


def test_numbers_that_are_numbers_have_a_point_whatever_the_text_has() -> None:
    assert converted(pa.array([1.034]), "float64", decimal=",").values["x"].to_pylist() == [1.034]


def test_times_of_a_typed_file_keep_their_moment() -> None:
    aware = pa.array(
        [datetime(2026, 3, 5, 1, tzinfo=ZoneInfo("Europe/Madrid"))], pa.timestamp("ns", "Europe/Madrid")
    )
    naive = pa.array([datetime(2026, 3, 5, 1)], pa.timestamp("ms"))
    for column in (aware, naive):
        made = converted(column, "timestamp", timezone="Europe/Madrid")
        assert made.values["x"].to_pylist() == [datetime(2026, 3, 5)]


def test_a_whole_number_has_no_rest() -> None:
    made = converted(["3", "3.0", "1,000", "3.5"], "int64")
    assert made.values["x"].to_pylist() == [3, 3, 1000, None]
    assert made.faulty["x"].tolist() == [False, False, False, True]


def test_further_attributes_become_numbers_only_when_all_are() -> None:
    rows = pa.table(
        {
            "age": ["33", "44", None],
            "spent": ["1,5", "2", None],
            "postcode": ["08001", "28001", None],
            "mixed": ["1", "x", None],
            "member": ["true", "False", None],
            "empty": pa.array([None, None, None], pa.string()),
        }
    )
    made = tighten(rows, rows.column_names, ",").to_pydict()
    assert made["age"] == [33, 44, None]
    assert made["spent"] == [1.5, 2.0, None]
    assert made["postcode"] == ["08001", "28001", None]
    assert made["mixed"] == ["1", "x", None]
    assert made["member"] == [True, False, None]


@pytest.mark.parametrize(
    ("cells", "mark", "asks"),
    [
        (["12,50", "3"], ",", False),
        (["12.50", "3"], ".", False),
        (["1.034", "2.500"], ".", True),
        (["1.034", "2.500", "0,5"], ",", False),
        (["3", "4"], ".", False),
        (["1.034.000"], ",", False),
    ],
)
def test_the_decimal_mark_is_what_the_cells_say_or_a_question(
    cells: list[str], mark: str, asks: bool
) -> None:
    choice = choose_decimal(look_at(pa.table({"x": cells})).values(), ".")
    assert (choice.value, choice.question is not None) == (mark, asks)


@pytest.mark.parametrize(
    ("cells", "order", "asks"),
    [
        (["25/12/2025"], "dmy", False),
        (["12/25/2025"], "mdy", False),
        (["03/04/2026", "05/06/2026"], "dmy", True),
        (["03/04/2026", "13/06/2026"], "dmy", False),
        (["03/03/2026"], "dmy", False),
        (["2026-03-04"], "dmy", False),
    ],
)
@pytest.mark.requirement("D01")
def test_the_order_of_a_date_is_what_the_cells_say_or_a_question(
    cells: list[str], order: str, asks: bool
) -> None:
    choice = choose_date_order(look_at(pa.table({"x": cells})).values(), "dmy")
    assert (choice.value, choice.question is not None) == (order, asks)


@pytest.mark.parametrize("cut", [0, 3, 8])
def test_evidence_of_two_parts_adds_up(cut: int) -> None:
    cells = ["1.034", "12,5", "3.5", "", "01/02/2026", "13/02/2026", "sí", "007"]

    def seen(part: list[str]) -> Evidence:
        return look_at(pa.table({"x": pa.array(part, pa.string())}))["x"]

    assert seen(cells[:cut]) + seen(cells[cut:]) == seen(cells)
    assert seen(cells).filled == 7
