"""A file that holds what a test says, and its tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.tables.load import Loaded, read_tables


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Loaded]:
    def read(content: str | bytes, name: str = "data.csv", **options: Any) -> Loaded:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_tables(path, **options)

    return read
