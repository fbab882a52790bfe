"""The simulated shop does what its truth says: the tests compare the two, never the code with itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv
from scipy.optimize import minimize
from scipy.special import gammaln

from workbench.errors import DataError, WorkbenchError
from workbench.simulate import HOME, OFFERS, LifetimeValue, Shop, simulate

NO_EFFECT: dict[str, Any] = {"effects": {}, "repeat_lift": 0.0, "spend_lift": 0.0}
END = np.datetime64("2026-01-05", "us")


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate(customers=5_000, seed=2)


@pytest.fixture(scope="module")
def busy_shop() -> Shop:
    """Many first orders, so that the buying process can be seen closely."""
    return simulate(
        customers=150_000, seed=5, first_order_rate=1.0, home_week=6, offers_week=6, with_events=False
    )


def query(shop: Shop, sql: str) -> pa.Table:
    with duckdb.connect() as database:
        for name, table in shop.tables.items():
            database.register(name, table)
        return database.sql(sql).to_arrow_table()


def arm_means(shop: Shop, outcome: str, by: str | None, group: str) -> tuple[np.ndarray, np.ndarray]:
    """The outcome of everyone in the group, generic and personalised."""
    units = shop.unit_level()
    inside = np.ones(units.num_rows, bool) if by is None else np.array(units[by]) == group
    value, personalised = (
        units[outcome].to_numpy()[inside],
        np.array(units["group"])[inside] == "personalised",
    )
    return value[~personalised], value[personalised]


@pytest.mark.sampling
@pytest.mark.requirement("D25")
def test_estimates_are_unbiased_and_intervals_cover_the_truth_in_every_segment() -> None:
    seeds = 50
    errors: dict[str, list[list[float]]] = {}
    covered = []
    for seed in range(seeds):
        shop = simulate(customers=12_000, seed=seed, with_events=False)
        rng = np.random.default_rng(seed)
        for by in (None, "device", "country"):
            conversion = shop.truth.conversion(HOME, by).to_pylist()
            revenue = shop.truth.revenue(HOME, by).to_pylist()
            for rates, money in zip(conversion, revenue, strict=True):
                control, treatment = arm_means(shop, "converted", by, rates["group"])
                assert len(control) + len(treatment) == rates["customers"]
                spent_control, spent_treatment = arm_means(shop, "revenue", by, rates["group"])
                errors.setdefault(rates["group"], []).append(
                    [
                        control.mean() - rates["control"],
                        treatment.mean() - rates["treatment"],
                        treatment.mean() - control.mean() - rates["difference"],
                        spent_control.mean() - money["control"],
                        spent_treatment.mean() - money["treatment"],
                    ]
                )
                draws = [
                    rng.beta(0.5 + arm.sum(), 0.5 + arm.size - arm.sum(), 2000)
                    for arm in (control, treatment)
                ]
                low, high = np.quantile(draws[1] - draws[0], [0.05, 0.95])
                covered.append(low <= rates["difference"] <= high)
    for group, values in errors.items():
        table = np.array(values)
        z = table.mean(axis=0) / (table.std(axis=0, ddof=1) / np.sqrt(seeds))
        assert np.abs(z).max() < 4, (group, z)
    # 10 groups a seed, partly of the same people: about 1.6 points of Monte Carlo error
    assert 0.85 < np.mean(covered) < 0.95


def cohort(shop: Shop, personalised: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Repeats, recency, age (weeks), revenue of those acquired after exposure, from the tables alone."""
    variant = "personalised" if personalised else "generic"
    rows = query(
        shop,
        f"""
        SELECT count(*) - 1 AS x, epoch(max(o.ts) - min(o.ts)) / 604800 AS t_x,
               epoch(TIMESTAMP '{END}' - min(o.ts)) / 604800 AS T, sum(revenue) AS revenue
        FROM orders o JOIN (SELECT customer_id, min(ts) AS ts, min(variant) AS variant FROM exposures
                            WHERE experience_id = '{HOME}' GROUP BY 1) e USING (customer_id)
        WHERE variant = '{variant}'
        GROUP BY customer_id HAVING min(o.ts) >= min(e.ts)
        """,
    )
    x, t_x, age, revenue = (rows[name].to_numpy().astype(float) for name in ("x", "t_x", "T", "revenue"))
    return x, t_x, age, revenue


