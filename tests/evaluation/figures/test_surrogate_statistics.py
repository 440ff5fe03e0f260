"""Numbers of surrogates over one cell: closed forms, published values, and what random ones do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from evaluation.figures.surrogate_statistics import (
    at_sharpnesses,
    cell_statistics,
    is_random,
    respond,
)
from quantizers import (
    Fourier,
    GaussianNoise,
    Gumbel,
    Identity,
    IdentityGradient,
    Ramp,
    ScalarSurrogate,
    Sigmoid,
    Sinusoidal,
    SoftGradient,
    SoftRound,
    SoftRoundNoise,
    StochasticRound,
    StraightThrough,
    UniformNoise,
)
from quantizers.base.schedules import Exponential, Linear, Step

DEVIATION_OF_A_CELL = 1 / math.sqrt(12)


class Hard(ScalarSurrogate):
    """Rounding itself, which TensorFlow gives no gradient."""

    def __call__(self, latents):
        return tf.round(latents)


@pytest.mark.parametrize(
    ("surrogate", "to_round", "deviation", "maximum", "dead"),
    [
        (SoftRound(alpha=2.0), 0.261, 0.24, 1.3, 0.0),
        (SoftRound(alpha=5.0), 0.195, 0.84, 2.5, 0.0),
        (SoftRound(alpha=10.0), 0.139, 1.53, 5.0, 0.40),
        (SoftRound(alpha=25.0), 0.088, 2.7, 12.5, 0.72),
        (Sinusoidal(), 0.213, 0.71, 2.0, 0.10),
        (Fourier(terms=3), 0.120, 2.45, 7.0, 0.02),
        (Fourier(terms=10), 0.069, 4.5, 21.0, 0.02),
        (Ramp(slope=5.0), 0.129, 2.0, 5.0, 0.80),
        (Ramp(slope=10.0), 0.091, 3.0, 10.0, 0.90),
    ],
)
def test_deterministic_surrogates(surrogate, to_round, deviation, maximum, dead):
    numbers = cell_statistics(surrogate)
    assert numbers.rms_to_round == pytest.approx(to_round, abs=6e-4)
    assert numbers.gradient_mean == pytest.approx(1, abs=2e-3)
    assert numbers.gradient_deviation == pytest.approx(deviation, abs=0.03)
    assert numbers.gradient_maximum == pytest.approx(maximum, rel=0.02)
    assert numbers.dead_share == pytest.approx(dead, abs=6e-3)


@pytest.mark.parametrize(("terms", "minimum"), [(3, -1.6), (10, -4.6)])
def test_fourier_has_negative_gradients(terms, minimum):
    assert cell_statistics(Fourier(terms=terms)).gradient_minimum == pytest.approx(
        minimum, abs=0.05
    )


def test_sigmoid_jumps_so_its_mean_gradient_is_below_one():
    numbers = cell_statistics(Sigmoid(slope=10.0))
    assert numbers.rms_to_round == pytest.approx(0.197, abs=6e-4)
    assert numbers.gradient_mean == pytest.approx(math.tanh(10 / 4), abs=1e-4)
    assert numbers.gradient_deviation == pytest.approx(0.83, abs=0.005)
    assert numbers.gradient_maximum == pytest.approx(2.5, abs=1e-3)


def test_noise_distorts_as_rounding_does_and_lies_further_from_it():
    noise = cell_statistics(UniformNoise(seed=1))
    assert noise.rms_to_latent == pytest.approx(0.289, abs=5e-4)
    # Two independent errors, that of the noise and that of rounding.
    assert noise.rms_to_round == pytest.approx(math.sqrt(1 / 6), abs=5e-4)
    assert noise[2:] == (1, 0, 1, 1, 0)


def test_distances_of_the_two_limits():
    identity, rounded = cell_statistics(Identity()), cell_statistics(StraightThrough())
    assert identity.rms_to_latent == 0 and rounded.rms_to_round < 1e-7
    assert identity.rms_to_round == pytest.approx(DEVIATION_OF_A_CELL, rel=1e-6)
    assert rounded.rms_to_latent == pytest.approx(DEVIATION_OF_A_CELL, rel=1e-6)
    assert identity[2:] == rounded[2:] == (1, 0, 1, 1, 0)


def test_stochastic_rounding_has_the_variance_of_a_coin():
    numbers = cell_statistics(StochasticRound(seed=1))
    assert numbers.rms_to_latent == pytest.approx(math.sqrt(1 / 6), abs=1e-3)
    assert numbers.rms_to_round == pytest.approx(0.5, abs=1e-3)


def test_rounding_itself_has_only_dead_gradients():
    numbers = cell_statistics(Hard())
    assert numbers.gradient_maximum == 0 and numbers.dead_share == 1


def test_expected_gradients_of_the_conditional_mean_do_not_explode():
    expected = cell_statistics(SoftRoundNoise(seed=1, alpha=5.0))
    sampled = cell_statistics(SoftRoundNoise(seed=1, alpha=5.0, expected_gradients=False))
    assert expected.gradient_deviation == pytest.approx(0.84, abs=0.005)
    assert sampled.gradient_deviation == pytest.approx(2.05, abs=0.1)
    assert sampled.gradient_maximum > 10 * expected.gradient_maximum


@pytest.mark.parametrize(
    ("surrogate", "expected"),
    [
        (StraightThrough(), False),
        (IdentityGradient(), False),
        (SoftGradient(alpha=5.0), False),
        (UniformNoise(seed=1), True),
        (Gumbel(seed=1, tau=0.3), True),
        (StochasticRound(seed=1), True),
        (GaussianNoise(seed=1, deviation=0.0), False),
    ],
)
def test_randomness_is_seen(surrogate, expected):
    assert is_random(surrogate) is expected


def test_response_of_a_deterministic_surrogate_is_its_function():
    latents = np.array([-1.7, -0.2, 0.4, 1.1])
    response = respond(SoftGradient(alpha=3.0), latents, "alpha = 3")
    assert response.label == "alpha = 3"
    for values in response.value:
        np.testing.assert_allclose(values, np.round(latents), atol=1e-6)
    offset = latents - np.floor(latents) - 0.5
    slope = 3 / np.cosh(3 * offset) ** 2 / (2 * np.tanh(1.5))
    np.testing.assert_allclose(response.gradient.mean, slope, rtol=1e-5)


def test_response_of_noise_has_the_noise_s_range():
    latents = np.array([-1.0, 0.25])
    response = respond(UniformNoise(seed=1), latents)
    np.testing.assert_allclose(response.value.mean, latents, atol=0.02)
    np.testing.assert_allclose(response.value.low, latents - 0.45, atol=0.02)
    np.testing.assert_allclose(response.value.high, latents + 0.45, atol=0.02)
    np.testing.assert_array_equal(response.gradient, np.ones((3, 2)))


def test_equal_seeds_give_equal_numbers():
    one, other, third = (Gumbel(seed=seed, tau=0.3) for seed in (1, 1, 2))
    assert cell_statistics(one) == cell_statistics(other) != cell_statistics(third)


@pytest.mark.parametrize(
    ("surrogate", "labels"),
    [
        (Identity(), [""]),
        (Fourier(terms=5), ["terms = 5"]),
        (
            SoftRound(alpha=Linear(start=1.0, end=7.0, end_step=100)),
            ["alpha = 1", "alpha = 4", "alpha = 7"],
        ),
        (
            Gumbel(seed=1, tau=Exponential(start=0.5, end=0.125, end_step=100)),
            ["tau = 0.5", "tau = 0.25", "tau = 0.125"],
        ),
        (Ramp(slope=Step(values=[2, 8], boundaries=[10])), ["slope = 2", "slope = 8"]),
    ],
)
def test_sharpnesses_are_first_middle_and_last_without_repetitions(surrogate, labels):
    assert list(at_sharpnesses(surrogate, steps=100)) == labels


def test_a_label_is_yielded_while_its_sharpness_is_in_force():
    surrogate = SoftRound(alpha=Linear(start=2.0, end=10.0, end_step=100))
    maxima = [cell_statistics(surrogate).gradient_maximum for _ in at_sharpnesses(surrogate, 100)]
    np.testing.assert_allclose(maxima, [1.31, 3.02, 5.0], atol=0.01)
