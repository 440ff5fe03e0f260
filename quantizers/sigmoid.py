"""A staircase of sigmoids, one per cell.

A common suggestion for a "differentiable round". At the slope usually suggested (1000), almost
every gradient is zero; a schedule can rise towards it.
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule


class Sigmoid(ScalarSurrogate):
    """``floor(y) + sigmoid(slope (frac(y) - 1/2))``; jumps by ``1 - tanh(slope / 4)``."""

    def __init__(self, *, slope: Union[float, Schedule]):
        """Sets the slope.

        Args:
            slope: a number or a schedule, at least 0.
        """
        super().__init__(slope=slope)
        self._slope = self._anneal("slope", slope, minimum=0.0)

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        floor = tf.floor(latents)
        return floor + tf.sigmoid(self._slope * (latents - floor - 0.5))
