"""Length, channels and padding; that a tone survives is tested with training segments."""

import numpy as np
import pytest

from signals.resampling import resample, resampled_length


@pytest.mark.parametrize("padding", ["edge", "constant"])
@pytest.mark.parametrize(("rate", "to_rate"), [(44100, 8000), (8000, 44100), (96000, 8000)])
@pytest.mark.parametrize("length", [1, 2, 3, 7, 100, 4411])
def test_the_length_follows_from_the_rates(length, rate, to_rate, padding):
    samples = np.random.default_rng(0).uniform(-1, 1, (length, 2)).astype(np.float32)
    wanted = resampled_length(length, rate, to_rate)
    assert wanted == int(np.ceil(length * to_rate / rate)) >= 1
    result = resample(samples, rate, to_rate, wanted, padding=padding)
    assert result.shape == (wanted, 2) and result.dtype == np.float32
    for channel in range(2):
        alone = resample(samples[:, channel : channel + 1], rate, to_rate, wanted, padding=padding)
        np.testing.assert_array_equal(result[:, channel], alone[:, 0])


def test_what_the_filter_omits_repeats_the_last_sample_or_is_zero():
    samples = np.full((1, 1), 0.5, np.float32)  # soxr gives nothing at all for it
    assert resample(samples, 48000, 8000, 1).tolist() == [[0.5]]
    assert resample(samples, 48000, 8000, 1, padding="constant").tolist() == [[0]]


def test_equal_rates_leave_the_samples_alone():
    samples = np.ones((5, 1), np.float32)
    assert resample(samples, 8000, 8000, 5) is samples
