"""Curves of classical codecs are measured once for the same pixels, and left out on request."""

import pytest

from assembly.media import check_classical
from evaluation.classical import ladders
from evaluation.classical.jpeg import JPEG
from evaluation.classical.ladders import curve_of_rows, kept_ladder, measure_rows
from evaluation.media import IMAGE
from evaluation.metrics import METRICS
from evaluation.report import report
from evaluation.results import Dataset, read_results


@pytest.fixture
def dataset(photos):
    return Dataset.from_digests("three", [IMAGE.digest(photo) for photo in photos])


def never():
    raise AssertionError("the images were read again")


def test_is_measured_once(photos, dataset, tmp_path):
    first = kept_ladder(JPEG, lambda: iter(photos), dataset, tmp_path)
    measured = curve_of_rows(JPEG, measure_rows(JPEG, photos), dataset="three")
    assert first.points["bpp"] == measured.points["bpp"]
    again = kept_ladder(JPEG, never, dataset, tmp_path)
    assert (again.name, again.dataset) == ("JPEG", first.dataset)
    for key in ("bpp", "psnr-rgb"):
        assert again.points[key] == first.points[key]


def test_other_pixels_and_damaged_files_are_measured_anew(photos, dataset, tmp_path):
    kept_ladder(JPEG, lambda: iter(photos), dataset, tmp_path)
    (file,) = tmp_path.iterdir()
    two = Dataset.from_digests("three", [IMAGE.digest(photo) for photo in photos[:2]])
    assert kept_ladder(JPEG, lambda: iter(photos[:2]), two, tmp_path).dataset.files == 2
    text = file.read_text()
    file.write_text(text[: len(text) // 2])
    assert kept_ladder(JPEG, lambda: iter(photos), dataset, tmp_path).dataset == dataset
    assert kept_ladder(JPEG, never, dataset, tmp_path).dataset == dataset


def test_another_or_a_new_metric_is_measured(photos, dataset, tmp_path, monkeypatch):
    kept_ladder(JPEG, lambda: iter(photos), dataset, tmp_path)
    changed = METRICS["psnr-y"]._replace(definition="of another luma")
    added = METRICS["psnr-y"]._replace(key="psnr-z")
    for metric in (changed, added):
        monkeypatch.setitem(METRICS, metric.key, metric)
        kept_ladder(JPEG, lambda: iter(photos), dataset, tmp_path)
        (file,) = tmp_path.iterdir()
        assert read_results(file).metrics[metric.key] == metric.definition
        assert metric.key in kept_ladder(JPEG, never, dataset, tmp_path).points


def test_a_metric_whose_package_was_missing_is_measured(photos, dataset, tmp_path, monkeypatch):
    packaged = METRICS["psnr-y"]._replace(key="packaged", package="nosuchpackage")
    monkeypatch.setitem(METRICS, packaged.key, packaged)
    kept_ladder(JPEG, lambda: iter(photos), dataset, tmp_path)
    kept_ladder(JPEG, never, dataset, tmp_path)
    monkeypatch.setattr(ladders, "is_installed", lambda package: True)
    with pytest.raises(AssertionError, match="read again"):
        kept_ladder(JPEG, never, dataset, tmp_path)


def test_reports_are_beside_the_codecs_that_are_named(codec, photos, tmp_path):
    def table(classical):
        folder, curves = tmp_path / "results", tmp_path / "ladders"
        report(
            IMAGE, codec, lambda: iter(photos[:1]), folder, dataset="one", provenance={},
            classical=classical, ladders=curves,
        )  # fmt: skip
        assert (folder / "one.png").exists() and (folder / "one.svg").exists()
        return (folder / "one.txt").read_text(), curves.exists() and len(list(curves.iterdir()))

    text, kept = table([])
    assert "JPEG" not in text and "train-test gap" in text and not kept
    text, kept = table(["WebP"])
    assert "JPEG" not in text and "WebP, nearest rate" in text and kept == 1
    text, kept = table(None)
    assert "JPEG, nearest rate" in text and "WebP, nearest rate" in text and kept == 2


@pytest.mark.parametrize(
    ("medium", "name", "known"), [("image", "JPG", "AVIF, "), ("audio", "JPEG", "MP3, Opus, ")]
)
def test_an_unknown_codec_is_named(medium, name, known):
    with pytest.raises(ValueError, match=f"classical='{name}' must be one of {known}"):
        check_classical(medium, [name])
