"""All latents of one image as bytes: the symbols, and the side information where there is some.

With side information a payload is: length of its bytes (base-128 varint), its bytes, CRC-32 of the
scale indexes that follow from it (4 bytes), the symbols' bytes. The scale indexes are computed in
fixed point, so a decoder has the encoder's; should it ever not, the CRC says so, and no symbol is
read with the wrong table.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple, Optional

import numpy as np
import tensorflow as tf

from codec.payload import bits_of_each, first_stages, pack_symbols, symbol_bits, unpack_values
from codec.varint import from_varint, to_varint
from models import Autoencoder
from models.autoencoder import centred, uncentred
from models.hyper_transforms import STRIDE, Prediction

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


class _Side(NamedTuple):
    """Side information of one image: its symbols, and what follows from them."""

    symbols: Optional[tf.Tensor]  # int32 [rows / 4, columns / 4, symbol channels]
    prediction: Prediction  # [1, rows, columns, channels]
    indexes: Optional[tf.Tensor]  # int32 [rows, columns, channels]


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
        model, side = self._model, self._side(latents, hyper)
        payload = pack_symbols(
            model.quantizer,
            model.entropy,
            self._symbols(latents, side),
            fixed_length=fixed_length,
            indexes=side.indexes,
        )
        if side.symbols is None:
            return payload
        head = pack_symbols(model.hyper_quantizer, model.hyper_entropy, side.symbols)
        return to_varint(len(head)) + head + _checksum(side.indexes) + payload

    def decode(self, payload: bytes, rows: int, columns: int) -> tf.Tensor:
        """Values float32 ``[rows, columns, channels]`` of a payload.

        Raises:
            ValueError: the payload is not of such latents.
        """
        model, prediction, indexes = self._model, _NOTHING, None
        if model.hyper is not None:
            length, start = from_varint(payload, 0)
            head, payload = payload[start : start + length], payload[start + length :]
            values = unpack_values(
                model.hyper_quantizer,
                model.hyper_entropy,
                head,
                -(-rows // STRIDE),
                -(-columns // STRIDE),
                model.hyper.latent_channels,
            )
            prediction = model.hyper.exact(values[tf.newaxis], rows, columns)
            indexes = tf.cast(prediction.indexes[0], tf.int32)
            if payload[:_CRC_BYTES] != _checksum(indexes):
                raise ValueError("the scale indexes of this decoder are not the encoder's.")
            payload = payload[_CRC_BYTES:]
        channels = model.transforms.latent_channels
        values = unpack_values(
            model.quantizer, model.entropy, payload, rows, columns, channels, indexes
        )
        return uncentred(values[tf.newaxis], prediction)[0]

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
        side = self._side(latents, hyper)
        values = self._model.quantizer.decode(self._symbols(latents, side))
        return uncentred(values[tf.newaxis], side.prediction)[0]

    def symbol_bits(self, latents: tf.Tensor, hyper: Optional[tf.Tensor] = None) -> float:
        """Bits of what ``encode`` codes under the trained densities, before any table."""
        model, side = self._model, self._side(latents, hyper)
        symbols = self._symbols(latents, side)
        bits = symbol_bits(model.quantizer, model.entropy, symbols, side.indexes)
        return bits + self._side_bits(side)

    def bits_of_each(self, latents: tf.Tensor, hyper: Optional[tf.Tensor] = None) -> np.ndarray:
        """What each symbol of an alphabet of integers adds to ``symbol_bits``: latents' shape."""
        model, side = self._model, self._side(latents, hyper)
        symbols = self._symbols(latents, side)
        return bits_of_each(model.quantizer, model.entropy, symbols, side.indexes)

    def side_bits(self, latents: tf.Tensor, hyper: Optional[tf.Tensor] = None) -> float:
        """The side information's part of ``symbol_bits``; 0 where there is none."""
        return self._side_bits(self._side(latents, hyper))

    def noise_bits(self, latents: tf.Tensor, noise: tf.Tensor) -> float:
        """Bits with ``noise`` on the latents in place of rounding; side information as coded."""
        model, side = self._model, self._side(latents)
        values = centred(latents[tf.newaxis], side.prediction) + noise[tf.newaxis]
        conditions = () if side.indexes is None else (side.prediction.indexes,)
        return float(model.entropy.bits(values, *conditions)[0]) + self._side_bits(side)

    def fixed_length_bits(self, latents: tf.Tensor) -> float:
        """Bits of finite alphabets where every symbol costs the same."""
        symbols = self._symbols(latents, self._side(latents))
        return self._model.entropy.fixed_length_bits(*symbols.shape)

    def _side(self, latents: tf.Tensor, hyper: Optional[tf.Tensor] = None) -> _Side:
        model = self._model
        if model.hyper is None:
            return _Side(None, _NOTHING, None)
        if hyper is None:
            hyper = model.hyper.analysis(latents[tf.newaxis])[0]
        symbols = model.hyper_quantizer.encode(hyper)
        values = model.hyper_quantizer.decode(symbols)
        prediction = model.hyper.exact(values[tf.newaxis], *latents.shape[:2])
        return _Side(symbols, prediction, tf.cast(prediction.indexes[0], tf.int32))

    def _side_bits(self, side: _Side) -> float:
        if side.symbols is None:
            return 0.0
        return symbol_bits(self._model.hyper_quantizer, self._model.hyper_entropy, side.symbols)

    def _symbols(self, latents: tf.Tensor, side: _Side) -> tf.Tensor:
        quantizer = self._model.quantizer
        symbols = quantizer.encode(centred(latents[tf.newaxis], side.prediction)[0])
        return first_stages(quantizer, symbols, self._stages)


_NOTHING = Prediction(means=None, indexes=None)


def _checksum(indexes: tf.Tensor) -> bytes:
    return struct.pack("<I", zlib.crc32(tf.cast(indexes, tf.uint8).numpy().tobytes()))
