"""The sample shop for the screens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import sample_shop
from workbench import Project


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop; not to be changed."""
    return sample_shop.make(tmp_path_factory.mktemp("sample") / "shop")


@pytest.fixture
def own_shop(shop: Project, tmp_path: Path) -> Project:
    """A copy of the sample shop."""
    return sample_shop.copy(shop, tmp_path / "own-shop")


@pytest.fixture
def empty_shop(tmp_path: Path) -> Project:
    """A project without data."""
    return Project.create(tmp_path / "empty-shop")
