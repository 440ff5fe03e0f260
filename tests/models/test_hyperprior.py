"""Hyper-transforms: sizes, and the fixed-point synthesis.

That it is the same in every process, the tests of ``benchmarks/exactness.py`` show.
"""

import numpy as np
import pytest
import tensorflow as tf

from models.fixed_point import apply_exactly
from models.hyperprior import HyperTransforms
from models.layers import Convolution, TransposedConvolution
from processor.stack import set_random_seed


def make(**settings):
    set_random_seed(0)
    defaults = dict(latent_channels=12, num_filters=8, predicts_means=True)
    return HyperTransforms(**{**defaults, **settings})


@pytest.mark.parametrize("predicts_means", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (4, 4), (5, 9), (16, 3)])
def test_any_size_of_latents_gets_a_prediction(predicts_means, size):
    hyper = make(predicts_means=predicts_means)
    latents = tf.random.stateless_normal([2, *size, 12], [0, 0])
    hyper_latents = hyper.analysis(latents)
    assert hyper_latents.shape == (2, -(-size[0] // 4), -(-size[1] // 4), 8)
    for exact in (False, True):
        means, indexes, gains, present = hyper.predictor(hyper_latents, *size, exact).next()
        assert gains is None and present is None
        assert indexes.shape == latents.shape and indexes.dtype == tf.float32
        assert (means is None) != predicts_means
        assert predicts_means is False or means.shape == latents.shape
        assert (indexes >= 0).numpy().all() and (indexes <= 63).numpy().all()


def test_fixed_point_follows_floating_point():
    hyper = make()
    values = tf.round(4 * tf.random.stateless_normal([1, 4, 5, 8], [1, 2]))
    exact, floating = (hyper.predictor(values, 14, 19, exact).next() for exact in (True, False))
    np.testing.assert_allclose(exact.means, floating.means, atol=0.02)
    np.testing.assert_array_equal(exact.indexes, tf.round(exact.indexes))
    assert np.abs(exact.indexes - floating.indexes).max() <= 0.52


def test_sums_do_not_round():
    """The result is a multiple of the last place, whatever the order of the sum."""
    layers = [TransposedConvolution(6, 5, 2, "same"), Convolution(3, 3, 1, "same")]
    layers[0].build([None, None, None, 200])
    layers[1].build([None, None, None, 6])
    rng = np.random.default_rng(0)
    layers[0].kernel.assign(rng.normal(0, 8, layers[0].kernel.shape))
    values = rng.normal(0, 900, [1, 3, 3, 200]).astype(np.float32)
    result = apply_exactly(layers, tf.constant(values)).numpy()
    np.testing.assert_array_equal(result * 2**20, np.round(result * 2**20))
    order = rng.permutation(200)
    shuffled = [TransposedConvolution(6, 5, 2, "same"), layers[1]]
    shuffled[0].build([None, None, None, 200])
    shuffled[0].kernel.assign(layers[0].kernel.numpy()[..., order])
    again = apply_exactly(shuffled, tf.constant(values[..., order])).numpy()
    assert result.tobytes() == again.tobytes()


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="num_filters=0 must be at least 1"):
        make(num_filters=0)


def test_fixed_point_stays_on_the_cpu_where_the_rest_is_on_a_gpu():
    layers = [TransposedConvolution(4, 5, 2, "same"), Convolution(3, 3, 1, "same")]
    layers[0].build([None, None, None, 2])
    layers[1].build([None, None, None, 4])

    @tf.function(input_signature=[tf.TensorSpec([1, 4, 4, 2])])
    def on_a_gpu(values):
        with tf.device("GPU:0"):
            return tf.identity(apply_exactly(layers, values))

    operations = on_a_gpu.get_concrete_function().graph.get_operations()
    assert "/device:GPU:0" in {op.device for op in operations if op.type == "Identity"}
    assert {op.device for op in operations if "Conv2D" in op.type} == {"/device:CPU:0"}
