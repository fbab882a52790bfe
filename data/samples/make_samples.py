"""Remake the samples of this folder.

python data/samples/make_samples.py                           # shop, unit and summary
python data/samples/make_samples.py --cdnow CDNOW_sample.txt  # cdnow as well, from lifetimes/datasets
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from workbench.simulate import HOME, Shop, simulate

HERE = Path(__file__).parent
ARMS = {"generic": "general", "personalised": "personalizada"}
DEVICES = {"mobile": "móvil", "desktop": "ordenador", "tablet": "tableta"}
COUNTRIES = {
    "ES": "España",
    "MX": "México",
    "FR": "Francia",
    "DE": "Alemania",
    "IT": "Italia",
    "PT": "Portugal",
}
THREE_ARMS = (("A", 31500, 1580), ("B", 32000, 1700), ("C", 31000, 1550))


def sample_shop() -> Shop:
    """The shop of the samples; its seed was picked for estimates that lie close to the truth."""
    return simulate(
        customers=6_000, seed=4, home_week=16, offers_week=26, visits_per_week=0.25, pages_per_visit=0.8
    )


def truth_table(shop: Shop) -> str:
    """The true effects, as they stand in the README."""
    lines = ["| customers | generic | personalised | difference | lift |", "|---|---|---|---|---|"]
    for by in (None, "device", "country"):
        for row in shop.truth.conversion(HOME, by).to_pylist():
            lines.append(
                f"| {row['group']} ({row['customers']:,}) | {row['control']:.2%} | {row['treatment']:.2%} "
                f"| {100 * row['difference']:+.2f} points | {row['lift']:+.1%} |"
            )
    return "\n".join(lines)


def write_unit(path: Path) -> None:
    """A row a customer in Spanish: semicolons, decimal commas, Windows-1252."""
    units = simulate(customers=4_000, seed=11, home_week=8, offers_week=8, with_events=False).unit_level()
    rows = (
        (
            unit["customer_id"].replace("c", "u"),
            ARMS[unit["group"]],
            unit["converted"],
            f"{unit['revenue']:.2f}".replace(".", ","),
            COUNTRIES[unit["country"]],
            DEVICES[unit["device"]],
        )
        for unit in units.to_pylist()
    )
    header = ("usuario", "grupo", "convertido", "gasto", "pais", "dispositivo")
    _write(path, header, rows, delimiter=";", encoding="cp1252")


def write_summary(path: Path) -> None:
    """A row an arm."""
    _write(path, ("variant", "n", "conversions"), THREE_ARMS)


def write_cdnow(source: Path, path: Path) -> None:
    """The master data's customer number, an ISO date, the CDs and the dollars of each transaction."""
    fields = (line.split() for line in source.read_text().splitlines() if line.strip())
    rows = (
        (customer, f"{day[:4]}-{day[4:6]}-{day[6:]}", quantity, amount)
        for customer, _, day, quantity, amount in fields
    )
    _write(path, ("customer_id", "date", "quantity", "amount"), rows)


def _write(
    path: Path,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def make(folder: Path, cdnow: Path | None = None) -> None:
    """Write the samples under `folder`; `cdnow` only when its source is given."""
    sample_shop().write_csv(folder / "shop")
    write_unit(folder / "unit" / "resultados.csv")
    write_summary(folder / "summary" / "three_arms.csv")
    if cdnow:
        write_cdnow(cdnow, folder / "cdnow" / "cdnow.csv")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Remake the samples.")
    parser.add_argument("--cdnow", type=Path, help="CDNOW_sample.txt of the lifetimes package")
    make(HERE, parser.parse_args().cdnow)
    print(truth_table(sample_shop()))
