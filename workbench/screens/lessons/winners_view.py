"""The widgets of lesson 2."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets

from workbench.charts import looks
from workbench.charts.picture import Picture, in_words
from workbench.lessons.clones import CLONES, LONGEST, NONE, A, B, Tally
from workbench.lessons.own_test import today
from workbench.lessons.rule_grade import LASTS, LEAST_FOUND, MOST_WRONG
from workbench.locale import Message, Texts, say
from workbench.publish.result import html
from workbench.report import Row
from workbench.screens import controls
from workbench.screens.frame import columns, way
from workbench.screens.lessons.page import Shown, Step, graded, next_step, paragraphs, prose, sentences
from workbench.screens.lessons.winners import DAILY, LEAST_SURE, MOST_SURE, ONCE, WEEKLY, WinnersState

LARGEST_LOSS = 0.02


def steps(state: WinnersState, t: Texts) -> Sequence[Step]:
    """Guess, one's own test, a thousand clones, the checker."""
    return [
        lambda: _guess(state, t),
        lambda: _run(state, t),
        lambda: _clones(state, t),
        lambda: _check(state, t),
    ]


def _guess(state: WinnersState, t: Texts) -> ipywidgets.Widget:
    text = prose(
        t(
            "Two home pages, A and B, are exactly the same: each sells to 10 % of its visitors. You do not "
            "know that. Every day 500 people see each of them. You look every evening for 14 days and "
            "stop as soon as you are 95 % sure that one of them is better."
        ),
        t("In how many of 100 such tests do you crown a winner, although there is none?"),
    )
    said, shown = html(""), Shown(t)
    guess = controls.slider(state, "guess", t("Tests with a winner (of 100)"), 0, 100, 1, t, scale=100.0)
    guess.live = True
    asked = [guess, controls.button(t("That is my guess"), state.commit, primary=True)]

    def write(_change: object = None) -> None:
        for widget in asked:
            widget.layout.display = "" if not state.guessed else "none"
        if not state.guessed or state.once is None:
            said.value = sentences(
                t, [t("You say: {n:count} of 100 tests crown a winner.", n=100 * state.guess)]
            )
            shown.show(None)
            return
        found = t(
            "You said {guess:count}; it is {true:count} of 100.",
            guess=100 * state.guess,
            true=100 * state.shares[-1],
        )
        why = t(
            "Looking once, on the last day, {once:count} of 100 crown a winner: that is what 95 % sure in "
            "either direction means. Every look is another chance for luck to reach the bar, and the test "
            "that has stopped cannot think better of it.",
            once=100 * state.once,
        )
        said.value = sentences(t, [found, why])
        title = t("After 14 days of looking {n:count} of 100 tests have a winner", n=100 * state.shares[-1])
        rows = [
            {t("Day"): t.count(day), t("Tests with a winner"): t.percent(share)}
            for day, share in enumerate(state.shares, start=1)
        ]
        chart = looks.winners_by_day(state.shares, t, once=state.once, guess=state.guess)
        shown.show(Picture(title, chart, f"{title}. {in_words(rows)}"), rows)

    write()
    state.observe(write, ["guess", "guessed"])
    on = next_step(state, t, lambda: state.guessed, "guessed")
    return ipywidgets.VBox([text, columns(state, [*asked, on], [said, shown], t)])


def _run(state: WinnersState, t: Texts) -> ipywidgets.Widget:
    text = prose(
        t(
            "Now a test of your own. {n:count} people a day see A and as many see B. B may be better, worse, "
            "or the same: only the numbers can tell. Stop when you like, on day {last:count} at the latest.",
            n=state.pages.per_day,
            last=LONGEST,
        ),
    )
    said, shown = html(""), Shown(t)
    waiting = [
        controls.button(t("One more day"), state.wait, primary=True),
        controls.button(t("Seven more days"), lambda: state.wait(7)),
    ]
    ending = [
        controls.button(t("B wins"), lambda: state.crown(B)),
        controls.button(t("A wins"), lambda: state.crown(A)),
        controls.button(t("End without a winner"), lambda: state.crown(NONE)),
    ]

    def write(_change: object = None) -> None:
        day = state.days[-1]
        for widget in (*waiting, *ending):
            widget.layout.display = "" if state.winner is None else "none"
        for widget in waiting:
            widget.disabled = day.day >= LONGEST
        verdict = state.verdict
        said.value = sentences(t, [today(day)] if verdict is None else [verdict, today(day)])
        title = t("What is known of the difference, day by day")
        truth = None if state.lift is None else state.pages.rate * state.lift
        seen = [looks.Seen(d.day, (d.b - d.a) / d.visitors, d.most, d.half) for d in state.days]
        rows = [
            {
                t("Day"): t.count(d.day),
                t("Buyers of A"): t.count(d.a),
                t("Buyers of B"): t.count(d.b),
                t("B − A (points)"): t.points((d.b - d.a) / d.visitors),
                t("Between (95 %)"): f"{t.points(d.most[0])} … {t.points(d.most[1])}",
                t("Sure that B is better"): t.percent(d.better),
            }
            for d in state.days
        ]
        caption = t("Light: 95 % of what may be true. Dark: half of it. At the line both are the same.")
        chart = looks.by_day(seen, t, last=LONGEST, truth=truth)
        shown.show(Picture(title, chart, f"{title}. {in_words(rows[-1:])}", caption), rows)

    write()
    state.observe(write, ["days", "winner"])
    on = next_step(state, t, lambda: state.winner is not None, "winner")
    return ipywidgets.VBox([text, columns(state, [*waiting, *ending, on], [said, shown], t)])


