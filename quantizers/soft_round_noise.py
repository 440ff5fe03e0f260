"""Soft rounding, uniform noise, and the conditional mean given both.

Agustsson & Theis 2020, "Universally Quantized Neural Compression", arXiv 2006.09952, section 4.
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.indices import with_gradient_of
from quantizers.base.schedules import Schedule
from quantizers.base.soft_rounding import conditional_mean, soft_round


class SoftRoundNoise(ScalarSurrogate):
    """``s^-1(z - 1/2) + 1/2`` with ``z = s(y) + u`` and s the soft rounding.

    The density convolved with the unit box is the right one at this value, so it may fill both
    slots.
    """

    def __init__(
        self, *, seed: int, alpha: Union[float, Schedule], expected_gradients: bool = True
    ):
        """Sets sharpness and estimator.

        Args:
            seed: equal seeds draw equal noise.
            alpha: number or schedule, at least 0.
            expected_gradients: backpropagate the mean slope over the noise, instead of the slope at
                the sample, whose variance explodes with alpha (standard deviation 18 at 10, against
                1.5). The mean is ``s^-1(s) - s^-1(s - 1) = 1``, so the gradient is ``SoftRound``'s.
        """
        super().__init__(seed=seed, alpha=alpha, expected_gradients=expected_gradients)
        self._alpha = self._anneal("alpha", alpha, minimum=0.0)
        self._expected_gradients = expected_gradients
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        soft = soft_round(latents, self._alpha)
        noise = self._generator.uniform(tf.shape(latents), -0.5, 0.5)
        mean = conditional_mean(soft + noise, self._alpha)
        return with_gradient_of(soft, hard=mean) if self._expected_gradients else mean
