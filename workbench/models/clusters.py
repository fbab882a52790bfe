"""Shares and ratios of visits when visits of one customer resemble each other.

Customer u did x_u of n_u things. The share (or ratio) is r = Σx / Σn; its variance between customers, by
linearisation (Cochran, Sampling Techniques, 3rd ed., section 6.3), with e_u = x_u − r n_u, is
    V = U / (U − 1) · Σ e_u² / (Σn)²,     Σ e_u² = Σx² − 2 r Σxn + r² Σn²
and the design effect is how much larger it is than if all Σn were independent (Kish, Survey Sampling, 1965):
    d = V / (r (1 − r) / Σn),  not below 1
A share then has the posterior of Σn / d independent visits (Rao & Scott 1981, JASA 76, first-order):
    θ ~ Beta(½ + Σx / d, ½ + (Σn − Σx) / d)
and a ratio, such as pages per visit, is r ± t_{U−1} √V. Where all did or none did, nothing tells how alike
they are, and as many count as there are customers.

Six sums over customers are all that is needed; they add up over disjoint sets of customers. With a geometric
number of visits, 5 a customer on average, whose logit differs between customers with a standard deviation of
1, 95 % intervals of a share held it 96.1 % and 95.7 % of the time with 100 and 1,000 customers and 91.5 %
with 20; without the design effect 83 % to 86 % (1,000 simulations each, ±0.7 points).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from workbench.models.arms import BetaArm, MeanArm

SUMS = ("x", "n", "xx", "xn", "nn")


@dataclass(frozen=True)
class Clustered:
    """Sums over customers of what each did (x) out of how much (n).

    Attributes:
        x, n: Sums of x and n. xx, xn, nn: Sums of their squares and product.
        customers: Those with n above 0.

    >>> alone = Clustered(x=30, n=100, xx=30, xn=30, nn=100, customers=100)      # one visit a customer
    >>> round(alone.design_effect, 2), round(alone.share().mean, 3)
    (1.01, 0.302)
    >>> alike = Clustered(x=30, n=100, xx=300, xn=300, nn=1000, customers=10)    # ten each, all or none
    >>> round(alike.design_effect, 1)
    11.1
    """

    x: float
    n: float
    xx: float
    xn: float
    nn: float
    customers: float

    def __add__(self, other: Clustered) -> Clustered:
        return Clustered(*(getattr(self, name) + getattr(other, name) for name in (*SUMS, "customers")))

    @property
    def ratio(self) -> float:
        """x / n."""
        return self.x / self.n

    @property
    def variance(self) -> float:
        """Of the ratio between customers; infinite for one customer alone."""
        if self.customers < 2:
            return float("inf")
        rest = max(0.0, self.xx - 2 * self.ratio * self.xn + self.ratio**2 * self.nn)
        return self.customers / (self.customers - 1) * rest / self.n**2

    def effect(self, spread: float) -> float:
        """The design effect where things of different customers have this variance; from 1 to n."""
        most = max(1.0, self.n)
        if self.customers < 2:
            return most
        if spread <= 0:
            return max(1.0, self.n / self.customers)
        return min(max(1.0, self.variance * self.n / spread), most)

    @property
    def design_effect(self) -> float:
        """Of a share."""
        return self.effect(self.ratio * (1 - self.ratio))

    def share(self) -> BetaArm:
        """Posterior of the share; that of no data where there are none."""
        if not self.n:
            return BetaArm(0.5, 0.5)
        effect = self.design_effect
        return BetaArm(0.5 + self.x / effect, 0.5 + max(0.0, self.n - self.x) / effect)

    def mean(self) -> MeanArm | None:
        """Posterior of the ratio; None where fewer than four customers say how far it may be off."""
        if self.customers < 4 or self.variance <= 0:
            return None
        return MeanArm(self.ratio, sqrt(self.variance), self.customers - 1)
