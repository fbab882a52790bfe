"""Files into a project: pseudonyms, identities, money, recipes, and all of it or nothing."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from workbench import Project
from workbench.errors import Cancelled, DataError, ProjectError

ORDERS = "order_id,customer_id,ts,revenue\n"


def ask(project: Project, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in project.engine.query(sql).to_pylist()]


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "shop")


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.requirement("G01")
def test_no_identifier_of_a_person_is_written_into_the_project(shop: Project, tmp_path: Path) -> None:
    """Two files that write one customer differently meet in one pseudonym; no file holds what they wrote."""
    one = write(
        tmp_path,
        "orders.csv",
        "order_id,customer_id,ts,revenue,Notes\n1,Ana.Gil@Example.com,2026-01-01,10,call 612 345 678\n",
    )
    two = write(
        tmp_path, "people.csv", "customer_id,country,email\nana.gil@example.com ,ES,ana.gil@example.com\n"
    )
    shop.load(one, table="orders")
    shop.load(two, table="customers")
    assert ask(shop, "SELECT count(*) FROM orders JOIN customers USING (customer_id)") == [(1,)]
    (number,) = ask(shop, "SELECT customer_id FROM customers")[0]
    assert isinstance(number, int)
    assert number >= 0
    for file in (file for file in shop.path.rglob("*") if file.is_file()):
        content = file.read_bytes().lower()
        assert b"ana.gil" not in content
        assert b"612 345 678" not in content


@pytest.mark.requirement("D01")
def test_several_files_come_in_together_or_not_at_all(shop: Project, tmp_path: Path) -> None:
    write(tmp_path, "orders-1.csv", ORDERS + "1,a,2026-01-01,10\n2,b,2026-01-02,20\n")
    write(tmp_path, "orders-2.csv", ORDERS + "2,b,2026-01-02,20\n3,c,2026-01-03,x\n4,c,2026-01-03,5\n")
    report = shop.load(str(tmp_path / "orders-*.csv"))
    assert report.files == ("orders-1.csv", "orders-2.csv")
    assert (report.rows_read, report.rows_kept, report.rejected_count) == (5, 4, 1)
    assert report.added == {"orders": 3}
    assert [(row.file, row.line, row.value) for row in report.rejected] == [("orders-2.csv", 3, "x")]
    assert ask(shop, "SELECT count(*), sum(revenue) FROM orders") == [(3, 35.0)]
    write(tmp_path, "orders-3.csv", ORDERS + "9,z,2026-02-01,1\n")
    write(tmp_path, "orders-4.csv", "")
    before = shop.manifest()
    with pytest.raises(DataError, match=r"orders-4\.csv is empty"):
        shop.load([tmp_path / "orders-3.csv", tmp_path / "orders-4.csv"])
    assert shop.manifest() == before
    named = {part["file"] for part in before["orders"]["parts"]}
    assert {file.name for file in (shop.path / "tables").glob("*.parquet")} == named


@pytest.mark.requirement("D20")
def test_next_months_file_adds_what_is_new(shop: Project, tmp_path: Path) -> None:
    """Files that overlap, with and without an identifier of their rows."""
    plain = "user,event,date\n"
    october = "a,view,2026-10-01\na,view,2026-10-01\nb,buy,2026-10-02\n"
    shop.load(write(tmp_path, "oct.csv", plain + october), table="events")
    report = shop.load(write(tmp_path, "all.csv", plain + october + "c,view,2026-11-01\n"), table="events")
    assert report.added == {"events": 1}
    assert ask(shop, "SELECT count(*) FROM events") == [(4,)]
    assert any("3" in str(note) and "already" in str(note) for note in report.notes)


def test_a_table_of_many_parts_becomes_one_again(shop: Project, tmp_path: Path) -> None:
    for number in range(30):
        text = ORDERS + f"{number},a,2026-01-01,1\n"
        shop.load(write(tmp_path, f"{number}.csv", text), table="orders")
    assert len(shop.manifest()["orders"]["parts"]) < 25
    assert ask(shop, "SELECT count(*), count(DISTINCT order_id) FROM orders") == [(30, 30)]


@pytest.mark.requirement("D08")
def test_refunds_and_other_money_find_their_orders_in_any_order(shop: Project, tmp_path: Path) -> None:
    orders = write(
        tmp_path,
        "orders.csv",
        "order_id,customer_id,ts,revenue,currency\n1,a,2026-01-05,100,USD\n2,b,2026-01-05,50,EUR\n",
    )
    refund = write(
        tmp_path, "refunds.csv", "refund_id,order_id,ts,amount\nr1,2,2026-01-07,20\nr2,2,2026-01-09,5\n"
    )
    rates = write(tmp_path, "rates.csv", "date,currency,rate\n2026-01-01,USD,0.9\n2026-01-06,USD,0.5\n")
    shop.load(refund, table="refunds")
    report = shop.load(orders, table="orders")
    assert report.rejected_count == 1
    assert "no exchange rate" in report.rejected[0].reason
    shop.load(rates, table="rates")
    shop.load(orders, table="orders")
    shop.load(refund, table="refunds")
    rows = ask(shop, "SELECT order_id, revenue, refund FROM orders ORDER BY order_id")
    assert rows == [("1", pytest.approx(90.0), None), ("2", 50.0, 25.0)]


def test_identifiers_of_one_customer_become_one_whenever_that_is_known(shop: Project, tmp_path: Path) -> None:
    """Device d1, then visitor v1 turn out to be user u1; d2, which two people used, stays with the first."""
    shop.load(write(tmp_path, "o.csv", ORDERS + "1,d1,2026-01-01,10\n2,d2,2026-01-02,20\n"), table="orders")
    shop.load(
        write(
            tmp_path,
            "who.csv",
            "alias_id,customer_id,ts\nd1,v1,2026-01-03\nv1,u1,2026-01-04\nd2,u2,2026-01-03\nd2,u1,2026-01-05\nu1,d1,2026-01-09\n",
        ),
        table="aliases",
    )
    shop.load(
        write(tmp_path, "p.csv", ORDERS + "3,u1,2026-02-01,5\n4,v1,2026-02-02,5\n5,d2,2026-02-03,1\n"),
        table="orders",
    )
    shop.load(write(tmp_path, "c.csv", "customer_id,country\nu1,ES\nv1,\nu2,FR\n"), table="customers")
    spent = ask(
        shop,
        "SELECT country, sum(revenue) FROM orders JOIN customers USING (customer_id) GROUP BY ALL ORDER BY 1",
    )
    assert spent == [("ES", 20.0), ("FR", 21.0)]
    assert ask(shop, "SELECT count(*) FROM customers") == [(2,)]


@pytest.mark.requirement("Y11")
def test_a_recipe_reads_the_next_file_and_can_be_taken_to_another_project(
    shop: Project, tmp_path: Path
) -> None:
    text = "n;quien;cuando;cuanto\n{0};a;03/04/2026;1.034,5\n"
    mapping = {"order_id": "n", "customer_id": "quien", "ts": "cuando", "revenue": "cuanto"}
    settings: dict[str, Any] = {"table": "orders", "mapping": mapping, "date_order": "mdy", "decimal": ","}
    first = shop.load(write(tmp_path, "a.csv", text.format(1)), **settings)
    shop.recipes["pedidos"] = first.recipe
    again = shop.load(write(tmp_path, "b.csv", text.format(2)))
    assert "Read as the recipe “pedidos” says." in map(str, again.notes)
    assert not again.questions
    other = Project.create(tmp_path / "other")
    shared = tmp_path / "shared.json"
    shared.write_bytes((shop.path / "recipes" / "pedidos.json").read_bytes())
    assert set(json.loads(shared.read_text())) >= {"table", "mapping"}
    (other.path / "recipes" / "mine.json").write_bytes(shared.read_bytes())
    other.load(tmp_path / "a.csv", recipe="mine")
    for project, orders in ((shop, 2), (other, 1)):
        assert ask(project, "SELECT count(*), max(revenue), max(ts)::VARCHAR FROM orders") == [
            (orders, 1034.5, "2026-03-04 00:00:00")
        ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no recipe: it is not JSON"),
        ("[1]", "has to be one JSON object"),
        ('{"table": "orders", "decimal": "x", "version": 1}', "“decimal” cannot be read"),
        ('{"table": "orders", "colour": "red"}', "“colour” cannot be read"),
    ],
)
def test_a_recipe_that_is_none_says_what_is_wrong(
    shop: Project, tmp_path: Path, text: str, says: str
) -> None:
    (shop.path / "recipes" / "bad.json").write_text(text)
    with pytest.raises(DataError, match=says):
        shop.load(write(tmp_path, "a.csv", ORDERS + "1,a,2026-01-01,1\n"), recipe="bad")
    with pytest.raises(ProjectError, match="There is no recipe “none” in this project; there are: bad"):
        shop.load(tmp_path / "a.csv", recipe="none")


def test_a_load_tells_how_far_it_is_and_can_be_stopped(shop: Project, tmp_path: Path) -> None:
    shop.load(write(tmp_path, "a.csv", ORDERS + "0,a,2026-01-01,1\n"), table="orders")
    big = write(tmp_path, "big.csv", ORDERS + "".join(f"{i},a,2026-01-01,1\n" for i in range(1, 1_500_000)))
    shares: list[float] = []
    stop = Event()

    def progress(share: float) -> None:
        shares.append(share)
        if share > 0.3:
            stop.set()

    with pytest.raises(Cancelled):
        shop.load(big, progress=progress, cancel=stop)
    assert shares == sorted(shares)
    assert 0.3 < shares[-1] < 1
    assert ask(shop, "SELECT count(*) FROM orders") == [(1,)]
    shop.load(tmp_path / "a.csv", progress=shares.append)
    assert shares[-1] == 1


_LOADER = """
import os, sys
import duckdb, pyarrow.compute, pyarrow.csv
import workbench.intake, workbench.tables.load, workbench.tables.sources.delimited
from workbench import Project
for line in sys.stdin:
    child = os.fork()
    if not child:
        project = Project.open(sys.argv[1])
        project.load(line.strip(), table="orders")
        os._exit(0)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print("killed" if os.WIFSIGNALED(status) else "done", flush=True)
