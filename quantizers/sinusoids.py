"""Stairs made of sine waves: the identity plus terms of the Fourier series of ``round(y) - y``.

The phase is taken from the fractional part, which is exact, so that values at +-1e4 are as good as
those near 0.
"""

from __future__ import annotations

import math
from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule


class Sinusoidal(ScalarSurrogate):
    """``y - sin(2 pi y) / (2 pi)``, iterated; the gradient is 0 at the integers."""

    def __init__(self, *, iterations: int = 1):
        """Sets the steepness.

        Args:
            iterations: how often the function is applied to its own result, at least 1.
        """
        super().__init__(iterations=iterations)
        if iterations < 1:
            raise ValueError(f"iterations={iterations} must be at least 1.")
        self._iterations = iterations

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        for _ in range(self._iterations):
            latents -= tf.sin(2 * math.pi * _fraction(latents)) / (2 * math.pi)
        return latents


class Fourier(ScalarSurrogate):
    """``y + (1 / pi) sum_{n=1..terms} (-1)^n sin(2 pi n y) / n``: not monotonic.

    A schedule may pass through fractions: the last term then enters with that share.
    """

    def __init__(self, *, terms: Union[float, Schedule] = 5):
        """Sets the number of terms.

        Args:
            terms: number or schedule, at least 0 (0: the identity).
        """
        super().__init__(terms=terms)
        self._terms = self._anneal("terms", terms, minimum=0.0)
        self._most_terms = math.ceil(self.annealed["terms"].schedule.bounds[1])

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        phase = 2 * math.pi * _fraction(latents)
        values = latents
        for n in range(1, self._most_terms + 1):
            share = tf.clip_by_value(self._terms - (n - 1), 0.0, 1.0)
            values += share * (-1) ** n * tf.sin(n * phase) / (n * math.pi)
        return values


def _fraction(latents: tf.Tensor) -> tf.Tensor:
    return latents - tf.floor(latents)
