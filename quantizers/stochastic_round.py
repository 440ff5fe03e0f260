"""Random choice between the two neighbouring integers."""

from __future__ import annotations

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate


class StochasticRound(ScalarSurrogate):
    """``floor(y)``, or one more with probability ``frac(y)``: unbiased; gradient 1.

    Theis et al. 2017, arXiv 1703.00395; as a binarizer Toderici et al. 2016, arXiv 1511.06085.
    """

    def __init__(self, *, seed: int):
        """Seeds the choices.

        Args:
            seed: equal seeds draw equal choices.
        """
        super().__init__(seed=seed)
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        floor = tf.floor(latents)
        up = self._generator.uniform(tf.shape(latents)) < latents - floor
        return latents + tf.stop_gradient(floor + tf.cast(up, tf.float32) - latents)
