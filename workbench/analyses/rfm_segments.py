"""Named segments of customers by their scores, as a project keeps them in `rfm.toml`.

A segment has a rule on the scores `r`, `f`, `m` and on `fm`, the mean of f and m with halves rounded up. A
customer is in the first segment, from the top, whose rule is true; the list is read from best to worst, so
that a move upwards is an improvement. Segments of one `tier` are neighbours, to be looked at together.

There are 125 combinations of scores: a rule is settled on those, once, and never asked of a customer.

The standard list is the widespread grid of recency by frequency and money, with those longest away parted
into hibernating and lost.
"""

from __future__ import annotations

import ast
import operator
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import tomli_w

from workbench import storage
from workbench.errors import ProjectError, RuleError
from workbench.locale import Message, Texts, say
from workbench.metrics.rfm import FIFTHS, Cell
from workbench.team import Team

MOST_SEGMENTS = 20
MOST_TIERS = 5
SCORES = range(1, FIFTHS + 1)
CELLS: tuple[Cell, ...] = tuple(product(SCORES, SCORES, SCORES))
FILE = "rfm.toml"


@dataclass(frozen=True)
class NamedSegment:
    """A segment by scores.

    Attributes:
        name: What it is called; a name of the standard list is worded in the reader's language.
        tier: What it is looked at together with.
        rule: A condition on r, f, m and fm.
    """

    name: str
    tier: str
    rule: str


STANDARD = (
    NamedSegment("champions", "best", "r == 5 and fm >= 4"),
    NamedSegment("loyal", "best", "r in [3, 4] and fm >= 4"),
    NamedSegment("potential loyalists", "growing", "r >= 4 and fm in [2, 3]"),
    NamedSegment("new", "growing", "r == 5 and fm == 1"),
    NamedSegment("promising", "growing", "r == 4 and fm == 1"),
    NamedSegment("need attention", "slipping", "r == 3 and fm == 3"),
    NamedSegment("about to sleep", "slipping", "r == 3 and fm <= 2"),
    NamedSegment("cannot lose", "slipping", "r <= 2 and fm == 5"),
    NamedSegment("at risk", "slipping", "r <= 2 and fm in [3, 4]"),
    NamedSegment("hibernating", "gone", "r == 2 and fm <= 2"),
    NamedSegment("lost", "gone", "r == 1 and fm <= 2"),
)

_WORDS = {
    "champions": say("champions"),
    "loyal": say("loyal"),
    "potential loyalists": say("potential loyalists"),
    "new": say("new customers"),
    "promising": say("promising"),
    "need attention": say("need attention"),
    "about to sleep": say("about to sleep"),
    "at risk": say("at risk"),
    "cannot lose": say("cannot lose them"),
    "hibernating": say("hibernating"),
    "lost": say("lost"),
    "best": say("best"),
    "growing": say("growing"),
    "slipping": say("slipping"),
    "gone": say("gone"),
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, values: value in values,
    ast.NotIn: lambda value, values: value not in values,
}


def message_of(name: str) -> Message:
    """A segment or tier before it has a language."""
    return _WORDS.get(name) or Message("{name}", {"name": name})


def name_in_words(name: str, t: Texts) -> str:
    """A segment or tier as a reader calls it."""
    return t(message_of(name))


def read(folder: Path) -> tuple[NamedSegment, ...]:
    """The project's segments; the standard list where it has none of its own.

    Raises:
        ProjectError: when the file cannot be read, or is not one of segments.
    """
    file = folder / FILE
    try:
        rows = tomllib.loads(file.read_text("utf-8"))["segment"]
        return tuple(NamedSegment(str(row["name"]), str(row["tier"]), str(row["rule"])) for row in rows)
    except FileNotFoundError:
        return STANDARD
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ProjectError(
            "{path} does not hold segments by scores, each with name, tier and rule; put it right, or "
            "delete it to have the standard list.",
            path=str(file),
        ) from error


def write(folder: Path, segments: Sequence[NamedSegment]) -> None:
    """Keep a list of segments, after it was checked.

    Raises:
        RuleError: when it does not say, for every customer, where they belong.
    """
    Team(folder).check("keep")
    places(segments)
    rows = [{"name": one.name, "tier": one.tier, "rule": one.rule} for one in segments]
    with storage.lock(folder):
        storage.write_text(folder / FILE, tomli_w.dumps({"segment": rows}))


def reset(folder: Path) -> None:
    """Go back to the standard list."""
    Team(folder).check("keep")
    with storage.lock(folder), storage.disk_errors(folder / FILE):
        (folder / FILE).unlink(missing_ok=True)


