"""The density from two passes against TensorFlow Compression's, which takes four."""

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from entropy.deep_factorized import sum_log_probabilities


def trained_density(channels):
    density = tfc.NoisyDeepFactorized(batch_shape=(channels,))
    noise = np.random.default_rng(0)
    for variable in density.trainable_variables:
        variable.assign_add(noise.normal(0, 0.3, variable.shape))
    return density


def log_likelihoods_and_gradients(function, density, values):
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = function(density, values)
    return [result, *tape.gradient(result, [values, *density.trainable_variables])]


def tfc_sum(density, values):
    return tf.reduce_sum(density.log_prob(values), axis=(1, 2, 3))


def test_equals_tfc():
    density = trained_density(5)
    # One example a scale: near the median, over the tails, far out.
    scale = np.array([0.3, 4.0, 60.0]).reshape(3, 1, 1, 1)
    values = tf.constant(np.random.default_rng(1).normal(size=(3, 6, 7, 5)) * scale, tf.float32)
    expected = log_likelihoods_and_gradients(tfc_sum, density, values)
    results = log_likelihoods_and_gradients(sum_log_probabilities, density, values)
    for result, wanted in zip(results, expected):
        tolerance = 1e-4 * np.sqrt(np.mean(np.square(wanted)))
        np.testing.assert_allclose(result, wanted, rtol=1e-3, atol=tolerance)


def test_finite_far_out():
    density = trained_density(5)
    for far in (1e4, -1e4, 1e8):
        values = tf.fill([1, 2, 2, 5], far)
        results = log_likelihoods_and_gradients(sum_log_probabilities, density, values)
        assert all(np.isfinite(result).all() for result in results)
        assert results[0] < -100
        # The further out, the less likely: the gradient leads back.
        assert (np.sign(results[1]) == -np.sign(far)).all()
    values = tf.fill([1, 2, 2, 5], 1e4)
    np.testing.assert_allclose(
        sum_log_probabilities(density, values), tfc_sum(density, values), rtol=1e-3
    )


def test_probabilities_of_the_integers_add_up_to_one():
    density = trained_density(1)
    integers = tf.reshape(tf.range(-3000.0, 3001.0), [-1, 1, 1, 1])
    total = tf.reduce_sum(tf.exp(sum_log_probabilities(density, integers)))
    np.testing.assert_allclose(total, 1, atol=1e-4)
