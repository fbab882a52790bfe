"""The analyst's screens: each is a state, which holds no widget, and a view of it.

    from workbench import screens
    screens.effect_lab()

`project` is the project to work on, or the one that the environment names; `language` is the reader's choice,
or the project's. Each function returns the widget that shows the screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.locale import Texts

if TYPE_CHECKING:
    import ipywidgets

    from workbench.project import Project


def titles(t: Texts) -> dict[str, str]:
    """The screens in their order: the name of the notebook, without its ending, and the title."""
    return {
        "0-home": t("Home"),
        "1-load-and-check": t("Load and check"),
        "2-segments": t("Segments"),
        "3-effect-lab": t("Effect lab"),
        "4-lifetime-value": t("Lifetime value"),
        "5-cohorts": t("Cohorts"),
        "6-engagement": t("Engagement"),
        "7-one-customer": t("One customer"),
        "8-trust": t("Trust"),
        "9-publish": t("Publish"),
    }


def home(project: Project | None = None, language: str | None = None) -> ipywidgets.VBox:
    """See what is known, what is out, what is new, and where to go on."""
    from workbench.screens.frame import screen
    from workbench.screens.home_state import HomeState
    from workbench.screens.home_view import view

    return screen("0-home", HomeState, view, project, language)


def load_and_check(project: Project | None = None, language: str | None = None) -> ipywidgets.VBox:
    """Bring files in, and see what came in and what did not."""
    from workbench.screens.frame import screen
    from workbench.screens.loading import LoadState
    from workbench.screens.loading_view import view

    return screen("1-load-and-check", LoadState, view, project, language)


def segments(project: Project | None = None, language: str | None = None) -> ipywidgets.VBox:
    """Name groups of customers by a rule."""
    from workbench.screens.frame import screen
    from workbench.screens.segmenting import SegmentState, view

    return screen("2-segments", SegmentState, view, project, language)


def effect_lab(project: Project | None = None, language: str | None = None) -> ipywidgets.VBox:
    """Hold the arms of an experiment against each other."""
    from workbench.screens.effect import EffectState
    from workbench.screens.effect_view import view
    from workbench.screens.frame import screen

    return screen("3-effect-lab", EffectState, view, project, language)


def lifetime_value(project: Project | None = None, language: str | None = None) -> ipywidgets.VBox:
    """Estimate what customers are worth."""
    from workbench.screens.frame import screen
    from workbench.screens.value import ValueState
    from workbench.screens.value_view import view

    return screen("4-lifetime-value", ValueState, view, project, language)


def cohorts(project: Project | None = None, language: str | None = None) -> ipywidgets.VBox:
    """See what customers who began together did at the same age."""
    from workbench.screens.cohorting import CohortsState
    from workbench.screens.cohorts_view import view
    from workbench.screens.frame import screen

    return screen("5-cohorts", CohortsState, view, project, language)


def engagement(project: Project | None = None, language: str | None = None) -> ipywidgets.VBox:
    """See what people do on pages, in social networks and in chats."""
    from workbench.screens.engaging import EngagementState
    from workbench.screens.engaging_view import view
    from workbench.screens.frame import screen

    return screen("6-engagement", EngagementState, view, project, language)


def one_customer(project: Project | None = None, language: str | None = None) -> ipywidgets.VBox:
    """See everything that is known of one customer."""
    from workbench.screens.customer import CustomerState
    from workbench.screens.customer_view import view
    from workbench.screens.frame import screen

    return screen("7-one-customer", CustomerState, view, project, language)


def trust(project: Project | None = None, language: str | None = None) -> ipywidgets.VBox:
    """See whether people trust us with their data, and what we do with it."""
    from workbench.screens.frame import screen
    from workbench.screens.trusting import TrustState
    from workbench.screens.trusting_view import view

    return screen("8-trust", TrustState, view, project, language)


def publish(project: Project | None = None, language: str | None = None) -> ipywidgets.VBox:
    """Make pages that others may see."""
    from workbench.screens.frame import screen
    from workbench.screens.publishing import PublishState, view

    return screen("9-publish", PublishState, view, project, language)


def lesson(
    number: int,
    project: Project | None = None,
    language: str | None = None,
    *,
    seed: int | None = None,
    difficulty: str | None = None,
) -> ipywidgets.VBox:
    """Learn by guessing first: lesson 1 or 2; a class shares the seed, and `easy`, `medium` or `hard`."""
    from workbench.screens.lessons import lesson as show

    return show(number, project, language, seed=seed, difficulty=difficulty)
