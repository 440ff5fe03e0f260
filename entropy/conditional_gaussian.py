"""Conditional Gaussian: side information predicts a scale for every latent.

Balle et al. 2018, "Variational image compression with a scale hyperprior", arXiv 1802.01436; with a
predicted mean, which the model subtracts before the quantizer, Minnen et al. 2018, 1809.02736.
"""

from __future__ import annotations

import math
from typing import Optional

import numpy as np
import tensorflow as tf
from scipy.special import ndtr, ndtri

from entropy.integer_coder import IntegerCoder, edges_beyond

SMALLEST_SCALE, LARGEST_SCALE, SCALES = 0.11, 256.0, 64
"""Ends and number of the scale table, equal ratios between: those of TFC's published models."""

FAR = -8.0
"""Standard deviations below which a mass is computed by its asymptotic series."""


class ConditionalGaussian(IntegerCoder):
    """Codes integer symbols, each with the table of its scale index.

    A scale index is a number from 0 to 63 on the logarithmic scale table: continuous in training,
    whole in coding. Nothing is learned here: ``freeze`` builds the same tables for every model of
    one alphabet.
    """

    def __init__(
        self,
        *,
        channels: int,
        alphabet,
        conditional: bool = True,
        **coder,
    ):
        """Takes the alphabet; see ``IntegerCoder``. Each of its grids gets a table per scale.

        Args:
            channels: number of latent channels.
            alphabet: the quantizer's.
            conditional: must be True, because predicted scales are needed.
            coder: further arguments of ``IntegerCoder``.

        Raises:
            ValueError: an argument is out of its range, or the alphabet has indices.
        """
        if alphabet.kind != self.kind:
            raise ValueError(
                f"entropy={type(self).__name__} codes {self.kind}, but the quantizer yields "
                f"{alphabet.kind}: they need a model without side information, as model=bls2017."
            )
        super().__init__(channels=channels, alphabet=alphabet, **coder)
        if not conditional:
            raise ValueError("entropy=ConditionalGaussian needs a model that predicts scales.")
        # Where the tables end, in standard deviations.
        self._tail = -float(ndtri(self._tail_mass / 2))

    def bits(self, values: tf.Tensor, indexes: tf.Tensor) -> tf.Tensor:
        """Bits of each example under the Gaussian convolved with the unit box.

        Args:
            values: float32 ``[batch, height, width, channels]``: rate values less their mean.
            indexes: float32, same shape, in 0..63: scale indexes, whole or not.

        Returns:
            float32 ``[batch]``, the sum over positions and channels; differentiable in both.
        """
        values = tf.cast(values, tf.float32)
        box, scales = self._box(values), scale_of(indexes)
        masses = self._log_shares if self._size is not None else _log_masses
        return tf.reduce_sum(masses(*box, scales), axis=[1, 2, 3]) / -math.log(2)

    def symbol_bits(self, symbols: tf.Tensor, layout, indexes: tf.Tensor) -> float:
        """Bits of int32 ``[height, width, channels]`` at int32 scale indexes.

        Rare symbols cost what their table gives them: a few whole counts near its end, and beyond
        it an escape, far less than the Gaussian's probability says. This needs ``freeze``.
        """
        return float(self.bits_of_each(symbols, layout, indexes).sum(dtype=np.float64))

    def bits_of_each(self, symbols: tf.Tensor, layout, indexes: tf.Tensor) -> np.ndarray:
        """The terms of ``symbol_bits``: float of the symbols' shape."""
        scales = scale_of(tf.cast(indexes, tf.float32))
        cells = self._cells(symbols, layout)
        if self.bounded:
            return self._log_shares(*cells, scales).numpy() / -math.log(2)
        bits = _log_masses(*cells, scales) / -math.log(2)
        return self._in_whole_counts(bits.numpy(), symbols, layout, indexes)

    def _log_shares(self, lower: tf.Tensor, upper: tf.Tensor, scales: tf.Tensor) -> tf.Tensor:
        """As ``_log_masses``, as shares of the Gaussian's mass over a bounded alphabet."""
        ends = (tf.fill(tf.shape(scales), end) for end in (-0.5, self._size - 0.5))
        return self._kept_apart(_log_masses(lower, upper, scales) - _log_masses(*ends, scales))

    def freeze(self) -> None:
        """Builds the coding tables, grid by grid and scale by scale.

        Of a scale wider than a table can be, it holds the symbols around 0.
        """
        if self._size is not None:
            shape = [SCALES, self._size]
            symbols = tf.broadcast_to(tf.range(self._size, dtype=tf.float32), shape)
            every = tf.broadcast_to(
                scale_of(tf.range(SCALES, dtype=tf.float32))[:, tf.newaxis], shape
            )
            masses = np.exp(self._log_shares(*self._box(symbols), every).numpy())
            self._set_tables(list(masses), [0] * SCALES)
            return
        scales = scale_of(tf.range(SCALES, dtype=tf.float32)).numpy().astype(np.float64)
        most = 2**self._precision - 1  # Besides the escape.
        masses, firsts = [], []
        for grid in self._grids:
            for scale in scales:
                tail = self._tail * scale
                symbol, edges = edges_beyond(grid, -tail, tail)
                edges = edges.astype(np.float64)
                start = np.searchsorted(edges, -tail, side="right") - 1
                stop = max(np.searchsorted(edges, tail, side="left"), start + 1)
                start = max(start, np.searchsorted(edges, 0.0) - 1 - most // 2)
                stop = min(stop, start + most)
                masses.append(np.diff(ndtr(edges[start : stop + 1] / scale)))
                firsts.append(symbol + start)
        self._set_tables(masses, firsts)

    def _least_of_position(self, least: np.ndarray, channels: int) -> int:
        # Which scales there are is known only when the symbols before are decoded.
        return channels * int(least.min())

    def _rows(
        self, grids: tf.Tensor, channels: np.ndarray, indexes: Optional[tf.Tensor]
    ) -> tf.Tensor:
        """Tables are ordered by grid, then by scale."""
        return grids * SCALES + tf.gather(indexes, channels, axis=-1)


def scale_of(indexes: tf.Tensor) -> tf.Tensor:
    """Standard deviations float32 of float32 scale indexes in 0..63."""
    step = (math.log(LARGEST_SCALE) - math.log(SMALLEST_SCALE)) / (SCALES - 1)
    return tf.exp(math.log(SMALLEST_SCALE) + step * indexes)


def _log_masses(lower: tf.Tensor, upper: tf.Tensor, scales: tf.Tensor) -> tf.Tensor:
    """Natural logarithms of a zero-mean Gaussian's mass between two points, in both tails.

    The relative error of a mass is below 1e-3, and largest where the series begins. This is 20
    times as fast as logarithms of cumulative distributions, of which a training step on CPUs would
    take a sixth.
    """
    # What lies above 0 is mirrored: in the lower tail nothing cancels.
    above = lower + upper > 0
    low, high = tf.where(above, -upper, lower), tf.where(above, -lower, upper)
    return _log_masses_below(low, high, scales)


@tf.custom_gradient
def _log_masses_below(low: tf.Tensor, high: tf.Tensor, scales: tf.Tensor):
    low, high = low / scales, high / scales
    # Complementary error functions underflow in the far tail; there an asymptotic series is close.
    near = tf.math.erfc(-math.sqrt(0.5) * tf.maximum(high, FAR))
    near -= tf.math.erfc(-math.sqrt(0.5) * tf.maximum(low, FAR - 1))
    log_near = tf.math.log(tf.maximum(near / 2, 1e-30))
    far_low, far_high = tf.minimum(low, FAR), tf.minimum(high, FAR)
    inverse_hazard = (1 - far_high**-2) / -far_high
    density_ratio = tf.exp((far_high - far_low) * (far_high + far_low) / 2)
    share = tf.maximum(1 - density_ratio * far_high / far_low, 1e-30)
    log_far = _log_density(far_high) + tf.math.log(inverse_hazard * share)
    is_far = high < FAR
    logarithms = tf.where(is_far, log_far, log_near)

    def gradients(upstream):
        # Densities over the mass.
        far = 1 / (inverse_hazard * share)
        to_high = tf.where(is_far, far, tf.exp(_log_density(high) - log_near))
        to_low = tf.where(is_far, far * density_ratio, tf.exp(_log_density(low) - log_near))
        by_point = upstream / scales
        return -by_point * to_low, by_point * to_high, by_point * (to_low * low - to_high * high)

    return logarithms, gradients


def _log_density(points: tf.Tensor) -> tf.Tensor:
    return -0.5 * points**2 - 0.5 * math.log(2 * math.pi)
