"""Random choice between the two neighbouring integers, hard or relaxed."""

from __future__ import annotations

from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule


class StochasticRound(ScalarSurrogate):
    """``floor(y)``, or one more with probability ``frac(y)``: unbiased; gradient 1.

    Theis et al. 2017, arXiv 1703.00395; as a binarizer Toderici et al. 2016, 1511.06085.
    """

    def __init__(self, *, seed: int):
        """Seeds the choices: equal seeds draw equal ones."""
        super().__init__(seed=seed)
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        floor = tf.floor(latents)
        up = self._generator.uniform(tf.shape(latents)) < latents - floor
        return latents + tf.stop_gradient(floor + tf.cast(up, tf.float32) - latents)


class Gumbel(ScalarSurrogate):
    """A Gumbel-softmax sample between floor and ceiling, logits ``-atanh(distance) / tau``.

    Yang, Bamler, Mandt 2020, "Improving Inference for Neural Image Compression", arXiv 2006.04240
    (stochastic Gumbel annealing), here as a surrogate of training. As there, tau is the temperature
    of the probabilities and of the relaxation; towards 0 the choice is hard and the nearest.
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
