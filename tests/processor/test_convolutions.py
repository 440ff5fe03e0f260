import numpy as np
import pytest
import tensorflow as tf

from processor import convolutions
from processor.convolutions import (
    FEWEST_CHANNELS,
    MANY_CHANNELS,
    convolve,
    convolve_transposed,
    convolve_valid,
    kernel_gradient,
)

WIDE = FEWEST_CHANNELS + 8


@pytest.fixture(autouse=True)
def older_processor(monkeypatch):
    monkeypatch.setattr(convolutions, "instruction_sets", lambda: frozenset({"avx2"}))


def normal(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).standard_normal(shape), tf.float32)


def plain(inputs, kernel, stride):
    return tf.nn.conv2d(inputs, kernel, stride, "SAME")


def plain_transposed(inputs, kernel, stride):
    batch, height, width, _ = inputs.shape
    shape = [batch, height * stride, width * stride, kernel.shape[2]]
    return tf.nn.conv2d_transpose(inputs, kernel, shape, stride, "SAME")


def results(function, inputs, kernel, stride, upstream):
    @tf.function
    def compute(inputs, kernel):
        with tf.GradientTape() as tape:
            tape.watch([inputs, kernel])
            outputs = function(inputs, kernel, stride)
        return [outputs, *tape.gradient(outputs, [inputs, kernel], upstream)]

    return compute(inputs, kernel)


@pytest.mark.parametrize("size, stride", [(5, 2), (9, 4), (5, 1), (3, 1), (2, 2), (3, 4)])
@pytest.mark.parametrize("pixels", [(32, 48), (33, 47), (13, 7), (1, 9)])
def test_convolution_and_its_gradients_are_tensorflows(size, stride, pixels):
    inputs = normal(2, *pixels, WIDE)
    kernel = normal(size, size, WIDE, FEWEST_CHANNELS, seed=1)
    expected = plain(inputs, kernel, stride)
    upstream = normal(*expected.shape, seed=2)
    for ours, theirs in zip(
        results(convolve, inputs, kernel, stride, upstream),
        results(plain, inputs, kernel, stride, upstream),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_valid_convolution_and_its_gradients_are_tensorflows(size):
    inputs, kernel = normal(2, 13, 7, WIDE), normal(size, size, WIDE, FEWEST_CHANNELS, seed=1)
    upstream = normal(2, 14 - size, 8 - size, FEWEST_CHANNELS, seed=2)
    for ours, theirs in zip(
        results(lambda x, k, _: convolve_valid(x, k), inputs, kernel, 1, upstream),
        results(lambda x, k, _: tf.nn.conv2d(x, k, 1, "VALID"), inputs, kernel, 1, upstream),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_wide_convolutions_in_bfloat16_and_their_gradients_are_those_of_float32(size):
    """Of sums of thousands of products, each rounded to 8 bits, 2 % of the largest is left."""
    inputs, kernel = (
        normal(2, 9, 8, MANY_CHANNELS),
        normal(size, size, *2 * [MANY_CHANNELS], seed=1),
    )
    upstream = normal(2, 9, 8, MANY_CHANNELS, seed=2)
    small = [tf.cast(values, tf.bfloat16) for values in (inputs, kernel, upstream)]
    for ours, theirs in zip(
        results(convolve, *small[:2], 1, small[2]), results(plain, inputs, kernel, 1, upstream)
    ):
        assert ours.dtype == tf.bfloat16
        limit = 0.02 * np.abs(theirs).max()
        np.testing.assert_allclose(tf.cast(ours, tf.float32), theirs, atol=limit)


@pytest.mark.parametrize("size, stride", [(5, 2), (9, 4), (5, 1), (2, 2)])
def test_transposed_convolution_and_its_gradients_are_tensorflows(size, stride):
    inputs = normal(2, 16, 17, WIDE)
    kernel = normal(size, size, FEWEST_CHANNELS, WIDE, seed=1)
    upstream = normal(2, 16 * stride, 17 * stride, FEWEST_CHANNELS, seed=2)
    for ours, theirs in zip(
        results(convolve_transposed, inputs, kernel, stride, upstream),
        results(plain_transposed, inputs, kernel, stride, upstream),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def test_kernel_gradient_of_a_rectangular_kernel():
    images, features = normal(2, 8, 12, 5), normal(2, 4, 6, 7, seed=1)
    size = tf.TensorShape([1, 3, 5, 7])
    expected = tf.raw_ops.Conv2DBackpropFilter(
        input=images, filter_sizes=size, out_backprop=features, strides=[1, 2, 2, 1], padding="SAME"
    )
    result = kernel_gradient(images, features, size, 2)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "shape, dtype, by_matrices",
    [
        ([1, 64, 64, FEWEST_CHANNELS], tf.float32, True),
        ([1, 64, 64, FEWEST_CHANNELS], tf.bfloat16, False),
        ([1, 64, 64, 3], tf.float32, False),
        ([1, 16, 16, FEWEST_CHANNELS], tf.float32, False),
        ([1, None, None, FEWEST_CHANNELS], tf.float32, False),
    ],
    ids=["large and wide", "bfloat16", "narrow", "small", "unknown"],
)
def test_only_large_and_wide_float32_convolutions_take_the_products(shape, dtype, by_matrices):
    assert ("Conv2DBackpropFilter" in operations_of_gradient(shape, dtype)) != by_matrices


def test_with_avx512_the_gradient_is_onednns(monkeypatch):
    monkeypatch.setattr(convolutions, "instruction_sets", lambda: frozenset({"avx512f"}))
    kinds = operations_of_gradient([1, 64, 64, FEWEST_CHANNELS], tf.float32)
    assert "Conv2DBackpropFilter" in kinds


def operations_of_gradient(shape, dtype):
    @tf.function(input_signature=[tf.TensorSpec(shape, dtype)])
    def gradient(inputs):
        kernel = tf.ones([5, 5, shape[-1], FEWEST_CHANNELS], dtype)
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            outputs = convolve(inputs, kernel, 2)
        return tape.gradient(outputs, kernel)

    operations = gradient.get_concrete_function().graph.get_operations()
    return {operation.type for operation in operations}
