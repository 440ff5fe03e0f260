"""The modulated lapped transform, which ``models.lapped_audio`` begins as.

Princen and Bradley 1986, "Analysis/synthesis filter bank design based on time domain aliasing
cancellation", also known as MDCT: windows of 2 M samples, each overlapping half of its neighbours,
have M coefficients, and the transform is orthogonal.
"""

from __future__ import annotations

import numpy as np

SPREAD, CORNER, SLOPE = 0.568, 271.0, 1.5
"""Standard deviation of a coefficient at f Hz: ``SPREAD * (1 + f / CORNER)**-SLOPE``, for audio
whose samples have a root mean square of -23 dBFS. Fitted, from 150 to 3800 Hz, to 300 of the
recordings of ``docs/pretrained.md``; the logarithms of what it predicts are off by 0.18 (root mean
square)."""


def window(size: int) -> np.ndarray:
    """Of ``2 * size`` samples; that of Vorbis, whose side lobes fall faster than a sine's."""
    sines = np.sin(np.pi * (np.arange(2 * size) + 0.5) / (2 * size))
    return np.sin(np.pi / 2 * sines**2)


def kernel(size: int) -> np.ndarray:
    """Orthonormal basis functions ``[2 * size, frequencies]``."""
    sample, frequency = np.mgrid[: 2 * size, :size]
    phases = np.pi / size * (sample + 0.5 + size / 2) * (frequency + 0.5)
    return np.sqrt(2 / size) * window(size)[:, np.newaxis] * np.cos(phases)


def spreads(size: int, sample_rate: int) -> np.ndarray:
    """Standard deviations ``[size]`` of the coefficients of speech, from low to high."""
    hertz = (np.arange(size) + 0.5) * sample_rate / (2 * size)
    # Normalized for 8 kHz: at other rates, speech has the same power in other shares.
    return SPREAD * (1 + hertz / CORNER) ** -SLOPE
