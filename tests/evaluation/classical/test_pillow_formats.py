"""Image formats: what their files are, and packages that are missing."""

from __future__ import annotations

import sys

import pytest

from evaluation.classical import classical_codecs
from evaluation.classical.jpeg import JPEG
from evaluation.classical.webp import WEBP


def test_formats_are_what_the_header_says(photos):
    (webp,) = WEBP.encode(photos[0], 100).files
    assert webp.startswith(b"RIFF") and webp[12:16] == b"VP8 "  # lossy; lossless is VP8L
    (jpeg,) = JPEG.encode(photos[0], 50).files
    assert jpeg.startswith(b"\xff\xd8\xff")
    frame = jpeg[jpeg.index(b"\xff\xc0") :]
    assert [frame[11 + 3 * component] for component in range(3)] == [0x22, 0x11, 0x11]  # 4:2:0


def test_jpeg_2000_meets_the_rate_it_is_asked_for(photos):
    coded = classical_codecs()["jpeg2000"].encode(photos[1], 100)
    height, width = photos[1].pixels.shape[:2]
    assert 8 * coded.file_bytes / (height * width) == pytest.approx(1.0, rel=0.02)


def test_a_format_without_its_package_names_it(photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(ValueError, match=r"'JPEG XL' needs the package pillow-jxl-plugin"):
        classical_codecs()["jpegxl"].encode(photos[2], 50)
