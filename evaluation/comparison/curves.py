"""Rate-distortion curves: operating points ordered by rate, with what they are averages of."""

from __future__ import annotations

import dataclasses
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from evaluation.comparison.measurements import FileRows, Measurement
from evaluation.metrics import Metric
from evaluation.results import Dataset

_LINE_POSITIONS = 200


class Line(NamedTuple):
    """A drawn curve: log10 of rates, and quality, [positions]; which positions are its points."""

    log_rates: np.ndarray
    quality: np.ndarray
    points: List[int]


@dataclasses.dataclass(frozen=True)
class Curve:
    """A codec at several rates.

    Attributes:
        name: in tables and figures.
        metric: what ``quality`` is in.
        rates: float64 [points], rising, bpp or kbps: means over files and seeds.
        quality: float64 [points], dB (``metric.unit``): of the mean over files and seeds.
        seeds: of each point, sorted; empty for curves without seeds.
        dataset: what was measured; None for published files that do not state it.
        file_rates: of each point float64 [seeds, files], one row for curves without seeds; None
            without per-file rows.
        file_quality: the same of the metric itself, before dB.
        file_names: of the files that the rows are of.
        file_digests: the same files, whatever they are called.
        definition: of the metric, as stated in the results file; None if it is not.
        settings: of each point, as ``lmbda=0.013``; empty if unknown.
        sources: names of the runs or files.
        commits: versions of the project that measured it; with ``+`` if files had been changed.
        left_out: number of points without a finite quality, such as those of an MS-SSIM of 1.
    """

    name: str
    metric: Metric
    rates: np.ndarray
    quality: np.ndarray
    seeds: Tuple[Tuple[int, ...], ...] = ()
    dataset: Optional[Dataset] = None
    file_rates: Optional[Tuple[np.ndarray, ...]] = None
    file_quality: Optional[Tuple[np.ndarray, ...]] = None
    file_names: Tuple[str, ...] = ()
    file_digests: Tuple[str, ...] = ()
    definition: Optional[str] = None
    settings: Tuple[str, ...] = ()
    sources: Tuple[str, ...] = ()
    commits: Tuple[str, ...] = ()
    left_out: int = 0

    @property
    def files(self) -> int:
        """Number of files that per-file rows are of; 0 without such rows."""
        return 0 if self.file_rates is None else self.file_rates[0].shape[1]

    @property
    def line(self) -> Line:
        """The curve as figures draw it: joined by PCHIP over the log rate, as BD-rate joins it.

        Where rates do not rise from point to point, there is no such line, but straight pieces.
        """
        log_rates = np.log10(self.rates)
        if len(log_rates) < 2 or not (np.diff(log_rates) > 0).all():
            return Line(log_rates, self.quality, list(range(len(log_rates))))
        at = np.union1d(np.linspace(log_rates[0], log_rates[-1], _LINE_POSITIONS), log_rates)
        quality = PchipInterpolator(log_rates, self.quality)(at)
        return Line(at, quality, np.searchsorted(at, log_rates).tolist())

    @property
    def seeds_at_all_points(self) -> Tuple[int, ...]:
        """The seeds if all points have the same ones; otherwise empty."""
        return self.seeds[0] if len(set(self.seeds)) == 1 else ()


def curve_of_file(name: str, measurement: Measurement, metric: Metric) -> Curve:
    """The curve in a published file, or of a classical codec.

    Raises:
        ValueError: the file lacks the metric, or no point has a finite value.
    """
    points = []
    qualities = measurement.results.provenance.get("qualities")
    for k, means in enumerate(zip(*means_of(measurement, metric))):
        setting = f"setting {qualities[k]}" if qualities else ""
        rows = [(measurement.source, measurement.rows[k])] if measurement.rows else []
        points.append(_Point(*means, setting, (), rows))
    return _curve(name, metric, [measurement], points)


def curve_of_runs(name: str, runs: Sequence[Measurement], metric: Metric) -> Curve:
    """A point for each lmbda of trained runs: the mean over its seeds.

    Args:
        name: of the curve.
        runs: one operating point each.
        metric: of the quality.

    Raises:
        ValueError: a run lacks the metric, two runs have equal lmbda and seed, or the runs were
            measured on different files.
    """
    check_same_files([(run.source, run.results.dataset) for run in runs])
    check_same_metric(metric, {run.source: run.results.metrics.get(metric.key) for run in runs})
    by_lmbda: Dict[float, Dict[int, Measurement]] = {}
    for run in runs:
        lmbda, seed = run.config["lmbda"], run.config["seed"]
        other = by_lmbda.setdefault(float(lmbda), {}).setdefault(int(seed), run)
        if other is not run:
            raise ValueError(
                f"curve {name!r}: {other.source} and {run.source} are both lmbda={lmbda} "
                f"seed={seed}; a curve has one run of each."
            )
    points = []
    for lmbda, by_seed in by_lmbda.items():
        seeds = tuple(sorted(by_seed))
        members = [by_seed[seed] for seed in seeds]
        means = np.mean([np.concatenate(means_of(run, metric)) for run in members], axis=0)
        rows = [(run.source, run.rows[0]) for run in members if run.rows]
        points.append(_Point(*means, f"lmbda={lmbda:g}", seeds, rows))
    return _curve(name, metric, runs, points)


