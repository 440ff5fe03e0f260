"""Mean squared error on the 0..255 scale.

TFC and CompressAI weight the same quantity (CompressAI as 255^2 times the error of images in 0..1),
so a published ``lmbda`` means the same here.
"""

from __future__ import annotations

import tensorflow as tf


class MeanSquaredError:
    """``mean((x - x_hat)^2)`` over pixels and channels."""

    medium = "image"
    minimum_size = 1  # pixels that height and width need at least

    def __call__(self, originals: tf.Tensor, reconstructions: tf.Tensor) -> tf.Tensor:
        """Compares two batches.

        Args:
            originals: float32 [batch, height, width, 3] in 0..255.
            reconstructions: The same shape; unclipped values are welcome.

        Returns:
            float32 [batch], in squared grey levels.
        """
        return tf.reduce_mean(
            tf.math.squared_difference(originals, reconstructions), axis=[1, 2, 3]
        )
