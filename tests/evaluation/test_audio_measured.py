"""Measuring sound: the figures are those of the files on disk, and a codec that lies is found."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from evaluation.measure import RoundTripError, check_coded_size, measure, measure_file
from evaluation.media import AUDIO
from evaluation.metrics import audio as audio_metrics
from evaluation.results import Results, read_results, write_results


def results_of(rows):
    return Results.from_rows(rows, name="run", description="", dataset="sounds")


def test_rows_hold_the_figures_of_the_files(sound_codec, sounds, tmp_path):
    seen = []
    rows = measure(AUDIO, sound_codec, iter(sounds), tmp_path / "new", progress=seen.append)
    assert rows == seen and [row["file"] for row in rows] == ["one", "both/ears.wav", "short"]
    assert {8 * file.stat().st_size for file in (tmp_path / "new").iterdir()} == {
        row["bits_coded"] for row in rows
    }
    for row, sound in zip(rows, sounds):
        samples, rate = sound.samples, sound.sample_rate
        decoded = AUDIO.comparable(sound_codec.reconstruct(samples, rate).samples)
        assert (row["samples"], row["channels"], row["sample_rate"]) == (*samples.shape, rate)
        seconds = len(samples) / rate
        assert row["kbps"] == row["bits_coded"] / seconds / 1000
        assert row["kbps_noise"] == pytest.approx(1.05 / 0.998 * row["kbps_rounded"])
        assert row["kbps_training"] < row["kbps_rounded"] < row["kbps"] < row["kbps_fixed_length"]
        assert row["si_sdr"] == audio_metrics.si_sdr(samples, decoded) < row["si_sdr_training"]
        assert row["log_mel"] == audio_metrics.log_mel_distance(samples, decoded, rate)
        assert row["encode_seconds"] > 0 and row["decode_seconds"] > 0
    assert rows[0]["stoi"] > 0.5 and np.isnan(rows[2]["stoi"])
    assert np.isnan(rows[2]["pesq_nb"])
    assert np.isnan(rows[0]["pesq_wb"]), "8 kHz do not hold the wide band"
    check_coded_size(rows, sound_codec.header_bytes)


def test_wrong_samples_are_found(sound_codec, sounds, tmp_path):
    class OneSampleOff(type(sound_codec)):
        def decode(self, data, max_size=None):
            sound = super().decode(data)
            sound.samples[5, 0] -= 3
            return sound

    with pytest.raises(RoundTripError, match=r"one\.rtc: 1 of 9600 samples differ .* up to 3 "):
        measure(AUDIO, OneSampleOff(), sounds[:1], tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s._replace(samples=s.samples[:-1]), r"decodes to int16 \(9599, 1\) at 8000 Hz"),
        (
            lambda s: s._replace(sample_rate=16000),
            r"at 16000 Hz, .* int16 \(9600, 1\) at 8000 Hz",
        ),
        (
            lambda s: s._replace(samples=s.samples.astype(np.float32)),
            "float32 .* must be int16",
        ),
    ],
)
def test_another_length_rate_or_type_is_found(sound_codec, sounds, tmp_path, change, message):
    class Changed(type(sound_codec)):
        def decode(self, data, max_size=None):
            return change(super().decode(data))

    with pytest.raises(RoundTripError, match=message):
        measure_file(AUDIO, Changed(), sounds[0], tmp_path / "one.rtc")


def test_a_file_that_does_not_decode_is_found(sound_codec, sounds, tmp_path):
    class Forgetful(type(sound_codec)):
        def decode(self, data, max_size=None):
            raise ValueError("foreign")

    with pytest.raises(RoundTripError, match=r"one\.rtc: the file just written .*: foreign"):
        measure_file(AUDIO, Forgetful(), sounds[0], tmp_path / "one.rtc")


def test_no_recordings_is_an_error(sound_codec, tmp_path):
    with pytest.raises(ValueError, match="recordings: got none to measure, at least one"):
        measure(AUDIO, sound_codec, [], tmp_path)


def test_digest_tells_samples_shape_and_rate_apart(sounds):
    def sample_digest(samples, sample_rate):
        return AUDIO.digest(sounds[1]._replace(samples=samples, sample_rate=sample_rate))

    samples = sounds[1].samples
    digests = {
        sample_digest(samples, 16000),
        sample_digest(samples, 8000),
        sample_digest(samples.reshape(-1, 1), 16000),
        sample_digest(-samples, 16000),
    }
    assert len(digests) == 4
    assert sample_digest(samples, 16000) == sample_digest(np.asfortranarray(samples), 16000)


def test_results_are_means_over_the_files_that_have_a_measure(sound_codec, sounds, tmp_path):
    rows = measure(AUDIO, sound_codec, sounds, tmp_path / "files")
    results = results_of(rows)
    points = {quantity: values[0] for quantity, values in results.points.items()}
    assert points["kbps"] == np.mean([row["kbps"] for row in rows])
    assert points["log-mel"] == np.mean([row["log_mel"] for row in rows])
    assert points["stoi"] == np.mean([row["stoi"] for row in rows[:2]]), "the short one has none"
    write_results(results, tmp_path / "sounds.json")
    read = read_results(tmp_path / "sounds.json")
    assert read.points["kbps"] == results.points["kbps"] and read.medium.name == "audio"
    with (tmp_path / "sounds.csv").open(newline="") as file:
        records = list(csv.DictReader(file))
    assert [float(record["kbps"]) for record in records] == [row["kbps"] for row in rows]
    assert [record["stoi"] for record in records][2] == "nan"


def test_a_lost_signal_leaves_no_mean(sound_codec, sounds, tmp_path):
    rows = measure(AUDIO, sound_codec, sounds[:2], tmp_path / "files")
    lost = [dict(rows[0], si_sdr=-np.inf), rows[1]]
    write_results(results_of(lost), tmp_path / "sounds.json")
    document = json.loads((tmp_path / "sounds.json").read_text())
    assert document["results"]["si-sdr"] == [None]
