"""What kernels say to the server, taken apart as `jupyter_client` does it, but for the time of a message.

`Session.deserialize` looks for times in all of a header and reads them with `python-dateutil`, half of what a
message costs the server. What is a time already is left alone.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import orjson


def unpack(packed: bytes) -> Any:
    """A part of a message; the `date` of a header as a time."""
    try:
        part = orjson.loads(packed)
    except orjson.JSONDecodeError:  # what Python's own `json` writes of numbers that are none
        part = json.loads(packed)
    if isinstance(part, dict) and "msg_id" in part and isinstance(part.get("date"), str):
        try:
            part["date"] = datetime.fromisoformat(part["date"])
        except ValueError:
            return part  # no header, or one of another kind: it is read as ever
    return part