def _clones(state: WinnersState, t: Texts) -> ipywidgets.Widget:
    text = html("")

    def tell(_change: object = None) -> None:
        if state.winner is not None:  # from then on the rule may be changed
            text.value = paragraphs(
                t(
                    "One test says little about a habit. So here are a thousand copies of you, each with its "
                    "own test. They stop about as you did: once {sure:whole_percent} sure of either page, "
                    "and on day {last:count} at the latest. Change the rule and see what becomes of them.",
                    sure=state.sure,
                    last=state.last,
                ),
                t(
                    "Some tools promise that looking is free if one is only sure enough of losing little. "
                    "Try it: is the winner then less often wrong?"
                ),
            )

    tell()
    state.observe(tell, "winner")
    said, shown = html(""), Shown(t)
    asked = [
        *_rule(state, t, ""),
        controls.button(t("95 % sure, a look every day"), lambda: state.set_rule(0.95, DAILY, 14, 0.0)),
        controls.button(t("95 % sure, one look on day 14"), lambda: state.set_rule(0.95, ONCE, 14, 0.0)),
        controls.button(t("80 % sure, loss below 0.2 %"), lambda: state.set_rule(0.80, DAILY, 14, 0.002)),
        next_step(state, t, lambda: True, "tallies"),
    ]

    def write(_change: object = None) -> None:
        if not state.tallies:
            return
        same, b, a = state.tallies
        found = t(
            "Where both pages are the same, {wrong:count} of your {n:count} clones crown a winner.",
            wrong=same.wrong,
            n=CLONES,
        )
        other = t(
            "Where one page is better by {lift:whole_percent}, {right:count} of {n:count} find it and "
            "{wrong:count} crown the worse one, after {days:number} days on average.",
            lift=state.pages.lift,
            right=b.right + a.right,
            wrong=b.wrong + a.wrong,
            n=2 * CLONES,
            days=(b.days + a.days) / 2,
        )
        twist = t(
            "A small loss keeps mistakes cheap, not rare: a look costs the same whatever the method is "
            "called. What does help: a higher bar, fewer looks, or doubting large effects from the start."
        )
        said.value = sentences(t, [found, other, *([twist] if state.loss else [])])
        rows = [_row(t(name), tally, t) for name, tally in _named(state.tallies)]
        items = [
            looks.Outcomes(t(name), one.right, one.wrong, one.none) for name, one in _named(state.tallies)
        ]
        title = t("{n:count} of {all:count} winners where there is none", n=same.wrong, all=CLONES)
        shown.show(Picture(title, looks.outcomes(items, t), f"{title}. {in_words(rows)}"), rows)

    write()
    state.observe(write, "tallies")
    return ipywidgets.VBox([text, columns(state, asked, [said, shown], t)])


def _check(state: WinnersState, t: Texts) -> ipywidgets.Widget:
    text = prose(
        t(
            "Choose a rule for this shop. Where both pages are the same, at most {wrong:whole_percent} of "
            "tests may crown a winner. Where one is better by {lift:whole_percent}, at least "
            "{found:whole_percent} have to find it. Of such rules, the faster is the better.",
            wrong=MOST_WRONG,
            found=LEAST_FOUND,
            lift=state.pages.lift,
        ),
        t("Say first how often it will crown a winner that is none. Then hand it in."),
    )
    said, shown = html(""), Shown(t)
    promised = controls.slider(
        state, "promised", t("Wrong winners that I expect (%)"), 0, 50, 1, t, scale=100.0
    )
    asked = [
        *_rule(state, t, "own_"),
        promised,
        controls.button(t("Hand in the rule"), state.hand_in, primary=True),
    ]
    lab = way("../3-effect-lab", t("Effect lab"), t)
    more = t("How often a rule of yours would be wrong in your own shop, “Design” says:")

    def write(_change: object = None) -> None:
        grade = state.grade
        if grade is None:
            said.value = sentences(t, [t("Nothing is handed in yet.")])
            shown.show(None)
            return
        said.value = f'{graded(grade, t)}<p class="wb-onward">{escape(more)} {lab}</p>'

    write()
    state.observe(write, "grade")
    return ipywidgets.VBox([text, columns(state, asked, [said, shown], t)])


def _rule(state: WinnersState, t: Texts, prefix: str) -> list[ipywidgets.Widget]:
    """What a rule is made of."""
    every = [(t("every day"), DAILY), (t("every week"), WEEKLY), (t("once, at the end"), ONCE)]
    lasts = [(t("day {day:count}", day=day), day) for day in LASTS]
    return [
        controls.slider(
            state,
            f"{prefix}sure",
            t("Stop once so sure (%)"),
            100 * LEAST_SURE,
            100 * MOST_SURE,
            0.5,
            t,
            scale=100.0,
        ),
        controls.choice(state, f"{prefix}every", t("Look"), lambda: every),
        controls.choice(state, f"{prefix}last", t("End at the latest on"), lambda: lasts),
        controls.slider(
            state,
            f"{prefix}loss",
            t("Largest loss that I accept (% of the rate; 0: any)"),
            0,
            100 * LARGEST_LOSS,
            0.1,
            t,
            scale=100.0,
        ),
    ]


def _named(tallies: Sequence[Tally]) -> list[tuple[Message, Tally]]:
    names = (say("both the same"), say("B better"), say("A better"))
    return list(zip(names, tallies, strict=True))


def _row(name: str, one: Tally, t: Texts) -> Row:
    return {
        t("Truth"): name,
        t("Right winner"): t.count(one.right),
        t("Wrong winner"): t.count(one.wrong),
        t("No winner"): t.count(one.none),
        t("Days on average"): t.number(one.days),
    }
