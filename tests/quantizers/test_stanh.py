"""A staircase of tanh steps with learned thresholds and levels."""

import numpy as np
import pytest
import tensorflow as tf

from quantizers import StanhQuantizer, StraightThrough, UniformNoise
from quantizers.base.scalar import LARGEST_SYMBOL


def latents(*shape, seed=0, spread=3):
    return np.random.default_rng(seed).normal(0, spread, shape).astype(np.float32)


WIDTHS, HEIGHTS = np.float32([1.4, 0.7, 1.1]), np.float32([0.9, 1.3, 0.6])
THRESHOLDS = np.array([0.7, 1.4, 2.5, 3.5, 4.5])  # The last two are not learned.
LEVELS = np.array([0, 0.9, 2.2, 2.8, 3.8, 4.8])


def make(**settings):
    return StanhQuantizer(rate=UniformNoise(seed=0), **{"beta": 7.0, **settings})


def make_learned(**settings):
    quantizer = make(thresholds=3, **settings)
    for variable, values in zip(quantizer.coding_variables, (WIDTHS, HEIGHTS)):
        variable.assign(values)
    return quantizer


def staircase(y):
    """Symbols and levels of float64 latents between -5 and 5."""
    symbols = np.searchsorted(THRESHOLDS, np.abs(y))
    return np.sign(y) * symbols, np.sign(y) * LEVELS[symbols]


def test_starts_as_rounding():
    edges = np.arange(-299.5, 300, dtype=np.float32)
    y = np.concatenate([latents(20_000, spread=8), latents(1000, spread=1e4), edges])
    for side in (-np.inf, np.inf):  # The floats next to all ties.
        y = np.concatenate([y, np.nextafter(edges, np.float32(side))])
    quantizer = make()
    np.testing.assert_array_equal(quantizer.encode(tf.constant(y)), np.round(y))
    decoded = quantizer(tf.constant(y), training=False).decoder_input
    np.testing.assert_array_equal(decoded, np.round(y))


def test_the_value_is_the_papers_sum():
    y = np.linspace(-2.9, 2.9, 99)
    value = make_learned(beta=3.0)(tf.constant(y), training=True).decoder_input
    pairs = zip(THRESHOLDS, HEIGHTS)
    steps = [w / 2 * (np.tanh(3 * (y - b)) + np.tanh(3 * (y + b))) for b, w in pairs]
    np.testing.assert_allclose(value, sum(steps), atol=1e-5)


def test_symbols_are_monotone_and_decode_to_the_learned_levels():
    quantizer = make_learned()
    y = np.sort(np.random.default_rng(0).uniform(-5, 5, 20_000).astype(np.float32))
    for threshold in np.float32(THRESHOLDS):
        near = threshold + np.arange(-20, 21, dtype=np.float32) * np.spacing(threshold)
        y = np.sort(np.concatenate([y, near, -near]))
    symbols = quantizer.encode(tf.constant(y)).numpy()
    assert (np.diff(symbols) >= 0).all()
    decided = np.abs(np.abs(y)[:, np.newaxis] - THRESHOLDS).min(-1) > 1e-5
    expected, levels = staircase(y.astype(np.float64))
    np.testing.assert_array_equal(symbols[decided], expected[decided])
    decoded = quantizer.decode(tf.constant(symbols)).numpy()
    np.testing.assert_allclose(decoded[decided], levels[decided], atol=1e-6)


def test_the_rate_sees_thresholds_at_half_integers():
    class Itself(StraightThrough):
        def __call__(self, latents):
            return latents

    quantizer = make_learned()
    quantizer._rate = Itself()
    y = tf.constant(np.append(-THRESHOLDS, THRESHOLDS), tf.float32)
    rate = quantizer(y, training=True).rate_input
    half = np.arange(5) + 0.5
    np.testing.assert_allclose(rate, np.append(-half, half), atol=1e-5)
    middle = quantizer(tf.constant([0.35, 1.05, -1.95]), training=True).rate_input
    np.testing.assert_allclose(middle, [0.25, 1, -2], atol=1e-5)


