"""What is asked of a design: seven controls in sight, the rest under "more", and what each means."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.analyses.planned import LONGEST
from workbench.decisions import metric_name
from workbench.locale import Texts
from workbench.publish.result import html
from workbench.screens import controls
from workbench.screens.design import DesignState


def asked(state: DesignState, t: Texts) -> list[ipywidgets.Widget]:
    """All controls of a design."""
    return [*_main(state, t), _more(state, t), _help(t)]


def metrics(state: DesignState, t: Texts) -> list[tuple[str, str]]:
    """The metrics as a reader calls them."""
    return [(t(metric_name(name)), name) for name in state.metrics]


def _main(state: DesignState, t: Texts) -> list[ipywidgets.Widget]:
    looks = [(t("every week"), "weekly"), (t("every day"), "daily"), (t("only at the end"), "end")]
    return [
        controls.choice(state, "metric", t("Metric"), lambda: metrics(state, t), follows="metrics"),
        controls.percent(state, "low", t("Expected lift, from (%)"), -99, 1000, 1),
        controls.percent(state, "high", t("Expected lift, to (%)"), -99, 1000, 1),
        controls.whole(state, "weeks", t("Weeks in which customers enter"), 1, LONGEST),
        controls.choice(state, "looks", t("We look"), lambda: looks),
        controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
        controls.percent(state, "loss", t("Largest expected loss (% of the mean)"), 0, 100, 0.1),
    ]


def _more(state: DesignState, t: Texts) -> ipywidgets.Widget:
    priors = [(t("uniform"), "uniform"), (t("Jeffreys"), "jeffreys")]
    return controls.more(
        t,
        [
            _part(t("Who takes part")),
            controls.choice(
                state,
                "population",
                t("Population"),
                lambda: [(t("everybody"), None), *((name, name) for name in state.populations)],
                follows="populations",
            ),
            controls.text(state, "split", t("Split, the control first"), example="50 / 50"),
            controls.percent(state, "traffic", t("Share of the traffic (%)"), 1, 100, 5),
            controls.whole(state, "window_days", t("Window after the first exposure (days)"), 1, 3650),
            _part(t("The rule")),
            controls.whole(state, "min_weeks", t("Whole weeks at least"), 0, LONGEST),
            controls.percent(state, "rope", t("Smallest lift that matters (%)"), 0, 99, 0.5),
            controls.tick(state, "prior_in_analysis", t("Use the expected lift as a prior, too")),
            controls.choice(state, "prior", t("Prior of a conversion rate"), lambda: priors),
            controls.tick(state, "lower_is_better", t("Lower is better")),
            _part(t("By hand")),
            controls.text(state, "mean", t("Rate (%) or mean"), example=t("from the project")),
            controls.text(state, "sd", t("Standard deviation"), example=t("from the project")),
            controls.text(state, "zeros", t("Share of zeros (%)"), example=t("from the project")),
            controls.text(state, "weekly", t("New customers a week"), example=t("from the project")),
            _part(t("What is wanted")),
            controls.percent(state, "worth", t("Lift worth finding (%)"), 0.1, 1000, 1),
            controls.percent(state, "assured", t("Wanted chance of adopting (%)"), 1, 99, 5),
            controls.percent(state, "hold_out", t("Global hold-out (%)"), 1, 20, 1),
            controls.whole(state, "several", t("Groups at the level “several”"), 2, 1000),
            controls.whole(state, "few", t("Groups at the level “few”"), 2, 100_000),
        ],
    )


def _part(title: str) -> ipywidgets.HTML:
    return html(f'<h3 class="wb-asked">{escape(title)}</h3>')


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("Expected lift"),
                t("Before the data you would bet 95 to 5 that the true lift lies between the two."),
            ),
            (
                t("Weeks in which customers enter"),
                t("Whole weeks, since weekdays differ. The last one’s window still has to pass."),
            ),
            (t("We look"), t("Each look at which the rule may end the test is a chance to be wrong.")),
            (
                t("Level of the intervals"),
                t("With 95 % the rule is sure from 97.5 % on, either way."),
            ),
            (
                t("Largest expected loss (% of the mean)"),
                t("The rule ends the test only if being wrong would cost no more on average; 0 for any."),
            ),
            (t("Population"), t("A saved segment that people have to be in when they enter.")),
            (t("Split, the control first"), t("One number for each arm, such as 80 / 20 or 1 / 1 / 1.")),
            (t("Whole weeks at least"), t("Before that the rule ends nothing, whatever it sees.")),
            (
                t("Use the expected lift as a prior, too"),
                t("The analysis then doubts large lifts; with many looks it is wrong less often."),
            ),
            (t("By hand"), t("Empty fields are taken from what your customers did before.")),
            (
                t("Lift worth finding (%)"),
                t("What a change has to bring to pay for itself; levels are held against it."),
            ),
            (
                t("Global hold-out (%)"),
                t("Customers kept from all personalisation for a year, so that its value can be known."),
            ),
        ],
    )
