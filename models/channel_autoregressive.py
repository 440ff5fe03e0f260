"""Channel-wise autoregression: each slice of the latents is predicted from the slices before it.

Minnen and Singh 2020, "Channel-wise autoregressive entropy models for learned image compression",
arXiv 2007.08739: slices along the channels, and a prediction of each slice's rounding error, which
is added to the decoded slice (latent residual prediction).

Unlike the paper, one stack predicts a slice's means and scales together, as corrections of those of
the hyper-synthesis, so that the first slice needs none; and the residual is bounded by
x / (2 + 2|x|) instead of tanh(x) / 2. Both have the bound 1/2 and the slope 1/2 at 0, but a
division is rounded exactly on every machine and a tanh is not.

The decoder repeats all of it in fixed point (``models.fixed_point``). Inputs of a stack are rounded
to multiples of 2**-8 before they are summed. Between the stacks there are only additions and
divisions of single numbers, which IEEE 754 rounds in exactly one way.
"""

from __future__ import annotations

from typing import List, Sequence

import tensorflow as tf

from models.fixed_point import MOST_PRODUCTS, apply_exactly
from models.hyperprior import HyperTransforms, apply_layers
from models.prediction import Prediction, Predictor
from processor.stack import keras

MIDDLE_INDEX, INDEXES_PER_UNIT = 18.0, 8.0
"""About the scale index that models start at, and a power of two about as large as its spread."""


class ChannelAutoregressiveTransforms(HyperTransforms):
    """Hyper-transforms that predict means and scales, and a stack or two per slice to refine them.

    With M = 96 in 4 slices of 24: the hyper-synthesis gives 192 channels (96 means, 96 indexes);
    the stack of slice 2 maps these and 48 decoded channels to 48 (24 means, 24 indexes), that of
    its residual maps 96 means and 72 decoded channels to 24.
    """

    def __init__(
        self,
        *,
        latent_channels: int,
        num_filters: int,
        slices: int = 10,
        widths: Sequence[int] = (224, 128),
        residual_prediction: bool = True,
        padding: str = "edge",
    ):
        """Creates the layers and their variables; defaults are the paper's, for M = 320.

        Args:
            latent_channels: channels of the latents (M), a multiple of ``slices``.
            num_filters: channels of the hyper-transforms' hidden layers and of hyper-latents (N).
            slices: groups of the channels, at least 2.
            widths: channels of the hidden layers of a slice's stack, each at least 1: 5x5
                convolutions before a last one of 3x3.
            residual_prediction: whether a slice's rounding error is predicted.
            padding: see ``HyperTransforms``; it holds for the stacks of the slices, too.

        Raises:
            ValueError: an argument is out of its range.
        """
        if slices < 2:
            raise ValueError(f"slices={slices} must be at least 2.")
        if latent_channels % slices:
            raise ValueError(
                f"latent_channels={latent_channels} must be a multiple of slices={slices}."
            )
        if not widths or min(widths) < 1:
            raise ValueError(f"widths={list(widths)} must be one or more numbers, each at least 1.")
        super().__init__(
            latent_channels=latent_channels,
            num_filters=num_filters,
            predicts_means=True,
            padding=padding,
        )
        size = latent_channels // slices
        self.slice_sizes = (size,) * slices
        self._predictors = [
            self._stack(2 * latent_channels + number * size, widths, 2 * size)
            for number in range(1, slices)
        ]
        self._refiners = [
            self._stack(latent_channels + (number + 1) * size, widths, size)
            for number in range(slices if residual_prediction else 0)
        ]

    def predictor(
        self, hyper_latents: tf.Tensor, rows: int, columns: int, exact: bool
    ) -> Predictor:
        """See ``HyperTransforms``."""
        return _SlicePredictor(self, self._synthesis(hyper_latents, rows, columns, exact), exact)

    @property
    def decoding_layers(self):
        """See ``HyperTransforms``."""
        own = [*self._predictors, *self._refiners]
        return [*super().decoding_layers, *((layers, 1.0) for layers in own)]

    def _stack(
        self, channels: int, widths: Sequence[int], outputs: int
    ) -> List[keras.layers.Layer]:
        layers = [self._convolution(width, 5, 1, "same") for width in widths]
        layers.append(self._convolution(outputs, 3, 1, "same"))
        for layer in layers:
            products = layer.kernel_size[0] * layer.kernel_size[1] * channels
            if products > MOST_PRODUCTS:
                raise ValueError(
                    f"{channels} channels into a slice's convolution are {products} products a "
                    f"sum, which must be at most {MOST_PRODUCTS} to be exact: fewer "
                    "latent_channels or smaller widths."
                )
            layer.build([None, None, None, channels])
            channels = layer.filters
        return layers


class _SlicePredictor(Predictor):
    """Predicts each slice from the hyper-synthesis and the slices decoded before it."""

    def __init__(self, hyper: ChannelAutoregressiveTransforms, synthesis: tf.Tensor, exact: bool):
        super().__init__(exact=exact)
        self._hyper = hyper
        self._apply = apply_exactly if exact else apply_layers
        self._means, indexes = tf.split(synthesis, 2, axis=-1)
        # Indexes enter the stacks at about the size of latents, by operations without rounding.
        scaled = (indexes - MIDDLE_INDEX) / INDEXES_PER_UNIT
        self._side = tf.concat([self._means, scaled], -1)
        halves = (tf.split(values, hyper.slice_sizes, -1) for values in (self._means, indexes))
        self._first = [tf.concat(pair, -1) for pair in zip(*halves)]

    def _predict(self) -> Prediction:
        number = len(self._slices)
        values = self._first[number]
        if number:
            stack = self._hyper._predictors[number - 1]
            values += self._apply(stack, self._with_decoded(self._side))
        return self._hyper._prediction(values)

    def add(self, values: tf.Tensor) -> None:
        super().add(values)
        if self._hyper._refiners:
            stack = self._hyper._refiners[len(self._slices) - 1]
            residual = self._apply(stack, self._with_decoded(self._means))
            # Within plus and minus 1/2, which is the most that rounding can take.
            residual = tf.cast(residual / (2 + 2 * tf.abs(residual)), tf.float32)
            self._slices[-1] += self._prediction._replace(means=None).uncentre(residual)

    def _with_decoded(self, known: tf.Tensor) -> tf.Tensor:
        return tf.concat([known, *(tf.cast(y_hat, known.dtype) for y_hat in self._slices)], -1)
