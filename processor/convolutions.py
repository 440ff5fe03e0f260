"""Convolutions, plain and transposed, with a faster gradient with respect to the kernel.

On a CPU it is the slow part of TensorFlow's convolutions: a third of the operations, and up to half
of the time. Here it is computed by products of large matrices, which run close to the machine's
peak: in float32 without AVX512, and in bfloat16 between layers of many channels.
"""

from __future__ import annotations

from typing import Tuple, Union

import tensorflow as tf

from processor.instruction_sets import instruction_sets

Stride = Union[int, Tuple[int, int]]

FEWEST_CHANNELS = 32
"""Input and output channels from which the matrices are wide enough to pay off."""

MANY_CHANNELS = 160
"""Input and output channels from which one product is faster than oneDNN's kernels in bfloat16."""

MOST_POSITIONS = 1.3
"""Limit of matrix positions per feature: the products include the margins."""


def convolve(inputs: tf.Tensor, kernel: tf.Tensor, stride: Stride) -> tf.Tensor:
    """Equals ``tf.nn.conv2d(inputs, kernel, stride, "SAME")``.

    Args:
        inputs: ``[batch, height, width, in]``.
        kernel: ``[rows, columns, in, out]``.
        stride: along height and width, one for both or one for each.

    Returns:
        ``[batch, ceil(height / stride), ceil(width / stride), out]``.
    """
    kernel = tf.convert_to_tensor(kernel)  # In the dtype that Keras casts it to.
    down, across = _pair(stride)
    rows, columns = kernel.shape[:2]
    if down == across == 1 and rows * columns > 1 and _uses_one_product(kernel):
        margins = [[(taps - 1) // 2, taps // 2] for taps in (rows, columns)]
        return convolve_valid(tf.pad(inputs, [[0, 0], *margins, [0, 0]]), kernel)
    if down != across or not _uses_matrices(kernel):
        return tf.nn.conv2d(inputs, kernel, (down, across), "SAME")
    stride = down

    @tf.custom_gradient
    def convolution(inputs, kernel):
        def gradients(upstream):
            by_kernel = _by_kernel(inputs, upstream, kernel.shape, stride)
            # In sequence: each uses all threads, and running both at once takes longer.
            with tf.control_dependencies([by_kernel]):
                return _transposed(upstream, kernel, stride, tf.shape(inputs)), by_kernel

        return tf.nn.conv2d(inputs, kernel, stride, "SAME"), gradients

    return convolution(inputs, kernel)


def convolve_valid(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Equals ``tf.nn.conv2d(inputs, kernel, 1, "VALID")``.

    Args:
        inputs: ``[batch, height, width, in]``.
        kernel: ``[rows, columns, in, out]``.

    Returns:
        ``[batch, height - rows + 1, width - columns + 1, out]``.
    """
    if not (_uses_one_product(kernel) or _uses_matrices(kernel)):
        return tf.nn.conv2d(inputs, kernel, 1, "VALID")

    @tf.custom_gradient
    def convolution(inputs, kernel):
        def gradients(upstream):
            rows, columns, channels, outputs = kernel.shape
            size = [*tf.unstack(tf.shape(upstream))[:3], channels]
            taps = [
                tf.slice(inputs, [0, row, column, 0], size)
                for row in range(rows)
                for column in range(columns)
            ]
            seen = tf.reshape(tf.concat(taps, -1), [-1, rows * columns * channels])
            # One product, whose inner dimension is the positions.
            by_kernel = tf.matmul(seen, tf.reshape(upstream, [-1, outputs]), transpose_a=True)
            by_inputs = tf.nn.conv2d_transpose(upstream, kernel, tf.shape(inputs), 1, "VALID")
            return by_inputs, tf.reshape(by_kernel, kernel.shape)

        return tf.nn.conv2d(inputs, kernel, 1, "VALID"), gradients

    return convolution(inputs, kernel)


def convolve_transposed(inputs: tf.Tensor, kernel: tf.Tensor, stride: Stride) -> tf.Tensor:
    """The transpose of ``convolve``: each input pixel adds the kernel to the output.

    Args:
        inputs: ``[batch, height, width, in]``.
        kernel: ``[rows, columns, out, in]``.
        stride: along height and width, one for both or one for each.

    Returns:
        ``[batch, height * stride, width * stride, out]``.
    """
    kernel = tf.convert_to_tensor(kernel)
    down, across = _pair(stride)
    batch, height, width, _ = tf.unstack(tf.shape(inputs))
    shape = [batch, height * down, width * across, kernel.shape[2]]
    if down != across or not _uses_matrices(kernel):
        return _transposed(inputs, kernel, (down, across), shape)
    stride = down

    @tf.custom_gradient
    def convolution(inputs, kernel):
        def gradients(upstream):
            by_kernel = _by_kernel(upstream, inputs, kernel.shape, stride)
            with tf.control_dependencies([by_kernel]):
                return tf.nn.conv2d(upstream, kernel, stride, "SAME"), by_kernel

        return _transposed(inputs, kernel, stride, shape), gradients

    return convolution(inputs, kernel)


def _pair(stride: Stride) -> Tuple[int, int]:
    return (stride, stride) if isinstance(stride, int) else stride


def _transposed(inputs, kernel, stride, shape):
    return tf.nn.conv2d_transpose(inputs, kernel, shape, stride, "SAME")


def disable_fused_bias() -> None:
    """Lets CPUs without AVX512 compute in bfloat16, for all graphs of this process.

    TensorFlow's remapping pass would fuse convolution and bias into an operation that exists in
    oneDNN alone, which implements it in bfloat16 for AVX512 only.
    """
    if "avx512f" not in instruction_sets():
        tf.config.optimizer.set_experimental_options({"remapping": False})


def _uses_matrices(kernel) -> bool:
    # GPUs have fast kernels, and with AVX512, so has oneDNN.
    return (
        kernel.dtype == tf.float32
        and min(kernel.shape[2:]) >= FEWEST_CHANNELS
        and "avx512f" not in instruction_sets()
        and not tf.config.list_logical_devices("GPU")
    )


def _uses_one_product(kernel) -> bool:
    return (
        kernel.dtype == tf.bfloat16
        and min(kernel.shape[2:]) >= MANY_CHANNELS
        and not tf.config.list_logical_devices("GPU")
    )


def _by_kernel(images, features, size, stride):
    _, rows, columns, _ = features.shape
    more_rows, more_columns = (size[0] - 1) // stride, (size[1] - 1) // stride
    # Shapes are static where it matters: when training on patches.
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
    """The gradient of ``sum(convolve(images, kernel, stride) * features)`` by the kernel.

    One matrix product for each ``stride`` columns of each kernel row; its inner dimension is the
    positions. The pixels are sorted once by their phase relative to the stride, and transposed.
    The features that a tap sees are then a slice, which needs no copy.

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
    # The last taps of the kernel reach beyond the grid of features.
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
            # Taps from `column` on read one position each from the phases of a pixel row.
            phase = (row % stride) * stride * inputs
            many = min(stride, kernel_columns - column) * inputs
            shift = lead - (row // stride * grid_columns + column // stride)
            taps.append(
                tf.matmul(pixels[phase : phase + many], features[shift : shift + positions])
            )
    return tf.reshape(tf.concat(taps, 0), size)


def _margin(pixels, features, taps, stride, grid):
    # TensorFlow's 'same' pads the odd pixel at the end.
    before = tf.maximum((features - 1) * stride + taps - pixels, 0) // 2
    return [before, grid * stride - before - pixels]
