"""The overview figure: PNG and SVG, crops at pixel scale, text that does not collide."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree

import numpy as np
import pytest
from matplotlib._pylab_helpers import Gcf
from PIL import Image

from evaluation.classical.jpeg import JPEG
from evaluation.classical.ladders import curve_of_rows, measure_rows
from evaluation.classical.webp import WEBP
from evaluation.figures import overview as figures
from evaluation.figures.cells import Example, Version
from evaluation.figures.overview import write_overview
from evaluation.figures.style import DPI
from evaluation.measure import measure
from evaluation.media import IMAGE
from evaluation.results import Results


@pytest.fixture(scope="module")
def curves(photos):
    codecs = [dataclasses.replace(codec, ladder=(5, 50, 90)) for codec in (JPEG, WEBP)]
    return [curve_of_rows(each, measure_rows(each, photos[:2]), dataset="p") for each in codecs]


@pytest.fixture
def learned(codec, photos, tmp_path):
    rows = measure(IMAGE, codec, photos[:2], tmp_path / "files")
    return Results.from_rows(rows, name="learned", description="", dataset="photos")


@pytest.fixture
def examples(codec, photos):
    return [
        Example(
            photo.name,
            photo.pixels,
            [
                Version("learned", codec.reconstruct(photo.pixels), 0.712, 31.25),
                Version("JPEG", JPEG.decode(JPEG.encode(photo, 30).files, photo), 0.698, 29.5),
            ],
        )
        for photo in photos
    ]


def test_writes_png_and_svg(examples, learned, curves, tmp_path):
    png, svg = write_overview(tmp_path / "run" / "overview", IMAGE, examples, learned, curves)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [svg.name, png.name][::-1]
    with Image.open(png) as image:
        assert image.width > 1500
        assert 150 <= image.info["dpi"][0] <= 201
    assert xml.etree.ElementTree.parse(svg).getroot().tag.endswith("svg")


def test_a_pixel_of_the_picture_is_two_by_two_dots(examples, learned, curves, tmp_path):
    png, _ = write_overview(tmp_path / "overview", IMAGE, examples[:1], learned, curves)
    dots = np.asarray(Image.open(png).convert("RGB"))
    height, width = examples[0].original.shape[:2]
    top, left = (height - 192) // 2, (width - 192) // 2
    crop = examples[0].original[top : top + 192, left : left + 192]
    expected = crop.repeat(2, axis=0).repeat(2, axis=1)
    corner = round(figures._MARGIN * DPI)
    np.testing.assert_array_equal(dots[corner : corner + 384, corner : corner + 384], expected)


def test_texts_do_not_overlap_and_stay_inside(examples, learned, curves):
    examples = [example._replace(name="n" * 60) for example in examples]
    figure = figures._overview(IMAGE, examples, learned, curves)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    texts = [
        text
        for axes in figure.axes
        for text in axes.texts + (_axis_texts(axes) if axes.axison else [])
        if text.get_text() and text.get_visible()
    ]
    texts += [text for legend in figure.legends for text in legend.get_texts()]
    boxes = [text.get_window_extent(renderer) for text in texts]
    width, height = figure.canvas.get_width_height()
    for index, box in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, texts[index]
        for other in boxes[index + 1 :]:
            assert not box.overlaps(other), texts[index]


def _axis_texts(axes):
    low, high = axes.get_ylim()
    drawn = [label for label in axes.get_yticklabels() if low <= label.get_position()[1] <= high]
    return [axes.xaxis.label, axes.yaxis.label, *drawn]


def test_the_same_inputs_give_the_same_bytes(examples, learned, curves, tmp_path):
    first = write_overview(tmp_path / "a", IMAGE, examples[:1], learned, curves)
    second = write_overview(tmp_path / "b", IMAGE, examples[:1], learned, curves)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_points_without_a_number_are_left_out(examples, learned, curves, tmp_path):
    learned.points["psnr-rgb"] = [float("inf")]
    learned.points["ms-ssim-rgb"] = [float("nan")]
    png, _ = write_overview(tmp_path / "overview", IMAGE, examples[:1], learned, curves)
    assert png.stat().st_size > 0


def test_every_curve_is_drawn_in_a_style_of_its_own(examples, learned, curves):
    many = [dataclasses.replace(curves[0], name=f"codec {number}") for number in range(8)]
    figure = figures._overview(IMAGE, examples[:1], learned, many)
    shown = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert shown == ["learned", *(curve.name for curve in many)]
    for axes in [each for each in figure.axes if each.axison]:
        lines = axes.lines
        styles = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in lines}
        assert len(lines) == len(styles) == 9
        assert len({(line.get_color(), line._unscaled_dash_pattern) for line in lines}) == 9


def test_a_version_that_an_example_lacks_leaves_its_place_empty(examples, learned, curves):
    uneven = [examples[0]._replace(versions=examples[0].versions[:1]), examples[1]]
    whole = figures._overview(IMAGE, examples[:2], learned, curves)
    figure = figures._overview(IMAGE, uneven, learned, curves)
    assert tuple(figure.get_size_inches()) == tuple(whole.get_size_inches())
    assert len(figure.axes) == len(whole.axes) - 1


def test_names_are_shown_as_they_are_written(examples, learned, curves, tmp_path, recwarn):
    """Dollar signs would start a formula, an underscore would hide a name."""
    name = "_price $5^ and $6_{x} {} \\"
    example = examples[0]._replace(name=name)
    learned = dataclasses.replace(learned, name=name)
    _, svg = write_overview(tmp_path / "overview", IMAGE, [example], learned, curves)
    figure = figures._overview(IMAGE, [example], learned, curves)
    shown = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert shown[0].lstrip("\u200b") == name and shown[1:] == ["JPEG", "WebP"]
    # Matplotlib's own; tests before this one may leave files that are found open now.
    assert name in svg.read_text() and not [w for w in recwarn if w.category is UserWarning]


def test_uses_no_pyplot(examples, learned, curves, tmp_path):
    write_overview(tmp_path / "overview", IMAGE, examples[:1], learned, curves)
    # The module itself may be there: the package bjontegaard imports it.
    assert not Gcf.figs, "pyplot keeps every figure that it makes"
