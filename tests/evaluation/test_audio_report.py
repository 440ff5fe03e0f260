"""The whole report of a codec on sound: files, table, figure, and what to listen to."""

from __future__ import annotations

import csv
import dataclasses
import json

import numpy as np
import pytest
import soundfile
from PIL import Image

from evaluation import report as report_module
from evaluation import tables
from evaluation.classical.opus import OPUS
from evaluation.classical.vorbis import VORBIS
from evaluation.media import AUDIO
from evaluation.metrics import speech
from evaluation.report import report as full_report


@pytest.fixture
def two_codecs(monkeypatch):
    """A short Opus and Vorbis: their curves are tested elsewhere."""
    short = {
        codec.name: dataclasses.replace(codec, ladder=(codec.lowest, 64))
        for codec in (OPUS, VORBIS)
    }
    monkeypatch.setattr(report_module, "classical_codecs", lambda: short)


def report(codec, recordings, folder, *, dataset, **more):
    """In its own folder, apart from the curves."""
    more = {"provenance": {}, **more}
    return full_report(
        AUDIO, codec, recordings, folder / "o", dataset=dataset, ladders=folder / "ladders", **more
    )


def test_leaves_files_data_table_figure_and_sound(
    sound_codec, sounds, tmp_path, capsys, two_codecs
):
    results = report(
        sound_codec, lambda: iter(sounds), tmp_path, dataset="three", provenance={"seed": 7}
    )
    assert {path.name for path in (tmp_path / "o").iterdir()} == {
        "three",
        "three-audio",
        *(f"three.{suffix}" for suffix in ("json", "csv", "txt", "png", "svg")),
    }
    coded = sorted((tmp_path / "o" / "three").iterdir())
    assert [path.name for path in coded] == ["both%2Fears.wav.rtc", "one.rtc", "short.rtc"]
    with (tmp_path / "o" / "three.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {int(row["bits_coded"]) for row in rows} == {8 * path.stat().st_size for path in coded}
    assert json.loads((tmp_path / "o" / "three.json").read_text())["provenance"] == {"seed": 7}
    output = capsys.readouterr().out
    assert (tmp_path / "o" / "three.txt").read_text().strip() in output
    assert output.count("SI-SDR") >= 3 and "warning" not in output
    assert results.dataset.files == len(sounds)
    with Image.open(tmp_path / "o" / "three.png") as image:
        assert image.width > 1500

    played = {path.name for path in (tmp_path / "o" / "three-audio").iterdir()}
    names = ("both%2Fears.wav", "one", "short")
    versions = ("original", "decoded", "opus")
    assert played == {f"{name}.{version}.wav" for name in names for version in versions}
    for sound, name in zip(sounds, ("one", "both%2Fears.wav", "short")):
        decoded, rate = soundfile.read(
            tmp_path / "o" / "three-audio" / f"{name}.decoded.wav", dtype="int16", always_2d=True
        )
        assert rate == sound.sample_rate
        expected = sound_codec.reconstruct(sound.samples, sound.sample_rate).samples
        np.testing.assert_array_equal(decoded, expected)


def test_the_table_says_both_rates_and_the_gap(sound_codec, sounds, tmp_path, two_codecs):
    results = report(sound_codec, lambda: iter(sounds), tmp_path, dataset="s")
    lines = (tmp_path / "o" / "s.txt").read_text().splitlines()
    assert max(map(len, lines)) <= 100
    point = {key: values[0] for key, values in results.points.items()}
    learned = next(line for line in lines if line.startswith("coarse"))
    assert learned.split()[1:5] == [
        f"{point['kbps']:.2f}",
        f"{point['kbps']:.2f}",
        f"{point['si-sdr']:.2f}",
        f"{point['log-mel']:.2f}",
    ]
    opus = next(line.split() for line in lines if line.startswith("Opus "))
    assert float(opus[1]) == pytest.approx(point["kbps"], rel=0.2)
    assert float(opus[2]) > float(opus[1])
    rate = next(line for line in lines if line.startswith("rate (kbps)"))
    keys = ("kbps-training", "kbps-rounded", "kbps")
    assert rate.split()[-3:] == [f"{point[key]:.3f}" for key in keys]
    assert "STOI: no number for 1 of 3 files (less than 0.4 s of audio)." in lines
    speed = next(line for line in lines if line.startswith("speed: 2.4 s of audio"))
    assert "as fast as it plays" in speed


def test_missing_pesq_is_said(sound_codec, sounds, tmp_path, monkeypatch, two_codecs):
    for module in (speech, tables):
        monkeypatch.setattr(module, "is_installed", lambda package: False)
    results = report(sound_codec, lambda: iter(sounds[:1]), tmp_path, dataset="s")
    assert np.isnan(results.points["pesq-nb"][0])
    table = (tmp_path / "o" / "s.txt").read_text()
    assert "the package pesq is not installed (pip install -e '.[pesq]'" in table


def test_silence_is_reported_too(sound_codec, sounds, tmp_path, two_codecs):
    silent = sounds[0]._replace(name="silent", samples=np.zeros_like(sounds[0].samples))
    report(sound_codec, lambda: iter([silent, sounds[0]]), tmp_path, dataset="s")
    table = (tmp_path / "o" / "s.txt").read_text()
    assert "SI-SDR: no number for 1 of 2 files (silent)." in table
    assert "nan" not in table


def test_without_classical_codecs(sound_codec, sounds, tmp_path):
    report(sound_codec, lambda: iter(sounds), tmp_path, dataset="s", classical=[])
    assert sorted(path.name for path in (tmp_path / "o" / "s-audio").iterdir())[:2] == [
        "both%2Fears.wav.decoded.wav",
        "both%2Fears.wav.original.wav",
    ]
    table = (tmp_path / "o" / "s.txt").read_text()
    assert "Opus," not in table and (tmp_path / "o" / "s.png").exists()
    assert not (tmp_path / "ladders").exists()


def test_curves_are_kept(sound_codec, sounds, tmp_path, two_codecs, monkeypatch):
    first = report(sound_codec, lambda: iter(sounds[:1]), tmp_path, dataset="s")
    kept = sorted((tmp_path / "ladders").iterdir())
    assert [path.name.split("-")[1] for path in kept] == ["Opus", "Vorbis"]

    def never(*arguments, **settings):
        raise AssertionError("measured anew")

    monkeypatch.setattr("evaluation.classical.ladders.measure_rows", never)
    assert (
        report(sound_codec, lambda: iter(sounds[:1]), tmp_path, dataset="s").dataset
        == first.dataset
    )


def test_samples_beyond_full_scale_are_said(sound_codec, sounds, tmp_path, capsys):
    loud = sounds[2]._replace(name="loud.wav", samples=sounds[2].samples * 9)
    report(sound_codec, lambda: iter([sounds[2], loud]), tmp_path, dataset="two", classical=[])
    warnings = [line for line in capsys.readouterr().out.splitlines() if "warning" in line]
    assert len(warnings) == 1
    peak = np.abs(loud.samples).max()
    assert (
        f"warning: loud.wav has samples up to {peak:.4g}, but full scale is 1. It was not sc"
        in (warnings[0])
    )
