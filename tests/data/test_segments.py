"""From a recording to training segments: rate, loudness, stretches, padding."""

import numpy as np
import pytest

from data.segments import (
    decode_rows,
    padded,
    row_lengths,
    segment_sampler,
    stretches,
    training_form,
)
from signals.audio_files import AudioSize
from signals.high_pass import high_pass
from signals.resampling import resampled_length


def rms_level(samples):
    return 20 * np.log10(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def test_training_form_keeps_the_rate_and_the_balance_of_channels():
    generator = np.random.default_rng(1)
    samples = (generator.normal(size=(4000, 2)) * [0.2, 0.05]).astype(np.float32)
    form = training_form(samples, 8000, sample_rate=8000)
    assert form.shape == (2, 4000) and form.dtype == np.float32
    assert rms_level(form) == pytest.approx(-23, abs=0.01)
    heard = high_pass(samples, 8000)
    np.testing.assert_allclose(form.T, heard * (form[0, 0] / heard[0, 0]), rtol=1e-5)


def test_training_form_has_no_offset_and_the_level_of_what_is_heard():
    time = np.arange(8000) / 8000
    tone = 0.1 * np.sin(2 * np.pi * 500 * time)[:, np.newaxis]
    form = training_form((tone + 0.3).astype(np.float32), 8000, sample_rate=8000)
    expected = tone * 10 ** (-23 / 20) / (0.1 * np.sqrt(0.5))
    np.testing.assert_allclose(form.T[1000:-1000], expected[1000:-1000], atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000, 192000])
def test_resampling_keeps_a_tone(rate):
    time = np.arange(rate) / rate
    tone = 0.3 * np.sin(2 * np.pi * 500 * time)[:, np.newaxis].astype(np.float32)
    form = training_form(tone, rate, sample_rate=16000)
    assert form.shape == (1, 16000)
    expected = np.sin(2 * np.pi * 500 * np.arange(16000) / 16000)
    expected *= 10 ** (-23 / 20) * np.sqrt(2)
    middle = slice(1000, 15000)
    assert np.abs(form[0, middle] - expected[middle]).max() < 1e-3


@pytest.mark.parametrize("length", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(("rate", "sample_rate"), [(44100, 8000), (8000, 44100), (96000, 8000)])
def test_the_length_after_resampling_is_known_before(length, rate, sample_rate):
    samples = np.random.default_rng(2).uniform(-1, 1, (length, 1)).astype(np.float32)
    form = training_form(samples, rate, sample_rate=sample_rate)
    wanted = resampled_length(length, rate, sample_rate)
    assert form.shape == (1, wanted) and wanted >= 1
    assert row_lengths([AudioSize(length, 2, rate)], sample_rate) == [wanted, wanted]


@pytest.mark.parametrize("segment", [1, 4, 7])
def test_stretches_hold_every_segment_of_a_row_once(segment):
    lengths = [1, 3, 4, 5, 7, 8, 9, 30]
    parts = stretches(lengths, segment)
    begins = [[] for _ in lengths]
    for row, start, width in zip(*parts):
        begins[row] += range(start, start + width - segment + 1)
    for length, found in zip(lengths, begins):
        assert found == list(range(max(length, segment) - segment + 1))
    counts = np.bincount(parts.rows)
    assert counts.tolist() == [max(1, length // segment) for length in lengths]


def test_padding_adds_zeros_at_the_end():
    assert padded(np.ones((1, 2)), 4).tolist() == [[1, 1, 0, 0]]
    assert padded(np.ones((1, 5)), 4).shape == (1, 5)


def test_an_epoch_takes_segments_from_everywhere_in_proportion_to_length():
    """Samples count up, so that a segment says where it is from; nothing is turned around."""
    recordings = [
        np.arange(1, 1 + 2 * length, dtype=np.float32).reshape(2, length) + 1000 * number
        for number, length in enumerate((3, 16, 80), start=1)
    ]
    rows = decode_rows(recordings.__getitem__, 3, 8)
    assert (rows.count, rows.padded, rows.silent) == (6, 2, 0)
    sampler = segment_sampler(segment=8, batch_size=26, seed=3, first_step=0)
    batches = list(sampler.from_memory(rows.images).take(30).as_numpy_iterator())
    begins = set()
    for batch in batches:  # 26 stretches: each batch is one epoch
        assert batch.shape == (26, 1, 8, 1) and batch.dtype == np.float32
        owners = np.bincount((batch[:, 0, 0, 0] // 1000).astype(int), minlength=4)
        assert owners.tolist() == [0, 2, 4, 20]
        for values in batch[:, 0, :, 0]:
            if values[-1]:
                np.testing.assert_array_equal(np.diff(values), 1)
            else:
                assert values.tolist() in (
                    [1001, 1002, 1003] + [0] * 5,
                    [1004, 1005, 1006] + [0] * 5,
                )
            begins.add(values[0])
    assert {3001, 3073, 3081, 3153} <= begins  # first and last segment of both channels
