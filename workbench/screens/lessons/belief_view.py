"""The widgets of lesson 1."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets

from workbench.charts import beliefs
from workbench.charts.picture import Picture, in_words
from workbench.lessons.belief import DOTS, FIRST, LEVEL, Interval, Seen, reading, worth
from workbench.locale import Texts
from workbench.publish.result import html, message_text
from workbench.report import Row
from workbench.screens import controls
from workbench.screens.frame import columns, way
from workbench.screens.lessons.belief import FEWEST, MOST, OWN_DAYS, BeliefState
from workbench.screens.lessons.page import Shown, Step, graded, next_step, prose, sentences

GUESSED, JUDGED = 0.2, 0.4
"""Where the line of rates ends: for the first guess, and for the ten shops."""


def steps(state: BeliefState, t: Texts) -> Sequence[Step]:
    """Guess, play, check, one's own shop."""
    return [
        lambda: _guess(state, t),
        lambda: _play(state, t),
        lambda: _check(state, t),
        lambda: _own(state, t),
    ]


def _guess(state: BeliefState, t: Texts) -> ipywidgets.Widget:
    text = prose(
        t(
            "Last week {visitors:count} people visited a shop, and {buyers:count} of them bought: 5 %. "
            "Behind that is a true rate, the share that would buy if the same week came again for "
            "millions of people. Nobody sees it.",
            visitors=FIRST.visitors,
            buyers=FIRST.buyers,
        ),
        t("Between which two numbers is it? Choose them so that you would be right 8 times in 10."),
    )
    said, shown = html(""), Shown(t)
    asked = [
        _edge(state, "low", t("From (%)"), GUESSED, t),
        _edge(state, "high", t("To (%)"), GUESSED, t),
        controls.button(t("That is my guess"), state.commit, primary=True),
    ]

    def write(_change: object = None) -> None:
        for widget in asked:
            widget.layout.display = "" if state.guess is None else "none"
        if state.guess is None or state.truth is None:
            said.value = sentences(t, [_claim((state.low, state.high), t)])
            shown.show(_line(FIRST, (state.low, state.high), GUESSED, t))
            return
        inside = state.guess[0] <= state.truth <= state.guess[1]
        found = t("The true rate of this shop is {rate:share}: your guess holds it.", rate=state.truth)
        if not inside:
            found = t("The true rate of this shop is {rate:share}: outside your guess.", rate=state.truth)
        kept = t(
            "Each dot is one of fifty shops that all had {buyers:count} buyers among {visitors:count} "
            "visitors. Their rates differ, and the numbers look the same.",
            buyers=FIRST.buyers,
            visitors=FIRST.visitors,
        )
        said.value = sentences(t, [worth(FIRST, state.guess), found, kept])
        shown.show(
            _picture(FIRST, t, guess=state.guess, truth=state.truth),
            _rows(FIRST, t, guess=state.guess, truth=state.truth),
        )

    write()
    state.observe(write, ["low", "high", "guess"])
    on = next_step(state, t, lambda: state.guess is not None, "guess")
    return ipywidgets.VBox([text, columns(state, [*asked, on], [said, shown], t)])


def _play(state: BeliefState, t: Texts) -> ipywidgets.Widget:
    text = prose(
        t("Drag the visitors: the rate that you see stays, and what you know of the true one changes."),
        t("How many visitors does it take until you know the rate to within 2 points? And within 1?"),
    )
    said, shown = html(""), Shown(t)
    visitors = controls.slider(state, "visitors", t("Visitors"), FEWEST, MOST, 20, t)
    buyers = controls.slider(state, "buyers", t("Buyers"), 0, state.visitors, 1, t)
    visitors.live = buyers.live = True

    def preset(some: int, of: int) -> ipywidgets.Button:
        words = t("{buyers:count} of {visitors:count}", buyers=some, visitors=of)
        return controls.button(words, lambda: state.play(some, of))

    presets = ipywidgets.Box([preset(*one) for one in ((1, 20), (10, 200), (100, 2000))])

    def write(_change: object = None) -> None:
        seen = state.played
        buyers.max = float(seen.visitors)
        said.value = sentences(t, [reading(seen)])
        shown.show(_picture(seen, t), _rows(seen, t))

    write()
    state.observe(write, "played")
    asked = [visitors, buyers, presets.add_class("wb-doing"), next_step(state, t, lambda: True, "played")]
    return ipywidgets.VBox([text, columns(state, asked, [said, shown], t)])


