"""The autoencoder: transforms, quantizer and entropy model joined.

One forward pass serves training and testing. Coding goes through ``latents`` and ``image``, which
take a single image of any size.
"""

from __future__ import annotations

from typing import Callable, NamedTuple, Tuple

import tensorflow as tf

from models.tiling import apply_in_tiles
from models.transforms import Transforms


class Forward(NamedTuple):
    """Result of one forward pass over ``[batch, height, width, 3]`` images.

    Attributes:
        reconstructions: float32, the images' shape, in 0..255 but not clipped to it.
        bits: float32 ``[batch]``, of the quantizer's rate value.
        penalty: float32 scalar that the quantizer adds to the loss.
        latents: float32 ``[batch, height / stride, width / stride, channels]``, not quantized.
    """

    reconstructions: tf.Tensor
    bits: tf.Tensor
    penalty: tf.Tensor
    latents: tf.Tensor


class Autoencoder(tf.Module):
    """Analysis, quantizer, entropy model, synthesis.

    Attributes:
        transforms: the analysis and synthesis pair.
        quantizer: between them.
        entropy: the entropy model of the latents.
    """

    def __init__(self, *, transforms: Transforms, quantizer, entropy: Callable):
        """Joins the parts.

        Args:
            transforms: built analysis and synthesis.
            quantizer: a quantizer, see ``quantizers``.
            entropy: called with ``channels=`` and ``alphabet=`` to make the entropy model.

        Raises:
            ValueError: the entropy model codes another alphabet than the quantizer yields, or the
                quantizer cannot group so many channels.
        """
        super().__init__(name="autoencoder")
        self.transforms = transforms
        self.quantizer = quantizer
        quantizer.build(transforms.latent_channels)
        self.entropy = entropy(channels=transforms.latent_channels, alphabet=quantizer.alphabet)

    def __call__(self, images: tf.Tensor, training: bool) -> Forward:
        """One pass over images float32 ``[batch, height, width, 3]`` in 0..255.

        Height and width must be multiples of the transforms' stride.
        """
        latents = self.transforms.analysis(images)
        quantized = self.quantizer(latents, training=training)
        return Forward(
            reconstructions=self.transforms.synthesis(quantized.decoder),
            bits=self.entropy.bits(quantized.rate),
            penalty=quantized.penalty,
            latents=latents,
        )

    def grid(self, height: int, width: int) -> Tuple[int, int]:
        """Rows and columns of the latents of one image."""
        return -(-height // self.transforms.stride), -(-width // self.transforms.stride)

    def latents(self, pixels) -> tf.Tensor:
        """Latents float32 ``[rows, columns, channels]`` of one image ``[height, width, 3]``.

        The last row and column are repeated up to a multiple of the stride; a large image goes
        through in tiles.
        """
        image = tf.cast(pixels, tf.float32)
        rows, columns = self.grid(*image.shape[:2])
        stride = self.transforms.stride
        down = tf.minimum(tf.range(rows * stride), image.shape[0] - 1)
        across = tf.minimum(tf.range(columns * stride), image.shape[1] - 1)
        padded = tf.gather(tf.gather(image, down, axis=0), across, axis=1)
        return apply_in_tiles(self.transforms, "analysis", padded[tf.newaxis])[0]

    def image(self, values: tf.Tensor, height: int, width: int) -> tf.Tensor:
        """Image float32 ``[height, width, 3]`` of decoded ``[rows, columns, channels]``."""
        images = apply_in_tiles(self.transforms, "synthesis", values[tf.newaxis])
        return images[0, :height, :width]
