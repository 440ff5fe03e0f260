"""scripts/classical.py as a user runs it, and its files in scripts/compare.py."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from evaluation.comparison.curves import check_same_metric, curve_of_file
from evaluation.comparison.intervals import paired_interval
from evaluation.comparison.measurements import read_measurement
from evaluation.metrics import METRICS


@pytest.fixture(scope="module")
def measured(fresh, tmp_path_factory):
    import skimage.data

    folder = tmp_path_factory.mktemp("classical")
    photos = folder / "photos"
    photos.mkdir()
    Image.fromarray(skimage.data.astronaut()[:176, 100:340]).save(photos / "a.png")
    Image.fromarray(skimage.data.chelsea()[:176, :240]).save(photos / "b.png")
    command = (
        photos, "--codecs", "jpeg,jpeg-default", "--output", folder / "out", "--processes", 1
    )  # fmt: skip
    done = fresh("scripts/classical.py", *command)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "out", command, done.stdout


def test_curves_are_means_of_rows_and_compare_with_intervals(measured):
    folder, _, output = measured
    assert "2 of 2 files" in output
    document = json.loads((folder / "jpeg.json").read_text())
    with (folder / "jpeg.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(document["results"]["bpp"])
    own = [float(row["bpp"]) for row in rows if row["quality"] == "50"]
    assert document["results"]["bpp"][4] == pytest.approx(np.mean(own))
    assert document["provenance"]["codec"]["versions"]["pillow"]
    assert {"git", "packages", "machine", "date"} <= set(document["provenance"])
    assert {"psnr-rgb", "ms-ssim-rgb", "psnr-y"} <= set(document["metrics"])
    curves = [
        curve_of_file(name, read_measurement(folder / f"{name}.json"), METRICS["psnr-rgb"])
        for name in ("jpeg-default", "jpeg")
    ]
    interval = paired_interval(*curves, resamples=100, seed=0)
    assert interval.low <= interval.high < 0, "optimised Huffman tables save bits in every file"


def test_the_same_command_again_measures_nothing(warm, measured):
    folder, command, _ = measured
    before = (folder / "jpeg.json").stat().st_mtime_ns
    done = warm("scripts/classical.py", *command)
    assert done.stdout.count("is already there") == 2
    assert (folder / "jpeg.json").stat().st_mtime_ns == before


def test_mistakes_end_in_one_line(warm, tmp_path):
    done = warm("scripts/classical.py", tmp_path, "--codecs", "jpeg,gif")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "--codecs 'gif' must be one of avif, heic, jpeg, " in done.stderr
    taken = tmp_path / "taken"
    taken.write_text("")
    for output in (taken, taken / "below"):
        done = warm("scripts/classical.py", tmp_path, "--output", output)
        assert done.returncode == 2
        assert f"argument --output: '{taken}' is a file: name a folder." in done.stderr


def test_another_metric_of_the_same_name_is_refused():
    words = {"a.json": "PSNR of RGB", "published.json": None, "b.json": "PSNR of luma"}
    with pytest.raises(ValueError, match=r"b\.json and a\.json cannot be compared: their psnr-rgb"):
        check_same_metric(METRICS["psnr-rgb"], words)
    check_same_metric(METRICS["psnr-rgb"], {**words, "b.json": "PSNR of RGB"})


@pytest.mark.slow
def test_processes_do_not_change_what_is_measured(fresh, measured):
    folder, command, _ = measured
    done = fresh("scripts/classical.py", *command[:4], folder / "two", "--processes", 2)
    assert (done.returncode, done.stderr) == (0, "")
    one, two = (json.loads((at / "jpeg.json").read_text()) for at in (folder, folder / "two"))
    for key in ("bpp", "psnr-rgb", "ms-ssim-rgb"):
        assert one["results"][key] == two["results"][key]
