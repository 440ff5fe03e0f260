"""The hyperprior: hyper-analysis, and the hyper-synthesis that predicts the latents.

Balle et al. 2018, arXiv 1802.01436 (scales) and Minnen et al. 2018, arXiv 1809.02736 (means and
scales, without context). All activations are ReLU, where Minnen et al. have leaky ones, because the
synthesis is repeated in fixed point.
"""

from __future__ import annotations

import abc
from typing import Sequence, Tuple

import tensorflow as tf

from models.fixed_point import apply_exactly
from models.layers import (
    Convolution,
    EdgeConvolution,
    EdgeTransposedConvolution,
    TransposedConvolution,
    with_edges_to_multiples,
)
from models.prediction import Prediction, Predictor
from processor.stack import keras

STRIDE = 4
"""Latents per hyper-latent, along each axis."""

PADDINGS = {
    "edge": (EdgeConvolution, EdgeTransposedConvolution),
    "zeros": (Convolution, TransposedConvolution),
}
"""What layers see beyond the border of the latents -> convolution and transposed convolution."""

INDEX_OF_ONE = 17.9
"""Index of scale 1 in a table of 64 from 0.11 to 256."""


class SideInformation(tf.Module, abc.ABC):
    """Hyper-latents of latents, and what they predict; a subclass builds ``_analysis``.

    Attributes:
        latent_channels: channels of the hyper-latents.
        predicts_means: whether means are predicted, too, not only scales.
        slice_sizes: channels of the groups of the latents that are predicted in turn.
        context_channels: channels of the context that a variable rate is added to; 0: no context.
        strides: rows and columns of latents per hyper-latent.
    """

    latent_channels: int
    predicts_means: bool
    slice_sizes: Tuple[int, ...]
    context_channels = 0
    strides = (STRIDE, STRIDE)

    def analysis(self, latents: tf.Tensor) -> tf.Tensor:
        """Hyper-latents float32 ``[batch, rows of them, columns of them, N]``, see ``grid``.

        Args:
            latents: float32 ``[batch, rows, columns, M]``, of any size.
        """
        latents = with_edges_to_multiples(latents, self.strides)
        return tf.cast(self._analysis(self._seen(latents)), tf.float32)

    def grid(self, rows: int, columns: int) -> Tuple[int, int]:
        """Rows and columns of the hyper-latents of so many latents: quotients, rounded up."""
        down, across = self.strides
        return -(-rows // down), -(-columns // across)

    @abc.abstractmethod
    def predictor(
        self, hyper_latents: tf.Tensor, rows: int, columns: int, exact: bool
    ) -> Predictor:
        """Predicts the latents' slices from decoded side information.

        Args:
            hyper_latents: z_hat, float32 ``[batch, *grid(rows, columns), N]``.
            rows: of the latents.
            columns: of the latents.
            exact: True for fixed point and whole scale indexes, which are equal bits on every
                machine; False for floating point, which has gradients.
        """

    @property
    @abc.abstractmethod
    def decoding_layers(self):
        """Stacks that a decoder applies, each with the positions of its input per latent."""

    @property
    def analysis_variables(self):
        """Parameters of the hyper-analysis, which decoding does not need."""
        return self._analysis.trainable_variables

    def expect(self, spreads: Sequence[float]) -> None:
        """Starts from standard deviations ``[M]`` of the untrained model's latents."""

    @abc.abstractmethod
    def _seen(self, latents: tf.Tensor) -> tf.Tensor:
        """What the hyper-analysis sees of latents."""


class HyperTransforms(SideInformation):
    """Latents ``[b, 16, 16, M]`` to hyper-latents ``[b, 4, 4, N]``, and those to a prediction.

    Everything here is float32: it is a small share of the work, and the decoder repeats half of it.

    A training patch of 128 pixels has 2x2 hyper-latents, all of them at a border. A model that pads
    with zeros learns only borders, and may spend several times the bits in the interior of a whole
    image. If the outermost values are repeated instead, borders look like the interior, and images
    of all sizes are coded alike.
    """

    def __init__(
        self,
        *,
        latent_channels: int,
        num_filters: int,
        predicts_means: bool,
        padding: str = "edge",
    ):
        """Creates the layers and their variables.

        Args:
            latent_channels: channels of the latents (M), at least 1.
            num_filters: channels of hidden layers and hyper-latents (N), at least 1.
            predicts_means: whether means are predicted, too, not only scales.
            padding: "edge" or "zeros" (as in the papers): what layers see beyond the border.

        Raises:
            ValueError: a number is below 1, or there is no such padding.
        """
        super().__init__(name="hyper_transforms")
        for name, number in (("num_filters", num_filters), ("latent_channels", latent_channels)):
            if number < 1:
                raise ValueError(f"{name}={number} must be at least 1.")
        if padding not in PADDINGS:
            raise ValueError(f"padding={padding!r} must be one of {', '.join(PADDINGS)}.")
        self.latent_channels = num_filters
        self.slice_sizes = (latent_channels,)
        self.predicts_means = predicts_means
        n, m = num_filters, latent_channels
        self._convolution, self._transposed_convolution = PADDINGS[padding]
        self._analysis = keras.Sequential(
            [
                self._convolution(n, 3, 1, "same"),
                keras.layers.ReLU(),
                self._convolution(n, 5, 2, "same"),
                keras.layers.ReLU(),
                self._convolution(n, 5, 2, "same"),
            ],
            name="hyper_analysis",
        )
        widths = (m, m * 3 // 2, 2 * m) if predicts_means else (n, n, m)
        self._layers = [
            self._transposed_convolution(widths[0], 5, 2, "same"),
            self._transposed_convolution(widths[1], 5, 2, "same"),
            self._convolution(widths[2], 3, 1, "same"),
        ]
        self._analysis.build([None, None, None, m])
        channels = n
        for layer in self._layers:
            layer.build([None, None, None, channels])
            channels = layer.filters
        # Scales start at 1, not at the table's smallest: latents of any size then have a gradient.
        self._layers[-1].bias.assign([0.0] * (channels - m) + [INDEX_OF_ONE] * m)

    def _seen(self, latents: tf.Tensor) -> tf.Tensor:
        return latents if self.predicts_means else tf.abs(latents)

    def predictor(
        self, hyper_latents: tf.Tensor, rows: int, columns: int, exact: bool
    ) -> Predictor:
        """See ``SideInformation``."""
        values = self._synthesis(hyper_latents, rows, columns, exact)
        return Predictor(self._prediction(values), exact)

    @property
    def decoding_layers(self):
        """See ``SideInformation``."""
        return [(self._layers, STRIDE**-2)]

    def _synthesis(
        self, hyper_latents: tf.Tensor, rows: int, columns: int, exact: bool
    ) -> tf.Tensor:
        apply = apply_exactly if exact else apply_layers
        return apply(self._layers, hyper_latents)[:, :rows, :columns]

    def _prediction(self, values: tf.Tensor) -> Prediction:
        means = None
        if self.predicts_means:
            means, values = tf.split(values, 2, axis=-1)
            means = tf.cast(means, tf.float32)
        return Prediction(means, values)


def apply_layers(layers: Sequence[keras.layers.Layer], values: tf.Tensor) -> tf.Tensor:
    """Layers with ReLU between them, in floating point: what ``apply_exactly`` repeats exactly."""
    for number, layer in enumerate(layers):
        values = layer(values)
        if number < len(layers) - 1:
            values = tf.nn.relu(values)
    return values
