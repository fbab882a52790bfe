"""One customer on the screen: who is typed, who is offered, what is said and what is kept away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import customers
from tests.screens.pages import answers, charts, choose, control, widgets, words
from workbench import Project, screens
from workbench.analyses.customer import example
from workbench.publish.fold import Fold
from workbench.screens.customer import CustomerState
from workbench.tables.privacy.pseudonyms import pseudonym


@pytest.fixture(scope="module")
def whole_shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A shop with everything; looks are logged in it, no more."""
    return customers.make(tmp_path_factory.mktemp("one-customer") / "shop")


def looks(project: Project) -> int:
    return sum(entry.details.get("page") == "one customer" for entry in project.people.access.entries()[0])


@pytest.mark.requirement("D22")
def test_what_is_typed_becomes_a_pseudonym_and_is_not_kept(whole_shop: Project) -> None:
    state = CustomerState(whole_shop)
    assert state.shown is None
    before = looks(whole_shop)
    state.identifier = "C000001 "
    assert state.problem is None
    assert state.shown is not None
    assert state.identifier == str(pseudonym(whole_shop.people.key(), "c000001")) == state.shown.pseudonym
    assert looks(whole_shop) == before + 1
    state.look()  # the button, after the line was left: the same question
    assert looks(whole_shop) == before + 1


def test_another_horizon_is_another_question_about_the_same_customer(whole_shop: Project) -> None:
    state = CustomerState(whole_shop)
    state.try_one("most")
    assert state.shown is not None
    assert state.shown.outlook is not None
    year, name = state.shown.outlook.purchases.mean, state.identifier
    state.horizon_weeks = 26
    assert state.shown.outlook.purchases.mean < year
    assert state.identifier == name
    wide = state.shown.outlook.alive.interval
    state.level = 0.8
    narrow = state.shown.outlook.alive.interval
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


def test_who_is_not_there_leaves_nobody_on_the_page(whole_shop: Project) -> None:
    page = screens.one_customer(whole_shop, "en")
    control(page, "With the most orders").click()
    assert "A customer since" in answers(page)
    assert len(charts(page)) == 1
    field = control(page, "Identifier or pseudonym")
    field.value = "somebody@example.com"
    assert "There is no customer with this identifier here" in words(page)
    assert "A customer since" not in words(page)
    assert "somebody@example.com" not in words(page)
    assert field.value == "somebody@example.com"  # so that it can be corrected
    field.value = example(whole_shop, "most")
    assert "A customer since" in answers(page)
    assert "There is no customer" not in words(page)


def test_sensitive_facts_are_out_of_sight_and_marked(whole_shop: Project) -> None:
    page = screens.one_customer(whole_shop, "en")
    control(page, "Like many who came back").click()
    plain = "\n".join(part for part in words(page).split("\n") if "What else is known" in part)
    assert "country" in plain
    assert "age" not in plain
    (fold,) = [one for one in _folds(page) if one.title == "Sensitive facts (1)"]
    assert "<dt>age</dt>" in fold.content


def test_the_picture_says_in_words_what_it_shows(whole_shop: Project) -> None:
    page = screens.one_customer(whole_shop, "en")
    control(page, "With the most orders").click()
    state = CustomerState(whole_shop)
    state.try_one("most")
    assert state.shown is not None
    assert state.shown.bought is not None
    (chart,) = charts(page)
    assert f"Orders: {state.shown.bought.orders}" in chart.description
    drawn = sum(
        len(layer["data"]["values"])
        for layer in chart.spec["layer"]
        if layer["data"].get("values") and layer["data"]["values"][0].get("lane") == "Orders"
    )
    assert drawn >= state.shown.bought.orders


def test_the_screen_speaks_with_the_level_and_the_horizon_that_were_chosen(whole_shop: Project) -> None:
    page = screens.one_customer(whole_shop, "en")
    control(page, "With the most orders").click()
    choose(page, "Level of the intervals", "90 %")
    control(page, "How far ahead (weeks)").value = 13
    assert "in the next 13 weeks" in answers(page)
    assert "(90&nbsp;%)" in words(page)


def test_a_project_without_customers_says_so(empty_shop: Project, tmp_path: Path) -> None:
    state = CustomerState(empty_shop)
    assert "There are no customers in this project yet." in str(state.missing)
    page = screens.one_customer(empty_shop, "en")
    control(page, "Load the sample shop").click()
    control(page, "With the most orders").click()
    assert "A customer since" in answers(page)
    assert "Nothing is recorded of what this customer agreed to." in words(page)


def test_a_customer_who_refused_is_not_computed(whole_shop: Project, tmp_path: Path) -> None:
    settings = whole_shop.settings.model_copy(update={"consent_purpose": "analysis"})
    careful = Project(whole_shop.path, settings)
    rows = whole_shop.everything.query(
        "SELECT min(customer_id) AS c FROM consents WHERE purpose = 'analysis' AND NOT granted"
    )
    page = screens.one_customer(careful, "en")
    control(page, "Identifier or pseudonym").value = str(rows.to_pylist()[0]["c"])
    assert "has not agreed to “analysis”" in answers(page)
    assert "does not agree since" in words(page)
    assert "Compared with all" not in words(page)


def _folds(page: object) -> list[Fold]:
    return [widget for widget in widgets(page) if isinstance(widget, Fold)]  # type: ignore[arg-type]
