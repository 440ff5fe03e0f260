"""Channel-wise autoregression: each slice of the latents is predicted from the slices before it.

Minnen and Singh 2020, "Channel-wise autoregressive entropy models for learned image compression",
arXiv 2007.08739: slices along the channels, and a prediction of what rounding took from a slice,
which is added once it is decoded (latent residual prediction).

It differs from the paper in that one stack predicts a slice's means and scales together, as what
is to be added to those of the hyper-synthesis, so that the first slice needs none; and in that the
residual is bounded by x / (2 + 2|x|) in place of tanh(x) / 2. Both have the bound 1/2 and the slope
1/2 at 0, but a division is exactly rounded on every machine and a tanh is not.

The decoder repeats all of it, in fixed point (``models.fixed_point``). What a slice is predicted
from is rounded to multiples of 2**-8 before anything is summed up. Between the stacks there are
single additions and divisions of single numbers, which IEEE 754 rounds in one way only.
"""

from __future__ import annotations

from typing import List, Sequence

import tensorflow as tf

from models.fixed_point import MOST_PRODUCTS, apply_exactly
from models.hyperprior import (
    Code,
    HyperTransforms,
    apply_layers,
    uncentred,
)

MIDDLE_INDEX, INDEXES_A_UNIT = 18.0, 8.0
"""Scale index about where models start, and a power of two about as large as indexes vary."""


class ChannelAutoregressiveTransforms(HyperTransforms):
    """Hyper-transforms that predict means and scales, and a stack or two a slice that refine them.

    With M = 96 in 4 slices of 24: the hyper-synthesis gives 192 channels (96 means, 96 indexes);
    the stack of slice 2 takes these and 48 decoded channels to 48 (24 means, 24 indexes), that of
    its residual takes 96 means and 72 decoded channels to 24.
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
                convolutions, before a last one of 3x3.
            residual_prediction: whether what rounding took from a slice is predicted.
            padding: see ``HyperTransforms``; the stacks of the slices have it too.

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
        self.slices = slices
        size = latent_channels // slices
        self._predictors = [
            self._stack(2 * latent_channels + number * size, widths, 2 * size)
            for number in range(1, slices)
        ]
        self._refiners = [
            self._stack(latent_channels + (number + 1) * size, widths, size)
            for number in range(slices if residual_prediction else 0)
        ]

    def reconstruct(
        self, hyper_latents: tf.Tensor, rows: int, columns: int, code: Code, exact: bool
    ) -> tf.Tensor:
        """See ``HyperTransforms``."""
        apply = apply_exactly if exact else apply_layers
        known = apply(self._layers, hyper_latents)[:, :rows, :columns]
        means, indexes = tf.split(known, 2, axis=-1)
        # As inputs, indexes are brought to the size of latents, by operations without rounding.
        known = tf.concat([means, (indexes - MIDDLE_INDEX) / INDEXES_A_UNIT], -1)
        decoded: List[tf.Tensor] = []
        for number, own in enumerate(
            zip(tf.split(means, self.slices, -1), tf.split(indexes, self.slices, -1))
        ):
            values = tf.concat(own, -1)
            if number:
                values += apply(self._predictors[number - 1], _joined(known, decoded))
            prediction = self._prediction(values)
            if exact:
                prediction = prediction._replace(indexes=tf.round(prediction.indexes))
            decoded.append(uncentred(code(number, prediction), prediction))
            if self._refiners:
                residual = apply(self._refiners[number], _joined(means, decoded))
                decoded[-1] += tf.cast(_bounded(residual), tf.float32)
        return tf.concat(decoded, -1)

    @property
    def decoding_layers(self):
        """See ``HyperTransforms``."""
        own = [*self._predictors, *self._refiners]
        return [*super().decoding_layers, *((layers, 1.0) for layers in own)]

    def _stack(
        self, channels: int, widths: Sequence[int], outputs: int
    ) -> List[tf.keras.layers.Layer]:
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


def _joined(known: tf.Tensor, decoded: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.concat([known, *(tf.cast(values, known.dtype) for values in decoded)], -1)


def _bounded(residual: tf.Tensor) -> tf.Tensor:
    """Within plus and minus 1/2, what rounding can take."""
    return residual / (2 + 2 * tf.abs(residual))
