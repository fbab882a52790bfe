"""One person leaves: nothing of them is left in any file, and nothing of anybody else has changed."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from workbench.engines.duckdb import scan
from workbench.errors import DataError, ProjectError
from workbench.tables.privacy.erasure import (
    ErasedList,
    erased_mark,
    find_person,
    person_ids,
    person_rows,
    without_person,
)
from workbench.tables.privacy.pseudonyms import pseudonym
from workbench.tables.schema import conform, standard

KEY = bytes(range(32))
ANA, DEVICE, OTHER_DEVICE = (pseudonym(KEY, name) or 0 for name in ("ana", "device-1", "device-2"))
PEOPLE = [pseudonym(KEY, f"person {number}") or 0 for number in range(40)]
START = datetime(2026, 1, 1)
ONLY_ANAS = [
    "ana-order-77",
    "ana-send-78",
    "/ana/secret-page",
    "ana hates shoelaces",
    "Anahausen",
    "ana-refund-79",
]


def rows(name: str, /, **columns: list[Any]) -> pa.Table:
    """Rows of a standard table as they are stored."""
    table = pa.table(columns)
    for place, column in enumerate(table.column_names):
        if column in standard(name).persons:
            table = table.set_column(place, column, table[column].cast(pa.int64()))
    return conform(table, standard(name))


def shop() -> dict[str, list[pa.Table]]:
    """Tables in parts; Ana is in all of them, in `events` under two identifiers."""
    several = [PEOPLE[at % 40] for at in range(300)]
    with_ana = [ANA if at % 50 == 7 else DEVICE if at % 50 == 9 else who for at, who in enumerate(several)]
    times = [START + timedelta(hours=at) for at in range(300)]
    pages = [
        "/ana/secret-page" if who in (ANA, DEVICE) else f"/p/{at % 7}" for at, who in enumerate(with_ana)
    ]
    ids = [f"e{at}" for at in range(600)]
    return {
        "customers": [
            rows("customers", customer_id=[*PEOPLE, ANA], city=[*["Bilbao", None] * 20, "Anahausen"]),
        ],
        "events": [
            rows("events", event_id=ids[:300], customer_id=several, ts=times, name=["view"] * 300),
            rows(
                "events", event_id=ids[300:], customer_id=with_ana, ts=times, name=["view"] * 300, page=pages
            ),
        ],
        "orders": [
            rows(
                "orders",
                order_id=[*(f"o{at}" for at in range(40)), "ana-order-77"],
                customer_id=[*PEOPLE, ANA],
                ts=times[:41],
                revenue=[float("nan"), -0.0, *(0.1 * at for at in range(39))],
            )
        ],
        "order_items": [
            rows(
                "order_items",
                order_id=["o1", "ana-order-77", "o2", "ana-order-77"],
                sku=["s1", "s2", "s3", "s4"],
            )
        ],
        "refunds": [rows("refunds", refund_id=["ana-refund-79"], order_id=["ana-order-77"], amount=[5.0])],
        "sends": [
            rows(
                "sends",
                send_id=["m1", "ana-send-78"],
                campaign_id=["c", "c"],
                customer_id=[PEOPLE[0], ANA],
                ts=times[:2],
            )
        ],
        "send_events": [
            rows("send_events", send_id=["ana-send-78", "m1"], type=["open", "click"], ts=times[:2]),
        ],
        "surveys": [
            rows(
                "surveys",
                customer_id=[ANA, PEOPLE[3]],
                instrument=["nps", "nps"],
                score=[1.0, 9.0],
                text=["ana hates shoelaces", "fine"],
            )
        ],
        "referrals": [
            rows(
                "referrals",
                referrer_id=[PEOPLE[1], ANA, PEOPLE[4]],
                referred_id=[ANA, PEOPLE[2], PEOPLE[5]],
            )
        ],
        "aliases": [
            rows("aliases", alias_id=[DEVICE, OTHER_DEVICE], customer_id=[ANA, PEOPLE[0]], ts=times[:2]),
        ],
        "spend": [rows("spend", date=[START], channel=["search"], cost=[10.0])],
    }


def by_pyarrow(table: pa.Table, place: Path) -> None:
    pq.write_table(table, place, compression="none", row_group_size=64)


def by_duckdb(table: pa.Table, place: Path) -> None:
    with duckdb.connect() as database:
        database.register("t", table)
        database.execute(f"COPY t TO '{place}' (FORMAT parquet, COMPRESSION uncompressed)")


def by_zstd(table: pa.Table, place: Path) -> None:
    pq.write_table(table, place, compression="zstd")


Writer = Callable[[pa.Table, Path], None]


def stored(folder: Path, write: Writer) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for name, parts in shop().items():
        for number, part in enumerate(parts):
            place = folder / f"{name}-{number:012x}.parquet"
            write(part, place)
            files.setdefault(name, []).append(place)
    return files


def swapped(files: Mapping[str, Sequence[Path]], pseudonym_: int) -> dict[str, list[Path]]:
    """What a project does with the new files: names them, and deletes the old ones."""
    made = {one.old: one for one in without_person(files, pseudonym_)}
    for old, one in made.items():
        assert one.rows == pq.read_metadata(one.new).num_rows
        assert one.rows + one.left_out == pq.read_metadata(old).num_rows
        old.unlink()
    return {
        name: [made[part].new if part in made else part for part in parts] for name, parts in files.items()
    }


def found_in(folder: Path, needles: Sequence[bytes]) -> set[bytes]:
    """Which of these bytes are anywhere in the files of a folder."""
    everything = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    return {needle for needle in needles if any(needle in content for content in everything)}


def cells_of(files: Mapping[str, Sequence[Path]]) -> set[Any]:
    """Every value of every page of every file, decoded."""
    return {
        cell
        for parts in files.values()
        for part in parts
        for column in pq.read_table(part).columns
        for cell in pc.unique(column).to_pylist()
    }


@pytest.mark.requirement("G04")
@pytest.mark.parametrize("write", [by_pyarrow, by_duckdb])
def test_the_bytes_of_an_erased_person_are_in_no_file(write: Writer, tmp_path: Path) -> None:
    numbers = [struct.pack("<q", who) for who in (ANA, DEVICE)]
    texts = [text.encode() for text in ONLY_ANAS]
    decimals = [str(who).encode() for who in (ANA, DEVICE)]
    others = struct.pack("<q", PEOPLE[3])
    files = stored(tmp_path, write)
    assert found_in(tmp_path, [*numbers, *texts, others]) == {*numbers, *texts, others}
    swapped(files, ANA)
    assert found_in(tmp_path, [*numbers, *texts, *decimals, others]) == {others}


@pytest.mark.requirement("G04")
def test_nor_are_they_in_a_packed_page(tmp_path: Path) -> None:
    files = stored(tmp_path, by_zstd)
    assert {ANA, DEVICE, *ONLY_ANAS} <= cells_of(files)
    after = swapped(files, ANA)
    assert not {ANA, DEVICE, *ONLY_ANAS} & cells_of(after)
    assert {part.suffix for parts in after.values() for part in parts} == {".parquet"}
    assert pq.ParquetFile(after["orders"][0]).metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.requirement("G04")
@pytest.mark.parametrize("write", [by_pyarrow, by_duckdb, by_zstd])
def test_everybody_else_stays_cell_by_cell_and_in_order(write: Writer, tmp_path: Path) -> None:
    files = stored(tmp_path, write)
    before = {name: [pq.read_table(part) for part in parts] for name, parts in files.items()}
    after = swapped(files, ANA)
    for name, parts in after.items():
        for old, part in zip(before[name], parts, strict=True):
            new = pq.read_table(part)
            assert new.schema.equals(old.schema)
            # told apart in plain Python, cell by cell
            kept = [row for row in old.to_pylist() if not {ANA, DEVICE, *ONLY_ANAS} & set(row.values())]
            assert repr(new.to_pylist()) == repr(kept)  # as text: not a number equals itself


def test_files_without_the_person_are_not_touched(tmp_path: Path) -> None:
    files = stored(tmp_path, by_pyarrow)
    after = swapped(files, ANA)
    assert after["spend"] == files["spend"]
    assert after["events"][0] == files["events"][0]
    assert after["events"][1] != files["events"][1]
    assert without_person(after, ANA) == []
    assert without_person(files | after, pseudonym(KEY, "nobody") or 0) == []


def test_a_part_of_which_nothing_is_left_can_still_be_read(tmp_path: Path) -> None:
    after = swapped(stored(tmp_path, by_pyarrow), ANA)
    with duckdb.connect() as database:
        assert database.execute(f"SELECT * FROM {scan(after['refunds'])}").fetchall() == []
    assert pq.read_table(after["refunds"][0]).column_names == list(standard("refunds").names)


@pytest.mark.requirement("G04")
def test_the_export_holds_all_that_there_is_about_a_person(tmp_path: Path) -> None:
    files = stored(tmp_path, by_pyarrow)
    export = person_rows(files, ANA)
    assert {name: table.num_rows for name, table in export.items()} == {
        "customers": 1,
        "events": 12,
        "orders": 1,
        "order_items": 2,
        "refunds": 1,
        "sends": 1,
        "send_events": 1,
        "surveys": 1,
        "referrals": 2,
        "aliases": 1,
    }
    assert export["surveys"]["text"].to_pylist() == ["ana hates shoelaces"]
    # whoever asks under the identifier of a device gets the same
    assert {name: table.to_pylist() for name, table in person_rows(files, DEVICE).items()} == {
        name: table.to_pylist() for name, table in export.items()
    }
    assert person_rows(swapped(files, ANA), ANA) == {}


def test_a_device_of_two_people_does_not_make_them_one(tmp_path: Path) -> None:
    place = tmp_path / "aliases-0.parquet"
    shared = rows(
        "aliases",
        alias_id=[DEVICE, DEVICE, OTHER_DEVICE],
        customer_id=[ANA, PEOPLE[0], DEVICE],
        ts=[START, START + timedelta(days=1), START],
    )
    by_pyarrow(shared, place)
    assert person_ids({"aliases": [place]}, ANA) == {ANA, DEVICE, OTHER_DEVICE}
    assert person_ids({"aliases": [place]}, PEOPLE[0]) == {PEOPLE[0]}


def test_ids_that_are_no_pseudonyms_are_refused(tmp_path: Path) -> None:
    place = tmp_path / "orders-0.parquet"
    pq.write_table(pa.table({"order_id": ["o1"], "customer_id": ["ana@example.com"]}), place)
    with pytest.raises(DataError, match="customer_id of orders does not hold pseudonyms"):
        without_person({"orders": [place]}, ANA)


@pytest.mark.requirement("G04")
def test_the_list_knows_the_erased_and_does_not_name_them(tmp_path: Path) -> None:
    erased = ErasedList(tmp_path)
    column = pa.chunked_array([[ANA, PEOPLE[0], None], [PEOPLE[1], DEVICE, ANA]], pa.int64())
    assert erased.erased(KEY, column).to_pylist() == [False] * 6
    person = find_person(stored(tmp_path, by_pyarrow), ANA)
    erased.add(KEY, person.marked)
    again = ErasedList(tmp_path)
    assert again.erased(KEY, column).to_pylist() == [True, False, False, False, True, True]
    assert again.erased(KEY, pa.array(["o1", "ana-order-77", None])).to_pylist() == [False, True, False]
    assert again.erased(KEY[::-1], column).to_pylist() == [False] * 6
    text = (tmp_path / "erased.json").read_bytes()
    for who in (ANA, DEVICE):
        assert str(who).encode() not in text
        assert f"{who:x}".encode() not in text
    assert erased_mark(KEY, ANA).encode() in text
    first = again.marks()
    again.add(KEY, [ANA, PEOPLE[0]])
    assert again.marks().items() > first.items()


def test_a_damaged_list_stops_everything_rather_than_let_people_back(tmp_path: Path) -> None:
    for damage in ("", "[]", '{"erased": []}', "{"):
        (tmp_path / "erased.json").write_text(damage)
        with pytest.raises(ProjectError, match="erased people would come back"):
            ErasedList(tmp_path).erased(KEY, pa.array([ANA]))
