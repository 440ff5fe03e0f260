"""The crossed bootstrap: files and training seeds drawn again, and how wide its intervals must be.

Files and seeds are crossed (every run codes every file). Both are resampled with replacement and
independently of each other: the pigeonhole bootstrap (Owen 2007, Ann. Appl. Stat. 1).

n - 1 of n units are drawn, which makes the variance of the mean unbiased (McCarthy & Snowden 1985);
n of 3 seeds give two thirds of it. A variance estimated from 3 seeds is itself uncertain, which
percentiles ignore: "95 %" intervals contained the truth in 68 % of our trials where seeds mattered
most. The resampled values are therefore stretched around the estimate by the ratio of Student's t
to the normal quantile (as Hesterberg 2015, arXiv 1411.5279, expands percentiles), with the degrees
of freedom that Welch and Satterthwaite give the sum of the two variances.
"""

from __future__ import annotations

from typing import Callable, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from scipy import stats

LEVEL = 0.95
ENDS = (50 * (1 - LEVEL), 50 * (1 + LEVEL))
_UPPER = 0.5 * (1 + LEVEL)
MINIMUM_RESAMPLES = 100
MAXIMUM_RESAMPLES = 10**6

_RESAMPLES_OF_A_VARIANCE = 200
_MOST_SEEDS = 1000


class Draws(NamedTuple):
    """Weights of files and seeds, [resamples, units] each; rows have the sum 1.

    Attributes:
        files: of the files.
        seeds: of the seeds, at each point of a curve or once for all.
    """

    files: np.ndarray
    seeds: Tuple[np.ndarray, ...]


Statistic = Callable[[Draws], np.ndarray]
"""Draws -> log of a ratio, [resamples]; NaN where there is none."""


class Spread(NamedTuple):
    """The variance of an estimate, a log ratio, by what it comes from.

    Attributes:
        of_files: variance from the choice of files.
        of_seeds: variance from the choice of seeds.
        files: how many there were.
        seeds: how many there were; the smaller number if two curves differ, because too wide an
            interval is the safer error.
    """

    of_files: float
    of_seeds: float
    files: int
    seeds: int

    @property
    def stretch(self) -> float:
        """Student's t over the normal quantile."""
        return float(self._stretch(self.of_seeds, self.seeds))

    def half_width(self, seeds) -> np.ndarray:
        """Half of the interval to expect with so many seeds, percent; shaped as ``seeds``."""
        seeds = np.asarray(seeds)
        of_seeds = self.of_seeds * self.seeds / seeds
        deviation = np.sqrt(self.of_files + of_seeds)
        return 100 * np.expm1(stats.norm.ppf(_UPPER) * self._stretch(of_seeds, seeds) * deviation)

    def more_seeds(self, half_width: float) -> Optional[float]:
        """How many more seeds give an interval of this half-width, if the variances stay.

        Args:
            half_width: percent.

        Returns:
            0 if the interval is narrow enough; infinity if not even a thousand seeds suffice, as
            when the files alone spread it further; None if a single seed does not tell.
        """
        if self.seeds < 2:
            return None
        seeds = np.arange(self.seeds, _MOST_SEEDS)
        enough = self.half_width(seeds) <= half_width
        return float(np.argmax(enough)) if enough.any() else np.inf

    def _stretch(self, of_seeds, seeds) -> np.ndarray:
        spread = self.of_files**2 / (self.files - 1) + of_seeds**2 / np.maximum(seeds - 1, 1)
        # Without a spread all resamples are equal.
        freedom = (self.of_files + of_seeds) ** 2 / np.where(spread == 0, 1, spread)
        ratio = stats.t.ppf(_UPPER, np.maximum(freedom, 1)) / stats.norm.ppf(_UPPER)
        return np.where(spread == 0, 1.0, ratio)


def check_resamples(resamples: int) -> None:
    """Raises a ValueError for too few resamples for an interval, or far more than it needs."""
    if not MINIMUM_RESAMPLES <= resamples <= MAXIMUM_RESAMPLES:
        raise ValueError(
            f"resamples={resamples} must be {MINIMUM_RESAMPLES} to {MAXIMUM_RESAMPLES}."
        )


def weights_of(generator: np.random.Generator, units: int, resamples: int) -> np.ndarray:
    """Shares of the units in draws of n - 1 out of n: [resamples, units], rows of sum 1."""
    if units == 1:
        return np.ones([resamples, 1])
    draws = generator.multinomial(units - 1, np.full(units, 1 / units), size=resamples)
    return draws / (units - 1)


def spread_of(statistic: Statistic, draws: Draws, seed_counts: Sequence[int]) -> Spread:
    """The variances of a statistic: files drawn with all seeds, and seeds drawn with all files.

    Args:
        statistic: the estimate.
        draws: of which the first 200 are used.
        seed_counts: numbers of seeds that the curves have at their points.
    """

    def some(weights):
        return weights[:_RESAMPLES_OF_A_VARIANCE]

    def equal(weights):
        return np.full_like(some(weights), 1 / weights.shape[1])

    def variance(of_files, of_seeds):
        values = statistic(Draws(of_files(draws.files), tuple(map(of_seeds, draws.seeds))))
        known = values[np.isfinite(values)]
        return float(np.var(known)) if len(known) else 0.0

    counts = [count for count in seed_counts if count > 1]
    seeds = min(counts) if counts else 1
    files = draws.files.shape[1]
    return Spread(variance(some, equal), variance(equal, some), files, seeds)


def stretched(percents: np.ndarray, estimate, factor: float) -> np.ndarray:
    """Away from the estimate, in log: no change of a rate falls below -100 %."""
    logs, middle = np.log1p(percents / 100), np.log1p(estimate / 100)
    return 100 * np.expm1(middle + factor * (logs - middle))


def p_value(percents: np.ndarray) -> float:
    """Twice the share of resamples on the far side of 0, with one more there: p is never 0."""
    beyond = min(np.sum(percents <= 0), np.sum(percents >= 0))
    return float(min(1.0, 2 * (1 + beyond) / (1 + len(percents))))
