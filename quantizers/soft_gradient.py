"""Rounding forward, the slope of soft rounding backward.

Gong et al. 2019, "Differentiable Soft Quantization", arXiv 1908.05033; for compression Tsubota &
Aizawa 2023, arXiv 2303.00587.
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf

from quantizers.base.contract import ScalarSurrogate
from quantizers.base.schedules import Schedule
from quantizers.base.soft_rounding import soft_round


class SoftGradient(ScalarSurrogate):
    """``round(y)`` with the gradient of ``SoftRound``; at a small alpha it is straight-through."""

    def __init__(self, *, alpha: Union[float, Schedule]):
        """Sets the sharpness.

        Args:
            alpha: number or schedule, at least 0 (below 1e-3 the gradient is 1).
        """
        super().__init__(alpha=alpha)
        self._alpha = self._anneal("alpha", alpha, minimum=0.0)

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        soft = soft_round(latents, self._alpha)
        return soft + tf.stop_gradient(tf.round(latents) - soft)
