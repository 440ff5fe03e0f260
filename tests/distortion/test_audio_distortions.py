"""Distances of sound: closed forms, silence, monotone in the error, one medium a sum."""

import math

import numpy as np
import pytest
import tensorflow as tf

from distortion import (
    LoudnessDistance,
    MeanSquaredError,
    MultiScaleMel,
    ShapedError,
    StftDistance,
    WaveformError,
    WeightedSum,
)
from distortion.spectrogram import power_spectrum

SPEECH_LEVEL = 10 ** (-23 / 20)
SPECTRAL = [StftDistance(), MultiScaleMel(sample_rate=8000), StftDistance(norm=2)]
ALL = [WaveformError(), *SPECTRAL, ShapedError(sample_rate=8000)]
NAMES = ["waveform", "stft", "mel", "stft2", "shaped"]


def noise(seed=0, batch=2, length=2048, rms=SPEECH_LEVEL):
    samples = np.random.default_rng(seed).normal(0, rms, [batch, 1, length, 1])
    return tf.constant(samples, tf.float32)


def value_and_gradient(measure, originals, reconstructions):
    with tf.GradientTape() as tape:
        tape.watch(reconstructions)
        value = measure(originals, reconstructions)
    return value.numpy(), tape.gradient(value, reconstructions).numpy()


def test_waveform_error_counts_thousandths_of_the_coding_level():
    error = tf.reshape([0.0, SPEECH_LEVEL, SPEECH_LEVEL / 10], [3, 1, 1, 1])
    value = WaveformError()(tf.zeros([3, 1, 5, 1]), tf.zeros([3, 1, 5, 1]) + error)
    np.testing.assert_allclose(value, [0, 1000, 10], rtol=1e-5)


@pytest.mark.parametrize("measure", SPECTRAL, ids=NAMES[1:4])
def test_a_gain_is_a_distance_in_decibels(measure):
    """Levels far above the floor move by the gain; the norm says whether it is squared."""
    x = noise(rms=0.3)
    expected = 6.0 if measure._norm == 1 else 36.0
    np.testing.assert_allclose(measure(x, x * 10 ** (-6 / 20)), expected, rtol=0.02)


@pytest.mark.parametrize("measure", SPECTRAL[:2], ids=NAMES[1:3])
def test_levels_of_white_sound_are_its_power(measure):
    levels = measure._levels(noise(length=40000, batch=1), 256).numpy()
    power = 10 * np.log10(np.mean(10 ** (levels / 10), axis=(0, 1, 2)))
    inner = power[1:-1]  # The outermost bins of a real signal are other.
    assert np.abs(inner + 23).max() < 1.0


@pytest.mark.parametrize("sample_rate", [44100, 192000])
def test_mel_bands_without_a_bin_are_left_out(sample_rate):
    """A gain is a distance in decibels, which bands without power would make smaller."""
    x = noise(length=2048, rms=0.3)
    value = MultiScaleMel(sample_rate=sample_rate)(x, x * 10 ** (-6 / 20))
    np.testing.assert_allclose(value, 6.0, rtol=1e-3)


