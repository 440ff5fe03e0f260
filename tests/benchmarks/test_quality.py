"""benchmarks/quality.py: losses of classical codecs and of real, tiny trainings.

The commands share a process; only what starts one for each is not the benchmark's own here.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import pytest
from PIL import Image

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def folders(tmp_path):
    """Photographs to train on, and others."""
    made = []
    for seed, name in enumerate(("photos", "others")):
        folder = tmp_path / name
        folder.mkdir()
        noise = np.random.default_rng(seed).integers(0, 256, [4, 9, 12, 3], np.uint8)
        for number, pixels in enumerate(noise.repeat(16, axis=1).repeat(16, axis=2)):
            Image.fromarray(pixels).save(folder / f"{number}.png")
        made.append(str(folder))
    return made


def test_trainings_and_classical_codecs_are_measured_by_one_loss(
    folders, tmp_path, monkeypatch, capsys, warm
):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import quality

    tiny = ("model=bls2017", "model.transforms.num_filters=4", "batch_size=2", "data.patch_size=64")

    def command(*words):
        done = warm(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    monkeypatch.setattr(quality, "command", command)
    monkeypatch.setattr(quality, "RECIPES", {"tiny": tiny})
    monkeypatch.setattr(quality, "TRIAL_STEPS", 4)
    monkeypatch.setattr(quality, "steps_per_minute", lambda settings: 30.0)
    output = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", [
        "quality.py", "--photos", folders[0], "--test", folders[1], "--minutes", "0.1",
        "--codecs", "jpeg", "--output", str(output),
    ])  # fmt: skip
    quality.main()
    document = json.loads((output / "quality.json").read_text())
    (point,) = document["points"]
    (results,) = (p for p in output.glob("tiny-3/results/*.json") if quality.files_of(p) == 4)
    measured = json.loads(results.read_text())
    mse = measured["provenance"]["objective"]["distortion"]
    assert point["steps"] == 3 and point["minutes"] > 0
    assert point["loss"] == pytest.approx(measured["results"]["bpp"][0] + 0.013 * mse)
    jpeg = json.loads((output / "classical" / "jpeg.json").read_text())["results"]
    assert (
        0
        < document["classical"]["JPEG"]
        <= min(
            rate + 0.013 * 255**2 / 10 ** (psnr / 10)
            for rate, psnr in zip(jpeg["bpp"], jpeg["psnr-rgb"])
        )
        * 1.2
    )
    assert (output / "quality.png").stat().st_size > 10_000
    assert "JPEG, best setting" in capsys.readouterr().out
    monkeypatch.setattr(quality, "command", lambda *a: pytest.fail(f"repeated {a}"))
    monkeypatch.setattr(quality, "classical_losses", lambda arguments: {"JPEG": 1.0})
    quality.main()  # Everything is there.


def test_an_output_folder_has_one_set_of_images_and_one_lmbda(
    folders, tmp_path, monkeypatch, capsys
):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import quality

    monkeypatch.setattr(quality, "RECIPES", {})
    monkeypatch.setattr(quality, "classical_losses", lambda arguments: {})

    def run(photos, test, *more):
        monkeypatch.setattr(sys, "argv", [
            "quality.py", "--photos", photos, "--test", test, "--output", str(tmp_path / "out"),
            *more,
        ])  # fmt: skip
        quality.main()

    with pytest.raises(SystemExit):
        run(folders[0], str(tmp_path / "gone"))
    assert f"{tmp_path / 'gone'} is not an existing folder." in capsys.readouterr().err
    run(*folders)
    run(*folders, "--minutes", "7")
    for other in ((folders[0], folders[0]), (*folders, "--lmbda", "0.05")):
        with pytest.raises(SystemExit):
            run(*other)
        assert "lmbda 0.013: choose another." in capsys.readouterr().err


def test_budgets_that_are_near_each_other_are_two_trainings(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import quality

    def command(script, *settings):
        told = dict(each.split("=", 1) for each in settings)
        results = pathlib.Path(told["run"]) / "results" / "kodak.json"
        results.parent.mkdir(parents=True, exist_ok=True)
        means = {"dataset": {"files": 1}, "provenance": {"objective": {"loss": 1.0}}}
        results.write_text(json.dumps(means))

    monkeypatch.setattr(quality, "command", command)
    arguments = argparse.Namespace(output=tmp_path, test="t")

    def steps(minutes, rate):
        return [quality.trained("tiny", (), each, rate, arguments).steps for each in minutes]

    assert steps((10, 12), 30.0) == [300, 360]
    assert steps((10, 12, 15), 29.0) == [300, 360, 435], "another trial, and what is kept"


def test_a_training_that_was_stopped_goes_on(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import quality

    runs = []

    def command(script, *settings):
        run = pathlib.Path(dict(each.split("=", 1) for each in settings)["run"])
        runs.append(run.name)
        (run / "checkpoints" / "step-150").mkdir(parents=True, exist_ok=True)
        if len(runs) == 1:
            raise KeyboardInterrupt
        (run / "results").mkdir(exist_ok=True)
        means = {"dataset": {"files": 1}, "provenance": {"objective": {"loss": 1.0}}}
        (run / "results" / "kodak.json").write_text(json.dumps(means))

    monkeypatch.setattr(quality, "command", command)
    arguments = argparse.Namespace(output=tmp_path, test="t")
    with pytest.raises(KeyboardInterrupt):
        quality.trained("tiny", (), 10, 30.0, arguments)
    point = quality.trained("tiny", (), 10, 25.0, arguments)  # Another trial, another speed.
    assert runs == ["tiny-300"] * 3 and point.steps == 300
    assert point.minutes == pytest.approx(150 / 25, abs=0.1)


def test_only_the_codecs_that_are_named_are_lines(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import quality

    (tmp_path / "classical").mkdir()
    for name in ("jpeg", "webp"):
        path = tmp_path / "classical" / name
        path.with_suffix(".json").write_text(json.dumps({"name": name.upper()}))
        path.with_suffix(".csv").write_text("quality,psnr,bpp\n5,30,0.5\n")
    monkeypatch.setattr(quality, "command", lambda *words: "")
    arguments = argparse.Namespace(output=tmp_path, test="t", codecs="jpeg", lmbda=0.0)
    assert quality.classical_losses(arguments) == {"JPEG": 0.5}


def test_compressai_is_another_python(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import quality

    python = tmp_path / "python"
    line = json.dumps({"steps": 7, "minutes": 2.1, "loss": 1.5})
    python.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/words\necho step\necho '{line}'\n")
    python.chmod(0o755)
    arguments = argparse.Namespace(
        compressai=str(python), photos=["a", "b"], test="c", lmbda=0.013, output=tmp_path
    )
    point = quality.compressai(2.0, arguments)
    assert point == quality.Point("CompressAI's bmshj2018-hyperprior", 7, 2.1, 1.5)
    words = (tmp_path / "words").read_text()
    assert words.split(" ", 1)[1] == "--photos a b --test c --minutes 2 --lmbda 0.013\n"
    python.unlink()
    assert quality.compressai(2.0, arguments) == point, "kept"
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    with pytest.raises(SystemExit, match="CompressAI ended with status 3"):
        quality.compressai(5.0, arguments)
    assert not (tmp_path / "compressai-5.json").exists()
