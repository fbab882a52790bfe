r"""How often customers buy again, and whether they still will: BG/NBD and MBG/NBD on compressed rows.

A customer buys at rate :math:`\lambda \sim \mathrm{Gamma}(r, \alpha)` a week until dropping out; after each
repeat purchase (MBG: also after the first one) the customer drops out with probability
:math:`p \sim \mathrm{Beta}(a, b)`. With :math:`m = 0` for BG/NBD and :math:`m = 1` for MBG/NBD, a customer with
:math:`x` repeat purchases, the last at :math:`t_x`, watched until :math:`T` (weeks since the first one) has

.. math::
    \log L &= \ln\Gamma(r+x) - \ln\Gamma(r) + r\ln\alpha - (r+x)\ln(\alpha+T) + \ln\Gamma(a+b)
        + \ln\Gamma(b+x+m) - \ln\Gamma(b) - \ln\Gamma(a+b+x+m) + \ln(1+e^d) \\
    d &= \ln a - \ln(b+x+m-1) + (r+x)\ln\frac{\alpha+T}{\alpha+t_x} \qquad (-\infty
        \text{ for BG/NBD with } x=0)

and :math:`P(\text{alive}) = 1/(1+e^d)`. Identical customers share a row, so a million of them cost some 16,000
rows of weeks. Of a customer alive, :math:`\lambda \sim \mathrm{Gamma}(r+x, \alpha+T)` and
:math:`p \sim \mathrm{Beta}(a, b+x+m)` are independent; writing :math:`r, \alpha, a, b` for these, purchases
arrive after a further time :math:`s` at the mean rate

.. math::
    \frac{r}{\alpha}\Big(\frac{\alpha}{\alpha+s}\Big)^{a}
        {}_2F_1\Big(a,\, a+b-r-1;\, a+b;\, \frac{s}{\alpha+s}\Big),

which has no singularity at :math:`a = 1`; expected purchases are its integral by Gauss-Legendre nodes in
:math:`\ln(1+s/\alpha)`.

Priors do not depend on the unit of time: :math:`\ln(r/\alpha) \sim N(\ln(2\sum n x/\sum n T), 1.5)`,
:math:`\ln r \sim N(0, 1.5)`, :math:`\mathrm{logit}(a/(a+b)) \sim N(-1, 1.5)`, :math:`\ln(a+b) \sim N(1, 1.5)`.

BG/NBD calls every one-time buyer alive, MBG/NBD does not; hence MBG/NBD is the default.

Sources: Fader, Hardie & Lee (2005), "Counting your customers the easy way", Marketing Science 24(2), and the
notes by Fader & Hardie on its overflow and on P(alive); Batislam, Denizel & Filiztekin (2007), "Empirical
validation and comparison of models for customer base analysis", IJRM 24(3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, expit, gammaln, hyp2f1, psi

from workbench.errors import DataError, ModelError, check_choice
from workbench.locale import say
from workbench.models.importance import Array, Fit, NormalPrior, Seed, find_mode, importance_sample

MODELS = ("bg", "mbg")
PARAMETERS = ("r", "alpha", "a", "b")
WEEKS_PER_YEAR = 365.2425 / 7

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(24)
_NODES, _NODE_WEIGHTS = (_NODES + 1) / 2, _NODE_WEIGHTS / 2


@dataclass(frozen=True)
class PurchaseRows:
    """Customers with the same history, counted.

    Attributes:
        x: Repeat purchases (days with a purchase after the first), shape (rows,).
        t_x: Weeks from the first purchase to the last; zero where x is zero.
        T: Weeks from the first purchase to the end of observation.
        n: How many customers have this history.

    Raises:
        DataError: when a history is impossible.
    """

    x: Array
    t_x: Array
    T: Array
    n: Array

    def __post_init__(self) -> None:
        for name in ("x", "t_x", "T", "n"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=float))
        x, t_x, T, n = self.x, self.t_x, self.T, self.n
        if not (x.ndim == 1 and len(x) and x.shape == t_x.shape == T.shape == n.shape):
            raise DataError("Purchase histories need the same number of x, t_x, T and n, and at least one.")
        possible = {
            "The number of repeat purchases has to be a whole number, zero or more": (x >= 0) & (x == np.rint(x)),
            "The weeks observed have to be zero or more": (T >= 0) & np.isfinite(T),
            "The last purchase cannot be after the end of observation": t_x <= T,
            "The last purchase is after the first exactly where there are repeat purchases": (x > 0) == (t_x > 0),
            "The number of customers has to be above zero": (n > 0) & np.isfinite(n),
        }
        for rule, holds in possible.items():
            if not np.all(holds):
                row = int(np.argmin(holds))
                raise DataError(
                    rule + "; row {row:count} has x {x}, t_x {t_x}, T {T}, n {n}.",
                    row=row + 1,
                    x=x[row],
                    t_x=t_x[row],
                    T=T[row],
                    n=n[row],
                )

    @property
    def customers(self) -> float:
        """How many customers the rows stand for."""
        return float(self.n.sum())

    def where(self, chosen: NDArray[np.bool_]) -> PurchaseRows:
        """The rows for which `chosen`, shape (rows,), is true."""
        return PurchaseRows(self.x[chosen], self.t_x[chosen], self.T[chosen], self.n[chosen])
