"""Arms that a prior of the lift ties to their control: one exact posterior for every number that is shown.

Without such a prior arms are independent (`comparison`). With it, on the prior's scale g (`lift`: log or log
odds, or the outcome itself for a difference), x = g(control), y = g(treatment):
    p(x, y₁, y₂, … | data) ∝ p_C(x) ∏ p_v(y_v) N(y_v − x; m, s²)
with p_C and p_v what each arm's own data say (`likelihoods`), for shares with the Beta prior that each arm
has anyway: without a lift's prior, or with a very wide one, the arms are the independent ones, and two arms
with the same data are even. The lift expected before any data is then N(m, s²) times what two independent
Betas expect, which is so wide (a standard deviation of 2.6 or more) that s = 0.2 becomes 0.199.

Given x the treatments are independent (`conditionals`), F_v and f_v their distributions, so
    P(T <= r C + d) = Σ p(x) F_v(g(r g⁻¹(x) + d) | x)
    P(v is best)    = Σ p(x) ∫_{y > x} f_v(y | x) ∏_{j≠v} F_j(y | x) dy
Against panels of Gauss–Legendre these were right to 1e-7 in probability, for shares up to a million
conversions and Student t's with four degrees of freedom, and to 5e-6 where an arm has no conversion.

The Bayes factor of a lift against none is the ratio of the integrals of p_C(x) p_v(y) N(y − x; m, s²) over x
and y and of p_C(x) p_v(x) over x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, log, pi

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import ModelError
from workbench.models.arms import Arm, Array, BetaArm, invert
from workbench.models.conditionals import SCAN, Conditionals, Curve
from workbench.models.lift import LINKS, LiftPrior, no_lift
from workbench.models.likelihoods import located, log_density

_NODES = 96
_MOST = 2000
_FEW = 5.0  # failures from which on a share is kept from 1 by the data
_LEGENDRE, _WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True)
class TiedArm:
    """Posterior of one arm by itself, the other arms and the prior of the lift taken into account.

    It is an `Arm`, but not independent of the others: compare it by `tied_comparison`.

    Attributes:
        index: 0 for the control, then the treatments in their order.
    """

    tied: TiedArms
    index: int

    @property
    def support(self) -> tuple[float, float]:
        return self.tied.link.support

    @cached_property
    def _moments(self) -> tuple[float, float]:
        values, weight = self.tied.values(self.index)
        mean = float((values * weight).sum())
        return mean, float(np.sqrt((weight * (values - mean) ** 2).sum()))

    @property
    def mean(self) -> float:
        return self._moments[0]

    @property
    def sd(self) -> float:
        return self._moments[1]

    @cached_property
    def breaks(self) -> Array:
        tail = np.array([1e-12, 1e-9, 1e-6, 1e-4, 3e-3, 0.04, 0.2])
        return self.ppf(np.r_[tail, 0.5, 1 - tail[::-1]])

    def cdf(self, x: ArrayLike) -> Array:
        """P(mean <= x)."""
        return self._at(np.asarray(x, dtype=float))[0]

    def pdf(self, x: ArrayLike) -> Array:
        """Density at x."""
        return self._at(np.asarray(x, dtype=float))[1]

    def ppf(self, q: ArrayLike) -> Array:
        """The q-quantile."""
        low, high = self.tied.span(self.index)
        y = invert(lambda y: self._on_scale(y), q, low, high)
        return self.tied.link.back(y)

    def _on_scale(self, y: Array) -> tuple[Array, Array]:
        if not self.index:
            below, density = self.tied.outer.at(y[..., None])
            return below[..., 0], density[..., 0]
        below, density = self.tied.inner[self.index - 1].at(y[..., None])
        return below @ self.tied.weight, density @ self.tied.weight

    def _at(self, x: Array) -> tuple[Array, Array]:
        link = self.tied.link
        below, density = self._on_scale(link.forth(x))
        return below, density * link.slope(x)


class TiedArms:
    """The joint posterior of a control and its treatments under a prior of the lift.

    Attributes:
        arms: Posterior of each arm by itself, the control's first.
        prior: The prior of each treatment's effect.
        link: From the outcome's units to the prior's scale.
        x, weight: Values of the control on the scale and their posterior probabilities.
        outer: The control's own distribution; one row.
        inner: Of each treatment, its distribution given each value of the control.
    """

    def __init__(
        self,
        control: Arm,
        treatments: Sequence[Arm],
        prior: LiftPrior,
    ) -> None:
        """Tie treatments to their control.

        Args:
            control, treatments: Posteriors without a prior of the lift, in the same units.
            prior: Of the lift of each treatment, independent of each other.

        Raises:
            ModelError: there is no treatment, the prior's scale does not fit the arms, or an arm of a
                relative lift may be zero or less.
        """
        if not treatments:
            raise ModelError("There is only one arm; a lift needs a treatment and a control.")
        self.prior, self.link = prior, LINKS[prior.scale]
        for arm in (control, *treatments):
            _check(arm, prior)
        self._base, *self._curves = (log_density(arm, prior.scale) for arm in (control, *treatments))
        self._untied = (control, *treatments)
        self._own = [located(arm, prior.scale) for arm in treatments]
        centre, width = located(control, prior.scale)
        for _ in range(3):
            centre, width = self._looked_for(centre, width)
        # Steps of x may not jump over a treatment that is known much better than the control.
        finest = min(sd for _, sd in self._own)
        nodes = int(np.clip(ceil(_NODES / 2 * width / finest), _NODES, _MOST))
        self.outer = Conditionals.of(
            self._exact, np.array([centre]), np.array([width]), nodes, scan=self._about
        )
        x, weight = self.outer.nodes
        self.x, self.weight = x[0], weight[0]
        self.control = self.link.back(self.x)
        self.arms = tuple(TiedArm(self, index) for index in range(len(treatments) + 1))

    def _about(self, x: Array) -> Array:
        """Log density of the control given all arms, by Laplace's method."""
        height = self._base(x)[0]
        for v in range(len(self._curves)):
            height = height + self._laplace(v, x.ravel())[2].reshape(x.shape)
        return height

    def _looked_for(self, centre: float, width: float) -> tuple[float, float]:
        """Mean and standard deviation of the control given all arms, as far as the scan shows them."""
        x = centre + width * np.sinh(SCAN)
        height = self._about(x)
        mass = np.exp(height - height.max()) * np.cosh(SCAN)
        mass /= mass.sum()
        mean = float(mass @ x)
        nearest = float(np.partition(np.abs(x - x[mass.argmax()]), 1)[1])
        return mean, max(float(np.sqrt(mass @ (x - mean) ** 2)), nearest / 3)

    def _exact(self, x: Array) -> tuple[Array, Array, Array]:
        """Log density of the control given all arms, and its derivatives; the second is the control's own.

        What it finds of the treatments on the way is `inner`.
        """
        height, rise, bend = self._base(x)
        flat, inner = x.ravel(), []
        for v in range(len(self._curves)):
            mode, sd, _ = self._laplace(v, flat)
            table = Conditionals.of(self._given(v, flat), mode, sd, _NODES)
            y, weight = table.nodes
            pull = ((y - flat[:, None]) * weight).sum(axis=1) - self.prior.mean
            height = height + table.log_total.reshape(x.shape)
            rise = rise + (pull / self.prior.sd**2).reshape(x.shape)
            inner.append(table)
        self.inner = tuple(inner)
        return height, rise, bend

    def _given(self, v: int, x: Array) -> Curve:
        """Log density of treatment v given the control's values x, one a row."""
        curve = self._curves[v]
        expected, precision = x[:, None] + self.prior.mean, self.prior.sd**-2

        def conditional(y: Array) -> tuple[Array, Array, Array]:
            height, rise, bend = curve(y)
            apart = y - expected
            return height - apart**2 * precision / 2, rise - apart * precision, bend - precision

        return conditional

    def _laplace(self, v: int, x: Array) -> tuple[Array, Array, Array]:
        """Mode of treatment v given x, its standard deviation there, and the log of its integral, about."""
        conditional = self._given(v, x)
        centre, width = self._own[v]
        own = self.prior.sd**2 / (self.prior.sd**2 + width**2)
        y = own * centre + (1 - own) * (x + self.prior.mean)
        # Newton's steps, each no longer than the prior and the last step allow.
        longest = np.full_like(y, np.inf)
        before = np.zeros_like(y)
        for _ in range(60):
            _, rise, bend = (part[:, 0] for part in conditional(y[:, None]))
            step = rise / np.maximum(-bend, 0.25 * self.prior.sd**-2)
            longest = np.where(step * before < 0, np.minimum(longest, np.abs(before) / 2), longest)
            step = np.clip(step, -longest, longest)
            y, before = y + step, step
            if (np.abs(step) < 1e-3 * min(self.prior.sd, width)).all():
                break
        height, _, bend = (part[:, 0] for part in conditional(y[:, None]))
        sd = 1 / np.sqrt(np.maximum(-bend, 1e-3 * self.prior.sd**-2))
        return y, sd, height + np.log(sd)

    def span(self, index: int) -> tuple[float, float]:
        """Ends on the scale between which an arm lies."""
        x, _ = (self.outer if not index else self.inner[index - 1]).nodes
        return float(x.min()), float(x.max())

    def values(self, index: int) -> tuple[Array, Array]:
        """Values of an arm in the outcome's units and their probabilities."""
        if not index:
            return self.control, self.weight
        y, weight = self.inner[index - 1].nodes
        return self.link.back(y), weight * self.weight[:, None]

    def at_most(self, index: int, scale: ArrayLike, shift: ArrayLike) -> tuple[Array, Array, Array]:
        """P(T <= scale · C + shift), and its derivatives with respect to shift and to scale."""
        scale, shift = (np.asarray(v, dtype=float)[..., None] for v in (scale, shift))
        value = scale * self.control + shift
        below, density = self.inner[index - 1].at(self.link.forth(value))
        density = density * self.link.slope(value) * self.weight
        return below @ self.weight, density.sum(axis=-1), (density * self.control).sum(axis=-1)

    def log_bayes_factor(self, index: int = 1) -> float:
        """Log of how much likelier the data of a treatment and the control are with a lift than without."""
        if len(self._curves) > 1:
            return TiedArms(self._untied[0], [self._untied[index]], self.prior).log_bayes_factor()

        def equal(x: Array) -> tuple[Array, Array, Array]:
            control, treatment = self._base(x), self._curves[0](x)
            return control[0] + treatment[0], control[1] + treatment[1], control[2] + treatment[2]

        sides = [located(arm, self.prior.scale) for arm in self._untied]
        precision = sum(sd**-2 for _, sd in sides)
        centre = sum(mean * sd**-2 for mean, sd in sides) / precision
        same = Conditionals.of(equal, np.array([centre]), np.array([precision**-0.5]), _NODES)
        return float(self.outer.log_total[0] - same.log_total[0] - log(self.prior.sd) - log(2 * pi) / 2)

    def best(self, lower_is_better: bool = False) -> tuple[Array, Array]:
        """How likely each arm is the best of all, control first, and what choosing it loses on average.

        Lifts of several treatments are independent beforehand, so treatments lie further from each other than
        from the control, which is therefore less often the best of many equal arms than each of them.
        """
        sign = -1 if lower_is_better else 1
        ends = [self.span(i) for i in range(1, len(self.inner) + 1)]
        far = max(end[1] for end in ends) if sign > 0 else min(end[0] for end in ends)
        # From the control outwards, given its value: 8 panels of 16 nodes, the first ones the finest.
        cuts = np.linspace(0, 1, 9) ** 1.5
        half = np.diff(cuts) / 2
        nodes = (cuts[:-1, None] + half[:, None] * (1 + _LEGENDRE)).ravel()
        panel = (half[:, None] * _WEIGHTS).ravel()[:, None]
        reach = np.where(sign * (far - self.x) > 0, far - self.x, 0.0)
        y = self.x + nodes[:, None] * reach
        size = np.abs(reach) * panel
        at = [table.at(y) for table in self.inner]
        behind = np.array([below if sign > 0 else 1 - below for below, _ in at])
        rivals = [np.delete(behind, i, axis=0).prod(axis=0) for i in range(len(at))]
        wins = [float(((at[i][1] * rivals[i] * size).sum(axis=0)) @ self.weight) for i in range(len(at))]
        probability = np.array([max(1 - sum(wins), 0.0), *wins])
        growth = self.link.growth(y)
        gained = float(((1 - behind.prod(axis=0)) * growth * size).sum(axis=0) @ self.weight)
        means = np.array([arm.mean for arm in self.arms])
        return probability, np.maximum(gained - sign * (means - means[0]), 0.0)


def _check(arm: Arm, prior: LiftPrior) -> None:
    if isinstance(arm, BetaArm):
        if prior.scale == "difference":
            raise ModelError("A prior of the change of a share is one of its lift; set it as a lift.")
        if prior.scale == "log" and arm.b < _FEW:
            raise ModelError(
                "Nearly everybody in an arm has converted, so a lift can hardly go up; set its prior on the "
                "odds."
            )
    elif prior.scale == "log odds":
        raise ModelError("Only shares have odds; set the prior of this lift on the “log” scale.")
    elif prior.scale == "log" and float(arm.cdf(0.0)) > 0.001:
        raise ModelError(no_lift(arm))
