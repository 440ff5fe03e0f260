"""Slices of the latents, each predicted from a context that grows with every slice decoded.

The idea is the channel-wise autoregression of Minnen and Singh 2020, arXiv 2007.08739. There, a
stack of its own reads all earlier slices for each slice. Here one small context tensor is updated
by every slice, so that many thin slices cost little: with latents in order of frequency, the first
few coefficients already tell how active a block and its neighbours are, which is most of what the
others' scales depend on.

Layers see y / (1 + |y|) and |y| / (1 + |y|): bounded, steep near zero, and with a magnitude that
nothing has to be learned for. A division of single numbers is rounded in only one way, so the
decoder can repeat it exactly; the layers it repeats in fixed point (``models.fixed_point``).
"""

from __future__ import annotations

import math
from typing import List, Sequence

import numpy as np
import tensorflow as tf

from entropy.conditional_gaussian import LARGEST_SCALE, SCALES, SMALLEST_SCALE
from models.fixed_point import MOST_PRODUCTS, apply_exactly
from models.hyperprior import INDEX_OF_ONE, STRIDE, SideInformation, apply_layers, within_table
from models.layers import Convolution, EdgeConvolution, EdgeTransposedConvolution
from models.prediction import Prediction, Predictor
from models.transforms import policy

INDEXES_PER_UNIT = 8.0
"""Scale indexes per output of 1: a factor of 2.7 in scale. A power of two is exact."""


class SliceContext(SideInformation):
    """Hyper-transforms, and for each slice a predictor and an update of the context.

    With M = 320 in 16 slices: hyper-latents ``[b, 4, 4, N]`` become a context ``[b, 16, 16, C]``,
    from which 1x1 convolutions predict the 20 means and scale indexes of a slice; 3x3 convolutions
    of context and decoded slice are then added to the context.
    """

    predicts_means = True

    def __init__(
        self,
        *,
        latent_channels: int,
        num_filters: int = 64,
        context_channels: int = 96,
        slices: int = 16,
        precision: str = "float32",
    ):
        """Creates the layers and their variables.

        Args:
            latent_channels: channels of the latents (M), a multiple of ``slices``.
            num_filters: channels of the hyper-latents (N) and of the hyper-analysis.
            context_channels: channels of the context (C) and of hidden layers.
            slices: equal groups of the channels, at least 1.
            precision: compute type of the layers while training, "float32" or "bfloat16".

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(name="slice_context")
        numbers = dict(
            num_filters=num_filters, context_channels=context_channels, slices=slices
        )  # fmt: skip
        for name, number in numbers.items():
            if number < 1:
                raise ValueError(f"{name}={number} must be at least 1.")
        if latent_channels % slices:
            raise ValueError(
                f"latent_channels={latent_channels} must be a multiple of slices={slices}."
            )
        size, c = latent_channels // slices, context_channels
        if 9 * (c + 2 * size) > MOST_PRODUCTS:
            raise ValueError(
                f"context_channels={c} and slices={slices} make 3x3 sums of {9 * (c + 2 * size)} "
                f"products, which must be at most {MOST_PRODUCTS} to be exact."
            )
        self.latent_channels = num_filters
        self.slices = slices
        dtype = dict(dtype=policy(precision))
        self._analysis = tf.keras.Sequential(
            [
                EdgeConvolution(num_filters, 3, 1, "same", **dtype),
                tf.keras.layers.ReLU(**dtype),
                EdgeConvolution(num_filters, 5, 2, "same", **dtype),
                tf.keras.layers.ReLU(**dtype),
                EdgeConvolution(num_filters, 5, 2, "same", **dtype),
            ],
            name="hyper_analysis",
        )
        self._analysis.build([None, None, None, 2 * latent_channels])
        self._synthesis = [
            EdgeTransposedConvolution(c, 5, 2, "same", **dtype),
            EdgeTransposedConvolution(c, 5, 2, "same", **dtype),
        ]
        # An untrained predictor says 0 and the usual scale.
        zeros = dict(kernel_initializer="zeros")
        self._predictors = [
            [Convolution(c, 1, **dtype), Convolution(2 * size, 1, **zeros, **dtype)]
            for _ in range(slices)
        ]
        self._updates = [[EdgeConvolution(c, 3, 1, "same", **dtype)] for _ in range(slices - 1)]
        for stack, channels in (
            (self._synthesis, num_filters),
            *((stack, c) for stack in self._predictors),
            *((stack, c + 2 * size) for stack in self._updates),
        ):
            for layer in stack:
                layer.build([None, None, None, channels])
                channels = layer.filters
        self._usual_indexes = tf.Variable(
            tf.fill([latent_channels], INDEX_OF_ONE), trainable=False, name="usual_indexes"
        )

    def expect(self, spreads: Sequence[float]) -> None:
        """See ``SideInformation``."""
        step = math.log(LARGEST_SCALE / SMALLEST_SCALE) / (SCALES - 1)
        indexes = np.log(np.maximum(spreads, SMALLEST_SCALE) / SMALLEST_SCALE) / step
        self._usual_indexes.assign(indexes)

    def predictor(
        self, hyper_latents: tf.Tensor, rows: int, columns: int, exact: bool
    ) -> Predictor:
        """See ``SideInformation``."""
        context = _activated(self._synthesis, hyper_latents, exact)
        return _SlicePredictor(self, context[:, :rows, :columns], exact)

    @property
    def decoding_layers(self):
        """See ``SideInformation``."""
        own = [*self._predictors, *self._updates]
        return [(self._synthesis, STRIDE**-2), *((layers, 1.0) for layers in own)]

    def _seen(self, latents: tf.Tensor) -> tf.Tensor:
        return _features(latents)


class _SlicePredictor(Predictor):
    """Predicts each slice from the context, to which ``add`` adds the slice."""

    def __init__(self, model: SliceContext, context: tf.Tensor, exact: bool):
        super().__init__()
        self._model, self._context, self._exact = model, context, exact

    def next(self) -> Prediction:
        number = len(self._slices)
        apply = apply_exactly if self._exact else apply_layers
        values = apply(self._model._predictors[number], self._context)
        means, indexes = tf.split(values, 2, axis=-1)
        usual = tf.split(self._model._usual_indexes, self._model.slices)[number]
        indexes = tf.cast(indexes, tf.float32) * INDEXES_PER_UNIT + usual
        self._prediction = Prediction(
            tf.cast(means, tf.float32), within_table(indexes, self._exact)
        )
        return self._prediction

    def add(self, values: tf.Tensor) -> None:
        super().add(values)
        if len(self._slices) == self._model.slices:
            return
        y_hat = tf.cast(self._slices[-1], tf.float64 if self._exact else tf.float32)
        features = tf.cast(_features(y_hat), self._context.dtype)
        update = self._model._updates[len(self._slices) - 1]
        known = tf.concat([self._context, features], -1)
        self._context += _activated(update, known, self._exact)


def _activated(layers: List, values: tf.Tensor, exact: bool) -> tf.Tensor:
    return tf.nn.relu((apply_exactly if exact else apply_layers)(layers, values))


def _features(latents: tf.Tensor) -> tf.Tensor:
    magnitudes = tf.abs(latents)
    scale = 1 + magnitudes
    return tf.concat([latents / scale, magnitudes / scale], -1)
