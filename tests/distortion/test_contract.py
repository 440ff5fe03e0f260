"""What every distortion must do: runs over each YAML of configs/distortion, found by its name."""

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_part

BATCH = 3


@pytest.fixture
def measure(distortion_name, compose):
    # Only data of audio has the sample rate that some measures need.
    return build_part(compose("data=tones", f"distortion={distortion_name}").distortion)


def signals(measure, seed, size=None):
    """Noise of the measure's medium, by default as small as it may be."""
    size = size or measure.minimum_size
    draw = np.random.default_rng(seed).uniform
    if measure.medium == "image":
        return tf.constant(draw(0, 255, [BATCH, size, size, 3]), tf.float32)
    return tf.constant(draw(-0.5, 0.5, [BATCH, 1, size, 1]), tf.float32)


def value_and_gradient(measure, originals, reconstructions):
    with tf.GradientTape() as tape:
        tape.watch(reconstructions)
        value = measure(originals, reconstructions)
    return value.numpy(), tape.gradient(value, reconstructions).numpy()


def of_unknown_size(measure, channels):
    unknown = tf.TensorSpec([None, None, None, channels])
    return tf.function(measure.__call__, input_signature=[unknown] * 2, autograph=False)


def test_says_its_medium_and_size(measure):
    assert measure.medium in ("image", "audio") and measure.minimum_size >= 1


def test_is_zero_at_identity_and_above_otherwise_for_each_example(measure):
    x = signals(measure, 0)
    same, _ = value_and_gradient(measure, x, tf.identity(x))
    assert same.shape == (BATCH,) and same.dtype == np.float32
    np.testing.assert_allclose(same, 0, atol=1e-5)
    # The first example stays as it is: neither of the others may matter to it.
    y = tf.concat([x[:1], signals(measure, 1)[1:]], 0)
    other, _ = value_and_gradient(measure, x, y)
    assert other.shape == (BATCH,) and other.dtype == np.float32
    np.testing.assert_allclose(other[0], 0, atol=1e-5)
    assert (other[1:] > 0.01).all()


def test_gradient_is_finite_everywhere_and_leads_to_the_original(measure):
    x, y = signals(measure, 0), signals(measure, 1)
    for reconstructions in (x, y, tf.zeros_like(x), -x, 100 * y):
        _, gradient = value_and_gradient(measure, x, tf.identity(reconstructions))
        assert gradient.shape == x.shape and np.isfinite(gradient).all()
    for share in (0.9, 0.5):
        near = x + share * (y - x)
        value, gradient = value_and_gradient(measure, x, near)
        step = 1e-3 * tf.norm(x - near) / tf.norm(gradient)
        assert (measure(x, near - step * gradient) < value).numpy().all()


def test_graph_of_unknown_size_equals_eager(measure):
    x, y = signals(measure, 0), signals(measure, 1)
    graph = of_unknown_size(measure, x.shape[-1])
    np.testing.assert_allclose(graph(x, y), measure(x, y), rtol=1e-4)


def test_refuses_what_is_smaller_than_its_minimum_size(measure):
    size = measure.minimum_size - 1
    if size == 0:
        pytest.skip("it compares signals of any size")
    x = signals(measure, 0, size)
    with pytest.raises(ValueError, match=f"at least {measure.minimum_size}.*got {size}"):
        measure(x, x)
    if measure.medium == "audio":  # The mean over no window would be NaN.
        with pytest.raises(tf.errors.InvalidArgumentError, match="needs signals of at least"):
            of_unknown_size(measure, 1)(x, x)
