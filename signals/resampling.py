"""Audio at another sample rate, through soxr, with the length that follows from the rates."""

from __future__ import annotations

import numpy as np
import soxr


def resampled_length(length: int, rate: int, to_rate: int) -> int:
    """Number of samples at another rate, rounded up."""
    return -(-length * to_rate // rate)


def resample(
    samples: np.ndarray, rate: int, to_rate: int, length: int, *, padding: str = "edge"
) -> np.ndarray:
    """Samples at ``to_rate``, exactly ``length`` of them.

    Args:
        samples: float32 ``[n, channels]``.
        rate: of the samples, in Hz.
        to_rate: of the result, in Hz.
        length: of the result.
        padding: what fills up the sample or two that the filter omits: "edge" repeats the last one,
            as codecs do; "constant" adds zeros, as in training segments.

    Returns:
        float32 ``[length, channels]``; the samples themselves if the rates are equal.
    """
    if rate == to_rate:
        return samples
    columns = []
    for channel in samples.T:  # One at a time, so that long recordings are not in memory twice.
        result = soxr.resample(np.ascontiguousarray(channel), rate, to_rate)[:length]
        if not len(result) and padding == "edge":
            result = channel[-1:]
        columns.append(np.pad(result, (0, length - len(result)), mode=padding))
    return np.stack(columns, axis=1)
