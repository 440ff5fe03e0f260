"""Bjontegaard delta: the mean difference between two rate-distortion curves, in rate or quality.

Bjontegaard 2001, VCEG-M33, with PCHIP instead of the cubic polynomial: it passes through the points
and is monotone between them (Fritsch & Carlson 1980), where a polynomial through few points
oscillates. Interpolation and integral are those of the package ``bjontegaard`` (Herglotz et al.
2022, "Beyond Bjontegaard: limits of video compression performance comparisons", arXiv 2202.12565).
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

import bjontegaard
import numpy as np

from evaluation.comparison.pchip import PchipRows

METHOD = "pchip"
_OPTIONS = {"method": METHOD, "require_matching_points": False, "min_overlap": 0}
MINIMUM_POINTS = 4
MINIMUM_OVERLAP = 0.5


class Overlap(NamedTuple):
    """What two curves have in common along one axis.

    Attributes:
        low: lower end, in the unit of the axis.
        high: upper end; not above ``low`` without overlap.
        share: of the shorter curve, 0 to 1. (As a share of their union, which others use, it would
            fall the further the anchor extends.)
    """

    low: float
    high: float
    share: float


def overlap(anchor: np.ndarray, other: np.ndarray) -> Overlap:
    """The overlap of two sets of positions along one axis, [points] each."""
    low = max(np.min(anchor), np.min(other))
    high = min(np.max(anchor), np.max(other))
    shorter = min(np.ptp(anchor), np.ptp(other))
    return Overlap(float(low), float(high), float(max(high - low, 0) / shorter))


def check_curve(
    name: str,
    rates: np.ndarray,
    quality: np.ndarray,
    *,
    rate_unit: str = "bpp",
    unit: str = "dB",
    left_out: int = 0,
) -> None:
    """Checks that a curve has enough points and that its quality rises with its rate.

    A curve that falls somewhere is refused, not sorted or thinned: which of its points to believe
    is for the experimenter to decide.

    Args:
        name: of the curve, for messages.
        rates: [points], rising.
        quality: [points].
        rate_unit: of the rates, for messages.
        unit: of the qualities, for messages.
        left_out: number of points without a finite quality, for messages.

    Raises:
        ValueError: names the curve, the value and the rule.
    """
    if len(rates) < MINIMUM_POINTS:
        without = f" and {left_out} without a finite quality" if left_out else ""
        raise ValueError(
            f"curve {name!r} has {len(rates)} point{'s' * (len(rates) != 1)}{without}; BD-rate "
            f"needs at least {MINIMUM_POINTS}."
        )
    for k in range(1, len(rates)):
        if not (rates[k] > rates[k - 1] and quality[k] > quality[k - 1]):
            raise ValueError(
                f"curve {name!r} goes from {quality[k - 1]:.3f} {unit} at {rates[k - 1]:.4f} "
                f"{rate_unit} to {quality[k]:.3f} {unit} at {rates[k]:.4f} {rate_unit}; "
                "BD-rate needs quality that rises with the rate."
            )


def check_overlap(anchor: str, name: str, common: Overlap) -> None:
    """Raises a ValueError if two curves share too little quality."""
    if common.share < MINIMUM_OVERLAP:
        raise ValueError(
            f"curve {name!r} and the anchor {anchor!r} share {common.share:.0%} of the quality "
            f"range of the shorter one; BD-rate needs at least {MINIMUM_OVERLAP:.0%}."
        )


class RateDelta(NamedTuple):
    """The difference in rate at equal quality.

    Attributes:
        percent: BD-rate: the difference in log rate, averaged over the common qualities, as a
            change of the rate in percent. Below 0: fewer bits than the anchor.
        at: percent at each quality of the grid, NaN outside either curve; [grid].
    """

    percent: float
    at: np.ndarray


def rate_delta(
    anchor_rates: np.ndarray,
    anchor_quality: np.ndarray,
    rates: np.ndarray,
    quality: np.ndarray,
    grid: Optional[np.ndarray] = None,
) -> RateDelta:
    """BD-rate of a curve against an anchor, and the difference in rate along a grid of qualities.

    Args:
        anchor_rates: [points of the anchor], rising.
        anchor_quality: dB, rising.
        rates: [points], rising.
        quality: dB, rising.
        grid: qualities in dB; None for none.
    """
    percent, of_anchor, of_curve = bjontegaard.bd_rate(
        anchor_rates, anchor_quality, rates, quality, interpolators=True, **_OPTIONS
    )
    grid = np.zeros(0) if grid is None else grid
    # Beyond their points, interpolators extrapolate by meaningless polynomials.
    inside = (grid >= max(anchor_quality[0], quality[0])) & (
        grid <= min(anchor_quality[-1], quality[-1])
    )
    at = np.full(len(grid), np.nan)
    at[inside] = 100 * (10 ** (of_curve(grid[inside]) - of_anchor(grid[inside])) - 1)
    return RateDelta(float(percent), at)


def quality_delta(
    anchor_rates: np.ndarray, anchor_quality: np.ndarray, rates: np.ndarray, quality: np.ndarray
) -> Optional[float]:
    """BD-PSNR, or of any quality in dB: the mean difference over the common log rates.

    Returns:
        dB, above 0 if the curve is better than the anchor; None if the log rates overlap less than
        ``MINIMUM_OVERLAP``, which happens even if the qualities overlap.
    """
    if overlap(np.log10(anchor_rates), np.log10(rates)).share < MINIMUM_OVERLAP:
        return None
    return float(bjontegaard.bd_psnr(anchor_rates, anchor_quality, rates, quality, **_OPTIONS))


def rate_deltas(
    anchor_rates: np.ndarray,
    anchor_quality: np.ndarray,
    rates: np.ndarray,
    quality: np.ndarray,
    grid: np.ndarray,
) -> Tuple[np.ndarray, np.ndarray]:
    """As `rate_delta`, of many pairs of curves at once: [pairs, points] each.

    Returns:
        BD-rates [pairs] and differences along the grid [pairs, grid], percent. Pairs whose quality
        does not rise with the rate, or whose overlap is too small, have NaN.
    """
    curves = [anchor_rates, anchor_quality, rates, quality]
    with np.errstate(invalid="ignore"):  # Infinite qualities are left out.
        rising = [np.isfinite(each) & (np.diff(each, prepend=-np.inf) > 0) for each in curves]
    good = np.all([each.all(axis=1) for each in rising], axis=0)
    low = np.maximum(anchor_quality[:, 0], quality[:, 0])
    high = np.minimum(anchor_quality[:, -1], quality[:, -1])
    shorter = np.minimum(np.ptp(anchor_quality, axis=1), np.ptp(quality, axis=1))
    good[good] = (high - low)[good] >= MINIMUM_OVERLAP * shorter[good]
    percents, differences = np.full(len(good), np.nan), np.full([len(good), len(grid)], np.nan)
    if not good.any():
        return percents, differences
    low, high = low[good], high[good]
    of_anchor = PchipRows(anchor_quality[good], np.log10(anchor_rates[good]))
    of_curve = PchipRows(quality[good], np.log10(rates[good]))
    mean = (of_curve.integral(low, high) - of_anchor.integral(low, high)) / (high - low)
    percents[good] = 100 * (10**mean - 1)
    inside = np.clip(grid, low[:, np.newaxis], high[:, np.newaxis])
    at = 100 * (10 ** (of_curve(inside) - of_anchor(inside)) - 1)
    differences[good] = np.where(inside == grid, at, np.nan)
    return percents, differences


class InterpolationError(NamedTuple):
    """How far a BD-rate depends on what is drawn between the points.

    Attributes:
        akima: BD-rate with Akima's interpolation in place of PCHIP, percent.
        subset: the largest change of the BD-rate if one inner point is left out, percent.
        percent: the larger of ``subset`` and the distance of ``akima`` from the BD-rate.
    """

    akima: float
    subset: float
    percent: float


def interpolation_error(
    anchor_rates: np.ndarray, anchor_quality: np.ndarray, rates: np.ndarray, quality: np.ndarray
) -> InterpolationError:
    """The error that interpolation may add to a BD-rate; arguments as for `rate_delta`.

    Two checks after Herglotz et al. 2023, "The Bjontegaard Bible", arXiv 2304.12852: another
    interpolation, and subsets of the points. The subsets here are all but one inner point of one
    curve, so that both ends, and with them the qualities compared, stay the same.
    """
    pair = (anchor_rates, anchor_quality, rates, quality)
    percent = rate_delta(*pair).percent
    akima = float(bjontegaard.bd_rate(*pair, **{**_OPTIONS, "method": "akima"}))
    changes = [0.0]
    for first in (0, 2):
        for left_out in range(1, len(pair[first]) - 1):
            subset = list(pair)
            for which in (first, first + 1):
                subset[which] = np.delete(pair[which], left_out)
            changes.append(abs(rate_delta(*subset).percent - percent))
    error = max(*changes, abs(akima - percent))
    return InterpolationError(akima, max(changes), float(error))
