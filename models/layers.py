"""The layers of the transforms: GDN and Keras' convolutions, with gradients of their own.

On a CPU they are faster, and in bfloat16 they train correctly (see ``Convolution``).
"""

from __future__ import annotations

from typing import Sequence, Tuple

import tensorflow as tf

from processor.convolutions import convolve, convolve_transposed, convolve_valid
from processor.stack import keras
from quantizers.base.bounds import lower_bound

PEDESTAL = 2.0**-36
"""What is added to a GDN parameter before its root: the gradient of the square is never 0."""


class GDN(keras.layers.Layer):
    """Divisive normalization: ``y = x / n`` (inverse: ``x * n``) with ``n = beta + |x| gamma``.

    Balle et al. 2016, "Density modeling of images using a generalized normalization
    transformation", arXiv 1511.06281, at exponents 1. Parameters, their constraints, initial values
    and names in checkpoints are those of TensorFlow Compression's. The explicit gradient takes
    fewer passes over memory, which makes float32 training 6 % faster.
    """

    def __init__(self, *, inverse: bool = False, **layer):
        """Sets the direction.

        Args:
            inverse: multiplies by the norm, as a synthesis does.
            layer: of Keras.
        """
        super().__init__(**layer)
        self.inverse = inverse

    def build(self, input_shape) -> None:
        """Creates beta, of ones, and gamma, a tenth of the identity."""
        channels = input_shape[-1]
        self._beta_parameter = _Positive(tf.ones([channels], self.variable_dtype), 1e-6, "beta")
        gamma = tf.eye(channels, dtype=self.variable_dtype) * 0.1
        self._gamma_parameter = _Positive(gamma, 0.0, "gamma")
        super().build(input_shape)

    @property
    def beta(self) -> tf.Tensor:
        """``[channels]``, at least 1e-6."""
        return tf.cast(self._beta_parameter(), self.compute_dtype)

    @property
    def gamma(self) -> tf.Tensor:
        """``[channels, channels]``, from input to output, none negative."""
        return tf.cast(self._gamma_parameter(), self.compute_dtype)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalizes ``[batch, height, width, channels]``."""
        return _normalize(inputs, self.gamma, self.beta, self.inverse)


class _Positive(tf.Module):
    """A parameter above a minimum: the square of its variable, which slows its fall towards 0."""

    def __init__(self, initial: tf.Tensor, minimum: float, name: str):
        super().__init__(name=name)
        self._minimum = minimum
        pedestal = tf.constant(PEDESTAL, initial.dtype)
        initial = tf.math.sqrt(tf.math.maximum(initial + pedestal, pedestal))
        self.variable = tf.Variable(initial, name=name)

    def __call__(self) -> tf.Tensor:
        """The parameter, in the variable's type: squared in bfloat16 it would lose digits."""
        bounded = lower_bound(self.variable, (self._minimum + PEDESTAL) ** 0.5)
        return tf.math.square(bounded) - tf.constant(PEDESTAL, bounded.dtype)


def _normalize(inputs, gamma, beta, inverse):
    @tf.custom_gradient
    def normalize(inputs, gamma, beta):
        magnitudes = tf.abs(inputs)
        norm = tf.nn.conv2d(magnitudes, gamma[tf.newaxis, tf.newaxis], 1, "VALID")
        # Graphs fuse bias_add with the convolution, which saves a pass over memory. In bfloat16
        # they fuse `+` only where the fused operation exists, but bias_add also where it does not.
        norm = norm + beta if norm.dtype == tf.bfloat16 else tf.nn.bias_add(norm, beta)
        outputs = inputs * norm if inverse else inputs / norm

        def gradients(upstream):
            direct = upstream * norm if inverse else upstream / norm
            # The gradient with respect to the norm, but for its sign: the small tensors have it.
            to_norm = upstream * inputs if inverse else direct * outputs
            sign = 1.0 if inverse else -1.0
            back = sign * tf.transpose(gamma)[tf.newaxis, tf.newaxis]
            to_magnitudes = tf.nn.conv2d(to_norm, back, 1, "VALID")
            rows = tf.reshape(to_norm, [-1, inputs.shape[-1]])
            columns = tf.reshape(magnitudes, [-1, inputs.shape[-1]])
            return (
                direct + tf.sign(inputs) * to_magnitudes,
                sign * tf.matmul(columns, rows, transpose_a=True),
                sign * _sum_of_rows(rows),
            )

        return outputs, gradients

    return normalize(inputs, gamma, beta)


