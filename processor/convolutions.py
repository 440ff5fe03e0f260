"""Strided 'same' convolutions, plain and transposed, whose kernel gradient is matrix products.

On CPUs without AVX512 the gradient to the kernel is the slow part of TensorFlow's convolutions: of
a third of the operations it takes up to half the time. Products of large matrices run near the
machine's peak.
"""

from __future__ import annotations

import tensorflow as tf

from processor.instruction_sets import instruction_sets

FEWEST_CHANNELS = 32
"""On either side of a kernel; with fewer, the matrices are too narrow to be worth it."""

MOST_POSITIONS = 1.3
"""Positions that the matrices have for each of the features: margins are multiplied too."""


def convolve(inputs: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """Equals ``tf.nn.conv2d(inputs, kernel, stride, "SAME")``.

    Args:
        inputs: ``[batch, height, width, in]``.
        kernel: ``[rows, columns, in, out]``.
        stride: along height and width.

    Returns:
        ``[batch, ceil(height / stride), ceil(width / stride), out]``.
    """
    kernel = tf.convert_to_tensor(kernel)  # Of the type that Keras casts it to.
    if not _by_matrices(kernel):
        return tf.nn.conv2d(inputs, kernel, stride, "SAME")

    @tf.custom_gradient
    def convolution(inputs, kernel):
        def gradients(upstream):
            to_kernel = _to_kernel(inputs, upstream, kernel.shape, stride)
            # One after the other: both want all threads, and two at once take longer.
            with tf.control_dependencies([to_kernel]):
                return _transposed(upstream, kernel, stride, tf.shape(inputs)), to_kernel

        return tf.nn.conv2d(inputs, kernel, stride, "SAME"), gradients

    return convolution(inputs, kernel)


def convolve_transposed(inputs: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """The transpose of ``convolve``: each input pixel adds the kernel to the output.

    Args:
        inputs: ``[batch, height, width, in]``.
        kernel: ``[rows, columns, out, in]``.
        stride: along height and width.

    Returns:
        ``[batch, height * stride, width * stride, out]``.
    """
    kernel = tf.convert_to_tensor(kernel)
    batch, height, width, _ = tf.unstack(tf.shape(inputs))
    shape = [batch, height * stride, width * stride, kernel.shape[2]]
    if not _by_matrices(kernel):
        return _transposed(inputs, kernel, stride, shape)

    @tf.custom_gradient
    def convolution(inputs, kernel):
        def gradients(upstream):
            to_kernel = _to_kernel(upstream, inputs, kernel.shape, stride)
            with tf.control_dependencies([to_kernel]):
                return tf.nn.conv2d(upstream, kernel, stride, "SAME"), to_kernel

        return _transposed(inputs, kernel, stride, shape), gradients

    return convolution(inputs, kernel)


def _transposed(inputs, kernel, stride, shape):
    return tf.nn.conv2d_transpose(inputs, kernel, shape, stride, "SAME")


def _by_matrices(kernel) -> bool:
    # GPUs have kernels of their own for it, bfloat16 its own units; and with AVX512 oneDNN's
    # gradients run as fast as its products of matrices.
    return (
        kernel.dtype == tf.float32
        and min(kernel.shape[2:]) >= FEWEST_CHANNELS
        and "avx512f" not in instruction_sets()
        and not tf.config.list_logical_devices("GPU")
    )


def _to_kernel(images, features, size, stride):
    _, rows, columns, _ = features.shape
    more_rows, more_columns = (size[0] - 1) // stride, (size[1] - 1) // stride
    # Shapes are known where it matters: while training on patches.
    if rows and columns:
        positions = (rows + more_rows) * (columns + more_columns)
        if positions <= MOST_POSITIONS * rows * columns:
            return kernel_gradient(images, features, size, stride)
    return tf.raw_ops.Conv2DBackpropFilter(
        input=images,
        filter_sizes=size,
        out_backprop=features,
        strides=[1, stride, stride, 1],
        padding="SAME",
    )


def kernel_gradient(
    images: tf.Tensor, features: tf.Tensor, size: tf.TensorShape, stride: int
) -> tf.Tensor:
    """The gradient of ``sum(convolve(images, kernel, stride) * features)`` to the kernel.

    For each kernel row and each ``stride`` columns of it one product of two matrices, whose inner
    dimension is the positions. The pixels are sorted once by their phase to the stride and
    transposed; what a tap sees is then the features, shifted, as a slice without a copy.

    Args:
        images: ``[batch, height, width, in]``.
        features: ``[batch, ceil(height / stride), ceil(width / stride), out]``.
        size: ``[rows, columns, in, out]`` of the kernel.
        stride: along height and width.

    Returns:
        Of shape ``size``.
    """
    kernel_rows, kernel_columns, inputs, outputs = size
    batch, height, width, _ = tf.unstack(tf.shape(images))
    _, rows, columns, _ = tf.unstack(tf.shape(features))
    # The grid of features and what the kernel's last taps reach beyond it.
    more_rows, more_columns = (kernel_rows - 1) // stride, (kernel_columns - 1) // stride
    grid_rows, grid_columns = rows + more_rows, columns + more_columns
    positions = batch * grid_rows * grid_columns

    margins = [
        _margin(height, rows, kernel_rows, stride, grid_rows),
        _margin(width, columns, kernel_columns, stride, grid_columns),
    ]
    pixels = tf.pad(images, [[0, 0], *margins, [0, 0]])
    pixels = tf.reshape(pixels, [batch, grid_rows, stride, grid_columns, stride, inputs])
    pixels = tf.reshape(tf.transpose(pixels, [2, 4, 5, 0, 1, 3]), [-1, positions])

    features = tf.pad(features, [[0, 0], [0, more_rows], [0, more_columns], [0, 0]])
    lead = more_rows * grid_columns + more_columns
    features = tf.pad(tf.reshape(features, [-1, outputs]), [[lead, 0], [0, 0]])

    taps = []
    for row in range(kernel_rows):
        for column in range(0, kernel_columns, stride):
            # Taps `column` and following read one position each of the phases of a pixel row.
            phase = (row % stride) * stride * inputs
            many = min(stride, kernel_columns - column) * inputs
            shift = lead - (row // stride * grid_columns + column // stride)
            taps.append(
                tf.matmul(pixels[phase : phase + many], features[shift : shift + positions])
            )
    return tf.reshape(tf.concat(taps, 0), size)


def _margin(pixels, features, taps, stride, grid):
    # TensorFlow's 'same' leaves the odd pixel behind.
    before = tf.maximum((features - 1) * stride + taps - pixels, 0) // 2
    return [before, grid * stride - before - pixels]
