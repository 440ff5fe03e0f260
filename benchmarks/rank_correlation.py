"""Spearman's rank correlation of the losses that comparisons have in common.

python benchmarks/rank_correlation.py build/short/comparison.csv build/long/comparison.csv

Each file is that of a comparison by loss (scripts/compare.py --output FOLDER). For each pair of
files: the number of curves in both, and the correlation of their mean differences from the anchor.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import pathlib
from typing import Dict

from scipy.stats import spearmanr


def main() -> None:
    """Prints a line for each pair of files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="comparison.csv")
    arguments = parser.parse_args()
    if len(arguments.files) < 2:
        parser.error("files: give at least two.")
    try:
        tables = {path: differences(path) for path in arguments.files}
    except (OSError, ValueError) as error:
        parser.error(str(error))
    for first, second in itertools.combinations(arguments.files, 2):
        common = sorted(tables[first].keys() & tables[second].keys())
        if len(common) < 3:
            parser.error(f"{first} and {second} have {len(common)} curves in common, not 3.")
        found = spearmanr(*([tables[path][name] for name in common] for path in (first, second)))
        print(f"{first} and {second}: {found.statistic:.2f} of {len(common)} curves")


def differences(path: pathlib.Path) -> Dict[str, float]:
    """Curve -> difference from the anchor, percent; that of the anchor is 0."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"name", "loss_percent"} <= rows[0].keys():
        raise ValueError(f"{path} is not the comparison.csv of a comparison by loss.")
    return {row["name"]: float(row["loss_percent"] or 0) for row in rows}


if __name__ == "__main__":
    main()
