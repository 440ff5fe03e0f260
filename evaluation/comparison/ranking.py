"""Curves ranked by BD-rate against an anchor, as a Markdown table and as JSON."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from evaluation.comparison.bd_rate import (
    METHOD,
    Overlap,
    check_overlap,
    overlap,
    quality_delta,
    rate_delta,
)
from evaluation.comparison.comparable import Unranked
from evaluation.comparison.curves import Curve
from evaluation.comparison.intervals import LEVEL, Interval, paired_interval
from evaluation.provenance import provenance


class Row(NamedTuple):
    """A curve against the anchor; for the anchor itself all differences are 0.

    Attributes:
        curve: the curve.
        bd_rate: percent, below 0 for fewer bits than the anchor.
        bd_quality: dB, above 0 for better than the anchor; None if rates overlap too little.
        common: the qualities that both curves reach, dB.
        interval: of ``bd_rate``; None without per-file rows, or if too many resamples failed.
        at: difference in rate, percent, at each quality of the grid; NaN outside either curve.
    """

    curve: Curve
    bd_rate: float
    bd_quality: Optional[float]
    common: Overlap
    interval: Optional[Interval]
    at: np.ndarray

    @property
    def texts(self) -> Tuple[str, str, str, str]:
        """BD-rate, its interval, p and BD-quality; "-" for what there is not."""
        interval = p = quality = "-"
        if self.interval is not None:
            interval = f"{self.interval.low:+.2f} to {self.interval.high:+.2f}"
            p = f"{self.interval.p:.3f}" if self.interval.p >= 0.001 else "< 0.001"
        if self.bd_quality is not None:
            quality = f"{self.bd_quality:+.2f}"
        return f"{self.bd_rate:+.2f}", interval, p, quality


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
    interval = None
    if min(anchor.files, curve.files) > 1:
        interval = paired_interval(anchor, curve, resamples=resamples, seed=seed, grid=grid)
    return Row(curve, delta.percent, quality_delta(*pair), common, interval, delta.at)


def table(anchor: Curve, rows: Sequence[Row], unranked: Sequence[Unranked] = ()) -> str:
    """The ranking as a Markdown table; below it what is not ranked, with the reasons."""
    label, unit = anchor.metric.label, anchor.metric.unit
    lines = [
        f"| | curve | points | seeds | BD-rate (%) | {LEVEL:.0%} interval | p "
        f"| BD-{anchor.metric.axis} | overlap ({label}) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for number, row in enumerate(rows, start=1):
        common = f"{row.common.share:.0%}: {row.common.low:.1f} to {row.common.high:.1f} {unit}"
        cells = "0 | anchor | | 0 | " if row.curve is anchor else " | ".join((*row.texts, common))
        lines.append(f"| {number} | {_known(row.curve.name, row.curve)} | {cells} |")
    for each in unranked:
        known, reason = _known(each.name, each.curve), each.reason.replace("|", "\\|")
        lines.append(f"| - | {known} | not ranked | - | - | - | {reason} |")
    return "\n".join(lines)


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


def _known(name: str, curve: Optional[Curve]) -> str:
    """The first cells of a row: name, points and seeds."""
    name = name.replace("|", "\\|")
    return (
        f"{name} | - | -"
        if curve is None
        else f"{name} | {len(curve.rates)} | {_seed_count(curve)}"
    )


def _seed_count(curve: Curve) -> str:
    counts = sorted({len(seeds) for seeds in curve.seeds})
    return f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0]) if counts else "-"
