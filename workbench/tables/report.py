"""What came of reading a file: every row is either kept or named among the rejected."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from workbench.locale import Message, Texts, say
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
    """

    model_config = ConfigDict(frozen=True)

    line: int
    column: str | None
    reason: str
    text: str
    value: str | None = None


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
        table: The standard table, or the main one of the grain (`exposures`, `summaries`).
        grain: `event`, `unit` or `summary`.
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
    """

    model_config = ConfigDict(frozen=True)

    table: str
    grain: Grain
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

    def to_json_dict(self, language: str = "en") -> dict[str, Any]:
        """The report as plain JSON values, its sentences in `language`."""
        t = Texts(language)
        plain = self.model_dump(mode="json", exclude={"notes", "questions"})
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
