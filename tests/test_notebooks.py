"""Every notebook of the workbench runs from top to bottom on the sample shop, and holds no output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbclient
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests import sample_shop
from tools.notebooks import carries_output
from workbench import Project
from workbench.publish.site import BY_HAND, notebooks_folder

NOTEBOOKS = [*sorted(notebooks_folder().glob("*.ipynb")), *sorted(notebooks_folder().glob("lessons/*.ipynb"))]
each_notebook = pytest.mark.parametrize("file", NOTEBOOKS, ids=[file.stem for file in NOTEBOOKS])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop."""
    return sample_shop.make(tmp_path_factory.mktemp("notebooks") / "shop")


@pytest.fixture(scope="module")
def kernel(shop: Project) -> Iterator[nbclient.NotebookClient]:
    """One kernel for all notebooks: what it has imported is kept, what a notebook names is not."""
    client = nbclient.NotebookClient(new_notebook(), timeout=120, kernel_name="python3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_PROJECT", str(shop.path))
        with client.setup_kernel():
            yield client


@each_notebook
def test_a_notebook_runs_from_top_to_bottom_and_shows_its_screen(
    file: Path, kernel: nbclient.NotebookClient
) -> None:
    notebook = nbformat.read(file, as_version=4)
    for kernel.nb in (new_notebook(cells=[new_code_cell("%reset -f")]), notebook):
        kernel.reset_execution_trackers()
        for index, cell in enumerate(kernel.nb.cells):
            kernel.execute_cell(cell, index)
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
