"""Reading a file: every line of it is a row, a fault with its line, or blank, whatever stands in it."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.tables.sources import Source, open_source
from workbench.tables.sources.records import BrokenRecordError, parse_record

Write = Callable[..., Path]


@pytest.fixture
def file(tmp_path: Path) -> Write:
    def write(content: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def rows_of(
    source: Source, **options: Any
) -> tuple[list[tuple[Any, ...]], list[int], list[tuple[int, str, str]]]:
    """Rows, their lines, and faults as (line, reason, text)."""
    rows: list[tuple[Any, ...]] = []
    lines: list[int] = []
    faults: list[tuple[int, str, str]] = []
    for batch in source.batches(**options):
        rows += zip(*(column.to_pylist() for column in batch.rows.columns), strict=True)
        lines += batch.lines.tolist()
        faults += [(fault.line, str(fault.reason), fault.text) for fault in batch.faults]
    return rows, lines, faults


cells = st.text(st.sampled_from('ab1ñ€ ,;"\n\t'), max_size=6)
tables = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=12)
)


@given(tables, st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]), st.sampled_from([3, 11, 1 << 20]))
@settings(max_examples=80, deadline=None)
def test_what_a_csv_writer_wrote_is_read_back_with_its_lines(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str, end: str, block: int
) -> None:
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    text = delimiter.join(f"c{place}" for place in range(len(rows[0]))) + end
    lines, texts = [], []
    for row in rows:
        written = io.StringIO()
        csv.writer(written, delimiter=delimiter, lineterminator=end).writerow(row)
        lines.append(1 + text.count("\n"))
        texts.append(written.getvalue().rstrip("\r\n"))
        text += written.getvalue()
    path.write_bytes(text.encode())
    source = open_source(path)
    source = replace(source, delimiter=delimiter)
    read, found, faults = rows_of(source, block=block)
    assert (read, found, faults) == ([tuple(row) for row in rows], lines, [])
    said = [batch.text(row) for batch in source.batches(block=block) for row in range(len(batch.lines))]
    assert said == texts


@given(st.text(st.sampled_from('a1,,""\n\n\r'), max_size=60), st.sampled_from([2, 9, 1 << 20]))
@settings(max_examples=150, deadline=None)
def test_every_line_of_a_broken_file_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, body: str, block: int
) -> None:
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    path.write_bytes(b"x,y\n" + body.encode() + b"\n1,2\n")
    source = open_source(path)
    rows, starts, faults = rows_of(source, block=block)
    texts = [batch.text(row) for batch in source.batches(block=block) for row in range(len(batch.lines))]
    covered: list[int] = []
    for start, text in [*zip(starts, texts, strict=True), *((line, text) for line, _, text in faults)]:
        covered += range(start, start + text.count("\n") + 1)
    physical = path.read_bytes().decode().split("\n")[:-1]
    filled = [number for number, line in enumerate(physical, 1) if line.strip() and number > 1]
    assert len(covered) == len(set(covered))
    assert set(filled) <= set(covered)
    assert all(len(row) == 2 for row in rows)
    assert rows[-1] == ("1", "2") or faults[-1][0] >= starts[-1]


def test_a_quote_that_nobody_closes_costs_one_line(file: Write) -> None:
    path = file('id,name,x\n1,a,1\n2,"b\nb",2\n\n3,c,3,9\n4,"d,4\n5,e,5\n6,f\n7,"g"h,7\n8,5" i,8\n')
    rows, lines, faults = rows_of(open_source(path))
    assert rows == [("1", "a", "1"), ("2", "b\nb", "2"), ("5", "e", "5"), ("8", '5" i', "8")]
    assert lines == [2, 3, 8, 11]
    assert faults == [
        (6, "too many columns", "3,c,3,9"),
        (7, "quote not closed", '4,"d,4'),
        (9, "too few columns", "6,f"),
        (10, "a quote in the wrong place", '7,"g"h,7'),
    ]


def test_a_late_quoted_field_is_read_although_no_early_row_has_one(file: Write) -> None:
    body = "".join(f"{i},c{i % 7},{i}.5,2026-01-01\n" for i in range(30_000))
    path = file(
        "order,customer,amount,day\n" + body + '30000,c1,"12,50",2026-01-02\nunquoted,1.0,2026-01-02\n'
    )
    rows, lines, faults = rows_of(open_source(path))
    assert len(rows) == 30_001
    assert rows[-1] == ("30000", "c1", "12,50", "2026-01-02")
    assert lines[-1] == 30_002
    assert faults == [(30_003, "too few columns", "unquoted,1.0,2026-01-02")]


def test_rows_are_those_that_duckdb_reads_from_a_clean_file(file: Write) -> None:
    body = "".join(f'{i},"a ""{i}"" b",{i * 0.25}\n' for i in range(5_000))
    path = file("id,name,x\n" + body)
    with duckdb.connect() as database:
        theirs = database.execute(
            f"FROM read_csv('{path}', auto_detect=false, header=true, delim=',', quote='\"', escape='\"',"
            " columns={'id': 'VARCHAR', 'name': 'VARCHAR', 'x': 'VARCHAR'})"
        ).fetchall()
    assert rows_of(open_source(path), block=10_000)[0] == theirs


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("usuario,país\n1,España €\n".encode(), "utf-8"),
        (b"\xef\xbb\xbf" + "usuario,país\n1,España €\n".encode(), "utf-8-sig"),
        ("usuario,país\n1,España €\n".encode("utf-16"), "utf-16"),
        ("usuario,país\n1,España €\n".encode("cp1252"), "cp1252"),
        ("usuario,país\r1,España €\r".encode("cp1252"), "cp1252"),
        (gzip.compress("usuario,país\n1,España €\n".encode(), mtime=0), "utf-8"),
    ],
)
@pytest.mark.requirement("D01")
def test_letters_survive_in_every_encoding(file: Write, content: str | bytes, encoding: str) -> None:
    source = open_source(file(content))
    assert source.encoding == encoding
    assert source.columns == ("usuario", "país")
    assert rows_of(source)[0] == [("1", "España €")]
    assert any("Windows-1252" in str(note) for note in source.notes) == (encoding == "cp1252")


def test_a_letter_of_another_encoding_is_noticed_however_late_it_comes(file: Write) -> None:
    path = file(b"id,city\n" + b"1,Cadiz\n" * 300_000 + "2,Cádiz\n".encode("cp1252"))
    assert rows_of(open_source(path))[0][-1] == ("2", "Cádiz")


@pytest.mark.parametrize(
    ("content", "delimiter", "columns"),
    [
        ("a;b;c\n1,5;2,5;3\n", ";", ("a", "b", "c")),
        ("a\tb\n1,2\t3,4\n", "\t", ("a", "b")),
        ("a|b\n1|2\n", "|", ("a", "b")),
        ("sep=;\na;b\n1;2\n", ";", ("a", "b")),
        ('"a;x",b\n1,2\n', ",", ("a;x", "b")),
        ("id,id,,id\n1,2,3,4\n", ",", ("id", "id (2)", "column 3", "id (3)")),
        ("\n\na,b\n1,2\n", ",", ("a", "b")),
        ("a\n1\n", ",", ("a",)),
    ],
)
def test_the_header_is_understood(
    file: Write, content: str | bytes, delimiter: str, columns: tuple[str, ...]
) -> None:
    source = open_source(file(content))
    assert (source.delimiter, source.columns) == (delimiter, columns)
    assert len(rows_of(source)[0]) == 1


def test_lines_count_what_stands_above_the_header_and_blank_lines(file: Write) -> None:
    source = open_source(file('sep=,\n\na,"b\nb"\n\n1,2\n   \n3,4\n\n\n'))
    assert source.columns == ("a", "b\nb")
    assert rows_of(source) == ([("1", "2"), ("3", "4")], [6, 8], [])


def test_columns_of_the_same_name_are_told_apart_and_named(file: Write) -> None:
    source = open_source(file("id,x,x\n1,2,3\n"))
    assert source.columns == ("id", "x", "x (2)")
    assert [str(note) for note in source.notes] == [
        "Several columns are called x; the later ones were numbered."
    ]


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "a.csv", "a.csv is empty."),
        (b"\n\n", "a.csv", "a.csv is empty."),
        (b"a,b\n", "a.csv", "a.csv has column names but no rows."),
        (b"a,b", "a.csv", "a.csv has column names but no rows."),
        (bytes(range(256)) * 9, "a.bin", "a.bin is not a text file; save its table as CSV."),
        (
            b"PK\x03\x04 and more",
            "a.xlsx",
            "a.xlsx is not a whole workbook or zip file; save it or pack it anew.",
        ),
        (b"a\x81,b\n\xff,1\n", "a.csv", "The letters of a.csv are written in a way that is not known here"),
        (
            gzip.compress(b"a,b\n1,2\n" * 999, mtime=0)[:-20],
            "a.csv.gz",
            "a.csv.gz is damaged: it cannot be unpacked.",
        ),
        (
            b"<html><table><tr><td>id</td></tr></table></html>",
            "a.xls",
            "a.xls is a web page or XML; open it in a spreadsheet and save its table as CSV.",
        ),
        (b"PAR1 is all there is", "a.parquet", "a.parquet is not a whole Parquet file."),
        (b'a,"b\n1,2\n', "a.csv", "The first line of a.csv has a quote that is not closed"),
    ],
)
@pytest.mark.requirement("D01")
def test_what_is_no_table_is_refused_in_one_sentence(
    file: Write, content: str | bytes, name: str, sentence: str
) -> None:
    with pytest.raises(DataError) as refused:
        open_source(file(content, name))
    assert str(refused.value).startswith(sentence)


def test_a_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder; choose a file in it"):
        open_source(tmp_path)
    with pytest.raises(DataError, match="There is no file"):
        open_source(tmp_path / "nowhere.csv")


def test_the_text_of_chosen_lines_is_found_again(file: Write) -> None:
    source = open_source(file('a,b\n1,2\n3,"x\ny"\n4,5\n'))
    assert source.texts([3, 5]) == {3: '3,"x\ny"', 5: "4,5"}


def test_a_record_reports_where_its_quotes_go_wrong() -> None:
    assert parse_record(b'1,"a\nb"\r\n', 0, b",") == ([b"1", b"a\nb"], 9)
    with pytest.raises(BrokenRecordError) as broken:
        parse_record(b'1,"ab"c\n', 0, b",")
    assert (broken.value.at, broken.value.unclosed) == (6, False)


def test_asking_for_no_columns_still_counts_the_rows(file: Write) -> None:
    (batch,) = open_source(file("a,b\n1,2\n3\n5,6\n")).batches([])
    assert (batch.rows.num_columns, batch.lines.tolist(), len(batch.faults)) == (0, [2, 4], 1)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_how_much_of_a_file_is_read_grows_to_the_whole(file: Write, pack: Callable[[bytes], bytes]) -> None:
    path = file(pack(b"id,x\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(50_000))))
    done = [batch.done for batch in open_source(path).batches(block=1 << 16)]
    assert len(done) > 5
    assert done == sorted(done)
    assert 0 < done[0] <= 0.5
    assert done[-1] == 1


@pytest.mark.parametrize("encoding", ["mac_roman", "latin2", "cp850", "utf-16-le", "utf-8"])
def test_an_encoding_that_is_named_is_used(file: Write, encoding: str) -> None:
    city = "Łódź" if encoding == "latin2" else "Cádiz"
    source = open_source(file(f"id,city\n1,{city}\n".encode(encoding)), encoding=encoding)
    assert rows_of(source)[0] == [("1", city)]
    assert source.notes == ()


def test_an_encoding_that_does_not_fit_or_exist_is_refused(file: Write) -> None:
    path = file("id,x\n1,ñ\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"data\.csv is not written in utf-8; choose another encoding"):
        open_source(path, encoding="utf-8")
    for name in ("klingon", "hex", "rot13"):
        with pytest.raises(DataError, match=f"There is no encoding “{name}”"):
            open_source(path, encoding=name)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_recognised_by_its_zeros(file: Write, encoding: str) -> None:
    source = open_source(file(("id;nombre\n" + "1;Íñigo €\n" * 40).encode(encoding)))
    assert (source.encoding, source.columns) == (encoding, ("id", "nombre"))
    assert rows_of(source)[0] == [("1", "Íñigo €")] * 40
