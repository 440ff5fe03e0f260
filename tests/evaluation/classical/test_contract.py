"""What holds for every classical codec: round trip, rates that rise, matches, ladders."""

import dataclasses

import numpy as np
import pytest

from evaluation.classical import classical_codecs
from evaluation.classical.codec import CannotCode
from evaluation.classical.ladders import curve_of_rows, measure_rows
from evaluation.classical.matches import closest_to, measure_ladder


def original(file):
    return file.pixels if hasattr(file, "pixels") else file.samples


def at_settings(codec, *settings):
    return dataclasses.replace(codec, ladder=settings)


def rate_of(codec, file, setting):
    """Of the packets, in the medium's unit."""
    bits = 8 * codec.encode(file, setting).packet_bytes
    if codec.medium.name == "image":
        return bits / (file.pixels.shape[0] * file.pixels.shape[1])
    return bits * file.sample_rate / len(file.samples) / 1000


def test_names_are_unique():
    names = [codec.name for codec in classical_codecs().values()]
    assert len({*names}) == len(names) >= 11


def test_files_come_back_in_shape_and_grow_with_the_setting(classical, example):
    assert classical.ladder == tuple(sorted(classical.ladder)) and len(classical.ladder) >= 8
    sizes = []
    for setting in (
        classical.lowest, classical.ladder[0], classical.ladder[-1], classical.highest
    ):  # fmt: skip
        coded = classical.encode(example, setting)
        decoded = classical.decode(coded.files, example)
        assert decoded.shape == original(example).shape
        assert decoded.dtype == original(example).dtype
        assert 0 < coded.packet_bytes <= coded.file_bytes == sum(map(len, coded.files))
        sizes.append(coded.packet_bytes)
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1]
    (row,) = measure_ladder(at_settings(classical, classical.highest), example)
    assert row.get("psnr", 100) > 35 and row.get("si_sdr", 100) > 10
    assert all(classical.versions().values()) and classical.name in classical.description


def test_ladder_is_the_mean_over_files_and_rises(classical, photos, sounds):
    files = photos[:2] if classical.medium.name == "image" else sounds[:2]
    settings = (classical.ladder[1], classical.ladder[-1])
    rows = measure_rows(at_settings(classical, *settings), iter(files))
    curve = curve_of_rows(classical, rows, dataset="two")
    assert curve.name == classical.name and curve.medium is classical.medium
    assert curve.dataset.files == 2 and {len(each) for each in curve.points.values()} == {2}
    rising = {"image": ("bpp", "psnr-rgb", "ms-ssim-rgb"), "audio": ("kbps", "si-sdr", "stoi")}
    for key in rising[classical.medium.name]:
        assert curve.points[key][0] < curve.points[key][1], key
    packets = curve.points.get("kbps-packets", curve.points.get("bpp"))
    expected = [rate_of(classical, file, settings[1]) for file in files]
    assert packets[1] == pytest.approx(np.mean(expected))
    if classical.medium.name == "audio":
        assert curve.points["log-mel"][0] > curve.points["log-mel"][1]
        assert np.all(np.array(packets) <= curve.points["kbps"])


def test_rates_out_of_reach_give_the_end_of_the_range(classical, example):
    for rate, setting in ((1e-3, classical.lowest), (1e5, classical.highest)):
        row, decoded = closest_to(classical, example, rate)
        assert row["quality"] == setting and decoded.shape == original(example).shape
        assert row[classical.medium.rate] == pytest.approx(rate_of(classical, example, setting))


def test_the_closest_setting_of_all(classical, example):
    settings = np.linspace(classical.lowest, classical.highest, 15, dtype=int).tolist()
    low, high = (rate_of(classical, example, classical.ladder[k]) for k in (1, -2))
    wanted = (low * high) ** 0.5
    row, decoded = closest_to(classical, example, wanted)
    found = row[classical.medium.rate]
    assert found == pytest.approx(rate_of(classical, example, row["quality"]))
    assert row[f"{classical.medium.rate}_file"] >= found
    nearest = min(abs(rate_of(classical, example, each) - wanted) for each in settings)
    # Sizes dip by a few bytes from one setting to the next.
    assert abs(found - wanted) <= nearest + 0.02 * wanted
    again = classical.decode(classical.encode(example, row["quality"]).files, example)
    np.testing.assert_array_equal(decoded, again)


def test_what_an_encoder_raises_becomes_one_line(classical, example, monkeypatch):
    def fails(*arguments, **options):
        raise SystemError("two\nlines")

    for method in ("encode", "decode"):
        with monkeypatch.context() as patch:
            patch.setattr(type(classical), method, fails)
            for measured, rate in ((closest_to, [1.0]), (measure_ladder, [])):
                with pytest.raises(CannotCode, match=rf"cannot code {example.name}: two lines"):
                    measured(classical, example, *rate)
