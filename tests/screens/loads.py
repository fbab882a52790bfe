"""Loading files on the screen without a browser: a file with faults, the view, pressing the button."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench import Project
from workbench.locale import Texts
from workbench.screens.loading import LoadState
from workbench.screens.loading_view import view
from workbench.tables.report import LoadReport

PATH = "Or their path there"
MESSY = """fecha;cliente;pedido;importe;nota
03/04/2026;c1;o1;10,50;<script>alert(1)</script>
04/04/2026;c2;o2;20;b
05/04/2026;;o3;30;c
06/04/2026;c4;o4;treinta;d
"""
"""Dates that can be read in two ways, markup in a cell, and two rows that cannot be kept."""


def messy_file(folder: Path) -> Path:
    """`MESSY` as a file."""
    place = folder / "pedidos.csv"
    place.write_text(MESSY, encoding="utf-8")
    return place


def loaded(state: LoadState) -> LoadReport:
    """Press “Load” and wait for what comes of it."""
    state.load()
    assert state.problem is None, state.problem
    state.run.wait(60)
    assert state.run.problem is None, state.run.problem
    assert state.run.report is not None
    return state.run.report


def page_of(state: LoadState) -> Any:
    """The view of a state, in English."""
    return view(state, Texts("en"))


def rows_of(project: Project, table: str) -> int:
    found = project.engine.query(f"SELECT count(*) AS n FROM {table}").to_pylist()
    return int(found[0]["n"])
