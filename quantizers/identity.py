"""No quantization in training: the baseline that every surrogate must beat."""

from __future__ import annotations

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate


class Identity(ScalarSurrogate):
    """``y`` itself.

    In the decoder slot it lets latents shrink freely: with the rate evaluated on noise, the encoder
    scales them down until rounding leaves zeros. The baseline shows that collapse.
    """

    def __init__(self):
        """Takes no settings."""
        super().__init__()

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        return tf.identity(latents)
