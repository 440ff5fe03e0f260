"""The level of training and coding: closed forms."""

import numpy as np
import pytest

from signals.loudness import CODING_POWER, from_half_decibels, half_decibels, loudness_gain

SINE = np.sin(0.1 * np.arange(8000))


@pytest.mark.parametrize("scale", [1e-30, 1e-4, 0.1, 1.0, 1e30])
def test_brings_a_sine_to_its_level_whatever_it_had(scale):
    scaled = scale * SINE
    rms = np.sqrt(np.mean((loudness_gain(scaled) * scaled) ** 2))
    assert 20 * np.log10(rms) == pytest.approx(-23, abs=1e-9)
    assert rms**2 == pytest.approx(CODING_POWER)


@pytest.mark.parametrize("scale", [1e-30, 0.1, 1e30])
def test_float32_has_the_gain_of_the_same_samples_in_float64(scale):
    samples = (scale * SINE).astype(np.float32).reshape(-1, 2)
    assert loudness_gain(samples) == loudness_gain(samples.astype(np.float64))


def test_the_peak_limits_the_gain():
    click = np.zeros(100_000, np.float32)
    click[5] = -0.25
    assert loudness_gain(click) == pytest.approx(0.99 / 0.25)


def test_silence_is_not_scaled():
    assert loudness_gain(np.zeros([5, 2], np.float32)) == 1.0
    assert loudness_gain(np.zeros([0, 1])) == 1.0


def test_the_gain_of_the_smallest_samples_is_a_float32():
    samples = np.array([[0], [1e-45], [-1e-42]], np.float32)
    assert np.isfinite(samples * np.float32(loudness_gain(samples))).all()


def test_half_decibels():
    assert half_decibels(1.0) == 0 and half_decibels(1e9) == 127 and half_decibels(1e-9) == -128
    for gain in (0.01, 0.7, 30.0):
        assert 20 * np.log10(from_half_decibels(half_decibels(gain)) / gain) == pytest.approx(
            0, abs=0.25 + 1e-9
        )
