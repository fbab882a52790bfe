"""The plain product of averages in words: what it leaves out, how much that is, and why."""

from __future__ import annotations

from workbench.locale import Texts
from workbench.models.plain_value import Corrections, Plain
from workbench.report.words import Row

STEPS = ("order_value", "frequency", "lifespan", "differ", "discount")


def step_name(step: str, t: Texts) -> str:
    """What is put right in a step."""
    return {
        "order_value": t("Order value"),
        "frequency": t("Frequency"),
        "lifespan": t("Lifespan"),
        "differ": t("Customers differ"),
        "discount": t("Discount"),
    }[step]


def step_rows(used: Plain, found: Corrections, discount_per_year: float, t: Texts) -> list[Row]:
    """Each step: what the plain product takes, what the model does, what that changes and why."""
    model = found.model
    said = {
        "order_value": (
            t.money(used.order_value),
            t.money(model.order_value),
            t("The average of all orders counts those who buy often more often than others."),
        ),
        "frequency": (
            t("{n:number} a year", n=used.purchases_per_year),
            t("{n:number} a year", n=model.purchases_per_year),
            t("Purchases divided by all weeks watched count the weeks after people have left, too."),
        ),
        "lifespan": (
            t("{n:number} years", n=used.years),
            t("{n:number} years", n=model.years),
            t(
                "A lifespan is not known while it lasts: {share:percent} of the customers are probably "
                "customers still.",
                share=found.still_customers,
            ),
        ),
        "differ": (
            t("all alike"),
            t("each their own"),
            t("A product of averages is not the average of products: people differ in both at once."),
        ),
        "discount": (
            t("none"),
            t("{share:whole_percent} a year", share=discount_per_year),
            t("What comes later is worth less."),
        ),
    }
    return [
        {
            t("Step"): step_name(step, t),
            t("Plain formula"): said[step][0],
            t("Model"): said[step][1],
            t("Changes the value by"): t.signed_percent(found.factors[step] - 1),
            t("Why"): said[step][2],
        }
        for step in STEPS
    ]
