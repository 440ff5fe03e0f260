"""Straight-through whose gradient sees the rounding error grow with the latents.

Mack et al. 2025, "Efficient evaluation of quantization-effects in neural codecs", arXiv
2502.04770, their modified straight-through estimator. We could read only summaries of the
paper; one deviation per channel, over the batch, is our choice.
"""

from __future__ import annotations

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.indices import with_gradient_of

SMALLEST = 1e-6
"""Added to the variance: its root has no slope where all latents are equal."""


class ScaledStraightThrough(ScalarSurrogate):
    """``round(y)`` with the gradient of ``y + s stop_gradient((round(y) - y) / s)``.

    ``s`` is the standard deviation of a channel, the last axis of y. The plain estimator takes the
    error for a constant, so an encoder seems to make it harmless by making the latents larger.
    Here the error grows with them.
    """

    def __init__(self):
        """Takes no settings."""
        super().__init__()

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        rounded = tf.round(latents)
        all_but_channels = list(range(len(latents.shape) - 1))
        variance = tf.math.reduce_variance(latents, all_but_channels)
        deviation = tf.sqrt(variance + SMALLEST)
        error = tf.stop_gradient((rounded - latents) / deviation)
        return with_gradient_of(latents + deviation * error, hard=rounded)
