"""Rate-distortion curves: operating points ordered by rate, with what they are averages of."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from evaluation.comparison.measurements import Measurement
from evaluation.media import AUDIO, IMAGE, Medium
from evaluation.metrics.image import ms_ssim_db
from evaluation.results import Dataset


class Metric(NamedTuple):
    """A quality metric: higher is better.

    Attributes:
        key: in results files.
        label: in tables and figures.
        decibels: from a mean over files to what is compared, in ``unit``. MS-SSIM crowds below 1,
            where equal steps are nothing equal to the eye: it is compared as
            ``-10 log10(1 - MS-SSIM)``. Of a distance it is the negative.
        medium: whose results have it; also tells the unit of rates.
        unit: of what is compared.
        definition: what a reader must be told of it.
    """

    key: str
    label: str
    decibels: Callable[[Any], np.ndarray]
    medium: Medium = IMAGE
    unit: str = "dB"
    definition: str = ""


METRICS: Dict[str, Metric] = {
    "psnr-rgb": Metric("psnr-rgb", "PSNR", np.asarray),
    "ms-ssim-rgb": Metric(
        "ms-ssim-rgb",
        "MS-SSIM",
        ms_ssim_db,
        definition="MS-SSIM in dB is -10 log10(1 - MS-SSIM).",
    ),
    "si-sdr": Metric("si-sdr", "SI-SDR", np.asarray, AUDIO),
    "log-mel": Metric(
        "log-mel",
        "-log-mel",
        np.negative,
        AUDIO,
        definition="-log-mel is the log-mel distance with its sign changed: higher is closer.",
    ),
    "pesq-nb": Metric("pesq-nb", "PESQ", np.asarray, AUDIO, unit="MOS"),
}
"""Key -> metric; the first one of a medium is what is compared unless another is asked for."""


@dataclasses.dataclass(frozen=True)
class Curve:
    """A codec at several rates.

    Attributes:
        name: as tables and figures show it.
        metric: what ``quality`` is in.
        rates: float64 [points], rising: bits per pixel, of sound kbit/s; mean over images
            (or recordings) and seeds.
        quality: float64 [points], dB (``metric.unit``): of the mean over images and seeds.
        seeds: of each point, sorted; empty for curves that say nothing of seeds.
        dataset: what was measured; None in published files that do not say.
        file_rates: of each point float64 [seeds, images], one row without seeds; None
            where there are no per-file rows.
        file_quality: the same of the metric itself, before dB.
        definition: of the metric, as the results file states it; None where it does not.
        settings: of each point, in words, as ``lmbda=0.013``; empty where unknown.
        sources: the runs or files that it was made of.
        commits: of the project, that measured it; with ``+`` where files had been changed.
    """

    name: str
    metric: Metric
    rates: np.ndarray
    quality: np.ndarray
    seeds: Tuple[Tuple[int, ...], ...] = ()
    dataset: Optional[Dataset] = None
    file_rates: Optional[Tuple[np.ndarray, ...]] = None
    file_quality: Optional[Tuple[np.ndarray, ...]] = None
    definition: Optional[str] = None
    settings: Tuple[str, ...] = ()
    sources: Tuple[str, ...] = ()
    commits: Tuple[str, ...] = ()

    @property
    def seeds_at_all_points(self) -> Tuple[int, ...]:
        """The seeds, where they are the same at all points; else nothing."""
        return self.seeds[0] if len(set(self.seeds)) == 1 else ()


def curve_of_file(name: str, measurement: Measurement, metric: Metric) -> Curve:
    """A file that holds a whole curve: published, or of a classical codec.

    Raises:
        ValueError: the file does not have the metric at all points.
    """
    rates, values = _points(measurement, metric)
    order = np.argsort(rates, kind="stable")
    qualities = measurement.results.provenance.get("qualities")
    rows = [measurement.point_rows[number] for number in order if measurement.point_rows]
    return Curve(
        name,
        metric,
        rates[order],
        metric.decibels(values[order]),
        dataset=measurement.results.dataset,
        file_rates=tuple(row.values[metric.medium.rate][np.newaxis] for row in rows) or None,
        file_quality=tuple(row.values[metric.key][np.newaxis] for row in rows) or None,
        definition=measurement.results.metrics.get(metric.key),
        settings=tuple(f"setting {qualities[number]}" for number in order if qualities),
        sources=(measurement.source,),
    )


def curve_of_runs(name: str, runs: Sequence[Measurement], metric: Metric) -> Curve:
    """A point for each lmbda of trained runs, the mean over its seeds.

    Args:
        name: of the curve.
        runs: one operating point each; ``provenance`` holds config, with lmbda and seed.
        metric: which quality.

    Raises:
        ValueError: a run does not have the metric, two runs have equal lmbda and seed, or the runs
            were measured on different images.
    """
    check_same_images([(run.source, run.results.dataset) for run in runs])
    definitions = {run.source: run.results.metrics.get(metric.key) for run in runs}
    check_same_metric(metric, definitions)
    at: Dict[float, Dict[int, Measurement]] = {}
    for run in runs:
        config = run.results.provenance["config"]
        seeds = at.setdefault(float(config["lmbda"]), {})
        other = seeds.setdefault(int(config["seed"]), run)
        if other is not run:
            raise ValueError(
                f"curve {name!r}: {other.source} and {run.source} are both lmbda="
                f"{config['lmbda']} seed={config['seed']}; a curve has one run of each."
            )
    points = []
    for lmbda, seeds in at.items():
        chosen = [seeds[seed] for seed in sorted(seeds)]
        means = np.mean([np.concatenate(_points(run, metric)) for run in chosen], axis=0)
        points.append((*means, tuple(sorted(seeds)), chosen, f"lmbda={lmbda:g}"))
    points.sort(key=lambda point: point[0])
    rates, values, seeds, chosen, settings = zip(*points)
    file_rates = file_quality = None
    if all(run.rows is not None for run in runs):
        known = _files_with(metric, runs, name)
        file_rates = _stacked(chosen, metric.medium.rate, known)
        file_quality = _stacked(chosen, metric.key, known)
        if not known.all():
            # Rate and quality over the same files.
            rates = [each.mean() for each in file_rates]
            values = [each.mean() for each in file_quality]
    return Curve(
        name,
        metric,
        np.array(rates),
        metric.decibels(np.array(values)),
        seeds=seeds,
        dataset=runs[0].results.dataset,
        file_rates=file_rates,
        file_quality=file_quality,
        definition=next(filter(None, definitions.values()), None),
        settings=settings,
        sources=tuple(run.source for run in runs),
        commits=tuple(sorted({_commit(run) for run in runs})),
    )


def check_same_images(datasets: Sequence[Tuple[str, Optional[Dataset]]]) -> None:
    """Results compare only where they were measured on the same pixels.

    Args:
        datasets: name of the results -> what was measured; None is taken on trust.

    Raises:
        ValueError: two digests differ; names both.
    """
    known = [(name, dataset) for name, dataset in datasets if dataset is not None]
    for name, dataset in known[1:]:
        first, reference = known[0]
        if dataset.sha256 != reference.sha256:
            raise ValueError(
                f"{name} was measured on other images than {first}: {dataset.name!r} "
                f"({dataset.files} files, digest {dataset.sha256[:12]}) and {reference.name!r} "
                f"({reference.files} files, digest {reference.sha256[:12]}) cannot be compared."
            )


def check_same_metric(metric: Metric, definitions: Mapping[str, Optional[str]]) -> None:
    """Results compare only where a metric of one name is one metric.

    Args:
        metric: which.
        definitions: name of the results -> how they define it; None is taken on trust.

    Raises:
        ValueError: two definitions differ; names both.
    """
    known = [(name, text) for name, text in definitions.items() if text is not None]
    for name, text in known[1:]:
        if text != known[0][1]:
            raise ValueError(
                f"{name} and {known[0][0]} cannot be compared: their {metric.key} is "
                f"{text!r} and {known[0][1]!r}."
            )


def _points(measurement: Measurement, metric: Metric) -> Tuple[np.ndarray, np.ndarray]:
    points = measurement.results.points
    medium = measurement.results.medium
    if medium is not metric.medium:
        raise ValueError(
            f"{measurement.source} ({measurement.results.name}) has results of {medium.files} "
            f"(rate in {medium.rate}), but {metric.key} is a metric of {metric.medium.files}: they "
            "cannot be compared."
        )
    if metric.key not in points:
        raise ValueError(
            f"{measurement.source} ({measurement.results.name}) has no {metric.key}, only "
            f"{', '.join(sorted(points))}: every curve must have the metric."
        )
    rates, values = np.array(points[medium.rate]), np.array(points[metric.key])
    for quantity, numbers in ((medium.rate, rates), (metric.key, values)):
        if not np.isfinite(numbers).all():
            raise ValueError(
                f"{measurement.source} ({measurement.results.name}): {quantity} must be a number "
                f"at every point; it is null at point {np.argmin(np.isfinite(numbers)) + 1}."
            )
    if not (rates > 0).all():
        raise ValueError(
            f"{measurement.source} ({measurement.results.name}): {medium.rate} must be above 0, "
            f"got {rates.min():g}."
        )
    return rates, values


def _files_with(metric: Metric, runs: Sequence[Measurement], name: str) -> np.ndarray:
    """Which files have the metric: bool [files]. Some have none (a silent file, a short one)."""
    known = [~np.isnan(run.rows.values[metric.key]) for run in runs]
    for run, each in zip(runs, known):
        if (each != known[0]).any():
            raise ValueError(
                f"curve {name!r}: {runs[0].source} and {run.source} have {metric.key} of different "
                "files; a curve is a mean over the same ones."
            )
    return known[0]


def _stacked(
    chosen: Sequence[List[Measurement]], key: str, known: np.ndarray
) -> Tuple[np.ndarray, ...]:
    return tuple(np.stack([run.rows.values[key][known] for run in runs]) for runs in chosen)


def _commit(run: Measurement) -> str:
    git = run.results.provenance.get("git") or {}
    return f"{str(git.get('commit', 'unknown'))[:12]}{'+' if git.get('dirty') else ''}"
