"""Evaluation of many runs: what is skipped, what is measured anew, and what failures leave."""

import csv
import json
import pathlib
import re
import shutil

import hydra
import numpy as np
import pytest
from PIL import Image

from assembly.parts import build_model
from evaluation.results import Results
from sweeps.evaluations import evaluate_runs
from training.checkpoints import save_model
from training.run_names import find_runs

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL = ("model.transforms.num_filters=4", "steps=4", "precision=float32")
TIMES = ("encode_seconds", "decode_seconds")


def write_images(folder, seed):
    folder.mkdir(exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, [2, 12, 10, 3], np.uint8)
    for number, image in enumerate(pixels.repeat(4, axis=1).repeat(4, axis=2)):
        Image.fromarray(image).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "images", seed=0)


@pytest.fixture(scope="module")
def trained(compose, save_run, tmp_path_factory):
    """Two trained runs, one that is not trained to its end, and a log."""
    folder = tmp_path_factory.mktemp("trained") / "runs"
    for seed in (0, 1, 2):
        save_run(compose(*SMALL, f"seed={seed}"), folder / f"run{seed}")
    shutil.rmtree(folder / "run2" / "model")
    (folder / "run0.log").write_text("not a run\n")
    return folder


@pytest.fixture
def runs(trained, tmp_path):
    return pathlib.Path(shutil.copytree(trained, tmp_path / "runs"))


def rows(run):
    with (run / "results" / "images.csv").open() as file:
        return [
            {key: value for key, value in row.items() if key not in TIMES}
            for row in csv.DictReader(file)
        ]


def test_a_pattern_of_runs_is_measured_one_by_one_and_in_parallel(runs, images, warm, fresh):
    asked = (f"runs={runs}/run*", "data=image_folder", f"data.root={images}")
    first = warm("evaluate.py", *asked)
    assert first.returncode == 1, first.stderr
    lines = first.stdout.splitlines()
    assert re.fullmatch(r"\[1/3\] run0: \d\.\d+ bpp, \d+\.\d+ dB, .* \(0:\d\d, ETA .*\)", lines[0])
    assert lines[-1].startswith(f"failed: {runs}/run2: ") and "resumes it" in lines[-1]
    measured = [rows(runs / name) for name in ("run0", "run1")]
    assert len(measured[0]) == 2 and measured[0] != measured[1]

    parallel = fresh("evaluate.py", *asked, "overwrite=true", "n_jobs=2")
    assert parallel.returncode == 1 and parallel.stdout.count("bpp") == 2, parallel.stderr
    # A run's figures do not depend on what its process has measured before.
    assert measured == [rows(runs / name) for name in ("run0", "run1")]


@pytest.fixture
def measured(runs, images):
    """``measured("limit=1")``: the names of the runs that such a command would measure."""
    from data import ImageFolder
    from evaluate import evaluate

    for name in ("run0", "run1"):
        evaluate(str(runs / name), ImageFolder(root=str(images)), classical=[])

    def names(*overrides):
        called = []

        def pretend(run, config):
            called.append(pathlib.Path(run).name)
            return Results(name="", description="", points={"bpp": [1.0]})

        with hydra.initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
            config = hydra.compose(
                "evaluate",
                [f"runs=[{runs}/run0,{runs}/run1]", "data=image_folder", f"data.root={images}",
                 *overrides],
            )  # fmt: skip
        assert evaluate_runs(config, pretend) == 0
        return called

    return names


def test_precision_of_training_and_of_evaluation(compose, save_run, images, tmp_path):
    from data import ImageFolder
    from evaluate import evaluate

    run = tmp_path / "run"
    save_run(compose(*SMALL, "precision=bfloat16"), run)
    for precision in ("float32", "bfloat16"):
        evaluate(str(run), ImageFolder(root=str(images)), classical=[], precision=precision)
    for name, precision in (("images", "float32"), ("images-bfloat16", "bfloat16")):
        told = json.loads((run / f"results/{name}.json").read_text())["provenance"]
        assert told["precision"] == precision and told["config"]["precision"] == "bfloat16"
        assert told["config"]["model"]["transforms"]["precision"] == "bfloat16"


