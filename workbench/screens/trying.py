"""Reading the first rows of a file as the whole would be read: what would come in, and what would not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from workbench.tables.grains import Shaped, shape
from workbench.tables.plan import plan
from workbench.tables.reading import Manner, Part, gather, manner_of, sample_of
from workbench.tables.recipe import Recipe
from workbench.tables.report import Question, Rejection
from workbench.tables.schema import standard
from workbench.tables.sources import Batch, Source
from workbench.tables.vendors import known_vendors

ROWS = 5_000
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Trial:
    """What reading the first rows brought.

    Attributes:
        read: How many rows were read.
        whole: Whether the file has no others.
        left_out: How many of them would be left out.
        listed: What is wrong with them, in the order of the file.
        tables: Table → rows for it.
        questions: What the rows leave open.
    """

    read: int
    whole: bool
    left_out: int
    listed: tuple[Rejection, ...]
    tables: Mapping[str, int]
    questions: tuple[Question, ...]


@dataclass(frozen=True, kw_only=True)
class Beginning(Source):
    """The first rows of a file, as if it had no others."""

    behind: Source

    @classmethod
    def of(cls, source: Source) -> Beginning:
        """The beginning of `source`."""
        return cls(behind=source, **{field.name: getattr(source, field.name) for field in fields(Source)})

    def _batches(self, wanted: Sequence[str], block: int) -> Iterator[Batch]:
        count = 0
        for batch in self.behind._batches(wanted, min(block, _BLOCK)):
            yield batch
            count += len(batch.lines)
            if count >= ROWS:
                return


def attempt(source: Source, recipe: Recipe, *, timezone: str) -> Trial:
    """Read the first rows of a file.

    Args:
        source: The file.
        recipe: How; it names a vendor, or has a mapping.
        timezone: The zone of times without an offset, where the recipe names none.

    Raises:
        DataError: when the file does not have what the recipe needs.
    """
    beginning = Beginning.of(source)
    sample = sample_of(source)
    vendor = known_vendors()[recipe.vendor] if recipe.vendor else None
    if vendor is not None:
        manner = Manner(recipe.decimal or ".", recipe.date_order or vendor.date_order or "dmy")
        parts = [Part(standard(name), vendor=vendor) for name in vendor.tables]
        zone = recipe.timezone or vendor.timezone or timezone
    else:
        table = None if recipe.table is None else standard(recipe.table)
        what = plan(
            beginning,
            recipe.mapping or {},
            grain=recipe.grain or "event",
            table=table,
            experiment=recipe.experiment,
        )
        manner = manner_of(beginning, sample, what, recipe.date_order, recipe.decimal)
        parts = [Part(what.table, plan=what)]
        zone = recipe.timezone or timezone
    gathered = gather(beginning, parts, manner, timezone=zone)
    shaped = [_shaped(part, manner) for part in parts]
    lost, listed = set(gathered.lost), list(gathered.listed)
    for left_out in shaped[0].left_out:
        lost.update(map(int, left_out.lines))
        texts = beginning.texts(left_out.lines)
        column = None if left_out.column is None or vendor else what.columns.get(left_out.column)
        listed += [
            Rejection(line=line, column=column, reason=left_out.reason.text, text=text)
            for line, text in texts.items()
        ]
    return Trial(
        read=gathered.read,
        whole=sample.whole,
        left_out=gathered.faults + len(lost),
        listed=tuple(sorted(listed, key=lambda rejection: rejection.line)),
        tables={name: rows.num_rows for made in shaped for name, rows in made.tables.items()},
        questions=(*manner.questions, *(question for made in shaped for question in made.questions)),
    )


def _shaped(part: Part, manner: Manner) -> Shaped:
    if part.rows is None or part.plan is None:
        return Shaped({})
    return shape(part.rows, part.plan, manner.decimal)
