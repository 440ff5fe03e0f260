"""Slices of the latents, each predicted from a context that grows with every slice decoded.

The idea is the channel-wise autoregression of Minnen and Singh 2020, arXiv 2007.08739. There, a
stack of its own reads all earlier slices for each slice. Here one small context tensor is updated
by every slice, so that many thin slices cost little: with latents in order of frequency, the first
few coefficients already tell how active a block and its neighbours are, which is most of what the
others' scales depend on.

Layers see y / (1 + |y|) and |y| / (1 + |y|): bounded, steep near zero, and with a magnitude that
need not be learned. A division of single numbers is rounded in only one way, so the decoder can
repeat it exactly; it repeats the layers in fixed point (``models.fixed_point``).
"""

from __future__ import annotations

import itertools
import math
from typing import List, Sequence, Tuple

import numpy as np
import tensorflow as tf

from entropy.conditional_gaussian import LARGEST_SCALE, SCALES, SMALLEST_SCALE
from models.fixed_point import MOST_PRODUCTS, apply_exactly
from models.hyperprior import INDEX_OF_ONE, STRIDE, SideInformation, apply_layers
from models.layers import Convolution, EdgeConvolution, EdgeTransposedConvolution
from models.prediction import Prediction, Predictor
from models.shaping import Shaping
from models.transforms import policy
from models.variable_rate import RateSetting
from processor.stack import keras

PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))
"""Rows and columns modulo 2, in the order in which phases code them.

The checkerboard of He et al. 2021, arXiv 2103.15306, has two phases.
"""

INDEXES_PER_UNIT = 8.0
"""Scale indexes per output of 1: a factor of 2.7 in scale. A power of two is exact."""


