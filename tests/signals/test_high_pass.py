"""The high-pass before coding: what it takes away, and what it leaves alone."""

import numpy as np
import pytest

from signals import high_pass as module
from signals.high_pass import high_pass

RATE = 8000


def tone(frequency, seconds=2.0, rate=RATE):
    time = np.arange(round(seconds * rate)) / rate
    return np.sin(2 * np.pi * frequency * time, dtype=np.float64).astype(np.float32)[:, np.newaxis]


@pytest.mark.parametrize("length", [1, 2, 100, RATE])
def test_an_offset_goes_whatever_the_length(length):
    filtered = high_pass(np.full([length, 1], 0.5, np.float32), RATE)
    assert filtered.shape == (length, 1) and filtered.dtype == np.float32
    np.testing.assert_allclose(filtered, 0, atol=1e-6)


def test_an_offset_leaves_no_step_at_the_ends():
    speech_like = tone(300)
    with_offset = high_pass(speech_like + np.float32(0.5), RATE)
    np.testing.assert_allclose(with_offset, high_pass(speech_like, RATE), atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 48000])
def test_rumble_goes_and_what_is_heard_stays_where_it_is(rate):
    inside = slice(rate // 4, -rate // 4)
    assert np.abs(high_pass(tone(4, rate=rate), rate)[inside]).max() < 0.01
    for frequency, error in ((100, 2e-3), (1000, 1e-5)):
        heard = tone(frequency, rate=rate)
        np.testing.assert_allclose(high_pass(heard, rate)[inside], heard[inside], atol=error)


def test_at_low_rates_less_is_removed():
    slow, inside = tone(10, seconds=60, rate=100), slice(2000, -2000)
    np.testing.assert_allclose(high_pass(slow, 100)[inside], slow[inside], atol=1e-5)


def test_blocks_and_channels_do_not_matter(monkeypatch):
    samples = np.random.default_rng(0).normal(0.2, 0.1, [3000, 2]).astype(np.float32)
    whole = high_pass(samples, RATE)
    monkeypatch.setattr(module, "_BLOCK", 700)
    np.testing.assert_array_equal(high_pass(samples, RATE), whole)
    np.testing.assert_array_equal(high_pass(samples[:, 1:], RATE), whole[:, 1:])