def _check(state: BeliefState, t: Texts) -> ipywidgets.Widget:
    count = len(state.shops)
    text = prose(
        t(
            "Ten shops, each with its own hidden rate. Give for each an interval that you expect to be right "
            "8 times in 10, so that about 8 of your 10 hold the truth."
        ),
        t(
            "Width counts: an interval from 0 to 100 % is never wrong and says nothing. You pay for its "
            "width, and ten times the distance where the truth lies outside."
        ),
    )
    said, shown = html(""), Shown(t)
    asked = [
        _edge(state, "shop_low", t("From (%)"), JUDGED, t),
        _edge(state, "shop_high", t("To (%)"), JUDGED, t),
        controls.button(t("Next shop"), state.place, primary=True),
        controls.button(t("One back"), state.take_back),
    ]
    again = controls.button(t("Ten other shops"), state.other_shops)

    def write(_change: object = None) -> None:
        open_ = state.shop < count
        again.layout.display = "none" if open_ else ""
        for widget in asked:
            widget.layout.display = "" if open_ else "none"
        asked[3].disabled = state.shop == 0
        asked[2].description = t("Next shop") if state.shop < count - 1 else t("Give all ten")
        if open_:
            seen = state.shops[state.shop]
            words = t(
                "Shop {n:count} of {all:count}: {buyers:count} buyers among {visitors:count} visitors, "
                "{rate:share}.",
                n=state.shop + 1,
                all=count,
                buyers=seen.buyers,
                visitors=seen.visitors,
                rate=seen.rate,
            )
            said.value = sentences(t, [words])
            shown.show(_line(seen, (state.shop_low, state.shop_high), JUDGED, t))
        elif state.grade is not None:
            _write_grade(state, said, shown, t)

    write()
    state.observe(write, ["shops", "shop", "shop_low", "shop_high", "grade"])
    on = next_step(state, t, lambda: state.grade is not None, "grade")
    return ipywidgets.VBox([text, columns(state, [*asked, on, again], [said, shown], t)])


def _write_grade(state: BeliefState, said: ipywidgets.HTML, shown: Shown, t: Texts) -> None:
    grade = state.grade
    if grade is None:
        return
    said.value = graded(grade, t)
    items = [
        beliefs.Judged(
            t("{buyers:count} of {visitors:count}", buyers=seen.buyers, visitors=seen.visitors),
            guess,
            seen.best,
            rate,
        )
        for seen, guess, rate in zip(state.shops, state.intervals, state.rates, strict=True)
    ]
    rows = [
        {
            t("Shop"): item.label,
            t("Your interval"): _interval(item.guess, t),
            t("As the numbers have it"): _interval(item.best, t),
            t("True rate"): t.share(item.truth),
            t("Held"): t("yes") if item.hit else t("no"),
            t("Cost"): t.number(seen.cost(item.guess)),
        }
        for item, seen in zip(items, state.shops, strict=True)
    ]
    title = t("{hit:count} of {n:count} intervals hold the truth", hit=grade.hit, n=len(items))
    caption = t(
        "Wide: your intervals. Thin: the best that the numbers allow. A dot is a truth that you held, a "
        "cross one that you did not."
    )
    shown.show(Picture(title, beliefs.judged(items, t), f"{title}. {in_words(rows)}", caption), rows)


