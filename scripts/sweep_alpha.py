"""Trains soft_round under nine schedules of alpha and ranks them: experiment=sweep_alpha.

python scripts/sweep_alpha.py runs/alpha steps=3000 data=image_folder data.root=/photos \
    data.test_root=/kodak

Arguments after the folder are overrides of train.py for all runs. All runs share seed, patches and
initial weights. Re-running the command resumes.
"""

from __future__ import annotations

import argparse

from processor.process import set_process

set_process()  # Before the imports that take long.

from sweeps.experiment import run_experiment


def main() -> None:
    """Runs the experiment."""
    parser = argparse.ArgumentParser(description="Rank schedules of soft_round's alpha.")
    parser.add_argument("folder", help="receives run directories, logs and ranking.txt")
    parser.add_argument("overrides", nargs="*", help="overrides of train.py, such as lmbda=0.013")
    arguments = parser.parse_args()
    run_experiment("sweep_alpha", arguments.folder, arguments.overrides)


if __name__ == "__main__":
    main()
