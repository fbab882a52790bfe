"""Lesson 2 without its widgets: a guess, one's own test, a thousand clones, a rule that is graded."""

from __future__ import annotations

from traitlets import Bool, Float, Instance, Int, List, observe

from workbench.lessons import LESSONS, Belief
from workbench.lessons.clones import CLONES, LONGEST, NONE, A, B, Rule, at_the_end, crowd, peeking, shop
from workbench.lessons.own_test import Day, judged, own_test
from workbench.lessons.rule_grade import LASTS, Grade, graded
from workbench.locale import Message, say
from workbench.screens.lessons.stepping import LessonState

LEAST_SURE, MOST_SURE = 0.55, 0.995
DAILY, WEEKLY, ONCE = 1, 7, LONGEST


class WinnersState(LessonState):
    """What is guessed, run, tried and checked.

    Attributes:
        guess: In what share of tests without a difference a winner is crowned.
        guessed: Whether the guess is given.
        shares: The truth of it, by day; nothing before the guess.
        once: The same with one look at the end.
        days: What has been seen of one's own test.
        winner: Whom one crowned: `NONE`, `A` or `B`; None while the test runs.
        lift: The truth of that test; None while it runs.
        sure, every, last, loss: The rule of one's clones; a loss of 0 for any.
        tallies: What became of the clones: both pages the same, B better, A better.
        own_sure, own_every, own_last, own_loss: The rule that is handed in.
        promised: What share of wrong winners one expects of it.
        grade: What it is worth; None before it is handed in.
        tries: How often a rule was handed in.
    """

    lesson = LESSONS[1]

    guess = Float(0.0)
    guessed = Bool(False)
    shares = Instance(tuple, ())
    once = Float(None, allow_none=True)
    days = List(Instance(Day))
    winner = Int(None, allow_none=True)
    lift = Float(None, allow_none=True)
    sure = Float(0.95)
    every = Int(DAILY)
    last = Int(14)
    loss = Float(0.0)
    tallies = Instance(tuple, ())
    own_sure = Float(0.95)
    own_every = Int(DAILY)
    own_last = Int(14)
    own_loss = Float(0.0)
    promised = Float(0.0)
    grade = Instance(Grade, allow_none=True)
    tries = Int(0)

    def begin(self) -> None:
        self.pages = shop(self.difficulty)
        self._own = own_test(self.seed, self.difficulty)
        self.guess, self.guessed, self.shares, self.once = 0.0, False, (), None
        self.winner, self.lift, self.tallies = None, None, ()
        self.days = [self._own.after(1)]
        self.sure, self.every, self.last, self.loss = 0.95, DAILY, 14, 0.0
        self.own_sure, self.own_every, self.own_last, self.own_loss = 0.95, DAILY, 14, 0.0
        self.promised, self.grade, self.tries = 0.0, None, 0

    # --- guess ------------------------------------------------------------------------------------------

    def commit(self) -> None:
        """Give the guess, in exchange for the truth."""
        if self.guessed:
            return
        with self.working():
            self.once = at_the_end(self.seed, self.difficulty)
            self.shares = peeking(self.seed, self.difficulty)
            self.guessed = True
            self.remember(
                Belief(
                    say("Winners in tests of two equal pages that are looked at for 14 days"),
                    say("{share:percent}", share=self.guess),
                    say("{share:percent}", share=self.shares[-1]),
                )
            )

    # --- one's own test ---------------------------------------------------------------------------------

    def wait(self, days: int = 1) -> None:
        """Let the test run on."""
        if self.winner is None:
            first = self.days[-1].day + 1
            more = range(first, min(first + days, LONGEST + 1))
            self.days = [*self.days, *(self._own.after(day) for day in more)]

    def crown(self, winner: int) -> None:
        """End the test, with a winner or without, in exchange for the truth."""
        if self.winner is not None:
            return
        with self.working():
            self.lift = self._own.reveal(winner)
            today = self.days[-1]
            names = {NONE: say("nobody"), A: say("A"), B: say("B")}
            truth = NONE if not self.lift else B if self.lift > 0 else A
            self.remember(
                Belief(
                    say("The winner of your own test, after {day:count} days", day=today.day),
                    names[winner],
                    names[truth],
                )
            )
            # the clones begin with the rule that this was
            if winner != NONE:
                seen = today.better if winner == B else 1 - today.better
                self.sure = min(max(round(200 * seen) / 200, LEAST_SURE), MOST_SURE)
            self.last = min(last for last in LASTS if last >= today.day)
            self.clone()
            self.winner = winner

    @property
    def verdict(self) -> Message | None:
        """What the truth makes of the winner; nothing while the test runs."""
        return None if self.winner is None or self.lift is None else judged(self.winner, self.lift)

    # --- clones -----------------------------------------------------------------------------------------

    @property
    def rule(self) -> Rule:
        """The rule of the clones."""
        return Rule(self.sure, min(self.every, self.last), self.last, self.loss or None)

    def set_rule(self, sure: float, every: int, last: int, loss: float) -> None:
        """Give the clones another rule."""
        with self.hold_trait_notifications():
            self.sure, self.every, self.last, self.loss = sure, every, last, loss

    @observe("sure", "every", "last", "loss")
    def _clone(self, _change: object) -> None:
        if self.tallies:
            self.clone()

    def clone(self) -> None:
        """Let a thousand clones follow the rule."""
        with self.working():
            self.tallies = crowd(self.seed, self.difficulty, CLONES).tallies(self.rule)

    # --- the checker ------------------------------------------------------------------------------------

    def hand_in(self) -> None:
        """Have the rule graded."""
        with self.working():
            every = min(self.own_every, self.own_last)
            rule = Rule(self.own_sure, every, self.own_last, self.own_loss or None)
            self.grade = graded(rule, self.seed, self.difficulty)
            self.tries += 1
            self.remember(
                Belief(
                    say("Wrong winners of your rule, try {n:count}", n=self.tries),
                    say("{share:percent}", share=self.promised),
                    say("{share:percent}", share=self.grade.wrong),
                )
            )
