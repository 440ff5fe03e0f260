"""The level at which sound is coded, -23 dBFS RMS: one model fits quiet and loud recordings.

Training segments are brought to the same level (``data.loudness``).
"""

from __future__ import annotations

import math

import numpy as np

CODING_RMS = 10 ** (-23 / 20)
LARGEST_PEAK = 0.99


def loudness_gain(samples: np.ndarray) -> float:
    """Factor that brings samples to -23 dBFS RMS, or their peak to 0.99 where that is less.

    Args:
        samples: float of any shape in -1..1; all channels get one gain.

    Returns:
        Above 0; 1.0 for silence.
    """
    peak = float(np.max(np.abs(samples), initial=0.0))
    if peak == 0.0:
        return 1.0
    # Over the peak first: the squares of the faintest sounds would vanish in float32.
    rms = peak * math.sqrt(float(np.mean(np.square(samples / peak, dtype=np.float64))))
    return min(CODING_RMS / rms, LARGEST_PEAK / peak)


def half_decibels(gain: float) -> int:
    """A gain as a file has it: whole half-decibels, -128 to 127."""
    return max(-128, min(127, round(40 * math.log10(gain))))


def from_half_decibels(steps: int) -> float:
    """The inverse of ``half_decibels`` but for rounding."""
    return 10 ** (steps / 40)
