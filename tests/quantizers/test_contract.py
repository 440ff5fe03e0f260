"""What every quantizer must do: runs over each YAML of configs/quantizer, found by its name."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_part

CHANNELS = 24  # Divides into every default group: 4, 8.
TIES = np.array([-2.5, -1.5, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5], np.float32)
FAR = np.array([-1e4, 1e4, 1e4 + 0.5, -1e4 - 0.5, 1e-30, -1e-30, 3, -7], np.float32)
HARD = np.concatenate([TIES, FAR, TIES + 100]).reshape(1, CHANNELS)
HUGE = np.resize(np.float32([2**22 + 0.5, -(2**23) - 9, 3e38, -3e38]), (2, CHANNELS))


@pytest.fixture
def build(compose):
    def build_quantizer(name, *overrides):
        config = compose(f"quantizer={name}", "seed=3", "steps=100", *overrides)
        quantizer = build_part(config.quantizer)
        quantizer.build(CHANNELS)
        return quantizer

    return build_quantizer


@pytest.fixture
def make(build, quantizer_name):
    return lambda *overrides: build(quantizer_name, *overrides)


@pytest.fixture
def integers(make):
    """A quantizer of integers."""
    quantizer = make()
    if quantizer.alphabet.kind != "integers":
        pytest.skip("its alphabet is indices")
    return quantizer


@pytest.fixture
def scalar(build, scalar_name):
    """A quantizer that rounds to the nearest integer after training."""
    return build(scalar_name)


def latents(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 3, shape).astype(np.float32)


as_in_training = functools.partial(tf.function, autograph=False)


def equal(a, b):
    return all(x.numpy().tobytes() == y.numpy().tobytes() for x, y in zip(a, b))


@pytest.mark.parametrize("training", [True, False])
def test_shapes_and_types(make, training):
    quantizer = make()
    for outer in [(), (5,), (0, 4, 4), (2, 4, 4), (1, 2, 3, 2)]:
        check_shapes_and_types(quantizer, outer, training)


def check_shapes_and_types(quantizer, outer, training):
    y = tf.constant(latents(*outer, CHANNELS))
    quantized = quantizer(y, training=training)
    assert quantized.decoder_input.shape == y.shape
    assert quantized.rate_input.dtype == quantized.decoder_input.dtype == tf.float32
    assert quantized.penalty.shape == () and np.isfinite(quantized.penalty)
    symbols = quantizer.encode(y)
    assert symbols.dtype == tf.int32
    if quantizer.alphabet.kind == "integers":
        assert quantized.rate_input.shape == symbols.shape == y.shape
    else:
        sizes = quantizer.alphabet.sizes
        assert symbols.shape == (*outer, len(sizes))
        assert quantized.rate_input.shape == (*outer, len(sizes), max(sizes))
        assert ((symbols >= 0) & (symbols < np.array(sizes))).numpy().all()


def test_integers_take_any_shape(integers):
    quantizer = integers
    for shape in [(), (5,), (2, 3), (2, 4, 4, 9)]:
        y = tf.constant(latents(*shape))
        for training in (True, False):
            quantized = quantizer(y, training=training)
            assert quantized.rate_input.shape == quantized.decoder_input.shape == y.shape
        decoded = quantizer.decode(quantizer.encode(y))
        np.testing.assert_array_equal(decoded, quantizer(y, training=False).decoder_input)


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16, tf.float64])
def test_takes_other_precisions_as_their_float32_values(make, dtype):
    y = tf.cast(latents(4, CHANNELS), dtype)
    quantized = make()(y, training=True)
    expected = make()(tf.cast(y, tf.float32), training=True)
    assert quantized.decoder_input.dtype == tf.float32
    assert equal(quantized, expected)


def test_decoded_symbols_are_the_test_time_value_bit_for_bit(make):
    quantizer = make()
    for y in (HARD, latents(7, 5, CHANNELS), HUGE):
        seen = quantizer(tf.constant(y), training=False).decoder_input.numpy()
        symbols = quantizer.encode(tf.constant(y))
        assert np.isfinite(seen).all()
        assert seen.tobytes() == quantizer.decode(symbols).numpy().tobytes()


def test_a_nan_is_seen_in_its_place(make):
    quantizer = make()
    y = latents(6, CHANNELS)
    y[2, 1] = np.nan
    seen = quantizer(tf.constant(y), training=False)
    np.testing.assert_array_equal(np.isnan(seen.decoder_input), np.isnan(y))
    # While training it may spread, as by a norm.
    assert np.isnan(quantizer(tf.constant(y), training=True).decoder_input[2, 1])


def test_test_time_rate_is_of_the_symbols(make):
    quantizer = make()
    y = tf.constant(latents(6, CHANNELS))
    rate, symbols = quantizer(y, training=False).rate_input, quantizer.encode(y)
    if quantizer.alphabet.kind == "indices":
        expected = tf.one_hot(symbols, max(quantizer.alphabet.sizes))
    else:
        expected = places(quantizer, symbols)
    np.testing.assert_array_equal(rate, expected)


def test_scalar_ones_round_after_training(scalar):
    y = np.concatenate([HARD, latents(100, CHANNELS)])
    symbols = scalar.encode(tf.constant(y))
    np.testing.assert_array_equal(symbols, np.round(y).astype(np.int32))


def test_decoding_in_passes_finds_the_same_grids(integers):
    """A decoder knows the symbols of earlier passes alone: the others must not matter."""
    y = latents(3, 4, CHANNELS + 3)
    symbols = integers.encode(tf.constant(y))
    whole, partial = integers.layout(y.shape[-1]), integers.layout(y.shape[-1])
    known = np.full(symbols.shape, 77, np.int32)
    for number, channels in enumerate(whole.passes):
        grids = np.array(whole.grids_of(number, symbols))
        np.testing.assert_array_equal(grids, partial.grids_of(number, tf.constant(known)))
        known[..., channels] = symbols.numpy()[..., channels]
    np.testing.assert_array_equal(known, symbols)


def test_values_lie_on_the_grids_but_for_one_learned_factor(integers):
    symbols = integers.encode(tf.constant(latents(3, 4, CHANNELS + 3)))
    on_grids, values = places(integers, symbols), integers.decode(symbols).numpy()
    factor = 1.0
    if integers.coding_variables:
        largest = np.abs(on_grids).argmax()
        factor = values.flat[largest] / on_grids.flat[largest]
    np.testing.assert_allclose(on_grids * factor, values, rtol=1e-6)


def places(quantizer, symbols):
    """Where an array's symbols lie on the line, by the grids of the quantizer's layout."""
    layout = quantizer.layout(symbols.shape[-1])
    found = np.zeros(symbols.shape, np.float32)
    for number, channels in enumerate(layout.passes):
        grids = np.array(layout.grids_of(number, symbols))
        for number, grid in enumerate(quantizer.alphabet.grids):
            points = grid(tf.cast(symbols.numpy()[..., channels], tf.float32)).numpy()
            found[..., channels] = np.where(grids == number, points, found[..., channels])
    return found


def test_grids_are_increasing(integers):
    for grid in integers.alphabet.grids:
        assert (np.diff(grid(tf.range(-20, 20, 0.25))) > 0).all()


def test_random_only_while_training_and_seeded(make):
    y = tf.constant(latents(64, CHANNELS))
    quantizer, twin = make(), make()
    assert equal(quantizer(y, training=True), twin(y, training=True))
    tested = quantizer(y, training=False)
    for _ in range(2):
        assert equal(tested, quantizer(y, training=False))


def test_calls_change_no_weights(make):
    quantizer = make()
    before = [variable.numpy() for variable in quantizer.coding_variables]
    quantizer(tf.constant(latents(64, CHANNELS)), training=True)
    for variable, value in zip(quantizer.coding_variables, before):
        np.testing.assert_array_equal(variable, value)


def test_values_and_gradients_are_finite_where_it_is_hard(make):
    quantizer = make()
    for step in (0, 50, 99, 100):
        quantizer.advance(step)
        y = tf.constant(HARD)
        with tf.GradientTape() as tape:
            tape.watch(y)
            rate, decoder, penalty = quantizer(y, training=True)
            total = tf.reduce_sum(rate) + tf.reduce_sum(decoder) + penalty
        assert np.isfinite(rate).all() and np.isfinite(decoder).all() and np.isfinite(penalty)
        gradient = tape.gradient(total, y)
        assert gradient is None or np.isfinite(gradient).all()
        assert (gradient is None) == quantizer.in_hard_phase


def test_scalar_ones_stay_within_a_cell(scalar):
    for step in (0, 50, 99, 100):
        scalar.advance(step)
        assert np.abs(scalar(tf.constant(HARD), training=True).decoder_input - HARD).max() <= 1.0


def test_graph_equals_eager_with_its_gradients(make):
    y = tf.constant(latents(50, CHANNELS))

    def training_pass(quantizer, y):
        with tf.GradientTape() as tape:
            tape.watch(y)
            rate, decoder, penalty = quantizer(y, training=True)
            # Of a one-hot row the plain sum is constant.
            total = tf.reduce_sum(rate**2) + tf.reduce_sum(decoder**2) + penalty
        sources = [y, *quantizer.trainable_variables]
        gradients = tape.gradient(total, sources, unconnected_gradients="zero")
        return [rate, decoder, penalty, *gradients]

    eager, graph = make(), make()
    results = training_pass(eager, y), as_in_training(lambda y: training_pass(graph, y))(y)
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    tested = as_in_training(lambda y: graph(y, training=False))(y)
    for a, b in zip(eager(y, training=False), tested):
        np.testing.assert_allclose(a, b, atol=3e-6)


def test_saved_and_restored_it_goes_on_alike(make, tmp_path):
    quantizer, y = make(), tf.constant(latents(20, CHANNELS))
    quantizer(y, training=True)
    quantizer.update(y)
    quantizer.advance(37)
    path = tf.train.Checkpoint(quantizer=quantizer).write(str(tmp_path / "quantizer"))
    restored = make()
    tf.train.Checkpoint(quantizer=restored).read(path).assert_consumed()
    for name, annealed in quantizer.annealed.items():
        assert float(restored.annealed[name].value) == pytest.approx(annealed.schedule(37))
    for _ in range(2):
        assert equal(quantizer(y, training=True), restored(y, training=True))
        quantizer.update(y)
        restored.update(y)


def test_annealing_changes_values_or_gradients(make):
    quantizer, y = make(), tf.constant(latents(20, CHANNELS))
    if not any(a.schedule(0) != a.schedule(99) for a in quantizer.annealed.values()):
        pytest.skip("nothing of it anneals")
    seen = []
    for step in (0, 99):
        fresh = make()
        fresh.advance(step)
        with tf.GradientTape() as tape:
            tape.watch(y)
            decoder = fresh(y, training=True).decoder_input
        seen.append((decoder, tape.gradient(decoder, y)))
    assert not equal(*seen)


def test_two_levels_are_probabilities_to_bits(build, scalar_name):
    quantizer, free = build(scalar_name, "quantizer.levels=2"), build(scalar_name)
    p = tf.constant([-0.3, 0.0, 0.2, 0.49, 0.51, 0.8, 1.0, 1.7])
    symbols = quantizer.encode(p)
    np.testing.assert_array_equal(symbols, [0, 0, 0, 0, 1, 1, 1, 1])
    decoded = quantizer.decode(symbols)
    np.testing.assert_array_equal(quantizer(p, training=False).decoder_input, decoded)
    with tf.GradientTape() as tape:
        tape.watch(p)
        decoder = quantizer(p, training=True).decoder_input
    assert np.isfinite(tape.gradient(decoder, p)).all()
    clipped = free(tf.clip_by_value(p, 0.0, 1.0), training=True).decoder_input
    np.testing.assert_array_equal(decoder, clipped, "levels clip latents, and do nothing else")
