"""The latents of one image as bytes, and back.

Without side information a payload is the symbols' bytes. With it, they follow the length of the
side information (base-128 varint), its bytes, and the CRC-32 of the scale indexes that it predicts
(4 bytes). The indexes are computed in fixed point, so a decoder has the encoder's; if it ever does
not, the CRC shows that before a symbol is read with the wrong table. If slices of the channels are
decoded in turn, the CRC of all is checked before the last is read, and what a wrong table made of
the others is discarded.
"""

from __future__ import annotations

import struct
import zlib
from typing import List, NamedTuple, Optional

import numpy as np
import tensorflow as tf

from codec.payload import PayloadReader, bits_of_each, first_stages, pack_symbols, symbol_bits
from codec.varint import from_varint, to_varint
from models import Autoencoder

_CRC_BYTES = 4


class Latents(NamedTuple):
    """What an encoder quantizes.

    Attributes:
        values: y, float32 ``[rows, columns, channels]``.
        hyper: z, float32 ``[hyper rows, hyper columns, hyper channels]``; None: the hyper-analysis
            of y, or no side information.
    """

    values: tf.Tensor
    hyper: Optional[tf.Tensor] = None


class CodedLatents(NamedTuple):
    """All that an encoder decides about one image's latents ``[rows, columns, channels]``.

    Attributes:
        latents: y, and z where there is side information.
        side: int32 ``[hyper rows, hyper columns, symbol channels]``: z's symbols, or None.
        indexes: int32, the latents' shape: scale indexes; None without side information.
        centred: float32, the latents' shape: y less its means, what the quantizer rounded.
        symbols: int32 ``[rows, columns, symbol channels]``.
        values: y_hat, float32, the latents' shape.
        present: float32, the latents' shape: 1 where a slice codes its latents, 0 where they are
            known to be 0.
    """

    latents: Latents
    side: Optional[tf.Tensor]
    indexes: Optional[tf.Tensor]
    centred: tf.Tensor
    symbols: tf.Tensor
    values: tf.Tensor
    present: tf.Tensor


