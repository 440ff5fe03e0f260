"""The factorized prior: bits against coded bytes, tails, tables in checkpoints."""

import numpy as np
import pytest
import tensorflow as tf

from entropy import FactorizedPrior

CHANNELS = 4


@pytest.fixture(scope="module")
def prior():
    """A prior fitted for a while to channels of different spread, then frozen."""
    tf.keras.utils.set_random_seed(0)
    prior = FactorizedPrior(channels=CHANNELS)
    optimizer = tf.keras.optimizers.Adam(0.02)

    @tf.function
    def fit(values):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(prior.bits(values))
        gradients = tape.gradient(loss, prior.trainable_variables)
        optimizer.apply_gradients(zip(gradients, prior.trainable_variables))

    optimizer.build(prior.trainable_variables)
    for step in range(150):
        fit(
            tf.constant(symbols(16, 16, seed=step)[None])
            + tf.random.uniform([16, 16, 4], -0.5, 0.5)
        )
    prior.freeze()
    return prior


def symbols(height, width, seed=0):
    rng = np.random.default_rng(seed)
    spread = np.array([0.1, 0.5, 2, 20])
    return np.round(rng.laplace(0, spread, (height, width, CHANNELS))).astype(np.float32)


def test_coded_size_is_the_estimate(prior):
    values = symbols(64, 64, seed=1000)
    coded = prior.compress(tf.constant(values, tf.int32))
    estimate = prior.bits(tf.constant(values[None])).numpy()[0]
    assert abs(8 * len(coded) - estimate) <= 0.005 * estimate + 32


def test_decodes_what_it_coded_also_far_outside_the_tables(prior):
    values = symbols(8, 9).astype(np.int32)
    values[0, :5, :] = np.array([[10_000], [-10_000], [2**23], [-(2**23)], [0]])
    decoded = prior.decompress(prior.compress(tf.constant(values)), 8, 9)
    assert decoded.dtype == tf.int32
    np.testing.assert_array_equal(decoded, values)


def test_bits_and_their_gradients_are_finite_far_out(prior):
    values = tf.constant([-1e4, -50, -0.5, 0, 0.5, 50, 1e4], tf.float32)[None, None, :, None]
    values = tf.tile(values, [1, 1, 1, CHANNELS])
    with tf.GradientTape() as tape:
        tape.watch(values)
        bits = prior.bits(values)
    gradients = tape.gradient(bits, [values, *prior.trainable_variables])
    assert bits.shape == (1,) and np.isfinite(bits).all()
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_tables_come_back_from_a_checkpoint_and_decode(prior, tmp_path):
    values = tf.constant(symbols(8, 8), tf.int32)
    coded = prior.compress(values)
    path = tf.train.Checkpoint(prior=prior).write(str(tmp_path / "prior"))
    restored = FactorizedPrior(channels=CHANNELS)
    assert not restored.frozen
    tf.train.Checkpoint(prior=restored).read(path).assert_consumed()
    assert restored.frozen
    np.testing.assert_array_equal(restored.decompress(coded, 8, 8), values)


def test_data_of_another_length_are_refused(prior):
    coded = prior.compress(tf.constant(symbols(8, 8), tf.int32))
    with pytest.raises(ValueError, match="do not decode to 8 x 7 x 4 symbols"):
        prior.decompress(coded, 8, 7)


def test_coding_needs_tables():
    with pytest.raises(RuntimeError, match="freeze"):
        FactorizedPrior(channels=1).compress(tf.zeros([1, 1, 1], tf.int32))


@pytest.mark.parametrize(
    "arguments",
    [{"channels": 0}, {"tail_mass": 0.0}, {"range_coder_precision": 17}, {"init_scale": -1.0}],
)
def test_errors_name_the_argument(arguments):
    name, value = next(iter(arguments.items()))
    with pytest.raises(ValueError, match=f"{name}={value}"):
        FactorizedPrior(**{"channels": 2, **arguments})
