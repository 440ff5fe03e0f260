"""Crops of the report page: a learned codec's from its coded files, a classical one's nearest."""

import types

import numpy as np
import pytest
import skimage.data

from evaluation.classical.jpeg import JPEG
from evaluation.comparison.curves import Curve
from evaluation.comparison.measurements import FileRows, Measurement
from evaluation.comparison.page.crops import common_rate, crops_at
from evaluation.measure import coded_file
from evaluation.media import IMAGE
from evaluation.metrics import METRICS
from evaluation.metrics import image as metrics
from evaluation.results import Results
from signals.image_files import NamedImage


def learned_run(folder, image, quality, lmbda):
    """A run whose codec is JPEG under another name: its files are what must be shown."""
    path = folder / f"run-{lmbda}" / "results" / "photos.json"
    (data,) = JPEG.encode(image, quality).files
    file = coded_file(path.with_suffix(""), image.name)
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    bpp = 8 * len(data) / (image.pixels.shape[0] * image.pixels.shape[1])
    config = {"lmbda": lmbda, "seed": 0, "quantizer": {"_target_": "x"}}
    results = Results("learned", "", {"bpp": [bpp]}, provenance={"config": config})
    return Measurement(path, "run", results, (FileRows((IMAGE.digest(image),), {}),))


@pytest.fixture
def image():
    return NamedImage("chelsea.png", skimage.data.chelsea())


def jpeg_as_the_run(results):
    assert results.name == "photos.json"
    return types.SimpleNamespace(decode=lambda data: JPEG.decode([data], None))


def test_nearest_rates_beside_each_other(tmp_path, image):
    runs = [learned_run(tmp_path, image, quality, quality) for quality in (5, 50, 95)]
    target = runs[1].results.points["bpp"][0]
    jpeg = Measurement(tmp_path / "jpeg.json", "jpeg.json", Results("JPEG", "", {"bpp": [1, 2]}))
    published = jpeg._replace(results=Results("VTM", "", {"bpp": [1, 2]}))
    groups = {"mixed": runs, "JPEG": [jpeg], "VTM": [published]}
    shown, missing = crops_at(groups, [image], 1.1 * target, jpeg_as_the_run)
    assert not missing
    assert [crop.codec for crop in shown] == ["mixed", "JPEG"]
    learned, classical = shown
    assert learned.bpp == target and classical.bpp == pytest.approx(1.1 * target, rel=0.05)
    whole = JPEG.decode(JPEG.encode(image, 50).files, image)
    assert learned.psnr == metrics.psnr(image.pixels, whole)
    top, left = (300 - 256) // 2, (451 - 256) // 2
    np.testing.assert_array_equal(learned.decoded, whole[top : top + 256, left : left + 256])
    np.testing.assert_array_equal(
        learned.original, image.pixels[top : top + 256, left : left + 256]
    )


def test_other_images_than_were_measured_are_refused(tmp_path, image):
    run = learned_run(tmp_path, image, 50, 0.01)
    other = image._replace(pixels=255 - image.pixels)
    with pytest.raises(ValueError, match=r"chelsea\.png is not among the images that run was"):
        crops_at({"mixed": [run]}, [other], 0.5, jpeg_as_the_run)
    results = Results("JPEG", "", {"bpp": [1, 2]})
    rows = (FileRows((IMAGE.digest(image),), {}),) * 2
    jpeg = Measurement(tmp_path / "jpeg.json", "jpeg.json", results, rows)
    with pytest.raises(ValueError, match=r"not among the images that jpeg\.json was measured on"):
        crops_at({"JPEG": [jpeg]}, [other], 0.5, jpeg_as_the_run)
    (crop,), _ = crops_at({"JPEG": [jpeg]}, [image], 0.5, jpeg_as_the_run)
    assert crop.codec == "JPEG"


def test_what_cannot_be_shown_costs_its_own_crops(tmp_path, image):
    """A file that was deleted, one of another run, a strip that WebP cannot hold."""
    good = [learned_run(tmp_path / "a", image, 50, 0.01)]
    gone, foreign = ([learned_run(tmp_path / name, image, 50, 0.01)] for name in "bc")
    coded_file(gone[0].path.with_suffix(""), image.name).unlink()
    strip = NamedImage("strip.png", np.tile(image.pixels[:64, :400], (1, 42, 1)))
    (small,) = JPEG.encode(image._replace(pixels=image.pixels[:50]), 50).files
    coded_file(foreign[0].path.with_suffix(""), image.name).write_bytes(small)
    groups = {"good": good, "gone": gone, "foreign": foreign}
    shown, missing = crops_at(groups, [image], 0.5, jpeg_as_the_run)
    assert [crop.codec for crop in shown] == ["good"] and len(missing) == 2
    assert missing[0].startswith("No crop of chelsea.png by gone: ")
    classical = [
        Measurement(tmp_path / "x.json", "x.json", Results(name, "", {"bpp": [1, 2]}))
        for name in ("JPEG", "WebP")
    ]
    groups = {each.results.name: [each] for each in classical}
    shown, missing = crops_at(groups, [strip], 0.5, jpeg_as_the_run)
    assert [crop.codec for crop in shown] == ["JPEG"]
    assert missing[0].startswith("No crop of strip.png by WebP: WebP cannot code strip.png: ")


def test_the_rate_is_one_that_all_curves_have():
    def curve(*rates):
        return Curve("x", METRICS["psnr-rgb"], np.array(rates), np.arange(30.0, 30 + len(rates)))

    assert common_rate([curve(0.1, 0.2, 1.6), curve(0.4, 3.2)]) == pytest.approx(0.8)
    assert common_rate([curve(0.1, 0.4), curve(0.8, 3.2)]) == pytest.approx(0.2)
