"""Days are those of the shop's clock, on both sides of a clock change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.clock import day_number, offsets

FIRST = int(datetime(2019, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())
ZONES = ["UTC", "Europe/Madrid", "America/Mexico_City", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]


@pytest.mark.requirement("U06")
@pytest.mark.parametrize("zone", ZONES)
@given(second=st.integers(FIRST, LAST))
def test_days_agree_with_pythons_own_calendar(zone: str, second: int) -> None:
    local = datetime.fromtimestamp(second, ZoneInfo(zone)).date()
    assert day_number(second, zone) == (local - datetime(1970, 1, 1).date()).days


@pytest.mark.parametrize("zone", ZONES)
def test_every_clock_change_is_found(zone: str) -> None:
    """Between two changes the offset is one: looked at every six hours for eight years."""
    found = offsets(zone, FIRST, LAST)
    assert found == sorted(found)
    for second in range(FIRST, LAST, 6 * 3600):
        ahead = datetime.fromtimestamp(second, ZoneInfo(zone)).utcoffset()
        assert ahead is not None
        assert [seconds for since, seconds in found if since <= second][-1] == ahead.total_seconds()


def test_spain_changes_its_clocks_twice_a_year() -> None:
    changes = offsets("Europe/Madrid", FIRST, LAST)[1:]
    assert len(changes) == 16
    assert {datetime.fromtimestamp(since, UTC).hour for since, _ in changes} == {1}
