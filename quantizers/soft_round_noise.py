"""Soft rounding, uniform noise, and the conditional mean given both.

Agustsson & Theis 2020, "Universally Quantized Neural Compression", arXiv 2006.09952, section 4; the
functions are TensorFlow Compression's.
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf
import tensorflow_compression as tfc

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule


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
            expected_gradients: backpropagate the mean slope over the noise, ``r(s + 1/2) -
                r(s - 1/2)``, instead of the slope at the sample, whose variance explodes with
                alpha (standard deviation 18 at 10, against 1.5).
        """
        super().__init__(seed=seed, alpha=alpha, expected_gradients=expected_gradients)
        self._alpha = self._anneal("alpha", alpha, minimum=0.0)
        self._expected_gradients = expected_gradients
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        values, _ = tfc.perturb_and_apply(
            tfc.soft_round_conditional_mean,
            tfc.soft_round(latents, self._alpha),
            self._alpha,
            u=self._generator.uniform(tf.shape(latents), -0.5, 0.5),
            expected_grads=self._expected_gradients,
        )
        return values
