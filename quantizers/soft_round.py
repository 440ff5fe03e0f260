"""Soft rounding, a stair of hyperbolic tangents between identity and rounding, in three uses.

Agustsson & Theis 2020, "Universally Quantized Neural Compression", arXiv 2006.09952, section 4; the
functions are TensorFlow Compression's. As a value alone it understates the rate, so evaluate the
rate on noise or on rounded values.
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf
import tensorflow_compression as tfc

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule


class SoftRound(ScalarSurrogate):
    """``floor(y) + 1/2 + tanh(alpha r) / (2 tanh(alpha / 2))`` with ``r = y - floor(y) - 1/2``."""

    def __init__(self, *, alpha: Union[float, Schedule]):
        """Sets the sharpness.

        Args:
            alpha: number or schedule, at least 0: below 1e-3 the identity, towards infinity round.
        """
        super().__init__(alpha=alpha)
        self._alpha = self._anneal("alpha", alpha, minimum=0.0)

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        return tfc.soft_round(latents, self._alpha)


class SoftRoundNoise(ScalarSurrogate):
    """The conditional mean of latents that were soft-rounded and then met uniform noise.

    ``z = s(y) + u``, value ``s^-1(z - 1/2) + 1/2``. The density convolved with the unit box is
    already the right one at this value: it may fill both slots.
    """

    def __init__(
        self, *, seed: int, alpha: Union[float, Schedule], expected_gradients: bool = True
    ):
        """Sets sharpness and estimator.

        Args:
            seed: equal seeds draw equal noise.
            alpha: number or schedule, at least 0.
            expected_gradients: backpropagate the mean slope over the noise, ``r(s + 1/2) -
                r(s - 1/2)``, in place of the slope at the sample, whose variance explodes with
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


class SoftGradient(ScalarSurrogate):
    """``round(y)`` forward, the slope of soft rounding backward.

    Gong et al. 2019, "Differentiable Soft Quantization", arXiv 1908.05033; for compression
    Tsubota & Aizawa 2023, 2303.00587. At a small alpha this is straight-through: state it.
    """

    def __init__(self, *, alpha: Union[float, Schedule]):
        """Sets the sharpness.

        Args:
            alpha: number or schedule, at least 0 (below 1e-3 the gradient is 1).
        """
        super().__init__(alpha=alpha)
        self._alpha = self._anneal("alpha", alpha, minimum=0.0)

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        soft = tfc.soft_round(latents, self._alpha)
        return soft + tf.stop_gradient(tf.round(latents) - soft)
