"""Addresses of engines: what they mean, what is wrong with them, and that they keep their secrets."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import pytest

from workbench.engines.address import GROUP, open_engine, read_address
from workbench.errors import DataError, ProjectError, WorkbenchError


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("duckdb", "duckdb", "duckdb"),
        ("postgresql://ana@db/shop?schema=sales", "postgresql", "postgresql://ana@db/shop"),
        ("postgres://db:6432/shop", "postgresql", "postgresql://db:6432/shop"),
        ("postgresql://one:1,two:2/shop", "postgresql", "postgresql://one:1,two:2/shop"),
        (
            "postgresql://ana@db/shop?sslmode=require&schema=a&options=-c%20work_mem%3D64MB",
            "postgresql",
            "postgresql://ana@db/shop?sslmode=require&options=-c%20work_mem%3D64MB",
        ),
        ("postgresql:///shop?service=sales", "postgresql", "postgresql:///shop?service=sales"),
        ("postgresql://%2Frun%2Fpg/shop", "postgresql", "postgresql://%2Frun%2Fpg/shop"),
        ("spark+local", "spark+local", "local[*]"),
        ("spark+local?tables=/data/shop", "spark+local", "local[*]"),
        ("spark://one:7077,two:7077?catalog=lake&schema=shop", "spark", "spark://one:7077,two:7077"),
        ("sc://host:15002/;use_ssl=true?schema=s", "spark+connect", "sc://host:15002/;use_ssl=true"),
        ("spark+connect://[::1]:15002", "spark+connect", "sc://[::1]:15002"),
    ],
)
def test_forms(text: str, kind: str, target: str) -> None:
    found = read_address(text)
    assert (found.kind, found.target) == (kind, target)


def test_options_are_those_after_the_question_mark() -> None:
    found = read_address("spark://h:7077?tables=s3a://bucket/a%20b&spark.executor.memory=2g")
    assert found.options == {"tables": "s3a://bucket/a b", "spark.executor.memory": "2g"}


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ana:hunter2@db:5432/shop?schema=sales&sslpassword=hunter2",
        "postgres://ana:hunter2%40@one:1,two:2/shop",
        "sc://spark:15002/;token=hunter2;use_ssl=true?schema=shop",
        "spark://spark:7077?tables=s3a://b/t&spark.hadoop.fs.s3a.secret.key=hunter2",
        "spark+local?tables=/data&spark.hadoop.fs.s3a.secret.key=hunter2",
    ],
)
def test_secrets_are_not_shown(text: str) -> None:
    found = read_address(text)
    assert "hunter2" not in f"{found.shown} {found} {found!r}"


@pytest.mark.parametrize(
    "text",
    [
        "mysql://ana:hunter2@db/shop",
        "postgresql://ana:hunter2@x@db/shop",
        "postgresql://ana:x/hunter2@db/shop",
        "postgresql://ana:x?hunter2@db/shop",
        "spark://",
        "sc:///;token=hunter2",
        "spark://h:7077?token=hunter2",
        "spark+local?tables=data/shop",
        "spark+local?tables=",
        "postgresql://db/shop?timeout=soon",
        "duckdb?schema=shop",
        "",
    ],
)
def test_mistakes_are_one_sentence_without_the_secret(text: str) -> None:
    with pytest.raises(ProjectError) as caught:
        open_engine(text)
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_an_unknown_engine_names_those_there_are() -> None:
    with pytest.raises(ProjectError, match=r"no engine “mysql”.*postgresql://.*spark\+local.*sc://"):
        read_address("mysql://db/shop")


@pytest.mark.parametrize(
    ("text", "package", "extra"),
    [("postgresql://db/shop", "psycopg", "postgres"), ("spark+local", "pyspark", "spark")],
)
def test_a_missing_package_says_what_to_install(
    text: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = "workbench.engines.postgresql" if extra == "postgres" else "workbench.engines.spark"
    monkeypatch.delitem(sys.modules, ours, raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    there = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return there(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=rf"install personalization-workbench\[{extra}\]\."):
        open_engine(text)


def test_another_package_may_bring_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lake_engine.py").write_text(
        "class Lake:\n"
        "    dialect = 'trino'\n"
        "    def __init__(self, address):\n"
        "        self.place = (address.hosts, address.options, address.target, address.shown)\n"
    )
    about = tmp_path / "lake_engine-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lake-engine\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\nlake = lake_engine:Lake\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    engine: Any = open_engine("lake://ana:hunter2@host:8080/main?schema=shop")
    assert engine.place == (
        ("host:8080",),
        {"schema": "shop"},
        "lake://ana:hunter2@host:8080/main?schema=shop",
        "lake://ana@host:8080",
    )
    with pytest.raises(ProjectError, match=r"no engine “pond”; .*lake://…\."):
        read_address("pond://host")


def test_nobody_listening_is_one_sentence() -> None:
    """Port 1 of this computer; no Spark and no Java is started to find out."""
    for text in ("postgresql://ana:hunter2@127.0.0.1:1/shop", "spark://127.0.0.1:1"):
        with pytest.raises(
            WorkbenchError, match=r"127\.0\.0\.1:1.* cannot be reached: .*[Rr]efused"
        ) as caught:
            open_engine(text).tables()
        assert "hunter2" not in str(caught.value)
