"""Surrogates that draw: their distributions, their estimators, against formulas in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from quantizers import (
    GaussianNoise,
    Gumbel,
    KumaraswamyNoise,
    SoftGradient,
    SoftRound,
    SoftRoundNoise,
    StochasticRound,
)

COUNT = 200_000
WIDE = np.linspace(-3.2137, 3.2091, 4001).astype(np.float32)


def value_and_gradient(surrogate, y):
    y = tf.constant(y)
    with tf.GradientTape() as tape:
        tape.watch(y)
        value = surrogate(y)
    return value.numpy(), tape.gradient(value, y).numpy()


def soft_round(y, alpha):
    r = y - np.floor(y) - 0.5
    return np.floor(y) + 0.5 + np.tanh(alpha * r) / (2 * np.tanh(alpha / 2))


def soft_round_slope(y, alpha):
    r = y - np.floor(y) - 0.5
    return alpha / np.cosh(alpha * r) ** 2 / (2 * np.tanh(alpha / 2))


def conditional_mean(z, alpha):
    """s^-1(z - 1/2) + 1/2, the inverse by its formula."""
    w = z.astype(np.float64) - 0.5
    floor = np.floor(w)
    inner = np.clip(2 * np.tanh(alpha / 2) * (w - floor - 0.5), -1 + 1e-7, 1 - 1e-7)
    return floor + 0.5 + np.arctanh(inner) / alpha + 0.5


@pytest.mark.parametrize("a", [1.0, 1.4, 2.0])
def test_kumaraswamy_noise_has_its_distribution(a):
    noise, gradient = value_and_gradient(KumaraswamyNoise(seed=0, a=a), np.zeros(COUNT, "f"))
    b = (2**a * (a - 1) + 1) / a
    x = np.linspace(0.02, 0.98, 49)
    expected = 1 - (1 - x**a) ** b
    measured = np.searchsorted(np.sort(noise) + 0.5, x) / COUNT
    np.testing.assert_allclose(measured, expected, atol=0.005)
    assert noise.min() >= -0.5 and noise.max() <= 0.5 and (gradient == 1).all()


@pytest.mark.parametrize("a", [1.0, 4.0, 16.0, 30.0, 64.0, 100.0])
def test_kumaraswamy_noise_has_its_quantiles_whatever_its_shape(a):
    noise = KumaraswamyNoise(seed=0, a=a)(tf.zeros([COUNT])).numpy().astype(np.float64)
    b = (2**a * (a - 1) + 1) / a
    u = (np.arange(100_000) + 0.5) / 100_000
    theory = (-np.expm1(np.log1p(-u) / b)) ** (1 / a) - 0.5
    assert noise.mean() == pytest.approx(theory.mean(), abs=2e-3)
    assert noise.var() == pytest.approx(theory.var(), rel=0.01)
    assert abs(noise.mean()) < 0.03 and len(np.unique(noise)) > COUNT / 2


def test_kumaraswamy_noise_at_one_is_uniform_and_at_two_has_its_mode_in_the_middle():
    uniform = KumaraswamyNoise(seed=0, a=1.0)(tf.zeros([COUNT])).numpy()
    assert uniform.std() == pytest.approx(12**-0.5, rel=0.01)
    bump = KumaraswamyNoise(seed=0, a=2.0)(tf.zeros([COUNT])).numpy()
    density, edges = np.histogram(bump, 21)
    assert abs(edges[density.argmax()] + 1 / 42) < 0.06


def test_gaussian_noise_has_its_deviation():
    noise, gradient = value_and_gradient(
        GaussianNoise(seed=0, deviation=0.22), np.zeros(COUNT, "f")
    )
    assert noise.std() == pytest.approx(0.22, rel=0.01) and abs(noise.mean()) < 2e-3
    assert (gradient == 1).all()


def test_stochastic_rounding_is_unbiased_and_hard():
    y = np.repeat(np.float32([-1.25, -0.5, 0.0, 0.1, 2.9]), COUNT // 5)
    value, gradient = value_and_gradient(StochasticRound(seed=0), y)
    nearest = np.round(value)
    np.testing.assert_allclose(value, nearest, atol=1e-6)
    assert set(np.unique(nearest[: COUNT // 5])) == {-2, -1}
    for y_of, values in zip(y[:: COUNT // 5], nearest.reshape(5, -1)):
        assert values.mean() == pytest.approx(y_of, abs=0.01)
    assert (gradient == 1).all()


@pytest.mark.parametrize("tau", [0.5, 0.15])
def test_gumbel_rounds_up_with_the_probability_of_its_logits(tau):
    fraction = 0.3
    up, down = (-np.arctanh(distance) / tau for distance in (1 - fraction, fraction))
    expected = np.exp(up) / (np.exp(up) + np.exp(down))
    value, _ = value_and_gradient(Gumbel(seed=0, tau=tau), np.full(COUNT, 4 + fraction, "f"))
    assert value.min() >= 4 and value.max() <= 5
    # The relaxation leans to the side that the hard choice would take.
    assert (value > 4.5).mean() == pytest.approx(expected, abs=0.005)


def test_gumbel_hardens_towards_the_nearest():
    y = WIDE[np.abs(WIDE - np.floor(WIDE) - 0.5) > 0.1]
    value, _ = value_and_gradient(Gumbel(seed=0, tau=0.01), y)
    np.testing.assert_allclose(value, np.round(y), atol=1e-3)


@pytest.mark.parametrize("alpha", [2.0, 5.0, 10.0])
def test_soft_round_noise_is_the_conditional_mean(alpha):
    y = np.repeat(WIDE, 10)
    value, _ = value_and_gradient(SoftRoundNoise(seed=7, alpha=alpha), y)
    noise = tf.random.Generator.from_seed(7, alg="philox").uniform(y.shape, -0.5, 0.5).numpy()
    z = soft_round(y.astype(np.float64), alpha) + noise
    inner = np.abs(z - 0.5 - np.round(z - 0.5)) > 0.01  # off the poles of the inverse
    np.testing.assert_allclose(value[inner], conditional_mean(z, alpha)[inner], atol=2e-3)
    # It estimates y: better than plain noise does.
    assert np.sqrt(np.mean((value - y) ** 2)) < 12**-0.5


@pytest.mark.parametrize(("alpha", "deviation", "largest"), [(5.0, 0.84, 2.5), (10.0, 1.53, 5.0)])
def test_expected_gradients_tame_the_estimator(alpha, deviation, largest):
    y = np.random.default_rng(0).uniform(-0.5, 0.5, COUNT).astype(np.float32)
    _, expected = value_and_gradient(SoftRoundNoise(seed=0, alpha=alpha), y)
    sampled_surrogate = SoftRoundNoise(seed=0, alpha=alpha, expected_gradients=False)
    _, sampled = value_and_gradient(sampled_surrogate, y)
    assert expected.mean() == pytest.approx(1, abs=0.02)
    assert expected.std() == pytest.approx(deviation, rel=0.02)
    assert expected.max() == pytest.approx(largest, rel=0.03)
    assert sampled.std() > 2 * expected.std() and sampled.max() > 10 * expected.max()


@pytest.mark.parametrize("alpha", [0.0, 3.0, 10.0, 50.0])
def test_expected_gradients_are_those_of_soft_rounding(alpha):
    _, gradient = value_and_gradient(SoftRoundNoise(seed=0, alpha=alpha), WIDE)
    np.testing.assert_array_equal(gradient, value_and_gradient(SoftRound(alpha=alpha), WIDE)[1])


@pytest.mark.parametrize("alpha", [0.0, 3.0, 10.0])
def test_soft_gradient_is_round_with_soft_rounds_slope(alpha):
    value, gradient = value_and_gradient(SoftGradient(alpha=alpha), WIDE)
    np.testing.assert_allclose(value, np.round(WIDE), atol=1e-6)
    slope = soft_round_slope(WIDE.astype(np.float64), alpha) if alpha else np.ones_like(WIDE)
    np.testing.assert_allclose(gradient, slope, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: KumaraswamyNoise(seed=0, a=0.5), "a=0.5 of KumaraswamyNoise must be at least 1"),
        (lambda: KumaraswamyNoise(seed=0, a=101.0), r"a=101\.0 of \w+ must be at most 100\."),
        (lambda: GaussianNoise(seed=0, deviation=-1.0), "deviation=-1.0 .* at least 0"),
        (lambda: Gumbel(seed=0, tau=0.0), "tau=0.0 of Gumbel must be at least 0.01"),
        (lambda: SoftRoundNoise(seed=0, alpha=-1.0), "alpha=-1.0 .* at least 0"),
    ],
)
def test_errors_name_the_argument(make, message):
    with pytest.raises(ValueError, match=message):
        make()
