"""What lies below hearing, as offsets and rumble of cheap microphones: removed before coding.

Bits spent on it are lost, and a codec that hides its errors behind the strongest part of a spectrum
hides them behind what nobody hears. Other codecs remove it too: libopus filters at 3 Hz, and at 60
to 100 Hz where it is told that it codes speech (src/opus_encoder.c, silk/tuning_parameters.h).
"""

from __future__ import annotations

import numpy as np
from scipy import signal

CUTOFF = 20.0
"""Hz at which 3 dB are taken away in each direction: audio at 100 Hz changes by 0.2 %."""

SHARE_OF_RATE = 400
"""No more than this part of the sample rate is removed, however low the rate."""

_BLOCK = 2**20


def high_pass(samples: np.ndarray, rate: int) -> np.ndarray:
    """Samples without what is below 20 Hz, nothing of the rest delayed.

    A Butterworth filter of second order, forwards and backwards. At both ends the recording goes on
    as its mirror image, so that an offset leaves no step there.

    Args:
        samples: float32 ``[n, channels]``, at least one.
        rate: of the samples, in Hz.

    Returns:
        float32 ``[n, channels]``, a new array.
    """
    cutoff = min(CUTOFF, rate / SHARE_OF_RATE)
    sections = signal.butter(2, cutoff, "highpass", fs=rate, output="sos")
    margin = int(3 * rate / cutoff)
    result = np.empty_like(samples)
    for channel in range(samples.shape[1]):  # One at a time: long recordings fill the memory.
        row = np.pad(samples[:, channel], margin, mode="symmetric")
        for _ in range(2):
            row = _filtered(sections, row)[::-1]
        result[:, channel] = row[margin : len(row) - margin]
    return result


def _filtered(sections: np.ndarray, row: np.ndarray) -> np.ndarray:
    """In float64, block by block."""
    result = np.empty(row.shape, np.float32)
    state = signal.sosfilt_zi(sections) * float(row[0])
    for start in range(0, len(row), _BLOCK):
        block = slice(start, start + _BLOCK)
        result[block], state = signal.sosfilt(sections, row[block].astype(np.float64), zi=state)
    return result
