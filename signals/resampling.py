"""Sound at another rate, through soxr, with the length that follows from the rates."""

from __future__ import annotations

import numpy as np
import soxr


def resampled_length(length: int, rate: int, to_rate: int) -> int:
    """Samples that ``length`` samples are at another rate, rounded up."""
    return -(-length * to_rate // rate)


def resample(samples: np.ndarray, rate: int, to_rate: int, length: int) -> np.ndarray:
    """Samples at ``to_rate``, exactly ``length`` of them.

    Args:
        samples: float32 ``[n, channels]``.
        rate: of the samples, in Hz.
        to_rate: of the result, in Hz.
        length: of the result; what the filter leaves off, one or two samples, repeats the last.

    Returns:
        float32 ``[length, channels]``; the samples themselves where the rates are equal.
    """
    if rate == to_rate:
        return samples
    columns = []
    for channel in samples.T:  # One at a time: an hour of six channels would be there twice.
        result = soxr.resample(np.ascontiguousarray(channel), rate, to_rate)[:length]
        if not len(result):
            result = channel[-1:]
        columns.append(np.pad(result, (0, length - len(result)), mode="edge"))
    return np.stack(columns, axis=1)
