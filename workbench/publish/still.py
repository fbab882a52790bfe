"""The still page of a publication: a `sheet` of its records, with the numbers as CSV in `data:` links.

The words are those of the live page (`blocks`), and each record prints on one sheet of paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from workbench import report
from workbench.locale import Texts
from workbench.publish import seal
from workbench.publish.blocks import Block, blocks
from workbench.publish.imprint import data_until, hash_line, imprint
from workbench.publish.markup import health
from workbench.publish.sheet import Sheet, csv_link, document
from workbench.records import AnyRecord

if TYPE_CHECKING:
    from workbench.publish.bundle import Page


def still(page: Page, records: Sequence[AnyRecord]) -> str:
    """The page of a version, with zeros where the hash of its manifest comes.

    Args:
        page: Its title, project and versions.
        records: As others may see them.
    """

    def made(t: Texts) -> Sheet:
        pages: list[list[Block]] = [[*blocks(record, t), _downloads(record, t)] for record in records]
        pages[-1].append(_live(t))
        return Sheet(
            title=page.title,
            facts=[
                page.project.name,
                data_until(page, t),
                t("for {audience}", audience=page.audience) if page.audience else "",
            ],
            pages=pages,
            foot=[*imprint(page, t), f"{hash_line(t)} {seal.BLANK}"],
            light=health(records, t),
            dense=True,
        )

    return document(made, page.language, page.project.currency)


def _downloads(record: AnyRecord, t: Texts) -> str:
    links = [csv_link(t("Every number (CSV)"), record.id, report.as_csv(record))]
    if rows := report.rows(record, t):
        name = f"{record.id}-{t.language}"
        links.insert(0, csv_link(t("The table (CSV)"), name, report.rows_as_csv(rows)))
    return f'<p class="wb-downloads">{"".join(links)}</p>'


def _live(t: Texts) -> str:
    words = escape(t("Change assumptions on the live page"))
    return f'<p class="wb-live" hidden><a href="live?lang={t.language}">{words}</a></p>'
