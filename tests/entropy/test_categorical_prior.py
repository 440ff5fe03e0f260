"""The categorical prior: bits against NumPy and against coded bytes, tables, refusals."""

import math

import numpy as np
import pytest
import tensorflow as tf

from entropy import CategoricalPrior
from quantizers import Indices, Integers

SIZES = (2, 5, 16, 256)


def symbols(height, width, seed=0):
    rng = np.random.default_rng(seed)
    columns = [
        rng.choice(size, (height, width), p=peaked(size, spread))
        for size, spread in zip(SIZES, (0.7, 1.5, 3, 20))
    ]
    return tf.constant(np.stack(columns, axis=-1), tf.int32)


def peaked(size, spread):
    masses = np.exp(-np.arange(size) / spread)
    return masses / masses.sum()


@pytest.fixture(scope="module")
def prior():
    """A prior fitted to channels of different spread, then frozen."""
    prior = CategoricalPrior(channels=32, alphabet=Indices(SIZES))
    optimizer = tf.keras.optimizers.Adam(0.01)
    optimizer.build(prior.trainable_variables)

    @tf.function(autograph=False)
    def fit(rate):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(prior.bits(rate))
        gradients = tape.gradient(loss, prior.trainable_variables)
        optimizer.apply_gradients(zip(gradients, prior.trainable_variables))

    for step in range(200):
        fit(tf.one_hot(symbols(32, 32, seed=step), 256)[tf.newaxis])
    prior.freeze()
    return prior


@pytest.fixture
def untrained():
    return CategoricalPrior(channels=32, alphabet=Indices(SIZES))


def test_starts_with_equal_probabilities(untrained):
    bits = untrained.bits(tf.one_hot(symbols(3, 4), 256)[tf.newaxis])
    assert bits.shape == (1,) and bits.dtype == tf.float32
    np.testing.assert_allclose(bits, 12 * np.log2(SIZES).sum(), rtol=1e-6)
    np.testing.assert_allclose(untrained.fixed_length_bits(3, 4), 12 * (1 + math.log2(5) + 4 + 8))
    assert untrained.fixed_length_bits(3, 4, symbol_channels=1) == 12
    np.testing.assert_allclose(untrained.symbol_bits(symbols(3, 4)[..., :1]), 12, rtol=1e-6)


def test_bits_against_numpy():
    prior = CategoricalPrior(channels=8, alphabet=Indices((3, 5)), learning_scale=4.0)
    logits = np.random.default_rng(0).normal(0, 1, (2, 5)).astype(np.float32)
    prior.trainable_variables[0].assign(logits)
    rate = np.random.default_rng(1).random((4, 2, 3, 2, 5)).astype(np.float32)
    rate[..., 0, 3:] = 0
    expected = np.zeros(4)
    for channel, size in enumerate((3, 5)):
        p = np.exp(4 * logits[channel, :size].astype(np.float64))
        p = (1 - size * 2**-16) * p / p.sum() + 2**-16
        expected -= (rate[..., channel, :size] * np.log2(p)).sum((1, 2, 3))
    np.testing.assert_allclose(prior.bits(tf.constant(rate)), expected, rtol=1e-5)


def test_rows_of_zeros_cost_nothing_and_nothing_costs_more_than_the_coder_can_tell(prior):
    assert prior.bits(tf.zeros([2, 3, 4, 4, 256])).numpy().tolist() == [0, 0]
    worst = max(prior.symbol_bits(tf.constant([[[1, 4, 15, k]]])) for k in (0, 100, 200, 255))
    assert worst <= 4 * 16


def test_gradients_are_finite_also_for_certain_symbols_and_beyond_an_alphabet(untrained):
    (logits,) = untrained.trainable_variables
    logits.assign(tf.one_hot([0, 0, 0, 0], 256) * 1e4)
    rate = tf.one_hot(symbols(2, 2), 256)[tf.newaxis]
    with tf.GradientTape() as tape:
        tape.watch(rate)
        bits = untrained.bits(rate)
    assert np.isfinite(bits).all()
    for gradient in tape.gradient(bits, [rate, logits]):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() < 1e6


def test_learns_the_frequencies(prior):
    values = symbols(64, 64, seed=1000)
    entropy = sum(-(p * np.log2(p)).sum() for p in map(peaked, SIZES, (0.7, 1.5, 3, 20)))
    assert prior.symbol_bits(values) / 64**2 == pytest.approx(entropy, rel=0.02)


def test_coded_size_is_the_estimate(prior):
    values = symbols(64, 64, seed=1000)
    bits = 8 * len(prior.compress(values))
    estimate = prior.bits(tf.one_hot(values, 256)[tf.newaxis]).numpy()[0]
    assert prior.symbol_bits(values) == pytest.approx(estimate, rel=1e-5)
    assert abs(bits - estimate) <= 0.005 * estimate + 32


def test_a_large_alphabet_of_rare_symbols_codes_to_its_estimate_too():
    """Without the uniform share in the probabilities the coder would need 5 % more."""
    prior = CategoricalPrior(channels=1, alphabet=Indices((4096,)))
    (logits,) = prior.trainable_variables
    logits.assign(tf.one_hot([0, 1, 2, 3], 4096, on_value=3.0)[tf.newaxis].numpy().sum(1))
    prior.freeze()
    values = tf.constant(np.random.default_rng(0).integers(0, 4, (100, 100, 1)), tf.int32)
    estimate = prior.symbol_bits(values)
    assert estimate > 10_000 * 2.05
    assert abs(8 * len(prior.compress(values)) - estimate) <= 0.005 * estimate + 32


