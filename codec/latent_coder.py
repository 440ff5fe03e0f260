"""All latents of one image as bytes: the symbols, and the side information where there is some.

With side information a payload is: length of its bytes (base-128 varint), its bytes, CRC-32 of the
scale indexes that follow from it (4 bytes), the symbols' bytes. The scale indexes are computed in
fixed point, so a decoder has the encoder's; should it ever not, the CRC says so, and no symbol is
read with the wrong table. Where slices of the channels are decoded in turn, the check of all comes
before the last of them is read: what a wrong table made of the others is then thrown away.
"""

from __future__ import annotations

import struct
import zlib
from typing import List, NamedTuple, Optional

import numpy as np
import tensorflow as tf

from codec.payload import (
    bits_of_each,
    first_stages,
    pack_symbols,
    split_seed,
    symbol_bits,
    unpack_values,
)
from codec.varint import from_varint, to_varint
from models import Autoencoder
from models.hyperprior import STRIDE, centred

_CRC_BYTES = 4


class Latents(NamedTuple):
    """What an encoder quantizes, in the place of what the analysis gives.

    Attributes:
        values: float32 ``[rows, columns, channels]``.
        hyper: float32 ``[rows / 4, columns / 4, hyper channels]``; None: what the hyper-analysis
            makes of the values, or no side information.
    """

    values: tf.Tensor
    hyper: Optional[tf.Tensor] = None


class _Coded(NamedTuple):
    """All that is decided about one image's latents ``[rows, columns, channels]``."""

    side: Optional[tf.Tensor]  # int32 [rows / 4, columns / 4, symbol channels]: side information
    symbols: tf.Tensor  # int32 [rows, columns, symbol channels]
    indexes: Optional[tf.Tensor]  # int32, the latents' shape: scale indexes
    centred: tf.Tensor  # float32, the latents' shape: what the quantizer rounded
    values: tf.Tensor  # float32, the latents' shape: what the synthesis sees


