"""The figure of crops: exact pixels, a picture to a row, captions with rate and PSNR."""

import itertools
import xml.etree.ElementTree

import numpy as np
import pytest
from PIL import Image

from evaluation.figures import crops as crop_figures
from evaluation.figures.crops import Crop, write_crops
from evaluation.figures.style import DPI


@pytest.fixture
def crops():
    rng = np.random.default_rng(0)
    codecs = ["mixed", "soft_round", "JPEG", "WebP", "AVIF"]
    pictures = {name: rng.integers(0, 256, (256, 256, 3), np.uint8) for name in ("a", "b")}
    return [
        Crop(name, codec, original, original ^ np.uint8(number), 0.5 + number, 30.0 + number)
        for name, original in pictures.items()
        for number, codec in enumerate(codecs, start=1)
    ]


def test_every_pixel_is_two_by_two_dots(crops, tmp_path):
    png, svg = write_crops(tmp_path / "crops.png", crops)
    assert xml.etree.ElementTree.parse(svg).getroot().tag.endswith("svg")
    dots = np.asarray(Image.open(png).convert("RGB"))
    size, gap = 2 * crop_figures._PIXELS, crop_figures._GAP * DPI
    step = size + gap
    start = (256 - crop_figures._PIXELS) // 2
    part = slice(start, start + crop_figures._PIXELS)
    row = round(DPI * (crop_figures._CROP + crop_figures._CAPTION))
    shown = {
        (0, 0): crops[0].original,
        (0, 1): crops[0].decoded,
        (0, 3): crops[2].decoded,
        (1, 1): crops[4].decoded,  # The fifth codec goes on in the next row.
        (2, 0): crops[5].original,  # The next picture begins one.
    }
    for (number, column), pixels in shown.items():
        left, top = round(gap + column * step), round(gap + number * row)
        expected = pixels[part, part].repeat(2, axis=0).repeat(2, axis=1)
        np.testing.assert_array_equal(dots[top : top + size, left : left + size], expected)


def test_captions_name_codec_rate_and_quality(crops):
    figure = crop_figures._figure(crops[:5])
    texts = [axes.texts[0].get_text() for axes in figure.axes]
    assert texts[0] == "a\noriginal"
    assert texts[1:3] == ["mixed\n1.500 bpp, 31.00 dB", "soft_round\n2.500 bpp, 32.00 dB"]


def test_captions_stay_within_their_columns(crops):
    long = [crop._replace(name="n" * 60, codec="n" * 60) for crop in crops[:3]]
    figure = crop_figures._figure(long)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    boxes = [axes.texts[0].get_window_extent(renderer) for axes in figure.axes]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    assert boxes[-1].x1 <= figure.bbox.x1 and min(box.y0 for box in boxes) >= 0


def test_small_pictures_are_shown_whole(crops):
    small = crops[0]._replace(
        original=np.zeros((20, 30, 3), np.uint8), decoded=np.ones((20, 30, 3), np.uint8)
    )
    figure = crop_figures._figure([small])
    assert [axes.images[0].get_array().shape for axes in figure.axes] == [(20, 30, 3)] * 2
