"""Finite scalar quantization: each channel bounded, then rounded to a few levels.

Mentzer et al. 2023, "Finite scalar quantization: VQ-VAE made simple", arXiv 2309.15505. Bound,
offset and scale are those of the paper's listing, which shifts even levels by a ``tan`` although
the inverse of the bound is an ``atanh`` (.347 and .347 for four levels); two levels, which the
paper never uses, are not shifted. The paper codes the channels of a group as one index; here each
channel is a symbol, for which an entropy model may learn its own probabilities.
"""

from __future__ import annotations

from typing import Dict, Sequence

import numpy as np
import tensorflow as tf

from quantizers.base.contract import Quantized
from quantizers.base.indices import IndexQuantizer, bounded, with_gradient_of

EPSILON = 1e-3
"""Keeps the bound inside the outermost cells."""

MOST_LEVELS = 512
"""With more than 1000, latents could not reach the outermost level."""


class FiniteScalarQuantizer(IndexQuantizer):
    """A few fixed levels per channel; no parameters.

    The decoder sees levels in [-1, 1], straight-through except for the bound. The rate's gradient
    is that of linear interpolation between the two levels around the bounded latent.

    Example: levels ``[8, 5, 5, 5]`` over 6 channels are 8, 5, 5, 5, 8, 5.
    """

    def __init__(self, *, levels: Sequence[int] = (8, 5, 5, 5)):
        """Takes the levels.

        Args:
            levels: numbers of levels of the first channels, 2 to 512 each; repeated for the others.

        Raises:
            ValueError: ``levels`` is empty or one is out of its range.
        """
        super().__init__(name="finite_scalar")
        self._levels = tuple(levels)
        if not self._levels or not all(2 <= level <= MOST_LEVELS for level in self._levels):
            raise ValueError(f"levels={list(levels)} must be numbers from 2 to {MOST_LEVELS}.")

    def build(self, channels: int) -> None:
        """One symbol per channel; the last group of levels may be cut short."""
        self._set_sizes(np.resize(self._levels, channels))
        sizes = np.array(self._sizes)
        self._zero = (sizes // 2).astype(np.float32)  # The symbol that decodes to 0.
        self._reach = ((sizes - 1) * (1 - EPSILON) / 2).astype(np.float32)
        self._offset = np.where(sizes % 2 == 1, 0, 0.5).astype(np.float32)
        self._shift = np.where(sizes == 2, 0, np.tan(self._offset / self._reach)).astype(np.float32)

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.round(self._bound(bounded(latents))) + self._zero, tf.int32)

    def decode(self, symbols: tf.Tensor, seed: None = None) -> tf.Tensor:
        del seed
        return (tf.cast(symbols, tf.float32) - self._zero) / self._zero

    @property
    def coding_settings(self) -> Dict[str, object]:
        return {"levels": list(self._levels)}

    def _train(self, latents: tf.Tensor) -> Quantized:
        bound = self._bound(latents)
        symbols = self.encode(latents)
        return Quantized(
            rate_input=with_gradient_of(
                self._interpolated(bound + self._zero), hard=self._one_hot(symbols)
            ),
            decoder_input=with_gradient_of(bound / self._zero, hard=self.decode(symbols)),
            penalty=tf.zeros([], tf.float32),
        )

    def _bound(self, latents: tf.Tensor) -> tf.Tensor:
        return tf.tanh(latents + self._shift) * self._reach - self._offset

    def _interpolated(self, place: tf.Tensor) -> tf.Tensor:
        """Weights ``[..., channels, levels]`` of the two levels around a place among them."""
        # One-sided at the levels themselves, where the slope of hat functions is undefined.
        last = np.array(self._sizes, np.float32) - 2
        lower = tf.stop_gradient(tf.clip_by_value(tf.floor(place), 0.0, last))
        share = (place - lower)[..., tf.newaxis]
        index = tf.cast(lower, tf.int32)
        return (1 - share) * self._one_hot(index) + share * self._one_hot(index + 1)
