"""Surrogates against NumPy formulas, known statistics over a cell, limits of sharpness."""

import numpy as np
import pytest
import tensorflow as tf

from quantizers import (
    Fourier,
    Identity,
    IdentityGradient,
    Ramp,
    ScalarQuantizer,
    ScaledStraightThrough,
    Sigmoid,
    Sinusoidal,
    SoftRound,
    StraightThrough,
    UniformNoise,
)
from quantizers.base.schedules import Linear

CELL = np.linspace(-0.5, 0.5, 200_001)[1:-1].astype(np.float32)
WIDE = np.linspace(-3.2137, 3.2091, 4001).astype(np.float32)  # misses every corner of a stair


def value_and_gradient(surrogate, y):
    y = tf.constant(y)
    with tf.GradientTape() as tape:
        tape.watch(y)
        value = surrogate(y)
    return value.numpy(), tape.gradient(value, y).numpy()


def floor_and_fraction(y):
    y = y.astype(np.float64)
    return np.floor(y), y - np.floor(y)


def soft_round(y, alpha):
    floor, fraction = floor_and_fraction(y)
    r = fraction - 0.5
    value = floor + 0.5 + np.tanh(alpha * r) / (2 * np.tanh(alpha / 2))
    return value, alpha / np.cosh(alpha * r) ** 2 / (2 * np.tanh(alpha / 2))


def fourier(y, terms):
    n = np.arange(1, terms + 1)[:, None]
    sign = (-1.0) ** n
    y = y.astype(np.float64)
    value = y + (sign * np.sin(2 * np.pi * n * y) / n).sum(0) / np.pi
    return value, 1 + 2 * (sign * np.cos(2 * np.pi * n * y)).sum(0)


def sinusoidal(y):
    y = y.astype(np.float64)
    return y - np.sin(2 * np.pi * y) / (2 * np.pi), 1 - np.cos(2 * np.pi * y)


def twice_sinusoidal(y):
    inner, slope = sinusoidal(y)
    outer, outer_slope = sinusoidal(inner)
    return outer, slope * outer_slope


def sigmoid(y, slope):
    floor, fraction = floor_and_fraction(y)
    s = 1 / (1 + np.exp(-slope * (fraction - 0.5)))
    return floor + s, slope * s * (1 - s)


def ramp(y, slope):
    floor, fraction = floor_and_fraction(y)
    line = slope * (fraction - 0.5) + 0.5
    return floor + np.clip(line, 0, 1), np.where((line > 0) & (line < 1), slope, 0.0)


