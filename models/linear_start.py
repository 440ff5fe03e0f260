"""Layers of transforms that begin as a linear transform codec and learn from there."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.layers import Convolution
from processor.convolutions import convolve_valid
from processor.stack import keras

LEARNING_SCALE = 4.0
"""What a learned difference of 1 is, in root mean squares of the frozen kernel."""


class LearnedKernel(keras.layers.Layer):
    """A convolution with a frozen kernel plus a learned difference.

    At one learning rate for all parameters, steps that suit the other layers would shatter the
    small numbers of a transform's basis.
    """

    def __init__(self, frozen: np.ndarray, dtype: str):
        """Takes the frozen kernel ``[rows, columns, in, out]`` and the Keras policy."""
        super().__init__(dtype=dtype)
        self.frozen = frozen.astype(np.float32)
        self._scale = LEARNING_SCALE * float(np.sqrt(np.mean(frozen**2)))

    def build(self, shape):
        """Creates the variables."""
        self.difference = self.add_weight("difference", self.frozen.shape, initializer="zeros")
        self.built = True

    @property
    def kernel(self) -> tf.Tensor:
        """``[rows, columns, in, out]``."""
        # Summed before it is rounded to the compute type.
        difference = tf.cast(self.difference, tf.float32)
        return self.frozen + self._scale * difference

    def convolve(self, values: tf.Tensor) -> tf.Tensor:
        """From ``[batch, height, width, in]`` to all positions that the kernel fits into."""
        return convolve_valid(values, tf.cast(self.kernel, values.dtype))


class ResidualBlock(keras.layers.Layer):
    """``x + W relu(V x)``: V a 3x3 convolution, W a 1x1 one that begins at zero."""

    def __init__(self, channels: int, num_filters: int, dtype: str, kernel=3):
        """Takes the channels of ``x``, those inside, the Keras policy, and the kernel size of V."""
        super().__init__(dtype=dtype)
        zeros = dict(kernel_initializer="zeros")
        self.convolutions = [
            Convolution(num_filters, kernel, 1, "same", dtype=dtype),
            Convolution(channels, 1, 1, "same", dtype=dtype, **zeros),
        ]

    def build(self, shape):
        """Creates the variables."""
        for layer in self.convolutions:
            layer.build(shape)
            shape = [*shape[:-1], layer.filters]
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From and to ``[batch, rows, columns, channels]``."""
        inner, outer = self.convolutions
        return inputs + outer(tf.nn.relu(inner(inputs)))
