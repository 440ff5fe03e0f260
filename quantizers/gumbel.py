"""Relaxed random choice between the two neighbouring integers."""

from __future__ import annotations

from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule


class Gumbel(ScalarSurrogate):
    """A Gumbel-softmax sample between floor and ceiling, logits ``-atanh(distance) / tau``.

    Yang, Bamler, Mandt 2020, "Improving Inference for Neural Image Compression", arXiv 2006.04240
    (stochastic Gumbel annealing), here as a surrogate for training. As there, tau is the
    temperature of the probabilities and of the relaxation; as it approaches 0, the choice becomes
    hard and the nearest integer.
    """

    def __init__(self, *, seed: int, tau: Union[float, Schedule]):
        """Seeds the choices and sets the temperature.

        Args:
            seed: equal seeds draw equal choices.
            tau: number or schedule, at least 0.01.
        """
        super().__init__(seed=seed, tau=tau)
        self._tau = self._anneal("tau", tau, minimum=0.01)
        self._seed = seed
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def restart(self) -> None:
        """Goes back to the first choices of the seed."""
        self._generator.reset_from_seed(self._seed)

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        floor = tf.floor(latents)
        # Off the integers by more than float32's spacing: atanh(1) is infinite.
        fraction = tf.clip_by_value(latents - floor, 1e-4, 1 - 1e-4)
        # The difference of two Gumbel variables is logistic: log(u) - log(1 - u).
        u = self._generator.uniform(tf.shape(latents), 1e-6, 1 - 1e-6)
        logistic = tf.math.log(u) - tf.math.log1p(-u)
        preference = tf.atanh(fraction) - tf.atanh(1 - fraction)
        return floor + tf.sigmoid((preference / self._tau + logistic) / self._tau)
