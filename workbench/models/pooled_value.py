"""Lifetime value of groups, segments × arms, drawn towards each other as far as the data say they are alike.

A small segment's own posterior is wide, and the luckiest of many looks best. So the parameters of each group,
the model's unconstrained vector u = (ln rate, ln r, leaving, ln size), have a hierarchy; arm 0 is the
control:

    u_s0 = c_s,   u_sa = c_s + e_sa in the rate and in leaving, c_s in the others
    c_s ~ N(m, diag(σ²)),   e_sa ~ N(β_a, diag(τ²))
    m ~ the model's default prior,   β ~ N(0, 0.5),   σ ~ HalfNormal(0.5),   τ ~ HalfNormal(0.15)

β_a is what arm a does in a typical segment: purchases are e^β times as many, and so are the odds of leaving
(Pareto/NBD: the rate). What a purchase brings (`spend`) is pooled in the same way, with an effect on
ln(pv/q).

Each group's likelihood is taken as a Normal in u: the mean and the covariance of its posterior under a Normal
prior, less that prior, as in expectation propagation. In a first round that prior is wide and the posterior
is taken by its mode and curvature; in a second it is 1.5 times as wide as the pooled posterior of the first,
so that the approximation is best where it is needed, and its moments come from a product of Gauss-Hermite
rules. The rest is exact (`random_coefficients`).

Against `hierarchical_value`, which samples the same model without the approximation, in four simulated data
sets of 12 to 16 groups of 100 to 2,500 customers: effects off by 0.12 of their standard deviations at most,
expected purchases of a group by 0.17, widths of both by 11 %.

Source: Minka (2001), "Expectation propagation for approximate Bayesian inference", UAI.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np

from workbench.errors import ModelError
from workbench.models import importance, purchases, random_coefficients, spend
from workbench.models.importance import Array, Density, NormalPrior, Seed, independent_seeds, with_prior
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.models.random_coefficients import Coefficients, Evidence, HierarchyPrior
from workbench.models.spend import SpendDraws, SpendLikelihood, SpendRows

Group = tuple[str, str]
"""Segment and arm."""

SPREAD, EFFECT, EFFECT_SPREAD = 0.5, 0.5, 0.15
CHANGED_PURCHASES, CHANGED_SPEND = (0, 2), (0,)
"""Which of the unconstrained parameters an arm may change."""
_WIDE, _AROUND = 1.0, 1.5
_NODES, _WIDEN = 4, 1.3
_ROUGH = 500
_YEAR = 52.1775


class _Rows(Protocol):
    @property
    def customers(self) -> float: ...


@dataclass(frozen=True)
class Layout:
    """Which groups there are, and what each parameter of each is made of.

    Attributes:
        segments, arms: Names; the control is the first arm.
        parameters: How many a group has.
        changed: Those that an arm may change.
    """

    segments: tuple[str, ...]
    arms: tuple[str, ...]
    parameters: int
    changed: tuple[int, ...]

    @classmethod
    def of(
        cls, groups: Iterable[Group], control: str | None, parameters: int, changed: tuple[int, ...]
    ) -> Layout:
        """Of these groups.

        Raises:
            ModelError: when there is no group, or none of the control.
        """
        groups = list(groups)
        arms = sorted({arm for _, arm in groups})
        first = control if control is not None else arms[0] if len(arms) == 1 else None
        if first not in arms:
            raise ModelError(
                "Effects need a control arm among the groups, and “{control}” is not one; there are: {arms}.",
                control=control or "–",
                arms=", ".join(arms) or "–",
            )
        rest = [arm for arm in arms if arm != first]
        return cls(tuple(sorted({segment for segment, _ in groups})), (first, *rest), parameters, changed)

    def design(self, arm: int) -> Array:
        """What an arm's parameters are made of, shape (parameters, coefficients).

        The coefficients of a segment are the parameters of its control, then each arm's effects.
        """
        effects = np.zeros((self.parameters, len(self.arms) - 1, len(self.changed)))
        if arm > 0:
            effects[self.changed, arm - 1, range(len(self.changed))] = 1
        return np.hstack([np.eye(self.parameters), effects.reshape(self.parameters, -1)])

    def prior(self, mean: Array, sd: Array) -> HierarchyPrior:
        """The hierarchy's, from that of one group's parameters."""
        p, e, arms = self.parameters, len(self.changed), len(self.arms) - 1
        return HierarchyPrior(
            np.concatenate([mean, np.zeros(e * arms)]),
            np.concatenate([sd, np.full(e * arms, EFFECT)]),
            np.concatenate([np.arange(p), np.tile(p + np.arange(e), arms)]).astype(int),
            np.concatenate([np.full(p, SPREAD), np.full(e if arms else 0, EFFECT_SPREAD)]),
        )

    def groups(self, each: Array) -> dict[Group, Array]:
        """Parameters of every segment in every arm, shape (draws, parameters), from c_s."""
        return {
            (segment, arm): each[:, s] @ self.design(a).T
            for s, segment in enumerate(self.segments)
            for a, arm in enumerate(self.arms)
        }

    def effects(self, typical: Array) -> dict[str, Array]:
        """β of each arm but the control, shape (draws, changed), from γ."""
        drawn = typical[:, self.parameters :].reshape(len(typical), len(self.arms) - 1, len(self.changed))
        return {arm: drawn[:, index] for index, arm in enumerate(self.arms[1:])}


@dataclass(frozen=True)
class PooledPurchases:
    """Purchases of all groups, drawn together: the same draw of any two belongs to one state of the world.

    Attributes:
        groups: Every segment in every arm, those without customers too.
        effects: Of each arm but the control, in a typical segment: on ln purchases a week and on the log odds
            (Pareto/NBD: the log rate) of leaving; shape (draws, 2).
        spreads: Draws of σ and then τ, shape (draws, spreads).
        checks: What the sampler says of itself.
    """

    groups: dict[Group, PurchaseDraws]
    effects: dict[str, Array]
    spreads: Array
    checks: dict[str, float]


@dataclass(frozen=True)
class PooledSpend:
    """Spend of all groups, drawn together, as `PooledPurchases`; effects on ln(pv/q), shape (draws, 1)."""

    groups: dict[Group, SpendDraws]
    effects: dict[str, Array]
    spreads: Array
    checks: dict[str, float]


def pool_purchases(
    rows: Mapping[Group, PurchaseRows],
    control: str | None = None,
    model: str = "mbg-nbd",
    draws: int = 2000,
    seed: Seed = 0,
) -> PooledPurchases:
    """Pool the purchases of groups.

    Args:
        rows: The histories of each group, by segment and arm; a segment need not have all arms.
        control: The arm the others are held against; None where there is only one.
        model: One of `purchases.MODELS`.
        draws: How many draws.
        seed: The same seed gives the same draws.

    Raises:
        ModelError: when nobody has bought again, there is no such control, or a posterior fails its checks:
            the result is withheld.
    """
    known = purchases.model_of(model)
    layout = Layout.of(rows, control, len(known.parameters.names), CHANGED_PURCHASES)
    everybody = together(list(rows.values()))
    found = pool(
        layout,
        {group: known.parameters.free(known.likelihood(some)) for group, some in rows.items()},
        known.parameters.free(known.likelihood(everybody)),
        purchases.default_prior(everybody, model),
        draws,
        seed,
    )[1]
    return purchases_of(layout, model, found.each, found.typical, found.spreads, found.checks)


def purchases_of(
    layout: Layout, model: str, each: Array, typical: Array, spreads: Array, checks: dict[str, float]
) -> PooledPurchases:
    """From draws of the coefficients, as `random_coefficients.Coefficients` has them."""
    groups = {group: PurchaseDraws.of_free(u, model, checks) for group, u in layout.groups(each).items()}
    return PooledPurchases(groups, layout.effects(typical), spreads, checks)


def pool_spend(
    rows: Mapping[Group, SpendRows],
    control: str | None = None,
    draws: int = 2000,
    seed: Seed = 0,
    groups: Iterable[Group] = (),
) -> PooledSpend:
    """Pool what purchases bring; arguments and errors as for `pool_purchases`.

    Args:
        rows, control, draws, seed: As there.
        groups: Others, of which nobody has bought again: the rest says what is likely of them.
    """
    layout = Layout.of([*rows, *groups], control, len(spend.PARAMETERS), CHANGED_SPEND)
    everybody = SpendRows(*_joined(list(rows.values()), "x", "n", "mean_log", "var_log"))
    found = pool(
        layout,
        {group: spend.FREE.free(SpendLikelihood(some)) for group, some in rows.items()},
        spend.FREE.free(SpendLikelihood(everybody)),
        spend.default_prior(everybody),
        draws,
        seed,
    )[1]
    each = {}
    for group, u in layout.groups(found.each).items():
        p, q, v = spend.to_parameters(u).T
        each[group] = SpendDraws(p, q, v, found.checks)
    return PooledSpend(each, layout.effects(found.typical), found.spreads, found.checks)


def leaving(draws: PurchaseDraws) -> Array:
    """The share of a group that leaves, draw by draw: after a purchase, or in Pareto/NBD within a year."""
    if draws.model == "pareto-nbd":
        return 1 - (draws["beta"] / (draws["beta"] + _YEAR)) ** draws["s"]
    return draws["a"] / (draws["a"] + draws["b"])


def over_segments(
    values: Mapping[Group, Array], rows: Mapping[Group, _Rows], arm: str, control: str
) -> Array:
    """An arm's value less the control's, draw by draw, were all customers of all segments in it.

    Args:
        values: What a customer of each group is worth, or any other number of it, shape (draws,).
        rows: Of each group, for how many customers each segment has.
        arm, control: Names.
    """
    counted: dict[str, float] = {}
    for (segment, _), some in rows.items():
        counted[segment] = counted.get(segment, 0.0) + some.customers
    gaps = [n * (values[segment, arm] - values[segment, control]) for segment, n in counted.items()]
    return np.asarray(np.sum(gaps, axis=0) / sum(counted.values()))


def together(parts: Sequence[PurchaseRows]) -> PurchaseRows:
    """The customers of all parts."""
    return PurchaseRows(*_joined(parts, "x", "t_x", "T", "n"))


def _joined(parts: Sequence[object], *names: str) -> list[Array]:
    return [np.concatenate([getattr(part, name) for part in parts]) for name in names]


def pool(
    layout: Layout,
    likelihoods: Mapping[Group, Density],
    whole: Density,
    prior: NormalPrior,
    draws: int,
    seed: Seed,
) -> tuple[Evidence, Coefficients]:
    """Draws of the coefficients, and the Normals that stand for the likelihoods.

    Args:
        layout: The groups.
        likelihoods: Of each group in its unconstrained parameters.
        whole: Of all together.
        prior: Of the parameters of all together.
        draws: How many draws.
        seed: The same seed gives the same draws.

    Raises:
        ModelError: when a posterior has no mode or fails its checks.
    """
    one, other = independent_seeds(seed, 2)
    hierarchy = layout.prior(prior.mean, prior.sd)
    centre = importance.find_mode(with_prior(whole, prior), prior.mean).point
    wide = NormalPrior(centre, np.full(len(centre), _WIDE))
    evidence = _evidence(layout, likelihoods, dict.fromkeys(likelihoods, wide), _by_curvature)
    rough = layout.groups(random_coefficients.sample(evidence, hierarchy, _ROUGH, one).each)
    near = {group: NormalPrior(u.mean(axis=0), _AROUND * u.std(axis=0)) for group, u in rough.items()}
    evidence = _evidence(layout, likelihoods, near, _by_quadrature)
    return evidence, random_coefficients.sample(evidence, hierarchy, draws, other)


Moments = tuple[Array, Array]
"""Mean and covariance."""


def _evidence(
    layout: Layout,
    likelihoods: Mapping[Group, Density],
    priors: Mapping[Group, NormalPrior],
    moments: Callable[[Density, Array], Moments],
) -> Evidence:
    """What each segment says of its coefficients, from a posterior of each group under a prior of its own."""
    size = layout.design(0).shape[1]
    precision, shift = np.zeros((len(layout.segments), size, size)), np.zeros((len(layout.segments), size))
    for group, likelihood in likelihoods.items():
        prior = priors[group]
        known, towards = _less(prior, *moments(with_prior(likelihood, prior), prior.mean))
        at, design = layout.segments.index(group[0]), layout.design(layout.arms.index(group[1]))
        precision[at] += design.T @ known @ design
        shift[at] += design.T @ towards
    return Evidence(precision, shift)


def _less(prior: NormalPrior, mean: Array, covariance: Array) -> Moments:
    """A Normal posterior less its prior: its precision, and that times its mean."""
    # In units of the prior, around it, where the prior knows as much of everything.
    known = np.linalg.inv(covariance / np.outer(prior.sd, prior.sd))
    size, axes = np.linalg.eigh(known - np.eye(len(known)))
    towards = axes.T @ (known @ ((mean - prior.mean) / prior.sd))
    # Along some axis the posterior may be as wide as the prior, or a little wider.
    size, towards = np.where(size > 0, size, 0.0), np.where(size > 0, towards, 0.0)
    precision = (axes * size) @ axes.T / np.outer(prior.sd, prior.sd)
    return precision, (axes @ towards) / prior.sd + precision @ prior.mean


def _by_curvature(density: Density, start: Array) -> Moments:
    mode = importance.find_mode(density, start)
    return mode.point, mode.covariance


def _by_quadrature(density: Density, start: Array) -> Moments:
    mode = importance.find_mode(density, start)
    node, weight = np.polynomial.hermite_e.hermegauss(_NODES)
    z = np.array(list(product(node, repeat=len(start))))
    log_weight = np.sum(list(product(np.log(weight) + node**2 / 2, repeat=len(start))), axis=1)
    points = mode.point + z @ np.linalg.cholesky(_WIDEN * mode.covariance).T
    log_weight += [density(point, False)[0] for point in points]
    weights = np.exp(log_weight - log_weight.max())
    weights /= weights.sum()
    mean = weights @ points
    return mean, (weights[:, None] * (points - mean)).T @ (points - mean)
