"""A CSV file with a row of figures for some of a run's steps, which a resumed run continues."""

from __future__ import annotations

import csv
import pathlib
import sys
from typing import Dict

from signals.files import write_atomically


class LogTable:
    """Appends rows to ``training.csv`` or ``validation.csv``.

    Attributes:
        last_step: of the rows that were there before this run resumed; 0 if there were none.
    """

    def __init__(self, path: pathlib.Path, first_step: int):
        """Keeps the rows up to ``first_step``: those of steps that will be taken again go.

        Rows that a kill has cut go too, and damaged ones, with a warning.
        """
        self._path = path
        self._is_open = False
        text = path.read_bytes().decode("utf-8", "replace") if path.exists() else ""
        # A kill may have left half a row, which no end of line follows.
        header, *rows = text[: text.rfind("\n") + 1].splitlines() or [""]
        whole = [row for row in rows if _is_whole(row)]
        steps = [int(row.split(",", 1)[0]) for row in whole]
        self.last_step = max(steps, default=0)
        kept = [row for row, step in zip(whole, steps) if step <= first_step]
        if len(whole) < len(rows) or (path.exists() and not header):
            _warn(path, f"lost {len(rows) - len(whole)} rows" if header else "starts again")
        self._header, self._rows = header, kept
        if kept:
            self._write()
        else:
            path.unlink(missing_ok=True)

    def append(self, row: Dict[str, float]) -> None:
        """Appends a row; the first one of all writes the columns' names."""
        values = [f"{value:.6g}" if isinstance(value, float) else value for value in row.values()]
        if not self._is_open:
            self._check_header(",".join(row))
            self._is_open = True
        is_new = not self._path.exists()
        with self._path.open("a", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if is_new:
                writer.writerow(row)
            writer.writerow(values)

    def _check_header(self, names: str) -> None:
        """Mends a damaged header. Rows of another length have other columns: an older version's."""
        widths = {row.count(",") for row in self._rows}
        if self._header != names and widths == {names.count(",")}:
            self._header = names
            self._write()
            _warn(self._path, "has its columns' names back")

    def _write(self) -> None:
        write_atomically(
            self._path, "".join(f"{row}\n" for row in (self._header, *self._rows)).encode()
        )


def _is_whole(row: str) -> bool:
    step, *figures = row.split(",")
    return step.isdigit() and step.isascii() and bool(figures) and all(map(_is_number, figures))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _warn(path: pathlib.Path, outcome: str) -> None:
    print(f"warning: {path} was damaged and {outcome}.", file=sys.stderr, flush=True)
