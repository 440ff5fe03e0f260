"""Soft rounding and bounds against TensorFlow Compression's, to the last digit."""

import numpy as np
import pytest
import tensorflow as tf

from quantizers import SoftRoundNoise
from quantizers.base.bounds import lower_bound, upper_bound
from quantizers.base.soft_rounding import conditional_mean, soft_round

VALUES = tf.constant([-2.5, -1.0, -0.3, 0.0, 0.2, 0.5, 0.999, 3.7, 1e4, *np.linspace(-2, 2, 999)])


@pytest.fixture(scope="module")
def tfc():
    return pytest.importorskip("tensorflow_compression")


def value_and_gradient(function, values=VALUES, upstream=1.0):
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = function(values)
    return result, tape.gradient(result, values, upstream * tf.ones_like(result))


@pytest.mark.parametrize("alpha", [0.0, 5e-4, 0.1, 3.0, 12.0, 60.0])
def test_soft_rounding_equals_tfc(tfc, alpha):
    alpha = tf.Variable(alpha)
    for ours, theirs in (
        (soft_round, tfc.soft_round),
        (conditional_mean, tfc.soft_round_conditional_mean),
    ):
        results = value_and_gradient(lambda values, f=ours: f(values, alpha))
        expected = value_and_gradient(lambda values, f=theirs: f(values, alpha))
        # At the ends of steps theirs have no slope.
        slopes = np.where(np.isnan(expected[1]), results[1], expected[1])
        np.testing.assert_array_equal(results, [expected[0], slopes])


@pytest.mark.parametrize("alpha", [3.0, 17.0, 18.0, 40.0, 1000.0])
def test_the_conditional_mean_has_finite_slopes_everywhere(alpha):
    alpha = tf.Variable(alpha)
    ends = tf.constant([-3.0, -0.5, 0.0, 0.5, 1.0, 1.5, 0.49999997, 0.50000006])
    for values in (ends, VALUES):
        mean, slope = value_and_gradient(lambda v: conditional_mean(v, alpha), values)
        assert np.isfinite(mean).all() and np.isfinite(slope).all()


@pytest.mark.parametrize("expected_gradients", [True, False])
def test_noise_between_two_soft_roundings_equals_tfc(tfc, expected_gradients):
    surrogate = SoftRoundNoise(seed=1, alpha=7.0, expected_gradients=expected_gradients)
    noise = tf.random.Generator.from_seed(1, alg="philox").uniform(VALUES.shape, -0.5, 0.5)

    def published(values):
        return tfc.perturb_and_apply(
            tfc.soft_round_conditional_mean,
            tfc.soft_round(values, 7.0),
            7.0,
            u=noise,
            expected_grads=expected_gradients,
        )[0]

    value, gradient = value_and_gradient(surrogate)
    expected, slope = value_and_gradient(published)
    np.testing.assert_array_equal(value, expected)
    # Theirs computes the mean slope over the noise, which is 1, as a difference of values.
    np.testing.assert_allclose(gradient, slope, rtol=1e-3 if expected_gradients else 0)


@pytest.mark.parametrize("upstream", [-2.0, 2.0])
def test_bounds_equal_tfc(tfc, upstream):
    for ours, theirs in ((lower_bound, tfc.lower_bound), (upper_bound, tfc.upper_bound)):
        results = value_and_gradient(lambda values, f=ours: f(values, 0.2), upstream=upstream)
        expected = value_and_gradient(lambda values, f=theirs: f(values, 0.2), upstream=upstream)
        np.testing.assert_array_equal(results, expected)


def test_bounds_let_only_gradients_pass_that_lead_back():
    """As gradient descent steps against the gradient."""
    values = tf.constant([-1.0, 3.0])
    for bound, upstream, gradient in (
        (lower_bound, 1.0, [0.0, 1.0]),
        (lower_bound, -1.0, [-1.0, -1.0]),
        (upper_bound, 1.0, [1.0, 1.0]),
        (upper_bound, -1.0, [-1.0, 0.0]),
    ):
        result = value_and_gradient(lambda v, f=bound: f(v, 1.0), values, upstream)[1]
        np.testing.assert_array_equal(result, gradient)
