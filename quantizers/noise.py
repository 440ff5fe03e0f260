"""Additive noise in place of the rounding error, of one width or of a narrowing one.

Uniform noise: Balle, Laparra, Simoncelli 2017, "End-to-end Optimized Image Compression",
arXiv 1611.01704; the rate it gives is that of the density convolved with the unit box. Narrowing
noise: Kim et al. 2023, "C3: High-performance and low-complexity neural compression from a single
image or video", arXiv 2312.02753.
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule


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


class KumaraswamyNoise(ScalarSurrogate):
    """``y + n`` with n of a Kumaraswamy distribution, moved to [-1/2, 1/2] with its mode at 0.

    With shape ``a`` the other shape is ``b = (2^a (a - 1) + 1) / a``; a = 1 is uniform noise,
    a = 2 a bump.
    """

    def __init__(self, *, seed: int, a: Union[float, Schedule]):
        """Seeds the noise and sets its shape.

        Args:
            seed: equal seeds draw equal noise.
            a: number or schedule, at least 1.
        """
        super().__init__(seed=seed, a=a)
        self._a = self._anneal("a", a, minimum=1.0)
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        b = (2.0**self._a * (self._a - 1) + 1) / self._a
        u = self._generator.uniform(tf.shape(latents))
        return latents + (1 - (1 - u) ** (1 / b)) ** (1 / self._a) - 0.5


class GaussianNoise(ScalarSurrogate):
    """``y + n`` with n normal; C3 narrows its standard deviation from .22 to .15."""

    def __init__(self, *, seed: int, deviation: Union[float, Schedule]):
        """Seeds the noise and sets its width.

        Args:
            seed: equal seeds draw equal noise.
            deviation: standard deviation in grid steps, number or schedule, at least 0.
        """
        super().__init__(seed=seed, deviation=deviation)
        self._deviation = self._anneal("deviation", deviation, minimum=0.0)
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        return latents + self._deviation * self._generator.normal(tf.shape(latents))
