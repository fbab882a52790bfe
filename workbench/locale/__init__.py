"""Every word and number a person reads, in the reader's language.

English strings are the source; `es/LC_MESSAGES/workbench.po` is the Spanish catalogue, compiled in memory
when first needed. `t = Texts("es")` is handed to whatever makes text: `t("Save")`, `t.percent(0.15)`.

What is computed once and read in either language (checks, verdicts, errors) is a `Message`: an English
template and its raw values, worded only when shown. A placeholder names how its value is written:
`{n:count}`, `{share:percent}`, `{difference:points}`, `{lift:signed_percent}`, `{amount:money}`,
`{amount:signed_money}`, `{p:number}`, `{day:date}`, `{names:listing}`; without a name it is put in as it is.
"""

from __future__ import annotations

import gettext
import io
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from math import floor, log10
from typing import Any

from babel import Locale, dates, numbers
from babel.messages import mofile, pofile

LANGUAGES = ("en", "es")
_LOCALES = {"en": "en_US", "es": "es_ES"}
_DASH = "–"


@dataclass(frozen=True)
class Message:
    """A sentence before it is put into a language.

    Attributes:
        text: The English template, the key of the catalogue.
        values: Raw values for its placeholders.
    """

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return Texts("en")(self)


def say(text: str, **values: Any) -> Message:
    """A `Message`; the name under which templates are collected for translation.

    >>> str(say("{n:count} rows were left out.", n=1200))
    '1,200 rows were left out.'
    """
    return Message(text, values)


@lru_cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    source = resources.files(__package__) / language / "LC_MESSAGES" / "workbench.po"
    compiled = io.BytesIO()
    mofile.write_mo(compiled, pofile.read_po(io.BytesIO(source.read_bytes())))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def choose_language(*wishes: str | None) -> str:
    """The first wish that we speak: a code, or an Accept-Language header; English if none.

    >>> choose_language(None, "fr-FR,es;q=0.8")
    'es'
    """
    for wish in wishes:
        for part in (wish or "").split(","):
            code = part.split(";")[0].strip().lower()[:2]
            if code in LANGUAGES:
                return code
    return "en"


