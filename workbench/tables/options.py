"""What a mapping may say beside which column is which: scales, how rates are quoted, rows to leave out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from workbench.errors import DataError, check_choice
from workbench.locale import say
from workbench.tables.money import currency_code

OPTIONS: Final = (
    *("attributes", "outcomes", "experiment", "experience_id"),
    *("items", "scale", "inverse", "split", "exclude"),
)
"""The names in a mapping that are no columns of a table."""

UNKNOWN_SCALE: Final = "unknown"
"""The answer to the question for a survey's scale that leaves it open."""

Test = Literal["has", "is", "above", "below"]


@dataclass(frozen=True)
class Exclusion:
    """Rows that somebody does not want.

    Attributes:
        field: The field that holds the column's text.
        test: `has` (a part of the text), `is` (the whole text; capitals make no difference in both), `above`
            or `below` (a number).
        value: What it is compared with.
    """

    field: str
    test: Test
    value: str | float


def exclusion(rule: Mapping[str, Any], field: str) -> Exclusion:
    """A rule such as `{"column": "Tags", "has": "wholesale"}`, about a field.

    Raises:
        DataError: when it is no rule.
    """
    tests = [name for name in rule if name != "column"]
    if len(tests) != 1:
        raise DataError(
            "A rule of what to leave out has a column and one test, as in {example}.",
            example='{"column": "Tags", "has": "wholesale"}',
        )
    test = cast(Test, check_choice(tests[0], get_args(Test), say("test")))
    value = rule[test]
    if test in ("has", "is"):
        return Exclusion(field, test, str(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError("A column can only be above or below a number, and “{value}” is none.", value=value)
    return Exclusion(field, test, value)


def scales(wish: str | Mapping[str, str]) -> dict[str, tuple[float, float]]:
    """Item → least and greatest score.

    Args:
        wish: Such as `0-10`, for every item of about ten points, which `""` stands for; or one an item.

    Raises:
        DataError: when it is no scale.

    >>> scales({"How likely?": "0-10", "How easy?": "1-7"})
    {'How likely?': (0.0, 10.0), 'How easy?': (1.0, 7.0)}
    """
    found = {}
    for item, text in ({"": wish} if isinstance(wish, str) else wish).items():
        if text == UNKNOWN_SCALE:
            continue
        ends = re.fullmatch(r"\s*(\d+)\s*[-–]\s*(\d+)\s*", text)
        if ends is None or int(ends[1]) >= int(ends[2]):
            raise DataError("“{scale}” is no scale; write its two ends as in 0-10.", scale=text)
        found[item] = (float(ends[1]), float(ends[2]))
    return found


def base_currency(wish: bool | str) -> str | None:
    """Whose one unit inverse quotes are for: an ISO code, or `""` for the project's; None when they are not.

    Raises:
        DataError: when there is no such currency.
    """
    if isinstance(wish, bool):
        return "" if wish else None
    code = currency_code(wish)
    if code is None:
        raise DataError("There is no currency “{currency}”; give its ISO code, such as EUR.", currency=wish)
    return code
