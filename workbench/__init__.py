"""Personalization Workbench: from raw exports to an honest, published answer.

import workbench as wb

shop = wb.Project.create("shop", currency="EUR", timezone="Europe/Madrid", language="es")
shop.load("orders.csv")
effect = shop.effect("personalised-home", metric="conversion", by="country")
print(shop.texts()(effect.verdict))
"""

from __future__ import annotations

from workbench.errors import WorkbenchError as WorkbenchError
from workbench.project import Project as Project

__version__ = "0.1.0"
__all__ = ["Project", "WorkbenchError", "__version__"]
