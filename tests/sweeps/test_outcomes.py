"""What a sweep reads of a finished run, for images and audio."""

import csv
import json
import math

import pytest

from sweeps.outcomes import read_outcome, table
from training.checkpoints import model_digest


def write_run(folder, points, rows, speed, **more):
    results = folder / "results"
    results.mkdir(parents=True)
    provenance = {"split": "test", "config": {"lmbda": 0.01, "test_images": 2}, "limit": 2, **more}
    document = {
        "results": {key: [value] for key, value in points.items()},
        "provenance": provenance,
    }
    (results / "data.json").write_text(json.dumps(document))
    with (results / "data.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (folder / "training.csv").write_text(f"step,{speed}\n1,5\n2,40\n3,60\n")
    return folder


@pytest.fixture
def image(tmp_path):
    rates = dict.fromkeys(("bpp", "bpp-training", "bpp-rounded"), 0.5)
    points = {**rates, "bpp-fixed-length": None, "psnr-rgb": 30.0, "psnr-rgb-training": 31.0}
    return write_run(tmp_path / "image", points, [{"psnr": 20}, {"psnr": 40}], "images_per_second")


@pytest.fixture
def audio(tmp_path):
    rates = dict.fromkeys(("kbps", "kbps-training", "kbps-rounded"), 12.0)
    points = {**rates, "kbps-fixed-length": 16.0, "si-sdr": 8.0, "si-sdr-training": None}
    return write_run(tmp_path / "audio", points, [{"si_sdr": 8}], "segments_per_second")


def test_loss_of_images_is_of_the_mean_mse_of_files(image):
    outcome = read_outcome(image)
    assert outcome.loss == pytest.approx(0.5 + 0.01 * (650.25 + 6.5025) / 2)
    assert outcome.examples_per_second == 50
    assert outcome.summary() == "0.5000 bpp, 30.00 dB, loss 3.7838"


def test_audio_has_its_own_rate_and_quality_and_no_loss(audio):
    outcome = read_outcome(audio)
    assert outcome.loss is None and outcome.points["kbps-fixed-length"] == 16.0
    assert outcome.summary() == "12.0000 kbps, SI-SDR 8.00 dB"


def test_the_loss_is_that_of_the_runs_own_distortion(image, audio):
    """With distortion=ms_ssim, squared errors would rank what no run was trained for."""
    path = image / "results" / "data.json"
    document = json.loads(path.read_text())
    document["provenance"]["config"]["distortion"] = {"_target_": "distortion.MultiScaleSsim"}
    path.write_text(json.dumps(document))
    assert read_outcome(image).loss is None, "older results do not tell it"
    document["provenance"]["objective"] = {"distortion": 0.03, "loss": 0.7, "files": 2}
    path.write_text(json.dumps(document))
    assert read_outcome(image).loss == 0.7
    assert read_outcome(image).summary() == "0.5000 bpp, 30.00 dB, loss 0.7000"
    path = audio / "results" / "data.json"
    document = json.loads(path.read_text())
    document["provenance"]["objective"] = {"distortion": None, "loss": None, "files": 2}
    path.write_text(json.dumps(document))
    assert read_outcome(audio).loss == math.inf, "JSON has no infinity"


def test_other_and_damaged_results_do_not_count(image):
    """Those on some of the test files that a user asked for, and files cut short."""
    path = image / "results" / "data.json"
    whole = path.read_text()
    fewer = json.loads(whole)
    fewer["results"]["bpp"], fewer["provenance"]["limit"] = [9.0], 1
    fewer["provenance"]["objective"] = {"distortion": 1.0, "loss": 9.0}
    (image / "results" / "data-first1.json").write_text(json.dumps(fewer))
    (image / "results" / "a.json").write_text(whole[:99])
    assert read_outcome(image).points["bpp"] == 0.5
    path.write_text("")
    assert read_outcome(image).points["bpp"] == 9.0
    (image / "results" / "data-first1.json").write_text("[]")
    with pytest.raises(FileNotFoundError, match="no readable results on its test split"):
        read_outcome(image)


def test_only_what_train_py_measures_counts(image):
    """Not other qualities, weights or data, with which a user has evaluated the run."""
    (image / "model").mkdir()
    (image / "model" / "weights.index").write_bytes(b"last")
    path = image / "results" / "data.json"
    document = json.loads(path.read_text())
    document["provenance"]["checkpoint"] = model_digest(image / "model")
    path.write_text(json.dumps(document))
    document["results"]["bpp"] = [9.0]
    document["provenance"]["objective"] = {"distortion": 1.0, "loss": 9.0}
    changes = {"a-q50": {"quality": 50}, "a-best": {"checkpoint": "0"}, "a": {}, "a-first2": {}}
    for name, changed in changes.items():
        other = {**document, "provenance": {**document["provenance"], **changed}}
        (image / "results" / f"{name}.json").write_text(json.dumps(other))
    assert read_outcome(image, "data").points["bpp"] == 0.5
    for name in ("a", "a-first2"):
        (image / "results" / f"{name}.json").unlink()
    assert read_outcome(image).points["bpp"] == 0.5
    (image / "model" / "weights.index").write_bytes(b"of another training")
    with pytest.raises(FileNotFoundError, match="no readable results on its test split"):
        read_outcome(image, "data")


def test_tables_rank_by_loss_or_else_by_quality(image, audio):
    one = read_outcome(image)
    text = table({"a": one._replace(loss=9.0), "uniform_noise": one})
    assert text.splitlines()[0].startswith("| run | loss | bpp coded |") and "PSNR (dB)" in text
    assert rows(text) == ["uniform_noise", "a"]
    assert text.splitlines()[2].endswith("| 0.500 |  | 30.00 | 31.00 | 1.00 |")
    one = read_outcome(audio)
    text = table({"a": one, "b": one._replace(points={**one.points, "si-sdr": 9.0})})
    assert "kbps coded" in text and "SI-SDR (dB)" in text and rows(text) == ["b", "a"]
    assert text.endswith("| 16.000 | 8.00 |  |  |"), (
        "not finite; no run that speeds are relative to"
    )
    assert math.isnan(one._replace(points={"si-sdr": None}).quality)


def rows(text):
    return [line.split("`")[1] for line in text.splitlines()[2:]]
