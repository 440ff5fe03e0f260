"""Draws how runs trained: loss, rate and quality over the steps, what was annealed over the loss.

python scripts/plot_training.py runs/my-run runs/other --output figures/training
"""

from __future__ import annotations

import argparse
import glob
import pathlib
from typing import List, Sequence

from assembly.user_errors import one_line_errors
from evaluation.figures.training import read_log, write_training_curves


def main() -> None:
    """Reads the logs, writes PNG and SVG."""
    parser = argparse.ArgumentParser(description="Draw the training curves of runs.")
    parser.add_argument("runs", nargs="+", help="run directories, or patterns of them")
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path("build/training"), metavar="FILE",
        help="without suffix: .png and .svg are written",
    )  # fmt: skip
    arguments = parser.parse_args()
    with one_line_errors():
        logs = {run.name: read_log(run / "training.csv") for run in found_runs(arguments.runs)}
        png, svg = write_training_curves(arguments.output, logs)
        print(f"wrote {png} and {svg}")


def found_runs(words: Sequence[str]) -> List[pathlib.Path]:
    """Directories that paths and patterns name, each once.

    Raises:
        ValueError: a word names no directory.
    """
    found = {}
    for word in words:
        paths = [word] if pathlib.Path(word).is_dir() else sorted(glob.glob(word))
        folders = [pathlib.Path(path) for path in paths if pathlib.Path(path).is_dir()]
        if not folders:
            raise ValueError(f"runs={word!r} names no run directory.")
        found.update({folder.resolve(): folder.resolve() for folder in folders})
    return list(found.values())


if __name__ == "__main__":
    main()
