import numpy as np
import pytest
import tensorflow as tf

from models.bls2017 import Bls2017Transforms
from models.factorized import FactorizedTransforms
from models.layers import (
    GDN,
    Convolution,
    SubpixelTransposedConvolution,
    TransposedConvolution,
    subpixel_kernel,
)
from models.transforms import stride_and_context
from processor.stack import set_random_seed

BOTH = pytest.mark.parametrize(
    "make, convolutions",
    [
        (Bls2017Transforms, [(9, 4), (5, 2), (5, 2)]),
        (FactorizedTransforms, [(5, 2), (5, 2), (5, 2), (5, 2)]),
    ],
    ids=["bls2017", "factorized"],
)


@pytest.fixture(autouse=True)
def fixed_seed():
    set_random_seed(1)


def uniform(*shape, low=0, high=255):
    return tf.constant(np.random.default_rng(0).uniform(low, high, shape), tf.float32)


def values_and_gradients(function, inputs, variables, upstream):
    """Of a function of one tensor: its result, and the gradients of ``sum(result * upstream)``."""

    @tf.function(autograph=False)  # As in training: some gradients are other kernels in a graph.
    def compute():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = function(inputs)
            loss = tf.reduce_sum(outputs * tf.cast(upstream, outputs.dtype))
        return [outputs, *tape.gradient(loss, [inputs, *variables])]

    return compute()


def differences(results, expected):
    """Relative to the root mean square of what is expected, the largest in each tensor."""
    pairs = [(np.float32(r), np.float32(e)) for r, e in zip(results, expected)]
    return [np.abs(r - e).max() / np.sqrt(np.mean(e**2)) for r, e in pairs]


def plain(layers, tensor, convolve):
    """The layers in the papers' words: convolutions, and GDN as a sum over channels."""
    for layer in layers:
        if isinstance(layer, GDN):
            norm = tf.einsum("bhwi,ij->bhwj", tf.abs(tensor), layer.gamma) + layer.beta
            tensor = tensor * norm if layer.inverse else tensor / norm
        else:
            tensor = convolve(tensor, layer.kernel, layer.strides[0])
            tensor += layer.bias if layer.use_bias else 0.0
    return tensor


def convolve(tensor, kernel, stride):
    return tf.nn.conv2d(tensor, kernel, stride, "SAME")


def convolve_transposed(tensor, kernel, stride):
    batch, height, width, _ = tensor.shape
    shape = [batch, height * stride, width * stride, kernel.shape[2]]
    return tf.nn.conv2d_transpose(tensor, kernel, shape, stride, "SAME")


def randomized(transforms):
    """With biases that are not zero and GDN that is not at its start."""
    noise = np.random.default_rng(1)
    for variable in transforms.trainable_variables:
        if variable.shape.rank < 4:
            variable.assign_add(noise.uniform(0, 0.1, variable.shape))
    return transforms


@BOTH
def test_equals_plain_convolutions(make, convolutions):
    transforms = randomized(make(num_filters=10))
    images = uniform(2, 64, 96, 3)
    latents = uniform(2, 4, 6, transforms.latent_channels, low=-9, high=9)

    def analysis(images):
        return plain(transforms._analysis.layers, images / 255 - 0.5, convolve)

    def synthesis(latents):
        layers = transforms._synthesis.layers
        return (plain(layers, latents, convolve_transposed) + 0.5) * 255

    for ours, oracle, layers, inputs, outputs in [
        (transforms.analysis, analysis, transforms._analysis, images, latents),
        (transforms.synthesis, synthesis, transforms._synthesis, latents, images),
    ]:
        upstream = uniform(*outputs.shape, low=-1, high=2)
        results = values_and_gradients(ours, inputs, layers.trainable_variables, upstream)
        expected = values_and_gradients(oracle, inputs, layers.trainable_variables, upstream)
        assert max(differences(results, expected)) < 1e-3


@BOTH
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_shapes_types_and_scale(make, convolutions, precision):
    transforms = make(num_filters=8, precision=precision)
    strides = [stride for _, stride in convolutions]
    assert transforms.stride == np.prod(strides) == 16

    latents = transforms.analysis(uniform(2, 48, 80, 3))
    assert latents.shape == (2, 3, 5, transforms.latent_channels)
    images = transforms.synthesis(latents)
    assert images.shape == (2, 48, 80, 3)
    assert latents.dtype == images.dtype == tf.float32
    # Before training: middle gray, more or less.
    assert 100 < tf.reduce_mean(images) < 155
    assert {v.dtype for v in transforms.variables} == {tf.float32}

    kernels = [layer for layer in transforms._analysis.layers if hasattr(layer, "kernel")]
    assert [(k.kernel_size[0], k.strides[0]) for k in kernels] == convolutions


