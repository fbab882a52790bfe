"""Exports of named systems: what each column means, declared once a system.

A vendor's mapping is a query over the rows of its export for each standard table they fill. The rest of
the way is that of any file: cells are converted, what is wrong is named by its line, what is there already is
left out. Each module here declares one system; to add one is to add a module.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Collection
from functools import cache
from importlib import import_module

from workbench.tables.vendors.vendor import FILLED, RAW_LINE, Spread, Vendor

__all__ = ["FILLED", "RAW_LINE", "Spread", "Vendor", "known_vendors", "recognise"]


@cache
def known_vendors() -> dict[str, Vendor]:
    """All exports that are known, by name."""
    modules = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Vendor)]
    return {vendor.name: vendor for vendor in sorted(found, key=lambda vendor: vendor.name)}


def recognise(columns: Collection[str]) -> Vendor | None:
    """The export that has these columns; the one that asks for most where several fit."""
    fitting = [vendor for vendor in known_vendors().values() if vendor.fits(columns)]
    return max(fitting, key=lambda vendor: len(vendor.required), default=None)
