"""What is installed is pinned, explained and said once, and the files that say so agree."""

from __future__ import annotations

import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools import notebooks, requirements

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DEPENDENCIES = {
    canonicalize_name(requirement.name): requirement.specifier
    for requirement in map(
        Requirement, [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    )
    if requirement.name != PROJECT["name"]
}
# Names that differ on conda-forge; there, Ibis without its engines is a package of its own.
CONDA_NAMES = {
    "duckdb": "python-duckdb",
    "ibis-framework": "ibis-framework-core",
    "playwright": "playwright-python",
}


def text_files() -> dict[str, str]:
    """The files that are, or are about to be, under version control, as far as they are text."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    contents = {name: (ROOT / name).read_bytes() for name in names}
    return {name: data.decode(errors="replace") for name, data in contents.items() if b"\0" not in data}


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    unmet = {name: bound for name, bound in DEPENDENCIES.items() if pinned.get(name, "") not in bound}
    assert unmet == {}


def test_conda_asks_for_the_same_as_pip() -> None:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    asked = {
        canonicalize_name(name): SpecifierSet(bound)
        for name, bound in re.findall(r"^ +- ([\w-]+)([<>=].*)$", text, re.MULTILINE)
    }
    assert asked.pop("python") == SpecifierSet(PROJECT["requires-python"])
    assert asked == {CONDA_NAMES.get(name, name): bound for name, bound in DEPENDENCIES.items()}


def test_set_up_takes_the_python_versions_that_are_supported() -> None:
    supported = SpecifierSet(PROJECT["requires-python"])
    script = (ROOT / "tools" / "setup.sh").read_text(encoding="utf-8")
    low, high = map(int, re.findall(r"\(3, (\d+)\)", script))
    assert SpecifierSet(f">=3.{low},<3.{high}") == supported
    for text in (script, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        named = {int(minor) for minor in re.findall(r"\b3\.(\d\d)\b", text)}
        assert {low, high - 1} <= named <= set(range(low, high))
    assert (ROOT / ".python-version").read_text(encoding="utf-8").strip() in supported


def test_every_dependency_has_its_reason() -> None:
    records = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "decisions").glob("0*.md")
    )
    explained = {canonicalize_name(name) for name in re.findall(r"`([\w.-]+)`", records)}
    assert DEPENDENCIES.keys() - explained == set()


def test_the_index_lists_every_decision() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((0[\w-]+\.md)\)", index) == sorted(path.name for path in folder.glob("0*.md"))


def test_no_file_names_the_host_of_a_package_registry() -> None:
    registries = [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com")]
    registries += [("anaconda", "org"), ("anaconda", "com"), ("debian", "org")]
    hosts = [".".join(parts) for parts in registries]
    files = text_files()
    assert "pyproject.toml" in files
    assert [(name, host) for name, text in files.items() for host in hosts if host in text] == []


def test_no_file_names_the_folder_it_was_written_in() -> None:
    assert [name for name, text in text_files().items() if f"{ROOT}/" in text] == []


def test_notebooks_carry_no_outputs(tmp_path: Path) -> None:
    run = tmp_path / "run.ipynb"
    run.write_text('{"cells": [{"cell_type": "code", "execution_count": 3, "outputs": []}]}', "utf-8")
    assert notebooks.carries_output(run)
    assert [path for path in (ROOT / "notebooks").rglob("*.ipynb") if notebooks.carries_output(path)] == []


def test_the_list_of_requirements_is_that_of_the_tests() -> None:
    assert requirements.TABLE.read_text(encoding="utf-8") == requirements.table()


def test_marks_are_read_from_tests_classes_and_modules(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        """
pytestmark = pytest.mark.requirement("A1")

@pytest.mark.requirement("B1", "B2")
def test_one(): ...

@pytest.mark.requirement("C1")
class TestTwo:
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.requirement("D1"))])
    def test_three(self, x): ...

@pytest.mark.requirement("E1")
def not_a_test(): ...
""",
        "utf-8",
    )
    assert requirements.shown(tmp_path) == {
        "A1": ["test_a.py::test_one", "test_a.py::test_three"],
        "B1": ["test_a.py::test_one"],
        "B2": ["test_a.py::test_one"],
        "C1": ["test_a.py::test_three"],
        "D1": ["test_a.py::test_three"],
    }
