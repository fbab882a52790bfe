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


def in_both(exposures: Any, experiments: tuple[str, str], before: tuple[str, str], between: str) -> Any:
    """One row a customer of both experiments, from the later of the two first exposures on.

    Args:
        exposures: Of all experiments.
        experiments: Their names.
        before: What stands before the arms of either in `arm`, which is null for those seen in several.
        between: What stands between the two.
    """
    one, other = (assigned(exposures, name) for name in experiments)
    other = other.rename(then="first", then_as_of="as_of", second="arm")
    both = one.inner_join(other, "customer_id")
    named = ibis.literal(before[0]) + both.arm + ibis.literal(between + before[1]) + both.second
    known = both.arm.notnull() & both.second.notnull()
    return both.select(
        "customer_id",
        first=ibis.greatest(both["first"], both.then),
        as_of=ibis.greatest(both.as_of, both.then_as_of),
        arm=ibis.ifelse(known, named, ibis.null("string")),
    )


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
