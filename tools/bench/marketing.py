"""PyMC-Marketing's BG/NBD on a file of customers; run by the Python of an environment of its own.

    python marketing.py CUSTOMERS.csv [chains tune draws]

It needs an older PyMC than the workbench has. Prints a line of JSON: wall and CPU seconds of sampling alone,
the least effective sample size, bulk or tail, over r, alpha, a and b, and their posterior means.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

NAMES = ["r", "alpha", "a", "b"]


def main() -> None:
    """Fit the model to the file that is named, and print what it took."""
    # in its own environment only
    import arviz  # type: ignore[import-untyped]  # has no stubs
    import nutpie
    import pandas as pd
    from pymc_marketing.clv import BetaGeoModel  # type: ignore[import-not-found]

    sample, spent = nutpie.sample, {"wall": 0.0, "cpu": 0.0}

    def timed(*given: Any, **named: Any) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        found = sample(*given, **named)
        spent.update(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)
        return found

    nutpie.sample = timed  # so that compilation is not counted
    chains, tune, draws = map(int, sys.argv[2:5])
    customers = pd.read_csv(sys.argv[1])
    tree = BetaGeoModel().fit(
        customers,
        method="mcmc",
        random_seed=1,
        progressbar=False,
        chains=chains,
        tune=tune,
        draws=draws,
    )
    summary = arviz.summary(tree, var_names=NAMES, round_to="none")
    print(
        json.dumps(
            {
                **spent,
                "ess": float(summary[["ess_bulk", "ess_tail"]].min().min()),
                "means": {name: float(tree.posterior[name].mean()) for name in NAMES},
            }
        )
    )


if __name__ == "__main__":
    main()
