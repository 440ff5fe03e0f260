"""What stands between a container's header and its checksum: how symbols were coded, and they.

| alphabet | bytes in front of the range-coded symbols |
|---|---|
| integers | none; with a dithered quantizer its seed, 4 bytes, little-endian |
| indices | 1: number of refinement stages, plus 128 where codes have a fixed length |
"""

from __future__ import annotations

import struct
from typing import Optional

import tensorflow as tf

from models import Autoencoder

PRELUDE_LIMIT = 4
"""The most bytes that a payload spends before its symbols."""

_FIXED_LENGTH = 128


def first_stages(model: Autoencoder, symbols: tf.Tensor, stages: Optional[int]) -> tf.Tensor:
    """Symbols ``[..., symbol channels]`` of the first refinement stages; None keeps all.

    Raises:
        ValueError: the model's quantizer has not so many.
    """
    whole = model.quantizer.stages
    if stages is not None and not 1 <= stages <= whole:
        raise ValueError(f"stages={stages} must be 1 to {whole} with this quantizer.")
    return symbols[..., : symbols.shape[-1] // whole * (stages or whole)]


def pack_symbols(model: Autoencoder, symbols: tf.Tensor, *, fixed_length: bool = False) -> bytes:
    """Codes int32 symbols ``[rows, columns, symbol channels]``.

    Args:
        model: frozen.
        symbols: as its quantizer encodes them, of all its refinement stages or the first few.
        fixed_length: spend the same bits on every symbol, whatever the prior has learned. Only for
            finite alphabets.

    Raises:
        ValueError: an option that this model's quantizer does not have.
    """
    quantizer = model.quantizer
    if quantizer.alphabet.kind == "integers":
        if fixed_length:
            raise ValueError("fixed_length=True needs a quantizer of finitely many symbols.")
        seed = quantizer.file_seed
        prelude = b"" if seed is None else struct.pack("<I", seed)
        return prelude + model.entropy.compress(symbols, quantizer.layout(symbols.shape[-1]))
    stages = symbols.shape[-1] * quantizer.stages // len(quantizer.alphabet.sizes)
    prelude = bytes([stages + _FIXED_LENGTH * fixed_length])
    return prelude + model.entropy.compress(symbols, fixed_length=fixed_length)


def unpack_values(model: Autoencoder, payload: bytes, rows: int, columns: int) -> tf.Tensor:
    """Decodes what ``pack_symbols`` gave to values float32 ``[rows, columns, channels]``.

    Raises:
        ValueError: the payload is not of such symbols.
    """
    quantizer, entropy = model.quantizer, model.entropy
    if quantizer.alphabet.kind == "integers":
        seed = None
        if quantizer.file_seed is not None:
            if len(payload) < PRELUDE_LIMIT:
                raise ValueError(f"{len(payload)} bytes are too few to hold the dither's seed.")
            seed = struct.unpack("<I", payload[:PRELUDE_LIMIT])[0]
            payload = payload[PRELUDE_LIMIT:]
        layout = quantizer.layout(model.transforms.latent_channels, seed)
        return quantizer.decode(entropy.decompress(payload, rows, columns, layout), seed)
    if not payload:
        raise ValueError("the payload is empty.")
    stages, fixed_length = payload[0] % _FIXED_LENGTH, payload[0] >= _FIXED_LENGTH
    if not 1 <= stages <= quantizer.stages:
        raise ValueError(f"{stages} stages, but the model has {quantizer.stages}.")
    symbols = entropy.decompress(
        payload[1:],
        rows,
        columns,
        fixed_length=fixed_length,
        symbol_channels=len(quantizer.alphabet.sizes) // quantizer.stages * stages,
    )
    return quantizer.decode(symbols)


def symbol_bits(model: Autoencoder, symbols: tf.Tensor) -> float:
    """Bits of the symbols under the trained density, before any coding table."""
    if model.quantizer.alphabet.kind == "integers":
        return model.entropy.symbol_bits(symbols, model.quantizer.layout(symbols.shape[-1]))
    return model.entropy.symbol_bits(symbols)
