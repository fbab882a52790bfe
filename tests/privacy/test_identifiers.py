"""Which columns say who somebody is, and which only look as if they did."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from workbench.tables.privacy.freetext import mask, mask_text
from workbench.tables.privacy.identifiers import direct_identifiers, kind_name
from workbench.tables.privacy.names import named_identifier, sensitive
from workbench.tables.privacy.shapes import is_card, is_iban, is_identity_document

IDENTIFYING = {
    "E-Mail": "e-mail",
    "correo electrónico": "e-mail",
    "customer_email": "e-mail",
    "Billing Phone": "phone",
    "Teléfono móvil": "phone",
    "Nombre": "name",
    "Nombre y apellidos": "name",
    "Shipping Name": "name",
    "firstName": "name",
    "Dirección de envío": "address",
    "customer_ip_address": "IP address",
    "DNI/NIF": "identity document",
    "número de tarjeta": "card",
    "IBAN": "IBAN",
    "fecha_nacimiento": "birth date",
    "user_id": "account",
    "gclid": "device",
}
HARMLESS = [
    "campaign_name",
    "Lineitem name",
    "event name",
    "nombre producto",
    "email_opens",
    "has_email",
    "card_type",
    "tarjeta regalo",
    "billing_city",
    "Shipping Zip",
    "order_number",
    "device",
    "plan",
    "Accepts Marketing",
    "hotel",
    "description",
]


@pytest.mark.requirement("G01")
@pytest.mark.parametrize(("name", "kind"), IDENTIFYING.items())
def test_names_that_identify_people(name: str, kind: str) -> None:
    found = named_identifier(name)
    assert found == kind
    assert str(kind_name(found))


@pytest.mark.parametrize("name", HARMLESS)
def test_names_that_do_not(name: str) -> None:
    assert named_identifier(name) is None


def test_demographic_columns_are_sensitive_and_ages_of_things_are_not() -> None:
    for name in (
        "age",
        "Edad",
        "sexo",
        "gender",
        "fecha nacimiento",
        "estado civil",
        "household_income",
        "salud",
    ):
        assert sensitive(name), name
    for name in (
        "page",
        "country",
        "account_age_days",
        "marca",
        "raza_perro",
        "race_distance",
        "revenue",
        "plan",
    ):
        assert not sensitive(name), name


def spread(make: object, count: int = 400, seed: int = 3) -> list[str]:
    draw = random.Random(seed)
    return [make(draw) for _ in range(count)]  # type: ignore[operator]  # each test gives a function


def dni(number: int) -> str:
    return f"{number:08d}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def luhn(start: str) -> str:
    return next(start + digit for digit in "0123456789" if is_card(start + digit))


def iban(account: str) -> str:
    rest = int(account + "142800") % 97
    return f"ES{98 - rest:02d}{account}"


CELLS = {
    "e-mail": lambda draw: f"user{draw.randrange(10**6)}@mail.example.com",
    "phone": lambda draw: f"+34 6{draw.randrange(10**8):08d}",
    "IP address": lambda draw: ".".join(str(draw.randrange(1, 256)) for _ in range(4)),
    "card": lambda draw: luhn(f"4{draw.randrange(10**14):014d}"),
    "IBAN": lambda draw: iban(f"{draw.randrange(10**20):020d}"),
    "identity document": lambda draw: dni(draw.randrange(10**8)),
}
OTHER_CELLS = {
    "Spanish phones without separators": (
        "phone",
        lambda draw: f"{draw.choice('67')}{draw.randrange(10**8):08d}",
    ),
    "grouped Spanish phones": (
        "phone",
        lambda draw: f"91{draw.randrange(10)} {draw.randrange(100):02d} 45 67",
    ),
    "American phones": (
        "phone",
        lambda draw: f"(415) {draw.randrange(200, 999)}-{draw.randrange(10**4):04d}",
    ),
    "cards in groups": ("card", lambda draw: "4111 1111 1111 1111"),
    "IPv6": ("IP address", lambda draw: f"2a02:9130:{draw.randrange(16**4):x}::{draw.randrange(1, 16**4):x}"),
    "NIE": ("identity document", lambda draw: "X-1234567-L"),
}
TRAPS = {
    "order numbers given out in a row": lambda draw: str(600_000_000 + draw.randrange(5_000)),
    "nine random digits": lambda draw: str(draw.randrange(10**8, 10**9)),
    "sixteen random digits": lambda draw: str(draw.randrange(10**15, 10**16)),
    "prices": lambda draw: f"{draw.randrange(1, 999)}.{draw.randrange(1000):03d},{draw.randrange(100):02d}",
    "grouped numbers": lambda draw: (
        f"{draw.randrange(600, 999)}.{draw.randrange(1000):03d}.{draw.randrange(1000):03d}"
    ),
    "seconds": lambda draw: str(1_700_000_000 + draw.randrange(10**7)),
    "milliseconds": lambda draw: str(1_700_000_000_000 + draw.randrange(10**9)),
    "microseconds": lambda draw: str(1_700_000_000_000_000 + draw.randrange(10**12)),
    "times": lambda draw: f"2026-11-{draw.randrange(1, 29):02d} 10:{draw.randrange(60):02d}:00+0100",
    "compact days": lambda draw: f"202611{draw.randrange(1, 29):02d}",
    "postal codes": lambda draw: f"{draw.randrange(1000, 52999):05d}",
    "EAN-13": lambda draw: f"84{draw.randrange(10**11):011d}",
    "SKUs": lambda draw: f"{draw.randrange(10**8):08d}{draw.choice('ABCDEF')}",
    "UUIDs": lambda draw: "-".join(f"{draw.randrange(16**n):0{n}x}" for n in (8, 4, 4, 4, 12)),
    "versions of browsers": lambda draw: (
        f"Mozilla/5.0 (X11) Chrome/{draw.randrange(90, 130)}.0.0.0 Safari/537.36"
    ),
    "Analytics cookies": lambda draw: (
        f"GA1.2.{draw.randrange(10**9)}.{1_700_000_000 + draw.randrange(10**7)}"
    ),
    "addresses of pages": lambda draw: (
        f"https://shop.example/p/{draw.randrange(6 * 10**8, 8 * 10**8)}?color=rojo"
    ),
    "images": lambda draw: f"logo{draw.randrange(99)}@2x.png",
    "handles": lambda draw: f"@promo{draw.randrange(99)}",
    "order references": lambda draw: f"ES{draw.randrange(10**8)}",
    "leading zeros": lambda draw: f"00{draw.randrange(10**8):08d}",
}


@pytest.mark.requirement("G01")
@pytest.mark.parametrize("kind", CELLS)
def test_cells_that_identify_people_give_their_column_away(kind: str) -> None:
    cells = spread(CELLS[kind])
    assert direct_identifiers(pa.table({"x1": cells})) == {"x1": kind}
    few = cells[:100] + ["other"] * 300
    assert direct_identifiers(pa.table({"x1": few})) == {}


@pytest.mark.parametrize("what", OTHER_CELLS)
def test_other_ways_of_writing_them(what: str) -> None:
    kind, make = OTHER_CELLS[what]
    assert direct_identifiers(pa.table({"x1": spread(make)})) == {"x1": kind}


@pytest.mark.parametrize("what", TRAPS)
def test_cells_that_only_look_like_it(what: str) -> None:
    assert direct_identifiers(pa.table({"x1": spread(TRAPS[what])})) == {}


def test_numbers_in_a_spreadsheet_are_phones_too() -> None:
    phones = [float(cell) for cell in spread(OTHER_CELLS["Spanish phones without separators"][1])]
    assert direct_identifiers(pa.table({"x1": phones, "price": [12.5] * 400})) == {"x1": "phone"}


def test_a_column_of_yes_and_no_is_no_address() -> None:
    rows = pa.table({"email": ["yes", "no", None], "phone": ["1", "0", "1"], "ip": ["x", "y", "z"]})
    assert direct_identifiers(rows) == {"ip": "IP address"}


def test_four_part_versions_are_told_by_their_name() -> None:
    rows = pa.table({"app_version": ["5.12.0.3", "5.13.1.1"], "x1": ["83.45.12.7", "92.1.4.5"]})
    assert direct_identifiers(rows) == {"x1": "IP address"}


def test_check_digits_agree_with_published_examples() -> None:
    # examples of the IBAN registry (SWIFT), of card networks' test numbers, and of the Interior Ministry
    for good in ("GB29 NWBK 6016 1331 9268 19", "DE89370400440532013000", "FR1420041010050500013M02606"):
        assert is_iban(good)
        assert not is_iban(good[:-1] + str((int(good[-1]) + 1) % 10))
    for good in (
        "4242424242424242",
        "5555555555554444",
        "378282246310005",
        "6011111111111117",
        "30569309025904",
    ):
        assert is_card(good)
        assert not is_card(good[:-1] + str((int(good[-1]) + 1) % 10))
    assert is_identity_document("00000000T")
    assert is_identity_document("Z1234567R")
    assert not is_identity_document("Z1234567S")


FOUND = {
    "Escribidme a ana.perez+tienda@correo.example.es, gracias": "Escribidme a [e-mail], gracias",
    "https://s.example/?email=ana%40example.com&p=1": "https://s.example/?email=[e-mail]&p=1",
    "https://s.example/?next=%2Fcuenta%3Fmail%3Dana%40example.com": "https://s.example/?next=%2Fcuenta%3Fmail%3D[e-mail]",
    "https://s.example/ok?nombre=Ana&apellidos=P%C3%A9rez&talla=38": "https://s.example/ok?nombre=[name]&apellidos=[name]&talla=38",
    "https://s.example/?user_id=C0017&utm_source=news": "https://s.example/?user_id=[account]&utm_source=news",
    "Mi número es el 612345678.": "Mi número es el [phone].",
    "612345678 llamad por la tarde": "[phone] llamad por la tarde",
    "tel. 91 123 45 67 o (+34) 612-345-678": "tel. [phone] o [phone]",
    "call me: +44 20 7946 0958": "call me: [phone]",
    "dos: 612 345 678 612 345 679": "dos: [phone] [phone]",
    "wa.me/34612345678": "wa.me/[phone]",
    "pago desde ES91 2100 0418 4502 0005 1332 para el pedido": "pago desde [IBAN] para el pedido",
    "visa 4111-1111-1111-1111 caduca 10/27": "visa [card] caduca 10/27",
    "mi dni 12345678z": "mi dni [identity document]",
    "desde 83.45.12.7 y 2a02:9130:80a1::17": "desde [IP address] y [IP address]",
    "http://83.45.12.7/inicio": "http://[IP address]/inicio",
}
LEFT = [
    "https://shop.example/p/698123456?color=rojo&t=1700000000000",
    "El pedido 698123456 no llegó, ref. 712345678",
    "Pagué 600 000 000 € de más",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/120.0.0.0 Safari/537.36",
    "entrega el 2026-11-24 entre 10:00:00 y 12:30:45",
    "talla 36-38, 3 unidades, 12,50 € cada una",
    "/assets/logo@2x.png",
    "?utm_campaign=otono-2026&page=2&name=",
    "session 123e4567-e89b-12d3-a456-426614174000",
    "https://shop.example/iphone/712345678",
    "",
]


@pytest.mark.requirement("G01")
@pytest.mark.parametrize(("text", "masked"), FOUND.items())
def test_personal_data_inside_a_text_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert mask(masked) == masked  # a masked text is at rest


@pytest.mark.parametrize("text", LEFT)
def test_texts_without_any_stay_as_they_are(text: str) -> None:
    assert mask(text) == text


def test_cells_are_counted_by_what_they_hold() -> None:
    cells = pa.chunked_array(
        [["a@b.example 612 345 678", "a@b.example 612 345 678", None], ["clean", "x@y.example"]]
    )
    masked, counts = mask_text(cells)
    assert masked.to_pylist() == ["[e-mail] [phone]", "[e-mail] [phone]", None, "clean", "[e-mail]"]
    assert counts == {"e-mail": 3, "phone": 2}


def test_masking_in_bulk_equals_masking_one_by_one() -> None:
    draw = random.Random(9)
    texts = [*FOUND, *LEFT]
    cells = [draw.choice(texts) + draw.choice(["", " ", " fin"]) for _ in range(500)]
    bulk, _ = mask_text(pa.chunked_array([cells[:200], cells[200:]]))
    assert bulk.to_pylist() == [mask(cell) for cell in cells]


def test_no_text_is_too_odd_to_be_looked_at() -> None:
    draw = random.Random(11)
    # digits of other scripts, signs that become letters of ours in capitals, halves of what is looked for
    pieces = [
        *"0123456789ESk@.:-+/%? (=&",
        "\u0663",
        "\u212a",
        "\u017f",
        "ES91",
        "%40",
        "tel",
        "2a02:",
        "é",
        "\n",
        "🙂",
    ]
    cells = ["".join(draw.choices(pieces, k=draw.randrange(40))) for _ in range(3000)]
    masked, counts = mask_text(pa.array(cells))
    assert len(masked) == len(cells)
    assert "phone" in counts  # some do hold something
    changed = [cell for cell, after in zip(cells, masked.to_pylist(), strict=True) if cell != after]
    assert 0 < len(changed) < len(cells)


def test_every_iban_form_is_found_in_a_sentence() -> None:
    # two countries with other lengths than Spain's (IBAN registry, SWIFT)
    for good in ("NO93 8601 1117 947", "MT84 MALT 0110 0001 2345 MTLC AST0 01S"):
        assert mask(f"pay to {good} please") == "pay to [IBAN] please"
