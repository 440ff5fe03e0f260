"""The audio transform that begins as a modulated lapped transform codec."""

import numpy as np
import pytest
import tensorflow as tf

from models import modulated_basis
from models.lapped_audio import LappedAudioTransforms
from models.tiling import apply_in_tiles
from processor.stack import set_random_seed

RATE = 8000


def make(**settings):
    set_random_seed(0)
    defaults = dict(lmbda=0.035, sample_rate=RATE, latent_channels=32, num_filters=8)
    return LappedAudioTransforms(**{**defaults, **settings})


def noise(rows, samples, seed=0):
    return 0.07 * tf.random.stateless_normal([2, rows, samples, 1], [seed, 0])


def speech_like(samples, seed=0):
    """Noise with the spectrum of speech, from 150 Hz, at the level at which audio is coded."""
    white = np.random.default_rng(seed).normal(size=samples)
    hertz = np.fft.rfftfreq(samples, 1 / RATE)
    shape = (1 + hertz / modulated_basis.CORNER) ** -modulated_basis.SLOPE * (hertz > 150)
    values = np.fft.irfft(np.fft.rfft(white) * shape, samples)
    return np.float32(values * 10 ** (-23 / 20) / np.std(values))


@pytest.mark.parametrize("size", [8, 128])
def test_basis_is_orthonormal_also_over_the_overlap(size):
    basis = modulated_basis.kernel(size)
    np.testing.assert_allclose(basis.T @ basis, np.eye(size), atol=1e-12)
    np.testing.assert_allclose(basis[:size].T @ basis[size:], 0, atol=1e-12)


def test_channels_are_frequencies_from_low_to_high():
    transforms = make(latent_channels=128, blocks=0, shaping=0)
    for hertz in (100, 1000, 3900):
        tone = np.sin(2 * np.pi * hertz / RATE * np.arange(1280)).astype(np.float32)
        energy = np.sum(np.square(transforms.analysis(tone[None, None, :, None])), axis=(0, 1, 2))
        assert abs(np.argmax(energy) - hertz / (RATE / 2) * 128) < 2


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_untrained_it_reconstructs_audio_to_its_first_and_last_sample(frames):
    transforms, audio = make(), noise(3, 32 * frames)
    latents = transforms.analysis(audio)
    assert latents.shape == (2, 3, frames, 32)
    np.testing.assert_allclose(transforms.synthesis(latents), audio, atol=1e-5)


def test_spreads_are_those_of_speech():
    transforms = make(latent_channels=128)
    latents = transforms.analysis(speech_like(80_000)[None, None, :, None])
    measured = np.sqrt(np.mean(np.square(latents), axis=(0, 1, 2)))
    logarithms = np.log(measured / transforms.latent_spreads)[5:]
    assert abs(np.mean(logarithms)) < 0.3 and np.std(logarithms) < 0.2


@pytest.mark.parametrize("lmbda", [0.01, 0.3])
def test_the_quantization_step_follows_lmbda(lmbda):
    """At high rates, an error of 1 / (2 ln 2 lmbda) minimizes rate plus weighted error."""
    from distortion import WaveformError

    transforms = make(lmbda=lmbda, shaping=0, latent_channels=128)
    audio = tf.constant(speech_like(80_000)[None, None, :, None])
    rounding = tf.random.stateless_uniform([1, 1, 625, 128], [0, 1], -0.5, 0.5)
    decoded = transforms.synthesis(transforms.analysis(audio) + rounding)
    error = float(WaveformError()(audio, decoded)[0])
    assert error == pytest.approx(1 / (2 * np.log(2) * lmbda), rel=0.05)


def test_steps_follow_the_spectrum_of_speech():
    even, shaped = make(shaping=0.0), make(shaping=0.5)
    ratio = np.array(even.latent_spreads) / shaped.latent_spreads
    expected = modulated_basis.spreads(32, RATE) ** 0.5
    np.testing.assert_allclose(ratio / ratio[0], expected / expected[0], rtol=1e-6)
    assert np.mean(np.log(ratio)) == pytest.approx(0, abs=1e-6)


def test_rows_are_coded_by_themselves_and_tiles_give_the_whole():
    transforms = make()
    for number, variable in enumerate(transforms.trainable_variables):
        variable.assign_add(0.02 * tf.random.stateless_normal(variable.shape, [number, 1]))
    audio = noise(2, 32 * 40)
    latents = transforms.analysis(audio)
    np.testing.assert_allclose(transforms.analysis(audio[:, 1:]), latents[:, 1:], atol=1e-4)
    for direction, inputs in (("analysis", audio), ("synthesis", latents)):
        whole = getattr(transforms, direction)(inputs)
        tiled = apply_in_tiles(transforms, direction, inputs, whole=16, tile=4)
        np.testing.assert_allclose(tiled, whole, atol=1e-4 * np.abs(whole).max())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(lmbda=0.0), "lmbda=0.0 must be above 0"),
        (dict(step_factor=-1), "step_factor=-1 must be above 0"),
        (dict(step_factor=np.inf), "step_factor=inf must be above 0 and finite"),
        (dict(latent_channels=33), "latent_channels=33 must be even, at least 2"),
        (dict(blocks=-1), "blocks=-1 must be at least 0"),
        (dict(num_filters=0), "num_filters=0 must be at least 1"),
        (dict(shaping=1.5), "shaping=1.5 must be 0 to 1"),
        (dict(sample_rate=None), "sample_rate=None must be a number of Hz: model=lapped_audio"),
        (dict(precision="float16"), "precision='float16' must be one of"),
    ],
)
def test_errors_name_the_argument(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)
