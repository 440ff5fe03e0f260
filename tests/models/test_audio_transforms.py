"""Audio transforms: shapes, exact tiles, causality, and layers against plain convolutions."""

import numpy as np
import pytest
import tensorflow as tf

from models.audio import AudioTransforms
from models.audio_layers import Convolution1D, Fold, Snake, Unfold
from models.tiling import WHOLE, apply_in_tiles
from processor.stack import set_random_seed

STRIDES = (2, 4, 5)
STRIDE = 40


def make(**settings):
    set_random_seed(1)
    sizes = {"sample_rate": 8000, "num_filters": 6, "latent_channels": 5, "strides": STRIDES}
    return AudioTransforms(**{**sizes, **settings})


def noise(rows, samples, seed=0):
    shape = [1, rows, samples, 1]
    return tf.constant(np.random.default_rng(seed).normal(0, 0.07, shape), tf.float32)


def largest_difference(result, expected):
    return np.abs(result - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("activation", ["elu", "gdn", "snake"])
def test_shapes_and_types(activation, precision):
    transforms = make(activation=activation, precision=precision)
    latents = transforms.analysis(noise(2, 6 * STRIDE))
    assert transforms.strides == (1, STRIDE) and latents.shape == (1, 2, 6, 5)
    sound = transforms.synthesis(latents)
    assert sound.shape == (1, 2, 6 * STRIDE, 1)
    assert latents.dtype == sound.dtype == tf.float32
    assert {variable.dtype for variable in transforms.variables} == {tf.float32}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("activation", ["elu", "gdn", "snake"])
def test_tiles_equal_the_whole_and_less_context_would_not_do(causal, activation):
    transforms = make(causal=causal, activation=activation)
    sound = noise(2, 90 * STRIDE)
    latents = transforms.analysis(sound)
    for direction, inputs, whole in [
        ("analysis", sound, latents),
        ("synthesis", tf.round(5 * latents), transforms.synthesis(tf.round(5 * latents))),
    ]:
        tiled = apply_in_tiles(transforms, direction, inputs, whole=0, tile=25)
        assert largest_difference(tiled, whole) < 1e-5
        transforms.contexts = (0, transforms.contexts[1] - 1)
        tiled = apply_in_tiles(transforms, direction, inputs, whole=0, tile=25)
        assert largest_difference(tiled, whole) > 1e-5
        transforms.contexts = (0, transforms.contexts[1] + 1)


def test_long_sound_goes_in_tiles_of_the_transforms_own():
    transforms = make(strides=[4], dilations=[], num_filters=2, latent_channels=2)
    sound = noise(1, (WHOLE + 100) * 4)
    tiled = apply_in_tiles(transforms, "analysis", sound)
    assert largest_difference(tiled, transforms.analysis(sound)) < 1e-5


def test_rows_do_not_see_each_other():
    transforms = make()
    both = transforms.synthesis(transforms.analysis(noise(2, 400)))
    for row in range(2):
        alone = transforms.synthesis(transforms.analysis(noise(2, 400)[:, row : row + 1]))
        np.testing.assert_allclose(both[:, row : row + 1], alone, atol=1e-6)


@pytest.mark.parametrize("causal", [True, False])
def test_causal_output_depends_on_no_input_behind_its_latent(causal):
    transforms = make(causal=causal)
    place = 7 * STRIDE  # The first sample of latent 7.
    sound = noise(1, 12 * STRIDE)
    later = tf.concat([sound[:, :, :place], noise(1, 5 * STRIDE, seed=1)], axis=2)
    one, other = (transforms.synthesis(transforms.analysis(s)).numpy() for s in (sound, later))
    change = np.abs(one - other)[0, 0, :, 0]
    assert (change[:place].max() < 1e-7) == causal
    assert change[place:].max() > 1e-4


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("taps", "dilation"), [(3, 1), (3, 3), (5, 2), (1, 1), (3, 9)])
@pytest.mark.parametrize("length", [1, 4, 30])
def test_convolution_equals_its_sum(taps, dilation, causal, length):
    layer = Convolution1D(4, taps, dilation=dilation, causal=causal)
    inputs = np.random.default_rng(0).normal(size=[2, 3, length, 5]).astype(np.float32)
    result = layer(inputs)
    back, _ = layer.reach
    expected = np.zeros(result.shape)
    for sample in range(length):
        for tap in range(taps):
            source = sample - back + tap * dilation
            if 0 <= source < length:
                expected[:, :, sample] += inputs[:, :, source] @ layer.kernel.numpy()[0, tap]
    np.testing.assert_allclose(result, expected, atol=1e-5)
    assert layer.reach[0] + layer.reach[1] == (taps - 1) * dilation
    assert layer.reach[1] == (0 if causal else layer.reach[0])


def test_dilated_convolution_has_gradients_in_a_graph():
    layer = Convolution1D(4, 3, dilation=3)
    inputs = tf.random.stateless_normal([2, 1, 20, 4], [0, 1])
    layer(inputs)

    @tf.function(autograph=False)
    def gradient():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(inputs) ** 2)
        return tape.gradient(loss, layer.trainable_variables)

    assert all(np.abs(g).max() > 0 for g in gradient())


def test_unfold_undoes_fold():
    inputs = noise(3, 24)
    folded = Fold(4)(inputs)
    np.testing.assert_array_equal(folded[0, 1, 2], inputs[0, 1, 8:12, 0])
    np.testing.assert_array_equal(Unfold(4)(folded), inputs)


def test_snake_is_its_formula():
    layer = Snake()
    layer(tf.zeros([1, 1, 1, 2]))
    layer.log_frequency.assign(np.log([0.5, 3.0]))
    x = np.float32([1.2, -0.7])
    np.testing.assert_allclose(
        layer(x.reshape(1, 1, 1, 2))[0, 0, 0], x + np.sin([0.6, -2.1]) ** 2 / [0.5, 3], rtol=1e-5
    )


def test_says_stride_rate_and_parameters():
    transforms = make()
    parameters = sum(np.prod(v.shape) for v in transforms.trainable_variables)
    assert transforms.describe() == (
        f"model: 8000 Hz, total stride 40 samples, 200 x 5 latents/s, {parameters:,} parameters "
        "in both transforms"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sample_rate": None}, "sample_rate=None must be a number of Hz: .* data=tones"),
        ({"sample_rate": 0}, "sample_rate=0 must be 1 to"),
        ({"num_filters": 0}, "num_filters=0 must be at least 1"),
        ({"strides": []}, r"strides=\[\] must have at least one"),
        ({"strides": [4, 0]}, r"strides\[1\]=0 must be at least 1"),
        ({"dilations": [-1]}, r"dilations\[0\]=-1 must be at least 1"),
        ({"kernel_size": 4}, "kernel_size=4 must be an odd number"),
        ({"activation": "relu"}, "activation='relu' must be one of elu, gdn, snake"),
        ({"precision": "half"}, "precision='half' must be one of"),
    ],
)
def test_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)
