"""Additive noise whose distribution anneals from a bump to uniform.

Kim et al. 2023, "C3: High-performance and low-complexity neural compression from a single image or
video", arXiv 2312.02753.
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule

LARGEST_A = 100.0
"""Beyond it 2^a and the noise's powers leave the range of float32."""


class KumaraswamyNoise(ScalarSurrogate):
    """``y + n`` with n Kumaraswamy-distributed, shifted to [-1/2, 1/2] with its mode at 0.

    With shape ``a`` the other shape is ``b = (2^a (a - 1) + 1) / a``; a = 1 is uniform noise,
    a = 2 a bump.
    """

    def __init__(self, *, seed: int, a: Union[float, Schedule]):
        """Seeds the noise and sets its shape.

        Args:
            seed: equal seeds draw equal noise.
            a: number or schedule, 1 to 100.

        Raises:
            ValueError: ``a`` is out of its range at some step.
        """
        super().__init__(seed=seed, a=a)
        self._a = self._anneal("a", a, minimum=1.0)
        if self.annealed["a"].schedule.bounds[1] > LARGEST_A:
            raise ValueError(f"a={a!r} of {self.name} must be at most {LARGEST_A:g}.")
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        b = (2.0**self._a * (self._a - 1) + 1) / self._a
        u = self._generator.uniform(tf.shape(latents))
        # 1 - (1 - u)^(1 / b), whose digits cancel from a = 16 on.
        power = -tf.math.expm1(tf.math.log1p(-u) / b)
        return latents + (power ** (1 / self._a) - 0.5)
