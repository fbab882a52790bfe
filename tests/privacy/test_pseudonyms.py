"""Pseudonyms and their key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from workbench.errors import ProjectError
from workbench.tables.privacy.keys import ENVIRONMENT, key_file, key_fingerprint, make_key, read_key
from workbench.tables.privacy.pseudonyms import pseudonym, pseudonyms

Race = Callable[[str, str, list[list[str]]], list[str]]
KEY = bytes(range(32))
IDS = ["ana@example.com", "C-0017", "4711", "José Ñandú", "straße", "x" * 300, "用户"]


def by_hmac(text: str) -> int:
    """Python's own HMAC of a text that needs no normalising."""
    return int.from_bytes(hmac.new(KEY, text.encode(), hashlib.sha256).digest()[:8], "big") % 2**63


def by_duckdb(text: str) -> int:
    """The form of RFC 2104 in SQL, from two calls of sha256."""
    block = KEY.ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block).hex() for pad in (0x36, 0x5C))
    sql = f"SELECT sha256(unhex('{outer}') || unhex(sha256(unhex('{inner}') || encode(?))))"
    with duckdb.connect() as database:
        ((digest,),) = database.execute(sql, [text]).fetchall()
    return int(digest[:16], 16) % 2**63


@pytest.mark.requirement("G01")
@pytest.mark.parametrize("text", [text for text in IDS if text == text.casefold()])
def test_a_pseudonym_is_the_beginning_of_an_hmac(text: str) -> None:
    assert pseudonym(KEY, text) == by_hmac(text) == by_duckdb(text)


def test_the_published_test_vector() -> None:
    # RFC 4231, test case 2: key "Jefe", data "what do ya want for nothing?"
    assert pseudonym(b"Jefe", "what do ya want for nothing?") == 0x5BDCC146BF60754E


@pytest.mark.requirement("G01")
def test_capitals_blanks_and_ways_of_writing_an_accent_make_no_difference() -> None:
    assert pseudonym(KEY, "  Ana@Example.COM\t") == pseudonym(KEY, "ana@example.com")
    assert pseudonym(KEY, "Jose\u0301") == pseudonym(KEY, "jos\u00e9")
    assert pseudonym(KEY, "STRASSE") == pseudonym(KEY, "Straße")
    assert pseudonym(KEY, "0017") != pseudonym(KEY, "17")
    assert pseudonym(KEY, " ") is None


def test_a_column_is_hashed_as_its_cells_are() -> None:
    cells = [*IDS, None, "", "C-0017", " c-0017 "]
    column = pa.chunked_array([cells[:4], [], cells[4:]], pa.string())
    hashed = pseudonyms(KEY)(column)
    assert hashed.type == pa.int64()
    assert hashed.to_pylist() == [None if cell is None else pseudonym(KEY, cell) for cell in cells]
    assert pseudonyms(KEY)(column.dictionary_encode()).equals(hashed)
    assert pseudonyms(KEY)(pa.array([], pa.string())).to_pylist() == []


def test_pseudonyms_are_spread_evenly_and_differ() -> None:
    numbers = pseudonyms(KEY)(pa.array([str(number) for number in range(20_000)])).to_pylist()
    assert len(set(numbers)) == 20_000
    assert min(numbers) >= 0
    # mean of 20,000 uniform draws: standard error 0.2 % of the range
    assert abs(sum(numbers) / 20_000 / 2**63 - 0.5) < 0.01


def test_another_key_gives_other_pseudonyms() -> None:
    assert pseudonym(KEY, "ana@example.com") != pseudonym(KEY[::-1], "ana@example.com")


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "keys"))
    (tmp_path / "shop").mkdir()
    return tmp_path / "keys"


@pytest.mark.requirement("G01")
def test_a_key_lies_outside_the_project_and_is_its_owners_alone(keys: Path, tmp_path: Path) -> None:
    key = make_key("p1", tmp_path / "shop")
    file = key_file("p1")
    assert len(key) == 32
    assert file.parent == keys
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.stat().st_mode & 0o777 == 0o700
    assert not any((tmp_path / "shop").iterdir())
    assert read_key("p1", tmp_path / "shop", key_fingerprint(key)) == key == make_key("p1", tmp_path / "shop")
    assert make_key("p2", tmp_path / "shop") != key


@pytest.mark.usefixtures("keys")
def test_each_thing_that_can_be_wrong_with_a_key_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = tmp_path / "shop"
    with pytest.raises(ProjectError, match=r"not on this computer: copy .*p1\.key"):
        read_key("p1", shop)
    key, file = make_key("p1", shop), key_file("p1")
    with pytest.raises(ProjectError, match="not the key that this project was made with"):
        read_key("p1", shop, key_fingerprint(key[::-1]))
    file.chmod(0o640)
    with pytest.raises(ProjectError, match="chmod 600"):
        read_key("p1", shop)
    file.chmod(0o600)
    for damage in ("", file.read_text()[:40], "z" * 64):
        file.write_text(damage)
        with pytest.raises(ProjectError, match="damaged"):
            make_key("p1", shop)
    with pytest.raises(ProjectError, match="no project id"):
        key_file("../p1")
    monkeypatch.setenv(ENVIRONMENT, str(shop / "keys"))
    with pytest.raises(ProjectError, match="must not lie inside"):
        make_key("p1", shop)
    assert not any(shop.iterdir())


def test_processes_that_make_a_key_at_once_end_with_one(keys: Path, tmp_path: Path, race: Race) -> None:
    made = race(
        "from pathlib import Path; from workbench.tables.privacy.keys import make_key",
        "print(make_key('p1', Path(sys.argv[1])).hex())",
        [[str(tmp_path / "shop")]] * 3,
    )
    assert set(made) == {make_key("p1", tmp_path / "shop").hex()}
    assert len(list(keys.glob("*.key"))) == 1
