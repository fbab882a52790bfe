"""Tables with more rows than one reads at once: searched, sorted, turned over page by page, and saved.

Few rows are a plain table. Many are one of DataTables, brought by itables: 0.8 MB that are sent only when
somebody opens it (docs/decisions/0016-long-tables.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets

from workbench import report
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.markup import table
from workbench.screens.download import Download

if TYPE_CHECKING:
    from itables.widget import ITable

    from workbench.report import Row

FEW = 20
"""Rows that one sees all at once; also the length of a page."""


class LongTable(ipywidgets.VBox):
    """A table behind the line that opens it.

    Args:
        t: The reader's language.
        file: What it is saved as, without `.csv`; there is no way to save it where this is empty.
    """

    def __init__(self, t: Texts, *, file: str = "") -> None:
        self._t, self._file = t, file
        self._rows: Sequence[Row] = ()
        self._values: Mapping[str, Sequence[Any]] = {}
        self._few = Fold()
        self._switch = ipywidgets.ToggleButton(description=t("The numbers as a table")).add_class("wb-more")
        self._switch.observe(lambda _: self._turn(), "value")
        self._place = ipywidgets.VBox().add_class("wb-long")
        super().__init__([self._few, self._switch, self._place])
        self.show("", ())

    def show(
        self, title: str, rows: Sequence[Row], *, values: Mapping[str, Sequence[Any]] | None = None
    ) -> None:
        """Put these rows in the place of those that were there; without rows nothing is seen.

        Args:
            title: The line that opens the table.
            rows: As they are read.
            values: What columns are sorted by that are not sorted as text: a value a row, None for none.
        """
        self._rows, self._values = rows, values or {}
        many = len(rows) > FEW
        self._few.title, self._few.content = title, "" if many else table(rows)
        self._switch.description = title or self._switch.description
        self._switch.layout.display = "" if many else "none"
        self._switch.value = False
        self._turn()

    def _turn(self) -> None:
        for child in self._place.children:
            child.close()
        self._place.layout.display = "" if self._switch.value else "none"
        self._place.children = self._opened() if self._switch.value else ()

    def _opened(self) -> tuple[ipywidgets.Widget, ...]:
        shown = data_table(self._rows, self._t, values=self._values)
        if not self._file:
            return (shown,)
        content = report.rows_as_csv(self._rows).encode("utf-8-sig")
        return (shown, Download(lambda: (f"{self._file}.csv", content), label=self._t("Table as CSV")))


def data_table(rows: Sequence[Row], t: Texts, *, values: Mapping[str, Sequence[Any]] | None = None) -> ITable:
    """All rows in a table of DataTables, which gets no HTML and no code out of them.

    A column is sorted by its `values` through a hidden one that holds their places in order.
    """
    import pandas as pd
    from itables.widget import ITable

    columns = list(rows[0])
    sorted_by = {column: values[column] for column in columns if values and column in values}
    shown = pd.DataFrame({column: [row[column] for row in rows] for column in columns})
    for number, found in enumerate(sorted_by.values()):
        shown[f"_{number}"] = places(found)
    hidden = range(len(columns), len(columns) + len(sorted_by))
    return ITable(
        shown,
        showIndex=False,
        maxBytes=0,  # no limit: rows beyond it are left out of sight and of the search
        maxColumns=0,
        classes="wb-long-table",
        style="width:100%",
        layout={"topStart": "search", "topEnd": None, "bottomStart": "info", "bottomEnd": "paging"},
        columnDefs=[
            *(
                {"targets": columns.index(column), "orderData": [place], "className": "wb-value-column"}
                for column, place in zip(sorted_by, hidden, strict=True)
            ),
            {"targets": list(hidden), "visible": False, "searchable": False},
        ],
        autoWidth=False,
        pageLength=FEW,
        text_in_header_can_be_selected=False,
        language=_words(t),
    )


def _words(t: Texts) -> Any:
    """What DataTables says (https://datatables.net/reference/option/language)."""
    symbols = t.locale.number_symbols["latn"]
    return {
        "search": t("Search"),
        "info": t("Rows _START_ to _END_ of _TOTAL_"),
        "infoEmpty": t("No row"),
        "infoFiltered": t("(of _MAX_)"),
        "zeroRecords": t("No row holds this."),
        "thousands": symbols["group"],
        "decimal": symbols["decimal"],
        "aria": {
            "orderable": t(": press to sort"),
            "orderableReverse": t(": press to sort the other way round"),
            "orderableRemove": t(": press to undo the sorting"),
            "paginate": {
                "first": t("First page"),
                "previous": t("Page before"),
                "next": t("Next page"),
                "last": t("Last page"),
            },
        },
    }


def places(values: Sequence[Any]) -> list[int]:
    """The place of each value in their order, from 1; 0 for None and for what is not a number.

    >>> places([10.0, None, 9.5, 10.0, float("nan")])
    [2, 0, 1, 2, 0]
    """
    known = sorted({value for value in values if value is not None and value == value})
    order = {value: place for place, value in enumerate(known, 1)}
    return [order.get(value, 0) for value in values]
