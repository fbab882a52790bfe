"""The scripts of live pages: learnt from the first reader, and in one piece for all others."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from workbench.publish.scripts import Scripts

_ADDRESSES = (
    "/p/home/voila/static/12.voila.js",
    "/base/voila/static/12.voila.js?v=0f",
    "/voila/labextensions/anywidget/static/2.3dbf.js?v=3dbf",
    "/voila/static/vega_runtime.js",  # the head of each page asks for it anyway
    "/voila/static/../../etc/passwd",
    '/voila/static/x.js?v="><script>',
    "/p/home/live",
)
_PROGRAM = "var program = 1;"
_PARTS = (
    "(self.webpackChunk_A=self.webpackChunk_A||[]).push([[1],{1(){return 1}}])",
    '"use strict";\n(self["webpackChunk_A"] = self["webpackChunk_A"] || []).push([[2],{2(){return 2}}]);//',
    '/*! License */\n"use strict";(self.rspackChunk_b=self.rspackChunk_b||[]).push([[3],{3(){}}]); // end',
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "file.js"
    made.write_text(_PROGRAM)
    return made


def _learn(parts: tuple[str, ...], file: Path) -> Scripts:
    scripts = Scripts()
    for number, text in enumerate(parts):
        file.write_text(text)
        scripts.note(f"/voila/static/{number}.js", file)
    return scripts


def test_a_page_names_the_scripts_that_were_asked_for_before(file: Path) -> None:
    scripts = Scripts()
    for address in _ADDRESSES:
        scripts.note(address, file)
    assert list(scripts) == [
        "voila/static/12.voila.js",
        "voila/labextensions/anywidget/static/2.3dbf.js?v=3dbf",
    ]
    assert scripts.bundle == ""
    for number in range(1000):
        scripts.note(f"/voila/static/{number}.js", file)
    assert len(list(scripts)) == 200


def test_parts_of_programs_are_handed_out_in_one_piece(file: Path) -> None:
    scripts = _learn((*_PARTS, _PROGRAM), file)
    assert list(scripts) == ["voila/static/3.js"]
    text = gzip.decompress(scripts.packed(scripts.bundle) or b"").decode()
    assert all(part in text for part in _PARTS)
    assert _PROGRAM not in text


def test_a_bundle_stays_what_its_name_says(file: Path) -> None:
    scripts = _learn(_PARTS[:1], file)
    first = scripts.bundle
    before = scripts.packed(first)
    file.write_text(_PARTS[1])
    scripts.note("/voila/static/more.js", file)
    assert scripts.bundle != first
    assert scripts.packed(scripts.bundle) != before == scripts.packed(first)
    assert _learn(_PARTS[:1], file).bundle == first  # another server, the same name for the same content
    assert scripts.packed("0" * 32) is None


def test_nobody_can_make_the_pages_of_others_heavy(file: Path) -> None:
    scripts = Scripts()
    file.write_text(_PARTS[0] + "/*" + "x" * 999_000 + "*/")
    for number in range(100):
        scripts.note(f"/voila/static/{number}.js", file)
    assert len(gzip.decompress(scripts.packed(scripts.bundle) or b"")) < 8_100_000
    assert list(scripts) == []
