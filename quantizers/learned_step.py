"""Rounding with a learned step size.

Esser et al. 2020, "Learned Step Size Quantization", arXiv 1902.08153.
"""

from __future__ import annotations

import math
from typing import Dict, Optional, Sequence

import tensorflow as tf

from quantizers.base.bounds import lower_bound
from quantizers.base.contract import Quantized, Quantizer, ScalarSurrogate, check_slots

SMALLEST_STEP = 1e-3


class LearnedStep(Quantizer):
    """``s round(y / s)`` straight-through, with the gradient ``round(y / s) - y / s`` for s.

    The rate is evaluated on ``y / s`` with a surrogate of its own: the entropy model sees the grid
    of the integers, and a wider step costs fewer bits.
    """

    def __init__(
        self,
        *,
        rate: ScalarSurrogate,
        initial_step: float = 1.0,
        largest_symbol: int = 127,
    ):
        """Creates the step size.

        Args:
            rate: surrogate of the rate's slot, applied to ``y / s``.
            initial_step: initial s, at least 1e-3.
            largest_symbol: symbols are clipped to plus and minus this (the paper's Qp); clipped
                latents have no gradient.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(name=type(self).__name__)
        check_slots(rate=rate)
        if not SMALLEST_STEP <= initial_step < math.inf:
            raise ValueError(f"initial_step={initial_step} must be at least {SMALLEST_STEP}.")
        if not 1 <= largest_symbol < 2**23:
            raise ValueError(f"largest_symbol={largest_symbol} must be 1 to {2**23 - 1}.")
        self._rate = rate
        self._largest = float(largest_symbol)
        self._step = tf.Variable(initial_step, dtype=tf.float32, name="step_size")

    def _train(self, latents: tf.Tensor) -> Quantized:
        # The paper's 1 / sqrt(N Qp): one parameter receives the gradients of N latents.
        count = tf.cast(tf.maximum(tf.size(latents), 1), tf.float32)
        step = _scale_gradient(self._bounded_step(), tf.math.rsqrt(count * self._largest))
        scaled = tf.clip_by_value(latents / step, -self._largest, self._largest)
        rounded = scaled + tf.stop_gradient(tf.round(scaled) - scaled)
        return Quantized(self._rate(scaled), rounded * step, tf.zeros([]))

    def _rate_input(self, symbols: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        del values
        return tf.cast(symbols, tf.float32)

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        scaled = tf.cast(latents, tf.float32) / self._bounded_step()
        return tf.cast(tf.round(tf.clip_by_value(scaled, -self._largest, self._largest)), tf.int32)

    def decode(self, symbols: tf.Tensor, seed: Optional[int] = None) -> tf.Tensor:
        del seed
        return tf.cast(symbols, tf.float32) * self._bounded_step()

    @property
    def coding_settings(self) -> Dict[str, object]:
        return {"largest_symbol": self._largest}

    @property
    def coding_variables(self) -> Sequence[tf.Variable]:
        return (self._step,)

    def _bounded_step(self) -> tf.Tensor:
        # At the bound, gradients that lead away from it still pass.
        return lower_bound(self._step, SMALLEST_STEP)


def _scale_gradient(value: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    scaled = value * factor
    return scaled + tf.stop_gradient(value - scaled)
