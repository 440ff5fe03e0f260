"""No quantization while training: the baseline that every surrogate has to beat."""

from __future__ import annotations

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate


class Identity(ScalarSurrogate):
    """``y`` itself.

    In the decoder slot nothing resists scaling: with the rate evaluated on noise the encoder
    shrinks the latents until rounding leaves zeros. That collapse is what the baseline shows.
    """

    def __init__(self):
        """Takes no settings."""
        super().__init__()

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        return tf.identity(latents)
