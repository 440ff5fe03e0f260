"""What a finished run achieved on its test files, and a table of many runs."""

from __future__ import annotations

import csv
import math
import pathlib
import statistics
from typing import Dict, Mapping, NamedTuple, Optional, Tuple

from evaluation.media import IMAGE, Medium
from evaluation.results import Results, read_results
from training.checkpoints import model_digest
from training.run_directory import RunDirectory

REFERENCE = "uniform_noise"
"""The run that the speeds in a table are relative to, if one has that name."""


class Outcome(NamedTuple):
    """Means over the test files of one run.

    Attributes:
        medium: image or audio.
        points: quantities under their keys in results files; None if not finite or not measured.
        loss: bits per pixel or sample, plus lmbda times the run's own distortion, of decoded files;
            None for older results that do not tell it.
        examples_per_second: median speed while training; NaN if the log is damaged.
    """

    medium: Medium
    points: Dict[str, Optional[float]]
    loss: Optional[float]
    examples_per_second: float

    @property
    def quality(self) -> float:
        """PSNR or SI-SDR of decoded files in dB."""
        value = self.points[self.medium.metrics[0].key]
        return math.nan if value is None else value  # JSON has no infinity.

    @property
    def order(self) -> float:
        """Sorts the best run first: by loss, or by quality where there is no loss."""
        return -self.quality if self.loss is None else self.loss

    def summary(self) -> str:
        """Rate, quality and loss in one line."""
        rate = f"{self.points[self.medium.rate]:.4f} {self.medium.rate}"
        label = "" if self.medium is IMAGE else f"{self.medium.metrics[0].name} "
        loss = "" if self.loss is None else f", loss {self.loss:.4f}"
        return f"{rate}, {label}{self.quality:.2f} dB{loss}"


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Runs of one medium as a Markdown table, best first, with speeds relative to ``REFERENCE``."""
    reference = outcomes.get(REFERENCE)
    medium = next(iter(outcomes.values())).medium
    rate, quality, label = medium.rate, medium.metrics[0].key, medium.metrics[0].name
    rates = [rate, f"{rate}-rounded", f"{rate}-training", f"{rate}-fixed-length"]
    lines = [
        f"| run | loss | {rate} coded | rounded | training value | fixed length "
        f"| {label} (dB) | training value | steps/s, relative |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, run in sorted(outcomes.items(), key=lambda item: item[1].order):
        speed = reference and run.examples_per_second / reference.examples_per_second
        cells = [
            _cell(run.loss, 3),
            *(_cell(run.points[key], 3) for key in rates),
            *(_cell(run.points[key], 2) for key in (quality, f"{quality}-training")),
            _cell(speed, 2),
        ]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: Optional[float], digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def read_outcome(run: pathlib.Path, name: Optional[str] = None) -> Outcome:
    """The outcome of the run's last weights on its own test split, as train.py measures them.

    Of several such results, those count that train.py wrote: on ``test_images`` files at most.

    Args:
        run: run directory.
        name: of the results that train.py writes; None: not known, and results on the test split
            of any data count.

    Raises:
        FileNotFoundError: the run has no such results, or only unreadable ones.
        ValueError: the table of its files is damaged.
    """
    model = RunDirectory(run).model
    digest = model_digest(model) if model.is_dir() else None
    found: Dict[bool, Tuple[pathlib.Path, Results]] = {}
    for path in sorted((run / "results").glob("*.json")):
        try:
            results = read_results(path)
        except (OSError, ValueError):
            continue
        provenance = results.provenance
        usual = all(provenance.get(key) is None for key in ("stages", "refinement", "quality"))
        # Older results do not tell the weights.
        usual = usual and provenance.get("checkpoint") in (None, digest)
        if provenance.get("split") == "test" and usual and name in (None, path.stem):
            most = provenance.get("config", {}).get("test_images")
            found.setdefault(provenance.get("limit") == most, (path, results))
    if not found:
        raise FileNotFoundError(f"{run} has no readable results on its test split.")
    path, results = found[max(found)]
    points = {key: _finite(values[0]) for key, values in results.points.items()}
    loss = _loss(results, path.with_suffix(".csv"))
    return Outcome(results.medium, points, loss, _training_speed(run / "training.csv"))


def _finite(value: float) -> Optional[float]:
    return value if math.isfinite(value) else None


def _loss(results: Results, table: pathlib.Path) -> Optional[float]:
    """The mean loss over the test files, with the run's own distortion."""
    objective = results.provenance.get("objective")
    if objective is not None:
        loss = objective.get("loss")
        return math.inf if loss is None else float(loss)  # JSON has no infinity.
    # Results from before the objective was measured have it for mean squared errors.
    config = results.provenance.get("config", {})
    target = (config.get("distortion") or {}).get("_target_", "MeanSquaredError")
    if results.medium is not IMAGE or not str(target).endswith("MeanSquaredError"):
        return None
    try:
        with table.open() as file:
            mse = [255**2 / 10 ** (float(row["psnr"]) / 10) for row in csv.DictReader(file)]
        return results.points["bpp"][0] + config["lmbda"] * statistics.fmean(mse)
    except (csv.Error, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{table} is not a table of measured files: {error!r}") from error


def _training_speed(path: pathlib.Path) -> float:
    try:
        with path.open() as file:
            rows = list(csv.DictReader(file))
        column = next(name for name in rows[0] if name.endswith("s_per_second"))
        speeds = [float(row[column]) for row in rows]
    except (OSError, LookupError, StopIteration, TypeError, ValueError, csv.Error):
        return math.nan  # A damaged log takes nothing from the results.
    return statistics.median(speeds[1:] or speeds)  # Graphs are built during the first line.
