"""Distortions against closed forms, TensorFlow's own MS-SSIM, and the gradients that break it."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import tensorflow as tf

from distortion import MeanSquaredError, MultiScaleSsim


def noise(seed, *shape):
    return tf.constant(np.random.default_rng(seed).uniform(0, 255, shape), tf.float32)


def photo(height=176, width=176):
    return tf.constant(skimage.data.astronaut()[np.newaxis, :height, :width], tf.float32)


def value_and_gradient(originals, reconstructions):
    with tf.GradientTape() as tape:
        tape.watch(reconstructions)
        value = MultiScaleSsim()(originals, reconstructions)
    return value.numpy(), tape.gradient(value, reconstructions).numpy()


def test_mse_is_per_image_and_on_the_0_255_scale():
    originals = tf.zeros([3, 4, 5, 3])
    reconstructions = originals + tf.reshape([0.0, 2.0, 255.0], [3, 1, 1, 1])
    distortion = MeanSquaredError()(originals, reconstructions)
    assert distortion.dtype == tf.float32
    np.testing.assert_array_equal(distortion, [0.0, 4.0, 65025.0])


def test_mse_is_the_mean_over_channels_too():
    reconstructions = np.zeros([1, 2, 2, 3], np.float32)
    reconstructions[0, 1, 0, 2] = 12.0
    distortion = MeanSquaredError()(tf.zeros([1, 2, 2, 3]), tf.constant(reconstructions))
    np.testing.assert_allclose(distortion, [144.0 / 12])


@pytest.mark.parametrize("size", [(161, 161), (176, 200), (173, 187)])
@pytest.mark.parametrize("spread", [1.0, 10.0, 60.0])
def test_ms_ssim_has_the_values_of_tensorflow(size, spread):
    originals = tf.concat([photo(*size), photo(*size)[:, ::-1]], axis=0)
    errors = tf.random.stateless_normal(originals.shape, seed=(1, 2)) * spread
    reconstructions = originals + errors
    expected = 1.0 - tf.image.ssim_multiscale(originals, reconstructions, max_val=255.0)
    distortion = MultiScaleSsim()(originals, reconstructions)
    assert distortion.shape == (2,)
    np.testing.assert_allclose(distortion, expected, atol=1e-5)


def test_ms_ssim_minimum_size_is_the_true_limit():
    limit = MultiScaleSsim.minimum_size
    large = noise(0, 1, limit, limit, 3)
    small = noise(0, 1, limit - 1, limit, 3)
    np.testing.assert_allclose(tf.image.ssim_multiscale(large, large, 255.0), [1.0])
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.image.ssim_multiscale(small, small, 255.0)
    assert np.isfinite(MultiScaleSsim()(large, large)).all()
    with pytest.raises(ValueError, match="at least 161x161 pixels, got 160x161"):
        MultiScaleSsim()(small, small)


@pytest.mark.parametrize("seed", range(4))
def test_gradient_is_finite_between_independent_noise(seed):
    _, gradient = value_and_gradient(noise(seed, 2, 176, 176, 3), noise(seed + 100, 2, 176, 176, 3))
    assert np.isfinite(gradient).all()


def test_gradient_is_finite_and_nearly_zero_for_equal_images():
    value, gradient = value_and_gradient(photo(), photo())
    np.testing.assert_allclose(value, 0.0, atol=1e-6)
    np.testing.assert_allclose(gradient, 0.0, atol=1e-6)


@pytest.mark.parametrize(
    "reconstruction",
    [lambda x: 255.0 - x, lambda x: 0.0 * x, lambda x: -x],
    ids=["inverted", "black", "negated"],
)
def test_the_worst_reconstructions_have_a_finite_gradient_that_points_to_the_original(
    reconstruction,
):
    x = photo()
    value, gradient = value_and_gradient(x, reconstruction(x))
    assert 0.0 <= value[0] <= 1.0
    assert np.isfinite(gradient).all()
    assert np.vdot(gradient, x - reconstruction(x)) < 0


def test_gradient_is_finite_for_a_flat_image_below_zero():
    _, gradient = value_and_gradient(photo(), 0.0 * photo() - 20.0)
    assert np.isfinite(gradient).all()
