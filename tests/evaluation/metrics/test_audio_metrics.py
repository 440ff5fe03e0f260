"""Measures of sound: closed forms, invariances, and what silence and short sounds give."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.metrics import speech
from evaluation.metrics.audio import BANDS, FLOOR_DB, log_mel, log_mel_distance, si_sdr
from evaluation.metrics.speech import has_pesq, pesq, stoi

needs_pesq = pytest.mark.skipif(
    not has_pesq(), reason="the package pesq is not installed: it needs a C compiler"
)


def with_noise(samples, level, seed=0):
    noise = np.random.default_rng(seed).standard_normal(samples.shape)
    return (samples + level * noise).astype(np.float32)


def sine(hertz, seconds=1.0, sample_rate=8000, amplitude=1.0):
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    return (amplitude * np.sin(2 * np.pi * hertz * t))[:, np.newaxis]


@pytest.mark.parametrize("ratio_db", [-10.0, 0.0, 7.0, 40.0])
def test_si_sdr_of_orthogonal_noise_is_the_ratio_of_energies(ratio_db):
    signal, noise = sine(100), sine(300)  # whole periods: orthogonal, of one energy
    reconstruction = signal + 10 ** (-ratio_db / 20) * noise
    assert si_sdr(signal, reconstruction) == pytest.approx(ratio_db, abs=1e-9)


def test_si_sdr_does_not_see_scale_but_sees_offset(sounds):
    original = sounds[0].samples
    noisy = with_noise(original, 0.01).astype(np.float64)
    value = si_sdr(original, noisy)
    for factor in (1e-3, -1.0, 50.0):
        assert si_sdr(original, factor * noisy) == pytest.approx(value)
        assert si_sdr(factor * original.astype(np.float64), noisy) == pytest.approx(value)
    assert si_sdr(original, noisy + 0.05) < value - 3


def test_si_sdr_at_its_limits():
    signal, silence = sine(100), np.zeros([8000, 1])
    assert si_sdr(signal, signal) == np.inf
    assert si_sdr(signal, silence) == -np.inf
    assert np.isnan(si_sdr(silence, signal))
    assert np.isnan(si_sdr(silence, silence))


def test_si_sdr_is_the_mean_over_channels_that_have_it():
    left, right = sine(100) + 0.1 * sine(300), sine(100) + 0.01 * sine(300)
    original = np.concatenate([sine(100)] * 2, axis=1)
    both = np.concatenate([left, right], axis=1)
    assert si_sdr(original, both) == pytest.approx((20 + 40) / 2)
    original[:, 1] = 0
    assert si_sdr(original, both) == pytest.approx(20)


def test_log_mel_of_a_full_scale_sine_is_near_0_db():
    for hertz in (200, 1000, 3000):
        levels = log_mel(sine(hertz)[:, 0], 8000)
        assert levels.shape[1] == BANDS
        # Neighbouring triangles share the power: what they hold together is that of the sine.
        power = np.sum(10 ** (levels[10] / 10))
        assert 10 * np.log10(power) == pytest.approx(0, abs=0.5)
    assert (log_mel(np.zeros(4000), 8000) == FLOOR_DB).all()


def test_log_mel_distance_of_a_gain_is_the_gain():
    noise = with_noise(np.zeros([8000, 1]), 0.1)
    assert log_mel_distance(noise, 0.5 * noise, 8000) == pytest.approx(20 * np.log10(2), abs=1e-4)
    assert log_mel_distance(noise, noise, 8000) == 0
    assert log_mel_distance(noise, -noise, 8000) == pytest.approx(0, abs=1e-6)


def test_log_mel_distance_is_limited_by_the_floor():
    noise = with_noise(np.zeros([8000, 1]), 0.1)
    silence = np.zeros_like(noise)
    expected = np.mean(log_mel(noise[:, 0], 8000)) - FLOOR_DB
    assert log_mel_distance(noise, silence, 8000) == pytest.approx(expected)
    assert log_mel_distance(silence, silence, 8000) == 0


@pytest.mark.parametrize("length", [1, 2, 100, 257])
@pytest.mark.parametrize("sample_rate", [4000, 8000, 44100])
def test_any_length_and_rate_has_a_log_mel_distance(length, sample_rate):
    samples = with_noise(np.zeros([length, 2]), 0.1)
    assert np.isfinite(log_mel_distance(samples, 0.5 * samples, sample_rate))
    assert np.isnan(stoi(samples, samples, sample_rate))
    assert np.isnan(pesq(samples, samples, sample_rate))


def test_measures_fall_with_noise(sounds):
    for sound in sounds[:2]:
        versions = [with_noise(sound.samples, level) for level in (1e-4, 1e-3, 1e-2)]
        arguments = [(sound.samples, version, sound.sample_rate) for version in versions]
        assert np.all(np.diff([log_mel_distance(*each) for each in arguments]) > 0)
        assert np.all(np.diff([stoi(*each) for each in arguments]) < 0)
        if has_pesq():
            assert np.all(np.diff([pesq(*each) for each in arguments]) < 0)


def test_stoi_of_equal_sounds_is_1_and_of_silence_nan(sounds):
    speech = sounds[0].samples
    assert stoi(speech, speech, 8000) == pytest.approx(1)
    assert np.isnan(stoi(np.zeros_like(speech), speech, 8000))
    assert stoi(speech, np.zeros_like(speech), 8000) == pytest.approx(0, abs=1e-3)
    assert np.isnan(stoi(sounds[2].samples, sounds[2].samples, 8000))


@needs_pesq
def test_pesq_of_equal_sounds_is_the_top_of_its_scale(sounds):
    speech, stereo = sounds[0].samples, sounds[1].samples
    assert pesq(speech, speech, 8000) == pytest.approx(4.549, abs=1e-3)
    assert pesq(stereo, stereo, 16000, "wb") == pytest.approx(4.644, abs=1e-3)


@needs_pesq
def test_pesq_of_a_silent_reconstruction_is_the_bottom(sounds):
    speech = sounds[0].samples
    assert pesq(speech, np.zeros_like(speech), 8000) == pytest.approx(1.017, abs=1e-3)
    assert np.isnan(pesq(np.zeros_like(speech), speech, 8000))
    assert np.isnan(pesq(sounds[2].samples, sounds[2].samples, 8000))


@needs_pesq
def test_pesq_needs_its_band_and_resamples(sounds):
    speech, stereo = sounds[0].samples, sounds[1].samples
    assert np.isnan(pesq(speech, speech, 8000, "wb"))
    assert pesq(stereo, with_noise(stereo, 1e-3), 16000, "nb") > 1
    with pytest.raises(ValueError, match="band='ultra' must be 'nb' or 'wb'"):
        pesq(speech, speech, 8000, "ultra")


@needs_pesq
def test_pesq_of_more_utterances_than_its_code_holds(sounds):
    """In one piece the C code of P.862 writes beyond its arrays and ends the process."""
    speech = np.tile(np.pad(sounds[0].samples, [(0, 6000), (0, 0)]), (80, 1))
    value = pesq(speech, with_noise(speech, 1e-3), 8000)
    part = speech[: len(speech) // 16]
    assert value == pytest.approx(pesq(part, with_noise(part, 1e-3), 8000), abs=0.3)


def test_without_the_package_there_is_no_pesq(sounds, monkeypatch):
    monkeypatch.setattr(speech, "has_pesq", lambda: False)
    assert np.isnan(pesq(sounds[0].samples, sounds[0].samples, 8000))


@pytest.mark.parametrize(
    ("original", "reconstruction", "message"),
    [
        (np.zeros([4, 1], np.int16), np.zeros([4, 1]), "original must be floats .* int16"),
        (np.zeros([4]), np.zeros([4]), r"original must be floats \[samples, channels\]"),
        (np.zeros([0, 1]), np.zeros([0, 1]), r"original must be floats .*\(0, 1\)"),
        (np.zeros([4, 1]), np.zeros([5, 1]), r"have the original's shape \(4, 1\), got \(5, 1\)"),
    ],
)
def test_what_is_no_pair_of_sounds_is_refused(original, reconstruction, message):
    for measure in (
        si_sdr,
        lambda a, b: log_mel_distance(a, b, 8000),
        lambda a, b: pesq(a, b, 8000),
        lambda a, b: stoi(a, b, 8000),
    ):
        with pytest.raises(ValueError, match=message):
            measure(original, reconstruction)
