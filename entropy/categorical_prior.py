"""Categorical prior: one learned probability for each symbol of each channel, at every position.

Probabilities are a softmax, mixed with enough of the uniform distribution that none falls below one
unit of the range coder: training counts the bits that the coder will need, and no symbol costs more
than ``range_coder_precision`` bits.
"""

from __future__ import annotations

import contextlib
import math
from typing import Optional, Sequence

import numpy as np
import tensorflow as tf

from entropy.range_coder import DamagedData, Tables, fewest_bytes, lookup_rows

END_BYTES = 2
"""The most that the coder needs beyond the bits of the symbols."""


class CategoricalPrior(tf.Module):
    """Codes indices, each symbol channel independently.

    Train on ``bits``, then ``freeze`` once to build the tables that code. They are a variable, so a
    checkpoint holds them and a decoder never computes them again.
    """

    kind = "indices"

    def __init__(
        self,
        *,
        channels: int,
        alphabet,
        conditional: bool = False,
        learning_scale: float = 10.0,
        range_coder_precision: int = 16,
    ):
        """Starts with equal probabilities.

        Args:
            channels: number of latent channels, at least 1; the alphabet decides all else.
            alphabet: the quantizer's, with the ``sizes`` of S symbol channels.
            conditional: must be False, because predicted scales would not be used.
            learning_scale: logits are this times a variable, positive: optimizers whose steps do
                not depend on the gradient's size then learn them as fast as the transforms.
            range_coder_precision: bits of the coder's probabilities, 2 to 16.

        Raises:
            ValueError: an argument is out of its range, or ``alphabet`` is not of indices.
        """
        super().__init__(name="categorical_prior")
        if alphabet.kind != self.kind:
            raise ValueError(
                f"entropy={type(self).__name__} codes indices, but the quantizer yields "
                f"{alphabet.kind} on a line."
            )
        if conditional:
            raise ValueError(
                "entropy=CategoricalPrior cannot use the scales that a model predicts."
            )
        if channels < 1:
            raise ValueError(f"channels={channels} must be at least 1.")
        if not 0 < learning_scale < math.inf:
            raise ValueError(f"learning_scale={learning_scale} must be positive and finite.")
        if not 2 <= range_coder_precision <= 16:
            raise ValueError(f"range_coder_precision={range_coder_precision} must be 2 to 16.")
        most = 2 ** (range_coder_precision - 1)
        if not alphabet.sizes or not all(2 <= size <= most for size in alphabet.sizes):
            raise ValueError(
                f"alphabet: sizes {alphabet.sizes} must be numbers from 2 to {most}, half of what "
                f"range_coder_precision={range_coder_precision} can tell apart."
            )
        self._sizes = np.array(alphabet.sizes)
        self._scale = learning_scale
        self._precision = range_coder_precision
        self._valid = np.arange(self._sizes.max()) < self._sizes[:, np.newaxis]  # [S, K]
        self._logits = tf.Variable(np.zeros(self._valid.shape, np.float32), name="logits")
        # The length is known only when the tables are built; a checkpoint brings its own.
        self._lookup = tf.Variable(
            np.zeros([0], np.int32), trainable=False, shape=tf.TensorShape([None]), name="lookup"
        )

    def expect(self, spreads: Sequence[float]) -> None:
        """Does nothing: how often an index occurs does not follow from the latents' spread."""

    def bits(self, rate: tf.Tensor) -> tf.Tensor:
        """Bits of each example.

        Args:
            rate: float32 ``[batch, height, width, S, K]``, one-hot, or all zero for a symbol that
                is not coded; K is the largest alphabet's size.

        Returns:
            float32 ``[batch]``, the sum over positions and channels; differentiable in ``rate`` and
            parameters.
        """
        nats = -self._log_probabilities() * tf.cast(rate, tf.float32)
        return tf.reduce_sum(nats, axis=list(range(1, len(rate.shape)))) / math.log(2)

    def symbol_bits(self, symbols: tf.Tensor) -> float:
        """Bits of int32 symbols ``[height, width, S']`` before any table; S' as in ``compress``."""
        symbols = self._checked(symbols)
        tables = np.log2(np.exp(self._log_probabilities().numpy().astype(np.float64)))
        return -float(tables[np.arange(symbols.shape[-1]), symbols].sum())

    def fixed_length_bits(
        self, height: int, width: int, symbol_channels: Optional[int] = None
    ) -> float:
        """Bits of ``height * width`` positions if all symbols of a channel cost the same."""
        channels = self._channels(symbol_channels)
        return height * width * float(np.log2(self._sizes[:channels]).sum())

    @property
    def frozen(self) -> bool:
        """Whether the learned coding tables exist."""
        return bool(tf.size(self._lookup) > 0)

    def freeze(self) -> None:
        """Builds the coding tables, channel by channel, from the learned probabilities."""
        table = np.exp(self._log_probabilities().numpy().astype(np.float64))
        rows = [row[:size] for row, size in zip(table, self._sizes)]
        self._lookup.assign(lookup_rows(rows, self._precision, overflow=False))

    def compress(self, symbols: tf.Tensor, fixed_length: bool = False) -> bytes:
        """Range-codes symbols.

        Args:
            symbols: int32 ``[height, width, S']``, the first S' of the symbol channels.
            fixed_length: True for tables of equal probabilities, which exist before ``freeze``; the
                number of bytes is then that of the costliest symbols, whatever the symbols are.

        Raises:
            ValueError: there are more channels than the alphabet has, or a symbol is not in it.
            RuntimeError: there are no learned tables yet.
        """
        symbols = self._checked(symbols)
        return self._encode(tf.constant(symbols, tf.int32), fixed_length)

    def decompress(
        self,
        data: bytes,
        height: int,
        width: int,
        fixed_length: bool = False,
        symbol_channels: Optional[int] = None,
    ) -> tf.Tensor:
        """Decodes what ``compress`` gave.

        Args:
            data: range-coded bytes.
            height: rows of the symbols.
            width: columns.
            fixed_length: as when compressing.
            symbol_channels: number S' of channels that were coded; None: all.

        Returns:
            int32 ``[height, width, S']``.

        Raises:
            ValueError: ``compress`` does not make exactly these data of any such symbols.
            RuntimeError: there are no learned tables yet.
        """
        shape = (height, width, self._channels(symbol_channels))
        with contextlib.suppress(DamagedData):
            # Before anything is allocated for the symbols.
            if len(data) >= self._fewest_bytes(shape, fixed_length):
                decode = self._tables(fixed_length).decoder(data, math.prod(shape))
                symbols = decode(self._rows(*shape))
                # Coding once more takes milliseconds and accepts only what an encoder writes.
                if self._encode(symbols, fixed_length) == data:
                    return symbols
        raise ValueError(
            f"data: {len(data)} range-coded bytes do not decode to "
            f"{' x '.join(map(str, shape))} symbols."
        )

    def _log_probabilities(self) -> tf.Tensor:
        """Natural logarithms float32 ``[S, K]``; 0 beyond a channel's alphabet."""
        # Finite, because an infinity times the zeros of a one-hot rate input would be NaN.
        logits = tf.where(self._valid, self._scale * self._logits, -1e9)
        unit = 2.0**-self._precision
        kept = (1 - self._sizes * unit).astype(np.float32)[:, np.newaxis]
        mixed = kept * tf.nn.softmax(logits) + unit
        return tf.where(self._valid, tf.math.log(mixed), 0.0)

    def _encode(self, symbols: tf.Tensor, fixed_length: bool) -> bytes:
        data = self._tables(fixed_length).encode([(self._rows(*symbols.shape), symbols)])
        return data.ljust(self._fewest_bytes(symbols.shape, fixed_length), b"\0")

    def _fewest_bytes(self, shape: Sequence[int], fixed_length: bool) -> int:
        """Of the string of symbols ``[height, width, S']``; ``fixed_length``: of each string."""
        positions = shape[0] * shape[1]
        if not fixed_length:
            least = self._tables(fixed_length).least_bits()[: shape[2]]
            return fewest_bytes(positions * int(least.sum()))
        # The coder drops trailing zeros, and a table of 5 equal probabilities is not quite equal.
        unit = 2**self._precision
        bits = np.log2(unit / (unit // self._sizes[: shape[2]])).sum()
        return math.ceil(round(positions * float(bits) / 8, 6)) + END_BYTES

    def _tables(self, fixed_length: bool) -> Tables:
        if fixed_length:
            # Integer arithmetic gives every machine the same tables.
            rows = [
                np.append(self._precision, (np.arange(size + 1) << self._precision) // size)
                for size in self._sizes.tolist()
            ]
            lookup = tf.constant(np.concatenate(rows), tf.int32)
        elif self.frozen:
            lookup = self._lookup.value()
        else:
            raise RuntimeError("freeze() builds the tables before anything can be coded.")
        return Tables(lookup, tf.zeros([len(self._sizes)], tf.int32))

    def _rows(self, height: int, width: int, channels: int) -> tf.Tensor:
        return tf.tile(tf.range(channels)[tf.newaxis, tf.newaxis], [height, width, 1])

    def _channels(self, symbol_channels: Optional[int]) -> int:
        channels = len(self._sizes) if symbol_channels is None else symbol_channels
        if not 1 <= channels <= len(self._sizes):
            raise ValueError(f"symbol_channels={channels} must be 1 to {len(self._sizes)}.")
        return channels

    def _checked(self, symbols: tf.Tensor) -> np.ndarray:
        symbols = np.asarray(symbols)
        sizes = self._sizes[: self._channels(symbols.shape[-1])]
        if (symbols < 0).any() or (symbols >= sizes).any():
            raise ValueError(f"symbols must be in 0..size - 1 with sizes {sizes.tolist()}.")
        return symbols
