"""Every notebook of the workbench runs from top to bottom on the sample shop, and holds no output."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest

from tests import sample_shop
from tools.notebooks import carries_output
from workbench import Project
from workbench.publish.site import BY_HAND, notebooks_folder

NOTEBOOKS = sorted(notebooks_folder().glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("file", NOTEBOOKS, ids=[file.stem for file in NOTEBOOKS])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop."""
    return sample_shop.make(tmp_path_factory.mktemp("notebooks") / "shop")


@each_notebook
def test_a_notebook_runs_from_top_to_bottom_and_shows_its_screen(
    file: Path, shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_PROJECT", str(shop.path))
    notebook = nbformat.read(file, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    (shown,) = [output for output in code[0].outputs if output.output_type == "execute_result"]
    assert "application/vnd.jupyter.widget-view+json" in shown.data
    assert code[1].outputs
    assert BY_HAND in code[1].metadata.tags


@each_notebook
def test_a_notebook_is_a_title_one_line_and_the_same_by_hand(file: Path) -> None:
    assert not carries_output(file)
    notebook = nbformat.read(file, as_version=4)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "code"]
    assert notebook.cells[1].source.startswith("from workbench import screens\n\nscreens.")
