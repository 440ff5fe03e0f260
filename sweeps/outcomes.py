"""What a finished run achieved on its test files, and a table of many runs."""

from __future__ import annotations

import csv
import json
import math
import pathlib
import statistics
from typing import Any, Dict, Mapping, NamedTuple, Optional

from evaluation.media import AUDIO, IMAGE, Medium

QUALITY = {"image": ("psnr-rgb", "PSNR"), "audio": ("si-sdr", "SI-SDR")}
"""Key in results files, and label, of the quality that ranks runs."""

REFERENCE = "uniform_noise"
"""The run that the speeds in a table are relative to, if there is one of that name."""


class Outcome(NamedTuple):
    """Means over the test files of one run.

    Attributes:
        medium: image or audio.
        rate: coded, in bpp or kbps.
        quality: PSNR or SI-SDR of decoded files, dB.
        loss: ``bpp + lmbda * mse`` of decoded images, for ``distortion=mse``. None for audio, whose
            results do not contain the distortion that the run was trained on.
        rate_training: estimated on the rate value of training.
        rate_rounded: estimated on the symbols.
        rate_fixed_length: with a fixed-length code, or None.
        quality_training: of the decoder value of training, dB.
        examples_per_second: median speed while training.
    """

    medium: Medium
    rate: float
    quality: float
    loss: Optional[float]
    rate_training: float
    rate_rounded: float
    rate_fixed_length: Optional[float]
    quality_training: float
    examples_per_second: float

    @property
    def order(self) -> float:
        """Sorts the best run first: by loss, or by quality where there is no loss."""
        return -self.quality if self.loss is None else self.loss

    def summary(self) -> str:
        """Rate, quality and loss in one line."""
        label = "" if self.medium is IMAGE else f"{QUALITY[self.medium.name][1]} "
        loss = "" if self.loss is None else f", loss {self.loss:.4f}"
        return f"{self.rate:.4f} {self.medium.rate}, {label}{self.quality:.2f} dB{loss}"


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Runs of one medium as a Markdown table, best first, with speeds relative to ``REFERENCE``."""
    reference = outcomes.get(REFERENCE)
    medium = next(iter(outcomes.values())).medium
    rate, quality = medium.rate, QUALITY[medium.name][1]
    lines = [
        f"| run | loss | {rate} coded | rounded | training value | fixed length "
        f"| {quality} (dB) | training value | steps/s, relative |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, run in sorted(outcomes.items(), key=lambda item: item[1].order):
        loss = "" if run.loss is None else f"{run.loss:.3f}"
        fixed = "" if run.rate_fixed_length is None else f"{run.rate_fixed_length:.3f}"
        speed = run.examples_per_second / reference.examples_per_second if reference else None
        lines.append(
            f"| `{name}` | {loss} | {run.rate:.3f} | {run.rate_rounded:.3f} "
            f"| {run.rate_training:.3f} | {fixed} | {run.quality:.2f} "
            f"| {run.quality_training:.2f} | {'' if speed is None else f'{speed:.2f}'} |"
        )
    return "\n".join(lines)


def read_outcome(run: pathlib.Path) -> Outcome:
    """The outcome on the run's own test split, with all stages and without refinement.

    Raises:
        FileNotFoundError: the run has no such results.
    """
    for path in sorted((run / "results").glob("*.json")):
        document = json.loads(path.read_text())
        made = document["provenance"]
        if made["split"] == "test" and made.get("stages") is made.get("refinement") is None:
            break
    else:
        raise FileNotFoundError(f"{run} has no results on its test split.")
    point = {key: values[0] for key, values in document["results"].items()}
    medium = AUDIO if AUDIO.rate in point else IMAGE
    rate, (quality, _) = medium.rate, QUALITY[medium.name]
    return Outcome(
        medium=medium,
        rate=point[rate],
        quality=_number(point[quality]),
        loss=_loss(document, path.with_suffix(".csv")) if medium is IMAGE else None,
        rate_training=point[f"{rate}-training"],
        rate_rounded=point[f"{rate}-rounded"],
        rate_fixed_length=point[f"{rate}-fixed-length"],
        quality_training=_number(point[f"{quality}-training"]),
        examples_per_second=_training_speed(run / "training.csv"),
    )


def _loss(document: Dict[str, Any], table: pathlib.Path) -> float:
    with table.open() as file:
        mse = [255**2 / 10 ** (float(row["psnr"]) / 10) for row in csv.DictReader(file)]
    lmbda = document["provenance"]["config"]["lmbda"]
    return document["results"]["bpp"][0] + lmbda * statistics.fmean(mse)


def _number(value: Optional[float]) -> float:
    return math.nan if value is None else value  # JSON has no infinity.


def _training_speed(path: pathlib.Path) -> float:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    column = next(name for name in rows[0] if name.endswith("s_per_second"))
    speeds = [float(row[column]) for row in rows]
    return statistics.median(speeds[1:] or speeds)  # Graphs are built during the first line.
