"""The level of coding: closed forms, and the data's own rule."""

import numpy as np
import pytest

from data.loudness import loudness_gain as loudness_gain_of_data
from signals.loudness import from_half_decibels, half_decibels, loudness_gain

SINE = np.sin(2 * np.pi * np.arange(8000) / 80).astype(np.float32)
CLICK = np.eye(1, 10000, 5000, dtype=np.float32)[0]


@pytest.mark.parametrize("level", [1e-30, 0.01, 1.0, 1e4])
def test_brings_a_sine_to_its_level(level):
    scaled = (level * SINE).astype(np.float32)
    rms = np.sqrt(np.mean((loudness_gain(scaled) * scaled) ** 2))
    assert 20 * np.log10(rms) == pytest.approx(-23, abs=1e-3)


def test_the_peak_of_a_click_stays_below_full_scale():
    assert loudness_gain(CLICK) == pytest.approx(0.99)


def test_silence_stays_as_it_is():
    assert loudness_gain(np.zeros([5, 2], np.float32)) == 1.0


@pytest.mark.parametrize("samples", [SINE, 0.01 * SINE, CLICK, 0 * CLICK])
def test_is_the_rule_that_training_data_follow(samples):
    assert loudness_gain(samples) == pytest.approx(loudness_gain_of_data(samples), rel=1e-5)


def test_half_decibels():
    assert half_decibels(1.0) == 0 and half_decibels(1e9) == 127 and half_decibels(1e-9) == -128
    for gain in (0.01, 0.7, 30.0):
        assert 20 * np.log10(from_half_decibels(half_decibels(gain)) / gain) == pytest.approx(
            0, abs=0.25 + 1e-9
        )
