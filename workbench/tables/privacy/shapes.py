"""How personal data is written: shapes, and the check digits that tell it from other numbers.

Each shape is a regular expression without looking around, so that Arrow (RE2) can find the few texts that
are worth a closer look; what may stand before and after it is looked at in Python.

Check digits: IBAN by ISO 13616 (remainder 1 of 97, length of its country); cards by ISO/IEC 7812 (Luhn) and
the first digits of the issuers; DNI and NIE by the letter of the remainder of 23 (Real Decreto 1553/2005).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from workbench.tables.privacy.names import Kind

_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_IBAN_FORMS: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24"
    " FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28"
    " LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29"
    " RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
)
_IBAN_LENGTHS: Final = {form[:2]: int(form[2:]) for form in _IBAN_FORMS.split()}
_CARD: Final = re.compile(
    r"4\d{15}|4\d{18}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}"
)
"""Visa, Mastercard, American Express, Diners Club, Discover, JCB."""
_FILES: Final = re.compile(r"png|jpe?g|gif|svg|webp|avif|ico|m?js|css|map|html?|php", re.IGNORECASE)
_ENCODED: Final = "|".join(f"(?<=%{code})" for code in ("3D", "2F", "3A", "26", "20", "22", "2C", "3C"))
"""Marks that are letters and digits only because an address on the web has them so."""
_A_REFERENCE: Final = re.compile(
    r"(?:pedidos?|orders?|factura|invoice|ticket|ref\w*|sku|ean|c[oó]digo|code|n[.º°]+|#)\W{0,4}"
    r"(?:n\w*\W{0,3})?$",
    re.IGNORECASE,
)


def is_iban(text: str) -> bool:
    """Whether this is an IBAN, blanks aside.

    >>> is_iban("ES91 2100 0418 4502 0005 1332"), is_iban("ES91 2100 0418 4502 0005 1333")
    (True, False)
    """
    plain = re.sub(r"\s", "", text).upper()
    if not plain.isascii() or len(plain) != _IBAN_LENGTHS.get(plain[:2]):
        return False
    return int("".join(str(int(mark, 36)) for mark in plain[4:] + plain[:4])) % 97 == 1


def is_card(text: str) -> bool:
    """Whether this is the number of a payment card, blanks and hyphens aside.

    >>> is_card("4111 1111 1111 1111"), is_card("4111 1111 1111 1112")
    (True, False)
    """
    digits = re.sub(r"[ -]", "", text)
    if not _CARD.fullmatch(digits):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def is_identity_document(text: str) -> bool:
    """Whether this is a Spanish DNI or NIE.

    >>> [is_identity_document(text) for text in ("12345678Z", "X-1234567-L", "12345678A")]
    [True, True, False]
    """
    plain = re.sub(r"[. -]", "", text).upper()
    if not re.fullmatch(r"(?:\d|[XYZ])\d{7}[A-Z]", plain):
        return False
    number = int(plain[:-1].translate(str.maketrans("XYZ", "012")))
    return plain[-1] == _DNI_LETTERS[number % 23]


@dataclass(frozen=True)
class Shape:
    """One way in which one kind of personal data is written.

    Attributes:
        kind: What it is.
        shape: As RE2 and Python both read it. What its group `keep` matches stays.
        before, after: What may stand around it; zero-width.
        check: Whether a match is one.
        seldom: What a text must hold at least, for RE2, where that is quicker to find than the shape.
    """

    kind: Kind
    shape: str
    before: str = rf"(?:(?<!\w)|{_ENCODED})"
    after: str = r"(?!\w)"
    check: Callable[[re.Match[str]], bool] = field(default=lambda match: True)
    seldom: str = ""

    @property
    def hint(self) -> str:
        """What finds the texts that may hold one, for RE2."""
        return self.seldom or self.shape.replace("(?P<keep>", "(?:")

    @property
    def pattern(self) -> re.Pattern[str]:
        """The whole expression, for Python."""
        return re.compile(f"{self.before}(?:{self.shape}){self.after}", re.IGNORECASE)


def _is_mail(match: re.Match[str]) -> bool:
    """`logo@2x.png` is no address."""
    return not _FILES.fullmatch(match[0].rpartition(".")[2])


def _is_ip(match: re.Match[str]) -> bool:
    """In a path an address may follow a slash; in a sentence, `Chrome/120.0.0.0` is a version."""
    try:
        ipaddress.ip_address(match[0])
    except ValueError:
        return False
    before = match.string[: match.start()]
    return not (re.search(r"[^/]/$", before) and " " in match.string)


def _is_said(match: re.Match[str]) -> bool:
    """Nine bare digits are a phone in a sentence, where they are not called an order."""
    return " " in match.string.strip() and not _A_REFERENCE.search(match.string[: match.start()])


def _iban() -> str:
    """An IBAN of any country, in one piece or in groups of four."""
    countries: dict[int, list[str]] = {}
    for country, length in _IBAN_LENGTHS.items():
        countries.setdefault(length, []).append(country)
    forms = []
    for length, names in countries.items():
        fours, rest = divmod(length - 4, 4)
        last = f" ?[A-Z0-9]{{{rest}}}" if rest else ""
        forms.append(rf"(?:{'|'.join(names)})\d\d(?: ?[A-Z0-9]{{4}}){{{fours}}}{last}")
    return "|".join(forms)


def _grouped(*forms: str) -> str:
    """Digits in groups (`d` is one), parted all by blanks or all by hyphens."""
    return "|".join(form.replace("d", r"\d").replace(" ", mark) for form, mark in product(forms, (" ", "-")))


_PHONE_WORD: Final = (
    r"\b(?:tel[eé]fonos?|telephone|telf?|tlfn?o?|phone|m[oó]vil|mobile|celular|cell|whatsapp|ll[aá]m\w*|call)"
)
_NO_AMOUNT: Final = r"(?![\w-]|[.,]\d|\s?[€$%])"

SHAPES: Final = (
    Shape(
        "e-mail",
        r"(?:[\w.+'-]|%(?:2B|2E|2D|5F|27)){1,64}(?:@|%(?:25)*40)(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}",
        before=rf"(?:(?<![\w.+%'-])|{_ENCODED})",
        check=_is_mail,
        seldom="@|%(?:25)*40",
    ),
    Shape("IBAN", _iban(), check=lambda match: is_iban(match[0])),
    Shape(
        "card",
        r"\d{14,19}|\d{4}(?:[ -]\d{4}){3}|\d{4}[ -]\d{6}[ -]\d{4,5}",
        before=rf"(?:(?<![\w.-])|{_ENCODED})",
        after=r"(?![\w-]|\.\d)",
        check=lambda match: is_card(match[0]),
    ),
    Shape(
        "identity document",
        r"(?:\d{8}|\d{1,2}\.\d{3}\.\d{3}|[XYZ]-?\d{7})(?:-?[A-Z]|(?-i: [A-Z]))",
        check=lambda match: is_identity_document(match[0]),
    ),
    Shape(
        "IP address",
        r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}",
        before=rf"(?:(?<![\w.-])|{_ENCODED})",
        after=r"(?![\w-]|\.\d)",
        check=_is_ip,
    ),
    Shape("IP address", r"[23f][0-9a-f]{3}:[0-9a-f:]{2,34}[0-9a-f:]", after=r"(?![\w:])", check=_is_ip),
    Shape(
        "phone",
        r"\(?(?:\+|%2B|00) ?34\)?[ .-]?[6-9](?:[ .-]?\d){8}"
        r"|\(?(?:\+|%2B) ?[1-9](?:[ .()-]{0,2}\d){7,14}"
        r"|00[1-9]\d{0,2}[ .-]\(?\d{1,4}\)?(?:[ .-]\d{2,4}){1,4}",
        before=rf"(?:(?<![\w+])|{_ENCODED})",
        after=r"(?!\d)",
    ),
    Shape(
        "phone",
        _grouped("[6-9]dd ddd ddd", "[6-9]dd dd dd dd", "9d ddd dd dd", r"\(9d{1,2}\) ?d{2,3} dd dd")
        + r"|[6-9]\d\d\.\d\d\.\d\d\.\d\d|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4}"
        r"|0[1-9](?:[ .]\d\d){4}|0\d{4} \d{6}|0\d{2,3} \d{3,4} \d{4}",
        before=r"(?<![\w/=.,-])",
        after=_NO_AMOUNT,
    ),
    Shape("phone", rf"(?P<keep>{_PHONE_WORD}[^\w/]{{1,12}})\d(?:[ .-]?\d){{8,11}}", before=""),
    Shape("phone", r"(?P<keep>wa\.me/)\d{9,14}"),
    Shape("phone", r"(?P<keep>^|[\s(:])[679]\d{8}(?:$|\b)", before="", after=_NO_AMOUNT, check=_is_said),
)
