"""BD-rates of single files: mean, interquartile mean, and the share on which a curve is better.

The BD-rate of the mean curve weighs files by their rates: a few that need many bits decide it. The
mean of the files' own BD-rates weighs all alike. Agarwal et al. 2021, arXiv 2108.13264, for
interquartile mean, probability of improvement and profiles.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

import numpy as np
from scipy import stats

from evaluation.comparison.bd_rate import rate_deltas
from evaluation.comparison.bootstrap import ENDS, Draws, spread_of, stretched
from evaluation.comparison.curves import Curve
from evaluation.comparison.intervals import draws_of

_MOST_CURVES = 200_000
"""How many curves of a file the bootstrap compares at the most."""


class ByFile(NamedTuple):
    """Per-file BD-rates of a curve against an anchor.

    Attributes:
        percents: of each file, from its means over seeds; NaN without one, because its quality
            falls somewhere or the curves overlap too little; [files].
        mean: over the files that have one.
        interval: of the mean, over files and seeds.
        interquartile_mean: the mean of the middle half.
        better: share of files with fewer bits than the anchor, ties counted half: the probability
            of improvement.
        better_interval: of ``better``.
    """

    percents: np.ndarray
    mean: float
    interval: Tuple[float, float]
    interquartile_mean: float
    better: float
    better_interval: Tuple[float, float]

    @property
    def known(self) -> np.ndarray:
        """The finite BD-rates, sorted."""
        return np.sort(self.percents[np.isfinite(self.percents)])


def by_file(anchor: Curve, curve: Curve, *, resamples: int, seed: int) -> Optional[ByFile]:
    """The per-file BD-rates of two curves with rows of the same files.

    Args:
        anchor: to compare with.
        curve: to compare.
        resamples: of the bootstrap; fewer are drawn for hundreds of files.
        seed: of the bootstrap.

    Returns:
        None if fewer than two files, or than half of the files or of the resamples, have a BD-rate.
    """
    resamples = max(100, min(resamples, _MOST_CURVES // anchor.files))
    draws = draws_of(anchor, curve, resamples=resamples, seed=seed)
    equal = tuple(np.full([1, each.shape[1]], 1 / each.shape[1]) for each in draws.seeds)
    (percents,) = _deltas(anchor, curve, equal)
    known = percents[np.isfinite(percents)]
    if len(known) < max(2, 0.5 * anchor.files):
        return None

    def means(some: Draws, value=lambda each: each) -> np.ndarray:
        resampled = _deltas(anchor, curve, some.seeds)
        weights = np.where(np.isfinite(resampled), some.files, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (weights * np.nan_to_num(value(resampled))).sum(axis=1) / weights.sum(axis=1)

    resampled = means(draws)
    resampled = resampled[np.isfinite(resampled)]
    if len(resampled) < 0.5 * resamples:  # Curves of fewer seeds may fall where their mean rises.
        return None
    counts = [len(seeds) for seeds in (*anchor.seeds, *curve.seeds)]
    spread = spread_of(lambda some: np.log1p(means(some) / 100), draws, counts)
    interval = np.percentile(stretched(resampled, known.mean(), spread.stretch), ENDS)
    return ByFile(
        percents,
        float(known.mean()),
        tuple(interval.tolist()),
        float(stats.trim_mean(known, 0.25)),
        float(_improved(known).mean()),
        tuple(np.nanpercentile(means(draws, _improved), ENDS).tolist()),
    )


def _improved(percents: np.ndarray) -> np.ndarray:
    return 0.5 * (percents < 0) + 0.5 * (percents <= 0)


def _deltas(anchor: Curve, curve: Curve, seeds: Tuple[np.ndarray, ...]) -> np.ndarray:
    """BD-rates of each file with weighted means over seeds, percent, [resamples, files]."""
    # Few draws of few seeds differ.
    together = np.concatenate(seeds, axis=1)
    _, first, again = np.unique(together, axis=0, return_index=True, return_inverse=True)
    seeds = tuple(weights[first] for weights in seeds)
    points = len(anchor.rates)
    sides = [*_of_files(anchor, seeds[:points]), *_of_files(curve, seeds[points:])]
    percents, _ = rate_deltas(*sides, np.zeros(0))
    return percents.reshape(len(first), -1)[again.reshape(-1)]


def _of_files(curve: Curve, seeds) -> Tuple[np.ndarray, np.ndarray]:
    """Rate and quality (dB) of every file in every resample: [resamples * files, points] each."""

    def means(points):
        stacked = np.stack([weights @ rows for weights, rows in zip(seeds, points)], axis=2)
        return stacked.reshape(-1, len(points))

    return means(curve.file_rates), curve.metric.decibels(means(curve.file_quality))
