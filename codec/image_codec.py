"""An image codec with a trained autoencoder: 8-bit pixels to .rtc bytes and back."""

from __future__ import annotations

from typing import Optional, Tuple

import numpy as np
import tensorflow as tf

from codec import container
from codec.file_codec import FileCodec, check_latents
from codec.latent_coder import Latents
from codec.rate_estimate import RateEstimate, estimate_rate


class ImageCodec(FileCodec):
    """Codes uint8 ``[height, width, 3]`` images of any size from 1 x 1."""

    def encode(
        self, pixels: np.ndarray, *, fixed_length: bool = False, latents: Optional[Latents] = None
    ) -> bytes:
        """The bytes of the image's .rtc file.

        Args:
            pixels: the image.
            fixed_length: for finite alphabets, spend the same number of bits on every symbol.
            latents: refined ones (see ``codec.refinement``); None: those of the analysis.

        Raises:
            ValueError: not such an image, or an option that this model's quantizer does not have.
        """
        height, width = _check_pixels(pixels)
        latents = latents or Latents(self.model.latents(pixels))
        check_latents(latents.values)
        payload = self._coder.encode(latents.values, fixed_length, latents.hyper)
        return container.pack(container.CodedImage(height, width, payload), self.fingerprint)

    def decode(self, data: bytes) -> np.ndarray:
        """The pixels of an .rtc file.

        Raises:
            codec.ForeignFile: not an .rtc file of an image, or not for this model.
            codec.DamagedFile: truncated or altered.
        """
        image = container.unpack(data, self.fingerprint)
        grid = self.model.grid(image.height, image.width)
        with container.errors_as_damage():
            values = self._coder.decode(image.payload, *grid)
        return to_pixels(self.model.image(values, image.height, image.width))

    def reconstruct(
        self, pixels: np.ndarray, *, training: bool = False, latents: Optional[Latents] = None
    ) -> np.ndarray:
        """The forward pass's reconstruction, no bytes involved.

        Args:
            pixels: the image.
            training: False for what files decode to; True for what the decoder saw while training,
                at the end of the quantizer's schedules.
            latents: as in `encode`.
        """
        height, width = _check_pixels(pixels)
        latents = latents or Latents(self.model.latents(pixels))
        values = self._coder.values(latents.values, training, latents.hyper)
        return to_pixels(self.model.image(values, height, width))

    def estimate_bits(
        self, pixels: np.ndarray, seed: int = 0, latents: Optional[Latents] = None
    ) -> RateEstimate:
        """Bits without coding; ``seed`` determines the noise.

        With refined ``latents``, ``rounded`` and ``side`` are theirs; ``noise`` and ``training``
        remain those of the analysis, which is what training saw.
        """
        _check_pixels(pixels)
        analysed = self.model.latents(pixels)
        return estimate_rate(self.model, self._coder, analysed, seed, latents)


def _check_pixels(pixels: np.ndarray) -> Tuple[int, int]:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(
            f"pixels: shape {pixels.shape}, type {pixels.dtype}; must be uint8 [height, width, 3]."
        )
    return pixels.shape[:2]


def to_pixels(image: tf.Tensor) -> np.ndarray:
    """8-bit pixels of a float32 image on the scale 0..255, as every file decodes to."""
    return tf.saturate_cast(tf.round(image), tf.uint8).numpy()
