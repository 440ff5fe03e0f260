"""Trains one model through soft_round under different schedules of alpha and ranks them.

python scripts/sweep_alpha.py runs/alpha steps=3000 data=image_folder data.root=/photos \
    data.test_root=/kodak

Words after the folder are overrides of train.py, for all runs. Seed, patches and initial weights
are the same for all. The same command goes on where it was interrupted. Two cores take about two
minutes a schedule at 3000 steps.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from typing import Dict, List

from assembly.user_errors import one_line_errors
from signals.files import write_atomically
from sweeps.jobs import Outcome, best_first, labels, run_jobs

ALPHA = "quantizer.decoder.alpha"


def schedules() -> Dict[str, List[str]]:
    """Name -> overrides: constants, ways from 1 to 16, and the share of steps that they take."""
    jobs = {f"constant-{alpha}": [f"{ALPHA}={alpha}"] for alpha in (3, 7, 15)}
    for kind in ("Linear", "Exponential"):
        for percent in (50, 75, 100):
            jobs[f"{kind.lower()}-1-16-by-{percent}%"] = [
                f"{ALPHA}._target_=quantizers.schedules.{kind}",
                f"{ALPHA}.start=1",
                f"{ALPHA}.end=16",
                # In quotes: Hydra's grammar knows no interpolation within another.
                f'{ALPHA}.end_step="${{share_of:{percent / 100},${{steps}}}}"',
            ]
    return jobs


def main() -> None:
    """Runs all, prints and writes the ranking."""
    parser = argparse.ArgumentParser(description="Rank schedules of soft_round's alpha.")
    parser.add_argument("folder", type=pathlib.Path, help="run directories, logs and ranking.txt")
    parser.add_argument("overrides", nargs="*", help="overrides of train.py, as lmbda=0.013")
    arguments = parser.parse_args()
    with one_line_errors():
        common = ["quantizer=soft_round", *arguments.overrides]
        jobs = schedules()
        outcomes = run_jobs(jobs, arguments.folder, common)
        text = ranking(outcomes)
        write_atomically(arguments.folder / "ranking.txt", (text + "\n").encode())
        print(f"\n{text}")
        sys.exit(len(outcomes) < len(jobs))


def ranking(outcomes: Dict[str, Outcome]) -> str:
    """The outcomes as a Markdown table, lowest loss first; of sound, highest SI-SDR."""
    rate, quality = labels(outcomes)
    lines = [
        f"| rank | alpha | loss | {rate} coded | training value | {quality} | training value |",
        "|---|---|---|---|---|---|---|",
    ]
    for rank, (name, o) in enumerate(best_first(outcomes), start=1):
        loss = "" if o.loss is None else f"{o.loss:.3f}"
        lines.append(
            f"| {rank} | {name} | {loss} | {o.rate:.3f} | {o.rate_training:.3f} "
            f"| {o.quality:.2f} | {o.quality_training:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
