"""Metrics of 8-bit images: PSNR and MS-SSIM, both of RGB."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from distortion import MultiScaleSsim, multiscale_ssim
from evaluation.media import IMAGE
from evaluation.metrics.metric import Metric


def psnr(original: np.ndarray, reconstruction: np.ndarray) -> float:
    """Peak signal-to-noise ratio over all pixels and channels.

    Args:
        original: uint8 [height, width, 3].
        reconstruction: uint8, the same shape.

    Returns:
        ``10 log10(255^2 / mse)`` in dB; infinity for equal images.

    Raises:
        ValueError: wrong type or shape.
    """
    check_pair(original, reconstruction)
    # Integers up to 255^2 are exact in int32, and so is every partial sum in float64.
    squares = np.square(original.astype(np.int32) - reconstruction)
    mse = np.mean(squares, dtype=np.float64)
    return psnr_of(mse)


def ms_ssim(original: np.ndarray, reconstruction: np.ndarray) -> float:
    """Multiscale structural similarity (Wang et al. 2003), averaged over R, G and B.

    Args:
        original: uint8 [height, width, 3].
        reconstruction: uint8, the same shape.

    Returns:
        0 to 1, where 1 means equal. NaN if height or width is below 161 pixels: with fewer scales
        it would be a different metric.

    Raises:
        ValueError: wrong type or shape.
    """
    check_pair(original, reconstruction)
    if min(original.shape[:2]) < MultiScaleSsim.minimum_size:
        return float("nan")
    return min(float(_ms_ssim_graph(original[np.newaxis], reconstruction[np.newaxis])[0]), 1.0)


def ms_ssim_db(similarity):
    """``-10 log10(1 - MS-SSIM)``, elementwise; infinity for 1, NaN above.

    MS-SSIM crowds below 1: in decibels 0.99 and 0.995 are as far apart as they look.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return -10.0 * np.log10(1.0 - np.asarray(similarity, np.float64))


def psnr_of(mse: float) -> float:
    """Of a mean squared error on the scale of 0 to 255: dB, infinity for 0."""
    return float(10.0 * np.log10(255.0**2 / mse)) if mse > 0 else float("inf")


def check_pair(original: np.ndarray, reconstruction: np.ndarray) -> None:
    """Raises a ValueError unless both are uint8 ``[height, width, 3]`` of one shape."""
    for argument, pixels in (("original", original), ("reconstruction", reconstruction)):
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise ValueError(
                f"{argument} must be uint8 [height, width, 3], got {pixels.dtype} {pixels.shape}"
            )
    if original.shape != reconstruction.shape:
        raise ValueError(
            f"reconstruction must have the original's shape {original.shape}, "
            f"got {reconstruction.shape}"
        )


METRICS = (
    Metric(
        key="psnr-rgb",
        column="psnr",
        name="PSNR",
        unit="dB",
        medium=IMAGE,
        function=psnr,
        definition="PSNR over all pixels and channels of 8-bit RGB, dB; mean over images",
    ),
    Metric(
        key="ms-ssim-rgb",
        column="ms_ssim",
        name="MS-SSIM",
        unit="dB",
        medium=IMAGE,
        function=ms_ssim,
        definition="MS-SSIM of 5 scales (Wang 2003), mean of 8-bit R, G and B; mean over images",
        digits=4,
        scale=ms_ssim_db,
        note="MS-SSIM in dB is -10 log10(1 - MS-SSIM).",
    ),
)


@tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8)] * 2, autograph=False)
def _ms_ssim_graph(original, reconstruction):
    # One graph for all sizes takes a third of the time of eager operations.
    return multiscale_ssim(tf.cast(original, tf.float32), tf.cast(reconstruction, tf.float32))