def places(segments: Sequence[NamedSegment]) -> dict[Cell, int]:
    """For each combination of scores the place of its segment in the list.

    Raises:
        RuleError: when a rule cannot be read or holds nobody, a name comes twice, tiers are not neighbours,
            or some scores are in no segment.
    """
    _check_names(segments)
    rules = [(one, _parsed(one)) for one in segments]
    found: dict[Cell, int] = {}
    for cell in CELLS:
        r, f, m = cell
        scores = {"r": r, "f": f, "m": m, "fm": (f + m + 1) // 2}
        holding = (place for place, (one, tree) in enumerate(rules) if _true(one, tree, scores))
        place = next(holding, None)
        if place is None:
            raise RuleError(
                "Customers with r {r}, f {f}, m {m} are in no segment; add a last one with the rule r >= 1 "
                "that takes in everybody else.",
                r=r,
                f=f,
                m=m,
            )
        found[cell] = place
    used = set(found.values())
    for place, one in enumerate(segments):
        if place not in used:
            raise RuleError(
                "Segment “{name}” can hold nobody: those above it have all of its customers; move it up or "
                "change its rule.",
                name=one.name,
            )
    return found


def _check_names(segments: Sequence[NamedSegment]) -> None:
    names = [one.name for one in segments]
    if not 1 <= len(names) <= MOST_SEGMENTS:
        raise RuleError(
            "There are {n:count} segments; write between 1 and {most:count}.",
            n=len(names),
            most=MOST_SEGMENTS,
        )
    for one in segments:
        if names.count(one.name) > 1 or not one.name.strip() or not one.tier.strip():
            raise RuleError(
                "Each segment needs a name of its own and a tier; look at “{name}”.", name=one.name
            )
    tiers = [one.tier for one in segments]
    if len(set(tiers)) > MOST_TIERS:
        raise RuleError(
            "There are {n:count} tiers; use at most {most:count}.", n=len(set(tiers)), most=MOST_TIERS
        )
    starts = [tier for place, tier in enumerate(tiers) if place == 0 or tiers[place - 1] != tier]
    for tier in starts:
        if starts.count(tier) > 1:
            raise RuleError("Segments of the tier “{tier}” have to stand one below the other.", tier=tier)


def _parsed(one: NamedSegment) -> ast.expr:
    try:
        return ast.parse(one.rule.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise _refusal(one, one.rule) from error


def _refusal(one: NamedSegment, part: str) -> RuleError:
    return RuleError(
        "The rule of segment “{name}” holds “{part}”, which cannot be read; compare r, f, m or fm with "
        "numbers from 1 to 5, as in r == 5 and fm >= 4.",
        name=one.name,
        part=part.strip(),
    )


def _true(one: NamedSegment, node: ast.expr, scores: Mapping[str, int]) -> bool:
    """Whether a rule holds for these scores; nothing but comparisons is understood."""
    match node:
        case ast.BoolOp(op=op):
            parts = [_true(one, part, scores) for part in node.values]  # all of them are read
            return all(parts) if isinstance(op, ast.And) else any(parts)
        case ast.UnaryOp(op=ast.Not()):
            return not _true(one, node.operand, scores)
        case ast.Compare() if all(type(op) in _COMPARE for op in node.ops):
            operands = [node.left, *node.comparators]
            values = [_value(one, operand, scores) for operand in operands]
            lists = [isinstance(value, list) for value in values]
            wanted = [False, *(isinstance(op, ast.In | ast.NotIn) for op in node.ops)]
            if lists != wanted:
                raise _refusal(one, ast.unparse(node))
            steps = zip(values, node.ops, values[1:], strict=False)
            return all(_COMPARE[type(op)](left, right) for left, op, right in steps)
    raise _refusal(one, ast.unparse(node))


def _value(one: NamedSegment, node: ast.expr, scores: Mapping[str, int]) -> Any:
    match node:
        case ast.Name(id=name) if name in scores:
            return scores[name]
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.List() | ast.Tuple() if node.elts:
            return [_value(one, item, scores) for item in node.elts]
    raise _refusal(one, ast.unparse(node))


def to_lines(segments: Iterable[NamedSegment], t: Texts) -> str:
    """The list as text, one segment a line: name | tier | rule."""
    return "\n".join(
        f"{name_in_words(one.name, t)} | {name_in_words(one.tier, t)} | {one.rule}" for one in segments
    )


def from_lines(text: str, t: Texts) -> tuple[NamedSegment, ...]:
    """What `to_lines` wrote and somebody changed.

    Raises:
        RuleError: when a line does not have three parts.
    """
    standard = {t(words): name for name, words in _WORDS.items()}
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 3:
            raise RuleError(
                "Line {line} is “{given}”; write name | tier | rule, as in "
                "champions | best | r == 5 and fm >= 4.",
                line=number,
                given=line.strip(),
            )
        name, tier, rule = parts
        found.append(NamedSegment(standard.get(name, name), standard.get(tier, tier), rule))
    return tuple(found)
