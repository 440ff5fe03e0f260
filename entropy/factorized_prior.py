"""Fully factorized prior: one learned density a channel, the same at every position.

Balle et al. 2018, "Variational image compression with a scale hyperprior", arXiv 1802.01436,
appendix 6.1; density and range coder are TensorFlow Compression's. The density is convolved with
the unit box, which on the integers is the exact probability mass; on another grid the mass of a
symbol is the density's integral over the symbol's cell.
"""

from __future__ import annotations

import math
from typing import List, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from entropy.deep_factorized import log_masses, sum_log_probabilities
from entropy.range_coder import DamagedData, Tables, lookup_rows


class FactorizedPrior(tf.Module):
    """Codes integer symbols, channel by channel independent.

    Life: train on ``bits``, then ``freeze`` once; only a frozen prior codes. The tables are
    variables, so a checkpoint carries them and a decoder never computes them again.
    """

    kind = "integers"

    def __init__(
        self,
        *,
        channels: int,
        alphabet,
        num_filters: Sequence[int] = (3, 3),
        init_scale: float = 10.0,
        tail_mass: float = 2**-16,
        range_coder_precision: int = 16,
    ):
        """Creates the density's parameters.

        Args:
            channels: number of latent channels, at least 1.
            alphabet: the quantizer's, see ``quantizers.contract``; its grids get a table a channel.
            num_filters: hidden widths of the network that is the cumulative distribution.
            init_scale: width of the density at the start; latents should lie within it.
            tail_mass: mass outside the tables, in (0, 1); symbols there are coded by an escape and
                an Elias gamma code, so every integer can be coded.
            range_coder_precision: bits of the coder's probabilities, 1 to 16.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(name="factorized_prior")
        if alphabet.kind != self.kind:
            raise ValueError(
                f"entropy={type(self).__name__} codes {self.kind}, but the quantizer yields "
                f"{alphabet.kind}."
            )
        if channels < 1:
            raise ValueError(f"channels={channels} must be at least 1.")
        if not 0 < tail_mass < 1:
            raise ValueError(f"tail_mass={tail_mass} must lie between 0 and 1.")
        if not 1 <= range_coder_precision <= 16:
            raise ValueError(f"range_coder_precision={range_coder_precision} must be 1 to 16.")
        if init_scale <= 0:
            raise ValueError(f"init_scale={init_scale} must be positive.")
        self._channels = channels
        self._grids = tuple(alphabet.grids)
        self._tail_mass = tail_mass
        self._precision = range_coder_precision
        self._density = tfc.NoisyDeepFactorized(
            batch_shape=(channels,), num_filters=tuple(num_filters), init_scale=init_scale
        )
        self._lookup = _empty_table("lookup")
        self._offsets = _empty_table("offsets")

    def bits(self, values: tf.Tensor) -> tf.Tensor:
        """Bits of each example under the density convolved with the unit box.

        Args:
            values: float32 ``[batch, height, width, channels]``: the quantizer's rate values.

        Returns:
            float32 ``[batch]``, the sum over positions and channels; differentiable in values and
            parameters. At integers it is the exact code length but for the tables' rounding.
        """
        values = tf.cast(values, tf.float32)
        return sum_log_probabilities(self._density, values) / -math.log(2)

    def symbol_bits(self, symbols: tf.Tensor, layout) -> float:
        """Bits of int32 ``[height, width, channels]`` symbols, each on its grid, before any table.

        Args:
            symbols: what ``compress`` would code.
            layout: the quantizer's, see ``quantizers.grids``.
        """
        grids = np.zeros(symbols.shape, np.int32)
        for stage, channels in enumerate(layout.stages):
            grids[..., channels] = layout.grids_of(stage, symbols)
        lower, upper = (
            self._on_the_line(tf.cast(symbols, tf.float32) + side, grids) for side in (-0.5, 0.5)
        )
        by_channel = [tf.transpose(tf.reshape(e, [-1, self._channels])) for e in (lower, upper)]
        return float(tf.reduce_sum(log_masses(self._density, *by_channel))) / -math.log(2)

    @property
    def frozen(self) -> bool:
        """Whether the coding tables exist."""
        return bool(tf.size(self._lookup) > 0)

    def freeze(self) -> None:
        """Builds the coding tables, grid by grid and channel by channel, from the density."""

        @tf.function  # The search for the tails is a long loop: ten times slower when eager.
        def tails():
            return (
                tfc.lower_tail(self._density, self._tail_mass),
                tfc.upper_tail(self._density, self._tail_mass),
            )

        lower, upper = (tail.numpy() for tail in tails())
        rows, offsets = [], []
        for grid in self._grids:
            masses, firsts = self._masses_on(grid, lower, upper)
            rows += masses
            offsets += firsts
        self._lookup.assign(lookup_rows(rows, self._precision, overflow=True))
        self._offsets.assign(offsets)

    def compress(self, symbols: tf.Tensor, layout) -> bytes:
        """Range-codes int32 ``[height, width, channels]``, each of magnitude up to 2**23."""
        return self._tables().encode(
            (
                self._rows(layout.grids_of(stage, symbols), channels),
                tf.gather(symbols, channels, axis=-1),
            )
            for stage, channels in enumerate(layout.stages)
        )

    def decompress(self, data: bytes, height: int, width: int, layout) -> tf.Tensor:
        """Decodes what ``compress`` gave.

        Returns:
            int32 ``[height, width, channels]``.

        Raises:
            ValueError: the data are not exactly what ``compress`` makes of such symbols.
        """
        symbols = np.zeros([height, width, self._channels], np.int32)
        decode = self._tables().decoder(data)
        try:
            for stage, channels in enumerate(layout.stages):
                grids = layout.grids_of(stage, tf.constant(symbols))
                symbols[..., channels] = decode(self._rows(grids, channels))
        except DamagedData:
            good = False
        else:
            # Coding once more takes milliseconds and accepts only what an encoder writes.
            good = self.compress(tf.constant(symbols), layout) == data
        if not good:
            raise ValueError(
                f"data: {len(data)} range-coded bytes do not decode to {height} x {width} x "
                f"{self._channels} symbols."
            )
        return tf.constant(symbols)

    def _tables(self) -> Tables:
        if not self.frozen:
            raise RuntimeError("freeze() builds the tables before anything can be coded.")
        return Tables(self._lookup.value(), self._offsets.value())

    def _rows(self, grids: tf.Tensor, channels: np.ndarray) -> tf.Tensor:
        """Table numbers of symbols: tables are ordered by grid, then by channel."""
        return grids * self._channels + tf.constant(channels, tf.int32)

    def _on_the_line(self, points: tf.Tensor, grids: np.ndarray) -> tf.Tensor:
        places = self._grids[0](points)
        for number, grid in enumerate(self._grids[1:], start=1):
            places = tf.where(grids == number, grid(points), places)
        return places

    def _masses_on(self, grid, lower: np.ndarray, upper: np.ndarray):
        """Probabilities and first symbol of each channel's table on one grid."""
        # A grid is increasing, but only forwards: widen until its cells reach beyond the tails.
        reach = 2
        while not (
            grid(tf.constant(-float(reach))) <= lower.min()
            and grid(tf.constant(float(reach))) >= upper.max()
        ):
            reach *= 2
        edges = grid(tf.range(-reach - 0.5, reach + 1.0)).numpy()
        first = np.searchsorted(edges, lower, side="right") - 1
        last = np.searchsorted(edges, upper, side="left")
        ends = [tf.tile(e[tf.newaxis], [self._channels, 1]) for e in (edges[:-1], edges[1:])]
        masses = np.exp(log_masses(self._density, *ends).numpy())
        rows: List[np.ndarray] = [m[a : max(b, a + 1)] for m, a, b in zip(masses, first, last)]
        return rows, list(first - reach)


def _empty_table(name: str) -> tf.Variable:
    # The length is known only when the tables are built; a restored checkpoint brings its own.
    return tf.Variable(
        np.zeros([0], np.int32), trainable=False, shape=tf.TensorShape([None]), name=name
    )
