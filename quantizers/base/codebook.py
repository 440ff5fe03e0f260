"""The codebooks of vector quantization and how they learn.

They learn by exponential moving averages as in appendix A.1 of van den Oord et al. 2017,
arXiv 1711.00937, or by gradients, for which their quantizer provides the loss. Unlike in the paper
they start from k-means on the first batch, and unused codes are revived.
"""

from __future__ import annotations

import dataclasses
import numbers
from typing import Tuple

import numpy as np
import tensorflow as tf

SMOOTHING = 1e-5
"""Laplace smoothing of the usage, in vectors."""


@dataclasses.dataclass(frozen=True)
class Learning:
    """How codebooks change.

    Attributes:
        codebook: "ema" for moving averages; "gradient" leaves the codes, but for start and revival,
            to the optimizer and a loss in the penalty.
        decay: of the moving averages, in [0, 1).
        kmeans_steps: Lloyd iterations on the first batch; 0 keeps the random codebook.
        revive_below: in [0, 1): a code used less than this share of the average code's usage is
            dead and becomes a random vector of the batch; 0 for never.
    """

    codebook: str = "ema"
    decay: float = 0.99
    kmeans_steps: int = 10
    revive_below: float = 0.05

    def __post_init__(self):
        if self.codebook not in ("ema", "gradient"):
            raise ValueError(f"codebook={self.codebook!r} must be 'ema' or 'gradient'.")
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay={self.decay} must be at least 0 and below 1.")
        if not isinstance(self.kmeans_steps, numbers.Integral) or self.kmeans_steps < 0:
            raise ValueError(
                f"kmeans_steps={self.kmeans_steps} must be a whole number, not negative."
            )
        if not 0 <= self.revive_below < 1:
            raise ValueError(f"revive_below={self.revive_below} must be at least 0 and below 1.")

    @property
    def by_gradient(self) -> bool:
        """Whether the optimizer moves the codes."""
        return self.codebook == "gradient"


class Codebooks(tf.Module):
    """One codebook for each group of channels, and how it learns.

    Everything that the future of a run depends on is a variable.

    Attributes:
        codes: float32 ``[groups, size, dim]``; trainable if gradients are to move it.
        usage: float32 ``[groups, size]``, moving average of the vectors per step nearest to each.
    """

    def __init__(self, initial: np.ndarray, learning: Learning, generator: tf.random.Generator):
        """Creates the variables.

        Args:
            initial: codes ``[groups, size, dim]`` until the first ``update``.
            learning: how they change.
            generator: for the k-means start and the revivals; the quantizer's, which outlives all
                codebooks and is checkpointed with them.
        """
        super().__init__(name="codebooks")
        self._generator = generator
        self._learning = learning
        initial = np.asarray(initial, np.float32)
        self.codes = tf.Variable(initial, trainable=learning.by_gradient, name="codes")
        self.usage = tf.Variable(np.zeros(initial.shape[:2], "f"), trainable=False, name="usage")
        self._sums = tf.Variable(np.zeros_like(initial), trainable=False, name="sums")
        self._started = tf.Variable(False, trainable=False, name="started")

    def nearest(self, vectors: tf.Tensor) -> tf.Tensor:
        """Indices int32 ``[vectors, groups]`` of float32 ``[vectors, groups, dim]``."""
        return nearest_codes(self.codes, vectors)

    def lookup(self, symbols: tf.Tensor) -> tf.Tensor:
        """Codes float32 ``[..., groups, dim]`` of int32 symbols ``[..., groups]``."""
        groups, size, dim = self.codes.shape
        return tf.gather(tf.reshape(self.codes, [groups * size, dim]), _rows(symbols, groups, size))

    def update(self, vectors: tf.Tensor) -> None:
        """Learns from one batch, float32 ``[vectors, groups, dim]``; it may be empty."""

        def learn():
            tf.cond(self._started, lambda: self._follow(vectors), lambda: self._start(vectors))
            return tf.constant(True)

        tf.cond(tf.shape(vectors)[0] > 0, learn, lambda: tf.constant(False))

    def _start(self, vectors: tf.Tensor) -> tf.Tensor:
        if self._learning.kmeans_steps:
            size = self.codes.shape[1]
            codes, usage = k_means(vectors, size, self._learning.kmeans_steps, self._generator)
        else:
            # Equal usage: no code is dead from the start.
            codes = self.codes.read_value()
            share = tf.cast(tf.shape(vectors)[0], tf.float32) / self.codes.shape[1]
            usage = tf.fill(self.usage.shape, share)
        self._assign(codes, usage, codes * usage[..., tf.newaxis])
        return self._started.assign(True)

    def _follow(self, vectors: tf.Tensor) -> tf.Tensor:
        size = self.codes.shape[1]
        counts, sums = members(self.nearest(vectors), vectors, size)
        decay = self._learning.decay
        usage = decay * self.usage + (1 - decay) * counts
        sums = decay * self._sums + (1 - decay) * sums
        total = tf.reduce_sum(usage, axis=1, keepdims=True)
        if self._learning.by_gradient:
            codes = self.codes.read_value()
        else:
            smooth = (usage + SMOOTHING) / (total + size * SMOOTHING) * total
            codes = sums / tf.maximum(smooth, 1e-30)[..., tf.newaxis]
        average = total / size
        dead = usage < self._learning.revive_below * average
        revived = random_vectors(vectors, size, self._generator)
        codes = tf.where(dead[..., tf.newaxis], revived, codes)
        # Average usage gives a revived code time to attract vectors.
        usage = tf.where(dead, average, usage)
        sums = tf.where(dead[..., tf.newaxis], revived * average[..., tf.newaxis], sums)
        self._assign(codes, usage, sums)
        return tf.constant(True)

    def _assign(self, codes: tf.Tensor, usage: tf.Tensor, sums: tf.Tensor) -> None:
        self.codes.assign(codes)
        self.usage.assign(usage)
        self._sums.assign(sums)


