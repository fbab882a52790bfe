"""What came of reading a file: every row is either kept or named among the rejected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from workbench.locale import Message, Texts, say
from workbench.tables.recipe import Recipe
from workbench.tables.schema import Grain

LISTED_AT_MOST: Final = 1000
"""How many rejected cells a report lists; its count has no limit."""

TOO_MANY_COLUMNS = say("too many columns")
TOO_FEW_COLUMNS = say("too few columns")
QUOTE_NOT_CLOSED = say("quote not closed")
STRAY_QUOTE = say("a quote in the wrong place")
NOT_A_NUMBER = say("not a number")
NOT_A_WHOLE_NUMBER = say("not a whole number")
NOT_A_DATE = say("not a date")
NOT_YES_OR_NO = say("not yes or no")
NOT_ALLOWED = say("not an allowed value")
SPREADSHEET_ERROR = say("an error of the spreadsheet")
NO_VALUE = say("a value is missing here")
NO_CUSTOMER = say("no customer")
NO_TIME = say("no date")
NO_VARIANT = say("no variant")
NO_EXPERIENCE = say("no experience")
SECOND_IN_ARM = say("a second row for this customer in this arm")
SECOND_OF_KEY = say("a second row with the same identifier")
SAME_ROW = say("the same row came before")
IMPOSSIBLE = say("numbers that cannot be true together")


class Rejection(BaseModel):
    """Why a row was left out.

    Attributes:
        line: Physical line of the file where the row begins, from 1 (Parquet: the number of the row).
        column: The column's name in the file; None when the row as a whole is at fault.
        reason: A fixed English phrase, the key of its translation.
        text: The row as it stands in the file, cut after 500 characters.
        value: What stands in that column.
        file: The file, where several were read together.
    """

    model_config = ConfigDict(frozen=True)

    line: int
    column: str | None
    reason: str
    text: str
    value: str | None = None
    file: str = ""


class Question(BaseModel):
    """Something that the file leaves open and that was assumed.

    Attributes:
        id: The argument of `read_tables` that answers it.
        question: The question.
        choices: The possible answers.
        assumed: The answer the reading went on with.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    question: Message
    choices: tuple[str, ...]
    assumed: str


class LoadReport(BaseModel):
    """What was read, kept and left out; `rows_read == rows_kept + rejected_count` always.

    Attributes:
        files: The names of the files.
        table: The standard table, or the main one of the grain (`exposures`, `summaries`) or of the export.
        grain: `event`, `unit` or `summary`.
        vendor: The system whose export it is.
        rows_read: Rows of the file, without its header and blank lines.
        rows_kept: Rows that went into the tables.
        rejected: A line for each faulty cell or row, in the order of the file, the first thousand.
        rejected_count: How many rows were left out.
        columns: Standard name → column of the file.
        types: Standard name → type.
        timezone: Where times without an offset were taken to be.
        encoding: How the file's text is written; None for Parquet.
        guessed: What was not said but guessed.
        notes: What else there is to know.
        questions: What was assumed and should be confirmed.
        recipe: How to read such a file again in the same way.
        added: Table → by how many rows it has grown; rows that were there already add none.
    """

    model_config = ConfigDict(frozen=True)

    files: tuple[str, ...]
    table: str
    grain: Grain
    vendor: str | None = None
    rows_read: int
    rows_kept: int
    rejected: tuple[Rejection, ...]
    rejected_count: int
    columns: dict[str, str]
    types: dict[str, str]
    timezone: str
    encoding: str | None
    guessed: tuple[str, ...]
    notes: tuple[Message, ...]
    questions: tuple[Question, ...]
    recipe: Recipe
    added: dict[str, int] = Field(default_factory=dict)

    def to_json_dict(self, language: str = "en") -> dict[str, Any]:
        """The report as plain JSON values, its sentences in `language`."""
        t = Texts(language)
        plain = self.model_dump(mode="json", exclude={"notes", "questions", "recipe"})
        plain["recipe"] = self.recipe.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        for row in plain["rejected"]:
            row["reason"] = t(row["reason"])
        plain["notes"] = [t(note) for note in self.notes]
        plain["questions"] = [
            {
                "id": question.id,
                "question": t(question.question),
                "choices": list(question.choices),
                "assumed": question.assumed,
            }
            for question in self.questions
        ]
        return plain


def together(reports: Sequence[LoadReport]) -> LoadReport:
    """One report on files that were read in one go; there has to be one at least."""
    if len(reports) == 1:
        return reports[0]
    first = reports[0]
    rejected = [
        row.model_copy(update={"file": report.files[0]}) for report in reports for row in report.rejected
    ]
    added: dict[str, int] = {}
    for report in reports:
        for table, rows in report.added.items():
            added[table] = added.get(table, 0) + rows
    return first.model_copy(
        update={
            "files": tuple(name for report in reports for name in report.files),
            "rows_read": sum(report.rows_read for report in reports),
            "rows_kept": sum(report.rows_kept for report in reports),
            "rejected": tuple(rejected[:LISTED_AT_MOST]),
            "rejected_count": sum(report.rejected_count for report in reports),
            "notes": _once(note for report in reports for note in report.notes),
            "questions": _once(question for report in reports for question in report.questions),
            "added": added,
        }
    )


def _once[T](items: Iterable[T]) -> tuple[T, ...]:
    """The items without repetitions, in order."""
    kept: list[T] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return tuple(kept)
