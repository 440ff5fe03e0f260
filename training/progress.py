"""What a run says while it trains: a line in the terminal, a row in training.csv."""

from __future__ import annotations

import pathlib
import sys
import time
from typing import Dict, List

from training.log_columns import LogColumns
from training.log_table import LogTable
from training.step import StepResult


class Progress:
    """Averages the steps since the last line; prints one line and appends one CSV row."""

    def __init__(
        self,
        path: pathlib.Path,
        steps: int,
        first_step: int,
        batch_size: int,
        columns: LogColumns,
    ):
        """Continues ``path`` at ``first_step``: rows of steps that will be taken again go."""
        self._columns = columns
        self._steps = steps
        self._batch_size = batch_size
        self._first_step = first_step
        self._results: List[StepResult] = []
        self._started = self._since = time.monotonic()
        self._waited = 0.0
        self._table = LogTable(path, first_step)
        if not first_step and self._table.last_step:
            print(
                f"warning: {path} goes to step {self._table.last_step}, but there is no "
                "checkpoint: training starts from step 0.",
                file=sys.stderr,
                flush=True,
            )

    def add(self, result: StepResult, waited: float) -> None:
        """Notes one step and the seconds that it waited for data."""
        self._results.append(result)
        self._waited += waited

    def report(self, step: int, extras: Dict[str, float]) -> Dict[str, float]:
        """Prints and writes the averages up to ``step``; returns them."""
        now = time.monotonic()
        elapsed = now - self._since
        row = {
            name: sum(float(getattr(r, name)) for r in self._results) / len(self._results)
            for name in ("loss", "bpp", "distortion", "mse", "penalty")
        }
        row.update(self._columns.quality(row))
        examples = f"{self._columns.example}s"
        speed = len(self._results) * self._batch_size / elapsed
        row[f"{examples}_per_second"] = speed
        row["data_wait_share"] = self._waited / elapsed
        row.update(extras)
        remaining = (now - self._started) / (step - self._first_step) * (self._steps - step)
        shown = "  ".join(f"{name} {value:.3g}" for name, value in extras.items())
        print(
            f"step {step:>{len(str(self._steps))}}/{self._steps}  loss {row['loss']:.4f}  "
            f"{self._columns.text(row)}  {shown}  {speed:.0f} {examples}/s  "
            f"ETA {clock(remaining)}",
            flush=True,
        )
        self._table.append({"step": step, **row})
        self._results, self._waited, self._since = [], 0.0, now
        return row


def clock(seconds: float) -> str:
    """``3:07`` or ``1:03:07``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
