"""The examples of docs/extending.md run in a copy of the project with no file but theirs added."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECTIONS = re.split(r"^## ", (ROOT / "docs" / "extending.md").read_text(), flags=re.MULTILINE)[1:]
EXAMPLES = {
    section.splitlines()[0]: {
        re.match(r"# (\S+)", text)[1]: text
        for text in re.findall(r"```(?:python|yaml)\n(.*?)```", section, re.DOTALL)
    }
    for section in SECTIONS
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

TRAINING = (
    *("quantizer=half_round", "model=two_layers", "data=gratings", "distortion=charbonnier"),
    *("optimizer=sgd", "steps=3", "batch_size=2", "log_every=1", "run=examples", "classical=[]"),
)
CONTRACTS = {
    "half_round": ("tests/quantizers/test_contract.py", "tests/quantizers/test_annealing.py"),
    "two_layers": ("tests/models/test_autoencoder.py",),
    "gratings": ("tests/data/test_source_contract.py",),
    "charbonnier": ("tests/distortion/test_contract.py",),
    "sgd": ("tests/training/test_optimizers.py",),
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


def test_the_examples_train_and_code(project):
    output = run(project, "train.py", *TRAINING)
    assert "gratings: 6 train, 2 validation, 2 test" in output and "share 0.5" in output
    assert "32 latents for 16 x 16 pixels" in output and "train-test gap" in output
    assert list((project / "runs" / "examples" / "results").glob("*.json"))


def test_the_contract_tests_find_them_by_their_yaml(project):
    files = [file for files in CONTRACTS.values() for file in files]
    names = " or ".join(CONTRACTS)
    output = run(project, "-m", "pytest", "-n", "0", "-v", "-k", names, *files)
    for name, files in CONTRACTS.items():
        for file in files:
            assert re.search(rf"{file}::\S*\[\S*{name}\S*\] PASSED", output), (name, file)