class Convolution(keras.layers.Conv2D):
    """Keras' 'same' convolution with a bias that trains correctly in bfloat16.

    ``tf.nn.bias_add``, which Keras uses, sums its gradient in bfloat16 on the CPU unless oneDNN
    happens to fuse it: a sum over a batch of images stops growing at 256 times its terms, and up to
    90 % of it is lost. The gradient of ``+`` is summed exactly.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From ``[batch, height, width, in]`` to ``[batch, height / s, width / s, filters]``."""
        outputs = self.apply_to(inputs, self.kernel)
        return outputs + self.bias if self.use_bias else outputs

    def apply_to(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """The convolution without bias, in any floating type."""
        return convolve(inputs, kernel, self.strides)


class TransposedConvolution(keras.layers.Conv2DTranspose):
    """Keras' transposed 'same' convolution, with the bias of ``Convolution``."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From ``[batch, height, width, in]`` to ``[batch, height * s, width * s, filters]``."""
        return self.apply_to(inputs, self.kernel) + self.bias

    def apply_to(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """The transposed convolution without bias, in any floating type."""
        return convolve_transposed(inputs, kernel, self.strides)


class EdgeConvolution(Convolution):
    """``Convolution`` that pads by repeating its outermost inputs, not with zeros.

    Height and width must be multiples of the strides.
    """

    def apply_to(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """See ``Convolution``."""
        # 'same' padding of sizes that are multiples of the stride; the odd one is at the end.
        missing = [max(taps - stride, 0) for taps, stride in zip(self.kernel_size, self.strides)]
        margins = [(count // 2, count - count // 2) for count in missing]
        inputs = _with_edges(inputs, margins)
        if self.strides == (1, 1):
            return convolve_valid(inputs, kernel)
        return tf.nn.conv2d(inputs, kernel, self.strides, "VALID")


class EdgeTransposedConvolution(TransposedConvolution):
    """``TransposedConvolution`` that pads by repeating its outermost inputs, not with zeros."""

    def apply_to(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """See ``TransposedConvolution``."""
        # Input positions by which the kernel reaches beyond the border.
        outside = [-(-(taps // 2) // by) for taps, by in zip(self.kernel_size, self.strides)]
        outputs = super().apply_to(_with_edges(inputs, [(n, n) for n in outside]), kernel)
        return without_border(outputs, *(n * by for n, by in zip(outside, self.strides)))


def _with_edges(values: tf.Tensor, margins: Sequence[Tuple[int, int]]) -> tf.Tensor:
    """Repeats the outermost rows and columns, one at a time: a mirror image of one is that one."""
    while any(any(margin) for margin in margins):
        now = [[min(before, 1), min(after, 1)] for before, after in margins]
        values = tf.pad(values, [[0, 0], *now, [0, 0]], "SYMMETRIC")
        margins = [(b - db, a - da) for (b, a), (db, da) in zip(margins, now)]
    return values


def with_edges_to_multiples(values: tf.Tensor, strides: Tuple[int, int]) -> tf.Tensor:
    """Repeats the last row and column until rows and columns are multiples of the strides."""
    for axis, stride in enumerate(strides, start=1):
        size = tf.shape(values)[axis]
        places = tf.minimum(tf.range(-(-size // stride) * stride), size - 1)
        values = tf.gather(values, places, axis=axis)
    return values


def without_border(values: tf.Tensor, down: int, across: int) -> tf.Tensor:
    """Less ``down`` rows and ``across`` columns at each side.

    The gradient of ``tf.slice`` is padding, which takes a fifth of the time of that of an index.
    """
    dynamic = tf.unstack(tf.shape(values))
    batch, rows, columns, channels = (s or d for s, d in zip(values.shape, dynamic))
    size = [batch, rows - 2 * down, columns - 2 * across, channels]
    return tf.slice(values, [0, down, across, 0], size)


class SubpixelTransposedConvolution(TransposedConvolution):
    """``TransposedConvolution`` to few channels, as one dense convolution (its sub-pixel form).

    Transposed convolutions to 3 channels use a fifth of the machine. With all ``stride**2`` pixels
    of an input position as channels they are two to three times faster, although the kernel, padded
    to whole positions, has more taps. The gradients are those of the transposed convolution itself,
    which are cheaper.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """From ``[batch, height, width, in]`` to ``[batch, height * s, width * s, filters]``."""
        kernel = tf.convert_to_tensor(self.kernel)
        return _to_pixels(inputs, kernel, tf.convert_to_tensor(self.bias), self.strides[0])


def _to_pixels(inputs, kernel, bias, stride):
    @tf.custom_gradient
    def to_pixels(inputs, kernel, bias):
        dense, padding = subpixel_kernel(kernel, stride)
        outputs = tf.nn.conv2d(inputs, dense, 1, padding) + tf.tile(bias, [stride**2])
        outputs = tf.nn.depth_to_space(outputs, stride)

        def gradients(upstream):
            to_kernel = tf.raw_ops.Conv2DBackpropFilter(
                input=upstream,
                filter_sizes=kernel.shape,
                out_backprop=inputs,
                strides=[1, stride, stride, 1],
                padding="SAME",
            )
            channels = kernel.shape[2]
            rows = tf.reshape(upstream, [-1, tf.shape(upstream)[2] * channels])
            to_bias = tf.reduce_sum(tf.reshape(_sum_of_rows(rows), [-1, channels]), axis=0)
            return tf.nn.conv2d(upstream, kernel, stride, "SAME"), to_kernel, to_bias

        return outputs, gradients

    return to_pixels(inputs, kernel, bias)


def subpixel_kernel(kernel: tf.Tensor, stride: int) -> tuple[tf.Tensor, list[list[int]]]:
    """The dense form of a transposed 'same' convolution.

    Args:
        kernel: ``[size, size, out, in]`` as ``tf.nn.conv2d_transpose`` takes it, size at least
            stride.
        stride: of the transposed convolution.

    Returns:
        Kernel ``[taps, taps, in, stride * stride * out]`` and padding of a stride-1 convolution
        which, followed by ``tf.nn.depth_to_space``, equals the transposed convolution.
    """
    size, _, outputs, inputs = kernel.shape
    # Input position j reaches pixels stride * j - front, ..., of which 'same' cuts off `front`.
    front = (size - stride) // 2
    before = -(-front // stride)
    after = -(-(size - stride - front) // stride)
    taps = before + 1 + after
    margin = [before * stride - front, after * stride - (size - stride - front)]
    kernel = tf.pad(kernel, [margin, margin, [0, 0], [0, 0]])
    kernel = tf.reshape(kernel, [taps, stride, taps, stride, outputs, inputs])
    # A convolution gathers where a transposed one scatters, hence the reversal.
    kernel = tf.transpose(tf.reverse(kernel, [0, 2]), [0, 2, 5, 1, 3, 4])
    padding = [[0, 0], [after, before], [after, before], [0, 0]]
    return tf.reshape(kernel, [taps, taps, inputs, stride**2 * outputs]), padding


def _sum_of_rows(rows: tf.Tensor) -> tf.Tensor:
    # As a product with ones: fast, and summed in float32 whatever the type.
    return tf.matmul(tf.ones([1, tf.shape(rows)[0]], rows.dtype), rows)[0]