def test_tends_to_the_staircase():
    y = np.linspace(-5, 5, 4001)
    y = y[np.abs(np.abs(y)[:, np.newaxis] - THRESHOLDS).min(-1) > 0.03]
    errors = []
    for beta in (5.0, 20.0, 100.0):
        relaxed = make_learned(beta=beta)(tf.constant(y), training=True).decoder_input
        errors.append(np.abs(relaxed - staircase(y)[1]).mean())
    assert errors[0] > 3 * errors[1] > 9 * errors[2] and errors[2] < 1e-3


def test_far_latents_have_symbols_that_decode_exactly():
    quantizer = make_learned()
    symbols = np.array([-(2**22), -70_000, -128, -4, 4, 5, 129, 1000, 2**20])
    beyond = np.float32(np.abs(symbols) - 3)
    y = np.sign(symbols) * (beyond + 3)  # The middles of their cells: b_3 is 2.5.
    np.testing.assert_array_equal(quantizer.encode(tf.constant(y, tf.float32)), symbols)
    w_1, w_2, w_3 = HEIGHTS
    values = np.sign(symbols) * (w_1 + w_2 + w_3 + beyond)
    np.testing.assert_array_equal(quantizer.decode(tf.constant(symbols, tf.int32)), values)
    assert np.isfinite(quantizer.decode(tf.constant([-(2**31), 2**31 - 1]))).all()


def test_no_symbol_is_beyond_what_decoders_accept():
    quantizer = make(thresholds=100)
    quantizer.coding_variables[0].assign(tf.fill([100], 1e-3))
    symbols = quantizer.encode(tf.constant([-3e38, -(2.0**23), -(2.0**23) + 50, 2.0**23, 3e38]))
    np.testing.assert_array_equal(symbols, LARGEST_SYMBOL * np.array([-1, -1, -1, 1, 1]))


def test_few_steps_move_every_threshold_and_level():
    quantizer = make(thresholds=3)
    y = tf.constant(latents(500))
    for _ in range(3):
        with tf.GradientTape() as tape:
            rate, decoder, _ = quantizer(y, training=True)
            loss = tf.reduce_mean((decoder - 1.1 * y) ** 2) + 0.1 * tf.reduce_mean(rate**2)
        for variable, gradient in zip(
            quantizer.coding_variables, tape.gradient(loss, quantizer.coding_variables)
        ):
            variable.assign_sub(0.1 * gradient)
    for variable in quantizer.coding_variables:
        assert (np.abs(variable - 1) > 1e-4).all()


def test_the_rate_moves_thresholds_alone():
    quantizer = make()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(quantizer(tf.constant(latents(500)), training=True).rate_input ** 2)
    widths, heights = tape.gradient(loss, quantizer.coding_variables)
    assert heights is None and (widths.numpy() < 0).all()  # Wider cells cost less.


def test_survives_an_optimizer_that_overshoots():
    quantizer = make()
    for variable in quantizer.coding_variables:
        variable.assign(-3 * tf.ones_like(variable))
    y = np.sort(latents(200))
    assert np.isfinite(quantizer(tf.constant(y), training=True).decoder_input).all()
    assert (np.diff(quantizer.encode(tf.constant(y))) >= 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": 0.0}, r"beta=0\.0 must be positive at every step"),
        ({"thresholds": 0}, "thresholds=0 must be a whole number from 1 to 127"),
        ({"thresholds": 2.5}, r"thresholds=2\.5 must be a whole number"),
        ({"thresholds": 128}, "thresholds=128 must be a whole number"),
        ({"rate": None}, "rate=None must be a scalar surrogate"),
    ],
)
def test_errors_name_the_argument(settings, message):
    with pytest.raises(ValueError, match=message):
        StanhQuantizer(**{"rate": UniformNoise(seed=0), "beta": 7.0, **settings})
