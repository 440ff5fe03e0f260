"""What image and audio codecs share: a model that can code, and what identifies its files."""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from codec.fingerprint import fingerprint
from codec.latent_coder import LatentCoder
from models import Autoencoder


class FileCodec:
    """Codes whole files with a trained autoencoder.

    Attributes:
        model: the autoencoder.
        name: name for tables and figures.
        fingerprint: 8 bytes that each of its files carries.
        has_fixed_length: whether ``encode`` accepts ``fixed_length=True``.
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
        self.has_fixed_length = model.quantizer.alphabet.kind == "indices"
        self._coder = LatentCoder(model, stages)


def check_latents(latents: tf.Tensor) -> None:
    """Raises ``InvalidArgumentError`` where a latent is NaN or infinite."""
    tf.debugging.assert_all_finite(latents, "The model's latents are not finite.")
