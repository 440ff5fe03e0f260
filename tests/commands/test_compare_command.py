"""scripts/compare.py as a user runs it, on results files as evaluate.py writes them."""

import importlib.util
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from evaluation.comparison.curve_groups import group_runs, quantizer_name
from evaluation.comparison.measurements import Measurement
from evaluation.measure import FileRow
from evaluation.results import Results, write_results

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "compare.py"
LMBDAS = (0.0035, 0.013, 0.0483, 0.18)
IMAGES = 8
FILES = ["comparison.json", "comparison.md", "comparison.png", "comparison.svg", "report.html"]


def run(*arguments):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT)


@pytest.fixture
def main(monkeypatch, capsys):
    """The command without the start of an interpreter: status, output, errors."""

    def call(*arguments):
        spec = importlib.util.spec_from_file_location("compare", SCRIPT)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        monkeypatch.setattr(sys, "argv", ["compare.py", *map(str, arguments)])
        status = 0
        try:
            script.main()
        except SystemExit as end:
            status = end.code
        return (status, *capsys.readouterr())

    return call


def config_of(compose, *overrides):
    from omegaconf import OmegaConf

    return OmegaConf.to_container(compose(*overrides), resolve=True)


def write_runs(folder, name, config, *, factor=1.0, seeds=(0, 1, 2), lmbdas=LMBDAS, offset=0):
    """Runs whose rate is `factor` of a common curve, with noise of image and seed."""
    for seed in seeds:
        for k, lmbda in enumerate(lmbdas):
            rows = []
            for image in range(IMAGES):
                noise = np.random.default_rng([offset, seed, k, image, int(1000 * factor)])
                bits = int(factor * 4000 * 2**k * (1 + image / 10))
                psnr = 27 + 3 * k + image / 5 + noise.normal(0, 0.05)
                digest = f"{image + offset:064d}"
                rows.append(
                    FileRow(
                        f"{image}.png", digest, 160, 240, bits, bits, bits, bits, float("nan"),
                        psnr, psnr, 0.9 + 0.02 * k + image / 1000, 0.1, 0.1,
                    )
                )  # fmt: skip
            run_config = {**config, "lmbda": lmbda, "seed": seed, "run": f"{name}-{lmbda}-{seed}"}
            results = Results.from_rows(
                rows, name=run_config["run"], description="", dataset="kodak",
                provenance={"config": run_config, "git": {"commit": "c0ffee", "dirty": False}},
            )  # fmt: skip
            write_results(results, folder / run_config["run"] / "results" / "kodak.json")


@pytest.fixture
def runs(tmp_path, compose):
    folder = tmp_path / "runs"
    write_runs(folder, "u", config_of(compose, "quantizer=uniform_noise"))
    write_runs(folder, "m", config_of(compose, "quantizer=mixed"), factor=0.9)
    (folder / "u.log").write_text("not a run\n")
    return folder


def published(path, name, factor=1.0, **more):
    bpp = (factor * np.array([0.1, 0.2, 0.45, 0.9, 2.0])).tolist()
    points = {"bpp": bpp, "psnr-rgb": [26.0, 29.0, 31.5, 34.5, 38.0]}
    path.write_text(json.dumps({"name": name, "results": points, **more}))
    return path


