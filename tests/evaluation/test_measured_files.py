"""Measuring: the figures are those of the files on disk, and a codec that lies is found out."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.measure import (
    RoundTripError,
    check_coded_size,
    coded_file,
    measure,
    measure_file,
)
from evaluation.media import IMAGE
from evaluation.metrics import image as metrics


def test_rows_hold_the_figures_of_the_files(codec, photos, tmp_path):
    seen = []
    rows = measure(IMAGE, codec, iter(photos), tmp_path / "new" / "files", progress=seen.append)
    assert rows == seen
    assert [row["file"] for row in rows] == [photo.name for photo in photos]
    files = sorted((tmp_path / "new" / "files").iterdir())
    assert {8 * file.stat().st_size for file in files} == {row["bits_coded"] for row in rows}
    for row, photo in zip(rows, photos):
        height, width = photo.pixels.shape[:2]
        reconstruction = codec.reconstruct(photo.pixels)
        assert (row["height"], row["width"]) == (height, width)
        assert row["bits_coded"] == 8 * len(codec.encode(photo.pixels))
        assert row["bpp"] == row["bits_coded"] / (height * width)
        assert row["bpp_rounded"] == pytest.approx(row["bits_rounded"] / (height * width))
        assert row["bpp_noise"] == pytest.approx(1.05 / 0.998 * row["bpp_rounded"])
        assert row["psnr"] == metrics.psnr(photo.pixels, reconstruction)
        assert row["encode_seconds"] > 0
        assert row["decode_seconds"] > 0
    assert rows[0]["ms_ssim"] == metrics.ms_ssim(
        photos[0].pixels, codec.reconstruct(photos[0].pixels)
    )
    assert np.isnan(rows[2]["ms_ssim"])


def test_the_file_is_decoded_from_disk_and_nothing_else_is_left(codec, photos, tmp_path):
    path = tmp_path / "photo.rtc"
    path.write_bytes(b"an older file")
    measure_file(IMAGE, codec, photos[0], path)
    assert list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(
        codec.decode(path.read_bytes()), codec.reconstruct(photos[0].pixels)
    )


@pytest.mark.parametrize("name", ["a/b", "a_b", "../up", "c:\\d", "naïve 1.png", "é" * 300])
def test_any_name_gives_a_file_inside_the_folder(codec, photos, tmp_path, name):
    measure(IMAGE, codec, [photos[2]._replace(name=name)], tmp_path / "files")
    assert list((tmp_path / "files").iterdir()) == [coded_file(tmp_path / "files", name)]
    assert [path.name for path in tmp_path.iterdir()] == ["files"]


def test_different_names_stay_different_files(codec, photos, tmp_path):
    names = ["a/b", "a_b", "a b", "a%2Fb", "x" * 300, "x" * 301]
    measure(IMAGE, codec, [photos[2]._replace(name=name) for name in names], tmp_path)
    assert len(list(tmp_path.glob("*.rtc"))) == len(names)


def test_one_wrong_pixel_is_found(codec, photos, tmp_path):
    class OnePixelOff(type(codec)):
        def decode(self, data, max_size=None):
            pixels = super().decode(data)
            pixels[5, 7, 1] -= 3
            return pixels

    with pytest.raises(RoundTripError, match=r"small\.rtc: 1 of 9600 pixels differ .* up to 3 "):
        measure(IMAGE, OnePixelOff(), [photos[2]], tmp_path)


def test_another_size_is_found(codec, photos, tmp_path):
    class Cropped(type(codec)):
        def decode(self, data, max_size=None):
            return super().decode(data)[:-1]

    with pytest.raises(RoundTripError, match=r"decodes to uint8 \(79, 120, 3\)"):
        measure(IMAGE, Cropped(), [photos[2]], tmp_path)


def test_a_file_that_does_not_decode_is_found(codec, photos, tmp_path):
    class Foreign(type(codec)):
        def encode(self, pixels):
            return b"JUNK" + super().encode(pixels)[4:]

    with pytest.raises(RoundTripError, match="does not decode: not a file of this codec"):
        measure_file(IMAGE, Foreign(), photos[2], tmp_path / "small.rtc")


def test_no_images_is_an_error(codec, tmp_path):
    with pytest.raises(ValueError, match="images: got none to measure, at least one"):
        measure(IMAGE, codec, [], tmp_path)


@pytest.mark.parametrize("excess", [0.0, 0.004, -0.004])
def test_coded_size_within_the_tolerance(codec, photos, tmp_path, excess):
    row = measure_file(IMAGE, codec, photos[0], tmp_path / "0.rtc")
    payload = row["bits_coded"] - 8 * codec.header_bytes
    row = dict(row, bits_rounded=payload / (1 + excess))
    check_coded_size([row], codec.header_bytes)


@pytest.mark.parametrize("excess", [0.01, -0.03])
def test_coded_size_outside_the_tolerance_is_found(codec, photos, tmp_path, excess):
    good = measure_file(IMAGE, codec, photos[0], tmp_path / "0.rtc")
    payload = good["bits_coded"] - 8 * codec.header_bytes
    bad = dict(good, file="bad.png", bits_rounded=payload / (1 + excess))
    with pytest.raises(RoundTripError, match=rf"1 of 2 files: bad\.png: {bad['bits_coded']} bits"):
        check_coded_size([good, bad], codec.header_bytes)


def test_the_header_is_allowed_once(codec, photos, tmp_path):
    row = measure_file(IMAGE, codec, photos[2], tmp_path / "0.rtc")
    small = dict(row, bits_rounded=100.0, bits_coded=100 + 8 * 32 + 32)
    check_coded_size([small], 32)
    with pytest.raises(RoundTripError):
        check_coded_size([dict(small, bits_coded=small["bits_coded"] + 8)], 32)


def test_pixel_digest_tells_pixels_and_shape_apart(photos):
    def digest(pixels):
        return IMAGE.digest(photos[2]._replace(pixels=pixels))

    pixels = photos[2].pixels
    assert digest(pixels) == digest(np.ascontiguousarray(pixels))
    changed = pixels.copy()
    changed[0, 0, 0] ^= 1
    assert digest(changed) != digest(pixels)
    assert digest(pixels.reshape(120, 80, 3)) != digest(pixels)


def test_names_are_encoded_byte_by_byte(tmp_path):
    names = ("a 14", "a\u2014", "a%2014", "a_14", "caf\u00e9", "a\udce9", "a/14")
    files = [coded_file(tmp_path, name) for name in names]
    assert len(set(files)) == len(names)
    assert files[0].name == "a%2014.rtc" and files[1].name == "a%E2%80%94.rtc"
    assert files[4].name == "caf\u00e9.rtc"
