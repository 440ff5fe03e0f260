"""PSNR of luma, which video codecs and their literature report.

Luma is that of BT.601, full range, as JPEG files have it, not rounded.
"""

from __future__ import annotations

import numpy as np

from evaluation.media import IMAGE
from evaluation.metrics.metric import Metric

_WEIGHTS = (0.299, 0.587, 0.114)


def psnr_y(original: np.ndarray, reconstruction: np.ndarray) -> float:
    """Peak signal-to-noise ratio of luma.

    Args:
        original: uint8 [height, width, 3].
        reconstruction: uint8, the same shape.

    Returns:
        ``10 log10(255^2 / mse)`` in dB; infinity for equal luma.
    """
    error = (original.astype(np.float64) - reconstruction) @ _WEIGHTS
    mse = np.mean(np.square(error))
    return float(10.0 * np.log10(255.0**2 / mse)) if mse > 0 else float("inf")


METRICS = (
    Metric(
        key="psnr-y",
        column="psnr_y",
        name="Y-PSNR",
        unit="dB",
        medium=IMAGE,
        function=psnr_y,
        definition="PSNR of BT.601 full-range luma of 8-bit RGB, dB; mean over images",
    ),
)
