"""Classical formats: real files, curves that rise with quality, matches nearest to a rate."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
from PIL import features

from evaluation.classical.matches import CLASSICAL, JPEG, WEBP, closest_to, ladder
from evaluation.metrics import image as metrics

CODECS = pytest.mark.parametrize("codec", [JPEG, WEBP], ids=lambda codec: codec.name)


def bpp_of(codec, pixels, quality):
    return 8 * len(codec.encode(pixels, quality)) / (pixels.shape[0] * pixels.shape[1])


@pytest.mark.parametrize(("codec", "start"), [(JPEG, b"\xff\xd8\xff"), (WEBP, b"RIFF")])
def test_encodes_whole_files_of_the_format(photos, codec, start):
    data = codec.encode(photos[0].pixels, 50)
    assert data.startswith(start)
    decoded = codec.decode(data)
    assert decoded.dtype == np.uint8
    assert decoded.shape == photos[0].pixels.shape
    assert metrics.psnr(photos[0].pixels, decoded) > 25


def test_formats_are_what_the_header_says(photos):
    webp = WEBP.encode(photos[0].pixels, 100)
    assert webp[12:16] == b"VP8 "  # lossy; lossless is VP8L
    jpeg = JPEG.encode(photos[0].pixels, 50)
    frame = jpeg[jpeg.index(b"\xff\xc0") :]
    assert [frame[11 + 3 * component] for component in range(3)] == [0x22, 0x11, 0x11]  # 4:2:0


@CODECS
def test_ladder_rises_with_quality(photos, codec):
    qualities = (5, 30, 60, 95)
    curve = ladder(codec, iter(photos[:2]), dataset="photos", qualities=qualities)
    assert curve.name == codec.name
    assert curve.dataset.files == 2
    assert {len(values) for values in curve.points.values()} == {4}
    for key in ("bpp", "psnr-rgb", "ms-ssim-rgb"):
        assert (np.diff(curve.points[key]) > 0).all(), key
    expected = np.mean([bpp_of(codec, photo.pixels, 30) for photo in photos[:2]])
    assert curve.points["bpp"][1] == pytest.approx(expected)


def test_ladder_needs_images():
    with pytest.raises(ValueError, match="at least one image"):
        ladder(JPEG, [], dataset="empty")


@CODECS
@pytest.mark.parametrize("target", [0.5, 1.0, 2.0])
def test_closest_file_of_all_qualities(photos, codec, target):
    pixels = photos[2].pixels
    match = closest_to(codec, pixels, target)
    nearest = min(
        abs(bpp_of(codec, pixels, quality) - target)
        for quality in range(codec.lowest, codec.highest + 1)
    )
    assert abs(match.bpp - target) == pytest.approx(nearest, abs=0.02)
    assert match.bpp == bpp_of(codec, pixels, match.quality)
    assert match.psnr == metrics.psnr(pixels, codec.decode(codec.encode(pixels, match.quality)))


@CODECS
def test_rates_out_of_reach_give_the_end_of_the_range(photos, codec):
    pixels = photos[0].pixels
    smallest, largest = closest_to(codec, pixels, 1e-3), closest_to(codec, pixels, 100)
    assert smallest.quality == codec.lowest
    assert smallest.bpp == bpp_of(codec, pixels, codec.lowest) > 1e-3
    assert largest.quality == codec.highest
    assert largest.ms_ssim > smallest.ms_ssim


@pytest.mark.parametrize("bpp", [0.0, -1.0, float("nan")])
def test_a_rate_must_be_positive(photos, bpp):
    with pytest.raises(ValueError, match="bpp must be positive, got"):
        closest_to(JPEG, photos[2].pixels, bpp)


def available(name):
    codec = CLASSICAL[name]
    has_library = not codec.library or features.check(codec.library)
    has_plugin = not codec.plugin or importlib.util.find_spec(codec.plugin) is not None
    lacks = codec.plugin or codec.library
    return pytest.param(
        codec,
        id=name,
        marks=pytest.mark.skipif(not (has_library and has_plugin), reason=f"{lacks} is missing"),
    )


@pytest.mark.parametrize("codec", map(available, CLASSICAL))
def test_every_format_codes_at_its_settings(photos, codec):
    pixels = photos[2].pixels
    sizes = []
    for quality in (codec.lowest, codec.ladder[0], codec.ladder[-1], codec.highest):
        data = codec.encode(pixels, quality)
        decoded = codec.decode(data)
        assert decoded.dtype == np.uint8 and decoded.shape == pixels.shape
        sizes.append(len(data))
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1]
    assert metrics.psnr(pixels, decoded) > 35
    assert codec.ladder == tuple(sorted(codec.ladder)) and len(codec.ladder) >= 8
    assert all(codec.versions().values())


def test_jpeg_2000_meets_the_rate_it_is_asked_for(photos):
    codec = CLASSICAL["jpeg2000"]
    assert bpp_of(codec, photos[1].pixels, 100) == pytest.approx(1.0, rel=0.02)


def test_a_format_without_its_package_names_it(photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(ValueError, match=r"'JPEG XL' needs the package pillow-jxl-plugin"):
        CLASSICAL["jpegxl"].encode(photos[2].pixels, 50)
