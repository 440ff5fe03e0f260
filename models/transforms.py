"""What every pair of analysis and synthesis transforms offers."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Optional, Tuple

import tensorflow as tf

from processor.convolutions import disable_fused_bias
from processor.stack import keras

SIGNALS = tf.TensorSpec([None, None, None, None], tf.float32)

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
"""Compute type of convolutions and GDN -> Keras policy. Variables are float32 in both."""


class Transforms(tf.Module, abc.ABC):
    """Signals to latents and back; knows nothing of quantizers and entropy models.

    A signal is float32 ``[batch, height, width, channels]``; the rows of audio are its channels,
    and no layer reaches across them. A subclass builds the two stacks of layers.

    Attributes:
        medium: "image" or "audio".
        input_channels: channels of the signal.
        latent_channels: channels of the latents.
        strides: rows and columns of the signal per latent. Sizes of signals are multiples of them.
        contexts: rows and columns of latents that a tile must reach beyond its border, on each
            side, for a result that equals that of the whole signal.
        tile: the most rows and columns of latents in a tile of a large signal.
        latent_spreads: standard deviations of the untrained model's latents; None: not known.
    """

    medium: str
    input_channels: int
    tile: Tuple[int, int]
    latent_spreads: Optional[Sequence[float]] = None

    def __init__(
        self,
        *,
        name: str,
        latent_channels: int,
        strides: Tuple[int, int],
        contexts: Tuple[int, int],
        analysis: Sequence[keras.layers.Layer],
        synthesis: Sequence[keras.layers.Layer],
    ):
        """Creates the layers' variables.

        Args:
            name: of the module.
            latent_channels: see the class.
            strides: see the class.
            contexts: see the class.
            analysis: layers from signals to latents.
            synthesis: layers from latents to signals.
        """
        super().__init__(name=name)
        if any(layer.compute_dtype == "bfloat16" for layer in (*analysis, *synthesis)):
            disable_fused_bias()
        self.latent_channels = latent_channels
        self.strides = strides
        self.contexts = contexts
        self._analysis = keras.Sequential(analysis, name="analysis")
        self._synthesis = keras.Sequential(synthesis, name="synthesis")
        self._analysis.build([None, None, None, self.input_channels])
        self._synthesis.build([None, None, None, latent_channels])

    def analysis(self, signals: tf.Tensor) -> tf.Tensor:
        """Latents of signals.

        Args:
            signals: float32 ``[batch, height, width, input_channels]``, sizes multiples of
                ``strides``, values in the medium's range.

        Returns:
            float32 ``[batch, height / strides[0], width / strides[1], latent_channels]``.
        """
        return tf.cast(self._analysis(self._normalize(signals)), tf.float32)

    def synthesis(self, latents: tf.Tensor) -> tf.Tensor:
        """Signals from latents.

        Args:
            latents: float32 ``[batch, rows, columns, latent_channels]``.

        Returns:
            float32 ``[batch, rows * strides[0], columns * strides[1], input_channels]`` on the
            medium's scale, neither clipped nor rounded.
        """
        return self._denormalize(tf.cast(self._synthesis(latents), tf.float32))

    @abc.abstractmethod
    def _normalize(self, signals: tf.Tensor) -> tf.Tensor:
        """The signal on the scale of the layers."""

    @abc.abstractmethod
    def _denormalize(self, values: tf.Tensor) -> tf.Tensor:
        """The inverse of ``_normalize``."""

    def describe(self) -> str:
        """A log line: stride, latents, parameters."""
        parameters = sum(int(tf.size(variable)) for variable in self.trainable_variables)
        return f"model: {self._describe_latents()}, {parameters:,} parameters in both transforms"

    def _describe_latents(self) -> str:
        rows, columns = self.strides
        return f"{self.latent_channels} latents for {rows} x {columns} pixels"

    @property
    def analysis_variables(self) -> Sequence[tf.Variable]:
        """Parameters of the analysis, which decoding does not need."""
        return self._analysis.trainable_variables

    @tf.function(input_signature=[SIGNALS], autograph=False)
    def compiled_analysis(self, signals: tf.Tensor) -> tf.Tensor:
        """``analysis`` as a graph of its own, traced once for signals of all sizes."""
        return self.analysis(tf.ensure_shape(signals, [None, None, None, self.input_channels]))

    @tf.function(input_signature=[SIGNALS], autograph=False)
    def compiled_synthesis(self, latents: tf.Tensor) -> tf.Tensor:
        """``synthesis`` as a graph of its own, traced once for signals of all sizes."""
        return self.synthesis(tf.ensure_shape(latents, [None, None, None, self.latent_channels]))


class ImageTransforms(Transforms):
    """Images of 3 channels in 0..255; one stride in both directions.

    The layers see pixels in -0.5..0.5, where bfloat16 distinguishes all gray levels.

    Attributes:
        stride: pixels per latent, along each axis.
    """

    medium = "image"
    input_channels = 3
    tile = (64, 64)  # 1024 pixels a side at stride 16.

    def __init__(
        self,
        *,
        name: str,
        latent_channels: int,
        convolutions: Sequence[Tuple[int, int]],
        analysis: Sequence[keras.layers.Layer],
        synthesis: Sequence[keras.layers.Layer],
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
        self.stride, context = stride_and_context(convolutions)
        super().__init__(
            name=name,
            latent_channels=latent_channels,
            strides=(self.stride, self.stride),
            contexts=(context, context),
            analysis=analysis,
            synthesis=synthesis,
        )

    def _normalize(self, signals: tf.Tensor) -> tf.Tensor:
        return signals / 255 - 0.5

    def _denormalize(self, values: tf.Tensor) -> tf.Tensor:
        return (values + 0.5) * 255


def policy(precision: str) -> str:
    """The Keras policy of a precision.

    Raises:
        ValueError: no such precision.
    """
    if precision not in POLICIES:
        raise ValueError(f"precision={precision!r} must be one of {', '.join(POLICIES)}.")
    return POLICIES[precision]


def stride_and_context(convolutions: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Pixels per latent, and latents of context that either direction needs on each side.

    Args:
        convolutions: ``(kernel, stride)`` of the 'same' convolutions of the analysis, from the
            image to the latents; each kernel at least its stride. The synthesis mirrors them.
    """
    before = after = 0
    scale = 1  # Pixels per sample of the current layer's input.
    for kernel, stride in convolutions:
        padding = kernel - stride  # 'same' pads the smaller half in front.
        before += scale * (padding // 2)
        after += scale * (padding - padding // 2)
        scale *= stride
    return scale, -(-max(before, after) // scale)
