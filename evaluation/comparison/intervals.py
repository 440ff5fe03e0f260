"""Confidence intervals of BD-rates, by a paired bootstrap over files and training seeds.

Files and seeds are crossed (every run codes every file). Both are resampled with replacement and
independently of each other: the pigeonhole bootstrap (Owen 2007, Ann. Appl. Stat. 1). Both curves
get the same files, and the same seeds if they were trained with the same ones: what is hard for one
codec is hard for the other, and cancels. A seed is drawn for all points of a curve at once.

n - 1 of n units are drawn, which makes the variance of the mean unbiased (McCarthy & Snowden 1985);
n of 3 seeds give two thirds of it. A variance estimated from 3 seeds is itself uncertain, which
percentiles ignore: "95 %" intervals contained the truth in 68 % of our trials where seeds mattered
most. The resampled values are therefore stretched around the estimate by the ratio of Student's t
to the normal quantile (as Hesterberg 2015, arXiv 1411.5279, expands percentiles), with the degrees
of freedom that Welch and Satterthwaite give the sum of the two variances.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Sequence, Tuple

import numpy as np
from scipy import stats
from scipy.interpolate import PchipInterpolator

from evaluation.comparison.bd_rate import rate_delta, rate_deltas
from evaluation.comparison.curves import Curve

LEVEL = 0.95
MINIMUM_RESAMPLES = 100

MOST_DISCARDED = 0.01
"""Share of resamples without a BD-rate above which there is no interval."""

_RESAMPLES_OF_A_VARIANCE = 200


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
    """

    low: float
    high: float
    p: float
    band: np.ndarray
    discarded: int


def check_resamples(resamples: int) -> None:
    """Raises a ValueError if there are too few resamples for an interval."""
    if resamples < MINIMUM_RESAMPLES:
        raise ValueError(f"resamples={resamples} must be at least {MINIMUM_RESAMPLES}.")


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
    draws = _draw(anchor, curve, np.random.default_rng(seed), resamples)
    grid = np.zeros(0) if grid is None else grid
    percents, at = _deltas(anchor, curve, draws, grid)
    discarded = resamples - len(percents)
    if discarded > MOST_DISCARDED * resamples:
        return None
    estimate = rate_delta(anchor.rates, anchor.quality, curve.rates, curve.quality, grid)
    stretch = _stretch(anchor, curve, draws)
    percents = _stretched(percents, estimate.percent, stretch)
    at = _stretched(at, estimate.at, stretch)
    ends = [50 * (1 - LEVEL), 50 * (1 + LEVEL)]
    low, high = np.percentile(percents, ends)
    return Interval(float(low), float(high), _p_value(percents), _band(at, ends), discarded)


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


def _weights(generator: np.random.Generator, units: int, resamples: int) -> np.ndarray:
    """Shares of the units in draws of n - 1 out of n: [resamples, units], rows of sum 1."""
    if units == 1:
        return np.ones([resamples, 1])
    draws = generator.multinomial(units - 1, np.full(units, 1 / units), size=resamples)
    return draws / (units - 1)


class _Draws(NamedTuple):
    """Weights of files, and of seeds at each point of both curves: [resamples, units] each."""

    files: np.ndarray
    of_anchor: Tuple[np.ndarray, ...]
    of_curve: Tuple[np.ndarray, ...]


def _draw(anchor: Curve, curve: Curve, generator, resamples: int) -> _Draws:
    files = _weights(generator, anchor.file_rates[0].shape[1], resamples)
    of_anchor = of_curve = _seed_weights(generator, anchor, resamples)
    seeds = anchor.seeds_at_all_points
    if not seeds or seeds != curve.seeds_at_all_points:
        of_curve = _seed_weights(generator, curve, resamples)
    return _Draws(files, of_anchor, of_curve)


def _seed_weights(generator, curve: Curve, resamples: int) -> Tuple[np.ndarray, ...]:
    """One draw for all points with the same seeds."""
    if not curve.seeds:
        return tuple(np.ones([resamples, 1]) for _ in curve.rates)
    drawn = {
        seeds: _weights(generator, len(seeds), resamples) for seeds in dict.fromkeys(curve.seeds)
    }
    return tuple(drawn[seeds] for seeds in curve.seeds)


def _deltas(anchor, curve, draws: _Draws, grid) -> Tuple[np.ndarray, np.ndarray]:
    """BD-rates [resamples that have one] and differences along the grid [same, grid], percent."""
    anchors = _resampled(anchor, draws.of_anchor, draws.files)
    curves = _resampled(curve, draws.of_curve, draws.files)
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


def _stretch(anchor, curve, draws: _Draws) -> float:
    """Student's t over the normal quantile, for the seeds and files that the curves have."""

    def some(weights):
        return weights[:_RESAMPLES_OF_A_VARIANCE]

    def equal(weights):
        return np.full_like(some(weights), 1 / weights.shape[1])

    def log_variance(of_files, of_seeds):
        weights = (tuple(map(of_seeds, each)) for each in (draws.of_anchor, draws.of_curve))
        chosen = _Draws(of_files(draws.files), *weights)
        percents, _ = _deltas(anchor, curve, chosen, np.zeros(0))
        return np.var(np.log1p(percents / 100)) if len(percents) else 0.0

    of_files, of_seeds = log_variance(some, equal), log_variance(equal, some)
    # If the numbers of seeds differ, the smaller one: too wide an interval is the safer error.
    counts = [len(seeds) for seeds in (*anchor.seeds, *curve.seeds) if len(seeds) > 1]
    seed_freedom = min(counts) - 1 if counts else 1
    spread = of_files**2 / (draws.files.shape[1] - 1) + of_seeds**2 / seed_freedom
    if spread == 0:
        return 1.0  # All resamples are equal.
    freedom = (of_files + of_seeds) ** 2 / spread
    upper = 0.5 * (1 + LEVEL)
    return float(stats.t.ppf(upper, freedom) / stats.norm.ppf(upper))


def _stretched(percents, estimate, factor):
    """Away from the estimate, in log rate: no change of rate falls below -100 %."""
    logs, middle = np.log1p(percents / 100), np.log1p(estimate / 100)
    return 100 * np.expm1(middle + factor * (logs - middle))


def _p_value(percents) -> float:
    beyond = min(np.sum(percents <= 0), np.sum(percents >= 0))
    return float(min(1.0, 2 * (1 + beyond) / (1 + len(percents))))