@BOTH
def test_bfloat16_gradients_point_where_float32_ones_do(make, convolutions):
    images = uniform(2, 128, 128, 3)
    results = {}
    for precision in ("float32", "bfloat16"):
        set_random_seed(1)
        transforms = randomized(make(num_filters=8, precision=precision))

        def there_and_back(images, transforms=transforms):
            return transforms.synthesis(transforms.analysis(images))

        results[precision] = values_and_gradients(
            there_and_back, images, transforms.trainable_variables, images / 255 + 0.5
        )
    names = [v.name for v in transforms.trainable_variables]
    for name, exact, result in zip(names, results["float32"][2:], results["bfloat16"][2:]):
        error = np.linalg.norm(result - exact) / np.linalg.norm(exact)
        # Below 0.03 with two threads; one thread sums more of a gradient in bfloat16: 0.055.
        assert error < 0.1, (name, error)


def test_bfloat16_tells_all_gray_levels_apart():
    levels = tf.cast(tf.range(256), tf.float32) / 255 - 0.5
    assert len(set(np.float32(tf.cast(levels, tf.bfloat16)))) == 256


@pytest.mark.parametrize("inverse", [False, True])
def test_gdn_equals_tfc(inverse):
    tfc = pytest.importorskip("tensorflow_compression")
    ours, theirs = GDN(inverse=inverse), tfc.GDN(inverse=inverse)
    inputs = uniform(2, 9, 7, 12, low=-3, high=3)
    upstream = uniform(2, 9, 7, 12, low=-1, high=1)
    for layer in (ours, theirs):
        layer.build(inputs.shape)
    for mine, other in zip(ours.variables, theirs.variables):
        np.testing.assert_array_equal(mine, other)
        # Some below the bound, where TFC lets only upward steps through.
        other.assign(np.random.default_rng(2).uniform(-0.1, 0.9, other.shape))
        mine.assign(other)
    np.testing.assert_array_equal(ours.beta, theirs.beta)
    np.testing.assert_array_equal(ours.gamma, theirs.gamma)

    # Theirs decides by tensors, which takes AutoGraph or a graph of its own.
    graph = tf.function(theirs)
    expected = values_and_gradients(graph, inputs, theirs.variables, upstream)
    results = values_and_gradients(ours, inputs, ours.variables, upstream)
    assert max(differences(results, expected)) < 1e-4


@pytest.mark.parametrize("size, stride", [(9, 4), (5, 2), (4, 2), (7, 3), (3, 1), (2, 2), (11, 2)])
def test_subpixel_form_equals_transposed_convolution(size, stride):
    kernel = uniform(size, size, 3, 6, low=-1, high=1)
    inputs = uniform(2, 5, 8, 6, low=-1, high=1)
    dense, padding = subpixel_kernel(kernel, stride)
    result = tf.nn.conv2d(inputs, dense, 1, padding)
    result = tf.nn.depth_to_space(result, stride) if stride > 1 else result
    np.testing.assert_allclose(result, convolve_transposed(inputs, kernel, stride), atol=1e-4)


@pytest.mark.parametrize(
    "make", [Convolution, TransposedConvolution, SubpixelTransposedConvolution]
)
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_bias_gradient_is_summed_exactly(make, policy):
    layer = make(3, 5, 2, "same", dtype=policy)
    inputs = uniform(4, 64, 64, 4, low=-1, high=1)
    layer.build(inputs.shape)
    upstream = uniform(*layer(inputs).shape, low=0, high=1)
    with tf.GradientTape() as tape:  # Not in a graph: oneDNN fuses nothing here.
        loss = tf.reduce_sum(layer(inputs) * tf.cast(upstream, layer.compute_dtype))
    to_bias = tape.gradient(loss, layer.bias)
    np.testing.assert_allclose(to_bias, tf.reduce_sum(upstream, [0, 1, 2]), rtol=0.01)


def test_context_of_one_and_of_more_layers():
    assert stride_and_context([(3, 1)]) == (1, 1)
    assert stride_and_context([(2, 2)]) == (2, 0)
    # 5x5/2 pads 1 in front and 2 behind: 2 pixels are one latent; twice: 2 + 2 * 2 = 6 are two.
    assert stride_and_context([(5, 2)]) == (2, 1)
    assert stride_and_context([(5, 2), (5, 2)]) == (4, 2)


@pytest.mark.parametrize(
    "make, arguments, message",
    [
        (Bls2017Transforms, {"num_filters": 0}, "num_filters=0 must be at least 1"),
        (FactorizedTransforms, {"num_filters": -1}, "num_filters=-1 must be at least 1"),
        (FactorizedTransforms, {"latent_channels": 0}, "latent_channels=0 must be at least 1"),
        (Bls2017Transforms, {"precision": "half"}, "precision='half' must be one of float32, bf"),
        (FactorizedTransforms, {"precision": "auto"}, "precision='auto' must be one of float32"),
    ],
)
def test_refuses(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)