def test_fixed_length_size_is_the_logarithm_of_the_sizes_whatever_the_symbols(prior, untrained):
    expected = prior.fixed_length_bits(64, 64)
    last = tf.ones([64, 64, 4], tf.int32) * (np.array(SIZES) - 1)
    lengths = set()
    for values in (symbols(64, 64), tf.zeros([64, 64, 4], tf.int32), last):
        coded = prior.compress(values, fixed_length=True)
        lengths.add(len(coded))
        assert coded == untrained.compress(values, fixed_length=True), "nothing learned in it"
    assert len(lengths) == 1 and expected <= 8 * lengths.pop() <= expected + 32


@pytest.mark.parametrize("size", [2, 3, 1000, 2**15])
def test_fixed_length_never_needs_more_than_its_size(size):
    prior = CategoricalPrior(channels=1, alphabet=Indices((size,)))
    cells = np.diff((np.arange(size + 1) << 16) // size)
    for values in (np.full([50, 50, 1], cells.argmin()), np.full([50, 50, 1], size - 1)):
        coded = prior.compress(tf.constant(values), fixed_length=True)
        assert len(coded) == len(prior.compress(tf.zeros([50, 50, 1], tf.int32), fixed_length=True))
        np.testing.assert_array_equal(prior.decompress(coded, 50, 50, fixed_length=True), values)


@pytest.mark.parametrize("fixed_length", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 4])
@pytest.mark.parametrize("height", [1, 9])
def test_decodes_what_it_coded(prior, fixed_length, channels, height):
    values = symbols(height, 7)[..., :channels].numpy()
    values[0, 0] = np.array(SIZES[:channels]) - 1
    coded = prior.compress(tf.constant(values), fixed_length=fixed_length)
    decoded = prior.decompress(
        coded, height, 7, fixed_length=fixed_length, symbol_channels=channels
    )
    assert decoded.dtype == tf.int32
    np.testing.assert_array_equal(decoded, values)


def test_data_of_another_length_are_refused(prior):
    """Fixed-length data of any other length; learned ones if they are no code of any symbols."""
    for fixed_length in (False, True):
        coded = prior.compress(symbols(8, 8), fixed_length=fixed_length)
        cut = (coded[:-1], coded[: len(coded) // 2]) if fixed_length else ()
        for data in (b"", coded + b"\0", coded + b"x", *cut):
            with pytest.raises(ValueError, match=f"data: {len(data)} .* to 8 x 8 x 4 symbols"):
                prior.decompress(data, 8, 8, fixed_length=fixed_length)
        for grid in ({"height": 8, "width": 7}, {"height": 8, "width": 8, "symbol_channels": 3}):
            with pytest.raises(ValueError, match="do not decode"):
                prior.decompress(coded, fixed_length=fixed_length, **grid)


def test_cut_learned_data_are_refused_or_the_code_of_other_symbols(prior):
    """A range coder cannot tell: where data end it reads zeros. The container has a checksum."""
    coded = prior.compress(symbols(8, 8))
    for length in range(len(coded)):
        try:
            decoded = prior.decompress(coded[:length], 8, 8)
        except ValueError:
            continue
        assert prior.compress(decoded) == coded[:length]


def test_tables_come_back_from_a_checkpoint_and_decode(prior, untrained, tmp_path):
    coded = prior.compress(symbols(8, 8))
    path = tf.train.Checkpoint(prior=prior).write(str(tmp_path / "prior"))
    assert not untrained.frozen
    tf.train.Checkpoint(prior=untrained).read(path).assert_consumed()
    assert untrained.frozen
    np.testing.assert_array_equal(untrained.decompress(coded, 8, 8), symbols(8, 8))


def test_learned_coding_needs_tables(untrained):
    with pytest.raises(RuntimeError, match="freeze"):
        untrained.compress(symbols(1, 1))
    with pytest.raises(RuntimeError, match="freeze"):
        untrained.decompress(b"", 1, 1)


def test_symbols_outside_the_alphabet_are_refused(prior):
    for bad in ([[[2, 0, 0, 0]]], [[[0, -1, 0, 0]]]):
        with pytest.raises(ValueError, match="symbols must be in"):
            prior.compress(tf.constant(bad))
    with pytest.raises(ValueError, match="symbol_channels=5"):
        prior.compress(tf.zeros([1, 1, 5], tf.int32))


def test_codes_indices_alone():
    with pytest.raises(ValueError, match=r"Prior codes indices, but .* yields integers on a line"):
        CategoricalPrior(channels=2, alphabet=Integers())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("channels", 0),
        ("learning_scale", 0.0),
        ("learning_scale", math.inf),
        ("range_coder_precision", 17),
    ],
)
def test_errors_name_the_argument(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}"):
        CategoricalPrior(**{"channels": 2, "alphabet": Indices((2,)), name: value})


@pytest.mark.parametrize("sizes", [(), (4, 1), (2**15 + 1,)])
def test_sizes_must_suit_the_coder(sizes):
    with pytest.raises(ValueError, match="alphabet: sizes"):
        CategoricalPrior(channels=2, alphabet=Indices(sizes))
