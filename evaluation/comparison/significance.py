"""Sign flips over paired seeds, a test that assumes little, and Holm's correction."""

from __future__ import annotations

import math
from typing import List, Optional, Sequence

import numpy as np
from scipy import stats

ALPHA = 0.05


def sign_flip(differences: np.ndarray) -> Optional[float]:
    """The sign-flip (permutation) test of a mean of 0.

    If two methods are equal, each paired difference could as well have the other sign. The p-value
    is the share of all sign patterns whose mean is as far from 0: exact, whatever the distribution
    (Lehmann & Romano, Testing Statistical Hypotheses, 15.2). With n differences it is never below
    `smallest_p`.

    Args:
        differences: one of each seed, [seeds].

    Returns:
        Two-sided p; None for fewer than two finite differences, or if one is not finite.
    """
    if len(differences) < 2 or not np.isfinite(differences).all():
        return None

    def mean(values, axis):
        return np.mean(values, axis=axis)

    # Above 13 seeds a random sample of the patterns.
    options = {"permutation_type": "samples", "n_resamples": 9999, "vectorized": True}
    result = stats.permutation_test((differences,), mean, random_state=0, **options)
    return float(result.pvalue)


def smallest_p(seeds: int) -> float:
    """The least p that sign flips of so many seeds can give: both patterns of equal signs."""
    return min(1.0, 2.0 / 2**seeds)


def seeds_for_a_verdict(contrasts: int) -> int:
    """The least number of seeds whose sign flips reach 0.05 after Holm's correction."""
    return math.ceil(math.log2(2 * contrasts / ALPHA))


def holm(p_values: Sequence[Optional[float]]) -> List[Optional[float]]:
    """Holm's step-down correction (Holm 1979): the chance of one false verdict among all stays p.

    Args:
        p_values: of the contrasts that were named beforehand; None is no test, and not counted.
    """
    order = sorted((p, k) for k, p in enumerate(p_values) if p is not None)
    corrected: List[Optional[float]] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, k) in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p))
        corrected[k] = largest
    return corrected


def p_text(p: Optional[float], corrected: Optional[float] = None) -> str:
    """A p-value and, in brackets, the corrected one; "-" without."""
    if p is None:
        return "-"
    text = f"{p:.3f}" if p >= 0.001 else "< 0.001"
    return text if corrected is None else f"{text} ({p_text(corrected)})"
