"""An image codec over a trained autoencoder: 8-bit pixels to .rtc bytes and back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from codec import container
from codec.fingerprint import fingerprint
from models import Autoencoder


class RateEstimate(NamedTuple):
    """Bits of one image under the density: with uniform noise on the latents, and rounded."""

    noise: float
    rounded: float


class ImageCodec:
    """Codes uint8 ``[height, width, 3]`` images of any size from 1 x 1 up.

    Attributes:
        name: how tables and figures call it.
        fingerprint: 8 bytes that stand in each of its files.
    """

    def __init__(self, model: Autoencoder, name: str):
        """Takes a frozen model (``ValueError`` otherwise)."""
        if not model.entropy.frozen:
            raise ValueError("model must be frozen: its entropy model has no coding tables yet.")
        self._model = model
        self.name = name
        self.fingerprint = fingerprint(model)

    def encode(self, pixels: np.ndarray) -> bytes:
        """The bytes of the image's .rtc file."""
        height, width = _check_pixels(pixels)
        latents = self._model.latents(pixels)
        tf.debugging.assert_all_finite(latents, "The model gives latents that are not finite.")
        symbols = self._model.quantizer.encode(latents)
        payload = self._model.entropy.compress(symbols)
        return container.pack(container.CodedImage(height, width, payload), self.fingerprint)

    def decode(self, data: bytes) -> np.ndarray:
        """Pixels of an .rtc file's bytes.

        Raises:
            codec.ForeignFile: no .rtc file, or not for this model.
            codec.DamagedFile: truncated or altered.
        """
        image = container.unpack(data, self.fingerprint)
        grid = self._model.grid(image.height, image.width)
        try:
            symbols = self._model.entropy.decompress(image.payload, *grid)
        except ValueError as error:
            raise container.DamagedFile(f"Damaged .rtc file: {error}") from error
        values = self._model.quantizer.decode(symbols)
        return _to_pixels(self._model.image(values, image.height, image.width))

    def reconstruct(self, pixels: np.ndarray) -> np.ndarray:
        """What the forward pass makes of the image at test time, without any bytes."""
        height, width = _check_pixels(pixels)
        quantized = self._model.quantizer(self._model.latents(pixels), training=False)
        return _to_pixels(self._model.image(quantized.decoder, height, width))

    def estimate_bits(self, pixels: np.ndarray, seed: int = 0) -> RateEstimate:
        """Bits without coding; ``seed`` draws the noise."""
        _check_pixels(pixels)
        latents = self._model.latents(pixels)
        noise = tf.random.stateless_uniform(tf.shape(latents), [seed, 0], -0.5, 0.5)
        rounded = self._model.quantizer(latents, training=False).rate
        bits = self._model.entropy.bits(tf.stack([latents + noise, rounded]))
        return RateEstimate(noise=float(bits[0]), rounded=float(bits[1]))


def _check_pixels(pixels: np.ndarray):
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(
            f"pixels: shape {pixels.shape}, type {pixels.dtype}; must be uint8 [height, width, 3]."
        )
    return pixels.shape[:2]


def _to_pixels(image: tf.Tensor) -> np.ndarray:
    return tf.saturate_cast(tf.round(image), tf.uint8).numpy()
