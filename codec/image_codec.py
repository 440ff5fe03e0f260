"""An image codec over a trained autoencoder: 8-bit pixels to .rtc bytes and back."""

from __future__ import annotations

from typing import Optional

import numpy as np
import tensorflow as tf

from codec import container
from codec.fingerprint import fingerprint
from codec.latent_coder import LatentCoder, Latents
from codec.quantized_file import QuantizedFile, RateEstimate
from models import Autoencoder


class ImageCodec:
    """Codes uint8 ``[height, width, 3]`` images of any size from 1 x 1 up.

    Attributes:
        name: how tables and figures call it.
        fingerprint: 8 bytes that stand in each of its files.
        has_fixed_length: whether ``encode`` takes ``fixed_length=True``.
    """

    def __init__(self, model: Autoencoder, name: str, stages: Optional[int] = None):
        """Takes a model that can code.

        Args:
            model: trained and frozen.
            name: how tables and figures call it.
            stages: of a residual quantizer, how many refinement stages files get; None: all. Files
                of any number of stages decode.

        Raises:
            ValueError: the model is not frozen, or its quantizer has not so many stages.
        """
        if not model.frozen:
            raise ValueError("model must be frozen: its entropy model has no coding tables yet.")
        self._model = model
        self._coder = LatentCoder(model, stages)
        self.name = name
        self.fingerprint = fingerprint(model)
        self.has_fixed_length = model.quantizer.alphabet.kind == "indices"

    @property
    def model(self) -> Autoencoder:
        """What codes."""
        return self._model

    def quantize(self, pixels: np.ndarray, latents: Optional[Latents] = None) -> QuantizedFile:
        """Analyzes and quantizes an image once, for all that is coded or measured of it.

        Args:
            pixels: the image.
            latents: refined ones (see ``codec.refinement``); None: those of the analysis.
        """
        height, width = _check_pixels(pixels)

        def pack(payload: bytes) -> bytes:
            return container.pack(container.CodedImage(height, width, payload), self.fingerprint)

        return QuantizedFile(
            self._coder,
            [Latents(self._model.analyze(pixels))],
            latents and [latents],
            pack,
            lambda values: to_pixels(self._model.synthesize(values, height, width)),
        )

    def encode(
        self, pixels: np.ndarray, *, fixed_length: bool = False, latents: Optional[Latents] = None
    ) -> bytes:
        """The bytes of the image's .rtc file; see ``quantize`` and ``QuantizedFile.encode``."""
        return self.quantize(pixels, latents).encode(fixed_length)

    def decode(self, data: bytes) -> np.ndarray:
        """Pixels of an .rtc file's bytes.

        Raises:
            codec.ForeignFile: no .rtc file, or not for this model.
            codec.DamagedFile: truncated or altered.
        """
        image = container.unpack(data, self.fingerprint)
        grid = self._model.latent_grid(image.height, image.width)
        try:
            values = self._coder.decode(image.payload, *grid)
        except ValueError as error:
            raise container.DamagedFile(f"Damaged .rtc file: {error}") from error
        return to_pixels(self._model.synthesize(values, image.height, image.width))

    def reconstruct(
        self, pixels: np.ndarray, *, training: bool = False, latents: Optional[Latents] = None
    ) -> np.ndarray:
        """The forward pass, without any bytes; see ``QuantizedFile.reconstruct``."""
        return self.quantize(pixels, latents).reconstruct(training)

    def estimate_bits(
        self, pixels: np.ndarray, seed: int = 0, latents: Optional[Latents] = None
    ) -> RateEstimate:
        """Bits without coding; see ``QuantizedFile.estimate_bits``."""
        return self.quantize(pixels, latents).estimate_bits(seed)


def _check_pixels(pixels: np.ndarray):
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(
            f"pixels: shape {pixels.shape}, type {pixels.dtype}; must be uint8 [height, width, 3]."
        )
    return pixels.shape[:2]


def to_pixels(image: tf.Tensor) -> np.ndarray:
    """8-bit pixels of a float32 image on the scale 0..255: what every file decodes to."""
    return tf.saturate_cast(tf.round(image), tf.uint8).numpy()
