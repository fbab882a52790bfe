"""Names at the ends of lines: in the lines' order, as near as can be, and none upon another when drawn."""

from __future__ import annotations

import re

import altair as alt
import numpy as np
import pytest
import vl_convert

from tests import sample_shop
from workbench import Project
from workbench.charts import cohorts, ends, value
from workbench.charts.picture import Picture
from workbench.locale import Texts

TELEPHONE = 342  # px that a chart has on a screen of 390


@pytest.mark.parametrize("seed", range(8))
def test_names_keep_their_order_and_their_distance_and_no_other_places_are_nearer(seed: int) -> None:
    """Held against the same problem solved by projections (Dykstra 1983), which knows nothing of pools."""
    rng = np.random.default_rng(seed)
    wanted = rng.normal(50, 12, rng.integers(2, 7))
    found = np.array(ends.spread(list(wanted), 9.0, 0.0, 100.0))
    order = np.argsort(wanted)
    assert (np.diff(found[order]) >= 9.0 - 1e-9).all()
    assert found.min() >= 0
    assert found.max() <= 100
    best = _by_projections(wanted[order], 9.0, 0.0, 100.0)
    assert found[order] == pytest.approx(best, abs=1e-4)


def _by_projections(wanted: np.ndarray, least: float, low: float, high: float) -> np.ndarray:
    x, n = wanted.copy(), len(wanted)
    shifts = [np.zeros(n) for _ in range(n)]
    for _ in range(20_000):
        for i in range(n):
            y = x + shifts[i]
            x = y.copy()
            if i < n - 1:
                lack = least - (x[i + 1] - x[i])
                if lack > 0:
                    x[i] -= lack / 2
                    x[i + 1] += lack / 2
            else:
                x = np.clip(x, low, high)
            shifts[i] = y - x
    return x


def test_where_there_is_no_room_for_all_they_share_what_there_is() -> None:
    assert ends.spread([5.0, 5.0, 5.0], 100.0, 0.0, 10.0) == [0.0, 5.0, 10.0]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return sample_shop.make(tmp_path_factory.mktemp("ends") / "shop")


def drawn(picture: Picture, names: set[str]) -> list[tuple[float, float, str]]:
    """Where the names of lines stand on a telephone: x, y, and which."""
    spec = picture.chart.to_dict()
    spec = {"autosize": {"type": "fit-x", "contains": "padding"}, **spec, "width": TELEPHONE}
    svg = vl_convert.vegalite_to_svg(spec)
    assert float(re.findall(r'<svg[^>]* width="([\d.]+)"', svg)[0]) == pytest.approx(TELEPHONE, abs=2)
    texts = re.findall(r'<text[^>]*transform="translate\(([-\d.]+),([-\d.]+)\)"[^>]*>([^<]+)</text>', svg)
    return [(float(x), float(y), text) for x, y, text in texts if text in names]


def _apart(found: list[tuple[float, float, str]]) -> None:
    places = sorted(y for _, y, _ in found)
    assert len(places) > 1
    assert min(np.diff(places)) >= 12  # px, of a line of words
    assert len({x for x, _, _ in found}) == 1  # in one column, beyond all lines


@pytest.mark.parametrize(("period", "ahead"), [("month", 6), ("week", 8)])
def test_names_of_cohorts_do_not_lie_upon_each_other_on_a_telephone(
    shop: Project, period: str, ahead: int
) -> None:
    record = shop.cohorts(keep=False, period=period, project_periods=ahead)
    picture = cohorts.value(record, Texts("es"))
    rows = [row for layer in picture.chart.to_dict()["layer"] for row in layer["data"].get("values", [])]
    last = {row["cohort"]: row["value"] for row in rows if "at" in row}
    found = drawn(picture, set(last))
    _apart(found)
    assert [text for _, _, text in sorted(found, key=lambda one: one[1])] == sorted(
        last, key=lambda name: -last[name]
    )


def test_names_of_groups_do_not_lie_upon_each_other_on_a_telephone(shop: Project) -> None:
    record = shop.lifetime_value(by="device")
    picture = value.over_time(record, Texts("en"))
    assert picture is not None
    _apart(drawn(picture, {"desktop", "mobile", "tablet"}))


def test_two_lines_that_end_at_one_value_have_two_names() -> None:
    rows = [{"x": 10, "y": 5.0, "name": name} for name in ("one", "other")]
    at = ends.placed(rows, "y", [5.0, 5.0], 100)
    across = alt.X("x:Q")
    base = alt.Chart(alt.Data(values=at))
    chart = alt.layer(*ends.names(base, across, "y", "name")).properties(height=100)
    _apart(drawn(Picture("", chart, ""), {"one", "other"}))