@pytest.mark.parametrize("window, samples", [(64, 1000), (50, 333), (1024, 1024)])
def test_power_spectra_are_tensorflows(window, samples):
    x = noise(length=samples)
    frames = tf.signal.stft(x[..., 0], window, window // 4, window, tf.signal.hann_window)
    expected = np.abs(frames) ** 2 / np.sum(tf.signal.hann_window(window).numpy() ** 2)
    np.testing.assert_allclose(power_spectrum(x, window), expected, rtol=1e-4, atol=1e-8)


def test_shaped_error_is_the_waveforms_where_the_spectrum_is_flat():
    x, error = noise(0, length=40000), 0.1 * noise(1, length=40000)
    for exponent in (0, 0.5, 1):
        shaped = ShapedError(sample_rate=8000, exponent=exponent)(x, x + error)
        np.testing.assert_allclose(shaped, WaveformError()(x, x + error), rtol=0.15)


def test_shaped_error_counts_less_where_the_original_is_louder():
    x, error = noise(0, length=40000), 0.1 * noise(1, length=40000)
    measure = ShapedError(sample_rate=8000, exponent=0.5)
    # 20 dB more power divide it by the root of 100.
    ratio = measure(10 * x, 10 * x + error) / measure(x, x + error)
    np.testing.assert_allclose(ratio, 0.1, rtol=0.02)
    time = np.arange(8000) / 8000
    low, near, far = (
        tf.constant(0.1 * np.sin(2 * np.pi * hertz * time)[None, None, :, None], tf.float32)
        for hertz in (500, 700, 3000)  # 700 is beyond the window's main lobe, within 600 Hz.
    )
    assert measure(low, low + 0.1 * near) < 0.1 * measure(low, low + 0.1 * far)


def test_shaped_error_is_not_masked_by_what_is_yet_to_come():
    measure, time = ShapedError(sample_rate=8000), np.arange(100) / 8000
    tone = np.sin(2 * np.pi * 1000 * time)

    def burst(start, amplitude):
        samples = np.zeros([1, 1, 2048, 1], np.float32)
        samples[0, 0, start : start + 100, 0] = amplitude * tone
        return tf.constant(samples)

    speech = burst(1000, 0.3)
    before, within = (measure(speech, speech + burst(at, 0.01)) for at in (700, 1000))
    assert before > 50 * within


def test_loudness_hears_what_is_neither_masked_nor_below_threshold():
    measure, x, other = LoudnessDistance(sample_rate=8000), noise(0), noise(1)
    assert measure.minimum_size == 256
    # A quarter of the softer loudness is about 4 dB.
    assert (measure(x, x * 10 ** (-2 / 20)) < 0.01).numpy().all()
    assert (measure(x, x * 10 ** (-6 / 20)) > 1).numpy().all()
    # 100 dB below the coding level is below the threshold in quiet, 50 dB above it.
    silence = tf.zeros_like(x)
    assert (measure(silence, 1e-5 * other) < 1e-3).numpy().all()
    assert (measure(silence, 3e-2 * other) > 0.1).numpy().all()


def test_loudness_grows_with_the_error_and_its_gradient_comes_closer():
    measure, x = LoudnessDistance(sample_rate=8000), noise(0, batch=1)
    values = [float(measure(x, x + scale * noise(1, batch=1))[0]) for scale in (0, 1, 2, 4, 8)]
    assert values[0] == 0 and values == sorted(values) and len(set(values)) == 5
    value, gradient = value_and_gradient(measure, x, tf.zeros_like(x))
    assert np.isfinite(gradient).all() and value > 1


@pytest.mark.parametrize("measure", ALL, ids=NAMES)
def test_zero_for_equal_and_growing_with_the_error(measure):
    x, error = noise(0), noise(1)
    values = [float(measure(x, x + scale * error)[0]) for scale in (0, 0.03, 0.1, 0.3, 1, 3)]
    assert values[0] == 0 and values == sorted(values) and len(set(values)) == 6


@pytest.mark.parametrize("measure", ALL, ids=NAMES)
def test_finite_on_silence_and_far_beyond_full_scale(measure):
    silence, loud = tf.zeros([1, 1, 2048, 1]), noise(batch=1, rms=100.0)
    for originals in (silence, loud):
        for reconstructions in (silence, loud, -originals):
            value, gradient = value_and_gradient(measure, originals, reconstructions)
            assert value.dtype == np.float32 and value.shape == (1,)
            assert np.isfinite(value).all() and np.isfinite(gradient).all()


@pytest.mark.parametrize("measure", ALL, ids=NAMES)
def test_a_step_down_the_gradient_comes_closer(measure):
    x = noise(0, batch=1)
    y = x + 0.5 * noise(1, batch=1)
    value, gradient = value_and_gradient(measure, x, y)
    step = 1e-3 * SPEECH_LEVEL * gradient / np.sqrt(np.mean(gradient**2))
    assert measure(x, y - step) < value


def test_weighted_sum_is_the_sum_and_names_its_mistakes():
    x, y = noise(0), noise(1)
    measures = {"waveform": WaveformError(), "stft": StftDistance()}
    total = WeightedSum(measures=measures, weights={"waveform": 0.5, "stft": 3})
    expected = 0.5 * measures["waveform"](x, y) + 3 * measures["stft"](x, y)
    np.testing.assert_allclose(total(x, y), expected, rtol=1e-6)
    assert total.medium == "audio" and total.minimum_size == 1024
    alone = WeightedSum(measures=measures, weights={"waveform": 1, "stft": 0})
    assert alone.minimum_size == 1, "what is not computed demands nothing"
    for weights, message in [
        ({"waveform": 1}, "must name the measures waveform, stft"),
        ({"waveform": -1, "stft": 1}, r"weights.waveform=-1 must be at least 0"),
        ({"waveform": math.nan, "stft": 1}, r"weights.waveform=nan must be at least 0"),
        ({"waveform": 0, "stft": 0}, "one must be above 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            WeightedSum(measures=measures, weights=weights)
    with pytest.raises(ValueError, match="of one medium"):
        WeightedSum(
            measures={"a": WaveformError(), "b": MeanSquaredError()}, weights={"a": 1, "b": 1}
        )


def test_the_model_brings_its_mediums_distortion_unless_one_is_named(compose):
    assert compose().distortion._target_ == "distortion.MeanSquaredError"
    assert compose("model=audio").distortion._target_ == "distortion.WeightedSum"
    measures = compose("model=lapped_audio").distortion.measures
    assert sorted(measures) == ["loudness", "mel", "shaped"]
    named = compose("model=audio", "distortion=waveform_mse")
    assert named.distortion._target_ == "distortion.WaveformError"


@pytest.mark.parametrize("arguments", [{"windows": []}, {"windows": [8]}, {"norm": 3}])
def test_refuses(arguments):
    with pytest.raises(ValueError, match=r"windows=\[|norm=3 must be 1 or 2"):
        StftDistance(**arguments)
    with pytest.raises(ValueError, match="sample_rate=None must be a number of Hz"):
        MultiScaleMel(sample_rate=None)
    for arguments, message in [
        (dict(sample_rate=None), "sample_rate=None must be a number of Hz"),
        (dict(exponent=-0.1), "exponent=-0.1 must be 0 to 1"),
        (dict(window=8), "window=8 must be at least 16 samples"),
        (dict(bandwidth=0), "bandwidth=0 must be above 0 Hz"),
    ]:
        with pytest.raises(ValueError, match=message):
            ShapedError(**{"sample_rate": 8000, **arguments})
    with pytest.raises(ValueError, match="sample_rate=None must be at least 1000 Hz"):
        LoudnessDistance(sample_rate=None)
