"""Small groups cannot be found by subtraction, each attack written out."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from workbench import WorkbenchError
from workbench.publish.suppression import Cell, Former, Sizes, Table, hidden, too_small

LEAST = 10


def table(by: str, sizes: dict[str, Sizes], whole: Sizes | None = None, metric: str = "conversion") -> Table:
    attributes = tuple(by.split("×"))
    cells: dict[Cell, Sizes] = {tuple(name.split("×")): n for name, n in sizes.items()}
    total = whole or tuple(sum(n) for n in zip(*sizes.values(), strict=True))
    return Table("home", metric, attributes, cells, total)


def names(tables: list[Table], before: list[Former] | None = None) -> set[str]:
    return {"×".join(cell) for _, cell in hidden(tables, LEAST, before or [])}


@pytest.mark.requirement("G10")
def test_everybody_less_those_shown_is_never_one_small_group() -> None:
    """Attack: 1,000 people less 600 and 394 are the six in Iceland. France is left over with them."""
    sizes: dict[str, Sizes] = {"ES": (600,), "FR": (394,), "IS": (6,)}
    assert names([table("country", sizes)]) == {"IS", "FR"}


@pytest.mark.requirement("G10")
def test_two_small_groups_that_are_small_together_take_a_third_with_them() -> None:
    """Attack: everybody less those shown are seven people in two countries, too few to be told of."""
    sizes: dict[str, Sizes] = {"ES": (600,), "FR": (394,), "IS": (3,), "MT": (4,)}
    assert names([table("country", sizes)]) == {"IS", "MT", "FR"}
    assert too_small({"ES": 600, "FR": 394, "IS": 3, "MT": 4}) == {"IS", "MT", "FR"}
    assert too_small({"ES": 600, "IS": 6, "MT": 9}) == {"IS", "MT"}


@pytest.mark.requirement("G10")
def test_a_group_that_no_table_names_is_a_hidden_one_too() -> None:
    """Attack: 1,000 people of whom a table names 600 and 394; the other six were left out by the analysis."""
    assert names([table("country", {"ES": (600,), "FR": (394,)}, (1000,))]) == {"FR"}


@pytest.mark.requirement("G10")
def test_an_arm_of_few_hides_its_group() -> None:
    """Attack: a group of 203 people of whom three got the treatment tells what those three did."""
    sizes: dict[str, Sizes] = {"ES": (300, 300), "FR": (200, 3), "MX": (100, 110)}
    assert names([table("country", sizes)]) == {"FR", "MX"}


@pytest.mark.requirement("G10")
def test_a_crossed_cell_cannot_be_had_from_its_row() -> None:
    """Attack: Iceland (130) less Icelanders on a desktop (124) are the six on a telephone."""
    crossed: dict[str, Sizes] = {
        "ES×desktop": (300,), "ES×mobile": (200,), "FR×desktop": (250,), "FR×mobile": (150,),
        "IS×desktop": (124,), "IS×mobile": (6,),
    }  # fmt: skip
    by_country: dict[str, Sizes] = {"ES": (500,), "FR": (400,), "IS": (130,)}
    by_device: dict[str, Sizes] = {"desktop": (674,), "mobile": (356,)}
    tables = [table("country×device", crossed), table("country", by_country), table("device", by_device)]
    gone = names(tables)
    assert "IS×mobile" in gone
    assert not recoverable(tables, gone, {"IS×mobile"})
    assert recoverable(tables, {"IS×mobile"}, {"IS×mobile"})  # hiding it alone would not do


@pytest.mark.requirement("G10")
def test_no_small_cell_of_random_tables_can_be_solved_for() -> None:
    """Attack: linear algebra over all tables at once, and over every pair of small cells."""
    rng = np.random.default_rng(4)
    for _ in range(25):
        counts = rng.negative_binomial(1, 0.02, size=(4, 3))
        crossed: dict[str, Sizes] = {
            f"{row}×{column}": (int(counts[i, j]),)
            for i, row in enumerate("abcd")
            for j, column in enumerate("xyz")
        }
        rows: dict[str, Sizes] = {row: (int(n),) for row, n in zip("abcd", counts.sum(1), strict=True)}
        columns: dict[str, Sizes] = {one: (int(n),) for one, n in zip("xyz", counts.sum(0), strict=True)}
        tables = [table("row×column", crossed), table("row", rows), table("column", columns)]
        gone = names(tables)
        small = {name for name, (n,) in {**crossed, **rows, **columns}.items() if n < LEAST}
        assert small <= gone
        for name in small:
            assert not recoverable(tables, gone, {name})
        for one, other in combinations(sorted(small & set(crossed)), 2):
            if crossed[one][0] + crossed[other][0] < LEAST:
                assert not recoverable(tables, gone, {one, other})


def recoverable(tables: list[Table], gone: set[str], wanted: set[str]) -> bool:
    """Whether a sum of cells of the first table follows from what is shown, by elimination over its cells."""
    crossed, *rest = tables
    cells = ["×".join(cell) for cell in crossed.sizes]
    known = [[1.0] * len(cells)]
    known += [[float(one == cell) for one in cells] for cell in cells if cell not in gone]
    for margin in rest:
        place = crossed.attributes.index(margin.attributes[0])
        for (value,) in margin.sizes:
            if value not in gone:
                known.append([float(cell.split("×")[place] == value) for cell in cells])
    target = [float(cell in wanted) for cell in cells]
    if not any(target):  # a margin: the sum of its cells
        (value,) = wanted
        target = [float(value in cell.split("×")) for cell in cells]
    rank = np.linalg.matrix_rank(np.array(known))
    return bool(np.linalg.matrix_rank(np.array([*known, target])) == rank)


@pytest.mark.requirement("G10")
def test_two_groups_that_differ_by_few_are_not_both_shown() -> None:
    """Attack: 500 in Spain less 496 who read Spanish are four people, if the one lies in the other."""
    by_country: dict[str, Sizes] = {"ES": (500,), "FR": (300,), "MX": (200,)}
    by_language: dict[str, Sizes] = {"es": (496,), "fr": (324,), "other": (180,)}
    gone = names([table("country", by_country), table("language", by_language)])
    assert len({"ES", "es"} & gone) == 1
    other_metric = table("language", by_language, metric="revenue")  # rates cannot be subtracted from sums
    assert names([table("country", by_country), other_metric]) == set()


@pytest.mark.requirement("G10")
def test_ten_are_enough_and_nine_are_not_wherever_people_are_counted() -> None:
    """Attack: whoever knows the threshold asks for groups that are smaller by one."""
    assert names([table("country", {"ES": (600,), "FR": (400,), "MX": (10,)})]) == set()
    assert names([table("country", {"ES": (600,), "FR": (400,), "MX": (9,)})]) == {"MX", "FR"}
    for unnamed, gone in ((10, set()), (9, {"FR"})):  # whom the analysis left out of every group
        sizes: dict[str, Sizes] = {"ES": (600,), "FR": (400 - unnamed,)}
        assert names([table("country", sizes, (1000,))]) == gone
    for more in (10, 9):  # one group that may lie in another
        other = table("language", {"es": (500 + more,), "fr": (500 - more,)})
        gone = names([table("country", {"ES": (500,), "MX": (500,)}), other])
        assert bool(gone) == (more == 9)
    first = table("country", {"ES": (600,), "FR": (100,), "MX": (300,)})
    for more in (10, 9):  # newcomers since the last version
        second = table("country", {"ES": (640,), "FR": (100 + more,), "MX": (320,)})
        gone = names([second], [Former(first, frozenset(first.sizes))])
        assert ("FR" in gone) == (more == 9)


@pytest.mark.requirement("G10")
def test_three_cells_of_a_row_that_are_few_together_cannot_be_had_from_it() -> None:
    """Attack: Iceland (130) less Icelanders at a desktop (61) and a laptop (60) are nine on other devices."""
    crossed: dict[str, Sizes] = {
        "ES×desktop": (300,), "ES×laptop": (90,), "ES×mobile": (50,), "ES×tablet": (200,), "ES×watch": (250,),
        "IS×desktop": (61,), "IS×laptop": (60,), "IS×mobile": (3,), "IS×tablet": (3,), "IS×watch": (3,),
    }  # fmt: skip
    tables = [table("country×device", crossed), table("country", {"ES": (890,), "IS": (130,)})]
    gone = names(tables)
    assert "IS" in gone or sum(n for name, (n,) in crossed.items() if name in gone and "IS" in name) >= LEAST


@pytest.mark.requirement("G10")
def test_a_hidden_group_does_not_come_out_by_a_later_version() -> None:
    """Attack: Iceland (6) was hidden with Malta (40). Next time Iceland has 15: were Malta shown, unchanged,
    the six of the first version were what was left over then."""
    first = table("country", {"ES": (600,), "IS": (6,), "MT": (40,)})
    gone = {cell for _, cell in hidden([first], LEAST)}
    assert gone == {("IS",), ("MT",)}
    former = Former(first, frozenset(set(first.sizes) - gone))
    second = table("country", {"ES": (650,), "IS": (15,), "MT": (40,)})
    assert "MT" in names([second], [former])
    third = table("country", {"ES": (650,), "IS": (60,), "MT": (90,)})
    assert names([third], [former]) == set()


@pytest.mark.requirement("G10")
def test_a_group_that_grew_by_few_is_not_shown_again() -> None:
    """Attack: the sum of 103 people less the sum that the last version gave of 100 is that of the three."""
    first = table("country", {"ES": (600,), "FR": (100,), "MX": (300,)})
    former = Former(first, frozenset(first.sizes))
    second = table("country", {"ES": (640,), "FR": (103,), "MX": (320,)})
    gone = names([second], [former])
    assert "FR" in gone
    assert len(gone) == 2
    assert names([first], [former]) == set()  # the same again tells nothing new


def test_what_cannot_be_protected_any_more_is_refused() -> None:
    """The version before showed everything that could have hidden a new small group."""
    first = table("country", {"ES": (600,), "FR": (400,)})
    former = Former(first, frozenset(first.sizes))
    second = table("country", {"ES": (600,), "FR": (400,), "IS": (6,)})
    with pytest.raises(WorkbenchError, match="delete the page for good"):
        names([second], [former])


@pytest.mark.requirement("G10")
def test_sums_of_another_metric_or_of_other_arms_give_nobody_away() -> None:
    """Three people more since a version that is out, which told of something else, or of other arms."""
    now = table("country", {"ES": (603, 600), "FR": (400, 400)})
    for former in (
        table("country", {"ES": (600, 600), "FR": (400, 400)}, metric="revenue"),
        table("country", {"ES": (600, 300, 300), "FR": (400, 200, 200)}),
    ):
        assert names([now], [Former(former, frozenset(former.sizes))]) == set()
    same = table("country", {"ES": (600, 600), "FR": (300, 300)})
    assert names([now], [Former(same, frozenset(same.sizes))]) == {"ES", "FR"}
