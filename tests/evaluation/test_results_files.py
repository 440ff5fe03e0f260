"""Results files: ours and published ones, strict JSON, readable CSV, clear errors."""

from __future__ import annotations

import csv
import json
import math
import pathlib

import numpy as np
import pytest

from evaluation.measure import measure
from evaluation.media import IMAGE, medium_of
from evaluation.metrics import METRICS
from evaluation.results import Results, read_results, write_results

PUBLISHED = {
    "name": "JPEG",
    "description": "JPEG. Pillow version 7.1.2",
    "results": {"bpp": [0.22, 0.33], "psnr-rgb": [23.8, 26.6], "ms-ssim-rgb": [0.80, 0.89]},
}


def strict_loads(text):
    def refuse(token):
        raise AssertionError(f"{token} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def rows(codec, photos, tmp_path):
    return measure(IMAGE, codec, photos, tmp_path / "files")


def results_of(rows, dataset="photos"):
    return Results.from_rows(
        rows, name="run", description="a test", dataset=dataset, provenance={"seed": 1}
    )


def test_a_point_is_the_mean_over_files(rows):
    results = results_of(rows[:2])
    points = results.points
    assert results.point["bpp"] == points["bpp"][0] and "decoding_time" not in results.point
    for key, bits in (("bpp", "bits_coded"), ("bpp-noise", "bits_noise")):
        bpp = [row[bits] / (row["height"] * row["width"]) for row in rows[:2]]
        assert points[key] == [np.mean(bpp)]
    assert points["psnr-rgb"] == [np.mean([row["psnr"] for row in rows[:2]])]
    assert points["ms-ssim-rgb"] == [np.mean([row["ms_ssim"] for row in rows[:2]])]
    assert points["decoding_time"] == [np.mean([row["decode_seconds"] for row in rows[:2]])]


def test_round_trip(rows, tmp_path):
    results = results_of(rows[:2])
    write_results(results, tmp_path / "results" / "photos.json")
    read = read_results(tmp_path / "results" / "photos.json")
    assert read.points == results.points
    assert read.dataset == results.dataset
    assert read.provenance == {"seed": 1}
    assert (read.name, read.description) == ("run", "a test")
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [
        "photos.csv",
        "photos.json",
    ]


def test_csv_has_every_row(rows, tmp_path):
    write_results(results_of(rows), tmp_path / "photos.json")
    with open(tmp_path / "photos.csv", newline="") as file:
        records = list(csv.DictReader(file))
    assert [record["file"] for record in records] == [row["file"] for row in rows]
    assert [int(record["bits_coded"]) for record in records] == [row["bits_coded"] for row in rows]
    assert [float(record["bpp"]) for record in records] == [row["bpp"] for row in rows]


def test_numbers_that_are_not_finite_become_null(rows, tmp_path):
    lossless = [dict(row, psnr=math.inf) for row in rows]  # and one file has no MS-SSIM
    write_results(results_of(lossless), tmp_path / "photos.json")
    document = strict_loads((tmp_path / "photos.json").read_text())
    assert document["results"]["psnr-rgb"] == [None]
    assert document["results"]["ms-ssim-rgb"] == [None]
    assert np.isnan(read_results(tmp_path / "photos.json").points["psnr-rgb"][0])


def test_dataset_digest_follows_the_pixels_not_their_order(rows):
    dataset = results_of(rows).dataset
    assert dataset.files == 3
    assert results_of(rows[::-1]).dataset == dataset
    assert results_of(rows[:2]).dataset.sha256 != dataset.sha256
    changed = [dict(rows[0], sha256="0" * 64), *rows[1:]]
    assert results_of(changed).dataset.sha256 != dataset.sha256


def test_a_failed_write_keeps_the_old_file(rows, tmp_path):
    path = tmp_path / "photos.json"
    write_results(results_of(rows), path)
    before = path.read_bytes()
    unwritable = Results("x", "", {"bpp": [1.0]}, provenance={"seed": object()})
    with pytest.raises(TypeError):
        write_results(unwritable, path)
    assert path.read_bytes() == before


def test_published_files_can_be_read(tmp_path):
    path = tmp_path / "jpeg.json"
    extra = {"meta": {"device": None}, "dataset": "kodak"}
    path.write_text(json.dumps({**PUBLISHED, **extra}))
    results = read_results(path)
    assert results.name == "JPEG"
    assert results.points == PUBLISHED["results"]
    assert results.dataset is None
    assert results.rows == ()
    path.write_text(json.dumps({**PUBLISHED, "name": " "}))
    assert read_results(path).name == "jpeg", "legends have no place for no name"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a JSON results file"),
        ("{", "not a JSON results file"),
        ('{"results": {"bpp": [NaN]}}', "not a JSON results file: NaN"),
        ("[1, 2]", "'results' must map quantities to lists"),
        ('{"results": [1]}', "'results' must map quantities to lists"),
        ('{"results": {"psnr-rgb": [1]}}', r"have the key 'bpp' or 'kbps', got \['psnr-rgb'\]"),
        ('{"results": {"bpp": 0.5}}', r"results\['bpp'\] must be a list of numbers"),
        ('{"results": {"bpp": [0.5, "a"]}}', r"results\['bpp'\] must be a list of numbers"),
        ('{"results": {"bpp": [1, 2], "psnr-rgb": [30]}}', r"results\['psnr-rgb'\].*\(2\), got 1"),
    ],
)
def test_a_file_that_breaks_the_schema_is_named(tmp_path, text, message):
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"broken\.json.*{message}") as error:
        read_results(path)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        read_results(tmp_path / "absent.json")


def test_columns_and_keys_are_those_of_committed_results(monkeypatch):
    for later in ("psnr-y", "lpips"):
        monkeypatch.delitem(METRICS, later, raising=False)
    folder = pathlib.Path(__file__).resolve().parents[2] / "results"
    for experiment in ("kodak/compare_quantizers", "spoken_digit/quantizers"):
        path = sorted((folder / experiment).glob("*.csv"))[0]
        document = json.loads(path.with_suffix(".json").read_text())
        medium = medium_of(document["results"])
        with path.open(newline="") as file:
            assert next(csv.reader(file)) == list(medium.columns)
        assert list(document["results"]) == list(medium.points)
        assert document["metrics"] == {each.key: each.definition for each in medium.metrics}