def test_what_was_measured_in_the_same_way_is_skipped(measured, runs, images, compose):
    both = ["run0", "run1"]
    assert measured() == []
    assert measured("overwrite=true") == both
    assert measured("limit=1") == both
    assert measured("limit=2") == [], "there are two images"
    assert measured("precision=bfloat16") == both
    assert measured("classical=[JPEG]") == both
    results = runs / "run1" / "results"
    (results / "images.txt").rename(results / "kept.txt")
    assert measured() == ["run1"], "the table is written last"
    (results / "kept.txt").rename(results / "images.txt")
    for name in ("images.json", "images.csv"):
        whole = (results / name).read_bytes()
        for damaged in (b"", whole[: len(whole) // 2], b"\0\xff" + whole, b"[]"):
            (results / name).write_bytes(damaged)
            assert measured() == ["run1"], "damaged results are measured anew"
        (results / name).write_bytes(whole)
    assert measured() == []
    (results / "images.txt").unlink()

    weights = build_model(compose(*SMALL, "seed=7"))
    weights.freeze()
    (runs / "run0" / "model").rename(runs / "old")
    save_model(weights, runs / "run0" / "model")
    assert measured() == both, "other weights"

    (runs / "run0" / "model").rename(runs / "new")
    (runs / "old").rename(runs / "run0" / "model")
    assert measured() == ["run1"]
    write_images(images, seed=1)
    assert measured() == both, "other pixels under the same name"


def test_results_are_named_after_what_was_measured(runs, images, tmp_path):
    """Folders of one name, and a part of one, once replaced each other's results."""
    from data import ImageFolder
    from evaluate import evaluate

    def measure(folder, **options):
        evaluate(str(runs / "run0"), ImageFolder(root=str(folder)), classical=[], **options)
        return {path.stem for path in (runs / "run0" / "results").glob("*.json")}

    (tmp_path / "b").mkdir()
    other = write_images(tmp_path / "b" / "images", seed=3)
    assert measure(images, limit=1) == {"images-first1"}
    assert measure(images, limit=2) == {"images-first1", "images"}, "there are two images"
    before = (runs / "run0" / "results" / "images.json").read_bytes()
    (named,) = measure(other) - {"images-first1", "images"}
    assert re.fullmatch("images-[0-9a-f]{8}", named)
    assert (runs / "run0" / "results" / "images.json").read_bytes() == before
    assert len(measure(other)) == 3, "the same files have the same name"
    (runs / "run0" / "results" / "images.json").write_text("{")
    assert len(measure(images)) == 3, "damaged results are replaced"
    document = json.loads((runs / "run0" / "results" / "images.json").read_text())
    objective, (bpp,) = document["provenance"]["objective"], document["results"]["bpp"]
    mse = [255**2 / 10 ** (float(row["psnr"]) / 10) for row in rows(runs / "run0")]
    assert objective["distortion"] == pytest.approx(np.mean(mse), rel=1e-5)
    assert objective["loss"] == pytest.approx(bpp + 0.013 * np.mean(mse), rel=1e-5)


def test_one_failure_leaves_the_others(runs, images, capsys):
    def fail_at_first(run, config):
        if run.endswith("run0"):
            raise RuntimeError("of this\nrun alone")
        return Results(name="", description="", points={"bpp": [0.5], "psnr-rgb": [30.0]})

    with hydra.initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = hydra.compose("evaluate", [f"runs=[{runs}/run0,{runs}/run1]"])
    assert evaluate_runs(config, fail_at_first) == 1
    out = capsys.readouterr().out
    assert "[1/2] run0: failed: of this run alone (" in out
    assert "[2/2] run1: 0.5000 bpp, 30.00 dB (" in out
    assert out.endswith(f"failed: {runs}/run0: of this run alone\n")


def test_names_paths_and_patterns(runs, monkeypatch):
    assert find_runs(f"{runs}/run*") == [runs / f"run{seed}" for seed in (0, 1, 2)]
    assert find_runs([str(runs / "run1"), f"{runs}/*"])[0] == runs / "run1"
    monkeypatch.chdir(runs.parent)
    assert find_runs("run?") == [pathlib.Path("runs") / f"run{seed}" for seed in (0, 1, 2)]
    with pytest.raises(ValueError, match=r"runs='nothing\*' names no run directory"):
        find_runs(["run0", "nothing*"])
    monkeypatch.chdir(runs)
    assert find_runs(["run1", "run?"])[:2] == [pathlib.Path("run1"), pathlib.Path("run0")]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ((), "run=None, runs=None, pretrained=None: give one of them"),
        (("run=a", "runs=b"), "run=a, runs=b, pretrained=None: give one of them"),
        (("runs=no-such-*",), "runs='no-such-*' names no run directory"),
        (("runs=[]",), "runs=[] must name at least one run directory"),
        (("run=a", "quality=[]"), "quality=[] must name at least one quality, or be null"),
        (("runs=a", "quality=[]"), "quality=[] must name at least one quality, or be null"),
        (("pretrained=none",), "there is no pretrained model 'none'; there are: "),
    ],
)
def test_mistakes_are_one_line_with_status_2(warm, overrides, message):
    done = warm("evaluate.py", *overrides)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and message in done.stderr, done.stderr
