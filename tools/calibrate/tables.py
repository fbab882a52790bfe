"""The tables of docs/coverage.md: written between two marks, and read again by a test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from tools.calibrate.answers import LEVELS, MAIN
from tools.calibrate.tally import BINS, Measured, Tally
from workbench.decisions import sure

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
BEGIN, END = "<!-- measured by make calibrate -->", "<!-- end -->"
GOAL = 0.02
"""How far the share of intervals of the level `MAIN` that hold the truth may be from it."""
WHERE = "what"


def render(tallies: Sequence[Tally]) -> str:
    """All tables."""
    parts = [
        "### The experiments",
        table(
            [WHERE, "simulated from", "experiments without an effect", "with one"],
            (
                [one.scenario.name, one.scenario.simulated, *(f"{count:,}" for count in one.experiments)]
                for one in tallies
            ),
        ),
    ]
    for what in ("difference", "lift"):
        shown = [one for one in tallies if one.coverage(what)[0].cases]
        parts += [
            f"### Intervals of the {what} that held the truth",
            table(
                [WHERE, *(f"{level * 100:.0f} %" for level in LEVELS), "given", "within 2 points"],
                (
                    [
                        one.scenario.name,
                        *(_share(found) for found in one.coverage(what)),
                        _percent(one.answered(what)),
                        _judged(one.coverage(what)[LEVELS.index(MAIN)]),
                    ]
                    for one in shown
                ),
            ),
        ]
    parts.append(_missed(tallies))
    rules = (0.9, 0.95)
    parts += [
        "### Treatments without an effect that the rule adopts",
        table(
            [
                WHERE,
                *(f"sure at {level * 100:.0f} %, expected {_percent(1 - sure(level))}" for level in rules),
            ],
            (
                [one.scenario.name, *(_share(one.shipped(level)) for level in rules)]
                for one in tallies
                if one.shipped(rules[0]).cases
            ),
        ),
        "### Of the arm that looks better: the probability that it is better, as claimed → as it was",
        table(
            [WHERE, *(f"{_percent(low)} to {_percent(high)}" for low, high in pairwise(BINS))],
            (
                [
                    one.scenario.name,
                    *(
                        f"{_percent(claimed)} → {_share(true)}" if true.cases else "–"
                        for claimed, true in one.calibration()
                    ),
                ]
                for one in tallies
            ),
        ),
    ]
    return "\n\n".join(parts)


def misses(found: Measured) -> bool:
    """Whether intervals of the level `MAIN` hold the truth too seldom or too often."""
    return abs(found.share - MAIN) > GOAL


def written(page: str, measured: str, marks: tuple[str, str] = (BEGIN, END)) -> str:
    """The page with what lies between the marks replaced.

    Raises:
        SystemExit: when the page does not have them.
    """
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise SystemExit(
            f"The page needs the lines {marks[0]} and {marks[1]}, between which tables are written."
        )
    return f"{before}{begin}\n\n{measured}\n\n{end}{after}"


def read(page: str, marks: tuple[str, str] = (BEGIN, END)) -> dict[str, list[dict[str, str]]]:
    """Title of a table between the marks → its rows, column → cell."""
    measured = page.partition(marks[0])[2].partition(marks[1])[0]
    found: dict[str, list[dict[str, str]]] = {}
    for part in measured.split("### ")[1:]:
        title, *lines = part.strip().splitlines()
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")
        ]
        found[title] = [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]
    return found


def _share(found: Measured) -> str:
    return f"{_percent(found.share)} ± {_percent(found.error)}"


def _percent(share: float) -> str:
    return f"{share * 100:.1f}"


def _judged(found: Measured) -> str:
    if not misses(found):
        return "yes"
    return f"**no**, {(found.share - MAIN) * 100:+.1f}".replace("-", "−")


def _missed(tallies: Iterable[Tally]) -> str:
    place = LEVELS.index(MAIN)
    said = [
        f"* {one.scenario.name}: {what}, {_share(found)}"
        for one in tallies
        for what in ("difference", "lift")
        if (found := one.coverage(what)[place]).cases and misses(found)
    ]
    title = "### What misses the goal of 90 % within 2 points"
    if not said:
        return f"{title}\n\nNothing: all intervals of 90 % hold the truth within 2 points of that."
    return f"{title}\n\n" + "\n".join(said)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
