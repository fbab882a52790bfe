"""Lesson 1 without its widgets: a guess, a shop to play with, ten hidden shops, the learner's own."""

from __future__ import annotations

from typing import Any

from traitlets import Float, Instance, Int, List, observe

from workbench.lessons import LESSONS, Belief
from workbench.lessons.belief import FIRST, Grade, Interval, Seen, checked, hidden_shop, hidden_shops
from workbench.locale import say
from workbench.screens.lessons.stepping import LessonState

START = (0.0, 0.2)
"""Where an interval begins, so that it leads nobody to an answer."""
FEWEST, MOST = 20, 5000
OWN_DAYS = 14
"""Days in which a visitor of one's own shop may become a buyer."""


class BeliefState(LessonState):
    """What is guessed, played with and checked.

    Attributes:
        low, high: The guess for the shop with 10 buyers of 200.
        guess: The guess once it is given; None before.
        truth: That shop's rate; None before there is a guess.
        visitors, buyers: Of the shop that is played with; more visitors keep the observed rate.
        played: That shop.
        shops: What is seen of the ten hidden shops.
        shop: Which of them is asked about, from 0; their number when all are answered.
        shop_low, shop_high: The answer that is being made.
        intervals: The answers that were given.
        grade, rates: What they are worth, and the true rates; nothing before all are given.
        own: Visitors and buyers of the learner's own shop; None before it was asked.
    """

    lesson = LESSONS[0]

    low = Float(START[0])
    high = Float(START[1])
    guess = Instance(tuple, allow_none=True)
    truth = Float(None, allow_none=True)
    visitors = Int(FIRST.visitors)
    buyers = Int(FIRST.buyers)
    played = Instance(Seen)
    shops = Instance(tuple, ())
    shop = Int(0)
    shop_low = Float(START[0])
    shop_high = Float(START[1])
    intervals = List()
    grade = Instance(Grade, allow_none=True)
    rates = Instance(tuple, ())
    own = Instance(Seen, allow_none=True)

    _moving = False

    def begin(self) -> None:
        self._first = hidden_shop(self.seed, self.difficulty)
        (self.low, self.high), self.guess, self.truth = START, None, None
        self.play(FIRST.buyers, FIRST.visitors)
        self._take_shops(attempt=0)

    # --- guess ------------------------------------------------------------------------------------------

    def commit(self) -> None:
        """Give the guess, in exchange for the truth."""
        if self.guess is not None:
            return
        with self.working():
            interval = checked((self.low, self.high))
            self.truth = self._first.reveal(interval)
            self.guess = interval
            self.remember(
                Belief(
                    say("The rate of a shop with 10 buyers among 200 visitors"),
                    say("{low:share} to {high:share}", low=interval[0], high=interval[1]),
                    say("{rate:share}", rate=self.truth),
                )
            )

    # --- play -------------------------------------------------------------------------------------------

    def play(self, buyers: int, visitors: int) -> None:
        """Take a shop to play with."""
        self._rate = buyers / visitors
        self._move(buyers, visitors)

    @observe("visitors")
    def _keep_rate(self, change: Any) -> None:
        if not self._moving:
            self._move(round(self._rate * change.new), change.new)

    @observe("buyers")
    def _new_rate(self, change: Any) -> None:
        if not self._moving:
            self.play(min(change.new, self.visitors), self.visitors)

    def _move(self, buyers: int, visitors: int) -> None:
        self._moving = True
        self.visitors, self.buyers = visitors, buyers
        self._moving = False
        self.played = Seen(buyers, visitors)

    # --- ten shops --------------------------------------------------------------------------------------

    def _take_shops(self, attempt: int) -> None:
        self._attempt = attempt
        self._ten = hidden_shops(self.seed, self.difficulty, attempt)
        with self.hold_trait_notifications():
            self.shops = self._ten.seen
            self.intervals, self.grade, self.rates = [], None, ()
            self.shop, self.shop_low, self.shop_high = 0, *START

    def other_shops(self) -> None:
        """Ten more, after ten were graded."""
        if self.grade is not None:
            self._take_shops(self._attempt + 1)

    def place(self) -> None:
        """Give the interval for the shop that is asked about; after the last, all are graded."""
        if self.shop >= len(self.shops):
            return
        with self.working():
            interval: Interval = checked((self.shop_low, self.shop_high))
            self.intervals = [*self.intervals, interval]
            self.shop += 1
            self.shop_low, self.shop_high = START
            if self.shop == len(self.shops):
                self._grade()

    def take_back(self) -> None:
        """Answer for the shop before once more."""
        if 0 < self.shop < len(self.shops):
            *self.intervals, (self.shop_low, self.shop_high) = self.intervals
            self.shop -= 1

    def _grade(self) -> None:
        grade, self.rates = self._ten.reveal(self.intervals)
        self.grade = grade
        self.remember(
            Belief(
                say("How often your intervals for ten shops hold the truth"),
                say("{n:count} of {all:count}", n=8, all=len(self.shops)),
                say("{n:count} of {all:count}", n=grade.hit, all=len(self.shops)),
            )
        )

    # --- one's own shop ---------------------------------------------------------------------------------

    def look_at_own(self) -> None:
        """Take visitors and buyers from the learner's own project."""
        if self.project is None or self.own is not None:
            return
        from workbench.analyses.baseline import base_of
        from workbench.analyses.planned import DesignSettings

        with self.working():
            base = base_of(self.project, DesignSettings(metric="conversion", window_days=OWN_DAYS))
            if base.customers:
                self.own = Seen(round(base.metric.mean * base.customers), base.customers)
