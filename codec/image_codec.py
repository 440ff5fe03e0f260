"""An image codec with a trained autoencoder: 8-bit pixels to .rtc bytes and back."""

from __future__ import annotations

from typing import Optional, Tuple

import numpy as np
import tensorflow as tf

from codec import container
from codec.file_codec import FileCodec
from codec.latent_coder import Latents
from codec.quantized_file import QuantizedFile
from signals.image_files import MAX_PIXELS


class ImageCodec(FileCodec):
    """Codes uint8 ``[height, width, 3]`` images of any size from 1 x 1."""

    def quantize(self, pixels: np.ndarray, latents: Optional[Latents] = None) -> QuantizedFile:
        """Analyzes and quantizes an image once, for all that is coded or measured of it.

        Args:
            pixels: the image.
            latents: refined ones (see ``codec.refinement``); None: those of the analysis.

        Raises:
            ValueError: not such an image.
        """
        height, width = _check_pixels(pixels)

        def pack(payload: bytes) -> bytes:
            coded = container.CodedImage(height, width, payload, self.quality)
            return container.pack(coded, self.fingerprint)

        return QuantizedFile(
            self._coder,
            [Latents(self.model.analyze(pixels))],
            latents and [latents],
            pack,
            lambda values: to_pixels(self.model.synthesize(values, height, width)),
        )

    def decode(self, data: bytes, max_size: Optional[int] = MAX_PIXELS) -> np.ndarray:
        """The pixels of an .rtc file, in time and memory for ``max_size`` pixels at most.

        Raises:
            codec.ForeignFile: not an .rtc file of an image, or not for this model.
            codec.DamagedFile: truncated or altered.
            codec.TooLarge: more pixels than ``max_size``, which is None for no limit.
        """
        image = container.unpack(data, self.fingerprint)
        container.check_size(image.height * image.width, "pixels", max_size)
        grid = self.model.latent_grid(image.height, image.width)
        with container.errors_as_damage():
            values = self._coder_at(image.quality).decode(image.payload, *grid)
        return to_pixels(self.model.synthesize(values, image.height, image.width))


def _check_pixels(pixels: np.ndarray) -> Tuple[int, int]:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(
            f"pixels: shape {pixels.shape}, type {pixels.dtype}; must be uint8 [height, width, 3]."
        )
    return pixels.shape[:2]


def to_pixels(image: tf.Tensor) -> np.ndarray:
    """8-bit pixels of a float32 image on the scale 0..255, as every file decodes to."""
    return tf.saturate_cast(tf.round(image), tf.uint8).numpy()
