"""Fully factorized prior: one learned density per channel, the same at every position.

Balle et al. 2018, "Variational image compression with a scale hyperprior", arXiv 1802.01436,
appendix 6.1; density and range coder are TensorFlow Compression's. The density is convolved with
the unit box, which on the integers is the exact probability mass; on another grid the mass of a
symbol is the density's integral over the symbol's cell.
"""

from __future__ import annotations

import math
from typing import Optional, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from entropy.deep_factorized import log_masses, sum_log_probabilities
from entropy.integer_coder import IntegerCoder, edges_beyond


class FactorizedPrior(IntegerCoder):
    """Codes integer symbols, each channel independently.

    Train on ``bits``, then ``freeze`` once; only a frozen prior codes.
    """

    def __init__(
        self,
        *,
        channels: int,
        alphabet,
        conditional: bool = False,
        num_filters: Sequence[int] = (3, 3),
        init_scale: float = 10.0,
        **coder,
    ):
        """Creates the density's parameters; see ``IntegerCoder``. Grids get a table per channel.

        Args:
            channels: number of latent channels.
            alphabet: the quantizer's.
            conditional: must be False, because predicted scales would not be used.
            num_filters: hidden widths of the network that is the cumulative distribution.
            init_scale: initial width of the density; latents should lie within it.
            coder: further arguments of ``IntegerCoder``.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(channels=channels, alphabet=alphabet, **coder)
        if conditional:
            raise ValueError("entropy=FactorizedPrior cannot use scales that a model predicts.")
        if init_scale <= 0:
            raise ValueError(f"init_scale={init_scale} must be positive.")
        self._density = tfc.NoisyDeepFactorized(
            batch_shape=(channels,), num_filters=tuple(num_filters), init_scale=init_scale
        )

    def bits(self, values: tf.Tensor) -> tf.Tensor:
        """Bits of each example under the density convolved with the unit box.

        Args:
            values: float32 ``[batch, height, width, channels]``: the quantizer's rate input.

        Returns:
            float32 ``[batch]``, the sum over positions and channels; differentiable in values and
            parameters. At integers it is the exact code length, up to the tables' rounding.
        """
        values = tf.cast(values, tf.float32)
        if self._size is None:
            return sum_log_probabilities(self._density, values) / -math.log(2)
        points = tf.transpose(tf.reshape(values, [-1, self._channels]))
        logarithms = self._log_shares(*self._box(points))
        by_example = tf.reshape(logarithms, [self._channels, tf.shape(values)[0], -1])
        return tf.reduce_sum(by_example, axis=(0, 2)) / -math.log(2)

    def symbol_bits(self, symbols: tf.Tensor, layout) -> float:
        """Bits of int32 ``[height, width, channels]`` symbols, each on its grid of ``layout``.

        They are the density's. Once there are tables, rare symbols cost what these give them: a few
        whole counts near a table's end, and an escape beyond it.
        """
        return float(self.bits_of_each(symbols, layout).sum(dtype=np.float64))

    def bits_of_each(self, symbols: tf.Tensor, layout) -> np.ndarray:
        """The terms of ``symbol_bits``: float32 of the symbols' shape."""
        cells = self._cells(symbols, layout)
        by_channel = [tf.transpose(tf.reshape(ends, [-1, self._channels])) for ends in cells]
        bounded = self.bounded
        masses = (
            self._log_shares(*by_channel) if bounded else log_masses(self._density, *by_channel)
        )
        logarithms = tf.transpose(masses)
        bits = tf.reshape(logarithms, tf.shape(symbols)).numpy() / np.float32(-math.log(2))
        return bits if bounded or not self.frozen else self._in_whole_counts(bits, symbols, layout)

    def _log_shares(self, lower: tf.Tensor, upper: tf.Tensor) -> tf.Tensor:
        """As ``log_masses``, as shares of the density's mass over a bounded alphabet."""
        ends = (tf.fill([self._channels, 1], end) for end in (-0.5, self._size - 0.5))
        whole = log_masses(self._density, *ends)
        return self._kept_apart(log_masses(self._density, lower, upper) - whole)

    def freeze(self) -> None:
        """Builds the coding tables, grid by grid and channel by channel, from the density."""
        if self._size is not None:
            symbols = tf.tile(
                tf.range(self._size, dtype=tf.float32)[tf.newaxis], [self._channels, 1]
            )
            masses = np.exp(self._log_shares(*self._box(symbols)).numpy())
            self._set_tables(list(masses), [0] * self._channels)
            return

        @tf.function  # The search for the tails is a long loop: ten times slower when eager.
        def tails():
            return (
                tfc.lower_tail(self._density, self._tail_mass),
                tfc.upper_tail(self._density, self._tail_mass),
            )

        lower, upper = (tail.numpy() for tail in tails())
        masses, firsts = [], []
        for grid in self._grids:
            symbol, edges = edges_beyond(grid, lower.min(), upper.max())
            start = np.searchsorted(edges, lower, side="right") - 1
            stop = np.maximum(np.searchsorted(edges, upper, side="left"), start + 1)
            cells = [tf.tile(e[tf.newaxis], [self._channels, 1]) for e in (edges[:-1], edges[1:])]
            table = np.exp(log_masses(self._density, *cells).numpy())
            masses += [row[a:b] for row, a, b in zip(table, start, stop)]
            firsts += list(symbol + start)
        self._set_tables(masses, firsts)

    def _least_of_position(self, least: np.ndarray, channels: int) -> int:
        return int(least[:channels].sum())

    def _rows(
        self, grids: tf.Tensor, channels: np.ndarray, indexes: Optional[tf.Tensor]
    ) -> tf.Tensor:
        """Tables are ordered by grid, then by channel."""
        return grids * self._channels + tf.constant(channels, tf.int32)
