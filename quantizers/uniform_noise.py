"""Additive uniform noise in place of the rounding error.

Balle, Laparra, Simoncelli 2017, "End-to-end Optimized Image Compression", arXiv 1611.01704. The
rate of noisy latents is that of the density convolved with the unit box.
"""

from __future__ import annotations

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate


class UniformNoise(ScalarSurrogate):
    """``y + u`` with ``u`` uniform on [-1/2, 1/2), drawn anew at each call.

    The generator's state is a variable, so a checkpoint resumes the stream where it was.
    """

    def __init__(self, *, seed: int):
        """Seeds the noise.

        Args:
            seed: equal seeds draw equal noise, so that runs with other surrogates stay paired.
        """
        super().__init__(seed=seed)
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        return latents + self._generator.uniform(tf.shape(latents), -0.5, 0.5)
