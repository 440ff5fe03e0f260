"""Curves from results: order, means over seeds, and results that do not belong together."""

import numpy as np
import pytest

from evaluation.comparison.comparable import comparable_curves
from evaluation.comparison.curves import curve_of_file, curve_of_runs
from evaluation.comparison.measurements import read_measurement
from evaluation.media import AUDIO, IMAGE
from evaluation.metrics import METRICS
from evaluation.results import Results, write_results

PSNR = METRICS["psnr-rgb"]


def row_of(medium, **columns):
    metrics = {each.column: 0.0 for each in medium.metrics}
    return medium.with_rates({**metrics, "bits_side": 0.0, "refine_seconds": 0.0, **columns})


def row(k, bits, psnr, digest=None):
    return row_of(
        IMAGE,
        file=f"{k}.png", sha256=digest or f"{k:064d}", height=100, width=100,
        bits_noise=bits, bits_training=bits, bits_rounded=bits, bits_coded=bits,
        bits_fixed_length=float("nan"), psnr_training=psnr, psnr=psnr, ms_ssim=0.9 + 0.01 * k,
        encode_seconds=0.1, decode_seconds=0.1,
    )  # fmt: skip


def write_run(folder, lmbda, seed, rows, **config):
    config = {"lmbda": lmbda, "seed": seed, "quantizer": {}, **config}
    results = Results.from_rows(
        rows, name=folder.name, description="", dataset="kodak", provenance={"config": config}
    )
    write_results(results, folder / "results" / "kodak.json")
    return folder / "results" / "kodak.json"


@pytest.fixture
def runs(tmp_path):
    """Two rates and two seeds; the second seed has its rows in another order."""
    paths = []
    for lmbda, bits, psnr in ((0.1, 9000, 36.0), (0.01, 3000, 30.0)):
        rows = [row(0, bits, psnr), row(1, bits + 1000, psnr + 1)]
        paths.append(write_run(tmp_path / f"a{lmbda}", lmbda, 1, rows))
        later = [row(1, bits + 3000, psnr + 3), row(0, bits + 2000, psnr + 2)]
        paths.append(write_run(tmp_path / f"b{lmbda}", lmbda, 2, later))
    return [read_measurement(path) for path in paths]


def test_points_rise_and_are_means_over_seeds_and_images(runs):
    curve = curve_of_runs("mixed", runs, PSNR)
    np.testing.assert_allclose(curve.rates, [0.45, 1.05])
    np.testing.assert_allclose(curve.quality, [31.5, 37.5])
    assert curve.seeds == ((1, 2), (1, 2)) and curve.seeds_at_all_points == (1, 2)


def test_rows_of_all_seeds_line_up_by_image(runs):
    curve = curve_of_runs("mixed", runs, PSNR)
    np.testing.assert_allclose(curve.file_quality[0], [[30, 31], [32, 33]])
    np.testing.assert_allclose(curve.file_rates[1], [[0.9, 1.0], [1.1, 1.2]])


def test_ms_ssim_is_in_decibels_of_the_mean(runs):
    curve = curve_of_runs("mixed", runs, METRICS["ms-ssim-rgb"])
    np.testing.assert_allclose(curve.quality, -10 * np.log10(1 - 0.905))


def test_without_a_csv_there_are_no_rows(runs):
    runs[0].path.with_suffix(".csv").unlink()
    runs = [read_measurement(run.path) for run in runs]
    assert curve_of_runs("mixed", runs, PSNR).file_rates is None


def test_a_run_of_another_seed_count_is_seen(runs):
    curve = curve_of_runs("mixed", runs[:3], PSNR)
    assert curve.seeds == ((1,), (1, 2)) and curve.seeds_at_all_points == ()


def test_twice_the_same_lmbda_and_seed_is_refused(runs, tmp_path):
    twin = write_run(tmp_path / "twin", 0.1, 1, [row(0, 9, 3.0), row(1, 9, 3.0)])
    with pytest.raises(ValueError, match=r"a0\.1 and twin are both lmbda=0\.1 seed=1"):
        curve_of_runs("mixed", [*runs, read_measurement(twin)], PSNR)


def test_other_images_are_refused(runs, tmp_path):
    other = write_run(tmp_path / "other", 0.2, 1, [row(0, 9, 3.0), row(1, 9, 3.0, "f" * 64)])
    with pytest.raises(ValueError, match=r"other was measured on other files than a0\.1: 'kodak'"):
        curve_of_runs("mixed", [*runs, read_measurement(other)], PSNR)


