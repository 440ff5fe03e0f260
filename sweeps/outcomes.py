"""What a finished run achieved on its test files, and a table of many runs."""

from __future__ import annotations

import csv
import json
import math
import pathlib
import statistics
from typing import Any, Dict, Mapping, NamedTuple, Optional

from evaluation.media import IMAGE, Medium, medium_of

REFERENCE = "uniform_noise"
"""The run that the speeds in a table are relative to, if one has that name."""


class Outcome(NamedTuple):
    """Means over the test files of one run.

    Attributes:
        medium: image or audio.
        points: quantities under their keys in results files; None if not finite or not measured.
        loss: ``bpp + lmbda * mse`` of decoded images, for ``distortion=mse``. None for audio, whose
            results do not contain the distortion that the run was trained on.
        examples_per_second: median speed while training.
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


def read_outcome(run: pathlib.Path) -> Outcome:
    """The outcome on the run's own test split, with all stages and without refinement.

    Raises:
        FileNotFoundError: the run has no such results.
    """
    for path in sorted((run / "results").glob("*.json")):
        document = json.loads(path.read_text())
        provenance = document["provenance"]
        whole = all(provenance.get(key) is None for key in ("stages", "refinement"))
        if provenance["split"] == "test" and whole:
            break
    else:
        raise FileNotFoundError(f"{run} has no results on its test split.")
    points = {key: values[0] for key, values in document["results"].items()}
    medium = medium_of(points)
    loss = _loss(document, path.with_suffix(".csv")) if medium is IMAGE else None
    return Outcome(medium, points, loss, _training_speed(run / "training.csv"))


def _loss(document: Dict[str, Any], table: pathlib.Path) -> float:
    with table.open() as file:
        mse = [255**2 / 10 ** (float(row["psnr"]) / 10) for row in csv.DictReader(file)]
    lmbda = document["provenance"]["config"]["lmbda"]
    return document["results"]["bpp"][0] + lmbda * statistics.fmean(mse)


def _training_speed(path: pathlib.Path) -> float:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    column = next(name for name in rows[0] if name.endswith("s_per_second"))
    speeds = [float(row[column]) for row in rows]
    return statistics.median(speeds[1:] or speeds)  # Graphs are built during the first line.
