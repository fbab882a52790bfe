"""Finding files: folders, patterns and archives, in the order a person would put them."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.errors import DataError
from workbench.tables.sources import expand, files, open_source

pytestmark = pytest.mark.requirement("D01")


def archive(path: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in contents.items():
            packed.writestr(name, content)
    return path


def test_a_folder_is_its_tables_in_natural_order(tmp_path: Path) -> None:
    shown = ["events_9.csv", "events_10.csv", "more/part-2.parquet", "more/part-11.parquet", "date=1/x"]
    passed_over = [
        ".hidden.csv",
        "_SUCCESS",
        "more/.part-2.parquet.crc",
        "_log/0.json",
        "~$book.xlsx",
        "read.md",
    ]
    for name in [*shown, *passed_over]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"id\n1\n")
    (tmp_path / "empty.csv").touch()
    found = [path.relative_to(tmp_path).as_posix() for path in expand(tmp_path)]
    assert found == [
        "date=1/x",
        "events_9.csv",
        "events_10.csv",
        "more/part-2.parquet",
        "more/part-11.parquet",
    ]


def test_patterns_and_lists_name_each_file_once(tmp_path: Path) -> None:
    for day in (1, 2, 10):
        (tmp_path / f"events_{day}.csv").write_text("id\n1\n")
    pattern = tmp_path / "events_*.csv"
    names = [path.name for path in expand([tmp_path / "events_2.csv", str(pattern), tmp_path])]
    assert names == ["events_2.csv", "events_1.csv", "events_10.csv"]


def test_what_names_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "_SUCCESS").touch()
    for asked, sentence in [
        (tmp_path / "in", "There are no files with data in the folder"),
        (tmp_path / "nowhere.csv", "There is no file"),
        (tmp_path / "*.csv", "No file is called"),
        ([], "No file was named"),
        (archive(tmp_path / "a.zip", {"_SUCCESS": b""}), "There are no files with data in a.zip"),
    ]:
        with pytest.raises(DataError, match=sentence):
            expand(asked)


def test_the_files_of_an_archive_are_read_in_it(tmp_path: Path) -> None:
    parquet, book = io.BytesIO(), io.BytesIO()
    pq.write_table(pa.table({"id": [7]}), parquet)
    made = openpyxl.Workbook()
    for row in (["id", "x"], [7, "a"]):
        made.active.append(row)
    made.save(book)
    path = archive(
        tmp_path / "export.zip",
        {
            "2026/orders-10.csv": b"id,x\n7,a\n",
            "2026/orders-9.csv.gz": gzip.compress(b"id,x\n7,a\n"),
            "a.json": b'{"id":7,"x":"a"}\n',
            "b.parquet": parquet.getvalue(),
            "c.xlsx": book.getvalue(),
            "__MACOSX/._a.json": b"junk",
        },
    )
    found = expand(path)
    assert [one.relative_to(path).as_posix() for one in found] == [
        "2026/orders-9.csv.gz",
        "2026/orders-10.csv",
        "a.json",
        "b.parquet",
        "c.xlsx",
    ]
    for one in found:
        source = open_source(one)
        (batch,) = source.batches(["id"])
        assert [str(value) for value in batch.rows["id"].to_pylist()] == ["7"]
    with pytest.raises(DataError, match=r"holds several files: 2026/orders-9\.csv.gz, .* choose one of them"):
        open_source(path)
    with pytest.raises(DataError, match="There is no file"):
        open_source(path / "nowhere.csv")


def test_an_archive_of_one_file_is_that_file(tmp_path: Path) -> None:
    source = open_source(archive(tmp_path / "export.zip", {"orders.csv": b"id\n7\n"}))
    assert (source.columns, source.name) == (("id",), "orders")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/../../b.csv", "..\\b.csv", "C:/b.csv"]
)
def test_names_that_lead_out_of_an_archive_are_refused(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "trick.zip", {"a.csv": b"id\n1\n", name: b"id\n2\n"})
    with pytest.raises(DataError, match=r"trick\.zip holds a file whose name leads out of it"):
        expand(path)


def test_an_archive_that_swells_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "bomb.zip", {f"{n}.csv": b"0" * (1 << 20) for n in range(3)})
    assert path.stat().st_size < 20_000
    assert len(expand(path)) == 3
    monkeypatch.setattr(files, "UNPACKED_AT_MOST", 2 << 20)
    os.utime(path, (1, 1))
    with pytest.raises(DataError, match=r"bomb\.zip would unpack to more than"):
        expand(path)


def test_an_archive_that_says_less_than_it_holds_gives_no_more_than_it_says(tmp_path: Path) -> None:
    path = archive(tmp_path / "liar.zip", {"a.csv": b"id\n" + b"1\n" * 5000})
    size = (3 + 2 * 5000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (99).to_bytes(4, "little")))
    with pytest.raises(DataError, match=r"a\.csv is damaged: it cannot be unpacked"):
        open_source(path)


def test_a_locked_and_a_damaged_archive_are_told_apart(tmp_path: Path) -> None:
    whole = archive(tmp_path / "a.zip", {"a.csv": b"id\n" + os.urandom(3000).hex().encode()}).read_bytes()
    locked = bytearray(whole)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[whole.index(mark) + flags] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    with pytest.raises(DataError, match=r"locked\.zip is protected by a password; unpack it"):
        expand(tmp_path / "locked.zip")
    damaged = bytearray(whole)
    damaged[200] ^= 255
    (tmp_path / "damaged.zip").write_bytes(damaged)
    with pytest.raises(DataError, match=r"a\.csv is damaged: it cannot be unpacked"):
        open_source(tmp_path / "damaged.zip")
    (tmp_path / "cut.zip").write_bytes(whole[:-60])
    with pytest.raises(DataError, match=r"cut.zip is not a whole workbook or zip file"):
        open_source(tmp_path / "cut.zip")


def test_a_zip_file_inside_another_is_named(tmp_path: Path) -> None:
    inner = archive(tmp_path / "inner.zip", {"a.csv": b"id\n1\n"}).read_bytes()
    with pytest.raises(DataError, match=r"inner\.zip is a zip file inside another; unpack it first"):
        open_source(archive(tmp_path / "outer.zip", {"inner.zip": inner}))


def test_folders_named_after_a_column_and_its_value_give_that_column(tmp_path: Path) -> None:
    first = tmp_path / "type=a%2Fb" / "region=__HIVE_DEFAULT_PARTITION__" / "date=2026-01-01"
    second = tmp_path / "type=decisions" / "region=eu" / "date=2026-01-01"
    for folder in (first, second):
        folder.mkdir(parents=True)
    (first / "x.csv").write_text("id,date\n1,own\n2,own\n")
    pq.write_table(pa.table({"id": [1, 2]}), second / "part-0.parquet")
    csv, parquet = map(open_source, expand(tmp_path))
    assert csv.columns == ("id", "date", "type", "region")
    assert parquet.columns == ("id", "type", "region", "date")
    (batch,) = parquet.batches(["date", "id"])
    assert batch.rows.to_pydict() == {"date": ["2026-01-01"] * 2, "id": [1, 2]}
    (batch,) = parquet.batches(["type"])
    assert batch.rows.to_pydict() == {"type": ["decisions"] * 2}
    (batch,) = csv.batches()
    assert batch.rows.to_pylist() == [
        {"id": id_, "date": "own", "type": "a/b", "region": None} for id_ in ("1", "2")
    ]
