"""The lines that tell how far a sweep has come."""

from __future__ import annotations

import time

from training.progress import clock


def progress(number: int, total: int, started: float, name: str, text: str) -> str:
    """A line for the job that ended as the ``number``-th, with elapsed and remaining time."""
    elapsed = time.monotonic() - started
    remaining = elapsed / number * (total - number)
    return f"[{number}/{total}] {name}: {text} ({clock(elapsed)}, ETA {clock(remaining)})"
