"""Additive Gaussian noise whose deviation narrows.

Kim et al. 2023, "C3: High-performance and low-complexity neural compression from a single image or
video", arXiv 2312.02753.
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule


class GaussianNoise(ScalarSurrogate):
    """``y + n`` with n normal; C3 narrows its standard deviation from .22 to .15."""

    def __init__(self, *, seed: int, deviation: Union[float, Schedule]):
        """Seeds the noise and sets its width.

        Args:
            seed: equal seeds draw equal noise.
            deviation: standard deviation in quantization steps, number or schedule, at least 0.
        """
        super().__init__(seed=seed, deviation=deviation)
        self._deviation = self._anneal("deviation", deviation, minimum=0.0)
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        return latents + self._deviation * self._generator.normal(tf.shape(latents))
