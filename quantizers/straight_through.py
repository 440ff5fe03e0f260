"""Rounding forward, identity backward.

Bengio, Leonard, Courville 2013, arXiv 1308.3432; for learned compression Theis et al. 2017,
arXiv 1703.00395.
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
