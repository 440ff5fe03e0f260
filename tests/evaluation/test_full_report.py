"""The whole report of a codec on a dataset: files, table, figure, warnings."""

import csv
import json
from typing import NamedTuple

import numpy as np
import pytest

from evaluation import report as module
from evaluation.media import IMAGE
from evaluation.report import read_tables, report


def test_leaves_files_data_table_and_figure(codec, photos, tmp_path, capsys):
    results = report(
        IMAGE, codec, lambda: iter(photos), tmp_path, dataset="three", provenance={"seed": 7}
    )
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "three",
        *(f"three.{suffix}" for suffix in ("json", "csv", "txt", "png", "svg")),
    }
    coded = sorted((tmp_path / "three").iterdir())
    assert len(coded) == len(photos)
    with (tmp_path / "three.csv").open() as file:
        rows = list(csv.DictReader(file))
    sizes = {8 * path.stat().st_size for path in coded}
    assert {int(row["bits_coded"]) for row in rows} == sizes
    assert json.loads((tmp_path / "three.json").read_text())["provenance"] == {"seed": 7}
    output = capsys.readouterr().out
    assert (tmp_path / "three.txt").read_text().strip() in output
    assert "warning" not in output
    assert results.dataset.files == len(photos)


def test_a_codec_that_cannot_code_a_file_costs_its_own_cell(codec, photos, tmp_path, capsys):
    """WebP ends at 16383 pixels; the evaluation once did too."""
    strip = photos[2]._replace(name="strip", pixels=np.tile(photos[2].pixels[:16], (1, 140, 1)))
    files = [photos[0], strip]
    report(IMAGE, codec, lambda: iter(files), tmp_path, dataset="two", provenance={})
    output = capsys.readouterr().out
    assert output.count("warning: WebP cannot code strip: ") == 1
    table = (tmp_path / "two.txt").read_text().splitlines()
    assert "WebP cannot code 1 of 2 files (strip): it has no mean and no curve." in table
    lines = {line.split()[0]: line.split() for line in table if line and line[-1] in "0123456789-"}
    assert lines["WebP"][1:] == ["-"] * (1 + len(IMAGE.metrics)) and float(lines["JPEG"][2]) > 20
    assert lines["strip"][-3:] == ["-"] * 3 and "-" not in lines["astronaut"]
    assert ">WebP" not in (tmp_path / "two.svg").read_text()


def test_tables_of_an_earlier_report_do_not_outlive_its_results(
    codec, photos, tmp_path, monkeypatch
):
    def reported(classical):
        report(
            IMAGE, codec, lambda: iter(photos[:1]), tmp_path, dataset="one", provenance={},
            classical=classical,
        )  # fmt: skip

    def killed(*arguments):
        raise KeyboardInterrupt

    reported([])
    assert read_tables(tmp_path / "one.txt")
    monkeypatch.setattr(module, "closest_to", killed)
    with pytest.raises(KeyboardInterrupt):
        reported(["JPEG"])
    assert read_tables(tmp_path / "one.txt") is None


def test_a_collapse_is_said(codec, photos, tmp_path, capsys, monkeypatch):
    honest = codec.estimate_bits

    def shrunken(pixels):
        return honest(pixels)._replace(noise=4 * honest(pixels).rounded)

    monkeypatch.setattr(codec, "estimate_bits", shrunken)
    report(IMAGE, codec, lambda: iter(photos[:1]), tmp_path, dataset="one", provenance={})
    assert "warning: the latents have collapsed: rounded they hold 25%" in capsys.readouterr().out


def test_the_gap_between_training_and_coding_is_said(codec, photos, tmp_path):
    results = report(IMAGE, codec, lambda: iter(photos[:2]), tmp_path, dataset="two", provenance={})
    heading, rate, quality, fixed = (tmp_path / "two.txt").read_text().splitlines()[-4:]
    assert heading.split()[-4:] == ["training", "value", "rounded", "coded"]
    point = {key: values[0] for key, values in results.points.items()}
    keys = ("bpp-training", "bpp-rounded", "bpp")
    assert rate.split()[-3:] == [f"{point[key]:.4f}" for key in keys]
    assert point["bpp-training"] < point["bpp-rounded"] < point["bpp"] < point["bpp-fixed-length"]
    assert quality.split()[-3:-1] == [
        f"{point['psnr-rgb-training']:.2f}",
        f"{point['psnr-rgb']:.2f}",
    ]
    assert point["psnr-rgb-training"] > point["psnr-rgb"]
    assert fixed.split()[-1] == f"{point['bpp-fixed-length']:.4f}"


class Darker(NamedTuple):
    """A refinement: the codec is to code these pixels instead."""

    latents: np.ndarray
    steps: int


class RefinedCodec:
    """The codec of the other tests, which takes ``latents``."""

    name = "uniform"
    has_fixed_length = True

    def __init__(self, codec):
        self._codec = codec

    def __getattr__(self, name):
        def call(pixels, *, latents=None, **options):
            return getattr(self._codec, name)(pixels if latents is None else latents, **options)

        return call

    def decode(self, data, max_size=None):
        return self._codec.decode(data)


def test_refined_latents_are_what_is_coded_compared_and_told(codec, photos, tmp_path, capsys):
    calls = []

    def refine(image):
        calls.append(image.name)
        return Darker(image.pixels // 32 * 32, steps=7)

    refine.name = "darker"
    photos = photos[:2]
    options = {"dataset": "two", "provenance": {}, "refine": refine}
    results = report(IMAGE, RefinedCodec(codec), lambda: iter(photos), tmp_path, **options)
    assert calls == [photo.name for photo in photos], "refined once each"
    assert results.name == "uniform + darker"
    with (tmp_path / "two.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row, photo in zip(rows, photos):
        assert int(row["bits_coded"]) == 8 * len(codec.encode(photo.pixels // 32 * 32))
        assert int(row["refine_steps"]) == 7 and float(row["refine_seconds"]) > 0
    assert results.points["refining_time"][0] > 0
    output = capsys.readouterr().out
    assert "refined in 0.0 s, encoded in" in output and "uniform + darker" in output


def test_the_share_of_side_information_is_said(codec, photos, tmp_path, monkeypatch):
    honest = codec.estimate_bits

    def with_side(pixels):
        return honest(pixels)._replace(side=0.25 * honest(pixels).rounded)

    monkeypatch.setattr(codec, "estimate_bits", with_side)
    results = report(IMAGE, codec, lambda: iter(photos[:2]), tmp_path, dataset="two", provenance={})
    point = {key: values[0] for key, values in results.points.items()}
    assert point["bpp-side"] == pytest.approx(0.25 * point["bpp-rounded"])
    last = (tmp_path / "two.txt").read_text().splitlines()[-1]
    side = f"{point['bpp-side']:.4f}"
    assert last.startswith("side information (bpp)") and f"{side}  25.0% of the rounded" in last
