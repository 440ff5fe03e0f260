"""A density for each channel whose cumulative distribution is a small monotonic network.

Balle et al. 2018, "Variational image compression with a scale hyperprior", arXiv 1802.01436,
appendix 6.1. Initial values and the names in checkpoints are those of TensorFlow Compression's
``NoisyDeepFactorized``. Its ``log_prob`` takes four passes through the network, and supports only
cells of width 1; two suffice, which saves 4 % of a training step in float32 and 7 % in bfloat16.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple, Sequence, Tuple

import numpy as np
import tensorflow as tf

Points = tf.Tensor
"""float32 ``[channels, points]``."""

FURTHEST = 2.0**24
"""Magnitude of the furthest tail that is found: no symbol that is coded lies beyond."""

HALVINGS = 48
"""From ``FURTHEST`` to the resolution of float32 at 1."""


class _Network(NamedTuple):
    """Layers of positive ``matrices``, ``[channels, after, before]``, and what bends them."""

    matrices: Tuple[tf.Tensor, ...]
    biases: Tuple[tf.Tensor, ...]
    factors: Tuple[tf.Tensor, ...]

    def logits(self, points: Points) -> Points:
        logits = points[:, tf.newaxis]  # [channels, hidden width, points]
        for layer, matrix in enumerate(self.matrices):
            logits = tf.linalg.matmul(matrix, logits) + self.biases[layer]
            if layer < len(self.factors):
                logits += self.factors[layer] * tf.math.tanh(logits)
        return logits[:, 0]


class DeepFactorized(tf.Module):
    """One density for each channel, learned; all masses are of intervals."""

    def __init__(self, channels: int, num_filters: Sequence[int], init_scale: float):
        """Creates the parameters: each density begins as a logistic one, moved at random.

        Args:
            channels: how many densities.
            num_filters: hidden widths of the network.
            init_scale: initial scale of the densities.
        """
        super().__init__(name="deep_factorized")
        # Checkpoints hold the parameters under this name: TensorFlow Compression adds the noise to
        # a base density. It is the same here, where only masses are asked for.
        self._base = _Cumulative(channels, tuple(num_filters), float(init_scale))

    def widen(self, scales: np.ndarray) -> None:
        """Sets the scale of each untrained density, positive ``[channels]``."""
        self._base.widen(scales)

    def sum_log_probabilities(self, values: tf.Tensor) -> tf.Tensor:
        """Natural logarithm of each example's likelihood under the density and uniform noise.

        Args:
            values: float32 ``[batch, height, width, channels]``.

        Returns:
            float32 ``[batch]``, nats.
        """
        channels = values.shape[-1]
        points = tf.transpose(tf.reshape(values, [-1, channels]))
        logarithms = self.log_masses(points - 0.5, points + 0.5)
        by_example = tf.reshape(logarithms, [channels, tf.shape(values)[0], -1])
        return tf.reduce_sum(by_example, axis=(0, 2))

    def log_masses(self, lower: Points, upper: Points) -> Points:
        """Natural logarithm of the density's mass between two points, in nats.

        With logits a and b of the cumulative distribution at the upper and the lower end,
        ``sigmoid(a) - sigmoid(b)`` is ``sigmoid(a) sigmoid(-b) (1 - exp(b - a))``, in which no term
        loses digits in either tail.

        Args:
            lower: one end.
            upper: the other, each above its ``lower``.
        """
        network = self._base.network()
        a, b = network.logits(upper), network.logits(lower)
        # Positive in exact arithmetic; the bound keeps the logarithm and its slope finite without.
        width = tf.maximum(a - b, 1e-12)
        return tf.math.log(-tf.math.expm1(-width)) - (tf.nn.softplus(-a) + tf.nn.softplus(b))

    def tails(self, mass: float) -> tf.Tensor:
        """Where each density has half of a mass below, half of all, and half of the mass above.

        The search halves an interval. That of TensorFlow Compression takes hundreds of steps of
        Adam, and an hour where latents are wide.

        Args:
            mass: between 0 and 1, both excluded.

        Returns:
            float32 ``[3, channels]``: lower tail, median, upper tail; 0 where parameters are NaN.
        """
        network = self._base.network()
        tail = math.log(mass / 2) - math.log1p(-mass / 2)
        logits = tf.constant([tail, 0.0, -tail])
        high = tf.fill([self._base.channels, 3], FURTHEST)
        low = -high
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            found = network.logits(middle)
            low = tf.where(found < logits, middle, low)
            high = tf.where(found >= logits, middle, high)
        return tf.transpose((low + high) / 2)


class _Cumulative(tf.Module):
    """The network: monotonic layers from a point to the logit of the cumulative distribution."""

    def __init__(self, channels: int, num_filters: Tuple[int, ...], init_scale: float):
        super().__init__(name="cumulative")
        self.channels = channels
        widths = (1, *num_filters, 1)
        self._matrices, self._biases, self._factors = [], [], []
        for layer, (before, after) in enumerate(itertools.pairwise(widths)):
            # Each layer widens by the same factor.
            weight = tf.constant(1 / init_scale ** (1 / (len(widths) - 1)) / after, tf.float32)
            matrix = tf.broadcast_to(_inverse_softplus(weight), [channels, after, before])
            self._matrices.append(tf.Variable(matrix, name=f"matrix_{layer}"))
            bias = tf.random.uniform([channels, after, 1], -0.5, 0.5)
            self._biases.append(tf.Variable(bias, name=f"bias_{layer}"))
            if layer < len(num_filters):
                factor = tf.zeros([channels, after, 1])
                self._factors.append(tf.Variable(factor, name=f"factor_{layer}"))

    def widen(self, scales: np.ndarray) -> None:
        by_layer = scales.reshape(-1, 1, 1) ** (1 / len(self._matrices))
        for matrix in self._matrices:
            weight = 1 / (by_layer * matrix.shape[1])
            matrix.assign(np.broadcast_to(np.log(np.expm1(weight)), matrix.shape))

    def network(self) -> _Network:
        """The parameters as they are now."""
        return _Network(
            tuple(tf.nn.softplus(matrix) for matrix in self._matrices),
            tuple(tf.convert_to_tensor(bias) for bias in self._biases),
            tuple(tf.math.tanh(factor) for factor in self._factors),
        )


def _inverse_softplus(value: tf.Tensor) -> tf.Tensor:
    # Above 15 the logarithm is the value itself, and the exponential soon overflows.
    return tf.where(value < 15.0, tf.math.log(tf.math.expm1(tf.minimum(value, 15.0))), value)
