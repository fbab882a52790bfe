"""The standard tables: what each column is, and what happens when a row comes twice.

Times are `timestamp[us]` without a zone and mean UTC. Identifiers are text, whatever the file held; those of
persons (type `id`) become whole numbers, their pseudonyms, before they are stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from workbench.errors import check_choice
from workbench.locale import Message, say

Type = Literal["string", "id", "int64", "float64", "bool", "timestamp"]
Grain = Literal["event", "unit", "summary"]
GRAINS: tuple[Grain, ...] = ("event", "unit", "summary")

Repeat = Literal["newest", "fill", "first", "distinct", "replace"]
"""What a row means whose key is in the table already.

newest: its filled cells win; fill: it fills empty cells only; first: it is left out; distinct: it is left out
when every cell is the same (such tables have no key); replace: rows of one key come together, and all rows of
that key are replaced.
"""

_ARROW: dict[Type, pa.DataType] = {
    "string": pa.string(),
    "id": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Column:
    """One column of a standard table.

    Attributes:
        name: Its name.
        type: Its type; see `arrow_type`.
        required: A row without it is rejected, a file without it refused.
        allowed: The only values it may have, in lower case; empty when any will do.
        day: A calendar day rather than a moment: no time zone is applied.
    """

    name: str
    type: Type
    required: bool = False
    allowed: tuple[str, ...] = ()
    day: bool = False


@dataclass(frozen=True)
class Table:
    """A standard table.

    Attributes:
        name: Its name.
        about: What one row is.
        columns: Its columns, in order.
        key: Columns that say that two rows are the same; empty when only the full row does.
        repeat: What happens to a row whose key is there already.
        time: The column that says when, if there is one.
        attributes: Whether columns beyond these are kept.
        made_key: The key is made from the file's content where the file has none.
        grows: Columns whose greatest value holds when a row comes again, such as what was refunded so far.
    """

    name: str
    about: Message
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    repeat: Repeat = "distinct"
    time: str | None = None
    attributes: bool = False
    made_key: bool = False
    grows: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the declared columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def persons(self) -> tuple[str, ...]:
        """The columns that name a person."""
        return tuple(column.name for column in self.columns if column.type == "id")

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that no row may lack."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column | None:
        """The declared column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)


def arrow_type(kind: Type) -> pa.DataType:
    """The Arrow type that stores `kind`."""
    return _ARROW[kind]


def type_name(kind: pa.DataType) -> str:
    """The name of the type that an Arrow type stores; its own name when it is none of ours."""
    return next((name for name, stored in _ARROW.items() if stored == kind), str(kind))


def standard(name: str) -> Table:
    """The standard table of that name.

    Raises:
        WorkbenchError: when there is none, naming those there are.

    >>> standard("orders").required
    ('customer_id', 'ts')
    """
    return TABLES[check_choice(name, TABLES, say("table"))]


def conform(rows: pa.Table, table: Table) -> pa.Table:
    """`rows` with the table's declared columns first, in order and type; those missing are empty.

    Columns beyond the declared ones follow in the order they have. What names persons may be text or, once it
    is a pseudonym, a whole number.
    """
    columns = [
        _cast(rows[column.name], column.type)
        if column.name in rows.column_names
        else _empty_cells(rows.num_rows, arrow_type(column.type))
        for column in table.columns
    ]
    further = [name for name in rows.column_names if name not in table.names]
    return pa.table(
        [*columns, *(rows[name] for name in further)],
        names=[*table.names, *further],
    )


def _cast(column: pa.ChunkedArray, kind: Type) -> pa.ChunkedArray:
    if kind == "id" and column.type == pa.int64():
        return column
    return column.cast(arrow_type(kind))


def _empty_cells(count: int, kind: pa.DataType) -> pa.ChunkedArray:
    """`count` nulls, as one short piece repeated: millions of them take no room."""
    piece = pa.nulls(min(count, 1 << 16), kind)
    whole, rest = divmod(count, len(piece)) if count else (0, 0)
    return pa.chunked_array([piece] * whole + [piece.slice(0, rest)], type=kind)


def _of(kind: Type, names: str) -> list[Column]:
    """Columns of one type; a name that ends in `!` is required."""
    return [Column(name.rstrip("!"), kind, required=name.endswith("!")) for name in names.split()]


def _text(names: str) -> list[Column]:
    return _of("string", names)


def _id(names: str) -> list[Column]:
    return _of("id", names)


def _number(names: str) -> list[Column]:
    return _of("float64", names)


def _time(names: str) -> list[Column]:
    return _of("timestamp", names)


def _choice(name: str, allowed: str, *, required: bool = False) -> list[Column]:
    return [Column(name, "string", required=required, allowed=tuple(allowed.split()))]


def _columns(*groups: Sequence[Column]) -> tuple[Column, ...]:
    return tuple(column for group in groups for column in group)


def _by_name(tables: Iterable[Table]) -> dict[str, Table]:
    return {table.name: table for table in tables}


