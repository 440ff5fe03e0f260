"""Layers over audio ``[batch, rows, samples, channels]``: kernels ``(1, k)``, one row at a time.

The only convolution has stride 1. Strides are folds of samples into channels and back, which cost
nothing: a fold and k taps are a strided convolution of ``k * s`` taps, and the reverse is its
transpose. Each layer knows how far it reaches, so that tiles of long audio can be exact.
"""

from __future__ import annotations

from typing import Sequence, Tuple

import tensorflow as tf

from models.layers import GDN
from processor.stack import keras

ACTIVATIONS = ("elu", "gdn", "snake")


class Convolution1D(keras.layers.Layer):
    """Dilated convolution along the samples, padded with zeros; if causal, it only looks back.

    Attributes:
        reach: samples that an output looks back and ahead.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        dilation: int = 1,
        causal: bool = False,
        use_bias: bool = True,
        **layer,
    ):
        """Takes sizes; ``layer`` goes to Keras."""
        super().__init__(**layer)
        self.filters, self.kernel_size, self.dilation = filters, kernel_size, dilation
        self.use_bias = use_bias
        whole = (kernel_size - 1) * dilation
        ahead = 0 if causal else whole // 2
        self.reach = (whole - ahead, ahead)

    def build(self, input_shape) -> None:
        """Creates kernel ``[1, kernel_size, in, filters]`` and bias."""
        self.kernel = self.add_weight(
            "kernel",
            [1, self.kernel_size, input_shape[-1], self.filters],
            initializer="glorot_uniform",
        )
        if self.use_bias:
            self.bias = self.add_weight("bias", [self.filters], initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From ``[batch, rows, samples, in]`` to ``[batch, rows, samples, filters]``."""
        kernel = tf.convert_to_tensor(self.kernel)
        if self.dilation == 1:
            outputs = tf.nn.conv2d(inputs, kernel, 1, [[0, 0], [0, 0], self.reach, [0, 0]])
        else:
            outputs = self._dilated(inputs, kernel)
        # Not tf.nn.bias_add: see models.layers.Convolution.
        return outputs + self.bias if self.use_bias else outputs

    def _dilated(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """A plain convolution over rows of every ``dilation``-th sample.

        TensorFlow's dilated convolution has no gradient on the CPU.
        """
        _, rows, samples, _ = tf.unstack(tf.shape(inputs))
        step, (back, ahead) = self.dilation, self.reach
        length = -(-(samples + back + ahead) // step)
        more = length * step - samples - back
        padded = tf.pad(inputs, [[0, 0], [0, 0], [back, more], [0, 0]])
        split = tf.reshape(padded, [-1, rows, length, step, inputs.shape[-1]])
        split = tf.reshape(
            tf.transpose(split, [0, 1, 3, 2, 4]), [-1, rows * step, length, inputs.shape[-1]]
        )
        outputs = tf.nn.conv2d(split, kernel, 1, "VALID")
        length -= self.kernel_size - 1
        outputs = tf.reshape(outputs, [-1, rows, step, length, self.filters])
        outputs = tf.transpose(outputs, [0, 1, 3, 2, 4])
        return tf.reshape(outputs, [-1, rows, length * step, self.filters])[:, :, :samples]


class Fold(keras.layers.Layer):
    """``stride`` samples become one with ``stride`` times as many channels."""

    reach = (0, 0)

    def __init__(self, stride: int, **layer):
        """Takes the stride; ``layer`` goes to Keras."""
        super().__init__(**layer)
        self.stride = stride

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From ``[batch, rows, samples, c]`` to ``[batch, rows, samples / s, s * c]``."""
        _, rows, samples, _ = tf.unstack(tf.shape(inputs))
        channels = inputs.shape[-1] * self.stride
        return tf.reshape(inputs, [-1, rows, samples // self.stride, channels])


class Unfold(Fold):
    """The inverse of ``Fold``."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From ``[batch, rows, samples, s * c]`` to ``[batch, rows, samples * s, c]``."""
        _, rows, samples, _ = tf.unstack(tf.shape(inputs))
        channels = inputs.shape[-1] // self.stride
        return tf.reshape(inputs, [-1, rows, samples * self.stride, channels])


class Snake(keras.layers.Layer):
    """``x + sin(a x)^2 / a`` with a learned frequency ``a`` per channel.

    Ziyin 2020, arXiv 2006.08195. ``a`` is kept as its logarithm, so that it stays above 0.
    """

    def build(self, input_shape) -> None:
        """Creates the frequencies, 1 at the start."""
        self.log_frequency = self.add_weight(
            "log_frequency", [input_shape[-1]], initializer="zeros"
        )
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Same shape."""
        frequency = tf.exp(self.log_frequency)
        return inputs + tf.square(tf.sin(frequency * inputs)) / frequency


class ResidualUnit(keras.layers.Layer):
    """``x + convolution of 1 tap(a(dilated convolution(a(x))))`` with half the channels inside.

    SEANet's (Tagliasacchi 2020, arXiv 2009.02095, and SoundStream, arXiv 2107.03312).

    Attributes:
        reach: samples that an output looks back and ahead.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        *,
        dilation: int,
        causal: bool,
        activation: str,
        **layer,
    ):
        """Takes sizes; ``activation`` is "elu" or "snake"; ``layer`` goes to Keras."""
        super().__init__(**layer)
        hidden = max(1, channels // 2)
        dilated = Convolution1D(hidden, kernel_size, dilation=dilation, causal=causal, **layer)
        self._layers_in_order = [
            activate(activation, **layer),
            dilated,
            activate(activation, **layer),
            Convolution1D(channels, 1, **layer),
        ]
        self.reach = dilated.reach

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Same shape."""
        outputs = inputs
        for layer in self._layers_in_order:
            outputs = layer(outputs)
        return inputs + outputs


def activate(activation: str, *, inverse: bool = False, **layer) -> keras.layers.Layer:
    """A new activation layer; ``inverse`` is for the GDN of a synthesis."""
    if activation == "gdn":
        return GDN(inverse=inverse, **layer)
    return Snake(**layer) if activation == "snake" else keras.layers.ELU(**layer)


def reach(layers: Sequence[keras.layers.Layer]) -> Tuple[int, int]:
    """How far a stack looks back and ahead, in samples on its finer side.

    Args:
        layers: from fine to coarse; those of a synthesis in reverse.
    """
    back = ahead = 0
    scale = 1
    for layer in layers:
        if isinstance(layer, Fold):  # Or its inverse.
            scale *= layer.stride
        own = getattr(layer, "reach", (0, 0))  # Activations look at one sample.
        back, ahead = back + scale * own[0], ahead + scale * own[1]
    return back, ahead