class LatentCoder:
    """Codes latents of a frozen model.

    Attributes:
        model: the model.
    """

    def __init__(self, model: Autoencoder, stages: Optional[int] = None):
        """Takes the model.

        Args:
            model: trained and frozen.
            stages: of a residual quantizer, how many refinement stages to code; None: all.

        Raises:
            ValueError: the quantizer does not have that many.
        """
        first_stages(model.quantizer, tf.zeros([model.quantizer.stages], tf.int32), stages)
        self.model = model
        self._stages = stages

    def quantize(self, latents: Latents) -> CodedLatents:
        """Hyper-analysis, prediction and quantization: what payload, bits and y_hat follow from.

        Raises:
            ValueError: the latents or what predicts them are not finite.
        """
        model = self.model
        y, z = latents
        side = z_hat = None
        if model.hyper is not None:
            if z is None:
                z = model.hyper.analysis(y[tf.newaxis])[0]
            side = model.hyper_quantizer.encode(_finite(z))
            z_hat = model.hyper_quantizer.decode(side)[tf.newaxis]
        predictor = model.predictor(z_hat, *y.shape[:2], exact=True)
        indexes, centred, symbols, present = [], [], [], []
        for number, part in enumerate(tf.split(y, model.slice_sizes, axis=-1)):
            prediction = predictor.next()
            if side is not None:
                indexes.append(_whole(prediction.indexes))
            centred.append(_finite(prediction.centre(part[tf.newaxis])[0]))
            present.append(prediction.only_present(tf.ones_like(part)))
            quantizer = model.quantizer.for_slice(number)
            symbols.append(first_stages(quantizer, quantizer.encode(centred[-1]), self._stages))
            predictor.add(quantizer.decode(symbols[-1])[tf.newaxis])
        return CodedLatents(
            latents=Latents(y, z),
            side=side,
            indexes=None if side is None else tf.concat(indexes, -1),
            centred=tf.concat(centred, -1),
            symbols=tf.concat(symbols, -1),
            values=predictor.decoded[0],
            present=tf.concat(present, -1),
        )

    def encode(self, coded: CodedLatents, fixed_length: bool = False) -> bytes:
        """The payload; ``fixed_length`` as for ``pack_symbols``."""
        model = self.model
        payload = pack_symbols(
            model.quantizer,
            model.entropy_at_rate,
            coded.symbols,
            fixed_length=fixed_length,
            indexes=coded.indexes,
        )
        if coded.side is None:
            return payload
        head = pack_symbols(model.hyper_quantizer, model.hyper_entropy, coded.side)
        return to_varint(len(head)) + head + _checksum(coded.indexes) + payload

    def decode(self, payload: bytes, rows: int, columns: int) -> tf.Tensor:
        """y_hat, float32 ``[rows, columns, channels]``, of a payload.

        Raises:
            ValueError: the payload is not of such latents.
        """
        model = self.model
        z_hat, checksum = None, b""
        if model.hyper is not None:
            length, start = from_varint(payload, 0)
            stop = start + length + _CRC_BYTES
            if stop > len(payload):
                raise ValueError(f"{length} bytes of side information are not there.")
            head, checksum = payload[start : start + length], payload[start + length : stop]
            payload = payload[stop:]
        channels = model.transforms.latent_channels
        # Made first: a payload that is too short is found before anything is computed.
        reader = PayloadReader(
            model.quantizer, model.entropy_at_rate, payload, rows, columns, channels
        )
        if model.hyper is not None:
            z_hat = self._decode_side(head, *model.hyper.grid(rows, columns))
        predictor = model.predictor(z_hat, rows, columns, exact=True)
        known: List[tf.Tensor] = []
        last = len(model.slice_sizes) - 1
        for number, channels in enumerate(model.slice_sizes):
            prediction, indexes = predictor.next(), None
            if z_hat is not None:
                indexes = _whole(prediction.indexes)
                known.append(indexes)
                if number == last and _checksum(tf.concat(known, -1)) != checksum:
                    raise ValueError("the scale indexes of this decoder are not the encoder's.")
            values = reader.read(model.quantizer.for_slice(number), channels, indexes)
            predictor.add(values[tf.newaxis])
        reader.finish()
        return predictor.decoded[0]

    def _decode_side(self, head: bytes, rows: int, columns: int) -> tf.Tensor:
        """z_hat, float32 ``[1, rows, columns, hyper channels]``."""
        quantizer, channels = self.model.hyper_quantizer, self.model.hyper.latent_channels
        reader = PayloadReader(quantizer, self.model.hyper_entropy, head, rows, columns, channels)
        values = reader.read(quantizer, channels)
        reader.finish()
        return values[tf.newaxis]

    def symbol_bits(self, coded: CodedLatents) -> float:
        """Bits of what ``encode`` codes under the trained densities, before any table."""
        model = self.model
        bits = symbol_bits(model.quantizer, model.entropy_at_rate, coded.symbols, coded.indexes)
        return bits + self.side_bits(coded)

    def side_bits(self, coded: CodedLatents) -> float:
        """The side information's part of ``symbol_bits``; 0 where there is none."""
        if coded.side is None:
            return 0.0
        return symbol_bits(self.model.hyper_quantizer, self.model.hyper_entropy, coded.side)

    def bits_of_each(self, coded: CodedLatents) -> np.ndarray:
        """What each symbol of an alphabet of integers adds to ``symbol_bits``: latents' shape."""
        model = self.model
        return bits_of_each(model.quantizer, model.entropy_at_rate, coded.symbols, coded.indexes)

    def noise_bits(self, coded: CodedLatents, noise: tf.Tensor) -> float:
        """Bits with ``noise`` on the latents in place of rounding; predictions as coded."""
        conditions = ()
        if coded.indexes is not None:
            conditions = (tf.cast(coded.indexes, tf.float32)[tf.newaxis],)
        noisy = coded.centred + noise * coded.present
        bits = self.model.entropy_at_rate.bits(noisy[tf.newaxis], *conditions)
        return float(bits[0]) + self.side_bits(coded)


def _finite(latents: tf.Tensor) -> tf.Tensor:
    """The latents, if all are finite: NaN has no symbol."""
    if not tf.reduce_all(tf.math.is_finite(latents)):
        raise ValueError("the model's latents are not finite.")
    return latents


def _whole(indexes: tf.Tensor) -> tf.Tensor:
    """Int32 scale indexes of one image from those of a batch of one."""
    return tf.cast(indexes[0], tf.int32)


def _checksum(indexes: tf.Tensor) -> bytes:
    return struct.pack("<I", zlib.crc32(tf.cast(indexes, tf.uint8).numpy().tobytes()))
