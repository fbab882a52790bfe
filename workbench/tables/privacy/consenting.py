"""An engine that shows only what customers had agreed to."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, cast

import ibis
import pyarrow as pa

from workbench.engines import Engine, has
from workbench.errors import DataError
from workbench.tables.privacy.consent import consented
from workbench.tables.schema import TABLES


class Consenting:
    """The tables of another engine, less the rows whose customer had not agreed when they happened.

    Every question that is asked through `engines.table` keeps to it; SQL by hand does not.

    Args:
        engine: Where the tables are.
        purpose: What has to be agreed to.
    """

    def __init__(self, engine: Engine, purpose: str) -> None:
        self._engine = engine
        self.purpose = purpose
        self.dialect = engine.dialect

    def tables(self) -> list[str]:
        return self._engine.tables()

    def schema(self, table: str) -> ibis.Schema:
        return self._engine.schema(table)

    def query(self, sql: str) -> pa.Table:
        return self._engine.query(sql)

    @property
    def answer(self) -> Any:
        """The other engine's `answer`, where it remembers answers."""
        return self._engine.answer  # type: ignore[attr-defined]  # some engines have it

    @property
    def batches(self) -> Any:
        """The other engine's `batches`, where it need not hold all rows at once."""
        return self._engine.batches  # type: ignore[attr-defined]  # some engines have it

    def kept[T](self, question: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, kept as long as the other engine keeps it; see `CachedEngine.kept`."""
        kept = getattr(self._engine, "kept", None)  # some engines have it
        return make() if kept is None else cast(T, kept((self.purpose, question), make))

    def view(self, name: str, rows: Any) -> Any:
        """The rows of a table that may be seen.

        Raises:
            DataError: when nobody was asked: the project has no consents.
        """
        table = TABLES.get(name)
        if table is None or name in ("consents", "aliases") or "customer_id" not in rows.columns:
            return rows
        if not has(self._engine, "consents"):
            raise DataError(
                "Only what customers agreed to for “{purpose}” may be analysed, but this project has no"
                " consents; load them, or take consent_purpose out of project.toml.",
                purpose=self.purpose,
            )
        consents = ibis.table(self._engine.schema("consents"), name="consents")
        return consented(rows, consents, self.purpose, table.time)
