"""Soft rounding: a staircase of hyperbolic tangents between identity and rounding.

Agustsson & Theis 2020, "Universally Quantized Neural Compression", arXiv 2006.09952, section 4. It
understates the rate: evaluate that on noise or on rounded values.
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule
from quantizers.base.soft_rounding import soft_round


class SoftRound(ScalarSurrogate):
    """``floor(y) + 1/2 + tanh(alpha r) / (2 tanh(alpha / 2))`` with ``r = y - floor(y) - 1/2``."""

    def __init__(self, *, alpha: Union[float, Schedule]):
        """Sets the sharpness.

        Args:
            alpha: number or schedule, at least 0: below 1e-3 the identity, towards infinity round.
        """
        super().__init__(alpha=alpha)
        self._alpha = self._anneal("alpha", alpha, minimum=0.0)

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        return soft_round(latents, self._alpha)
