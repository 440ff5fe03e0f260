"""The factorized prior: bits against coded bytes, tails, tables in checkpoints."""

import math
import re

import numpy as np
import pytest
import tensorflow as tf

from entropy import FactorizedPrior
from processor.stack import set_random_seed
from quantizers.base.contract import Integers
from quantizers.base.grids import Affine, HalfIntegersAndZero, Layout

CHANNELS = 4
LAYOUT = Layout(CHANNELS)
GRIDS = (Affine(), Affine(0.25, 1.0), Affine(-1.0, 2.0), HalfIntegersAndZero())


class FourGrids(Layout):
    """Channel 0 first; where it is even the others lie on grids 1 to 3, else on grid 0."""

    def __init__(self):
        super().__init__(CHANNELS)
        self.passes = [np.array([0]), np.array([1, 2, 3])]

    def grids_of(self, number, symbols):
        if number == 0:
            return tf.zeros_like(symbols[..., :1])
        return tf.where(symbols[..., :1] % 2 == 0, tf.constant([[[1, 2, 3]]]), 0)


@pytest.fixture(scope="module")
def prior():
    """A prior fitted for a while to channels of different spread, then frozen."""
    set_random_seed(0)
    prior = FactorizedPrior(channels=CHANNELS, alphabet=Integers(GRIDS))
    optimizer = tf.keras.optimizers.Adam(0.02)

    @tf.function(autograph=False)
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
    coded = prior.compress(tf.constant(values, tf.int32), LAYOUT)
    estimate = prior.bits(tf.constant(values[None])).numpy()[0]
    assert abs(8 * len(coded) - estimate) <= 0.005 * estimate + 32


def test_on_other_grids_too_the_coded_size_is_the_estimate(prior):
    values = tf.constant(symbols(64, 64, seed=1000), tf.int32)
    coded = prior.compress(values, FourGrids())
    np.testing.assert_array_equal(prior.decompress(coded, 64, 64, FourGrids()), values)
    estimate = prior.symbol_bits(values, FourGrids())
    assert abs(8 * len(coded) - estimate) <= 0.005 * estimate + 32
    plain = prior.bits(tf.cast(values[tf.newaxis], tf.float32)).numpy()[0]
    assert prior.symbol_bits(values, LAYOUT) == pytest.approx(plain, rel=1e-3)
    assert estimate != pytest.approx(plain, rel=0.02)


def test_the_estimate_knows_what_rare_symbols_and_those_beyond_the_tables_cost(prior):
    values = np.random.default_rng(0).integers(-400, 400, (40, 40, CHANNELS)).astype(np.int32)
    coded = 8 * len(prior.compress(tf.constant(values), LAYOUT))
    assert prior.symbol_bits(tf.constant(values), LAYOUT) == pytest.approx(coded, rel=0.002)
    plain = prior.bits(tf.constant(values[None], tf.float32)).numpy()[0]
    assert plain != pytest.approx(coded, rel=0.02)


@pytest.mark.parametrize("grid", range(len(GRIDS)))
def test_masses_on_a_grid_add_up_to_one(grid):
    class OnOneGrid(Layout):
        def grids_of(self, number, symbols):
            return tf.fill(symbols.shape, grid)

    prior = FactorizedPrior(channels=1, alphabet=Integers(GRIDS))
    symbols = tf.reshape(tf.range(-300, 301), [1, 601, 1])
    bits = prior.bits_of_each(symbols, OnOneGrid(1))
    assert bits.sum() == pytest.approx(prior.symbol_bits(symbols, OnOneGrid(1)), rel=1e-5)
    assert np.sum(2.0**-bits) == pytest.approx(1, abs=1e-4)


def test_decodes_what_it_coded_also_far_outside_the_tables(prior):
    values = symbols(8, 9).astype(np.int32)
    values[0, :5, :] = np.array([[10_000], [-10_000], [2**23], [-(2**23)], [0]])
    decoded = prior.decompress(prior.compress(tf.constant(values), LAYOUT), 8, 9, LAYOUT)
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
    coded = prior.compress(values, LAYOUT)
    path = tf.train.Checkpoint(prior=prior).write(str(tmp_path / "prior"))
    restored = FactorizedPrior(channels=CHANNELS, alphabet=Integers(GRIDS))
    assert not restored.frozen
    tf.train.Checkpoint(prior=restored).read(path).assert_consumed()
    assert restored.frozen
    np.testing.assert_array_equal(restored.decompress(coded, 8, 8, LAYOUT), values)


