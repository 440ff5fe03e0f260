"""Soft rounding before and after Gaussian noise.

Kim et al. 2023, "C3: High-performance and low-complexity neural compression from a single image or
video", arXiv 2312.02753, as Cool-chic trains its latents (Leguay et al. 2023, arXiv 2307.12706, and
its published code).
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule
from quantizers.base.soft_rounding import soft_round


class SoftRoundTwice(ScalarSurrogate):
    """``s(s(y) + n)`` with s the soft rounding and n normal.

    The papers give the temperature t of s, which is ``1 / alpha``. Both functions sharpen and the
    noise narrows, so that training ends near rounding.
    """

    def __init__(
        self,
        *,
        seed: int,
        alpha: Union[float, Schedule],
        deviation: Union[float, Schedule],
    ):
        """Seeds the noise, and sets sharpness and width.

        Args:
            seed: equal seeds draw equal noise.
            alpha: sharpness of both soft roundings, number or schedule, at least 0.
            deviation: standard deviation of the noise in quantization steps, number or schedule, at
                least 0.
        """
        super().__init__(seed=seed, alpha=alpha, deviation=deviation)
        self._alpha = self._anneal("alpha", alpha, minimum=0.0)
        self._deviation = self._anneal("deviation", deviation, minimum=0.0)
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        noise = self._deviation * self._generator.normal(tf.shape(latents))
        return soft_round(soft_round(latents, self._alpha) + noise, self._alpha)
