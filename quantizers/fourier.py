"""The identity plus the first terms of the Fourier series of ``round(y) - y``."""

from __future__ import annotations

import math
from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule


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
        # The fractional part is exact: the phase at 1e4 is as good as near 0.
        phase = 2 * math.pi * (latents - tf.floor(latents))
        values = latents
        for n in range(1, self._most_terms + 1):
            share = tf.clip_by_value(self._terms - (n - 1), 0.0, 1.0)
            values += share * (-1) ** n * tf.sin(n * phase) / (n * math.pi)
        return values
