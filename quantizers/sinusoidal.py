"""The identity less its first sine wave, which flattens it at the integers."""

from __future__ import annotations

import math
import numbers

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate


class Sinusoidal(ScalarSurrogate):
    """``y - sin(2 pi y) / (2 pi)``, iterated; the gradient is 0 at the integers."""

    def __init__(self, *, iterations: int = 1):
        """Sets the steepness.

        Args:
            iterations: how often the function is applied to its own result, at least 1.
        """
        super().__init__(iterations=iterations)
        if not isinstance(iterations, numbers.Integral) or iterations < 1:
            raise ValueError(f"iterations={iterations} must be a whole number, at least 1.")
        self._iterations = iterations

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        for _ in range(self._iterations):
            # The fractional part is exact: the phase at 1e4 is as good as near 0.
            fraction = latents - tf.floor(latents)
            latents -= tf.sin(2 * math.pi * fraction) / (2 * math.pi)
        return latents
