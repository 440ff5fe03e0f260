"""1 - MS-SSIM (Wang, Simoncelli, Bovik 2003, "Multiscale structural similarity").

Equal to ``tf.image.ssim_multiscale`` in value, but trainable: TensorFlow clips negative terms to
zero before a fractional power, whose gradient there is infinity times zero. An untrained decoder
does produce negative terms, so here each term is raised to a small positive floor but keeps its
gradient: the loss pulls the term up instead of breaking.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # section 4 of the paper, finest scale first
_FILTER_SIZE = 11
_FILTER_SIGMA = 1.5
_C1 = (0.01 * 255.0) ** 2
_C2 = (0.03 * 255.0) ** 2

# Only almost unrelated images have a term below this. The slope of term^weight stays
# below 8 (it grows as 1 / floor).
_TRAINING_FLOOR = 0.01


class MultiScaleSsim:
    """``1 - MS-SSIM`` with 5 scales and an 11x11 Gaussian window, channel by channel."""

    medium = "image"
    # Each of the four halvings rounds up; the window must fit the last scale: ceil(161 / 16) = 11.
    minimum_size = (_FILTER_SIZE - 1) * 2 ** (len(_WEIGHTS) - 1) + 1

    def __init__(self, mse_weight: float = 0.013 / 16.64):
        """Keeps the weight.

        Args:
            mse_weight: the weight of an MSE that leads to about the same rate as a weight of 1 for
                this distortion; models choose their first quantization step by it. The default
                is about the ratio of CompressAI's weights for MSE and MS-SSIM.
        """
        self.mse_weight = mse_weight

    def __call__(self, originals: tf.Tensor, reconstructions: tf.Tensor) -> tf.Tensor:
        """Compares two batches.

        Args:
            originals: float32 [batch, height, width, 3] in 0..255, height and width at least 161.
            reconstructions: The same shape; unclipped values are welcome.

        Returns:
            float32 [batch], in 0..1: 0 for equal images.

        Raises:
            ValueError: The images are too small for five scales.
        """
        height, width = originals.shape[1:3]
        if min(height or self.minimum_size, width or self.minimum_size) < self.minimum_size:
            raise ValueError(
                f"ms_ssim needs images of at least {self.minimum_size}x{self.minimum_size} pixels, "
                f"got {height}x{width}: choose a larger patch_size or distortion=mse"
            )
        return 1.0 - multiscale_ssim(originals, reconstructions, floor=_TRAINING_FLOOR)


def multiscale_ssim(
    originals: tf.Tensor, reconstructions: tf.Tensor, *, floor: float = 0.0
) -> tf.Tensor:
    """MS-SSIM of each image in a batch, averaged over its channels.

    Args:
        originals: float32 [batch, height, width, channels] in 0..255.
        reconstructions: The same shape.
        floor: Lower bound of a scale's term. 0 is the definition; gradients need more.

    Returns:
        float32 [batch], in 0..1.
    """
    similarity = 1.0
    for scale, weight in enumerate(_WEIGHTS):
        if scale > 0:
            # At an odd size, SAME averages the pixels that exist: what symmetric padding gives.
            originals = tf.nn.avg_pool2d(originals, 2, 2, "SAME")
            reconstructions = tf.nn.avg_pool2d(reconstructions, 2, 2, "SAME")
        luminance, contrast_structure = _ssim_maps(originals, reconstructions)
        last = scale == len(_WEIGHTS) - 1  # the only scale that looks at luminance
        local = luminance * contrast_structure if last else contrast_structure
        term = tf.reduce_mean(local, axis=[1, 2])
        term += tf.stop_gradient(tf.maximum(term, floor) - term)
        similarity *= term**weight
    return tf.reduce_mean(similarity, axis=-1)


def _ssim_maps(x, y):
    """Luminance and contrast-structure of SSIM, each [batch, height - 10, width - 10, channels]."""
    # One pass over all four, side by side: a depthwise convolution of 3 channels is half as fast.
    maps = tf.concat([x, y, x * y, x**2 + y**2], axis=-1)
    mean_x, mean_y, mean_xy, mean_squares = tf.split(_blur(maps), 4, axis=-1)
    product = 2.0 * mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    luminance = (product + _C1) / (squares + _C1)
    covariance = 2.0 * mean_xy - product
    variances = mean_squares - squares
    return luminance, (covariance + _C2) / (variances + _C2)


def _blur(images):
    """Weighted local means: the 11x11 Gaussian as two passes of 11 taps."""
    offsets = np.arange(_FILTER_SIZE) - (_FILTER_SIZE - 1) / 2
    taps = np.exp(-(offsets**2) / (2 * _FILTER_SIGMA**2))
    taps = tf.constant(taps / taps.sum(), tf.float32)
    for shape in ([_FILTER_SIZE, 1, 1, 1], [1, _FILTER_SIZE, 1, 1]):
        kernel = tf.tile(tf.reshape(taps, shape), [1, 1, images.shape[-1], 1])
        images = tf.nn.depthwise_conv2d(images, kernel, [1, 1, 1, 1], "VALID")
    return images
