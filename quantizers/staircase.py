"""Stairs with a rise of adjustable slope at every half-integer: sigmoid and clipped ramp.

The constructions that are usually suggested for a "differentiable round": one sigmoid, or one
max/min ramp, a cell. At the slopes of the original suggestions (1000 and 10000) almost every
gradient is zero; a schedule can rise towards them.
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
            slope: number or schedule, at least 0.
        """
        super().__init__(slope=slope)
        self._slope = self._anneal("slope", slope, minimum=0.0)

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        floor = tf.floor(latents)
        return floor + tf.sigmoid(self._slope * (latents - floor - 0.5))


class Ramp(ScalarSurrogate):
    """``floor(y) + clip(slope (frac(y) - 1/2) + 1/2, 0, 1)``: flat on most inputs."""

    def __init__(self, *, slope: Union[float, Schedule]):
        """Sets the slope.

        Args:
            slope: number or schedule, at least 1 (1: the identity).
        """
        super().__init__(slope=slope)
        self._slope = self._anneal("slope", slope, minimum=1.0)

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        floor = tf.floor(latents)
        return floor + tf.clip_by_value(self._slope * (latents - floor - 0.5) + 0.5, 0.0, 1.0)
