"""Who has how much part in a result: Shapley values.

With the result v(S) when the players in S have the new value and all others the old one, the part of player i
is the mean, over all orders in which the players may change, of what its own change does:

    φ_i = Σ_S |S|! (n-|S|-1)! / n! · (v(S ∪ {i}) - v(S)),   S without i,   Σ_i φ_i = v(all) - v(none).

Source: Shapley (1953), "A value for n-person games", Contributions to the Theory of Games II.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import factorial

from workbench.models.importance import Array


def shapley_values(players: Sequence[str], result: Callable[[frozenset[str]], Array]) -> dict[str, Array]:
    """The part of each player in the difference between all having changed and none.

    Args:
        players: Their names; the result is asked for 2^n times.
        result: The result when these players have changed, of any shape.

    Returns:
        By player, of the shape of the result; they add up to the difference, element by element.
    """
    known: dict[frozenset[str], Array] = {
        frozenset(chosen): result(frozenset(chosen))
        for size in range(len(players) + 1)
        for chosen in combinations(players, size)
    }
    n = len(players)

    def part(player: str) -> Array:
        others = [chosen for chosen in known if player not in chosen]
        terms = [
            factorial(len(chosen))
            * factorial(n - len(chosen) - 1)
            * (known[chosen | {player}] - known[chosen])
            for chosen in others
        ]
        return sum(terms[1:], terms[0]) / factorial(n)

    return {player: part(player) for player in players}