class _Point(NamedTuple):
    rate: float
    value: float  # of the metric
    setting: str
    seeds: Tuple[int, ...]
    rows: Sequence[Tuple[str, FileRows]]  # of each seed, with the run's name


def _curve(
    name: str, metric: Metric, members: Sequence[Measurement], points: Sequence[_Point]
) -> Curve:
    finite = [point for point in points if np.isfinite(metric.decibels(point.value))]
    if not finite:
        raise ValueError(f"curve {name!r} has no point with a finite {metric.key}.")
    left_out = len(points) - len(finite)
    points = sorted(finite, key=lambda point: point.rate)
    rates, values, settings, seeds, rows = zip(*points)
    file_rates = file_quality = None
    names: Sequence[str] = ()
    digests: Sequence[str] = ()
    every = [each for of_point in rows for each in of_point]
    if all(each.rows for each in members) and all(metric.key in e.values for _, e in every):
        # Silent or short recordings lack some metrics.
        known = ~np.isnan(every[0][1].values[metric.key])
        for source, each in every:
            if (np.isnan(each.values[metric.key]) == known).any():
                raise ValueError(
                    f"curve {name!r}: {every[0][0]} and {source} have {metric.key} of different "
                    "files; a curve is a mean over the same ones."
                )
        file_rates, file_quality = (
            tuple(np.stack([each.values[key][known] for _, each in of_point]) for of_point in rows)
            for key in (metric.medium.rate, metric.key)
        )
        names, digests = (
            np.array(each)[known].tolist() for each in (every[0][1].names, every[0][1].digests)
        )
        if not known.all():  # Rate and quality over the same files.
            rates = [each.mean() for each in file_rates]
            values = [each.mean() for each in file_quality]
    definitions = [each.results.metrics.get(metric.key) for each in members]
    return Curve(
        name,
        metric,
        np.array(rates),
        metric.decibels(np.array(values)),
        seeds=seeds if any(seeds) else (),
        dataset=members[0].results.dataset,
        file_rates=file_rates,
        file_quality=file_quality,
        file_names=tuple(names),
        file_digests=tuple(digests),
        definition=next(filter(None, definitions), None),
        settings=settings if any(settings) else (),
        sources=tuple(each.source for each in members),
        commits=tuple(sorted({each.commit for each in members if each.is_run})),
        left_out=left_out,
    )


def check_same_files(datasets: Sequence[Tuple[str, Optional[Dataset]]]) -> None:
    """Raises a ValueError if results were measured on different files.

    Args:
        datasets: name of the results, and what was measured; None is taken on trust.
    """
    known = [(name, dataset) for name, dataset in datasets if dataset is not None]
    for name, dataset in known[1:]:
        first, reference = known[0]
        if dataset.sha256 != reference.sha256:
            raise ValueError(
                f"{name} was measured on other files than {first}: {dataset.name!r} "
                f"({dataset.files} files, digest {dataset.sha256[:12]}) and {reference.name!r} "
                f"({reference.files} files, digest {reference.sha256[:12]}) cannot be compared."
            )


def check_same_metric(metric: Metric, definitions: Mapping[str, Optional[str]]) -> None:
    """Raises a ValueError if results define a metric differently.

    Args:
        metric: the metric.
        definitions: name of the results -> their definition; None is taken on trust.
    """
    known = [(name, text) for name, text in definitions.items() if text is not None]
    for name, text in known[1:]:
        if text != known[0][1]:
            raise ValueError(
                f"{name} and {known[0][0]} cannot be compared: their {metric.key} is "
                f"{text!r} and {known[0][1]!r}."
            )


def means_of(measurement: Measurement, metric: Metric) -> Tuple[np.ndarray, np.ndarray]:
    """Rates and values of the metric, [points] each.

    Raises:
        ValueError: the results lack the metric, or a rate is not a number above 0.
    """
    points, medium = measurement.results.points, measurement.results.medium
    name = f"{measurement.source} ({measurement.results.name})"
    if medium is not metric.medium:
        raise ValueError(
            f"{name} has results of {medium.files} (rate in {medium.rate}), but {metric.key} is a "
            f"metric of {metric.medium.files}: they cannot be compared."
        )
    if metric.key not in points:
        raise ValueError(
            f"{name} has no {metric.key}, only {', '.join(sorted(points))}: every curve must have "
            "the metric."
        )
    rates, values = np.array(points[medium.rate]), np.array(points[metric.key])
    if not (np.isfinite(rates) & (rates > 0)).all():
        wrong = rates[np.argmin(np.isfinite(rates) & (rates > 0))]
        raise ValueError(f"{name}: {medium.rate} must be a number above 0, got {wrong:g}.")
    return rates, values