class SliceContext(SideInformation):
    """Hyper-transforms, and for each slice a predictor and an update of the context.

    With M = 320 in 8 slices: hyper-latents ``[b, 4, 4, N]`` become a context ``[b, 16, 16, C]``,
    from which 1x1 convolutions predict the 9 means and scale indexes of the first slice. What 3x3
    convolutions of the decoded slice and 1x1 ones of the context make of both is then added to the
    context, for the next 18.
    """

    predicts_means = True

    def __init__(
        self,
        *,
        latent_channels: int,
        num_filters: int = 64,
        context_channels: int = 96,
        slices: int = 8,
        phases: int = 1,
        across_rows: bool = True,
        shaping: float = 0.0,
        precision: str = "float32",
    ):
        """Creates the layers and their variables.

        Args:
            latent_channels: channels of the latents (M).
            num_filters: channels of the hyper-latents (N) and of the hyper-analysis.
            context_channels: channels of the context (C) and of hidden layers.
            slices: groups of the channels, at least 1; the k-th has k times the channels of the
                first, up to rounding, which must leave that one at least 1.
            phases: number of phases of the first slice, 1 or 4: every second row and column first,
                then what lies diagonally between them, then the rest, each predicted from the
                phases before it. Its latents come four times, see ``phased``, and each phase is a
                slice whose latents are 0 at the positions of the others.
            across_rows: whether anything reaches from row to row of the latents; False for audio,
                whose rows are channels.
            shaping: how far quantization steps follow the predicted scales, 0 to 1: where a scale
                is twice the usual one, steps are ``2**shaping`` times as large. Noise is heard less
                where the signal is loud.
            precision: compute type of the layers while training, "float32" or "bfloat16".

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(name="slice_context")
        if not 0 <= shaping <= 1:
            raise ValueError(f"shaping={shaping} must be 0 to 1.")
        numbers = dict(
            num_filters=num_filters, context_channels=context_channels, slices=slices
        )  # fmt: skip
        for name, number in numbers.items():
            if number < 1:
                raise ValueError(f"{name}={number} must be at least 1.")
        self.latent_channels = num_filters
        self.context_channels = context_channels
        if phases not in (1, len(PHASES)):
            raise ValueError(f"phases={phases} must be 1 or {len(PHASES)}.")
        self._phases = phases
        first, *others = slice_sizes(latent_channels, slices)
        self.slice_sizes = (first,) * phases + tuple(others)
        if self.slice_sizes[0] < 1:
            raise ValueError(
                f"slices={slices} must be fewer for latent_channels={latent_channels}: the first "
                "slice is empty."
            )
        c = context_channels
        products = 18 * self.slice_sizes[-1]
        if products > MOST_PRODUCTS:
            raise ValueError(
                f"slices={slices} of latent_channels={latent_channels} make sums of {products} "
                f"products, which must be at most {MOST_PRODUCTS} to be exact."
            )
        dtype = dict(dtype=policy(precision))
        self.strides = (STRIDE if across_rows else 1, STRIDE)

        def along(taps, stride=1):
            """Kernel, strides and padding of a layer."""
            rows = (taps, stride) if across_rows else (1, 1)
            return (rows[0], taps), (rows[1], stride), "same"

        self._analysis = keras.Sequential(
            [
                EdgeConvolution(num_filters, *along(3), **dtype),
                keras.layers.ReLU(**dtype),
                EdgeConvolution(num_filters, *along(5, 2), **dtype),
                keras.layers.ReLU(**dtype),
                EdgeConvolution(num_filters, *along(5, 2), **dtype),
            ],
            name="hyper_analysis",
        )
        self._analysis.build([None, None, None, 2 * sum(self.slice_sizes)])
        self._synthesis = [
            EdgeTransposedConvolution(c, *along(5, 2), **dtype),
            EdgeTransposedConvolution(c, *along(5, 2), **dtype),
        ]
        # An untrained predictor says 0 and the usual scale.
        zeros = dict(kernel_initializer="zeros")
        self._predictors = [
            [Convolution(c, 1, **dtype), Convolution(2 * size, 1, **zeros, **dtype)]
            for size in self.slice_sizes
        ]
        decoded = self.slice_sizes[:-1]
        self._from_slices = [[EdgeConvolution(c, *along(3), **dtype)] for _ in decoded]
        self._from_context = [[Convolution(c, 1, **dtype)] for _ in decoded]
        for stack, channels in (
            (self._synthesis, num_filters),
            *((stack, c) for stack in (*self._predictors, *self._from_context)),
            *((stack, 2 * size) for stack, size in zip(self._from_slices, decoded)),
        ):
            for layer in stack:
                layer.build([None, None, None, channels])
                channels = layer.filters
        self._shaping = Shaping(shaping) if shaping else None
        self._usual_indexes = tf.Variable(
            tf.fill([sum(self.slice_sizes)], INDEX_OF_ONE), trainable=False, name="usual_indexes"
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
        apply = apply_exactly if exact else apply_layers
        context = tf.nn.relu(apply(self._synthesis, hyper_latents))
        return _SlicePredictor(self, context[:, :rows, :columns], exact)

    @property
    def decoding_layers(self):
        """See ``SideInformation``."""
        own = [*self._predictors, *self._from_slices, *self._from_context]
        per_latent = 1 / (self.strides[0] * self.strides[1])
        return [(self._synthesis, per_latent), *((layers, 1.0) for layers in own)]

    def _seen(self, latents: tf.Tensor) -> tf.Tensor:
        return _features(latents)


def slice_sizes(channels: int, slices: int) -> Tuple[int, ...]:
    """Channels of each slice, in proportion to 1, 2, 3, ..., ``slices``."""
    ends = [round(channels * k * (k + 1) / (slices * (slices + 1))) for k in range(slices + 1)]
    return tuple(end - start for start, end in itertools.pairwise(ends))


def phased(values: tf.Tensor, first: int, phases: int) -> tf.Tensor:
    """Values ``[..., M]`` with the first channels repeated once for each phase."""
    return tf.concat([values[..., :first]] * (phases - 1) + [values], -1)


def unphased(values: tf.Tensor, first: int, phases: int) -> tf.Tensor:
    """The inverse of ``phased``, of values that are 0 outside of their phase."""
    *repeats, others = tf.split(values, [first] * phases + [values.shape[-1] - first * phases], -1)
    return tf.concat([tf.add_n(repeats), others], -1)


class _SlicePredictor(Predictor):
    """Predicts each slice from the context, to which ``add`` adds the slice."""

    def __init__(self, model: SliceContext, context: tf.Tensor, exact: bool):
        super().__init__(exact=exact)
        self._model, self._context = model, context
        self._apply = apply_exactly if exact else apply_layers

    def at_rate(self, settings: List[RateSetting]) -> Predictor:
        """Also tells the context of the rate."""
        self._context += tf.cast(settings[0].context, self._context.dtype)
        return super().at_rate(settings)

    def _predict(self) -> Prediction:
        number = len(self._slices)
        values = self._apply(self._model._predictors[number], self._context)
        means, indexes = tf.split(values, 2, axis=-1)
        usual = tf.split(self._model._usual_indexes, self._model.slice_sizes)[number]
        above_usual = tf.cast(indexes, tf.float32) * INDEXES_PER_UNIT
        prediction = Prediction(tf.cast(means, tf.float32), above_usual + usual)
        if number < self._model._phases > 1:
            prediction = prediction._replace(present=_present(tf.shape(values), PHASES[number]))
        shaping = self._model._shaping
        return prediction if shaping is None else shaping(prediction, above_usual, self._exact)

    def add(self, values: tf.Tensor) -> None:
        super().add(values)
        if len(self._slices) == len(self._model.slice_sizes):
            return
        y_hat = tf.cast(self._slices[-1], tf.float64 if self._exact else tf.float32)
        features = tf.cast(_features(y_hat), self._context.dtype)
        number = len(self._slices) - 1
        update = self._apply(self._model._from_slices[number], features)
        update += self._apply(self._model._from_context[number], self._context)
        self._context += tf.nn.relu(update)


def _present(shape: tf.Tensor, phase: Tuple[int, int]) -> tf.Tensor:
    """1 at the positions of a phase, float32 ``[rows, columns, 1]``."""
    rows, columns = (tf.range(shape[axis]) % 2 == phase[axis - 1] for axis in (1, 2))
    return tf.cast(rows[:, tf.newaxis] & columns, tf.float32)[..., tf.newaxis]


def _features(latents: tf.Tensor) -> tf.Tensor:
    magnitudes = tf.abs(latents)
    scale = 1 + magnitudes
    return tf.concat([latents / scale, magnitudes / scale], -1)
