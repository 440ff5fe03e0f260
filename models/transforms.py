"""What every pair of analysis and synthesis transforms offers."""

from __future__ import annotations

import abc
from collections.abc import Sequence

import tensorflow as tf

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
"""Compute type of convolutions and GDN -> Keras policy. Variables are float32 in both."""


class Transforms(tf.Module, abc.ABC):
    """Images to latents and back; knows nothing of quantizers and entropy models.

    A subclass builds the two stacks of layers and hands them over. Between them and the outside the
    pixels are shifted to -0.5..0.5, where bfloat16 tells all gray levels apart.

    Attributes:
        latent_channels: channels of the latents.
        stride: pixels a latent, in both directions. Image sizes are multiples of it.
        context: latents that a tile must reach beyond its border, on each side, for a result that
            equals the one on the whole image.
    """

    def __init__(
        self,
        *,
        name: str,
        latent_channels: int,
        convolutions: Sequence[tuple[int, int]],
        analysis: Sequence[tf.keras.layers.Layer],
        synthesis: Sequence[tf.keras.layers.Layer],
    ):
        """Creates the layers' variables.

        Args:
            name: of the module.
            latent_channels: channels of the latents.
            convolutions: ``(kernel, stride)`` of the analysis, from the image to the latents; the
                synthesis has the same in reverse.
            analysis: layers from images to latents.
            synthesis: layers from latents to images.
        """
        super().__init__(name=name)
        self.latent_channels = latent_channels
        self.stride, self.context = stride_and_context(convolutions)
        self._analysis = tf.keras.Sequential(analysis, name="analysis")
        self._synthesis = tf.keras.Sequential(synthesis, name="synthesis")
        self._analysis.build([None, None, None, 3])
        self._synthesis.build([None, None, None, latent_channels])

    def analysis(self, images: tf.Tensor) -> tf.Tensor:
        """Latents of images.

        Args:
            images: float32 ``[batch, height, width, 3]`` in 0..255, sizes multiples of ``stride``.

        Returns:
            float32 ``[batch, height / stride, width / stride, latent_channels]``.
        """
        return tf.cast(self._analysis(images / 255 - 0.5), tf.float32)

    def synthesis(self, latents: tf.Tensor) -> tf.Tensor:
        """Images from latents.

        Args:
            latents: float32 ``[batch, height, width, latent_channels]``.

        Returns:
            float32 ``[batch, height * stride, width * stride, 3]`` on the scale 0..255, neither
            clipped nor rounded.
        """
        return (tf.cast(self._synthesis(latents), tf.float32) + 0.5) * 255

    @property
    def analysis_variables(self) -> Sequence[tf.Variable]:
        """Parameters of the analysis: those that decoding does not need."""
        return self._analysis.trainable_variables

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)])
    def compiled_analysis(self, images: tf.Tensor) -> tf.Tensor:
        """``analysis`` as a graph of its own, traced once for images of all sizes."""
        return self.analysis(images)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, None], tf.float32)])
    def compiled_synthesis(self, latents: tf.Tensor) -> tf.Tensor:
        """``synthesis`` as a graph of its own, traced once for images of all sizes."""
        return self.synthesis(tf.ensure_shape(latents, [None, None, None, self.latent_channels]))


def policy(precision: str) -> str:
    """The Keras policy of a precision.

    Raises:
        ValueError: no such precision.
    """
    if precision not in POLICIES:
        raise ValueError(f"precision={precision!r} must be one of {', '.join(POLICIES)}.")
    return POLICIES[precision]


def stride_and_context(convolutions: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """What a stack of 'same' convolutions amounts to.

    Args:
        convolutions: ``(kernel, stride)`` of the analysis, from the image to the latents; each
            kernel at least its stride.

    Returns:
        Pixels a latent, and the latents of context that analysis and mirrored synthesis need on
        each side.
    """
    before = after = 0
    scale = 1  # Pixels a sample of the current layer's input.
    for kernel, stride in convolutions:
        padding = kernel - stride  # 'same' pads the smaller half in front.
        before += scale * (padding // 2)
        after += scale * (padding - padding // 2)
        scale *= stride
    return scale, -(-max(before, after) // scale)
