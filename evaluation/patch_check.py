"""Whether a model codes a whole image as it codes patches, which is what it was trained on."""

from __future__ import annotations

from typing import NamedTuple, Optional, Sequence

import numpy as np
import tensorflow as tf

from models import Autoencoder

LARGEST_RATIO = 1.25
"""Bits of a whole image to those of its patches beyond which there is a warning."""


class PatchCheck(NamedTuple):
    """Rates of one image, estimated on its symbols.

    Attributes:
        patch_size: side of a patch in pixels.
        whole: bits per pixel of the image in one piece.
        patches: bits per pixel of its patches, each coded by itself.
    """

    patch_size: int
    whole: float
    patches: float

    def warning(self, name: str) -> Optional[str]:
        """One line if the two are far apart, else None."""
        if self.whole <= LARGEST_RATIO * self.patches:
            return None
        return (
            f"warning: {name} takes {self.whole:.3f} bpp whole, but {self.patches:.3f} bpp in "
            f"patches of {self.patch_size}, the size that the model was trained on. It has not "
            "learned the inside of images: train on a larger data.patch_size."
        )


def check_patches(model: Autoencoder, pixels: np.ndarray, patch_size: int) -> Optional[PatchCheck]:
    """Compares the rates of one image, whole and in patches.

    Args:
        model: of images.
        pixels: uint8 ``[height, width, 3]``; what fills no patch at the bottom and the right is
            left out.
        patch_size: side of a patch in pixels.

    Returns:
        None for an image that holds fewer than four patches.
    """
    rows, columns = (side // patch_size for side in pixels.shape[:2])
    if rows * columns < 4:
        return None
    pixels = pixels[: rows * patch_size, : columns * patch_size]
    patches = pixels.reshape(rows, patch_size, columns, patch_size, 3).swapaxes(1, 2)
    whole = _bits(model, [pixels])
    apart = _bits(model, patches.reshape(-1, patch_size, patch_size, 3))
    count = pixels.shape[0] * pixels.shape[1]
    return PatchCheck(patch_size, whole / count, apart / count)


def _bits(model: Autoencoder, images: Sequence[np.ndarray]) -> float:
    """Of images of one size, together."""
    latents = tf.stack([model.analyze(pixels) for pixels in images])
    return float(tf.reduce_sum(model.quantize(latents, training=False).bits))
