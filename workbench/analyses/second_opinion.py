"""A second opinion by DoubleML: the same question, other models, other code.

Doubly robust with cross-fitting (Bach, Chernozhukov, Kurz & Spindler 2022, JMLR 23:53), with random forests
of scikit-learn, which find for themselves what goes together. It needs one row a customer; they stay in this
process, without names, and only as long as it takes. Installed with the extra `causal`.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import ibis
import numpy as np

from workbench.analyses.followed import Followed, people_of
from workbench.engines import Engine
from workbench.errors import DataError, ModelError
from workbench.metrics import covariates
from workbench.models.adjustment import Array, People
from workbench.records.association import Association

MOST_CUSTOMERS = 50_000
_TREES = 100
_LEAST_LEAF = 20  # customers: a forest that splits to the last one says 0 and 1 of everybody
_FOLDS = 5


def available() -> bool:
    """Whether DoubleML and scikit-learn are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("doubleml", "sklearn"))


def second_opinion(
    engine: Engine,
    found: Followed,
    comparable: People,
    level: float,
    *,
    everybody: bool = False,
    seed: int = 0,
) -> Association:
    """The difference for those who had it, or for everybody, as DoubleML sees it.

    Args:
        engine: Where the tables are.
        found: The two groups.
        comparable: Those with a counterpart; the others are left out here too.
        level: Probability of the interval.
        everybody: Whether it speaks of everybody, rather than of those who had it.
        seed: Of the forests and the folds.

    Raises:
        ModelError: when DoubleML is not installed.
        DataError: when there are too many customers.
    """
    if not available():
        raise ModelError("DoubleML is not installed; install the extra “causal” for a second opinion.")
    customers = sum(comparable.sizes)
    if customers > MOST_CUSTOMERS:
        raise DataError(
            "A second opinion takes one row a customer, and {n:count} are more than {most:count}.",
            n=customers,
            most=MOST_CUSTOMERS,
        )
    x, y, z = _one_by_one(engine, found, comparable)
    return _doubleml(x, y, z, comparable, "ATE" if everybody else "ATTE", level, seed)


def _one_by_one(engine: Engine, found: Followed, comparable: People) -> tuple[Array, Array, Array]:
    """Levels, outcome and group of every comparable customer."""
    columns = [cut.column for cut in found.cuts.values()]
    rows = found.rows.filter(found.rows.y.notnull())
    rows = rows.select(
        *columns,
        "treated",
        n=ibis.literal(1, "int64"),
        fold=ibis.literal(0, "int64"),
        total=rows.y,
        squares=rows.y,
    )
    each = people_of(
        covariates.patterns_of(engine.query(ibis.to_sql(rows, dialect=engine.dialect)), found.cuts),
        binary=False,
    )
    known = {tuple(row) for row in _labels(comparable)}
    kept = np.array([tuple(row) in known for row in _labels(each)])
    each = each.only(kept)
    return each.x[:, 1:], each.total, each.treated.astype(float)


def _labels(people: People) -> list[list[str]]:
    return [
        [covariate.levels[code] for covariate, code in zip(people.covariates, row, strict=True)]
        for row in people.codes
    ]


def _doubleml(
    x: Array, y: Array, z: Array, comparable: People, score: str, level: float, seed: int
) -> Association:
    from doubleml import (  # type: ignore[import-untyped]  # neither publishes its types
        DoubleMLData,
        DoubleMLIRM,
    )
    from sklearn.ensemble import (  # type: ignore[import-untyped]  # see above
        RandomForestClassifier,
        RandomForestRegressor,
    )

    def forest(kind: Any) -> Any:
        return kind(_TREES, min_samples_leaf=_LEAST_LEAF, max_features="sqrt", random_state=seed, n_jobs=1)

    state = np.random.get_state()
    try:
        np.random.seed(seed)
        model = DoubleMLIRM(
            DoubleMLData.from_arrays(x, y, z),
            forest(RandomForestClassifier if comparable.binary else RandomForestRegressor),
            forest(RandomForestClassifier),
            n_folds=_FOLDS,
            score=score,
        )
        model.fit()
    finally:
        np.random.set_state(state)
    low, high = (float(value) for value in model.confint(level=level).to_numpy()[0])
    difference = float(model.coef[0])
    treated = float(y[z == 1].mean())
    return Association(
        treated=treated,
        control=treated - difference,
        difference=difference,
        sd=float(model.se[0]),
        interval=(low, high),
        ratio=None,
        ratio_interval=None,
        customers=comparable.sizes,
    )