"""


@pytest.mark.long
def test_a_load_that_is_killed_at_any_moment_loses_nothing(shop: Project, tmp_path: Path) -> None:
    """At thirty random moments: the tables are as before or as after, and the next load works."""

    def rows(first: int, count: int) -> str:
        return ORDERS + "".join(f"{i},c{i % 97},2026-01-01,1\n" for i in range(first, first + count))

    shop.load(write(tmp_path, "old.csv", rows(0, 5_000)), table="orders")
    there, size = 5_000, 5_000
    chance = random.Random(5)
    loader = subprocess.Popen(
        [sys.executable, "-c", _LOADER, str(shop.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert loader.stdin is not None
    assert loader.stdout is not None
    took, killed, finished = 0.0, 0, 0
    while killed < 30:
        assert finished < 60, "loads end before they can be killed"
        file = write(tmp_path, "new.csv", rows(there, size))
        begin = time.monotonic()
        loader.stdin.write(f"{file}\n")
        loader.stdin.flush()
        child = int(loader.stdout.readline())
        if took:  # the first load says how long one takes
            time.sleep(chance.uniform(0, took))
            with contextlib.suppress(ProcessLookupError):  # it was done already
                os.kill(child, signal.SIGKILL)
        if loader.stdout.readline().strip() == "killed":
            killed += 1
        else:
            finished += 1
            took = time.monotonic() - begin
        count, total, distinct = ask(
            Project.open(shop.path), "SELECT count(*), sum(revenue), count(DISTINCT order_id) FROM orders"
        )[0]
        assert count == total == distinct
        assert count in (there, there + size)
        there = count
    loader.stdin.close()
    assert loader.wait(10) == 0
    assert there > 5_000