def test_a_real_comparison(runs, main, tmp_path):
    output = tmp_path / "new" / "folder"
    command = (f"{runs}/*", "--anchor", "uniform_noise", "--resamples", 200, "--output", output)
    done = run(*command)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert sorted(path.name for path in output.iterdir()) == FILES
    written = (output / "comparison.md").read_text()
    assert done.stdout.startswith(written)
    table = [line for line in written.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert table[2].startswith("| 1 | mixed | 4 | 3 | -") and table[3].startswith(
        "| 2 | uniform_noise | 4 | 3 | 0 | anchor |"
    )
    for words in ("PCHIP", "u.log", "Fewer than 5 seeds", "200 resamples"):
        assert words in written
    record = json.loads((output / "comparison.json").read_text())
    mixed, anchor = record["curves"]
    low, high = mixed["interval_percent"]
    assert low < mixed["bd_rate_percent"] < high and low < -10 < high < 0
    assert mixed["p"] < 0.05 and mixed["bd_quality_db"] > 0
    assert anchor["bd_rate_percent"] == 0 and anchor["interval_percent"] is None
    assert mixed["seeds"] == [[0, 1, 2]] * 4 and mixed["commits"] == ["c0ffee"]
    with Image.open(output / "comparison.png") as image:
        assert image.width == 1440
    assert main(*command)[1] == done.stdout, "the bootstrap is seeded"


def test_pictures_at_equal_rate_are_written_where_originals_are_given(main, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).resize((240, 160)).save(folder / "photo.png")
    files = (published(tmp_path / "a.json", "JPEG"), published(tmp_path / "b.json", "WebP", 0.7))
    output = tmp_path / "o"
    command = (*files, "--anchor", "JPEG", "--output", output, "--images", folder)
    status, out, err = main(*command, "--bpp", 2)
    assert (status, err) == (0, "") and "crops.png, .svg" in out
    assert {"crops.png", "crops.svg"} <= {path.name for path in output.iterdir()}
    texts = (output / "report.html").read_text()
    assert "photo.png" in texts
    status, _, err = main(*command, "--bpp", 0)
    assert status == 2 and "bpp=0.0 must be above 0" in err


def test_published_curves_beside_runs_have_no_interval(main, runs, tmp_path):
    jpeg = published(tmp_path / "jpeg.json", "JPEG")
    webp = published(tmp_path / "webp.json", "WebP", factor=0.7)
    status, out, err = main(jpeg, webp, f"{runs}/*", "--anchor", "JPEG", "--output", tmp_path / "o")
    assert (status, err) == (0, "")
    assert "| WebP | 5 | - | -30.00 | - | - |" in out and "| mixed | 4 | 3 | " in out
    assert "No per-file rows, so there are no intervals: " in out
    assert "taken on trust: " in out
    status, out, _ = main(
        jpeg, f"{runs}/*", "--anchor", "mixed", "--resamples", 100, "--output", tmp_path / "p"
    )
    assert status == 0 and "No per-file rows, so they have no interval: JPEG." in out
    curves = json.loads((tmp_path / "p" / "comparison.json").read_text())["curves"]
    assert {curve["name"]: curve["interval_percent"] is not None for curve in curves} == {
        "JPEG": False,
        "mixed": False,
        "uniform_noise": True,
    }


def test_ms_ssim_and_one_seed(main, tmp_path, compose):
    for name, factor in (("mixed", 0.9), ("ramp", 1.0)):
        config = config_of(compose, f"quantizer={name}")
        write_runs(tmp_path / "runs", name, config, factor=factor, seeds=(0,))
    status, out, _ = main(
        f"{tmp_path}/runs/*", "--anchor", "ramp", "--metric", "ms-ssim-rgb",
        "--resamples", 100, "--output", tmp_path / "o",
    )  # fmt: skip
    assert status == 0 and "BD-MS-SSIM (dB)" in out
    # Equal MS-SSIM at nine tenths of the rate; symbols are whole bits.
    assert "| mixed | 4 | 1 | -10.0" in out
    assert "One seed at some point" in out


def test_groups_of_one_quantizer_say_what_differs(main, tmp_path, compose):
    folder = tmp_path / "runs"
    six = "soft_round (steps=600)"
    for steps in (300, 600):
        config = config_of(compose, "quantizer=soft_round", f"steps={steps}")
        write_runs(folder, f"s{steps}", config, factor=steps / 600, seeds=(0,))
    status, out, err = main(
        f"{folder}/*", "--anchor", six, "--resamples", 100,
        "--output", tmp_path / "o",
    )  # fmt: skip
    assert (status, err) == (0, "") and "| soft_round (steps=300) |" in out


def test_refined_files_are_curves_of_their_own(compose):
    def results_of(lmbda, refinement=None):
        config = {**config_of(compose, "quantizer=mixed"), "lmbda": lmbda}
        results = Results(
            name="",
            description="",
            points={"bpp": [1.0]},
            provenance={"config": config, "refinement": refinement},
        )
        return Measurement(pathlib.Path("x.json"), "x", results, None)

    sga, longer = ({"name": "sga", "steps": steps, "seed": 0} for steps in (500, 2000))
    plain = [results_of(0.01), results_of(0.1)]
    refined = [results_of(0.01, sga), results_of(0.1, {**sga, "seed": 1})]
    groups = group_runs([*plain, *refined])
    assert groups == {"mixed": plain, "mixed + sga": refined}
    names = list(group_runs([*plain, *refined, results_of(0.01, longer)]))
    assert names == ["mixed", "mixed + sga (steps=500)", "mixed + sga (steps=2000)"]


def test_names_of_quantizers(compose):
    def name(*overrides):
        return quantizer_name(config_of(compose, *overrides))

    assert name("quantizer=soft_then_hard", "steps=400") == "soft_then_hard"
    assert name("quantizer=vector", "seed=5") == "vector"
    assert name("quantizer=vector", "quantizer.dim=4") == "vector (dim=4)"
    changed = name("quantizer=soft_round", "quantizer.decoder.alpha=7")
    assert changed == "soft_round (decoder.alpha=7)"
    foreign = {
        "quantizer": {"_target_": "quantizers.ScalarQuantizer", "decoder": {"_target_": "x.Y"}}
    }
    assert quantizer_name(foreign) == "Y"


def test_every_choice_is_called_what_it_is(compose, quantizer_name):
    from evaluation.comparison import curve_groups

    config = config_of(compose, f"quantizer={quantizer_name}", "steps=123", "seed=3")
    assert curve_groups.quantizer_name(config) == quantizer_name


def test_mistakes_end_in_one_line_with_status_2(runs, warm, tmp_path):
    done = warm("scripts/compare.py", f"{runs}/*", "--anchor", "nosuch", "--output", tmp_path / "o")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "--anchor 'nosuch' must be one of the curves: mixed, uniform_noise." in done.stderr
    assert not (tmp_path / "o").exists()


def test_refusals(main, runs, tmp_path, compose):
    jpeg = published(tmp_path / "jpeg.json", "JPEG")
    mixed, everything = f"{runs}/m-*", f"{runs}/*"
    write_runs(tmp_path / "other", "x", config_of(compose, "quantizer=ramp"), offset=50)
    write_runs(tmp_path / "few", "x", config_of(compose, "quantizer=ramp"), lmbdas=LMBDAS[:3])
    far = published(tmp_path / "far.json", "Far")
    far.write_text(far.read_text().replace("26.0, 29.0, 31.5, 34.5, 38.0", "36, 39, 41, 44, 48"))
    cases = [
        ((mixed, "--anchor", "mixed"), "at least 2 curves, got mixed (12 results)"),
        (
            (everything, tmp_path / "other" / "*", "--anchor", "mixed"),
            "was measured on other images",
        ),
        ((everything, tmp_path / "few" / "*", "--anchor", "mixed"), "'ramp' has 3 points"),
        ((jpeg, everything, "--anchor", "JPEG", "--metric", "ms-ssim-rgb"), "has no ms-ssim-rgb"),
        ((jpeg, far, "--anchor", "JPEG"), "'Far' and the anchor 'JPEG' share 17%"),
        ((everything, "--anchor", "mixed", "--dataset", "clic"), "not on dataset='clic'"),
        ((everything, "--anchor", "mixed", "--only", "a"), "--only 'a' must be one of the curves"),
        ((everything, "--anchor", "mixed", "--resamples", 5), "--resamples 5 must be at least 100"),
        ((tmp_path / "none", "--anchor", "mixed"), "names no run directory and no results file"),
    ]
    for arguments, message in cases:
        status, _, err = main(*arguments, "--output", tmp_path / "o")
        assert status == 2 and err.count("\n") == 1 and message in err, (arguments, err)
    assert not (tmp_path / "o").exists()


def test_only_leaves_out_what_cannot_be_compared(main, runs, tmp_path, compose):
    write_runs(runs, "x", config_of(compose, "quantizer=ramp"), lmbdas=LMBDAS[:3])
    status, out, _ = main(
        f"{runs}/*", "--anchor", "mixed", "--only", "uniform_noise", "--resamples", 100,
        "--output", tmp_path / "o",
    )  # fmt: skip
    assert status == 0 and "ramp" not in out


def test_published_files_of_one_name_are_told_apart(main, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        published(tmp_path / folder / "jpeg.json", "JPEG")
    anchor = f"JPEG ({tmp_path / 'a' / 'jpeg.json'})"
    status, out, _ = main(
        tmp_path / "a" / "jpeg.json", tmp_path / "b" / "jpeg.json", "--anchor", anchor,
        "--output", tmp_path / "o",
    )  # fmt: skip
    assert status == 0 and f"JPEG ({tmp_path / 'b' / 'jpeg.json'})" in out


def sound(path, name, factor=1.0):
    kbps = (factor * np.array([6.0, 9.0, 14.0, 22.0, 35.0])).tolist()
    points = {"kbps": kbps, "si-sdr": [4.0, 8.0, 11.0, 15.0, 19.0]}
    points["log-mel"] = [6.0, 4.5, 3.0, 2.0, 1.5]
    path.write_text(json.dumps({"name": name, "results": points}))
    return path


@pytest.mark.parametrize("metric", [None, "si-sdr", "log-mel"])
def test_curves_of_sound(main, tmp_path, metric):
    files = sound(tmp_path / "a.json", "Opus"), sound(tmp_path / "b.json", "MP3", factor=1.5)
    chosen = ("--metric", metric) if metric else ()
    output = tmp_path / "o"
    status, out, err = main(*files, "--anchor", "Opus", *chosen, "--output", output)
    assert (status, err) == (0, "") and "| MP3 | 5 | - | +50.00 | " in out
    assert ("-log-mel is the log-mel distance with its sign changed" in out) == (
        metric == "log-mel"
    )
    record = json.loads((output / "comparison.json").read_text())
    assert record["metric"] == (metric or "si-sdr")
    assert record["curves"][0]["kbps"] == [6, 9, 14, 22, 35]
    assert "rate (kbit/s)" in (output / "comparison.svg").read_text()


def test_sound_and_images_are_not_compared(main, tmp_path):
    opus, jpeg = sound(tmp_path / "a.json", "Opus"), published(tmp_path / "b.json", "JPEG")
    status, _, err = main(opus, jpeg, "--anchor", "JPEG", "--output", tmp_path / "o")
    assert status == 2 and err.count("\n") == 1
    assert "'Opus' is of recordings (rate in kbps) and curve 'JPEG' of images (bpp)" in err
    status, _, err = main(
        jpeg, published(tmp_path / "c.json", "WebP"), "--anchor", "JPEG", "--metric", "si-sdr",
        "--output", tmp_path / "o",
    )  # fmt: skip
    assert (
        status == 2 and "has results of images (rate in bpp), but si-sdr is a metric of rec" in err
    )
    assert not (tmp_path / "o").exists()


def test_a_curve_out_of_reach_is_named_and_the_others_are_ranked(main, runs, tmp_path):
    far = published(tmp_path / "far.json", "Far")
    far.write_text(far.read_text().replace("26.0, 29.0, 31.5, 34.5, 38.0", "66, 69, 71, 74, 78"))
    output = tmp_path / "o"
    arguments = (f"{runs}/*", far, "--anchor", "mixed", "--output", output)
    status, out, _ = main(*arguments, "--resamples", 100)
    assert status == 0
    assert "Not ranked: curve 'Far' and the anchor 'mixed' share 0%" in out
    assert "| uniform_noise |" in out and "| Far |" not in out
    assert "Far" in (output / "report.html").read_text()
