"""What columns are called, in English and Spanish, that say who somebody is, or what is nobody's business.

Names are compared as words (`guess.words`): without accents and capitals, split at `_`, blanks and humps.
"""

from __future__ import annotations

from typing import Final, Literal

from workbench.tables.guess import words

Kind = Literal[
    "e-mail",
    "phone",
    "name",
    "address",
    "identity document",
    "IP address",
    "card",
    "IBAN",
    "birth date",
    "account",
    "device",
    "location",
    "secret",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SURE_BY_KIND: Final[tuple[tuple[Kind, str], ...]] = (
    ("e-mail", "email emails mail correo correos"),
    ("phone", "phone telephone telefono telefonos tel tlf telf tlfno whatsapp fax msisdn cellphone"),
    ("IP address", "ip ipaddress ipv4 ipv6"),
    ("name", "surname apellido apellidos fullname firstname lastname forename nombrecompleto"),
    ("address", "address direccion domicilio street calle address1 address2 direccion1 direccion2"),
    ("identity document", "dni nif nie passport pasaporte ssn curp rfc cpf"),
    ("IBAN", "iban"),
    ("birth date", "birthdate birthday dob nacimiento cumpleanos"),
    ("account", "uid username login handle twitter instagram facebook linkedin tiktok"),
    (
        "device",
        "idfa idfv gaid adid aaid imei gclid gbraid wbraid fbclid msclkid ttclid dclid fbp fbc ga hsenc",
    ),
    ("location", "lat latitude latitud lon lng longitude longitud geolocation coordenadas coordinates"),
    ("secret", "password passwd contrasena clave pin cvv cvc token secret otp"),
)
_SURE: Final[dict[str, Kind]] = {word: kind for kind, text in _SURE_BY_KIND for word in text.split()}
"""Words that say it on their own, unless another word makes it something about the thing."""

_TOGETHER_BY_KIND: Final[tuple[tuple[Kind, str], ...]] = (
    ("phone", "mobile number, mobile no, numero movil, numero celular, cell number, contact number"),
    (
        "identity document",
        "national id, identity number, id card, documento identidad, numero documento, document number,"
        " social security, seguridad social, tax id, driving licence, driver license, licence plate,"
        " license plate, matricula vehiculo",
    ),
    ("card", "card number, card no, card num, numero tarjeta, tarjeta credito, credit card, card pan"),
    ("IBAN", "bank account, cuenta bancaria, account number, numero cuenta, cuenta corriente"),
    ("birth date", "birth date, birth day, fecha nacimiento, date born"),
    (
        "account",
        "user id, customer id, client id, member id, contact id, person id, profile id, account id,"
        " subscriber id, shopper id, visitor id, referrer id, referred id, alias id, distinct id,"
        " anonymous id, user pseudo id, id usuario, id cliente, id visitante, id socio, id contacto,"
        " codigo cliente, numero cliente, numero socio, customer number, member number, loyalty number,"
        " loyalty card, external id, screen name",
    ),
    (
        "device",
        "device id, id dispositivo, advertising id, cookie id, mac address, mc eid, vero id, mkt tok,"
        " fingerprint id, push token",
    ),
)
_TOGETHER: Final = tuple(
    (kind, _words(text)) for kind, texts in _TOGETHER_BY_KIND for text in texts.split(",")
)
"""Words that say it together."""

_NAME: Final = _words("name nombre names nombres")
TELLING: Final = (frozenset(_SURE) | _NAME | frozenset().union(*(pair for _, pair in _TOGETHER))) - _words(
    "id no num number numero"
)
"""A name without one of these words in it says nothing."""
_OF_A_PERSON: Final = _words(
    "first last full given family middle maiden second primer segundo customer client cliente user usuario"
    " contact contacto person persona member socio subscriber suscriptor billing shipping delivery recipient"
    " destinatario facturacion envio completo complete pila display legal holder titular buyer comprador"
    " shopper visitor visitante lead employee empleado owner guest invitado parent padre madre and y"
)
"""Words beside `name` with which it is still the name of a person."""

_ABOUT_IT: Final = _words(
    "opens open opened clicks click clicked sent count domain dominio provider verified valid validated"
    " optin opt consent consentimiento status estado has is tiene permission permiso subscribed suscrito"
    " marketing campaign campana template plantilla subject asunto model modelo brand marca type tipo os"
    " version country pais city ciudad region province provincia state zip postal postcode cp web url website"
    " hostname bounce bounced rate frequency frecuencia preference preferencia year ano place lugar expiry"
    " caducidad format visits visitas spend gasto shares likes followers seguidores ads score gift regalo"
    " source medium"
)
"""Words that make a column one about an e-mail address or a card, which does not hold it."""

_SENSITIVE: Final = _words(
    "age edad sex sexo gender genero birth born nacimiento birthdate birthday dob cumpleanos income renta"
    " salary salario sueldo wage nationality nacionalidad citizenship ciudadania ethnicity ethnic etnia"
    " etnico religion religious creencia political ideology ideologia union sindicato health salud illness"
    " enfermedad disease disability discapacidad minusvalia pregnant pregnancy embarazo embarazada"
    " medical medico allergy alergia marital married casado children hijos kids education estudios"
    " occupation ocupacion profession profesion sexuality biometric biometrico genetic genetico criminal"
)
_SENSITIVE_PAIRS: Final = (
    "estado civil, sexual orientation, orientacion sexual, ingresos anuales, ingresos mensuales,"
    " ingresos hogar, ingresos familiares, nivel ingresos, household size, household income, tamano hogar,"
    " family size, afiliacion sindical, partido politico, origen racial, skin colour, skin color"
)
_SENSITIVE_TOGETHER: Final = tuple(map(_words, _SENSITIVE_PAIRS.split(",")))
_SENSITIVE_ALONE: Final = _words("race raza")
"""Sensitive as the whole name only: there are races on roads, and breeds of dogs."""
_AGE_OF_A_THING: Final = _words(
    "account cuenta days dias cookie session sesion cart carrito domain order pedido"
)


def named_identifier(column: str) -> Kind | None:
    """What a column's name alone says it holds about a person, if anything.

    >>> [named_identifier(name) for name in ("E-Mail", "Fecha de nacimiento", "campaign_name", "email_opens")]
    ['e-mail', 'birth date', None, None]
    """
    found = _rejoined(words(column))
    if not found or found & _ABOUT_IT:
        return None
    for kind, together in _TOGETHER:
        if together <= found:
            return kind
    for word in _SURE:  # in the order of the kinds: an e-mail address is no address
        if word in found:
            return _SURE[word]
    if found & _NAME and not {word for word in found - _NAME if not word.isdigit()} - _OF_A_PERSON:
        return "name"
    return None


def sensitive(column: str) -> bool:
    """Whether a name says that a column holds demographic or other sensitive facts about people.

    >>> [sensitive(name) for name in ("Edad", "customer_age", "estado civil", "account_age_days", "page")]
    [True, True, True, False, False]
    """
    found = frozenset(words(column))
    if found & _AGE_OF_A_THING and found & _words("age edad"):
        return False
    return (
        bool(found & _SENSITIVE)
        or any(together <= found for together in _SENSITIVE_TOGETHER)
        or (len(found) == 1 and found <= _SENSITIVE_ALONE)
    )


def _rejoined(parts: tuple[str, ...]) -> frozenset[str]:
    """The words of a name, with `e mail` as one."""
    text = f" {' '.join(parts)} ".replace(" e mail ", " email ").replace(" e mails ", " email ")
    return frozenset(text.split())
