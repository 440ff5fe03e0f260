"""Quality of an 8-bit reconstruction: PSNR and MS-SSIM, both on RGB."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from distortion import MultiScaleSsim, multiscale_ssim

DEFINITIONS = {
    "psnr-rgb": "PSNR over all pixels and channels of 8-bit RGB, dB; mean over images",
    "ms-ssim-rgb": "MS-SSIM of 5 scales (Wang 2003), mean of 8-bit R, G and B; mean over images",
}
"""What results files say of their qualities. Whoever changes a metric changes its words."""


def psnr(original: np.ndarray, reconstruction: np.ndarray) -> float:
    """Peak signal-to-noise ratio over all pixels and channels.

    Args:
        original: uint8 [height, width, 3].
        reconstruction: uint8, the same shape.

    Returns:
        ``10 log10(255^2 / mse)`` in dB; infinity for equal images.

    Raises:
        ValueError: Other types or shapes.
    """
    _check_pair(original, reconstruction)
    # Integers up to 255^2 are exact in int32, and so is every partial sum in float64.
    squares = np.square(original.astype(np.int32) - reconstruction)
    mse = np.mean(squares, dtype=np.float64)
    return float(10.0 * np.log10(255.0**2 / mse)) if mse > 0 else float("inf")


def ms_ssim(original: np.ndarray, reconstruction: np.ndarray) -> float:
    """Multiscale structural similarity (Wang et al. 2003), the mean over R, G and B.

    Args:
        original: uint8 [height, width, 3].
        reconstruction: uint8, the same shape.

    Returns:
        A number in 0..1, 1 for equal images. NaN where height or width is below 161 pixels: fewer
        scales would give another measure, with numbers that cannot be compared.

    Raises:
        ValueError: Other types or shapes.
    """
    _check_pair(original, reconstruction)
    if min(original.shape[:2]) < MultiScaleSsim.minimum_size:
        return float("nan")
    return min(float(_ms_ssim_graph(original[np.newaxis], reconstruction[np.newaxis])[0]), 1.0)


def ms_ssim_db(similarity):
    """``-10 log10(1 - MS-SSIM)``, elementwise: tells 0.99 from 0.995; infinity for 1."""
    with np.errstate(divide="ignore"):
        return -10.0 * np.log10(1.0 - np.asarray(similarity, np.float64))


def _check_pair(original, reconstruction):
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


@tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8)] * 2)
def _ms_ssim_graph(original, reconstruction):
    # One graph for all sizes: a third of the time of calling the operations one by one.
    return multiscale_ssim(tf.cast(original, tf.float32), tf.cast(reconstruction, tf.float32))
