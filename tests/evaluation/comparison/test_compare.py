"""The whole comparison: what it writes, what its notes say, and what it refuses."""

import json

import numpy as np
import pytest
import skimage.data

from signals.image_files import NamedImage


def test_crops_are_written_if_originals_are_given(compared, published, tmp_path):
    files = published("JPEG"), published("WebP", 0.7)
    images = [NamedImage("photo.png", skimage.data.chelsea()[:160, :240])]
    text = compared(*files, anchor="JPEG", images=images, bpp=2)
    assert "crops.png, crops.svg" in text
    assert {"crops.png", "crops.svg"} <= {path.name for path in (tmp_path / "o").iterdir()}
    assert "photo.png" in (tmp_path / "o" / "report.html").read_text()
    with pytest.raises(ValueError, match=r"bpp=0 must be above 0"):
        compared(*files, anchor="JPEG", images=images, bpp=0, output=tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_published_curves_beside_runs_have_no_interval(compared, published, runs, tmp_path):
    jpeg, webp = published("JPEG"), published("WebP", factor=0.7)
    text = compared(jpeg, webp, f"{runs}/*", anchor="JPEG")
    assert "| WebP | 5 | - | -30.00 | - | - |" in text and "| mixed | 4 | 3 | " in text
    assert "No per-file rows, so there are no intervals: " in text
    assert "taken on trust to be those of kodak: " in text
    text = compared(jpeg, f"{runs}/*", anchor="mixed", resamples=100)
    assert "No per-file rows, so they have no interval: JPEG." in text
    curves = json.loads((tmp_path / "o" / "comparison.json").read_text())["curves"]
    assert {curve["name"]: curve["interval_percent"] is not None for curve in curves} == {
        "JPEG": False,
        "mixed": False,
        "uniform_noise": True,
    }


def test_ms_ssim_and_one_seed(compared, write_runs, tmp_path):
    for name, factor in (("mixed", 0.9), ("ramp", 1.0)):
        write_runs(tmp_path / "runs", name, f"quantizer={name}", factor=factor, seeds=(0,))
    text = compared(f"{tmp_path}/runs/*", anchor="ramp", metric="ms-ssim-rgb", resamples=100)
    assert "BD-MS-SSIM (dB)" in text
    # Equal MS-SSIM at nine tenths of the rate; symbols are whole bits.
    assert "| mixed | 4 | 1 | -10.0" in text
    assert "One seed at some point" in text


def test_groups_of_one_quantizer_say_what_differs(compared, write_runs, tmp_path):
    for steps in (300, 600):
        settings = ("quantizer=soft_round", f"steps={steps}")
        write_runs(tmp_path / "runs", f"s{steps}", *settings, factor=steps / 600, seeds=(0,))
    text = compared(f"{tmp_path}/runs/*", anchor="soft_round (steps=600)", resamples=100)
    assert "| soft_round (steps=300) |" in text


def test_only_leaves_out_what_cannot_be_compared(compared, write_runs, runs):
    write_runs(runs, "x", "quantizer=ramp", lmbdas=(0.0035, 0.013, 0.0483))
    text = compared(f"{runs}/*", anchor="mixed", only="uniform_noise", resamples=100)
    assert "ramp" not in text


def test_published_files_of_one_name_are_told_apart(compared, published, tmp_path):
    paths = [tmp_path / folder / "jpeg.json" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        published("JPEG", path=path)
    assert f"JPEG ({paths[1]})" in compared(*paths, anchor=f"JPEG ({paths[0]})")


def test_a_curve_out_of_reach_is_named_and_the_others_are_ranked(
    compared, published, runs, tmp_path
):
    far = published("Far", psnr=[66, 69, 71, 74, 78])
    text = compared(f"{runs}/*", far, anchor="mixed", resamples=100)
    (row,) = [line for line in text.splitlines() if "| Far |" in line]
    assert row.startswith("| - | Far | 5 | - | not ranked | - |")
    assert "| curve 'Far' and the anchor 'mixed' sh" in row
    assert "| uniform_noise |" in text
    assert "Far" in (tmp_path / "o" / "report.html").read_text()


@pytest.mark.parametrize("metric", [None, "si-sdr", "log-mel"])
def test_curves_of_audio(compared, published_audio, tmp_path, metric):
    files = published_audio("Opus"), published_audio("MP3", factor=1.5)
    text = compared(*files, anchor="Opus", metric=metric)
    assert "| MP3 | 5 | - | +50.00 | " in text
    assert ("-log-mel is the log-mel distance with its sign changed" in text) == (
        metric == "log-mel"
    )
    record = json.loads((tmp_path / "o" / "comparison.json").read_text())
    assert record["metric"] == (metric or "si-sdr")
    np.testing.assert_equal(record["curves"][0]["kbps"], [6, 9, 14, 22, 35])
    assert "rate (kbit/s)" in (tmp_path / "o" / "comparison.svg").read_text()


def test_audio_and_images_are_not_compared(compared, published, published_audio, tmp_path):
    jpeg = published("JPEG")
    words = r"Opus\) has results of recordings .* psnr-rgb is a metric of images: they cannot be"
    with pytest.raises(ValueError, match=words):
        compared(published_audio("Opus"), jpeg, anchor="JPEG")
    words = r"has results of images \(rate in bpp\), but si-sdr is a metric of rec"
    with pytest.raises(ValueError, match=words):
        compared(jpeg, published("WebP"), anchor="JPEG", metric="si-sdr")
    assert not (tmp_path / "o").exists()


def test_refusals(compared, published, write_runs, runs, tmp_path):
    jpeg = published("JPEG")
    mixed, everything = f"{runs}/m-*", f"{runs}/*"
    write_runs(tmp_path / "other", "x", "quantizer=ramp", offset=50)
    far = published("Far", psnr=[36, 39, 41, 44, 48])
    cases = [
        ((mixed,), {}, "at least 2 curves, got mixed (12 results)"),
        ((mixed, tmp_path / "other" / "*"), {}, "was measured on other files"),
        ((jpeg, mixed), {"metric": "ms-ssim-rgb"}, "has no ms-ssim-rgb"),
        ((jpeg, far), {"anchor": "JPEG"}, "'Far' and the anchor 'JPEG' share 17%"),
        ((everything,), {"dataset": "clic"}, "not on dataset='clic'"),
        ((everything,), {"only": "a"}, "only='a' must be one of the curves: mixed, uniform_noise."),
        ((everything,), {"resamples": 5}, "resamples=5 must be 100 to 1000000"),
        ((everything,), {"resamples": 2 * 10**9}, "resamples=2000000000 must be 100 to 1000000"),
        ((everything,), {"seed": -1}, "seed=-1 must not be negative"),
        ((everything,), {"half_width": 0}, "half_width=0 must be above 0"),
        ((everything,), {"contrasts": [("a", "mixed")]}, "contrast='a' must be one of the curves"),
        ((everything,), {"contrasts": [["mixed"] * 2]}, "must name two different curves"),
        ((tmp_path / "none",), {}, "names no run directory and no results file"),
    ]
    for results, options, message in cases:
        with pytest.raises((ValueError, FileNotFoundError)) as error:
            compared(*results, **{"anchor": "mixed", **options})
        assert message in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "o").exists()


def test_a_run_without_results_is_named_where_curves_are_too_few(compared, published, runs):
    (run,) = [path for path in runs.iterdir() if path.name == "m-0.013-0"]
    words = rf"got JPEG \(1 results\)\. Not read: {run} has results only on kodak, not on dataset="
    with pytest.raises(ValueError, match=words):
        compared(published("JPEG"), run, anchor="JPEG", dataset="clic")


def test_titles_name_the_files_whatever_names_of_results_tell(compared, write_runs, tmp_path):
    """Qualities, and a refined curve whose results are named so."""
    for name, suffix in (("mixed", "-q{}"), ("ramp", "-sga")):
        write_runs(tmp_path / "runs", name, f"quantizer={name}", seeds=(0,))
        for k, path in enumerate(sorted((tmp_path / "runs").glob(f"{name}-*/results/*.json"))):
            document = json.loads(path.read_text())
            document["dataset"]["name"] += suffix.format(k)
            document["provenance"]["quality"] = k if name == "mixed" else None
            path.write_text(json.dumps(document))
    for anchor in ("mixed", "ramp"):
        compared(f"{tmp_path}/runs/*", anchor=anchor, resamples=100)
        title = "rate (bits per pixel), mean over kodak (8 files)"
        assert title in (tmp_path / "o" / "comparison.svg").read_text()
        assert f"{anchor} on kodak (8 files)" in (tmp_path / "o" / "report.html").read_text()
