"""Every sentence of the package can be read in Spanish."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel import numbers
from hypothesis import given
from hypothesis import strategies as st

from tools import texts
from workbench.locale import Texts


@pytest.fixture(scope="module")
def spanish() -> dict[str, str]:
    return {
        message.id: "" if message.fuzzy else message.string
        for message in texts.read_catalogue()
        if isinstance(message.id, str) and message.id
    }


@pytest.mark.requirement("U06")
def test_every_sentence_is_translated(spanish: dict[str, str]) -> None:
    missing = [f"{places[0]}: {text}" for text, places in texts.collect().items() if not spanish.get(text)]
    assert not missing, "\n".join([f"{len(missing)} sentences lack their Spanish:", *missing])


@pytest.mark.requirement("U06")
def test_no_translation_is_left_over(spanish: dict[str, str]) -> None:
    assert sorted(spanish.keys() - texts.collect().keys()) == []


@pytest.mark.requirement("U06")
def test_a_translation_fills_in_the_same_values_in_the_same_form(spanish: dict[str, str]) -> None:
    wrong = [
        (english, text)
        for english, text in spanish.items()
        if text and texts.placeholders(english) != texts.placeholders(text)
    ]
    assert wrong == []


@pytest.mark.requirement("U06")
def test_sentences_are_not_put_together_before_translation() -> None:
    wrong = [
        f"{path.relative_to(texts.ROOT)}, {found}"
        for path in sorted((texts.ROOT / "workbench").rglob("*.py"))
        for found in texts.built_sentences(path.read_text(encoding="utf-8"))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.requirement("U06")
@given(st.one_of(st.floats(-1e9, 1e9), st.integers(-4000, 4000).map(lambda n: n / 8)))
def test_numbers_are_written_as_the_locale_writes_them(value: float) -> None:
    share = value / 100
    for language in ("en", "es"):
        t = Texts(language)
        usual = [
            (t.count(value), round(value), "#,##0"),
            (t.whole_percent(share), round(share * 100, 4), "#,##0.###"),
            (t.percent(share, 2), share * 100, "#,##0.00"),
        ]
        for written, number, pattern in usual:
            known = numbers.format_decimal(number, format=pattern, locale=t.locale).replace("-", "−")
            assert written.removesuffix(" %") == known or written[0] in "<>"


SOURCE = """
def view(self, t, n):
    t("Save")
    self.t("Kept as "
           "one sentence")
    raise DataError("{file} is empty." if n else "No file.", file=n)
    t(f"{n} rows")
    say("a" + n)
    print("not for a reader")
    t(name)
"""


def test_sentences_are_found_wherever_they_are_put_into_words() -> None:
    assert list(texts.sentences(SOURCE)) == ["Save", "Kept as one sentence", "{file} is empty.", "No file."]
    assert [found.split(":")[0] for found in texts.built_sentences(SOURCE)] == ["line 7", "line 8"]


def test_collecting_again_keeps_translations_and_drops_what_is_no_longer_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "workbench"
    package.mkdir()
    catalogue = package / "es.po"
    monkeypatch.setattr(texts, "ROOT", tmp_path)
    monkeypatch.setattr(texts, "SPANISH", catalogue)
    catalogue.write_text(
        """\
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "Save"
msgstr "Guardar"

msgid "Old"
msgstr "Viejo"

#, fuzzy
msgid "New"
msgstr "¿?"
""",
        encoding="utf-8",
    )
    (package / "page.py").write_text('t("Save"); t("New"); say("Added")', encoding="utf-8")

    texts.main()

    kept = {message.id: (message.string, message.fuzzy) for message in texts.read_catalogue() if message.id}
    assert kept == {"Save": ("Guardar", False), "New": ("¿?", True), "Added": ("", False)}
    first = catalogue.read_bytes()
    texts.main()
    assert catalogue.read_bytes() == first
