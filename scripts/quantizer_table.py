"""Trains one model through every quantizer and prints one table.

python scripts/quantizer_table.py runs/table steps=3000 data=image_folder data.root=/photos \
    data.test_root=/kodak

Words after the folder are overrides of train.py, for all runs. Seed, patches and initial weights
are the same for all. The same command goes on where it was interrupted. Two cores take about two
minutes a quantizer at 3000 steps.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from typing import Dict

from assembly.choices import CONFIGS
from assembly.user_errors import one_line_errors
from signals.files import write_atomically
from sweeps.jobs import Outcome, best_first, labels, run_jobs

REFERENCE = "uniform_noise"
"""The quantizer that speeds are relative to; it is trained first."""


def main() -> None:
    """Runs all, prints and writes the table."""
    parser = argparse.ArgumentParser(description="Compare every quantizer in one table.")
    parser.add_argument("folder", type=pathlib.Path, help="run directories, logs and table.txt")
    parser.add_argument("--only", metavar="NAME,NAME", help="these quantizers alone")
    parser.add_argument("overrides", nargs="*", help="overrides of train.py, as lmbda=0.013")
    arguments = parser.parse_intermixed_args()
    with one_line_errors():
        names = sorted(path.stem for path in (CONFIGS / "quantizer").glob("*.yaml"))
        chosen = arguments.only.split(",") if arguments.only else names
        unknown = [name for name in chosen if name not in names]
        if unknown:
            raise ValueError(f"--only {unknown[0]!r} must be one of {', '.join(names)}.")
        chosen.sort(key=lambda name: name != REFERENCE)
        jobs = {name: [f"quantizer={name}"] for name in chosen}
        outcomes = run_jobs(jobs, arguments.folder, arguments.overrides)
        text = table(outcomes)
        write_atomically(arguments.folder / "table.txt", (text + "\n").encode())
        print(f"\n{text}")
        sys.exit(len(outcomes) < len(jobs))


def table(outcomes: Dict[str, Outcome]) -> str:
    """The outcomes as a Markdown table, lowest loss first; of sound, highest SI-SDR."""
    speed = outcomes[REFERENCE].examples_per_second if REFERENCE in outcomes else None
    rate, quality = labels(outcomes)
    lines = [
        f"| quantizer | loss | {rate} coded | rounded | training value | fixed length "
        f"| {quality} | training value | steps/s, relative |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, o in best_first(outcomes):
        loss = "" if o.loss is None else f"{o.loss:.3f}"
        fixed = "" if o.rate_fixed_length is None else f"{o.rate_fixed_length:.3f}"
        relative = f"{o.examples_per_second / speed:.2f}" if speed else ""
        lines.append(
            f"| `{name}` | {loss} | {o.rate:.3f} | {o.rate_rounded:.3f} | {o.rate_training:.3f} "
            f"| {fixed} | {o.quality:.2f} | {o.quality_training:.2f} | {relative} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
