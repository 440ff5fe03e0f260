"""The table: it fits a terminal, says its real numbers, and explains them."""

from __future__ import annotations

import pytest

from evaluation.classical.jpeg import JPEG
from evaluation.classical.matches import closest_to
from evaluation.classical.webp import WEBP
from evaluation.measure import measure
from evaluation.media import IMAGE
from evaluation.tables import comparison_table


@pytest.fixture
def rows(codec, photos, tmp_path):
    return measure(IMAGE, codec, photos, tmp_path)


def matches(codec, rows, photos):
    return [closest_to(codec, photo, row["bpp"])[0] for row, photo in zip(rows, photos)]


def test_every_file_and_the_mean_in_100_columns(rows, photos):
    rows[1] = dict(rows[1], file="a/very/long/folder/and/then/the/name of the file 17.png")
    both = {"JPEG": matches(JPEG, rows, photos), "WebP": matches(WEBP, rows, photos)}
    table = comparison_table(IMAGE, "soft_round-with-a-very-long-name", rows, both)
    lines = table.splitlines()
    assert max(len(line) for line in lines) <= 100
    astronaut = next(line for line in lines if line.startswith("astronaut")).split()
    jpeg = both["JPEG"][0]
    assert astronaut[1:4] == [
        f"{rows[0]['bpp']:.3f}",
        f"{rows[0]['psnr']:.2f}",
        f"{rows[0]['ms_ssim']:.4f}",
    ]
    assert astronaut[4:7] == [f"{jpeg['bpp']:.3f}", f"{jpeg['psnr']:.2f}", f"{jpeg['ms_ssim']:.4f}"]
    assert any("file 17.png" in line for line in lines)
    mean = next(line for line in lines[-20:] if line.startswith("soft_")).split()
    assert mean[1] == f"{sum(row['bpp'] for row in rows) / 3:.3f}"
    assert mean[3] == "-"  # the small file has no MS-SSIM
    assert mean[4] == f"{sum(row['psnr_y'] for row in rows) / 3:.2f}"
    assert "bits per pixel" in table and "Y-PSNR" not in lines[1]


def test_a_match_of_another_size_is_pointed_out(rows):
    same = [{**row, "psnr": 30.0} for row in rows]
    far = [dict(match, bpp=2 * match["bpp"]) for match in same]
    assert "10 %" not in comparison_table(IMAGE, "x", rows, {"JPEG": same})
    assert "JPEG has no setting within 10 % of the rate of 3 of 3 files" in comparison_table(
        IMAGE, "x", rows, {"JPEG": far}
    )


def test_infinite_quality_prints(rows):
    table = comparison_table(IMAGE, "x", [dict(rows[0], psnr=float("inf"), ms_ssim=1.0)], {})
    assert " inf " in table