@pytest.mark.parametrize(
    ("surrogate", "oracle"),
    [
        (SoftRound(alpha=3.0), lambda y: soft_round(y, 3)),
        (SoftRound(alpha=15.0), lambda y: soft_round(y, 15)),
        (Sinusoidal(), sinusoidal),
        (Sinusoidal(iterations=2), twice_sinusoidal),
        (Fourier(terms=1), lambda y: fourier(y, 1)),
        (Fourier(terms=5), lambda y: fourier(y, 5)),
        (Sigmoid(slope=5.0), lambda y: sigmoid(y, 5)),
        (Sigmoid(slope=25.0), lambda y: sigmoid(y, 25)),
        (Ramp(slope=5.0), lambda y: ramp(y, 5)),
        (StraightThrough(), lambda y: (np.round(y), np.ones_like(y))),
        (IdentityGradient(), lambda y: (np.round(y), np.ones_like(y))),
        (Identity(), lambda y: (y, np.ones_like(y))),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_follows_its_formula(surrogate, oracle):
    value, gradient = value_and_gradient(surrogate, WIDE)
    expected_value, expected_gradient = oracle(WIDE)
    # Where a stair jumps, float32 and float64 may fall on different sides of the integer.
    inner = np.abs(WIDE - np.round(WIDE)) > 1e-5
    np.testing.assert_allclose(value[inner], expected_value[inner], atol=1e-5)
    np.testing.assert_allclose(gradient[inner], expected_gradient[inner], atol=2e-3, rtol=1e-4)


# rms error to round, gradient std, max, min, share of gradients below .05 (None: not pinned).
STATISTICS = [
    (SoftRound(alpha=2.0), 0.261, 0.24, 1.3, None, 0.0),
    (SoftRound(alpha=5.0), 0.195, 0.84, 2.5, None, 0.0),
    (SoftRound(alpha=10.0), 0.139, 1.53, 5.0, None, 0.40),
    (SoftRound(alpha=25.0), 0.088, 2.7, 12.5, None, 0.72),
    (Sinusoidal(), 0.213, 0.71, 2.0, 0.0, 0.10),
    (Fourier(terms=3), 0.120, 2.45, 7.0, -1.6, None),
    (Fourier(terms=10), 0.069, 4.5, 21.0, -4.6, None),
    (Ramp(slope=5.0), 0.129, 2.0, 5.0, 0.0, 0.80),
    (Ramp(slope=10.0), 0.091, 3.0, 10.0, 0.0, 0.90),
    (Sigmoid(slope=10.0), 0.197, 0.83, 2.5, None, None),
]


@pytest.mark.parametrize(("surrogate", "rms", "std", "largest", "smallest", "dead"), STATISTICS)
def test_statistics_over_one_cell(surrogate, rms, std, largest, smallest, dead):
    # Half-integer cell edges: the stair between two integers lies in the middle of [0, 1].
    y = CELL + np.float32(0.5)
    value, gradient = value_and_gradient(surrogate, y)
    assert np.sqrt(np.mean((value - np.round(y)) ** 2)) == pytest.approx(rms, abs=6e-4)
    assert gradient.std() == pytest.approx(std, rel=0.02)
    assert gradient.max() == pytest.approx(largest, rel=0.03)
    mean = 0.9866 if isinstance(surrogate, Sigmoid) else 1.0
    assert gradient.mean() == pytest.approx(mean, abs=2e-3)
    if smallest is not None:
        assert gradient.min() == pytest.approx(smallest, abs=0.05)
    if dead is not None:
        assert (np.abs(gradient) < 0.05).mean() == pytest.approx(dead, abs=0.01)


def test_noise_is_uniform_white_and_transparent_to_gradients():
    y = np.zeros(200_000, np.float32)
    value, gradient = value_and_gradient(UniformNoise(seed=0), y)
    assert value.min() >= -0.5 and value.max() < 0.5
    assert value.std() == pytest.approx(12**-0.5, rel=0.01)
    assert abs(np.corrcoef(value[1:], value[:-1])[0, 1]) < 0.01
    assert (gradient == 1).all()


@pytest.mark.parametrize("sharp", [SoftRound(alpha=1e4), Sigmoid(slope=1e4), Ramp(slope=1e4)])
def test_infinitely_sharp_is_round(sharp):
    off_ties = WIDE[np.abs(WIDE - np.floor(WIDE) - 0.5) > 1e-2]
    np.testing.assert_allclose(sharp(tf.constant(off_ties)), np.round(off_ties), atol=1e-5)


@pytest.mark.parametrize(
    "blunt", [SoftRound(alpha=0.0), SoftRound(alpha=2e-3), Ramp(slope=1.0), Fourier(terms=0)]
)
def test_infinitely_blunt_is_the_identity(blunt):
    value, gradient = value_and_gradient(blunt, WIDE)
    np.testing.assert_allclose(value, WIDE, atol=2e-4)
    np.testing.assert_allclose(gradient, 1, atol=1e-4)


def test_two_ways_of_straight_through_agree():
    one, its_gradient = value_and_gradient(StraightThrough(), WIDE)
    other, other_gradient = value_and_gradient(IdentityGradient(), WIDE)
    np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_array_equal(its_gradient, other_gradient)


def test_fourier_lets_its_last_term_in_by_its_share():
    low, high, between = (Fourier(terms=t)(tf.constant(WIDE)) for t in (2, 3, 2.25))
    np.testing.assert_allclose(between, 0.75 * low + 0.25 * high, atol=1e-5)


def test_equal_random_surrogates_share_one_sample_others_do_not():
    y = tf.zeros([100])
    shared = ScalarQuantizer(decoder=UniformNoise(seed=1), rate=UniformNoise(seed=1))
    rate, decoder, _ = shared(y, training=True)
    np.testing.assert_array_equal(rate, decoder)
    assert np.std(decoder) > 0.2, "noise, not rounding"
    apart = ScalarQuantizer(decoder=UniformNoise(seed=1), rate=UniformNoise(seed=2))
    rate, decoder, _ = apart(y, training=True)
    assert not np.array_equal(rate, decoder)


def test_noise_is_the_same_beside_any_decoder_surrogate():
    y = tf.zeros([100])
    rates = [
        ScalarQuantizer(decoder=decoder, rate=UniformNoise(seed=5))(y, training=True).rate_input
        for decoder in (UniformNoise(seed=5), StraightThrough(), SoftRound(alpha=7.0))
    ]
    np.testing.assert_array_equal(rates[0], rates[1])
    np.testing.assert_array_equal(rates[0], rates[2])


def test_advance_follows_the_schedule_in_both_slots():
    schedule = Linear(start=1.0, end=11.0, end_step=10)
    quantizer = ScalarQuantizer(decoder=SoftRound(alpha=schedule), rate=Ramp(slope=schedule))
    quantizer.advance(5)
    values = {name: float(annealed.value) for name, annealed in quantizer.annealed.items()}
    assert values == {"alpha": 6.0, "rate_slope": 6.0}
    expected = SoftRound(alpha=6.0)(tf.constant(WIDE))
    seen = quantizer(tf.constant(WIDE), training=True).decoder_input
    np.testing.assert_array_equal(seen, expected)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SoftRound(alpha=-1.0), "alpha=-1.0 of SoftRound must be at least 0"),
        (lambda: Ramp(slope=Linear(start=0.5, end=9, end_step=5)), "slope=.* at least 1"),
        (lambda: Sinusoidal(iterations=0), "iterations=0 must be a whole number, at least 1"),
        (lambda: Sinusoidal(iterations=2.0), "iterations=2.0 must be a whole number"),
        (
            lambda: ScalarQuantizer(decoder=StraightThrough(), levels=1),
            "levels=1 must be at least 2",
        ),
        (lambda: ScalarQuantizer(decoder="round"), "decoder='round' must be a scalar surrogate"),
    ],
)
def test_errors_name_the_argument(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_scaled_straight_through_has_the_slope_of_an_error_that_grows_with_its_channel():
    y = np.random.default_rng(0).normal(0, [0.5, 3.0], (50, 4, 2)).astype(np.float32)
    value, gradient = value_and_gradient(ScaledStraightThrough(), y)
    np.testing.assert_array_equal(value, np.round(y))
    for channel in range(2):
        z = y[..., channel].astype(np.float64)
        deviation = np.sqrt(z.var() + 1e-6)
        error = np.round(z) - z
        # The sum of all values is that of y and of the deviation times a constant.
        expected = 1 + (z - z.mean()) / (z.size * deviation) * (error / deviation).sum()
        np.testing.assert_allclose(gradient[..., channel], expected, rtol=1e-4)
    value, gradient = value_and_gradient(ScaledStraightThrough(), np.full([3, 2], 0.7, np.float32))
    assert (value == 1).all() and (gradient == 1).all()