def nearest_codes(codes: tf.Tensor, vectors: tf.Tensor) -> tf.Tensor:
    """Indices int32 ``[vectors, groups]`` of the nearest codes; of equally near ones the first.

    Args:
        codes: float32 ``[groups, size, dim]``.
        vectors: float32 ``[vectors, groups, dim]``.
    """
    # |v - c|^2 without |v|^2, which is the same for all codes and would cost precision.
    products = tf.linalg.matmul(tf.transpose(vectors, [1, 0, 2]), codes, transpose_b=True)
    scores = 2.0 * products - tf.reduce_sum(tf.square(codes), axis=-1)[:, tf.newaxis]
    return tf.transpose(tf.argmax(scores, axis=-1, output_type=tf.int32))


def members(symbols: tf.Tensor, vectors: tf.Tensor, size: int) -> Tuple[tf.Tensor, tf.Tensor]:
    """Number ``[groups, size]`` and sum ``[groups, size, dim]`` of each code's vectors."""
    groups, dim = vectors.shape[1:]
    rows = tf.reshape(_rows(symbols, groups, size), [-1])
    sums = tf.math.unsorted_segment_sum(tf.reshape(vectors, [-1, dim]), rows, groups * size)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(rows, tf.float32), rows, groups * size)
    return tf.reshape(counts, [groups, size]), tf.reshape(sums, [groups, size, dim])


def random_vectors(vectors: tf.Tensor, count: int, generator: tf.random.Generator) -> tf.Tensor:
    """Draws ``[groups, count, dim]``; vectors repeat only after all have been drawn."""
    number, groups = tf.shape(vectors)[0], vectors.shape[1]
    order = tf.argsort(generator.uniform([groups, number]), axis=-1)
    chosen = tf.gather(order, tf.range(count) % number, axis=1)
    return tf.gather(tf.transpose(vectors, [1, 0, 2]), chosen, batch_dims=1)


def k_means(
    vectors: tf.Tensor, size: int, steps: int, generator: tf.random.Generator
) -> Tuple[tf.Tensor, tf.Tensor]:
    """Lloyd's iterations from a k-means++ start (Arthur & Vassilvitskii 2007).

    With fewer vectors than codes, some codes coincide; a code that loses all its vectors stays.

    Args:
        vectors: float32 ``[vectors, groups, dim]``, at least one.
        size: number of codes per group.
        steps: iterations, at least 1.
        generator: draws the start.

    Returns:
        Codes float32 ``[groups, size, dim]``, and the number of vectors of each.
    """

    def improve(step, codes):
        counts, sums = members(nearest_codes(codes, vectors), vectors, size)
        counts = counts[..., tf.newaxis]
        return step + 1, tf.where(counts > 0, sums / tf.maximum(counts, 1.0), codes)

    start = _spread_vectors(vectors, size, generator)
    _, codes = tf.while_loop(lambda step, _: step < steps, improve, (0, start))
    return codes, members(nearest_codes(codes, vectors), vectors, size)[0]


def _spread_vectors(vectors: tf.Tensor, count: int, generator: tf.random.Generator) -> tf.Tensor:
    """Draws vectors one by one, in proportion to their squared distance to those drawn before."""
    by_group = tf.transpose(vectors, [1, 0, 2])
    number, groups, dim = tf.shape(vectors)[0], vectors.shape[1], vectors.shape[2]

    def draw(index, squares, chosen):
        # The largest of logarithm plus Gumbel noise is a draw from the distribution.
        gumbel = -tf.math.log(-tf.math.log(generator.uniform([groups, number])))
        pick = tf.argmax(tf.math.log(squares + 1e-30) + gumbel, axis=-1, output_type=tf.int32)
        code = tf.gather(by_group, pick, batch_dims=1)
        distances = tf.reduce_sum(tf.square(by_group - code[:, tf.newaxis]), axis=-1)
        return index + 1, tf.minimum(squares, distances), chosen.write(index, code)

    _, _, chosen = tf.while_loop(
        lambda index, *_: index < count,
        draw,
        (0, tf.fill([groups, number], 1e30), tf.TensorArray(tf.float32, count)),
    )
    return tf.ensure_shape(tf.transpose(chosen.stack(), [1, 0, 2]), [groups, count, dim])


def _rows(symbols: tf.Tensor, groups: int, size: int) -> tf.Tensor:
    """Row numbers of codes if the groups' codebooks are concatenated."""
    return symbols + tf.range(groups) * size