def test_a_lossless_file_leaves_no_mean(tmp_path):
    path = write_run(tmp_path / "x", 0.1, 0, [row(0, 9, float("inf")), row(1, 9, 3.0)])
    with pytest.raises(ValueError, match=r"'x' has no point with a finite psnr-rgb"):
        curve_of_runs("x", [read_measurement(path)], PSNR)


def test_a_published_file_is_a_curve_in_order_of_rate(tmp_path):
    path = tmp_path / "jpeg2000.json"
    points = {"bpp": [2.0, 1.0, 0.5], "psnr-rgb": [40.0, 36.0, 32.0]}
    write_results(Results("J2K", "", points), path)
    measurement = read_measurement(path)
    curve = curve_of_file("J2K", measurement, PSNR)
    assert curve.rates.tolist() == [0.5, 1, 2] and curve.quality.tolist() == [32, 36, 40]
    assert curve.dataset is None and curve.seeds == () and curve.file_rates is None
    with pytest.raises(ValueError, match=r"jpeg2000\.json \(J2K\) has no ms-ssim-rgb, only bpp, "):
        curve_of_file("J2K", measurement, METRICS["ms-ssim-rgb"])


def sound_row(k, bits, si_sdr, pesq=2.0):
    nothing = float("nan")
    return row_of(
        AUDIO,
        file=f"{k}.wav", sha256=f"{k:064d}", sample_rate=8000, samples=4000, channels=1,
        bits_noise=bits, bits_training=bits, bits_rounded=bits, bits_coded=bits,
        bits_fixed_length=nothing, si_sdr_training=si_sdr, si_sdr=si_sdr, log_mel=20 - si_sdr,
        pesq_nb=pesq, pesq_wb=nothing, stoi=nothing, encode_seconds=0.1, decode_seconds=0.1,
    )  # fmt: skip


def test_curves_of_sound_have_kbps_and_distances_with_their_sign_changed(tmp_path):
    paths = [
        write_run(
            tmp_path / f"{lmbda}", lmbda, 1, [sound_row(0, bits, 4 * n), sound_row(1, bits, 6 * n)]
        )
        for n, (lmbda, bits) in enumerate([(0.01, 4000), (0.1, 8000)], start=1)
    ]  # fmt: skip
    runs = [read_measurement(path) for path in paths]
    curve = curve_of_runs("mixed", runs, METRICS["si-sdr"])
    assert curve.rates.tolist() == [8, 16] and curve.quality.tolist() == [5, 10]
    assert curve_of_runs("mixed", runs, METRICS["log-mel"]).quality.tolist() == [-15, -10]
    with pytest.raises(
        ValueError, match=r"has results of recordings .* psnr-rgb is a metric of im"
    ):
        curve_of_runs("mixed", runs, PSNR)


def test_rate_and_quality_are_over_the_files_that_have_the_metric(tmp_path):
    nothing = float("nan")
    rows = [sound_row(0, 4000, 5.0, pesq=3.0), sound_row(1, 9000, 5.0, pesq=nothing)]
    run = read_measurement(write_run(tmp_path / "a", 0.1, 1, rows))
    curve = curve_of_runs("mixed", [run], METRICS["pesq-nb"])
    assert curve.rates.tolist() == [8] and curve.quality.tolist() == [3]
    assert curve.file_rates[0].tolist() == [[8]]
    assert curve_of_runs("mixed", [run], METRICS["si-sdr"]).rates.tolist() == [13]
    other = [dict(rows[0], pesq_nb=nothing), dict(rows[1], pesq_nb=2.0)]
    runs = [run, read_measurement(write_run(tmp_path / "b", 0.2, 1, other))]
    with pytest.raises(ValueError, match="a and b have pesq-nb of different files"):
        curve_of_runs("mixed", runs, METRICS["pesq-nb"])


def test_curves_that_have_the_metric_of_other_files_are_not_compared(tmp_path):
    def curve(name, lacking):
        members = []
        for k in range(4):
            score = [float("nan") if file == lacking else 1.0 + k for file in range(3)]
            rows = [sound_row(file, 4000 * 2**k, 5.0, pesq=score[file]) for file in range(3)]
            path = write_run(tmp_path / f"{name}{k}", 0.1 * 2**k, 1, rows)
            members.append(read_measurement(path))
        return members

    groups = {"a": curve("a", 0), "b": curve("b", 1), "c": curve("c", 0)}
    found = comparable_curves(groups, METRICS["pesq-nb"], "a")
    assert list(found.ranked) == ["a", "c"]
    (other,) = found.unranked
    assert "has pesq-nb of 2 recordings and curve 'a' of 2, which are not the same" in other.reason
