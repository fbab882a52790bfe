"""Answers to surveys: sheets with a column a question, scales of scores, answers that describe customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from workbench.locale import Message, say
from workbench.tables.cells import DecimalMark, literal, number
from workbench.tables.convert import tighten
from workbench.tables.guess import plain_name
from workbench.tables.options import UNKNOWN_SCALE
from workbench.tables.report import Question
from workbench.tables.rows import LINE, LeftOut, ask, taken_once, without
from workbench.tables.schema import standard

ONBOARDING: Final = "onboarding"
"""The instrument whose answers describe customers as long as nothing else is known of them."""

NO_ANSWER: Final = say("no question is answered here")


def answers(rows: pa.Table, items: Sequence[str], decimal: DecimalMark) -> tuple[pa.Table, LeftOut]:
    """A row an answer, from a row a sheet of answers.

    Args:
        rows: Sheets with `LINE`, where each item is a column of text.
        items: The questions.
        decimal: The decimal mark of scores.

    Returns:
        Rows with `LINE`, `item`, and `score` where the answer is a number, else `text`; and the sheets on
        which nothing is answered.
    """
    rest = [name for name in rows.column_names if name not in items]
    sheets = rows.select([*rest, *items]).rename_columns(
        [*rest, *(f"answer {place}" for place in range(len(items)))]
    )
    kept = ", ".join(f'"{name}"' for name in rest)
    each = " UNION ALL ".join(
        f'SELECT {kept}, {place} AS place, {literal(item)} AS item, "answer {place}" AS answer FROM sheets'
        for place, item in enumerate(items)
    )
    found = ask(
        f"""
        SELECT {kept}, item, {number("answer", decimal)} AS score,
               CASE WHEN {number("answer", decimal)} IS NULL THEN answer END AS text
        FROM ({each}) WHERE answer IS NOT NULL ORDER BY "{LINE}", place
        """,
        sheets=sheets,
    )
    blank = without(rows, found[LINE].unique().to_numpy())
    return found, LeftOut(blank[LINE].to_numpy(), NO_ANSWER)


def with_scale(
    rows: pa.Table, scale: Mapping[str, tuple[float, float]], notes: list[Message]
) -> tuple[pa.Table, tuple[Question, ...]]:
    """The answers with the ends of their scale, and the question for it where the answers leave it open.

    Recommendations are asked for from 0 to 10, and some ask from 1 to 10 instead, which is another question.
    An answer of 0 says which; where there is none it is asked, and until then nothing is assumed.

    Args:
        rows: Rows of `surveys` with a `score`.
        scale: Item (or the instrument, where there are no items) → its ends, as somebody said; `""` stands
            for all whose highest answer is 8, 9 or 10.
        notes: Gets the items that are taken to go from 0 to 10.
    """
    rows = _with_columns(rows, {"item": pa.string(), "scale_min": pa.float64(), "scale_max": pa.float64()})
    item_of = pc.coalesce(rows["item"], rows["instrument"])
    seen = ask(
        """
        SELECT item, min(score) AS least, max(score) AS most, bool_and(score = floor(score)) AS whole
        FROM rows WHERE score IS NOT NULL AND scale_min IS NULL AND scale_max IS NULL
        GROUP BY item ORDER BY min(place)
        """,
        rows=_placed(rows.select(["score", "scale_min", "scale_max"]).append_column("item", item_of)),
    ).to_pylist()
    known, from_zero, open_items = {}, [], []
    for found in seen:
        item, ten_points = found["item"], found["whole"] and found["least"] >= 0 and 8 <= found["most"] <= 10
        if item in scale:
            known[item] = scale[item]
        elif ten_points and found["least"] == 0:
            known[item] = (0.0, 10.0)
            from_zero.append(say("“{item}”", item=item))
        elif ten_points and "" in scale:
            known[item] = scale[""]
        elif ten_points:
            open_items.append(say("“{item}”", item=item))
    if from_zero:
        notes.append(say("Answered on a scale from 0 to 10: {items:listing}.", items=from_zero))
    place = pc.index_in(item_of, pa.array(known, pa.string()))
    for name, end in (("scale_min", 0), ("scale_max", 1)):
        ends = pa.chunked_array([pa.array([both[end] for both in known.values()], pa.float64())]).take(place)
        filled = pc.if_else(pc.is_valid(rows["score"]), pc.coalesce(rows[name], ends), rows[name])
        rows = rows.set_column(rows.column_names.index(name), name, filled)
    if not open_items:
        return rows, ()
    asked = say(
        "Which answers were possible to {items:listing}: from 0 to 10, or from 1 to 10? Nobody answered 0.",
        items=open_items,
    )
    choices = ("0-10", "1-10", UNKNOWN_SCALE)
    return rows, (Question(id="scale", question=asked, choices=choices, assumed=UNKNOWN_SCALE),)


def attributes(rows: pa.Table, asked: int, decimal: DecimalMark, notes: list[Message]) -> pa.Table | None:
    """The answers of the instrument `onboarding` as attributes of customers, `onboarding_` and the question.

    Args:
        rows: Rows of `surveys` with `LINE`.
        asked: How many customers were asked.
        decimal: The decimal mark of numbers.
        notes: Gets the share of customers that left each question unanswered.

    Returns:
        Rows of `customers`, the last answer of each; None when there are none.
    """
    rows = _with_columns(rows, {"text": pa.string(), "score": pa.float64(), "item": pa.string()})
    about = ask(
        f"""
        SELECT place, "{LINE}" AS line, customer_id, item,
               coalesce(text, CASE WHEN score = floor(score) AND abs(score) < 1e15
                                   THEN CAST(CAST(score AS BIGINT) AS VARCHAR)
                                   ELSE CAST(score AS VARCHAR) END) AS answer
        FROM rows WHERE lower(instrument) = {literal(ONBOARDING)} AND item IS NOT NULL
        """,
        rows=_placed(rows),
    )
    items = ask("SELECT item FROM about GROUP BY item ORDER BY min(place)", about=about)
    if not items.num_rows:
        return None
    questions = items["item"].to_pylist()
    wishes = [f"{ONBOARDING}_{plain_name(item)}" for item in questions]
    names = list(taken_once(wishes, standard("customers").names))
    picked = ", ".join(
        f"arg_max(answer, line) FILTER (item = {literal(item)}) AS a{place}"
        for place, item in enumerate(questions)
    )
    made = ask(
        f"SELECT customer_id, {picked} FROM about GROUP BY customer_id ORDER BY min(line)", about=about
    ).rename_columns(["customer_id", *names])
    unanswered = [
        say("“{item}” by {share:percent}", item=item, share=1 - len(made[name].drop_null()) / max(asked, 1))
        for item, name in zip(questions, names, strict=True)
    ]
    notes.append(
        say("Left unanswered by the {n:count} customers: {items:listing}.", n=asked, items=unanswered)
    )
    return tighten(made, names, decimal)


def _placed(rows: pa.Table) -> pa.Table:
    """The rows with their order, since several may stand on one line."""
    return rows.append_column("place", pa.array(range(rows.num_rows), pa.int64()))


def _with_columns(rows: pa.Table, types: Mapping[str, pa.DataType]) -> pa.Table:
    for name, kind in types.items():
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.nulls(rows.num_rows, kind))
    return rows
