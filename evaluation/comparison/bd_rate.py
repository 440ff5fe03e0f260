"""Bjontegaard's delta: the mean difference between two rate-distortion curves, in rate or quality.

Bjontegaard 2001, VCEG-M33, with PCHIP in the place of the cubic polynomial: through the points and
monotone between them (Fritsch & Carlson 1980), where a polynomial of few points swings. The
interpolation and the integral are those of the package ``bjontegaard`` (Herglotz et al. 2022,
"Beyond Bjontegaard: limits of video compression performance comparisons", arXiv 2202.12565).
"""

from __future__ import annotations

from typing import NamedTuple, Optional

import bjontegaard
import numpy as np

METHOD = "pchip"
MINIMUM_POINTS = 4
MINIMUM_OVERLAP = 0.5


class TooLittleOverlap(ValueError):
    """Two curves share too little of their qualities for a BD-rate; others may compare well."""


class Overlap(NamedTuple):
    """What two curves have in common along one axis.

    Attributes:
        low: where it begins, in the unit of the axis.
        high: where it ends; not above ``low`` where there is none.
        share: of the shorter of the two curves, 0 to 1. (Of their union, as others have it, a
            curve would be the worse comparable the further its anchor goes on.)
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
    name: str, bpp: np.ndarray, quality: np.ndarray, *, rate_unit: str = "bpp", unit: str = "dB"
) -> None:
    """A curve has a delta if it has enough points and its quality rises with its rate.

    A curve that falls somewhere is refused, not sorted or thinned: which of its points to believe
    is a question to the experiment.

    Args:
        name: of the curve, for the message.
        bpp: [points], in rising order.
        quality: [points].
        rate_unit: of the rates, for the message.
        unit: of the qualities, for the message.

    Raises:
        ValueError: names the curve, the value and the rule.
    """
    if len(bpp) < MINIMUM_POINTS:
        raise ValueError(
            f"curve {name!r} has {len(bpp)} point{'s' * (len(bpp) != 1)}; BD-rate needs at least "
            f"{MINIMUM_POINTS}."
        )
    for k in range(1, len(bpp)):
        if not (bpp[k] > bpp[k - 1] and quality[k] > quality[k - 1]):
            raise ValueError(
                f"curve {name!r} goes from {quality[k - 1]:.3f} {unit} at {bpp[k - 1]:.4f} "
                f"{rate_unit} to {quality[k]:.3f} {unit} at {bpp[k]:.4f} {rate_unit}; "
                "BD-rate needs quality that rises with the rate."
            )


def check_overlap(anchor: str, name: str, common: Overlap) -> None:
    """Two curves are compared where both are known, which must not be too little.

    Raises:
        ValueError: names the curves, the value and the rule.
    """
    if common.share < MINIMUM_OVERLAP:
        raise TooLittleOverlap(
            f"curve {name!r} and the anchor {anchor!r} share {common.share:.0%} of the quality "
            f"range of the shorter one; BD-rate needs at least {MINIMUM_OVERLAP:.0%}."
        )


class RateDelta(NamedTuple):
    """The difference in rate at equal quality.

    Attributes:
        percent: BD-rate: the mean over the common qualities of the difference in log rate, as a
            change of the rate in percent. Below 0: fewer bits than the anchor.
        at: percent at each position of the grid, NaN outside of either curve; [grid].
    """

    percent: float
    at: np.ndarray


def rate_delta(
    anchor_bpp: np.ndarray,
    anchor_quality: np.ndarray,
    bpp: np.ndarray,
    quality: np.ndarray,
    grid: Optional[np.ndarray] = None,
) -> RateDelta:
    """BD-rate of a curve against an anchor, and the difference in rate along a grid of qualities.

    Args:
        anchor_bpp: [points of the anchor], rising.
        anchor_quality: dB, rising with it.
        bpp: [points].
        quality: dB.
        grid: qualities in dB; None for none.
    """
    percent, of_anchor, of_curve = bjontegaard.bd_rate(
        anchor_bpp,
        anchor_quality,
        bpp,
        quality,
        method=METHOD,
        require_matching_points=False,
        interpolators=True,
        min_overlap=0,
    )
    grid = np.zeros(0) if grid is None else grid
    # Outside of their points interpolators go on by polynomials that mean nothing.
    inside = (grid >= max(anchor_quality[0], quality[0])) & (
        grid <= min(anchor_quality[-1], quality[-1])
    )
    at = np.full(len(grid), np.nan)
    at[inside] = 100 * (10 ** (of_curve(grid[inside]) - of_anchor(grid[inside])) - 1)
    return RateDelta(float(percent), at)


def quality_delta(
    anchor_bpp: np.ndarray, anchor_quality: np.ndarray, bpp: np.ndarray, quality: np.ndarray
) -> Optional[float]:
    """BD-PSNR (of any quality in dB): the mean difference over the common range of log rates.

    Returns:
        dB, above 0 where the curve is better; None where the curves' log rates overlap less than
        ``MINIMUM_OVERLAP``, which happens although their qualities overlap.
    """
    if overlap(np.log10(anchor_bpp), np.log10(bpp)).share < MINIMUM_OVERLAP:
        return None
    return float(
        bjontegaard.bd_psnr(
            anchor_bpp,
            anchor_quality,
            bpp,
            quality,
            method=METHOD,
            require_matching_points=False,
            min_overlap=0,
        )
    )


def rising(bpp: np.ndarray, quality: np.ndarray) -> bool:
    """Whether both rise from point to point."""
    return bool((np.diff(bpp) > 0).all() and (np.diff(quality) > 0).all())
