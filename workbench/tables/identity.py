"""Which identifiers are the same customer.

A row of `aliases` gives one identifier (a device, an earlier contact) to a customer. Chains are followed:
device → visitor → user. The first statement about an identifier holds, since a device that two people signed
in on must not make one person of them; a statement that would close a circle is passed over.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from workbench.tables.schema import standard


class Identities:
    """Identifier → the customer it belongs to, from the rows of `aliases`.

    Args:
        aliases: Rows of the table `aliases`.
    """

    def __init__(self, aliases: pa.Table) -> None:
        ordered = aliases.sort_by([("ts", "ascending")])  # rows without a time come last
        parent: dict[int | str, int | str] = {}

        def root(one: int | str) -> int | str:
            while one in parent:
                one = parent[one]
            return one

        for alias, customer in zip(
            ordered["alias_id"].to_pylist(), ordered["customer_id"].to_pylist(), strict=True
        ):
            if alias is not None and customer is not None and alias not in parent and root(customer) != alias:
                parent[alias] = customer
        kind = aliases.schema.field("alias_id").type
        self.aliases = pa.array(list(parent), kind)
        self.customers = pa.array([root(alias) for alias in parent], kind)

    def __len__(self) -> int:
        return len(self.aliases)

    def merged(self, rows: pa.Table, table_name: str) -> pa.Table:
        """The rows with each person under the identifier of the customer they are."""
        if not len(self) or table_name == "aliases":
            return rows
        for name in standard(table_name).persons:
            if name in rows.column_names and rows[name].type == self.aliases.type:
                place = pc.index_in(rows[name], value_set=self.aliases)
                if place.null_count < len(place):
                    found = pc.take(self.customers, place)
                    rows = rows.set_column(
                        rows.column_names.index(name), name, pc.coalesce(found, rows[name])
                    )
        return rows

    def touched(self, rows: pa.Table, table_name: str) -> bool:
        """Whether the rows name somebody by an identifier that belongs to another."""
        return any(
            pc.any(pc.is_in(rows[name], value_set=self.aliases)).as_py()
            for name in standard(table_name).persons
            if name in rows.column_names and rows[name].type == self.aliases.type
        )
