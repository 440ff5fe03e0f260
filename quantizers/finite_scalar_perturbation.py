"""Finite scalars trained by moving them within their cells, instead of rounding them.

FSP of Zhai et al. 2026, "VP-VAE: Rethinking vector quantization via adaptive vector perturbation",
arXiv 2602.17133, with the bound, cells and scale of the authors' code. There a group of channels
is one index; here each channel is a symbol, as in ``quantizers.finite_scalar``.
"""

from __future__ import annotations

import math
from typing import Dict, Sequence

import numpy as np
import tensorflow as tf

from quantizers.base.contract import Quantized
from quantizers.base.indices import bounded, with_gradient_of
from quantizers.finite_scalar import FiniteScalarQuantizer


class FiniteScalarPerturbation(FiniteScalarQuantizer):
    """A few cells of equal width per channel; no parameters.

    With ``p = (tanh(y) + 1) / 2`` and L levels the symbol is ``floor(L p)``, and the decoder sees
    the middle of its cell, scaled so that uniform p have variance 1. While training it sees p moved
    by up to half a cell, or p where that would leave 0..1. The rate's gradient is that of linear
    interpolation between the two nearest levels.
    """

    def __init__(
        self, *, seed: int, levels: Sequence[int] = (8, 5, 5, 5), rounded_share: float = 0.0
    ):
        """Takes the levels and seeds the perturbation.

        Args:
            seed: equal seeds move latents equally.
            levels: see ``FiniteScalarQuantizer``.
            rounded_share: of the latents that are rounded while training, straight-through, instead
                of moved; 0 to 1.

        Raises:
            ValueError: ``levels`` or ``rounded_share`` is out of its range.
        """
        super().__init__(levels=levels)
        if not 0 <= rounded_share <= 1:
            raise ValueError(f"rounded_share={rounded_share} must be 0 to 1.")
        self._rounded_share = rounded_share
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def build(self, channels: int) -> None:
        """One symbol per channel; the last group of levels may be cut short."""
        self._set_sizes(np.resize(self._levels, channels))
        self._cells = np.array(self._sizes, np.float32)

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        cells = tf.floor(self._share(bounded(latents)) * self._cells)
        return tf.cast(tf.minimum(cells, self._cells - 1), tf.int32)

    def decode(self, symbols: tf.Tensor, seed: None = None) -> tf.Tensor:
        del seed
        return _scaled((tf.cast(symbols, tf.float32) + 0.5) / self._cells)

    def _train(self, latents: tf.Tensor) -> Quantized:
        share, symbols = self._share(latents), self.encode(latents)
        moved = share + self._generator.uniform(tf.shape(share), -0.5, 0.5) / self._cells
        moved = tf.where((moved > 0) & (moved < 1), moved, share)
        rounded = with_gradient_of(_scaled(share), hard=self.decode(symbols))
        is_rounded = self._generator.uniform(tf.shape(share)) < self._rounded_share
        return Quantized(
            rate_input=with_gradient_of(
                self._interpolated(share * self._cells - 0.5), hard=self._one_hot(symbols)
            ),
            decoder_input=tf.where(is_rounded, rounded, _scaled(moved)),
            penalty=tf.zeros([], tf.float32),
        )

    def _share(self, latents: tf.Tensor) -> tf.Tensor:
        return (tf.tanh(latents) + 1) / 2

    @property
    def coding_settings(self) -> Dict[str, object]:
        return {"cells": list(self._levels)}


def _scaled(share: tf.Tensor) -> tf.Tensor:
    return (share - 0.5) * math.sqrt(12)
