"""Trains one model with every quantizer and prints one table: experiment=quantizer_table.

python scripts/quantizer_table.py runs/table steps=3000 data=image_folder data.root=/photos \
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
    parser = argparse.ArgumentParser(description="Compare every quantizer in one table.")
    parser.add_argument("folder", help="receives run directories, logs and table.txt")
    parser.add_argument("--only", metavar="NAME,NAME", help="train these quantizers only")
    parser.add_argument("overrides", nargs="*", help="overrides of train.py, such as lmbda=0.013")
    arguments = parser.parse_intermixed_args()
    only = [f"quantizer={arguments.only}"] if arguments.only else []
    run_experiment("quantizer_table", arguments.folder, [*only, *arguments.overrides])


if __name__ == "__main__":
    main()