def bg_nbd(log_parameters: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> float:
    """Log likelihood (Fader, Hardie & Lee 2005, equation 6)."""
    r, alpha, a, b = np.exp(log_parameters)
    by_x = np.arange(x.max() + 1)
    head = gammaln(r + by_x) + gammaln(b + by_x) - gammaln(a + b + by_x)
    head += r * np.log(alpha) - gammaln(r) + gammaln(a + b) - gammaln(b)
    alive = -(r + x) * np.log(alpha + age)
    with np.errstate(divide="ignore"):
        left = np.where(
            x > 0, np.log(a / (b + np.maximum(x, 1) - 1)) - (r + x) * np.log(alpha + t_x), -np.inf
        )
    return float(np.sum(head[x.astype(int)] + np.logaddexp(alive, left)))


def gamma_gamma(log_parameters: np.ndarray, orders: np.ndarray, total: np.ndarray) -> float:
    """Log likelihood of the customers' total revenue (Fader & Hardie 2013, note 025, equation 1a)."""
    p, q, v = np.exp(log_parameters)
    n = p * orders
    terms = gammaln(n + q) - gammaln(n) - gammaln(q) + q * np.log(v) + (n - 1) * np.log(total)
    return float(np.sum(terms - (n + q) * np.log(v + total)))


def bg_nbd_parameters(value: LifetimeValue) -> np.ndarray:
    return np.log([value.r, value.alpha, value.a, value.b])


def gamma_gamma_parameters(value: LifetimeValue) -> np.ndarray:
    return np.log([value.p, value.q, value.v])


@pytest.mark.requirement("D25")
@pytest.mark.parametrize("personalised", [False, True])
def test_likelihood_finds_the_parameters_of_each_arm_and_not_those_of_the_other(
    busy_shop: Shop, personalised: bool
) -> None:
    own = busy_shop.truth.lifetime_value("personalised" if personalised else "generic")
    other = busy_shop.truth.lifetime_value("generic" if personalised else "personalised")
    x, t_x, age, revenue = cohort(busy_shop, personalised)
    assert x.size > 40_000
    for log_likelihood, parameters, limit in (
        (lambda u: bg_nbd(u, x, t_x, age), bg_nbd_parameters, 18.47),  # chi2 with 4 degrees, 1 in 1000
        (lambda u: gamma_gamma(u, x + 1, revenue), gamma_gamma_parameters, 16.27),  # 3 degrees
    ):
        start = parameters(own)
        best = minimize(lambda u, f=log_likelihood: -f(u) / x.size, start, method="BFGS", tol=1e-7).x
        top = log_likelihood(best)
        assert 2 * (top - log_likelihood(start)) < limit, np.exp(best)
        assert 2 * (top - log_likelihood(parameters(other))) > 3 * limit


@pytest.mark.parametrize("personalised", [False, True])
def test_expected_repeat_orders_are_what_customers_of_every_age_made(
    busy_shop: Shop, personalised: bool
) -> None:
    value = busy_shop.truth.lifetime_value("personalised" if personalised else "generic")
    x, _, age, _ = cohort(busy_shop, personalised)
    surprise = x - value.repeat_orders(age)
    for ages in (age < 15, (age >= 15) & (age < 30), age >= 30):
        assert abs(surprise[ages].mean()) < 4 * surprise[ages].std() / np.sqrt(ages.sum())


def test_the_value_of_an_acquired_customer_is_what_a_full_year_brought_in() -> None:
    shop = simulate(
        customers=60_000,
        seed=8,
        weeks=110,
        first_order_rate=1.0,
        home_week=2,
        offers_week=2,
        with_events=False,
    )
    lives, revenue = shop.truth.lives, shop.tables["orders"]["revenue"].to_numpy()
    since = lives.order_day - lives.first_order[lives.order_customer]
    year = lives.home.seen & (lives.first_order >= lives.home.day) & (lives.first_order <= 7 * (110 - 52))
    for discount in (0.0, 0.5):
        worth = np.where(since < 364, revenue * (1 + discount) ** (-since / 365.25), 0)
        earned = np.bincount(lives.order_customer, worth, shop.knobs.customers)
        for personalised, variant in ((False, "generic"), (True, "personalised")):
            sums = earned[year & (lives.personalised == personalised)]
            expected = shop.truth.lifetime_value(variant).value(52, discount_per_year=discount)
            assert abs(sums.mean() - expected) < 4 * sums.std() / np.sqrt(sums.size)
            assert shop.truth.lifetime_value(variant).value(52, margin=0.4, discount_per_year=discount) == (
                pytest.approx(0.4 * expected)
            )


def test_spend_is_independent_of_how_often_a_customer_buys(busy_shop: Shop) -> None:
    rows = query(
        busy_shop,
        "SELECT ln(arg_min(revenue, ts)) AS spend, count(*) - 1 AS x FROM orders GROUP BY customer_id",
    )
    correlation = np.corrcoef(rows["spend"].to_numpy(), rows["x"].to_numpy())[0, 1]
    # the personalised both come back more often and spend more, which alone correlates by less than 0.01
    assert abs(correlation) < 0.01 + 4 / np.sqrt(rows.num_rows)


@pytest.mark.requirement("D25")
def test_self_selected_offers_look_strong_and_do_nothing() -> None:
    ratios = []
    for seed in range(5):
        shop = simulate(seed=seed, with_events=False)
        (truth,) = shop.truth.conversion(OFFERS).to_pylist()
        assert truth["difference"] == 0
        units = shop.unit_level(OFFERS)
        offered = np.array(units["group"]) == "personalised"
        ratios.append(
            units["converted"].to_numpy()[offered].mean() / units["converted"].to_numpy()[~offered].mean()
        )
    assert 1.5 < np.mean(ratios) < 2.2
    tossed = simulate(customers=60_000, seed=1, confounding=0.0, with_events=False).unit_level(OFFERS)
    offered, converted = np.array(tossed["group"]) == "personalised", tossed["converted"].to_numpy()
    gap = converted[offered].mean() - converted[~offered].mean()
    assert abs(gap) < 4 * converted.std() * np.sqrt(1 / offered.sum() + 1 / (~offered).sum())


def test_without_effects_both_arms_have_the_same_truth() -> None:
    truth = simulate(customers=2_000, with_events=False, **NO_EFFECT).truth
    for table in (truth.conversion(HOME, ["country", "device"]), truth.revenue(HOME)):
        assert set(table["difference"].to_pylist()) == {0.0}
    assert truth.lifetime_value("generic") == truth.lifetime_value("personalised")


def test_what_is_not_delivered_has_no_effect() -> None:
    shop = simulate(customers=3_000, delivery=0.0, with_events=False)
    assert set(shop.truth.conversion(HOME, "device")["difference"].to_pylist()) == {0.0}
    half = simulate(customers=30_000, delivery=0.5, with_events=False)
    full = simulate(customers=30_000, delivery=1.0, with_events=False)
    share = (
        half.truth.conversion(HOME)["difference"][0].as_py()
        / full.truth.conversion(HOME)["difference"][0].as_py()
    )
    assert share == pytest.approx(0.5, abs=0.03)
    arms = query(
        half, f"SELECT variant, avg(delivered::INT) FROM exposures WHERE experience_id='{HOME}' GROUP BY 1"
    )
    delivered = dict(zip(*(column.to_pylist() for column in arms.columns), strict=True))
    assert delivered["generic"] == 1
    assert delivered["personalised"] == pytest.approx(0.5, abs=0.03)


def test_arms_are_as_large_as_planned_and_nobody_is_in_two_unless_asked(shop: Shop) -> None:
    sql = f"""SELECT count(*) FILTER (variant = 'personalised') AS treated, count(*) AS rows,
                     count(DISTINCT customer_id) AS customers FROM exposures WHERE experience_id = '{HOME}'"""

    def surplus(table: pa.Table, share: float) -> float:
        row = table.to_pylist()[0]
        return (row["treated"] - share * row["rows"]) / np.sqrt(row["rows"] * share * (1 - share))

    counts = query(shop, sql)
    assert counts["rows"] == counts["customers"]
    assert abs(surplus(counts, 0.5)) < 4
    tenth = simulate(customers=20_000, share=0.1, with_events=False)
    assert abs(surplus(query(tenth, sql), 0.1)) < 4
    assert set(tenth.tables["exposures"]["p_assign"].to_pylist()) == {0.1, 0.9, None}
    assert (
        surplus(query(simulate(customers=20_000, sample_ratio_fault=0.15, with_events=False), sql), 0.5) < -4
    )
    crossed = query(simulate(customers=20_000, crossover_share=0.05, with_events=False), sql).to_pylist()[0]
    assert 0.02 < crossed["rows"] / crossed["customers"] - 1 < 0.06


def test_outcomes_counted_in_the_tables_are_those_of_the_unit_level_file(shop: Shop) -> None:
    for experience in (HOME, OFFERS):
        counted = query(
            shop,
            f"""
            SELECT e.customer_id, e.variant AS "group", max((o.ts IS NOT NULL)::INT) AS converted,
                   round(coalesce(sum(o.revenue), 0), 2) AS revenue
            FROM exposures e LEFT JOIN orders o ON o.customer_id = e.customer_id AND o.ts >= e.ts
                 AND o.ts < e.ts + INTERVAL 14 DAY
            WHERE e.experience_id = '{experience}' AND e.ts <= TIMESTAMP '{END}' - INTERVAL 14 DAY
            GROUP BY ALL ORDER BY 1
            """,
        )
        units = shop.unit_level(experience).sort_by("customer_id")
        for name in ("customer_id", "group", "converted"):
            assert counted[name].to_pylist() == units[name].to_pylist()
        np.testing.assert_allclose(counted["revenue"].to_numpy(), units["revenue"].to_numpy(), atol=0.011)


def test_every_row_belongs_to_a_customer_and_lies_in_the_time_of_the_data(shop: Shop) -> None:
    for name in ("events", "orders", "exposures"):
        (row,) = query(
            shop,
            f"""SELECT count(*) AS rows, count(c.customer_id) AS known,
                       min(t.ts) >= TIMESTAMP '2025-01-06' AS after,
                       max(t.ts) < TIMESTAMP '{END}' AS before, bool_and(t.ts >= c.first_seen) AS seen
                FROM {name} t LEFT JOIN customers c USING (customer_id)""",
        ).to_pylist()
        assert row["rows"] == row["known"]
        assert row["after"]
        assert row["before"]
        assert row["seen"]
    for name, key in (("customers", "customer_id"), ("events", "event_id"), ("orders", "order_id")):
        ids = shop.tables[name][key]
        assert len(ids.unique()) == len(ids)
    signed_up = query(
        shop,
        """SELECT bool_and(signed_up IS NOT DISTINCT FROM ordered) AS same FROM customers LEFT JOIN
           (SELECT customer_id, min(ts) AS ordered FROM orders GROUP BY 1) USING (customer_id)""",
    )
    assert signed_up["same"][0].as_py()


def test_visits_are_of_one_customer_and_orders_and_exposures_have_their_event(shop: Shop) -> None:
    visits = query(
        shop,
        """SELECT count(DISTINCT customer_id) AS customers, count(DISTINCT source) AS sources,
                  bool_or(name = 'purchase') AS ordered, bool_or(name = 'add_to_cart') AS carted,
                  arg_min(page, event_id) = '/' AS opened_home, max(ts) FILTER (name = 'purchase') AS bought,
                  max(ts) FILTER (name = 'add_to_cart') AS added FROM events GROUP BY session_id""",
    ).to_pandas()
    assert (visits["customers"] == 1).all()
    assert (visits["sources"] == 1).all()
    orders = visits[visits["ordered"]]
    assert orders["carted"].all()
    assert (orders["added"] <= orders["bought"]).all()
    assert not orders["opened_home"].any()
    assert visits[~visits["ordered"]]["opened_home"].all()
    (unmatched,) = query(
        shop,
        f"""SELECT (SELECT count(*) FROM (SELECT customer_id, ts, revenue FROM orders EXCEPT ALL
                    SELECT customer_id, ts, value FROM events WHERE name = 'purchase')) AS orders,
                   (SELECT count(*) FROM exposures e ANTI JOIN (SELECT * FROM events WHERE page = '/') v
                    USING (customer_id, ts)) AS exposures,
                   (SELECT count(*) FROM events v JOIN exposures e USING (customer_id)
                    WHERE page = '/' AND e.experience_id = '{HOME}'
                    AND v.ts < e.ts AND v.ts >= TIMESTAMP '2025-06-23') AS unseen""",
    ).to_pylist()
    assert unmatched == {"orders": 0, "exposures": 0, "unseen": 0}
    assert shop.tables["orders"].num_rows == len(orders)


def test_keener_customers_come_more_often_and_days_have_busy_hours(shop: Shop) -> None:
    visits = query(
        shop,
        """SELECT avg(visits) FILTER (orders >= 3) AS loyal, avg(visits) FILTER (orders = 0) AS others FROM
           (SELECT customer_id, count(DISTINCT session_id) FILTER (page = '/') AS visits,
                   count(*) FILTER (name = 'purchase') AS orders FROM events GROUP BY 1)""",
    )
    assert visits["loyal"][0].as_py() > 2 * visits["others"][0].as_py()
    hours = (
        query(shop, "SELECT hour(ts) AS hour, count(*) AS n FROM events GROUP BY 1")
        .to_pandas()
        .set_index("hour")
    )
    assert hours["n"].idxmax() in range(18, 23)
    assert hours.loc[3, "n"] < hours["n"].mean() / 3


def test_money_adds_up(shop: Shop) -> None:
    orders = shop.tables["orders"].to_pandas()
    assert (orders["revenue"] > 0).all()
    assert (orders["refund"] <= orders["revenue"] + 0.005).all()
    assert 0.01 < (orders["refund"] > 0).mean() < 0.05
    assert (orders["margin"] / orders["revenue"]).mean() == pytest.approx(0.4, abs=0.01)
    assert set(orders["currency"]) == {"EUR"}


def test_the_same_seed_gives_the_same_shop_and_events_change_nothing_else() -> None:
    one, two = simulate(customers=1_000, seed=3), simulate(customers=1_000, seed=3)
    assert one.tables == two.tables
    bare = simulate(customers=1_000, seed=3, with_events=False)
    assert bare.tables == {name: table for name, table in one.tables.items() if name != "events"}
    assert simulate(customers=1_000, seed=4).tables["orders"] != one.tables["orders"]


def test_files_hold_what_the_tables_hold(shop: Shop, tmp_path: Path) -> None:
    shop.write_csv(tmp_path / "export")
    for name, table in shop.tables.items():
        types = csv.ConvertOptions(column_types=table.schema, strings_can_be_null=True)
        assert csv.read_csv(tmp_path / "export" / f"{name}.csv", convert_options=types).equals(
            table.combine_chunks()
        )


def test_truth_by_two_attributes_averages_to_the_whole(shop: Shop) -> None:
    cells = shop.truth.conversion(HOME, ["country", "device"]).to_pandas()
    (whole,) = shop.truth.conversion(HOME).to_pylist()
    assert "ES / mobile" in set(cells["group"])
    assert cells["customers"].sum() == whole["customers"]
    for arm in ("control", "treatment"):
        assert np.average(cells[arm], weights=cells["customers"]) == pytest.approx(whole[arm], rel=1e-12)


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"share": 1.5}, "“share” is 1.5"),
        ({"q": 1.0}, "“q” is 1.0"),
        ({"effects": {"Atlantis": 0.1}}, "no country or device “Atlantis”"),
        ({"effects": {"mobile": -1.0}}, "“mobile” is -1.0"),
        ({"home_week": 40, "offers_week": 30}, "are 40, 30 and 52"),
    ],
)
def test_impossible_settings_are_named(knobs: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        simulate(customers=10, **knobs)


def test_unknown_names_are_answered_with_the_known_ones(shop: Shop) -> None:
    with pytest.raises(WorkbenchError, match=HOME):
        shop.truth.conversion("another")
    with pytest.raises(WorkbenchError, match="country"):
        shop.truth.conversion(HOME, by="planet")
    with pytest.raises(WorkbenchError, match="generic"):
        shop.truth.lifetime_value("B")
    with pytest.raises(DataError, match="365 days"):
        shop.truth.conversion(HOME, window_days=365)
