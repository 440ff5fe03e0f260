"""A staircase of clipped ramps, one per cell.

A common suggestion for a "differentiable round" (a max/min ramp). At the slope usually suggested
(10000), almost every gradient is zero; a schedule can rise towards it.
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule


class Ramp(ScalarSurrogate):
    """``floor(y) + clip(slope (frac(y) - 1/2) + 1/2, 0, 1)``: flat on most inputs."""

    def __init__(self, *, slope: Union[float, Schedule]):
        """Sets the slope.

        Args:
            slope: a number or a schedule, at least 1 (1: the identity).
        """
        super().__init__(slope=slope)
        self._slope = self._anneal("slope", slope, minimum=1.0)

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        floor = tf.floor(latents)
        return floor + tf.clip_by_value(self._slope * (latents - floor - 0.5) + 0.5, 0.0, 1.0)
