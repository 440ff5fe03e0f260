"""Runs an experiment of ``configs/experiment`` in a folder of its own."""

from __future__ import annotations

import os
import runpy
import sys
from typing import Sequence

from assembly.command_line import quoted
from sweeps.train_process import TRAIN


def run_experiment(name: str, folder: str, overrides: Sequence[str]) -> None:
    """Becomes ``train.py -m experiment=<name>`` with run directories and tables in ``folder``."""
    folder = quoted(os.path.abspath(folder))
    sys.argv = [str(TRAIN), "-m", f"experiment={name}", f"hydra.sweep.dir={folder}", *overrides]
    runpy.run_path(str(TRAIN), run_name="__main__")