def test_data_of_another_length_are_refused(prior):
    coded = prior.compress(tf.constant(symbols(8, 8), tf.int32), LAYOUT)
    with pytest.raises(ValueError, match="do not decode to 8 x 7 x 4 symbols"):
        prior.decompress(coded, 8, 7, LAYOUT)


def test_expected_spreads_make_an_untrained_prior_nearly_as_good_as_the_true_density():
    spreads = np.array([0.05, 1.0, 4.0, 60.0])
    latents = np.random.default_rng(0).normal(size=(1, 64, 64, CHANNELS)) * spreads
    noisy = latents + np.random.default_rng(1).uniform(-0.5, 0.5, latents.shape)
    prior = FactorizedPrior(channels=CHANNELS, alphabet=Integers([Affine()]))
    before = prior.bits(noisy).numpy().item() / 64**2
    prior.expect(spreads)
    after = prior.bits(noisy).numpy().item() / 64**2
    # Differential entropies in bits: of a normal density, or of the noise where that is wider.
    true = np.maximum(np.log2(spreads * np.sqrt(2 * np.pi * np.e)), 0).sum()
    assert true < after < true + 0.35 * CHANNELS < before


@pytest.mark.parametrize("precision", [8, 16])
def test_a_density_wider_than_any_table_is_coded_with_escapes(precision):
    """Of 65,536 symbols at most, where the second channel spreads over a million."""
    alphabet = Integers((Affine(), Affine(0.0, 0.5)))
    prior = FactorizedPrior(channels=2, alphabet=alphabet, range_coder_precision=precision)
    prior.expect([3.0, 3e5])
    prior.freeze()
    spreads = [3.0, 3e5]
    values = np.random.default_rng(0).normal(0, spreads, (40, 50, 2)).astype(np.int32)
    values = tf.constant(values)
    data = prior.compress(values, Layout(2))
    np.testing.assert_array_equal(prior.decompress(data, 40, 50, Layout(2)), values)
    assert 8 * len(data) == pytest.approx(prior.symbol_bits(values, Layout(2)), rel=0.01)


def test_densities_far_apart_are_computed_only_where_their_tables_are(monkeypatch):
    prior = FactorizedPrior(channels=2, alphabet=Integers())
    prior.expect([3.0, 3.0])
    cumulative = prior._density._base
    slopes = tf.nn.softplus(cumulative._matrices[0])
    cumulative._biases[0].assign_sub(slopes * [[[0.0]], [[50.0]]])
    masses, points = prior._density.log_masses, []

    def seen(lower, upper):
        points.append(tf.size(lower).numpy())
        return masses(lower, upper)

    monkeypatch.setattr(prior._density, "log_masses", seen)
    prior.freeze()
    assert max(points) < 100
    normal = np.random.default_rng(0).normal([0, 50], 3, (40, 50, 2))
    values = tf.constant(normal.round().astype(np.int32))
    data = prior.compress(values, Layout(2))
    np.testing.assert_array_equal(prior.decompress(data, 40, 50, Layout(2)), values)
    assert 8 * len(data) == pytest.approx(prior.symbol_bits(values, Layout(2)), rel=0.01)


def test_coding_needs_tables():
    with pytest.raises(RuntimeError, match="freeze"):
        FactorizedPrior(channels=1, alphabet=Integers()).compress(
            tf.zeros([1, 1, 1], tf.int32), Layout(1)
        )


@pytest.mark.parametrize(
    "arguments",
    [
        {"channels": 0},
        {"tail_mass": 0.0},
        {"range_coder_precision": 17},
        {"init_scale": -1.0},
        {"init_scale": math.inf},
        {"num_filters": [3, 0]},
    ],
)
def test_errors_name_the_argument(arguments):
    name, value = next(iter(arguments.items()))
    with pytest.raises(ValueError, match=re.escape(f"{name}={value}")):
        FactorizedPrior(**{"channels": 2, "alphabet": Integers(), **arguments})
