"""Measures time and memory: cases in turn, and the peak of a process."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

# Started by a small process, because a child inherits the peak of its parent.
PEAK_OF_CHILD = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def in_turn(cases: dict[str, Callable], rounds: int) -> dict[str, float]:
    """Median seconds of each case. The cases take turns, after two rounds that are not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(rounds + 2):
        for name, case in cases.items():
            started = time.perf_counter()
            case()
            if turn >= 2:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def peak_memory(command: Sequence[str], folder: str | None = None) -> tuple[float, float, str]:
    """Peak resident memory in GiB, seconds and output of a command.

    Raises:
        SystemExit: the command failed.
    """
    started = time.perf_counter()
    measured = [sys.executable, "-c", PEAK_OF_CHILD, *command]
    result = subprocess.run(measured, cwd=folder, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stderr}")
    *output, peak = result.stdout.splitlines()
    return int(peak) / 2**20, time.perf_counter() - started, "\n".join(output)  # Linux: in KiB.
