"""One array of symbols as bytes: a prelude and the range-coded symbols.

| alphabet | prelude |
|---|---|
| integers | none; with a dithered quantizer its seed, 4 bytes, little-endian |
| integers 0..K - 1 | 1: 128 where codes have a fixed length, otherwise 0 |
| indices | 1: number of refinement stages, plus 128 where codes have a fixed length |
"""

from __future__ import annotations

import struct
from typing import Optional

import numpy as np
import tensorflow as tf

from entropy import CategoricalPrior
from quantizers import Indices

SEED_BYTES = 4

_FIXED_LENGTH = 128


def first_stages(quantizer, symbols: tf.Tensor, stages: Optional[int]) -> tf.Tensor:
    """Symbols ``[..., symbol channels]`` of the first refinement stages; None keeps all.

    Raises:
        ValueError: the quantizer does not have that many.
    """
    whole = quantizer.stages
    if stages is not None and not 1 <= stages <= whole:
        raise ValueError(f"stages={stages} must be 1 to {whole} with this quantizer.")
    return symbols[..., : symbols.shape[-1] // whole * (stages or whole)]


def pack_symbols(
    quantizer,
    entropy,
    symbols: tf.Tensor,
    *,
    fixed_length: bool = False,
    indexes: Optional[tf.Tensor] = None,
) -> bytes:
    """Codes int32 symbols ``[rows, columns, symbol channels]``.

    Args:
        quantizer: that made the symbols.
        entropy: its frozen entropy model.
        symbols: of all refinement stages or the first few.
        fixed_length: spend the same number of bits on every symbol. Only for finite alphabets.
        indexes: scale indexes, where the entropy model is conditional.

    Raises:
        ValueError: ``fixed_length`` with an alphabet that is not finite.
    """
    if quantizer.alphabet.kind == "integers":
        if entropy.bounded:
            prelude = bytes([_FIXED_LENGTH * fixed_length])
            if fixed_length:
                coder = _of_equal_length(quantizer, symbols.shape[-1])
                return prelude + coder.compress(symbols, fixed_length=True)
            layout = quantizer.layout(symbols.shape[-1])
            return prelude + entropy.compress(symbols, layout, **_given(indexes))
        if fixed_length:
            raise ValueError("fixed_length=True needs a quantizer of finitely many symbols.")
        seed = quantizer.file_seed
        prelude = b"" if seed is None else struct.pack("<I", seed)
        layout = quantizer.layout(symbols.shape[-1])
        return prelude + entropy.compress(symbols, layout, **_given(indexes))
    stages = symbols.shape[-1] * quantizer.stages // len(quantizer.alphabet.sizes)
    prelude = bytes([stages + _FIXED_LENGTH * fixed_length])
    return prelude + entropy.compress(symbols, fixed_length=fixed_length)


class PayloadReader:
    """Decodes what ``pack_symbols`` gave, slice by slice of the channels.

    An alphabet of indices has a single slice, and no scale indexes.
    """

    def __init__(self, quantizer, entropy, payload: bytes, rows: int, columns: int, channels: int):
        """Starts at the beginning.

        Args:
            quantizer: of all slices.
            entropy: its frozen entropy model.
            payload: the bytes.
            rows: of the symbols.
            columns: of the symbols.
            channels: of all values.

        Raises:
            ValueError: the payload is too short for so many, whatever they are.
        """
        self._entropy, self._payload, self._size = entropy, payload, (rows, columns)
        self._seed, self._reader = None, None
        self._fixed_length: Optional[tf.Tensor] = None  # Symbols that are not yet read.
        if quantizer.alphabet.kind != "integers":
            return
        if quantizer.file_seed is not None:
            if len(payload) < SEED_BYTES:
                raise ValueError(f"{len(payload)} bytes are too few to hold the dither's seed.")
            (self._seed,) = struct.unpack("<I", payload[:SEED_BYTES])
            payload = payload[SEED_BYTES:]
        if entropy.bounded:
            if payload[:1] == bytes([_FIXED_LENGTH]):
                coder = _of_equal_length(quantizer, channels)
                symbols = coder.decompress(payload[1:], rows, columns, fixed_length=True)
                self._fixed_length, self._reader = symbols, None
                return
            if payload[:1] != b"\0":
                raise ValueError("the payload does not begin as one of a bounded alphabet does.")
            payload = payload[1:]
        self._reader = entropy.reader(payload, rows, columns, channels)

    def read(self, quantizer, channels: int, indexes: Optional[tf.Tensor] = None) -> tf.Tensor:
        """Values float32 ``[rows, columns, channels]`` of the next slice.

        Args:
            quantizer: of this slice.
            channels: of this slice.
            indexes: int32, the values' shape: scale indexes, where the model is conditional.

        Raises:
            ValueError: the payload is not of such symbols.
        """
        if self._fixed_length is not None:
            symbols, self._fixed_length = tf.split(
                self._fixed_length, [channels, self._fixed_length.shape[-1] - channels], axis=-1
            )
            return quantizer.decode(symbols)
        if self._reader is None:
            return quantizer.decode(self._read_indices(quantizer))
        layout = quantizer.layout(channels, self._seed)
        return quantizer.decode(self._reader.read(layout, indexes), self._seed)

    def finish(self) -> None:
        """Raises ValueError unless an encoder writes exactly this payload for what was read."""
        if self._reader is not None:
            self._reader.finish()

    def _read_indices(self, quantizer) -> tf.Tensor:
        if not self._payload:
            raise ValueError("the payload is empty.")
        stages, fixed_length = self._payload[0] % _FIXED_LENGTH, self._payload[0] >= _FIXED_LENGTH
        if not 1 <= stages <= quantizer.stages:
            raise ValueError(f"{stages} stages, but the model has {quantizer.stages}.")
        return self._entropy.decompress(
            self._payload[1:],
            *self._size,
            fixed_length=fixed_length,
            symbol_channels=len(quantizer.alphabet.sizes) // quantizer.stages * stages,
        )


def _of_equal_length(quantizer, channels: int) -> CategoricalPrior:
    """A coder of a bounded alphabet's integers for which all symbols cost the same."""
    return CategoricalPrior(
        channels=channels, alphabet=Indices((quantizer.alphabet.size,) * channels)
    )


def symbol_bits(
    quantizer, entropy, symbols: tf.Tensor, indexes: Optional[tf.Tensor] = None
) -> float:
    """Bits of the symbols under the trained density, before any coding table."""
    if quantizer.alphabet.kind == "integers":
        layout = quantizer.layout(symbols.shape[-1])
        return entropy.symbol_bits(symbols, layout, **_given(indexes))
    return entropy.symbol_bits(symbols)


def bits_of_each(
    quantizer, entropy, symbols: tf.Tensor, indexes: Optional[tf.Tensor] = None
) -> np.ndarray:
    """The terms of ``symbol_bits`` with an alphabet of integers: float of the symbols' shape."""
    return entropy.bits_of_each(symbols, quantizer.layout(symbols.shape[-1]), **_given(indexes))


def _given(indexes):
    return {} if indexes is None else {"indexes": indexes}