TABLES: dict[str, Table] = _by_name(
    [
        Table(
            "customers",
            say("One row is a customer."),
            _columns(
                _id("customer_id!"),
                _time("first_seen signed_up"),
                _text("country region city device source medium campaign"),
            ),
            key=("customer_id",),
            repeat="newest",
            attributes=True,
        ),
        Table(
            "events",
            say("One row is something a customer did."),
            _columns(
                _text("event_id"),
                _id("customer_id!"),
                _text("session_id"),
                _time("ts!"),
                _text("name! page item"),
                _number("value"),
                _text("device source medium experience_id variant"),
            ),
            key=("event_id",),
            repeat="first",
            time="ts",
            attributes=True,
            made_key=True,
        ),
        Table(
            "orders",
            say("One row is an order."),
            _columns(
                _text("order_id"),
                _id("customer_id!"),
                _time("ts!"),
                _number("revenue margin discount refund"),
                _text("currency channel"),
            ),
            key=("order_id",),
            repeat="fill",
            time="ts",
            made_key=True,
            grows=("refund",),
        ),
        Table(
            "order_items",
            say("One row is a line of an order."),
            _columns(
                _text("order_id! sku! category"),
                _number("quantity price"),
                _of("bool", "from_recommendation"),
            ),
            key=("order_id",),
            repeat="replace",
        ),
        Table(
            "exposures",
            say("One row is a customer put into a variant of an experience."),
            _columns(
                _id("customer_id!"),
                _text("experience_id! variant!"),
                _time("ts"),
                _choice("assignment", "random adaptive rule self unknown"),
                _number("p_assign"),
                _choice("level", "none general several few individual"),
                _text("type"),
                _of("bool", "delivered"),
            ),
            time="ts",
        ),
        Table(
            "sends",
            say("One row is a message sent."),
            _columns(
                _text("send_id! campaign_id"),
                _id("customer_id!"),
                _text("channel"),
                _time("ts!"),
                _of("bool", "delivered"),
                _text("topic"),
                _choice("kind", "informational commercial"),
            ),
            key=("send_id",),
            repeat="first",
            time="ts",
        ),
        Table(
            "send_events",
            say("One row is something that came of a message."),
            _columns(
                _text("send_id!"),
                _choice("type", "open click unsubscribe bounce complaint", required=True),
                _time("ts!"),
                _text("link user_agent medium"),
            ),
            time="ts",
        ),
        Table(
            "subscriptions",
            say("One row is a change of a subscription."),
            _columns(
                _id("customer_id!"),
                _time("ts!"),
                _choice("action", "subscribe unsubscribe pause resume preferences", required=True),
                _text("reason medium pref_content pref_frequency evidence"),
            ),
            time="ts",
        ),
        Table(
            "surveys",
            say("One row is an answer to a survey question."),
            _columns(
                _id("customer_id!"),
                _time("ts"),
                _text("instrument! item"),
                _number("score scale_min scale_max"),
                _text("text"),
                _choice("trigger", "relationship transaction"),
            ),
            time="ts",
        ),
        Table(
            "spend",
            say("One row is a day's cost of a channel."),
            (
                Column("date", "timestamp", required=True, day=True),
                *_columns(
                    _text("channel! campaign"), _number("cost!"), _of("int64", "leads"), _text("currency")
                ),
            ),
            key=("date", "channel", "campaign"),
            repeat="replace",
            time="date",
        ),
        Table(
            "leads",
            say("One row is a lead."),
            _columns(_text("lead_id!"), _id("customer_id"), _time("ts!"), _text("channel stage")),
            key=("lead_id",),
            repeat="newest",
            time="ts",
        ),
        Table(
            "churn",
            say("One row is the observed end of a customer."),
            _columns(_id("customer_id!"), _time("ts!"), _text("reason")),
            key=("customer_id",),
            repeat="newest",
            time="ts",
        ),
        Table(
            "referrals",
            say("One row is a customer brought by another."),
            _columns(_id("referrer_id! referred_id!"), _time("ts")),
            key=("referrer_id", "referred_id"),
            repeat="first",
            time="ts",
        ),
        Table(
            "consents",
            say("One row is a consent given or withdrawn."),
            _columns(
                _id("customer_id!"),
                _text("purpose!"),
                _of("bool", "granted!"),
                _time("ts"),
                _text("source text_version"),
            ),
            time="ts",
        ),
        Table(
            "refunds",
            say("One row is money given back for an order."),
            _columns(_text("refund_id order_id!"), _time("ts"), _number("amount!"), _text("currency")),
            key=("refund_id",),
            repeat="first",
            time="ts",
            made_key=True,
        ),
        Table(
            "rates",
            say("One row is what one unit of a currency was worth in the project's, from a day on."),
            (
                Column("date", "timestamp", required=True, day=True),
                *_columns(_text("currency!"), _number("rate!")),
            ),
            key=("date", "currency"),
            repeat="newest",
            time="date",
        ),
        Table(
            "aliases",
            say("One row says that two identifiers are the same customer."),
            _columns(_id("alias_id! customer_id!"), _time("ts")),
            key=("alias_id", "customer_id"),
            repeat="first",
            time="ts",
        ),
        Table(
            "social",
            say("One row is a day's count of a kind of reaction in a social network."),
            (
                Column("date", "timestamp", required=True, day=True),
                *_columns(
                    _text("network! post"),
                    _choice("type", "like comment share click view follow save", required=True),
                    _of("int64", "count! reach"),
                ),
            ),
            key=("date", "network", "post", "type"),
            repeat="newest",
            time="date",
        ),
        Table(
            "outcomes",
            say("One row is one result of one customer in an experience."),
            _columns(_id("customer_id!"), _text("experience_id! name!"), _number("value")),
            key=("customer_id", "experience_id", "name"),
            repeat="newest",
        ),
        Table(
            "summaries",
            say("One row is the sum of a metric over the customers of one variant and segment."),
            _columns(
                _text("experience_id! variant! metric!"),
                _choice("kind", "binary mean", required=True),
                _of("int64", "n!"),
                _number("mean! m2!"),
            ),
            key=("experience_id", "metric"),
            repeat="replace",
            attributes=True,
        ),
    ]
)
