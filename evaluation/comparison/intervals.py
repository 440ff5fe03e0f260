"""Confidence intervals of BD-rates, by a paired bootstrap over files and training seeds.

Both curves get the same files, and the same seeds if they were trained with the same ones: what is
hard for one codec is hard for the other, and cancels. A seed is drawn for all points of a curve at
once.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Sequence, Tuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from evaluation.comparison.bd_rate import rate_delta, rate_deltas
from evaluation.comparison.bootstrap import (
    ENDS,
    Draws,
    Spread,
    Statistic,
    check_resamples,
    p_value,
    spread_of,
    stretched,
    weights_of,
)
from evaluation.comparison.curves import Curve

MOST_DISCARDED = 0.01
"""Share of resamples without a BD-rate above which there is no interval."""


class Interval(NamedTuple):
    """The bootstrap's result for one BD-rate.

    Attributes:
        low: lower end of the interval, percent.
        high: upper end.
        p: two-sided p-value of no difference in rate.
        band: interval of the difference in rate along the grid, percent, [2, grid]; NaN at
            qualities that fewer than half of the resampled curves reach.
        discarded: resamples without a BD-rate, because quality fell somewhere or the curves
            overlapped too little.
        spread: the variances of files and seeds.
    """

    low: float
    high: float
    p: float
    band: np.ndarray
    discarded: int
    spread: Spread


def paired_interval(
    anchor: Curve, curve: Curve, *, resamples: int, seed: int, grid: Optional[np.ndarray] = None
) -> Optional[Interval]:
    """The interval of a curve's BD-rate against an anchor, and a paired test.

    The p-value is the bootstrap's own: twice the share of resampled BD-rates on the far side of 0,
    with one more resample there, so that p is never 0. It is below 0.05 where the interval excludes
    0. (A permutation test that swaps the codecs' labels would be exact for files, but blind to
    other seeds; with 3 seeds to swap it could not go below p = 0.25.)

    Args:
        anchor: with per-file rows.
        curve: with per-file rows of the same files.
        resamples: how many.
        seed: of the draws; equal seeds give equal intervals.
        grid: qualities in dB at which to give the band.

    Returns:
        The interval; None if more than ``MOST_DISCARDED`` of the resamples gave no BD-rate.

    Raises:
        ValueError: a curve has no rows, or there are too few resamples or files.
    """
    for each in (anchor, curve):
        if each.file_rates is None:
            raise ValueError(f"curve {each.name!r} has no per-file rows to draw from.")
    check_resamples(resamples)
    files = anchor.file_rates[0].shape[1]
    if files < 2:
        raise ValueError(f"an interval needs at least 2 {anchor.metric.medium.files}, got {files}.")
    draws = draws_of(anchor, curve, resamples=resamples, seed=seed)
    grid = np.zeros(0) if grid is None else grid
    percents, at = _deltas(anchor, curve, draws, grid)
    known = np.isfinite(percents)
    discarded = resamples - int(known.sum())
    if discarded > MOST_DISCARDED * resamples:
        return None
    estimate = rate_delta(anchor.rates, anchor.quality, curve.rates, curve.quality, grid)
    counts = [len(seeds) for seeds in (*anchor.seeds, *curve.seeds)]
    spread = spread_of(rate_statistic(anchor, curve), draws, counts)
    percents = stretched(percents[known], estimate.percent, spread.stretch)
    at = stretched(at[known], estimate.at, spread.stretch)
    low, high = np.percentile(percents, ENDS)
    return Interval(float(low), float(high), p_value(percents), _band(at, ENDS), discarded, spread)


def rate_statistic(anchor: Curve, curve: Curve) -> Statistic:
    """Draws -> log of the ratio of rates at equal quality, NaN without a BD-rate."""
    return lambda draws: np.log1p(_deltas(anchor, curve, draws, np.zeros(0))[0] / 100)


def _band(at: np.ndarray, ends: Sequence[float]) -> np.ndarray:
    """Percentiles of [resamples, grid], where at least half of the resamples reach."""
    reached = np.isfinite(at).mean(axis=0) >= 0.5
    band = np.full([2, at.shape[1]], np.nan)
    if reached.any():
        band[:, reached] = np.nanpercentile(at[:, reached], ends, axis=0)
    return band


def seed_band(curve: Curve, log_rates: np.ndarray) -> Optional[np.ndarray]:
    """Lowest and highest quality over the seeds, with each seed's own curve by PCHIP.

    Args:
        curve: with the same seeds at all points.
        log_rates: [positions], log10 of the rate.

    Returns:
        dB, [2, positions], NaN where a seed has no points; None if there are fewer than two seeds
        or points, or no rows, or if a seed's rates do not rise or its qualities are not finite.
    """
    if len(curve.seeds_at_all_points) < 2 or not curve.files or len(curve.rates) < 2:
        return None
    lines = []
    for k in range(len(curve.seeds_at_all_points)):
        rates = np.array([point[k].mean() for point in curve.file_rates])
        means = np.array([point[k].mean() for point in curve.file_quality])
        quality = curve.metric.decibels(means)
        if not (np.diff(rates) > 0).all() or not np.isfinite(quality).all():
            return None
        lines.append(PchipInterpolator(np.log10(rates), quality, extrapolate=False)(log_rates))
    return np.stack([np.min(lines, axis=0), np.max(lines, axis=0)])


def draws_of(anchor: Curve, curve: Curve, *, resamples: int, seed: int) -> Draws:
    """Weights for two curves with per-file rows: of files, and of seeds at each of their points."""
    generator = np.random.default_rng(seed)
    files = weights_of(generator, anchor.files, resamples)
    of_anchor = of_curve = _seed_weights(generator, anchor, resamples)
    if not paired(anchor, curve):
        of_curve = _seed_weights(generator, curve, resamples)
    return Draws(files, (*of_anchor, *of_curve))


def paired(anchor: Curve, curve: Curve) -> bool:
    """Whether both curves have the same seeds at all points."""
    return bool(anchor.seeds_at_all_points) and (
        anchor.seeds_at_all_points == curve.seeds_at_all_points
    )


def _seed_weights(generator, curve: Curve, resamples: int) -> Tuple[np.ndarray, ...]:
    """One draw for all points with the same seeds."""
    if not curve.seeds:
        return tuple(np.ones([resamples, 1]) for _ in curve.rates)
    drawn = {
        seeds: weights_of(generator, len(seeds), resamples) for seeds in dict.fromkeys(curve.seeds)
    }
    return tuple(drawn[seeds] for seeds in curve.seeds)


def _deltas(anchor, curve, draws: Draws, grid) -> Tuple[np.ndarray, np.ndarray]:
    """BD-rates [resamples], NaN without one, and differences along the grid, percent."""
    points = len(anchor.rates)
    anchors = _resampled(anchor, draws.seeds[:points], draws.files)
    curves = _resampled(curve, draws.seeds[points:], draws.files)
    return rate_deltas(*anchors, *curves, grid)


def _resampled(curve, seed_weights, file_weights) -> Tuple[np.ndarray, np.ndarray]:
    """Rate and quality (dB) of every resample: [resamples, points] each."""

    def means(points):
        return np.stack(
            [
                np.einsum("rs,si,ri->r", weights, values, file_weights, optimize=True)
                for weights, values in zip(seed_weights, points)
            ],
            axis=1,
        )

    return means(curve.file_rates), curve.metric.decibels(means(curve.file_quality))
