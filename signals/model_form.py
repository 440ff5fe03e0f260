"""Audio as models are given it, in training, in coding and where their loss is measured."""

from __future__ import annotations

import numpy as np

from signals.high_pass import high_pass
from signals.resampling import resample, resampled_length


def at_model_rate(
    samples: np.ndarray, rate: int, model_rate: int, *, padding: str = "edge"
) -> np.ndarray:
    """Samples at a model's rate, without what lies below hearing; their level is still their own.

    Args:
        samples: float32 ``[n, channels]``, at least one.
        rate: of the samples, in Hz.
        model_rate: of the result, in Hz.
        padding: see `resample`.

    Returns:
        float32 ``[resampled_length(n, rate, model_rate), channels]``.
    """
    length = resampled_length(len(samples), rate, model_rate)
    return high_pass(resample(samples, rate, model_rate, length, padding=padding), model_rate)
