"""What image and audio codecs share: a model that can code, and what identifies its files."""

from __future__ import annotations

import copy
from typing import Any, Optional

from codec.fingerprint import fingerprint
from codec.latent_coder import LatentCoder
from codec.quantized_file import QuantizedFile
from models import Autoencoder


class FileCodec:
    """Codes whole files with a trained autoencoder.

    Attributes:
        model: the autoencoder.
        name: name for tables and figures.
        fingerprint: 8 bytes that each of its files carries.
        has_fixed_length: whether ``encode`` accepts ``fixed_length=True``.
        quality: at which a model for every rate codes, in hundredths; None for one rate.
    """

    def __init__(self, model: Autoencoder, name: str, stages: Optional[int] = None):
        """Takes a model that can code.

        Args:
            model: trained and frozen.
            name: name for tables and figures.
            stages: refinement stages of a residual quantizer that files get; None: all. Files of
                any number of stages decode.

        Raises:
            ValueError: the model is not frozen, or its quantizer has fewer stages.
        """
        if not model.frozen:
            raise ValueError("model must be frozen: its entropy model has no coding tables yet.")
        self.model = model
        self.name = name
        self.fingerprint = fingerprint(model)
        self.has_fixed_length = model.quantizer.alphabet.kind == "indices" or model.entropy.bounded
        self.quality = None if model.rate is None else model.rate.default_quality
        self._stages = stages
        self._coder = LatentCoder(model, stages)

    def at_quality(self, quality: int) -> FileCodec:
        """The same codec, which codes at another quality. It decodes files of every quality.

        Args:
            quality: in hundredths, 0 to 10000.

        Raises:
            ValueError: it is out of its range, or the model has one rate.
        """
        if self.model.rate is None:
            raise ValueError(
                f"quality={quality / 100:g}: {self.name} has one rate. Runs of rate=variable have "
                "every quality from 0 to 100."
            )
        other = copy.copy(self)
        other.quality, other._coder = quality, self._coder_at(quality)
        other.model = other._coder.model
        return other

    def _coder_at(self, quality: Optional[int]) -> LatentCoder:
        """The coder for what a file says."""
        if quality == self.quality:
            return self._coder
        rate = self.model.rate
        if rate is None or quality is None:
            has = "one rate" if rate is None else "every rate"
            raise ValueError(f"quality={quality} in a file of a model that has {has}.")
        return LatentCoder(self.model.at_rate(rate.at(quality)), self._stages)

    def quantize(self, *signal: Any, **latents: Any) -> QuantizedFile:
        """Analyzes and quantizes a file once, for all that is coded or measured of it."""
        raise NotImplementedError

    def encode(self, *signal: Any, fixed_length: bool = False, **latents: Any) -> bytes:
        """The bytes of the .rtc file, see `QuantizedFile.encode`; arguments as for `quantize`."""
        return self.quantize(*signal, **latents).encode(fixed_length)

    def reconstruct(self, *signal: Any, training: bool = False, **latents: Any) -> Any:
        """The forward pass, no bytes involved, see `QuantizedFile.reconstruct`."""
        return self.quantize(*signal, **latents).reconstruct(training)
