"""Curves ranked by BD-rate against an anchor, as cells of a table and as JSON."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from evaluation.comparison.bd_rate import (
    METHOD,
    InterpolationError,
    Overlap,
    check_overlap,
    interpolation_error,
    overlap,
    quality_delta,
    rate_delta,
)
from evaluation.comparison.bootstrap import LEVEL
from evaluation.comparison.by_file import ByFile, by_file
from evaluation.comparison.comparable import Unranked
from evaluation.comparison.curves import Curve
from evaluation.comparison.intervals import Interval, paired_interval
from evaluation.comparison.significance import p_text
from evaluation.provenance import provenance

UNCERTAIN = "\N{DAGGER}"
"""Marks a BD-rate that is smaller than its interpolation error."""


class Row(NamedTuple):
    """A curve against the anchor; for the anchor itself all differences are 0.

    Attributes:
        curve: the curve.
        bd_rate: percent, below 0 for fewer bits than the anchor.
        bd_quality: dB, above 0 for better than the anchor; None if rates overlap too little.
        common: the qualities that both curves reach, dB.
        interval: of ``bd_rate``; None without per-file rows, or if too many resamples failed.
        at: difference in rate, percent, at each quality of the grid; NaN outside either curve.
        error: of interpolation; None for the anchor.
        by_file: per-file BD-rates; None without per-file rows, or if too few files have one.
    """

    curve: Curve
    bd_rate: float
    bd_quality: Optional[float]
    common: Overlap
    interval: Optional[Interval]
    at: np.ndarray
    error: Optional[InterpolationError] = None
    by_file: Optional[ByFile] = None

    @property
    def uncertain(self) -> bool:
        """Whether the BD-rate is smaller than its interpolation error."""
        return self.error is not None and abs(self.bd_rate) < self.error.percent

    @property
    def texts(self) -> Tuple[str, ...]:
        """The cells of `columns`; "-" for what there is not."""
        interval = p = quality = error = mean = middle = better = "-"
        if self.interval is not None:
            interval = f"{self.interval.low:+.2f} to {self.interval.high:+.2f}"
            p = p_text(self.interval.p)
        if self.bd_quality is not None:
            quality = f"{self.bd_quality:+.2f}"
        if self.error is not None:
            error = f"{self.error.percent:.2f}"
        if self.by_file is not None:
            mean, middle = f"{self.by_file.mean:+.2f}", f"{self.by_file.interquartile_mean:+.2f}"
            better = f"{self.by_file.better:.0%}"
        rate = f"{self.bd_rate:+.2f}{UNCERTAIN if self.uncertain else ''}"
        return rate, interval, p, quality, error, mean, middle, better


def rank(
    anchor: Curve, curves: Sequence[Curve], grid: np.ndarray, *, resamples: int, seed: int
) -> Tuple[List[Row], List[Unranked]]:
    """Ranks curves by their BD-rate.

    Args:
        anchor: one of the curves; all pass ``check_curve``.
        curves: all curves.
        grid: qualities in dB at which to give differences in rate, [grid].
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        Rows, fewest bits first; and the curves that share too little quality with the anchor.
    """
    rows, unranked = [], []
    for curve in curves:
        try:
            rows.append(compare_with_anchor(anchor, curve, grid, resamples=resamples, seed=seed))
        except ValueError as error:
            unranked.append(Unranked(curve.name, str(error), curve))
    return sorted(rows, key=lambda row: row.bd_rate), unranked


def compare_with_anchor(
    anchor: Curve, curve: Curve, grid: np.ndarray, *, resamples: int, seed: int
) -> Row:
    """Compares a curve, or the anchor itself, with the anchor; arguments as for `rank`.

    Raises:
        ValueError: the curves share too little quality.
    """
    common = overlap(anchor.quality, curve.quality)
    if curve is anchor:
        return Row(curve, 0.0, 0.0, common, None, np.zeros(len(grid)))
    check_overlap(anchor.name, curve.name, common)
    pair = (anchor.rates, anchor.quality, curve.rates, curve.quality)
    delta = rate_delta(*pair, grid)
    interval = of_files = None
    if min(anchor.files, curve.files) > 1:
        interval = paired_interval(anchor, curve, resamples=resamples, seed=seed, grid=grid)
        of_files = by_file(anchor, curve, resamples=resamples, seed=seed)
    return Row(
        curve, delta.percent, quality_delta(*pair), common, interval, delta.at,
        interpolation_error(*pair), of_files,
    )  # fmt: skip


def columns(anchor: Curve) -> List[str]:
    """Headers of `Row.texts`."""
    file = anchor.metric.medium.files.rstrip("s")
    return [
        "BD-rate (%)",
        f"{LEVEL:.0%} interval",
        "p",
        f"BD-{anchor.metric.axis}",
        "interpolation (±%)",
        f"by {file} (%)",
        "interquartile (%)",
        f"{file}s improved",
    ]


def ranking_cells(
    anchor: Curve, rows: Sequence[Row], unranked: Sequence[Unranked] = ()
) -> Tuple[List[str], List[List[str]]]:
    """Header and rows of the ranking; below it what is not ranked, with the reasons."""
    label, unit = anchor.metric.label, anchor.metric.unit
    heads = columns(anchor)
    header = ["", "curve", "points", "seeds", *heads, f"overlap ({label})"]
    cells = []
    for number, row in enumerate(rows, start=1):
        common = f"{row.common.share:.0%}: {row.common.low:.1f} to {row.common.high:.1f} {unit}"
        own = [*row.texts, common]
        if row.curve is anchor:
            own = ["0", "anchor", "", "0", *[""] * (len(heads) - 3)]
        cells.append([str(number), *_known(row.curve.name, row.curve), *own])
    for each in unranked:
        blanks = ["-"] * (len(heads) - 1)
        cells.append(["-", *_known(each.name, each.curve), "not ranked", *blanks, each.reason])
    return header, cells


def record(
    anchor: Curve,
    rows: Sequence[Row],
    unranked: Sequence[Unranked],
    notes: Sequence[str],
    *,
    resamples: int,
    seed: int,
) -> Dict[str, Any]:
    """The comparison as written to JSON."""
    dataset = next((row.curve.dataset for row in rows if row.curve.dataset), None)
    return {
        "anchor": anchor.name,
        "metric": anchor.metric.key,
        "method": METHOD,
        "dataset": dataset._asdict() if dataset else None,
        "bootstrap": {"level": LEVEL, "resamples": resamples, "seed": seed},
        "curves": [
            {
                "rank": number,
                "name": row.curve.name,
                "bd_rate_percent": row.bd_rate,
                "interval_percent": row.interval and [row.interval.low, row.interval.high],
                "p": row.interval and row.interval.p,
                "discarded_resamples": row.interval and row.interval.discarded,
                "bd_quality_db": row.bd_quality,
                "bd_rate_akima_percent": row.error and row.error.akima,
                "subset_error_percent": row.error and row.error.subset,
                "smaller_than_interpolation_error": row.uncertain,
                **_of_files(row),
                "overlap": row.common._asdict(),
                anchor.metric.medium.rate: row.curve.rates.tolist(),
                "quality_db": row.curve.quality.tolist(),
                "seeds": [list(seeds) for seeds in row.curve.seeds],
                "sources": list(row.curve.sources),
                "commits": list(row.curve.commits),
            }
            for number, row in enumerate(rows, start=1)
        ],
        "not_ranked": [{"name": each.name, "reason": each.reason} for each in unranked],
        "notes": list(notes),
        "provenance": provenance(),
    }


def _of_files(row: Row) -> Dict[str, Any]:
    found = row.by_file
    return {
        "by_file_mean_percent": found and found.mean,
        "by_file_interval_percent": found and list(found.interval),
        "by_file_interquartile_mean_percent": found and found.interquartile_mean,
        "probability_of_improvement": found and found.better,
        "probability_of_improvement_interval": found and list(found.better_interval),
        "files_without_bd_rate": found and int(np.isnan(found.percents).sum()),
    }


def _known(name: str, curve: Optional[Curve]) -> List[str]:
    """The first cells of a row: name, points and seeds."""
    return [name, "-", "-"] if curve is None else [name, str(len(curve.rates)), _seed_count(curve)]


def _seed_count(curve: Curve) -> str:
    counts = sorted({len(seeds) for seeds in curve.seeds})
    return f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0]) if counts else "-"
