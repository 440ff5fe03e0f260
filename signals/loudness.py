"""The one level at which audio is trained on and coded, so that a model fits quiet and loud alike.

It also makes a distortion weigh the same in every recording.
"""

from __future__ import annotations

import math

import numpy as np

CODING_LEVEL = -23.0
"""Root mean square of scaled samples in dB relative to full scale (dBFS)."""

CODING_POWER = 10 ** (CODING_LEVEL / 10)
"""Mean square of scaled samples; full scale is 1."""

LARGEST_GAIN = float(np.finfo(np.float32).max)
"""Samples so small that they need more (they are no float32 of full precision) stay quieter."""

LARGEST_PEAK = 0.99
"""Largest magnitude of a scaled sample; it takes precedence over the level."""


def loudness_gain(samples: np.ndarray) -> float:
    """Factor that brings samples to ``CODING_LEVEL``, or to ``LARGEST_PEAK`` if that is less.

    Args:
        samples: float of any shape in -1..1; all channels get one gain.

    Returns:
        Above 0, and a finite float32; 1.0 for silence and for no samples.
    """
    peak = float(np.max(np.abs(samples), initial=0.0))
    if peak == 0.0:
        return 1.0
    # Relative to the peak, so that no square overflows or underflows.
    relative = np.divide(samples, peak, dtype=np.float64)
    rms = peak * math.sqrt(np.mean(np.square(relative, out=relative)))
    return min(10 ** (CODING_LEVEL / 20) / rms, LARGEST_PEAK / peak, LARGEST_GAIN)


def half_decibels(gain: float) -> int:
    """A gain as files store it: whole half-decibels, -128 to 127."""
    return max(-128, min(127, round(40 * math.log10(gain))))


def from_half_decibels(steps: int) -> float:
    """The inverse of `half_decibels`, up to rounding."""
    return 10 ** (steps / 40)
