"""Fully factorized prior: one learned density a channel, the same at every position.

Balle et al. 2018, "Variational image compression with a scale hyperprior", arXiv 1802.01436,
appendix 6.1; density, tables and range coder are TensorFlow Compression's. The density is convolved
with the unit box, which on the integers is the exact probability mass.
"""

from __future__ import annotations

import math
from typing import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from entropy.deep_factorized import sum_log_probabilities


class FactorizedPrior(tf.Module):
    """Codes integer symbols, channel by channel independent.

    Life: train on ``bits``, then ``freeze`` once; only a frozen prior codes. The tables are
    variables, so a checkpoint carries them and a decoder never computes them again.
    """

    alphabet = "integers"

    def __init__(
        self,
        *,
        channels: int,
        num_filters: Sequence[int] = (3, 3),
        init_scale: float = 10.0,
        tail_mass: float = 2**-16,
        range_coder_precision: int = 16,
    ):
        """Creates the density's parameters.

        Args:
            channels: number of latent channels, at least 1.
            num_filters: hidden widths of the network that is the cumulative distribution.
            init_scale: width of the density at the start; latents should lie within it.
            tail_mass: mass outside the tables, in (0, 1); symbols there are coded by an escape and
                an Elias gamma code, so every integer can be coded.
            range_coder_precision: bits of the coder's probabilities, 1 to 16.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(name="factorized_prior")
        if channels < 1:
            raise ValueError(f"channels={channels} must be at least 1.")
        if not 0 < tail_mass < 1:
            raise ValueError(f"tail_mass={tail_mass} must lie between 0 and 1.")
        if not 1 <= range_coder_precision <= 16:
            raise ValueError(f"range_coder_precision={range_coder_precision} must be 1 to 16.")
        if init_scale <= 0:
            raise ValueError(f"init_scale={init_scale} must be positive.")
        self._channels = channels
        self._tail_mass = tail_mass
        self._precision = range_coder_precision
        self._density = tfc.NoisyDeepFactorized(
            batch_shape=(channels,), num_filters=tuple(num_filters), init_scale=init_scale
        )
        self._cdf = _empty_table("cdf")
        self._cdf_offset = _empty_table("cdf_offset")

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

    @property
    def frozen(self) -> bool:
        """Whether the coding tables exist."""
        return bool(tf.size(self._cdf) > 0)

    def freeze(self) -> None:
        """Builds the coding tables from the density as it is now."""

        @tf.function  # The search for the tails is a long loop: ten times slower when eager.
        def build_tables():
            coder = tfc.ContinuousBatchedEntropyModel(
                self._density,
                coding_rank=3,
                compression=True,
                stateless=True,
                tail_mass=self._tail_mass,
                range_coder_precision=self._precision,
                bottleneck_dtype=tf.float32,
                offset_heuristic=False,
            )
            return coder.cdf, coder.cdf_offset

        cdf, cdf_offset = build_tables()
        self._cdf.assign(cdf)
        self._cdf_offset.assign(cdf_offset)

    def compress(self, symbols: tf.Tensor) -> bytes:
        """Range-codes int32 ``[height, width, channels]``, each of magnitude up to 2**23."""
        return self._coder().compress(tf.cast(symbols, tf.float32)).numpy()

    def decompress(self, data: bytes, height: int, width: int) -> tf.Tensor:
        """Decodes what ``compress`` gave.

        Returns:
            int32 ``[height, width, channels]``.

        Raises:
            ValueError: the data are not exactly what ``compress`` makes of such symbols.
        """
        try:
            values = self._coder().decompress(data, (height, width))
        except tf.errors.InvalidArgumentError:
            values = None
        # The range decoder makes something of almost any bytes. Coding once more takes two
        # milliseconds and accepts only what an encoder writes.
        if values is None or self.compress(values) != data:
            raise ValueError(
                f"data: {len(data)} range-coded bytes do not decode to {height} x {width} x "
                f"{self._channels} symbols."
            )
        return tf.cast(values, tf.int32)

    def _coder(self) -> tfc.ContinuousBatchedEntropyModel:
        if not self.frozen:
            raise RuntimeError("freeze() builds the tables before anything can be coded.")
        return tfc.ContinuousBatchedEntropyModel(
            prior_shape=(self._channels,),
            coding_rank=3,
            compression=True,
            stateless=True,
            cdf=self._cdf,
            cdf_offset=self._cdf_offset,
            bottleneck_dtype=tf.float32,
            offset_heuristic=False,
        )


def _empty_table(name: str) -> tf.Variable:
    # The length is known only when the tables are built; a restored checkpoint brings its own.
    return tf.Variable(
        np.zeros([0], np.int32), trainable=False, shape=tf.TensorShape([None]), name=name
    )
