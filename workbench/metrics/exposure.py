"""Who was put into which arm, and when: the people every metric is counted over.

A customer counts in the arm they were first seen in; somebody seen in two arms counts in neither, and is
counted apart. People are rows of `customer_id`, `arm`, `first` (the first exposure) and `as_of` (the same in
seconds since 1970), both null where a file did not say when.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis

from workbench.engines import whole_seconds


def together(exposures: Any, arms: Mapping[str, str]) -> Any:
    """Exposures in which some arms are one: arm → the arm that it is counted in.

    Whoever saw two arms that are one was in one.
    """
    if not arms:
        return exposures
    return exposures.mutate(variant=exposures.variant.cases(*arms.items(), else_=exposures.variant))


def assigned(exposures: Any, experiment: str) -> Any:
    """One row a customer of the experiment; `arm` is null for those who were seen in several."""
    rows = exposures.filter(exposures.experience_id == experiment)
    people = rows.group_by("customer_id").aggregate(
        arm=rows.variant.min(),
        other=rows.variant.max(),
        first=rows.ts.min(),
        as_of=whole_seconds(rows.ts.min()),
    )
    one = ibis.ifelse(people.arm == people.other, people.arm, ibis.null("string"))
    return people.select("customer_id", "first", "as_of", arm=one)


def in_one_arm(people: Any) -> Any:
    """Without those who were seen in more than one arm."""
    return people.filter(people.arm.notnull())


def with_propensity(people: Any, exposures: Any, experiment: str) -> Any:
    """With `propensity`: the probability with which they got their arm, at the first exposure."""
    rows = exposures.filter(exposures.experience_id == experiment)
    joined = people.select("customer_id", "first").inner_join(rows, "customer_id")
    joined = joined.filter(joined.ts.isnull() | (joined.ts == joined["first"]))
    found = joined.group_by("customer_id").aggregate(propensity=joined.p_assign.min())
    return people.left_join(found, "customer_id").drop("customer_id_right")
