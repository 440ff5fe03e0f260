"""Draws how runs trained: loss, rate and quality over the steps, annealed values over the loss.

python scripts/plot_training.py runs/my-run runs/other --output figures
"""

from __future__ import annotations

import argparse
import pathlib
from typing import List, Sequence

from processor.process import set_process

set_process()  # Before TensorFlow is imported.

from assembly.user_errors import one_line_errors
from commands.file_names import folder
from evaluation.figures.training import read_log, write_training_curves
from training.run_names import find_runs


def main() -> None:
    """Reads the logs, writes PNG and SVG."""
    parser = argparse.ArgumentParser(description="Draw the training curves of runs.")
    parser.add_argument("runs", nargs="+", help="names under runs/, paths, or patterns of them")
    parser.add_argument(
        "--output", type=folder, default=pathlib.Path("build/plots"), metavar="FOLDER"
    )
    arguments = parser.parse_args()
    with one_line_errors():
        runs = list(dict.fromkeys(run.resolve() for run in find_runs(arguments.runs)))
        logs = {name: read_log(run / "training.csv") for name, run in zip(names_of(runs), runs)}
        png, svg = write_training_curves(arguments.output / "training.png", logs)
        print(f"wrote {png} and {svg}")


def names_of(runs: Sequence[pathlib.Path]) -> List[str]:
    """The runs' folders, after as many of the folders above as tell them apart."""
    for length in range(1, max(len(run.parts) for run in runs)):
        names = ["/".join(run.parts[-length:]) for run in runs]
        if len(set(names)) == len(runs):
            return names
    return list(map(str, runs))


if __name__ == "__main__":
    main()
