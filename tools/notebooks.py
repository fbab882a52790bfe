"""Notebooks carry no stored outputs: `python -m tools.notebooks` names those that do."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def carries_output(notebook: Path) -> bool:
    """Whether a cell of the notebook holds an output or the number of an execution."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def main() -> int:
    """Name the notebooks with stored outputs; 1 when there are any."""
    found = [path for path in sorted(Path("notebooks").rglob("*.ipynb")) if carries_output(path)]
    for path in found:
        print(f"{path}: has stored outputs; clear them before committing.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
