"""PSNR of luma, which weighs colours by how bright they look."""

from __future__ import annotations

import numpy as np

from evaluation.media import IMAGE
from evaluation.metrics.image import check_pair, psnr_of
from evaluation.metrics.metric import Metric

_THOUSANDTHS = np.array([299, 587, 114])
"""Weights of R, G and B in BT.601, as JPEG files (JFIF) use them."""


def luma_psnr(original: np.ndarray, reconstruction: np.ndarray) -> float:
    """PSNR of ``Y = 0.299 R + 0.587 G + 0.114 B``, 0 to 255, not rounded.

    BT.601 for video scales Y to 16..235. With 255 for the peak all the same, as MATLAB's rgb2ycbcr
    leads to, every image has 20 log10(255 / 219) = 1.32 dB more.

    Args:
        original: uint8 [height, width, 3].
        reconstruction: uint8, the same shape.

    Returns:
        ``10 log10(255^2 / mse)`` in dB; infinity for equal luma.

    Raises:
        ValueError: wrong type or shape.
    """
    check_pair(original, reconstruction)
    differences = np.subtract(original, reconstruction, dtype=np.int32) @ _THOUSANDTHS
    return psnr_of(np.mean(np.square(differences / 1000.0)))


METRICS = (
    Metric(
        key="psnr-y",
        column="psnr_y",
        name="Y-PSNR",
        unit="dB",
        medium=IMAGE,
        function=luma_psnr,
        definition="PSNR of luma, Y = 0.299 R + 0.587 G + 0.114 B (BT.601, 0 to 255), dB; "
        "mean over images",
        in_file_lines=False,
    ),
)
