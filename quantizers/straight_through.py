"""Rounding forward, identity backward.

Bengio, Leonard, Courville 2013, arXiv 1308.3432; for learned compression Theis 2017, 1703.00395.
Two ways of writing one estimator: equal values (up to a float32 rounding) and equal gradients.
"""

from __future__ import annotations

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate


class StraightThrough(ScalarSurrogate):
    """``y + stop_gradient(round(y) - y)``."""

    def __init__(self):
        """Takes no settings."""
        super().__init__()

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        return latents + tf.stop_gradient(tf.round(latents) - latents)


class IdentityGradient(ScalarSurrogate):
    """``round(y)`` inside ``tf.custom_gradient``, whose gradient function is ``grad(dy) = dy``."""

    def __init__(self):
        """Takes no settings."""
        super().__init__()

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        return _round_with_identity_gradient(latents)


@tf.custom_gradient
def _round_with_identity_gradient(latents):
    return tf.round(latents), lambda upstream: upstream
