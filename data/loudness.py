"""One loudness for all training recordings, so that a distortion weighs the same in each."""

from __future__ import annotations

import numpy as np

LEVEL = -23.0
"""Root mean square of a scaled recording in dB relative to full scale (dBFS)."""

PEAK = 0.99
"""Largest magnitude of a scaled sample; it wins over the level."""


def loudness_gain(samples: np.ndarray) -> float:
    """Factor that brings a recording to `LEVEL`, or its peak to `PEAK` where that is less.

    Args:
        samples: one recording, of any shape: all channels get one gain.

    Returns:
        The factor; 1.0 for silence and for no samples, which nothing could scale.
    """
    samples = np.asarray(samples, np.float64)
    peak = np.max(np.abs(samples), initial=0.0)
    if peak == 0:
        return 1.0
    # Relative to the peak, so that no square over- or underflows.
    rms = peak * np.sqrt(np.mean(np.square(samples / peak)))
    return float(min(10 ** (LEVEL / 20) / rms, PEAK / peak))
