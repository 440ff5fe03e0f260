"""The density from two passes against TensorFlow Compression's, which takes four."""

import numpy as np
import pytest
import tensorflow as tf

from entropy.deep_factorized import DeepFactorized
from processor.stack import set_random_seed


def trained_density(channels):
    density = DeepFactorized(channels, (3, 3), 10.0)
    noise = np.random.default_rng(0)
    for variable in density.trainable_variables:
        variable.assign_add(noise.normal(0, 0.3, variable.shape))
    return density


def published(channels, num_filters=(3, 3)):
    tfc = pytest.importorskip("tensorflow_compression")
    return tfc.NoisyDeepFactorized(batch_shape=(channels,), num_filters=num_filters, init_scale=10)


def published_sum(density, values):
    return tf.reduce_sum(density.log_prob(values), axis=(1, 2, 3))


def log_likelihoods_and_gradients(function, density, values):
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = function(density, values)
    return [result, *tape.gradient(result, [values, *density.trainable_variables])]


def test_equals_tfc():
    density, other = trained_density(5), published(5)
    for variable, value in zip(other.trainable_variables, density.trainable_variables):
        variable.assign(value)
    # One example a scale: near the median, over the tails, far out.
    scale = np.array([0.3, 4.0, 60.0]).reshape(3, 1, 1, 1)
    values = tf.constant(np.random.default_rng(1).normal(size=(3, 6, 7, 5)) * scale, tf.float32)
    expected = log_likelihoods_and_gradients(published_sum, other, values)
    results = log_likelihoods_and_gradients(DeepFactorized.sum_log_probabilities, density, values)
    for result, wanted in zip(results, expected):
        tolerance = 1e-4 * np.sqrt(np.mean(np.square(wanted)))
        np.testing.assert_allclose(result, wanted, rtol=1e-3, atol=tolerance)
    far = tf.fill([1, 2, 2, 5], 1e4)
    np.testing.assert_allclose(
        density.sum_log_probabilities(far), published_sum(other, far), rtol=1e-3
    )
    for mass in (2**-8, 1e-20):
        logits = other.base._logits_cumulative(density.tails(mass))
        tail = np.log(mass / 2)
        np.testing.assert_allclose(logits, np.tile([[tail], [0], [-tail]], 5), rtol=1e-3, atol=1e-3)


def test_tails_of_wide_latents():
    """Steps of 0.1, as TensorFlow Compression takes them, would never come to the third."""
    density, mass = DeepFactorized(3, (3, 3), 10.0), 2**-8
    density.widen(np.array([2.0, 1e5, 1e6]))
    lower, _, upper = density.tails(mass)
    far = tf.constant(1e8, shape=[3, 1])
    for ends in ((-far, lower[:, None]), (upper[:, None], far)):
        np.testing.assert_allclose(np.exp(density.log_masses(*ends)), mass / 2, rtol=1e-3)
    for variable in density.trainable_variables:
        variable.assign(tf.fill(variable.shape, np.nan))
    np.testing.assert_array_equal(density.tails(mass), 0)


@pytest.mark.parametrize("num_filters", [(3, 3), (2,), ()])
def test_begins_as_tfc(num_filters, tmp_path):
    """Same values, and a checkpoint of one restores the other."""
    set_random_seed(3)
    other = published(4, num_filters)
    set_random_seed(3)
    density = DeepFactorized(4, num_filters, 10.0)
    for variable, wanted in zip(density.variables, other.variables):
        np.testing.assert_array_equal(variable, wanted)
        wanted.assign_add(tf.ones_like(wanted))
    prefix = tf.train.Checkpoint(density=other).write(str(tmp_path / "weights"))
    tf.train.Checkpoint(density=density).read(prefix).assert_consumed()
    for variable, wanted in zip(density.variables, other.variables):
        np.testing.assert_array_equal(variable, wanted)


def test_finite_far_out():
    density = trained_density(5)
    for far in (1e4, -1e4, 1e8):
        values = tf.fill([1, 2, 2, 5], far)
        results = log_likelihoods_and_gradients(
            DeepFactorized.sum_log_probabilities, density, values
        )
        assert all(np.isfinite(result).all() for result in results)
        assert results[0] < -100
        # The further out, the less likely: the gradient leads back.
        assert (np.sign(results[1]) == -np.sign(far)).all()


def test_probabilities_of_the_integers_add_up_to_one():
    density = trained_density(1)
    integers = tf.reshape(tf.range(-3000.0, 3001.0), [-1, 1, 1, 1])
    total = tf.reduce_sum(tf.exp(density.sum_log_probabilities(integers)))
    np.testing.assert_allclose(total, 1, atol=1e-4)
