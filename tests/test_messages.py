"""What kernels say is read as `jupyter_client` itself reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from jupyter_client.session import Session

from workbench.publish.messages import unpack

KEY = b"shared"


def told(**content: Any) -> list[bytes]:
    """A message as it goes over the wire."""
    session = Session(key=KEY, packer="json")
    message = session.msg("comm_msg", content=content, parent=session.msg("comm_open"))
    return session.feed_identities(session.serialize(message))[1]


@pytest.mark.parametrize(
    "content",
    [
        {"data": {"state": {"value": 3.5, "when": "2026-11-26T10:00:00Z"}}},
        {"date": "2026-11-26T10:00:00Z", "text": "señal €"},
        {"msg_id": "a page's own", "date": "tomorrow"},
        {},
    ],
)
def test_a_message_is_the_one_that_was_sent(content: dict[str, Any]) -> None:
    parts = told(**content)
    ours = Session(key=KEY, unpacker=f"{unpack.__module__}.{unpack.__name__}").deserialize(parts)
    theirs = Session(key=KEY, packer="json").deserialize(parts)
    assert ours == theirs
    assert ours["header"]["date"].tzinfo is not None
    assert abs((datetime.now(UTC) - ours["header"]["date"]).total_seconds()) < 60


def test_numbers_that_are_none_are_read_as_python_writes_them() -> None:
    assert unpack(b'{"value": Infinity}') == {"value": float("inf")}
