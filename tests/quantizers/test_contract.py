"""What every quantizer must do: runs over each YAML of configs/quantizer, found by its name."""

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_part

TIES = np.array([-2.5, -1.5, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5], np.float32)
HARD = np.concatenate([TIES, [-1e4, 1e4, 1e4 + 0.5, -1e4 - 0.5, 1e-30, -1e-30, 3, -7]]).astype("f")


@pytest.fixture
def make(quantizer_name, compose):
    def make_quantizer(*overrides):
        config = compose(f"quantizer={quantizer_name}", "seed=3", "steps=100", *overrides)
        return build_part(config.quantizer)

    return make_quantizer


def latents(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 3, shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0, 4, 4, 2), (2, 4, 4, 3), (1, 2, 3, 2, 2)])
@pytest.mark.parametrize("training", [True, False])
def test_keeps_shape_and_gives_float32(make, shape, training):
    quantized = make()(tf.constant(latents(*shape)), training=training)
    assert quantized.rate.shape == quantized.decoder.shape == shape
    assert quantized.rate.dtype == quantized.decoder.dtype == tf.float32
    assert quantized.penalty.shape == () and np.isfinite(quantized.penalty)


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16, tf.float64])
def test_takes_other_precisions_as_their_float32_values(make, dtype):
    y = tf.cast(latents(4, 8), dtype)
    quantized = make()(y, training=True)
    expected = make()(tf.cast(y, tf.float32), training=True)
    assert quantized.decoder.dtype == tf.float32
    np.testing.assert_array_equal(quantized.decoder, expected.decoder)


def test_decoded_symbols_are_the_test_time_value_bit_for_bit(make):
    quantizer = make()
    for y in (HARD, latents(7, 5, 3), np.float32([2**22 + 0.5, -(2**23) - 9, 3e38, -3e38])):
        seen = quantizer(tf.constant(y), training=False).decoder.numpy()
        symbols = quantizer.encode(tf.constant(y))
        assert symbols.dtype == tf.int32 and symbols.shape == y.shape
        assert seen.tobytes() == quantizer.decode(symbols).numpy().tobytes()


def test_rounds_after_training(make):
    y = np.concatenate([HARD, latents(100)])
    np.testing.assert_array_equal(make().encode(tf.constant(y)), np.round(y).astype(np.int32))


def test_random_only_while_training_and_seeded(make):
    y = tf.constant(latents(64))
    quantizer, twin = make(), make()
    first = quantizer(y, training=True)
    np.testing.assert_array_equal(first.rate, twin(y, training=True).rate)
    np.testing.assert_array_equal(first.decoder, make()(y, training=True).decoder)
    tested = quantizer(y, training=False)
    for _ in range(2):
        np.testing.assert_array_equal(tested.rate, quantizer(y, training=False).rate)


def test_values_and_gradients_are_finite_where_it_is_hard(make):
    quantizer = make()
    for step in (0, 50, 100):
        quantizer.advance(step)
        y = tf.constant(HARD)
        with tf.GradientTape() as tape:
            tape.watch(y)
            rate, decoder, _ = quantizer(y, training=True)
            total = tf.reduce_sum(rate) + tf.reduce_sum(decoder)
        assert np.isfinite(rate).all() and np.isfinite(decoder).all()
        assert np.isfinite(tape.gradient(total, y)).all()
        assert np.abs(decoder - y).max() <= 1.0, "a surrogate stays within a cell of its latents"


def test_graph_equals_eager(make):
    eager, graph = make(), make()
    y = tf.constant(latents(50))
    run = tf.function(graph.__call__)
    for training in (True, False):
        for a, b in zip(eager(y, training=training), run(y, training=training)):
            np.testing.assert_allclose(a, b, atol=2e-6)


def test_saved_and_restored_it_goes_on_alike(make, tmp_path):
    quantizer, y = make(), tf.constant(latents(20))
    quantizer(y, training=True)
    quantizer.advance(37)
    path = tf.train.Checkpoint(quantizer=quantizer).write(str(tmp_path / "quantizer"))
    restored = make()
    tf.train.Checkpoint(quantizer=restored).read(path).assert_consumed()
    values = {name: annealed.value.numpy() for name, annealed in restored.annealed.items()}
    assert values == {
        name: a.schedule(37) for name, a in quantizer.annealed.items()
    } or np.allclose(list(values.values()), [a.schedule(37) for a in quantizer.annealed.values()])
    for a, b in zip(quantizer(y, training=True), restored(y, training=True)):
        np.testing.assert_array_equal(a, b)


def test_binary_case(make):
    quantizer = make("quantizer.levels=2")
    p = tf.constant([-0.3, 0.0, 0.2, 0.49, 0.51, 0.8, 1.0, 1.7])
    symbols = quantizer.encode(p)
    np.testing.assert_array_equal(symbols, [0, 0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_array_equal(quantizer(p, training=False).decoder, quantizer.decode(symbols))
    with tf.GradientTape() as tape:
        tape.watch(p)
        decoder = quantizer(p, training=True).decoder
    assert np.isfinite(tape.gradient(decoder, p)).all()
    # Noise alone may leave [0, 1], by its half-width; overshoot of a series is below that too.
    assert decoder.numpy().min() >= -0.5 and decoder.numpy().max() <= 1.5
