"""Pareto/NBD: customers may leave at any time, whether they buy or not.

A customer buys λ ~ Gamma(r, rate α) times a week and leaves at the rate μ ~ Gamma(s, rate β) a week. A
customer with x repeat purchases, the last at t_x, watched until T (weeks since the first one) has

    log L = lnΓ(r+x) - lnΓ(r) + r ln α - (r+x) ln(α+T) + s ln β - s ln(β+T) + ln(1 + e^d)
        d = ln s + (r+x) ln(α+T) + s ln(β+T) + ln A₀
       A₀ = ∫ (α+t)^-(r+x) (β+t)^-(s+1) dt  over t from t_x to T.

A₀ is usually written with hypergeometric functions, which overflow for busy customers. In w = ln(γ+t),
γ = min(α, β), the integrand is analytic within |Im w| < π whatever the parameters are, so that few
Gauss-Legendre nodes give it to nine digits or more. For one history they are laid over (t_x, T), which is cut
where (r+x) ln(α+t) or s ln(β+t) has grown by 40. For the rows of a likelihood they are laid between all times
that occur, once for all rows of equal x: A₀ is then the difference of two sums from the end, which does not
cancel, since s ∫ beyond T is less than what A₀ is added to.

Of a customer alive, λ ~ Gamma(r+x, α+T) and μ ~ Gamma(s, β+T) are independent. Writing r, α, s, β for those,
the customer is one still after a further time u with probability (β/(β+u))^s, purchases arrive at the mean
rate r/α (β/(β+u))^s, and none comes in that time with the probability of the history x = 0, T = u.

The priors do not depend on the unit of time: ln(r/α) ~ N(ln(2 Σnx/ΣnT), 1.5), ln r ~ N(0, 1.5),
ln(s/β) ~ N(ln(Σn/ΣnT), 1.5), ln s ~ N(0, 1).

Sources: Schmittlein, Morrison & Colombo (1987), "Counting your customers: who are they and what will they do
next?", Management Science 33(1); Fader & Hardie, notes 008 (probabilities of counts) and 009 (derivations).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, psi, xlogy

from workbench.models.buying import PurchaseRows, Values, dot, rate_centre
from workbench.models.importance import Array, NormalPrior, Parameters

NAMES = ("r", "alpha", "s", "beta")


def _rule(nodes: int) -> Array:
    """Gauss-Legendre nodes and weights on (0, 1), shape (2, nodes)."""
    return (np.polynomial.legendre.leggauss(nodes) + np.array([[1.0], [0.0]])) / 2


_ONE_HISTORY, _COUNTS = _rule(24), _rule(48)
_FALL = 40.0  # e^-40 of the integrand is nothing beside the rest
# Nodes in a cell, and how far the integrand may fall within it and the time may grow, both in logarithms: an
# error of some 1e-9. Few are enough where times are dense; of the two grids the smaller one is taken.
_CELLS = ((3, 0.3, 0.2), (6, 3.0, 1.5))
_LADDER_FALL = 400.0  # one scale holds e^-400 of its largest value without underflow
_MOST_TIMES = 512
_STRETCHES = 128
LARGEST = 700.0  # exponentials of more overflow


def _to_parameters(u: Array) -> Array:
    """(r, α, s, β) from (ln r/α, ln r, ln s/β, ln s), shape (..., 4)."""
    log_rate, log_r, log_leaving, log_s = np.moveaxis(u, -1, 0)
    return np.exp(np.stack([log_r, log_r - log_rate, log_s, log_s - log_leaving], axis=-1))


def _jacobian(parameters: Array) -> Array:
    """Derivatives of (r, α, s, β), in rows, by the unconstrained vector, in columns."""
    r, alpha, s, beta = parameters
    return np.array([[0, r, 0, 0], [-alpha, alpha, 0, 0], [0, 0, 0, s], [0, 0, -beta, beta]])


class ParetoNbd:
    """Pareto/NBD."""

    parameters = Parameters(NAMES, _to_parameters, _jacobian)

    def prior(self, rows: PurchaseRows) -> NormalPrior:
        """On (ln r/α, ln r, ln s/β, ln s)."""
        leaving = np.log(rows.customers / (rows.n @ rows.T))
        return NormalPrior(np.array([rate_centre(rows), 0.0, leaving, 0.0]), np.array([1.5, 1.5, 1.5, 1.0]))

    def likelihood(self, rows: PurchaseRows) -> ParetoLikelihood:
        return ParetoLikelihood(rows)

    def log_there(self, values: Values, x: Array, T: Array) -> Array:
        r, alpha, s, beta = (values[name] for name in NAMES)
        buys = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + T)
        return buys - s * np.log1p(T / beta)

    def log_odds_gone(self, values: Values, x: Array, t_x: Array, T: Array) -> Array:
        r, alpha, s, beta = (values[name] for name in NAMES)
        shape, from_alpha, from_beta = r + x, alpha + t_x, beta + t_x
        cut = np.minimum(
            from_alpha * np.expm1(np.minimum(_FALL / shape, LARGEST)),
            from_beta * np.expm1(np.minimum(_FALL / s, LARGEST)),
        )
        least = np.minimum(from_alpha, from_beta)
        length = np.log1p(np.minimum(T - t_x, cut) / least)
        integral = np.zeros(np.broadcast_shapes(length.shape, shape.shape))
        for node, weight in _ONE_HISTORY.T:
            beyond = least * np.expm1(node * length)
            falls = shape * np.log1p(beyond / from_alpha) + (s + 1) * np.log1p(beyond / from_beta)
            integral += weight * (least + beyond) * np.exp(-falls)
        rises = shape * np.log1p((T - t_x) / from_alpha) + s * np.log1p((T - t_x) / from_beta)
        with np.errstate(divide="ignore"):
            return np.log(s / from_beta * length * integral) + rises

    def of_alive(self, values: Values, x: Array, T: Array) -> Values:
        r, alpha, s, beta = (values[name] for name in NAMES)
        return dict(zip(NAMES, np.broadcast_arrays(r + x, alpha + T, s, beta + T), strict=True))

    def stays(self, values: Values, weeks: Array) -> Array:
        return np.exp(-values["s"] * np.log1p(weeks / values["beta"]))

    def buys_nothing(self, values: Values, weeks: Array) -> Array:
        nothing = np.zeros_like(weeks)
        there = self.log_there(values, nothing, weeks)
        return np.exp(there + np.logaddexp(0, self.log_odds_gone(values, nothing, nothing, weeks)))

    def counts(self, values: Values, weeks: float, k: Array) -> Array:
        """Of those who stay, and of those who leave after u weeks, integrated over u."""
        r, alpha, s, beta = (values[name] for name in NAMES)
        least = np.minimum(alpha, beta)
        length = np.log1p(weeks / least)
        constant = gammaln(r + k) - gammaln(r) - gammaln(k + 1)

        def bought(u: Array) -> Array:
            return np.exp(constant - r * np.log1p(u / alpha) + xlogy(k, u / (alpha + u)))

        total = self.stays(values, np.asarray(weeks)) * bought(np.full_like(r, weeks))
        for node, weight in _COUNTS.T:
            u = least * np.expm1(node * length)
            leaving = s / beta * np.exp(-(s + 1) * np.log1p(u / beta))
            total = total + weight * length * (least + u) * leaving * bought(u)
        return total

    def rate(self, order: int, values: Values, ahead: Array) -> Array:
        """For pairs 2u · r(r+1)/α² · (β/(β+u))^s."""
        r, alpha = values["r"], values["alpha"]
        there = self.stays(values, ahead)
        return there * (r / alpha if order == 1 else 2 * ahead * r * (r + 1) / alpha**2)

    def time_scale(self, order: int, values: Values) -> Array:
        """β weeks or, where customers hardly differ, the life of the average one."""
        return values["beta"] / np.maximum(1, values["s"])

    def futures(self, rng: np.random.Generator, values: Values, weeks: float) -> Array:
        """X = Poisson(λ · min(weeks, a life of Exponential(μ)))."""
        rate = rng.gamma(values["r"], 1 / values["alpha"])
        leaving = rng.gamma(values["s"], 1 / values["beta"])
        with np.errstate(divide="ignore"):
            life = rng.standard_exponential(rate.shape) / leaving
        return rng.poisson(rate * np.minimum(weeks, life)).astype(float)


class ParetoLikelihood:
    """The log likelihood of compressed rows in r, α, s, β, with its gradient.

    Rows of equal x make a ladder: the integrand over the cells between all times that occur, summed from the
    end, so that a row is the difference of two rungs. A ladder is scaled to its first t_x; rows of equal x
    whose integrands are too far apart for one scale make several.

    Where more than 512 times occur, as with weeks that carry averages, times within the same of 128 stretches
    of the longest T are moved to their mean. Of 300,000 customers watched for a year this moves the estimates
    by 0.1 of their standard errors; counting them in weeks at all, by 0.5.

    Args:
        rows: The histories.
    """

    def __init__(self, rows: PurchaseRows) -> None:
        x_values, x_of = np.unique(rows.x, return_inverse=True)
        t_x, T = _few_times(rows)
        mortal = t_x < T
        start, end, x = t_x[mortal], T[mortal], rows.x[mortal]
        grids = [(_rule(count), _edges(start, T, x, fall, ratio)) for count, fall, ratio in _CELLS]
        rule, edges = min(grids, key=lambda grid: grid[0].shape[1] * len(grid[1]))
        scale = np.floor(x * np.log(np.where(x > 0, start, 1.0)) / _LADDER_FALL)
        ladders, ladder_of = np.unique(np.column_stack([x, scale]), axis=0, return_inverse=True)
        first = np.full(len(ladders), np.inf)
        np.minimum.at(first, ladder_of, start)
        T_of = np.searchsorted(edges, T)
        self.tables: dict[str, Any] = {
            "x": x_values,
            "n": rows.customers,
            "n_by_x": np.bincount(x_of, rows.n),
            "edges": edges,
            "node": rule[0],
            "node_weight": rule[1],
            "n_by_edge": np.bincount(T_of, rows.n, len(edges)),
            "nx_by_edge": np.bincount(T_of, rows.n * rows.x, len(edges)),
            "ladder_x": ladders[:, 0],
            "ladder_edge": np.searchsorted(edges, first),
            "mortal_n": rows.n[mortal],
            "mortal_x": x,
            "ladder_of": ladder_of,
            "start_of": np.searchsorted(edges, start),
            "end_of": np.searchsorted(edges, end),
        }

    def __call__(self, parameters: Array, gradient: bool = True) -> tuple[float, Array]:
        """The log likelihood at (r, α, s, β) and its gradient, shape (4,); zeros without `gradient`."""
        r, alpha, s, beta = parameters
        k = self.tables
        edges, n, x = k["edges"], k["n"], k["ladder_x"]
        log_a, log_b = np.log(alpha + edges), np.log(beta + edges)
        t, log_weight = _nodes(edges, min(alpha, beta), k["node"][:, None], k["node_weight"][:, None])
        node_a, node_b = np.log(alpha + t), np.log(beta + t)
        at = k["ladder_edge"]
        offset = (r + x) * log_a[at] + (s + 1) * log_b[at]
        # Nodes before a ladder's first rung may overflow; nothing asks for them.
        power = np.subtract.outer(offset, r * node_a + (s + 1) * node_b - log_weight)
        power -= np.outer(x, node_a)
        integrand = np.exp(np.minimum(power, LARGEST, out=power), out=power)
        rungs = np.zeros((len(x), len(edges)))
        cells = integrand.reshape(len(x), len(k["node"]), len(edges) - 1).sum(axis=1)
        np.cumsum(cells[:, ::-1], axis=1, out=rungs[:, -2::-1])
        row, start, end = k["ladder_of"], k["start_of"], k["end_of"]
        integral = np.maximum(rungs[row, start] - rungs[row, end], 1e-300)
        shape = r + k["mortal_x"]
        d = np.log(s * integral) - offset[row] + shape * log_a[end] + s * log_b[end]
        small = np.exp(-np.abs(d))
        buys = r * k["n_by_edge"] + k["nx_by_edge"]
        value = (
            k["n_by_x"] @ gammaln(r + k["x"])
            + n * (r * np.log(alpha) - gammaln(r) + s * np.log(beta))
            - buys @ log_a
            - s * (k["n_by_edge"] @ log_b)
            + dot(k["mortal_n"], np.maximum(d, 0) + np.log1p(small))
        )
        if not gradient:
            return float(value), np.zeros(4)
        gone = k["mortal_n"] * np.where(d > 0, 1, small) / (1 + small)
        # How much the value gains with each cell of each ladder, then with each node of all ladders.
        gain = np.zeros_like(rungs)
        np.add.at(gain, (row, start), gone / integral)
        np.subtract.at(gain, (row, end), gone / integral)
        gain = np.cumsum(gain, axis=1)[:, :-1]
        integrand *= np.tile(gain, len(k["node"]))
        each, each_x = integrand.sum(axis=0), x @ integrand
        slope = np.array(
            [
                k["n_by_x"] @ psi(r + k["x"])
                + n * (np.log(alpha) - psi(r))
                - k["n_by_edge"] @ log_a
                + dot(gone, log_a[end])
                - each @ node_a,
                n * r / alpha
                - buys @ (1 / (alpha + edges))
                + dot(gone, shape / (alpha + edges)[end])
                - (r * each + each_x) @ (1 / (alpha + t)),
                n * np.log(beta)
                - k["n_by_edge"] @ log_b
                + gone.sum() / s
                + dot(gone, log_b[end])
                - each @ node_b,
                n * s / beta
                - s * (k["n_by_edge"] @ (1 / (beta + edges)))
                + s * dot(gone, 1 / (beta + edges)[end])
                - (s + 1) * (each @ (1 / (beta + t))),
            ]
        )
        return float(value), slope


def _nodes(edges: Array, least: float, nodes: Array, weights: Array) -> tuple[Array, Array]:
    """Times between the edges, the first node of all cells first, and the logs of their weights."""
    low = edges[:-1]
    length = np.log1p(np.diff(edges) / (least + low))
    t = low + (least + low) * np.expm1(nodes * length)
    return t.ravel(), (np.log(weights * length * (least + low)) + nodes * length).ravel()


def _edges(start: Array, end: Array, x: Array, fall: float, ratio: float) -> Array:
    """Zero, all times, and more between them where an integrand of rows that have begun falls too far."""
    times = np.unique(np.concatenate([start, end]))
    times = times[times > 0]
    order = np.argsort(start)
    begun = np.searchsorted(start[order], times, side="right")
    busiest = np.append(0.0, np.maximum.accumulate(x[order]))[begun]
    steps = np.minimum(ratio, fall / np.maximum(busiest, 1))
    # Before the first of them only those without repeats have begun.
    parts = [np.zeros(1), times[0] * np.exp(-np.arange(6.0, ratio / 2, -ratio)), times[:1]]
    for low, high, step in zip(times[:-1], times[1:], steps[:-1], strict=True):
        between = np.arange(1, np.ceil(np.log(high / low) / step))
        parts += [low * np.exp(between / (len(between) + 1) * np.log(high / low)), np.array([high])]
    return np.concatenate(parts)


def _few_times(rows: PurchaseRows) -> tuple[Array, Array]:
    """t_x and T, moved to the means of their stretches where too many different times occur."""
    if len(np.unique(np.concatenate([rows.t_x, rows.T]))) <= _MOST_TIMES:
        return rows.t_x, rows.T
    width = np.max(rows.T) / _STRETCHES * (1 + 1e-9)
    T_in, t_in = ((times / width).astype(int) for times in (rows.T, rows.t_x))
    T = _means(rows.T, T_in, rows.n)
    again = rows.t_x > 0
    same = again & (T_in == t_in)
    t_x = rows.t_x.copy()
    apart = again & ~same
    t_x[apart] = _means(rows.t_x[apart], t_in[apart], rows.n[apart])
    # Whose last purchase is that close to the end: what counts is how close.
    t_x[same] = T[same] * _means(rows.t_x[same] / rows.T[same], T_in[same], rows.n[same])
    return t_x, T


def _means(values: Array, group_of: NDArray[np.intp], n: Array) -> Array:
    """The mean of each value's group."""
    total = np.bincount(group_of, n * values, minlength=1)
    return (total / np.maximum(np.bincount(group_of, n, minlength=1), 1e-300))[group_of]
