"""How sure a BD-rate is: a paired bootstrap over images and training seeds.

Images and seeds are crossed (every run codes every image), so both are drawn anew with
replacement, independently of each other (the pigeonhole bootstrap, Owen 2007, Ann. Appl. Stat. 1).
Both curves get the same images, and the same seeds where they were trained with the same ones:
what is hard for one codec is hard for the other, and cancels. A seed is drawn for all points of a
curve at once, because its weights and patches are those of all.

Of n units n - 1 are drawn, not n: the variance of the mean comes out right then (McCarthy & Snowden
1985), where n of 3 seeds give two thirds of it. A variance guessed from 3 seeds is itself a guess,
which percentiles know nothing of: "95 %" of them held the truth in 68 % of our trials where seeds
mattered most. So what is drawn is stretched around the estimate by the ratio of Student's t to the
normal quantile (as Hesterberg 2015, arXiv 1411.5279, expands percentiles), at the degrees of
freedom that Welch and Satterthwaite give the sum of the two variances.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Sequence, Tuple

import numpy as np
from scipy import stats
from scipy.interpolate import PchipInterpolator

from evaluation.comparison.bd_rate import MINIMUM_OVERLAP, overlap, rate_delta, rising
from evaluation.comparison.curves import Curve

LEVEL = 0.95
MINIMUM_RESAMPLES = 100

MOST_DISCARDED = 0.01
"""Share of resamples without a BD-rate above which there is no interval."""


_RESAMPLES_OF_A_VARIANCE = 200


class Interval(NamedTuple):
    """What the bootstrap says of one BD-rate.

    Attributes:
        low: lower end of the percentile interval, percent.
        high: upper end.
        p: two-sided p-value of no difference in rate.
        band: of the difference in rate along the grid, percent: [2, grid], of the resamples whose
            curves reach that quality; NaN where fewer than half do.
        discarded: resamples that gave no BD-rate, because quality fell somewhere or the curves
            overlapped too little.
    """

    low: float
    high: float
    p: float
    band: np.ndarray
    discarded: int


def paired_interval(
    anchor: Curve, curve: Curve, *, resamples: int, seed: int, grid: Optional[np.ndarray] = None
) -> Optional[Interval]:
    """The interval of a curve's BD-rate against an anchor, and a paired test.

    The test is the bootstrap's own: twice the share of resampled BD-rates on the far side of 0
    (and one more resample there, so that p is never 0). Swapping the codecs' labels image by image
    would be exact for images, but it cannot see that other seeds might turn the result, and with 3
    seeds to swap it could not go below p = 0.25. So chosen, test and interval agree: p is below
    0.05 where the interval leaves out 0.

    Args:
        anchor: with per-file rows.
        curve: with per-file rows of the same images.
        resamples: how many.
        seed: of the draws; equal seeds give equal intervals.
        grid: qualities in dB at which to give the band.

    Returns:
        The interval; None where more than ``MOST_DISCARDED`` of the resamples gave no BD-rate.

    Raises:
        ValueError: a curve has no rows, or there are too few resamples or images.
    """
    for each in (anchor, curve):
        if each.file_rates is None:
            raise ValueError(f"curve {each.name!r} has no per-file rows to draw from.")
    if resamples < MINIMUM_RESAMPLES:
        raise ValueError(f"resamples={resamples} must be at least {MINIMUM_RESAMPLES}.")
    images = anchor.file_rates[0].shape[1]
    if images < 2:
        raise ValueError(f"an interval needs at least 2 images, got {images}.")
    draws = _Draws(anchor, curve, np.random.default_rng(seed), resamples)
    grid = np.zeros(0) if grid is None else grid
    percents, at = _deltas(anchor, curve, draws.of_anchor, draws.of_curve, draws.images, grid)
    discarded = resamples - len(percents)
    if discarded > MOST_DISCARDED * resamples:
        return None
    estimate = rate_delta(anchor.rates, anchor.quality, curve.rates, curve.quality, grid)
    stretch = _stretch(anchor, curve, draws)
    percents = _stretched(percents, estimate.percent, stretch)
    at = _stretched(at, estimate.at, stretch)
    ends = [50 * (1 - LEVEL), 50 * (1 + LEVEL)]
    low, high = np.percentile(percents, ends)
    band = _band(at, ends)
    return Interval(float(low), float(high), _p_value(percents), band, discarded)


def _band(at: np.ndarray, ends: Sequence[float]) -> np.ndarray:
    """Percentiles of ``[resamples, grid]``: drawn again, images move the qualities reached."""
    reached = np.isfinite(at).mean(axis=0) >= 0.5
    band = np.full([2, at.shape[1]], np.nan)
    if reached.any():
        band[:, reached] = np.nanpercentile(at[:, reached], ends, axis=0)
    return band


def seed_band(curve: Curve, log_rates: np.ndarray) -> Optional[np.ndarray]:
    """Lowest and highest quality over the seeds, each seed's own curve by PCHIP.

    Args:
        curve: whose points all have the same seeds.
        log_rates: [positions], log10 of bits per pixel.

    Returns:
        dB, [2, positions], NaN where a seed has no points; None for fewer than two seeds, curves
        without rows and seeds whose rates do not rise.
    """
    if len(curve.seeds_at_all_points) < 2 or curve.file_rates is None:
        return None
    lines = []
    for k in range(len(curve.seeds_at_all_points)):
        rates = np.array([point[k].mean() for point in curve.file_rates])
        means = np.array([point[k].mean() for point in curve.file_quality])
        if not (np.diff(rates) > 0).all():
            return None
        quality = curve.metric.decibels(means)
        lines.append(PchipInterpolator(np.log10(rates), quality, extrapolate=False)(log_rates))
    return np.stack([np.min(lines, axis=0), np.max(lines, axis=0)])


def _weights(generator: np.random.Generator, units: int, resamples: int) -> np.ndarray:
    """Shares of each unit in draws of n - 1 out of n: [resamples, units], rows of sum 1."""
    if units == 1:
        return np.ones([resamples, 1])
    draws = generator.multinomial(units - 1, np.full(units, 1 / units), size=resamples)
    return draws / (units - 1)


class _Draws:
    """Weights of images, and of seeds at each point of both curves: [resamples, units] each."""

    def __init__(self, anchor, curve, generator, resamples):
        self.images = _weights(generator, anchor.file_rates[0].shape[1], resamples)
        self.common = bool(anchor.seeds_at_all_points) and (
            anchor.seeds_at_all_points == curve.seeds_at_all_points
        )
        self.of_anchor = _seed_weights(generator, anchor, resamples)
        self.of_curve = (
            self.of_anchor if self.common else _seed_weights(generator, curve, resamples)
        )


def _seed_weights(generator, curve: Curve, resamples: int) -> Tuple[np.ndarray, ...]:
    """One draw for all points that have the same seeds; without seeds nothing to draw."""
    if not curve.seeds:
        return tuple(np.ones([resamples, 1]) for _ in curve.rates)
    drawn = {
        seeds: _weights(generator, len(seeds), resamples) for seeds in dict.fromkeys(curve.seeds)
    }
    return tuple(drawn[seeds] for seeds in curve.seeds)


def _deltas(anchor, curve, of_anchor, of_curve, images, grid) -> Tuple[np.ndarray, np.ndarray]:
    """BD-rates [resamples that have one] and differences along the grid [same, grid], percent."""
    anchors = _resampled(anchor, of_anchor, images)
    curves = _resampled(curve, of_curve, images)
    percents, at = [], []
    for resample in zip(*anchors, *curves):
        if not (rising(*resample[:2]) and rising(*resample[2:])):
            continue
        if overlap(resample[1], resample[3]).share < MINIMUM_OVERLAP:
            continue
        delta = rate_delta(*resample, grid)
        percents.append(delta.percent)
        at.append(delta.at)
    return np.array(percents), np.array(at)


def _resampled(curve, seed_weights, image_weights) -> Tuple[np.ndarray, np.ndarray]:
    """Rate and quality (dB) of every resample: [resamples, points] each."""

    def means(points):
        return np.stack(
            [
                np.einsum("rs,si,ri->r", weights, values, image_weights, optimize=True)
                for weights, values in zip(seed_weights, points)
            ],
            axis=1,
        )

    return means(curve.file_rates), curve.metric.decibels(means(curve.file_quality))


def _stretch(anchor, curve, draws) -> float:
    """Student's t over the normal quantile, for the seeds and images that the curves have."""
    some = slice(_RESAMPLES_OF_A_VARIANCE)

    def level(weights):
        return np.full_like(weights[some], 1 / weights.shape[1])

    def log_variance(of_anchor, of_curve, images):
        percents, _ = _deltas(anchor, curve, of_anchor, of_curve, images, np.zeros(0))
        return np.var(np.log1p(percents / 100)) if len(percents) else 0.0

    of_images = log_variance(
        [level(weights) for weights in draws.of_anchor],
        [level(weights) for weights in draws.of_curve],
        draws.images[some],
    )
    of_seeds = log_variance(
        [weights[some] for weights in draws.of_anchor],
        [weights[some] for weights in draws.of_curve],
        level(draws.images),
    )
    # The smaller number of seeds where the curves have different ones: rather too wide.
    counts = [len(seeds) for seeds in (*anchor.seeds, *curve.seeds) if len(seeds) > 1]
    seed_freedom = min(counts) - 1 if counts else 1
    spread = of_images**2 / (draws.images.shape[1] - 1) + of_seeds**2 / seed_freedom
    if spread == 0:
        return 1.0  # Resamples do not differ: there is nothing to stretch.
    freedom = (of_images + of_seeds) ** 2 / spread
    upper = 0.5 * (1 + LEVEL)
    return float(stats.t.ppf(upper, freedom) / stats.norm.ppf(upper))


def _stretched(percents, estimate, factor):
    """Away from the estimate, in log rate: no change of rate falls below -100 %."""
    logs, middle = np.log1p(percents / 100), np.log1p(estimate / 100)
    return 100 * np.expm1(middle + factor * (logs - middle))


def _p_value(percents) -> float:
    beyond = min(np.sum(percents <= 0), np.sum(percents >= 0))
    return float(min(1.0, 2 * (1 + beyond) / (1 + len(percents))))
