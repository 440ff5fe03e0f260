"""Fully factorized prior: one learned density per channel, the same at every position.

Balle et al. 2018, "Variational image compression with a scale hyperprior", arXiv 1802.01436,
appendix 6.1. The density is convolved with the unit box, which on the integers is the exact
probability mass; on another grid the mass of a symbol is the density's integral over the symbol's
cell.
"""

from __future__ import annotations

import copy
import math
from typing import List, Optional, Sequence, Tuple

import numpy as np
import tensorflow as tf

from entropy.deep_factorized import DeepFactorized
from entropy.integer_coder import IntegerCoder, edges_beyond

NOISE = 12**-0.5
"""Standard deviation of the noise that stands for rounding."""

LOGISTIC = math.pi / math.sqrt(3)
"""Standard deviation of the logistic distribution of scale 1, which an untrained density is."""


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
            num_filters: hidden widths of the network that is the cumulative distribution, each at
                least 1.
            init_scale: initial width of the density, positive; latents should lie within it.
                ``expect`` replaces it where the transforms know how wide latents are.
            coder: further arguments of ``IntegerCoder``.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(channels=channels, alphabet=alphabet, **coder)
        if conditional:
            raise ValueError("entropy=FactorizedPrior cannot use scales that a model predicts.")
        if min(num_filters, default=1) < 1:
            raise ValueError(f"num_filters={list(num_filters)} must each be at least 1.")
        if not 0 < init_scale < math.inf:
            raise ValueError(f"init_scale={init_scale} must be positive and finite.")
        self._density = DeepFactorized(channels, num_filters, init_scale)
        self._gains: Optional[tf.Tensor] = None
        self._level = 0

    def expect(self, spreads: Sequence[float]) -> None:
        """Makes each channel's density about as wide as its latents are at the start of training.

        Args:
            spreads: standard deviations ``[channels]``, at least 0.
        """
        self._density.widen(np.hypot(spreads, NOISE) / LOGISTIC)

    def at_gains(self, gains: tf.Tensor, level: int = 0) -> FactorizedPrior:
        """The same density, of latents times ``gains``.

        Args:
            gains: float32 ``[batch or 1, 1, 1, channels]``, above 0.
            level: which of the tables that ``freeze`` made are used.
        """
        other = copy.copy(self)
        # An assignment would change what tf.Module tracks, which the copy shares with this model.
        vars(other).update(_gains=gains, _level=level)
        return other

    def bits(self, values: tf.Tensor) -> tf.Tensor:
        """Bits of each example under the density convolved with the unit box.

        Args:
            values: float32 ``[batch, height, width, channels]``: the quantizer's rate input.

        Returns:
            float32 ``[batch]``, the sum over positions and channels; differentiable in values and
            parameters. At integers it is the exact code length, up to the tables' rounding.
        """
        values = tf.cast(values, tf.float32)
        if self._size is None and self._gains is None:
            return self._density.sum_log_probabilities(values) / -math.log(2)
        logarithms = self._log_masses(*self._box(values), self._size is not None)
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
        bounded = self.bounded
        logarithms = tf.transpose(self._log_masses(*self._cells(symbols, layout), bounded))
        bits = tf.reshape(logarithms, tf.shape(symbols)).numpy() / np.float32(-math.log(2))
        return bits if bounded or not self.frozen else self._in_whole_counts(bits, symbols, layout)

    def _log_masses(self, lower: tf.Tensor, upper: tf.Tensor, bounded: bool) -> tf.Tensor:
        """Natural logarithms ``[channels, points]`` of masses between ends ``[..., channels]``.

        Of a bounded alphabet they are shares of the density's mass over all of it.
        """
        masses = self._density.log_masses(*map(self._by_channel, (lower, upper)))
        if not bounded:
            return masses
        outermost = (tf.fill(tf.shape(lower), end) for end in (-0.5, self._size - 0.5))
        whole = self._density.log_masses(*map(self._by_channel, outermost))
        return self._kept_apart(masses - whole)

    def _by_channel(self, points: tf.Tensor) -> tf.Tensor:
        """Points ``[..., channels]`` of the latents before their gains, ``[channels, points]``."""
        if self._gains is not None:
            gains = self._gains if points.shape.rank == 4 else self._gains[0]
            points /= gains
        return tf.transpose(tf.reshape(points, [-1, self._channels]))

    def freeze(self, gains: Sequence[tf.Tensor] = ()) -> None:
        """Builds the coding tables, grid by grid and channel by channel, from the density.

        Args:
            gains: float32 ``[1, 1, 1, channels]`` for each level that ``at_gains`` may name; none:
                one level without gains.
        """
        ends = None
        if self._size is None:
            ends = self._density.tails(self._tail_mass).numpy()
        masses, firsts = [], []
        for prior in [self.at_gains(each) for each in gains] or [self]:
            made = prior._bounded_tables() if ends is None else prior._tables_to(*ends)
            masses += made[0]
            firsts += made[1]
        self._set_tables(masses, firsts)

    def _bounded_tables(self) -> Tuple[List[np.ndarray], List[int]]:
        symbols = tf.range(self._size, dtype=tf.float32)[:, tf.newaxis, tf.newaxis]
        symbols = tf.tile(symbols, [1, 1, self._channels])
        return list(np.exp(self._log_masses(*self._box(symbols), True).numpy())), [
            0
        ] * self._channels

    def _tables_to(
        self, lower: np.ndarray, median: np.ndarray, upper: np.ndarray
    ) -> Tuple[List[np.ndarray], List[int]]:
        """Tables between two tails, of a wide density as far around the median as they can be."""
        if self._gains is not None:
            gains = self._gains.numpy().reshape(-1)
            lower, upper, median = lower * gains, upper * gains, median * gains
        most = 2**self._precision - 1  # Besides the escape.
        lower, upper = np.maximum(lower, median - most), np.minimum(upper, median + most)
        masses, firsts = [], []
        for grid in self._grids:
            symbol, edges = edges_beyond(grid, lower.min(), upper.max())
            start = np.searchsorted(edges, lower, side="right") - 1
            stop = np.maximum(np.searchsorted(edges, upper, side="left"), start + 1)
            start = np.maximum(start, np.searchsorted(edges, median) - 1 - most // 2)
            stop = np.minimum(stop, start + most)
            # Of each channel only what its table holds: one may lie far from all others.
            sizes = stop - start
            places = start + np.arange(sizes.max() + 1)[:, np.newaxis, np.newaxis]
            ends = tf.constant(edges[np.minimum(places, len(edges) - 1)])
            table = np.exp(self._log_masses(ends[:-1], ends[1:], False).numpy())
            masses += [row[:size] for row, size in zip(table, sizes)]
            firsts += list(symbol + start)
        return masses, firsts

    def _least_of_position(self, least: np.ndarray, channels: int) -> int:
        return int(least[:channels].sum())

    def _least_bits(self) -> np.ndarray:
        count = len(self._grids) * self._channels
        return super()._least_bits()[self._level * count :][:count]

    def _rows(
        self, grids: tf.Tensor, channels: np.ndarray, indexes: Optional[tf.Tensor]
    ) -> tf.Tensor:
        """Tables are ordered by level, by grid, then by channel."""
        rows = (self._level * len(self._grids) + grids) * self._channels
        return rows + tf.constant(channels, tf.int32)