def _own(state: BeliefState, t: Texts) -> ipywidgets.Widget:
    said, shown = html(""), Shown(t)
    lab = way("../3-effect-lab", t("Effect lab"), t)
    load = way("../1-load-and-check", t("Load and check"), t)
    state.look_at_own()

    def write(_change: object = None) -> None:
        if state.problem is not None:
            said.value = message_text(t(state.problem))
        elif state.own is None:
            words = t("No shop of your own is open. Once you have loaded one, its rate is shown here:")
            said.value = f'<p class="wb-onward">{escape(words)} {load}</p>'
        else:
            asked = t(
                "These are the visitors of the last weeks, and those of them who ordered within {days:count} "
                "days.",
                days=OWN_DAYS,
            )
            more = t("Is one page better than another? That is the next lesson, and for your shop:")
            said.value = (
                f'{sentences(t, [reading(state.own), asked])}<p class="wb-onward">{escape(more)} {lab}</p>'
            )
            shown.show(_picture(state.own, t, near=True), _rows(state.own, t))

    write()
    return ipywidgets.VBox([said, shown])


def _edge(state: BeliefState, name: str, label: str, most: float, t: Texts) -> ipywidgets.Widget:
    widget = controls.slider(state, name, label, 0.0, 100 * most, 0.1, t, scale=100.0)
    widget.live = True
    return widget


def _claim(interval: Interval, t: Texts) -> str:
    low, high = interval
    if low >= high:
        return t("“From” has to be below “to”.")
    return t(
        "You say: in 8 of 10 such shops the true rate is between {low:share} and {high:share}.",
        low=low,
        high=high,
    )


def _interval(interval: Interval, t: Texts) -> str:
    return t("{low:share} to {high:share}", low=interval[0], high=interval[1])


def _line(seen: Seen, guess: Interval, most: float, t: Texts) -> Picture:
    """The guess alone, while everything else is hidden."""
    title = t("Your interval on the line of all rates")
    chart = beliefs.rates(t, seen=seen.rate, guess=guess if guess[0] < guess[1] else None, ends=(0.0, most))
    return Picture(title, chart, f"{title}: {_interval(guess, t)}")


def _picture(
    seen: Seen,
    t: Texts,
    *,
    guess: Interval | None = None,
    truth: float | None = None,
    near: bool = False,
) -> Picture:
    """Fifty such shops; `near` for an axis that is as wide as they are."""
    inside = sum(seen.best[0] <= rate <= seen.best[1] for rate in seen.dots)
    title = t(
        "{inside:count} of {n:count} such shops lie between {low:share} and {high:share}",
        inside=inside,
        n=DOTS,
        low=seen.best[0],
        high=seen.best[1],
    )
    ends = None
    if near:
        margin = seen.dots[-1] - seen.dots[0]
        ends = max(0.0, seen.dots[0] - margin / 2), min(1.0, seen.dots[-1] + margin / 2)
    chart = beliefs.rates(
        t, seen=seen.rate, dots=seen.dots, best=seen.best, guess=guess, truth=truth, ends=ends
    )
    caption = t("Each dot is one shop in fifty with these numbers; diamonds lie outside the 80 %.")
    return Picture(title, chart, f"{title}. {in_words(_rows(seen, t, guess=guess, truth=truth))}", caption)


def _rows(seen: Seen, t: Texts, *, guess: Interval | None = None, truth: float | None = None) -> list[Row]:
    """What the picture shows."""
    label, value = t("What"), t("Rate")
    rows = [
        {label: t("seen"), value: t.share(seen.rate)},
        {
            label: t("as the numbers have it, {level:whole_percent}", level=LEVEL),
            value: _interval(seen.best, t),
        },
    ]
    if guess is not None:
        rows.append({label: t("your guess"), value: _interval(guess, t)})
    if truth is not None:
        rows.append({label: t("truth"), value: t.share(truth)})
    return rows
