"""Universal quantization: rounding to a grid that a shared dither shifts at every latent.

Agustsson & Theis 2020, "Universally Quantized Neural Compression", arXiv 2006.09952: whatever the
latents, the error after training is the uniform noise of training.
"""

from __future__ import annotations

import copy
from typing import Optional

import tensorflow as tf

from quantizers.base.contract import Integers, ScalarSurrogate
from quantizers.base.grids import Affine, Layout
from quantizers.base.scalar import LARGEST_SYMBOL, ScalarQuantizer

DITHERS = 16
"""Number of shifts, equally spaced over one cell; each has its own coding tables."""


class UniversalQuantizer(ScalarQuantizer):
    """``round(y - u) + u`` after training, with u from a seed in the file.

    The dither of an array is a pure function of seed, slice and shape. Its values are multiples of
    1/32, whose sums are exact in float32, so encoder and decoder agree on every machine.
    """

    def __init__(
        self,
        *,
        decoder: ScalarSurrogate,
        rate: Optional[ScalarSurrogate] = None,
        hard_from_step: Optional[int] = None,
        dither_seed: int = 0,
    ):
        """Fills the slots for training; see ``ScalarQuantizer``.

        Args:
            decoder: surrogate of the decoder's slot.
            rate: surrogate of the rate's slot.
            hard_from_step: see ``ScalarQuantizer``.
            dither_seed: of the files that this encodes, 0 to 2**32 - 1; it decodes any.
        """
        super().__init__(decoder=decoder, rate=rate, hard_from_step=hard_from_step)
        if not 0 <= dither_seed < 2**32:
            raise ValueError(f"dither_seed={dither_seed} must be 0 to {2**32 - 1}.")
        self.file_seed = dither_seed
        self._slice = 0

    def for_slice(self, number: int) -> UniversalQuantizer:
        """The same with another dither: one slice's must not be predictable from another's."""
        if number == self._slice:
            return self
        other = copy.copy(self)
        other._slice = number
        return other

    @property
    def alphabet(self) -> Integers:
        """Integers on the shifted grids."""
        return Integers(tuple(Affine(offset=_shift(number)) for number in range(DITHERS)))

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        latents = tf.clip_by_value(tf.cast(latents, tf.float32), -LARGEST_SYMBOL, LARGEST_SYMBOL)
        dither = _shift(_dither_numbers(tf.shape(latents), self.file_seed, self._slice))
        return tf.cast(tf.round(latents - dither), tf.int32)

    def decode(self, symbols: tf.Tensor, seed: Optional[int] = None) -> tf.Tensor:
        seed = self.file_seed if seed is None else seed
        dither = _shift(_dither_numbers(tf.shape(symbols), seed, self._slice))
        return tf.cast(symbols, tf.float32) + dither

    def layout(self, channels: int, seed: Optional[int] = None) -> Layout:
        """All channels at once; the seed determines the grid numbers."""
        return _DitherLayout(channels, self.file_seed if seed is None else seed, self._slice)


class _DitherLayout(Layout):
    def __init__(self, channels: int, seed: int, number: int):
        super().__init__(channels)
        self._seed, self._slice = seed, number

    def grids_of(self, number: int, symbols: tf.Tensor) -> tf.Tensor:
        return _dither_numbers(tf.shape(symbols), self._seed, self._slice)


def _dither_numbers(shape: tf.Tensor, seed: int, number: int) -> tf.Tensor:
    """Int32 of ``shape`` in 0..DITHERS - 1, for the slice of that number."""
    # Philox by name: the automatic choice of an algorithm differs between devices.
    halves = [seed % 2**16 + 2**16 * number, seed // 2**16]
    return tf.random.stateless_uniform(shape, halves, 0, DITHERS, tf.int32, alg="philox")


def _shift(number):
    """Where a dither number lies within the cell: float, -1/2 to 1/2 exclusive."""
    if isinstance(number, tf.Tensor):
        number = tf.cast(number, tf.float32)
    return (number + 0.5) / DITHERS - 0.5
