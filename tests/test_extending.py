"""The examples of docs/extending.md run in a copy of the project with no file but theirs added."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text()
EXAMPLES = {
    section.splitlines()[0]: {
        re.match(r"# (\S+)", text)[1]: text
        for text in re.findall(r"```(?:python|yaml)\n(.*?)```", section, re.DOTALL)
    }
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
}
"""Heading -> path in the project -> text of the file."""

IN_PAIRS = {
    "A quantizer": "quantizers",
    "A model": "models",
    "A dataset": "data",
    "A distortion": "distortion",
    "An optimizer": "training",
}
"""What takes one Python file and one YAML, and the package of the former."""

ALONE = {
    "An image metric": "evaluation/metrics",
    "An audio metric": "evaluation/metrics",
    "A classical codec": "evaluation/classical",
}
"""What takes one Python file, and where it is."""

TRAINING = re.search(r"^python (train.py .*)$", PAGE, re.MULTILINE)[1].split()
SHORT = ("steps=3", "batch_size=2", "log_every=1", "run=examples", "classical=[JPEG444]")
CONTRACTS = {
    "half_round": ("tests/quantizers/test_contract.py", "tests/quantizers/test_annealing.py"),
    "two_layers": ("tests/models/test_autoencoder.py",),
    "gratings": ("tests/data/test_source_contract.py",),
    "charbonnier": ("tests/distortion/test_contract.py",),
    "sgd": ("tests/training/test_optimizers.py",),
    "jpeg-444": ("tests/evaluation/classical/test_contract.py",),
}
"""Choice -> contract tests that must find it by its YAML."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the checkout and the examples' files."""
    skipped = shutil.ignore_patterns(".*", "build", "runs", "docs", "results", "__pycache__")
    copy = shutil.copytree(ROOT, tmp_path_factory.mktemp("copy") / "project", ignore=skipped)
    for files in EXAMPLES.values():
        for path, text in files.items():
            assert not (copy / path).exists(), f"{path} would change a file of the project"
            (copy / path).write_text(text)
    return copy


def run(project, *command):
    """A command in the copy, of which all code must be."""
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=500,
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("heading", IN_PAIRS)
def test_takes_one_python_file_and_one_yaml(heading):
    python, yaml = sorted(EXAMPLES[heading], key=lambda path: path.endswith(".yaml"))
    assert re.fullmatch(rf"{IN_PAIRS[heading]}/\w+\.py", python)
    assert re.fullmatch(r"configs/\w+/\w+\.yaml", yaml)


@pytest.mark.parametrize("heading", ALONE)
def test_takes_one_python_file(heading):
    (python,) = EXAMPLES[heading]
    assert re.fullmatch(rf"{ALONE[heading]}/\w+\.py", python)


def test_every_section_is_run():
    assert set(EXAMPLES) == {*IN_PAIRS, *ALONE}


def test_the_examples_train_and_code(project):
    output = run(project, *TRAINING, *SHORT)
    assert "gratings: 6 train, 2 validation, 2 test" in output and "share 0.5" in output
    assert "32 latents for 16 x 16 pixels" in output and "train-test gap" in output
    results = project / "runs" / "examples" / "results" / "gratings"
    assert json.loads(results.with_suffix(".json").read_text())["results"]["mean-error"][0] > 0
    assert ",mean_error," in results.with_suffix(".csv").read_text().splitlines()[0]
    assert re.search(r"^JPEG444 .*\d", results.with_suffix(".txt").read_text(), re.MULTILINE)


def test_the_audio_metric_is_measured(project, tmp_path):
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, 4000)
    soundfile.write(tmp_path / "noise.wav", samples, 8000)
    run(project, "scripts/classical.py", str(tmp_path), "--codecs", "vorbis", "--output", "curves")
    curve = project / "curves" / "vorbis"
    assert min(json.loads(curve.with_suffix(".json").read_text())["results"]["peak-error"]) < 0
    assert ",peak_error," in curve.with_suffix(".csv").read_text().splitlines()[0]


def test_the_contract_tests_find_them_by_their_yaml(project):
    files = [file for files in CONTRACTS.values() for file in files]
    names = " or ".join(CONTRACTS)
    output = run(project, "-m", "pytest", "-n", "0", "-v", "-k", names, *files)
    for name, files in CONTRACTS.items():
        for file in files:
            assert re.search(rf"{file}::\S*\[\S*{name}\S*\] PASSED", output), (name, file)
