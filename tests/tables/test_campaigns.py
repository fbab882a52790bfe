"""Where visits came from, read from the addresses of pages before these are masked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import Project
from workbench.tables.campaigns import origin
from workbench.tables.load import Loaded

Load = Callable[..., Loaded]
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=12)


@given(source=texts, medium=texts, campaign=texts, coding=st.sampled_from([quote, quote_plus]))
@pytest.mark.requirement("D05")
def test_what_a_browser_encodes_comes_back_as_it_was(
    source: str, medium: str, campaign: str, coding: Callable[..., str]
) -> None:
    given_ = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign}
    query = "&".join(f"{name}={coding(value, safe='')}" for name, value in given_.items())
    address = f"https://shop.example/p?size=9&{query}#top"
    theirs = parse_qs(urlsplit(address).query, keep_blank_values=True)
    assert origin(address) == tuple(theirs[name][0] for name in given_) == (source, medium, campaign)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/p?utm_source=Facebook&utm_medium=CPC", ("Facebook", "CPC", None)),
        ("/p?utm_campaign=black+friday%202026", (None, None, "black friday 2026")),
        ("/p?utm_campaign=oto%F1o", (None, None, "otoño")),  # not UTF-8
        ("/p?a=1&amp;utm_source=x&amp;utm_medium=y", ("x", "y", None)),
        ("/p#utm_source=x", ("x", None, None)),
        ("/p?utm_source=&utm_medium=%20", (None, None, None)),
        ("/p?UTM_Source=x", ("x", None, None)),
        ("/p?gclid=1", ("google", "cpc", None)),
        ("/p?fbclid=1", ("facebook", "social", None)),
        ("/p?fbclid=1&utm_source=ig&utm_medium=paid_social", ("ig", "paid_social", None)),
        ("/p?gclid=1&utm_campaign=brand", ("google", "cpc", "brand")),
        ("/p?gclid=&not_utm_source=x", (None, None, None)),
        ("/p?q=utm_source", (None, None, None)),
    ],
)
@pytest.mark.requirement("D05")
def test_an_address_names_its_campaign(address: str, found: tuple[str | None, ...]) -> None:
    assert origin(address) == found


EVENTS = (
    "visitor,event,time,url,source,medium,referrer\n"
    "a,view,2026-01-01T10:00:00Z,https://s.example/?utm_source=News&utm_medium=email&utm_campaign=Oto%C3%B1o,,,\n"
    "a,view,2026-01-01T10:01:00Z,https://s.example/p,,,https://x.example/?utm_source=other\n"
    "b,view,2026-01-01T10:00:00Z,https://s.example/?utm_source=news&utm_campaign=w1,News,,\n"
    "c,view,2026-01-01T10:00:00Z,https://s.example/?gclid=1,bing,,\n"
    "d,view,2026-01-01T10:00:00Z,https://s.example/?gclid=1,,,\n"
)


def origins(loaded: Loaded, table: str) -> list[tuple[Any, ...]]:
    rows = loaded.tables[table].select(["source", "medium", "campaign"])
    return [tuple(row.values()) for row in rows.to_pylist()]


@pytest.mark.requirement("D05")
def test_empty_cells_of_events_are_filled_and_what_the_file_says_holds(load: Load) -> None:
    loaded = load(EVENTS)
    assert origins(loaded, "events") == [
        ("News", "email", "Otoño"),
        (None, None, None),
        ("News", None, "w1"),
        ("bing", None, None),  # the file speaks of another visit
        ("google", "cpc", None),
    ]
    assert (
        "events: rows whose source, medium or campaign was read from the address of a page: 3."
        in map(str, loaded.report.notes)
    )  # fmt: skip


@pytest.mark.requirement("D05")
def test_customers_are_known_by_the_page_they_landed_on(load: Load) -> None:
    loaded = load(
        "cliente,fecha alta,página de entrada,campaña\n"
        "1,2025-01-01,https://s.example/?utm_source=g&utm_medium=cpc&utm_campaign=7,7\n"
        "2,2025-01-02,https://s.example/,8\n3,2025-01-03,https://s.example/?utm_campaign=9,\n"
    )
    assert loaded.report.table == "customers"
    assert origins(loaded, "customers") == [("g", "cpc", "7"), (None, None, "8"), (None, None, "9")]


def test_a_campaign_that_the_file_names_is_called_so(load: Load) -> None:
    text = (
        "visitor,event,time,url,utm_campaign\n"
        "a,view,2026-01-01T10:00:00Z,/?utm_campaign=12&utm_source=x,\na,view,2026-01-01T10:01:00Z,/p,34\n"
    )
    assert origins(load(text), "events") == [("x", None, "12"), (None, None, "34")]


@pytest.mark.requirement("G01")
def test_addresses_are_read_before_they_are_masked_and_campaigns_name_nobody(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop")
    path = tmp_path / "events.csv"
    path.write_text(
        "visitor,event,time,url\na,view,2026-01-01T10:00:00Z,"
        "https://s.example/?email=ana%40mail.example&utm_source=crm&utm_campaign=for-ana@mail.example\n"
    )
    project.load(path)
    (row,) = project.engine.query("SELECT page, source, campaign FROM events").to_pylist()
    assert row["source"] == "crm"
    assert row["campaign"]
    assert not any("ana" in cell for cell in row.values())
