"""Notebooks of one cell, for a server to show."""

from __future__ import annotations

from pathlib import Path

import nbformat


def write(folder: Path, name: str, code: str) -> None:
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    cells = [nbformat.v4.new_code_cell(code)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / name)
