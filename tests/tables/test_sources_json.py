"""JSON files: every object is a row, every key a column, and nothing is lost on the way."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.tables.sources import Source, open_source
from workbench.tables.sources.json_cuts import brackets

Write = Callable[..., Path]
pytestmark = pytest.mark.requirement("D01")


@pytest.fixture
def file(tmp_path: Path) -> Write:
    def write(content: str | bytes, name: str = "data.json") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def rows_of(
    source: Source, **options: Any
) -> tuple[list[dict[str, Any]], list[int], list[tuple[int, str, str]]]:
    """Rows, their lines, and faults as (line, reason, text)."""
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    faults: list[tuple[int, str, str]] = []
    for batch in source.batches(**options):
        rows += batch.rows.to_pylist()
        lines += batch.lines.tolist()
        faults += [(fault.line, str(fault.reason), fault.text) for fault in batch.faults]
    return rows, lines, faults


texts = st.text(st.sampled_from('aé€😀"\\/{}[],: \n\t'), max_size=8)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(10**25), 10**25), texts)
keys = st.sampled_from(["a", "b", 'c"/~'])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
objects = st.lists(st.dictionaries(keys, values, max_size=3), min_size=1, max_size=6)


def written(rows: list[dict[str, Any]], layout: str) -> str:
    if layout == "lines":
        return "".join(json.dumps(row) + "\n" for row in rows)
    if layout == "spread":
        return "\n".join(json.dumps(row, indent=1, ensure_ascii=False) for row in rows)
    return json.dumps(rows, indent=2 if layout == "indented" else None, ensure_ascii=False)


@given(objects, st.sampled_from(["lines", "list", "indented", "spread"]), st.sampled_from([19, 1 << 20]))
@settings(max_examples=40, deadline=None)
def test_what_a_json_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], layout: str, block: int
) -> None:
    # one object alone that holds a list of objects may be the wrapping of a list, and is taken for it
    assume(len(rows) > 1 or not any(isinstance(cell, list) for cell in rows[0].values()))
    path = tmp_path_factory.mktemp("json") / "data.json"
    path.write_text(written(rows, layout), encoding="utf-8")
    if not any(rows):
        with pytest.raises(DataError, match="has no JSON objects with values"):
            open_source(path)
        return
    source = open_source(path)
    read, _, faults = rows_of(source, block=block)
    assert faults == []
    assert list(source.columns) == list(dict.fromkeys(key for row in rows for key in row))
    assert len(read) == len(rows)
    for cells, row in zip(read, rows, strict=True):
        for key, cell in cells.items():
            value = row.get(key)
            if isinstance(value, str):
                assert cell == value
            else:
                assert (None if cell is None else json.loads(cell)) == value


def test_each_bad_line_is_named_and_costs_itself_only(file: Write) -> None:
    path = file('{"a":1}\n\n{"a":2,}}\n  \n[3]\n{"a":4}\nnull\n{"a":"5\n{"a":6}')
    rows, lines, faults = rows_of(open_source(path))
    assert (rows, lines) == ([{"a": "1"}, {"a": "4"}, {"a": "6"}], [1, 6, 9])
    assert faults == [
        (3, "not JSON", '{"a":2,}}'),
        (5, "not a JSON object", "[3]"),
        (7, "not a JSON object", "null"),
        (8, "not JSON", '{"a":"5'),
    ]


def test_a_key_that_comes_last_is_a_column_too(file: Write) -> None:
    path = file("".join(f'{{"id":{i}}}\n' for i in range(200_000)) + '{"id":200000,"late":true}\n')
    source = open_source(path)
    assert source.columns == ("id", "late")
    rows = rows_of(source, columns=["late"])[0]
    assert len(rows) == 200_001
    assert [row["late"] for row in rows if row["late"] is not None] == ["true"]


def test_cells_are_text_that_means_the_same(file: Write) -> None:
    path = file(
        '{"big":12345678901234567890123,"id":9007199254740993,"price":19.99,"three":1.034,"small":1e-7,'
        '"yes":true,"none":null,"text":"\\u00f1 \\"x\\"\\n","empty":"","quoted":"1.034",'
        '"nested":{"n":9007199254740993,"list":[1,"a"]},"list":[]}\n'
    )
    (row,) = rows_of(open_source(path))[0]
    assert row == {
        "big": "12345678901234567890123",
        "id": "9007199254740993",
        "price": "19.99",
        "three": "1.0340",
        "small": "1e-7",
        "yes": "true",
        "none": None,
        "text": 'ñ "x"\n',
        "empty": "",
        "quoted": "1.034",
        "nested": '{"n":9007199254740993,"list":[1,"a"]}',
        "list": "[]",
    }


@pytest.mark.parametrize(
    "content",
    [
        '{"a":1}\n{"a":2}\n',
        '{"a":1}\r\n{"a":2}\r\n',
        '[{"a":1},{"a":2}]',
        '[\n  {"a": 1},\n  {"a": 2}\n]\n',
        '{\n "a": 1\n}\n{\n "a": 2\n}\n',
        '{"a":1},\n{"a":2}\n',
        '{"a":1}{"a":2}',
        '{"orders":[{"a":1},{"a":2}],"count":2}',
        '{"count": 2, "next": null, "results": [{"a":1},\n{"a":2}], "links": {"x": [{"y": 1}]}}\n',
        '\ufeff[{"a":1},{"a":2}]',
        '{"a":1}\n{"a":2}\n'.encode("utf-16"),
        gzip.compress(b'{"a":1}\n{"a":2}\n', mtime=0),
    ],
)
def test_objects_are_found_however_they_follow_one_another(file: Write, content: str | bytes) -> None:
    source = open_source(file(content))
    for block in (5, 1 << 20):
        assert rows_of(source, block=block)[0] == [{"a": "1"}, {"a": "2"}]


def test_a_row_that_holds_a_list_of_objects_is_still_a_row(file: Write) -> None:
    source = open_source(file('{"order":1,"items":[{"sku":"x"},{"sku":"y"}]}\n'))
    assert rows_of(source)[0] == [{"order": "1", "items": '[{"sku":"x"},{"sku":"y"}]'}]


def test_what_stands_beside_a_list_is_told_to_be_left_out(file: Write) -> None:
    (note,) = open_source(file('{"data":[{"a":1}],"meta":{"n":1}}')).notes
    assert str(note) == "The rows of data.json are a list in it; what stands beside the list was left out."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('[{"a":1},\n{"a":2]', "data.json is not whole JSON: what begins on line 2 does not end."),
        ('[{"a":1},\n{"a":"2}]', "data.json is not whole JSON: what begins on line 2 does not end."),
        ('[{"a":1}]\n[{"a":2}]', "data.json is not one piece of JSON: something follows its end on line 2."),
        ('{"data":[{"a":1}],"n":1', "data.json is not whole JSON: what begins on line 1 does not end."),
        ("[]", "data.json has no JSON objects with values."),
        ("{}", "data.json has no JSON objects with values."),
    ],
)
def test_json_that_is_not_whole_is_refused(file: Write, content: str, sentence: str) -> None:
    with pytest.raises(DataError) as refused:
        open_source(file(content))
    assert str(refused.value) == sentence


def test_strange_things_in_a_list_are_named(file: Write) -> None:
    rows, lines, faults = rows_of(open_source(file('[{"a":1},\n 5, "x",\n{"a":2},\n[7],\n{"a":1 2}]')))
    assert (rows, lines) == ([{"a": "1"}, {"a": "2"}], [1, 3])
    assert [(line, reason) for line, reason, _ in faults] == [
        (1, "not JSON"),
        (4, "not a JSON object"),
        (5, "not JSON"),
    ]


def test_objects_keyed_by_something_else_are_refused(file: Write) -> None:
    path = file(json.dumps({f"user{i}": {"n": i} for i in range(6000)}))
    with pytest.raises(DataError, match="more than 5,000 different keys"):
        open_source(path)


def test_the_text_of_a_line_is_found_again(file: Write) -> None:
    source = open_source(file('{"a":1}\n{"a": [2]}\n'))
    assert source.texts([2]) == {2: '{"a": [2]}'}


@given(st.text(st.sampled_from('{}[]"\\a,'), max_size=40))
@settings(max_examples=100, deadline=None)
def test_brackets_are_those_that_a_reader_of_letters_sees(text: str) -> None:
    at, depth, inside, escaped, level = [], [], False, False, 0
    for place, letter in enumerate(text):
        if letter == '"' and not escaped:
            inside = not inside
        elif letter in "{}[]" and not inside:
            level += 1 if letter in "{[" else -1
            at.append(place)
            depth.append(level)
        escaped = letter == "\\" and not escaped
    found = brackets(text.encode())
    assert (found[0].tolist(), found[1].tolist()) == (at, depth)