class Texts:
    """Words and numbers in one language.

    Args:
        language: `en` or `es`.
        currency: ISO 4217 code of the project's money, used by `money`.
    """

    def __init__(self, language: str = "en", currency: str = "EUR") -> None:
        self.language = language
        self.currency = currency
        self.locale = Locale.parse(_LOCALES[language])
        symbols = self.locale.number_symbols["latn"]
        self._separators = str.maketrans({",": symbols["group"], ".": symbols["decimal"], "-": "−"})
        self._catalogue = _catalogue(language)
        self._formatter = _Formatter(self)

    def __call__(self, message: str | Message, **values: Any) -> str:
        """The message in this language, with its values filled in.

        >>> Texts("es")("{first} and {last}", first="A", last="B")
        'A y B'
        """
        if isinstance(message, Message):
            template, values = message.text, {**message.values, **values}
        else:
            template = message
        text = self._catalogue.gettext(template) if template else ""
        return self._formatter.vformat(text, (), values) if values else text

    def number(self, value: float, digits: int = 3) -> str:
        """`digits` significant digits; whole numbers above that stay whole.

        >>> Texts("en").number(0.123456), Texts("es").number(1234.5678)
        ('0.123', '1.235')
        """
        if value == 0 or value != value:
            return "0" if value == 0 else _DASH
        if abs(value) < 1e-6:
            return numbers.format_scientific(value, format="0.#E0", locale=self.locale)
        after = max(0, digits - 1 - floor(log10(abs(value))))
        return self._decimal(round(value, after), after)

    def plain(self, value: float) -> str:
        """A number as a person would type it.

        >>> Texts("en").plain(95.0), Texts("es").plain(0.05)
        ('95', '0,05')
        """
        return numbers.format_decimal(float(f"{value:.6g}"), format="#,##0.######", locale=self.locale)

    def p_value(self, value: float) -> str:
        """A p value with its relation.

        >>> Texts("en").p_value(0.0183), Texts("es").p_value(2e-9)
        ('= 0.0183', '< 0,001')
        """
        return f"< {self.number(0.001, 1)}" if value < 0.001 else f"= {self.number(value)}"

    def signed_number(self, value: float) -> str:
        """A change with its sign, three significant digits.

        >>> Texts("en").signed_number(-0.25)
        '−0.250'
        """
        text = self.number(abs(value))
        return text if value == 0 else ("+" if value > 0 else "−") + text

    def count(self, value: float) -> str:
        """A whole number with its thousands marked.

        >>> Texts("en").count(20000), Texts("es").count(20000)
        ('20,000', '20.000')
        """
        return self._decimal(round(value), 0)

    def percent(self, value: float, after: int = 1) -> str:
        """A share as per cent; never `0.0 %` for something that is not zero.

        >>> Texts("en").percent(0.15), Texts("es").percent(0.0001), Texts("en").percent(0.9999)
        ('15.0 %', '< 0,1 %', '> 99.9 %')
        """
        step = 10.0**-after
        if 0 < value * 100 < step:
            return f"< {self._decimal(step, after)} %"
        if 100 - step < value * 100 < 100:
            return f"> {self._decimal(100 - step, after)} %"
        return f"{self._decimal(value * 100, after)} %"

    def share(self, value: float) -> str:
        """A rate with three significant digits.

        >>> Texts("en").share(0.15), Texts("en").share(0.0531), Texts("es").share(0.005123)
        ('15.0 %', '5.31 %', '0,512 %')
        """
        return f"{self.number(value * 100)} %"

    def whole_percent(self, value: float) -> str:
        """A level such as that of an interval, without needless decimals.

        >>> Texts("en").whole_percent(0.95), Texts("es").whole_percent(0.975)
        ('95 %', '97,5 %')
        """
        text = f"{Decimal(str(round(value * 100, 4))):,.3f}".rstrip("0").rstrip(".")
        return f"{text.translate(self._separators)} %"

    def signed_percent(self, value: float, after: int = 1) -> str:
        """A relative change with its sign.

        >>> Texts("en").signed_percent(0.25), Texts("en").signed_percent(-0.031)
        ('+25.0 %', '−3.1 %')
        """
        return self._signed(value * 100, after) + " %"

    def points(self, value: float) -> str:
        """A difference of shares in percentage points, signed, without the unit's name.

        >>> Texts("en").points(0.03), Texts("es").points(-0.0123), Texts("en").points(0.0029)
        ('+3.0', '−1,2', '+0.29')
        """
        return self._signed(value * 100, 2 if 0.005 <= abs(value * 100) < 1 else 1)

    def size_points(self, value: float) -> str:
        """The size of something in percentage points, two decimals, without a sign.

        >>> Texts("en").size_points(0.000144), Texts("en").size_points(0.0000001)
        ('0.01', '< 0.01')
        """
        if 0 < abs(value) * 100 < 0.01:
            return f"< {self._decimal(0.01, 2)}"
        return self._decimal(abs(value) * 100, 2)

    def money(self, value: float, *, signed: bool = False, digits: int = 3) -> str:
        """An amount in the project's currency with `digits` significant digits, two decimals at most.

        What is not nothing is never written as nothing.

        >>> Texts("en").money(35.219), Texts("es").money(1234567), Texts("en").money(0.001)
        ('€35.2', '1.234.567\\xa0€', '< €0.01')
        """
        size = abs(value)
        if 0 < size < 0.005 and not signed:
            return "< " + self.money(0.01)
        after = 2 if size < 10**-2 else min(2, max(0, digits - 1 - floor(log10(size))))
        pattern = self.locale.currency_formats["standard"].pattern.split(";")[0]
        decimals = "#,##0" + ("." + "0" * after if after else "")
        shown = round(size, after)
        text = numbers.format_currency(
            shown,
            self.currency,
            format=pattern.replace("#,##0.00", decimals),
            locale=self.locale,
            currency_digits=False,
        )
        if value < 0 and shown:
            return "−" + text
        return "+" + text if signed and shown else text

    def signed_money(self, value: float) -> str:
        """An amount that is a change, with its sign."""
        return self.money(value, signed=True)

    def date(self, value: Any) -> str:
        """A day, written out briefly; as a date, or in ISO 8601 as records keep it.

        >>> from datetime import date
        >>> Texts("en").date(date(2026, 3, 5)), Texts("es").date("2026-03-05")
        ('5 Mar 2026', '5 mar 2026')
        """
        value = datetime.fromisoformat(value) if isinstance(value, str) else value
        return dates.format_date(value, "d MMM y", locale=self.locale)

    def month(self, value: Any) -> str:
        """A month of a year.

        >>> from datetime import date
        >>> Texts("en").month(date(2026, 3, 1)), Texts("es").month("2026-03-01")
        ('Mar 2026', 'mar 2026')
        """
        value = datetime.fromisoformat(value) if isinstance(value, str) else value
        return dates.format_date(value, "MMM y", locale=self.locale)

    def listing(self, items: list[str]) -> str:
        """Words joined as the language joins them.

        >>> Texts("es").listing(["a", "b", "c"]), Texts("es").listing(["España", "Italia"])
        ('a, b y c', 'España e Italia')
        """
        if len(items) < 2:
            return "".join(items)
        last = items[-1]
        if self.language == "es" and re.match(r"h?[ií](?!e)", last.lstrip("“«(").lower()):
            return f"{', '.join(items[:-1])} e {last}"  # «y» becomes «e» before the sound of an i
        return self("{first} and {last}", first=", ".join(items[:-1]), last=last)

    def sentences(self, items: list[str]) -> str:
        """Whole sentences, one after the other."""
        return " ".join(items)

    def _signed(self, value: float, after: int) -> str:
        shown = round(value, after)
        sign = "+" if shown > 0 else "−" if shown < 0 else ""
        return sign + self._decimal(abs(shown), after)

    def _decimal(self, value: float, after: int) -> str:
        # what babel's `format_decimal` writes, in a fiftieth of its time: tables hold hundreds of numbers
        return f"{Decimal(str(value)):,.{after}f}".translate(self._separators)


class _Formatter(string.Formatter):
    """Fills placeholders in; a format that is the name of a method of `Texts` is written by it."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def format_field(self, value: Any, format_spec: str) -> Any:
        if isinstance(value, Message):
            return self._texts(value)
        if isinstance(value, list | tuple):
            value = [self.format_field(item, "") for item in value]
        if format_spec.isidentifier():
            return getattr(self._texts, format_spec)(value)
        return super().format_field(value, format_spec)