class LatentCoder:
    """Codes latents float32 ``[rows, columns, channels]`` of a frozen model.

    Side information is of the hyper-latents that a call is given; None: of those that the
    hyper-analysis makes of the latents.
    """

    def __init__(self, model: Autoencoder, stages: Optional[int] = None):
        """Takes the model.

        Args:
            model: trained and frozen.
            stages: of a residual quantizer, how many refinement stages to code; None: all.

        Raises:
            ValueError: the quantizer has not so many.
        """
        first_stages(model.quantizer, tf.zeros([model.quantizer.stages], tf.int32), stages)
        self._model = model
        self._stages = stages

    def encode(
        self, latents: tf.Tensor, fixed_length: bool = False, hyper: Optional[tf.Tensor] = None
    ) -> bytes:
        """The payload; ``fixed_length`` as ``pack_symbols`` has it."""
        model, coded = self._model, self._coded(latents, hyper)
        payload = pack_symbols(
            model.quantizer,
            model.entropy,
            coded.symbols,
            fixed_length=fixed_length,
            indexes=coded.indexes,
        )
        if coded.side is None:
            return payload
        head = pack_symbols(model.hyper_quantizer, model.hyper_entropy, coded.side)
        return to_varint(len(head)) + head + _checksum(coded.indexes) + payload

    def decode(self, payload: bytes, rows: int, columns: int) -> tf.Tensor:
        """Values float32 ``[rows, columns, channels]`` of a payload.

        Raises:
            ValueError: the payload is not of such latents.
        """
        model = self._model
        if model.hyper is None:
            channels = model.transforms.latent_channels
            return unpack_values(model.quantizer, model.entropy, payload, rows, columns, channels)
        length, start = from_varint(payload, 0)
        head, payload = payload[start : start + length], payload[start + length :]
        side = unpack_values(
            model.hyper_quantizer,
            model.hyper_entropy,
            head,
            -(-rows // STRIDE),
            -(-columns // STRIDE),
            model.hyper.latent_channels,
        )
        checksum, payload = payload[:_CRC_BYTES], payload[_CRC_BYTES:]
        return self._decode_slices(side, checksum, payload, rows, columns)

    def _decode_slices(
        self, side: tf.Tensor, checksum: bytes, payload: bytes, rows: int, columns: int
    ) -> tf.Tensor:
        model = self._model
        seed, data = split_seed(model.quantizer, payload)
        reader = model.entropy.reader(data)
        known: List[tf.Tensor] = []

        def code(number, prediction):
            known.append(tf.cast(prediction.indexes[0], tf.int32))
            if number == model.slices - 1 and _checksum(tf.concat(known, -1)) != checksum:
                raise ValueError("the scale indexes of this decoder are not the encoder's.")
            quantizer = model.quantizer.for_slice(number)
            layout = quantizer.layout(known[-1].shape[-1], seed)
            symbols = reader.read(rows, columns, layout, known[-1])
            return quantizer.decode(symbols, seed)[tf.newaxis]

        values = model.reconstruct(side[tf.newaxis], rows, columns, code, exact=True)
        reader.finish()
        return values[0]

    def values(
        self, latents: tf.Tensor, training: bool = False, hyper: Optional[tf.Tensor] = None
    ) -> tf.Tensor:
        """What the synthesis sees of the latents, without any bytes; same shape.

        Args:
            latents: of one image.
            training: False for what ``decode`` gives; True for what it saw while training.
            hyper: hyper-latents.
        """
        if self._stages is None or training:
            given = None if hyper is None else hyper[tf.newaxis]
            return self._model.quantize(latents[tf.newaxis], training, given).values[0]
        return self._coded(latents, hyper).values

    def symbol_bits(self, latents: tf.Tensor, hyper: Optional[tf.Tensor] = None) -> float:
        """Bits of what ``encode`` codes under the trained densities, before any table."""
        model, coded = self._model, self._coded(latents, hyper)
        bits = symbol_bits(model.quantizer, model.entropy, coded.symbols, coded.indexes)
        return bits + self._side_bits(coded.side)

    def bits_of_each(self, latents: tf.Tensor, hyper: Optional[tf.Tensor] = None) -> np.ndarray:
        """What each symbol of an alphabet of integers adds to ``symbol_bits``: latents' shape."""
        model, coded = self._model, self._coded(latents, hyper)
        return bits_of_each(model.quantizer, model.entropy, coded.symbols, coded.indexes)

    def side_bits(self, latents: tf.Tensor, hyper: Optional[tf.Tensor] = None) -> float:
        """The side information's part of ``symbol_bits``; 0 where there is none."""
        return self._side_bits(self._side(latents, hyper))

    def noise_bits(self, latents: tf.Tensor, noise: tf.Tensor) -> float:
        """Bits with ``noise`` on the latents in place of rounding; predictions as coded."""
        model, coded = self._model, self._coded(latents)
        conditions = ()
        if coded.indexes is not None:
            conditions = (tf.cast(coded.indexes, tf.float32)[tf.newaxis],)
        bits = model.entropy.bits((coded.centred + noise)[tf.newaxis], *conditions)
        return float(bits[0]) + self._side_bits(coded.side)

    def fixed_length_bits(self, latents: tf.Tensor) -> float:
        """Bits of finite alphabets where every symbol costs the same."""
        return self._model.entropy.fixed_length_bits(*self._coded(latents).symbols.shape)

    def _coded(self, latents: tf.Tensor, hyper: Optional[tf.Tensor] = None) -> _Coded:
        model, side, hyper_values = self._model, self._side(latents, hyper), None
        if side is not None:
            hyper_values = model.hyper_quantizer.decode(side)[tf.newaxis]
        parts = tf.split(latents, model.slices, axis=-1)
        symbols, indexes, rounded = [], [], []

        def code(number, prediction):
            quantizer = model.quantizer.for_slice(number)
            values = centred(parts[number][tf.newaxis], prediction)[0]
            rounded.append(values)
            symbols.append(first_stages(quantizer, quantizer.encode(values), self._stages))
            if prediction.indexes is not None:
                indexes.append(tf.cast(prediction.indexes[0], tf.int32))
            return quantizer.decode(symbols[-1])[tf.newaxis]

        values = model.reconstruct(hyper_values, *latents.shape[:2], code, exact=True)
        return _Coded(
            side=side,
            symbols=tf.concat(symbols, -1),
            indexes=tf.concat(indexes, -1) if indexes else None,
            centred=tf.concat(rounded, -1),
            values=values[0],
        )

    def _side(self, latents: tf.Tensor, hyper: Optional[tf.Tensor] = None) -> Optional[tf.Tensor]:
        model = self._model
        if model.hyper is None:
            return None
        if hyper is None:
            hyper = model.hyper.analysis(latents[tf.newaxis])[0]
        return model.hyper_quantizer.encode(hyper)

    def _side_bits(self, symbols: Optional[tf.Tensor]) -> float:
        if symbols is None:
            return 0.0
        return symbol_bits(self._model.hyper_quantizer, self._model.hyper_entropy, symbols)


def _checksum(indexes: tf.Tensor) -> bytes:
    return struct.pack("<I", zlib.crc32(tf.cast(indexes, tf.uint8).numpy().tobytes()))
