"""benchmarks/exactness.py: files decode to the encoder's latents in processes of other settings."""

import csv
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMITS = ("sse41", "avx2", "avx512_core")
KINDS = ("mean_scale_hyperprior", "lapped")
"""A model for each kind of side information: what decoders must compute exactly is its own."""


@pytest.fixture
def runs(compose, save_run, tmp_path):
    """Makes run directories of models with random weights, large enough to fill the latents."""

    def make(*names):
        for name in names:
            config = compose(
                f"model={name}",
                "quantizer=mixed",
                "model.transforms.num_filters=32",
                "model.transforms.latent_channels=32",
                "precision=float32",
            )
            save_run(config, tmp_path / name, randomize)
        return [tmp_path / name for name in names]

    return make


def randomize(model):
    noise = np.random.default_rng(0)
    for variable in model.transforms.trainable_variables:
        if "kernel" in variable.name:
            variable.assign(3 * variable)
    for variable in model.hyper.trainable_variables:
        if "kernel" in variable.name:
            variable.assign_add(noise.normal(0, 0.02, variable.shape))


@pytest.fixture
def photo(tmp_path):
    coarse = np.random.default_rng(0).integers(0, 256, (24, 30, 3)).astype(np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(coarse.repeat(8, 0).repeat(8, 1)).save(path)
    return path


def matrix(runs, photo, *settings):
    arguments = [*map(str, runs), "--image", str(photo), "--settings", *settings]
    return subprocess.run(
        [sys.executable, "benchmarks/exactness.py", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )


def cells(output):
    rows = [line.split() for line in output.splitlines() if line[:1].isdigit()]
    return np.array([[int(count) for count in row[1:]] for row in rows])


def test_files_decode_exactly_with_other_threads_and_kernels(runs, photo):
    """Floating point differs between these two settings, so this can fail."""
    done = matrix(runs(*KINDS), photo, "1:0", "2:sse41")
    assert done.returncode == 0, done.stderr + done.stdout
    np.testing.assert_array_equal(cells(done.stdout), np.zeros([2 * len(KINDS), 2]))
    assert done.stdout.endswith("\nexact\n")


@pytest.mark.slow
def test_files_decode_exactly_whatever_the_setting(runs, photo, tmp_path):
    settings = [f"{threads}:{kernels}" for threads in (1, 2) for kernels in (0, 1, *LIMITS)]
    output = tmp_path / "cells.csv"
    models = (*KINDS, "hyperprior", "channel_autoregressive")
    done = matrix(runs(*models), photo, *settings, "--output", output)
    assert done.returncode == 0, done.stderr + done.stdout
    np.testing.assert_array_equal(cells(done.stdout), np.zeros([10 * len(models), 10]))
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 100 * len(models)
    assert not any(row["error"] for row in rows)


def test_a_setting_that_is_none_is_one_line(warm, tmp_path):
    arguments = (tmp_path, "--image", "photo.png", "--settings", "2:fast")
    done = warm("benchmarks/exactness.py", *arguments)
    assert done.returncode == 2
    assert done.stderr == (
        "error: settings='2:fast' must be THREADS:KERNELS, such as 2:1; KERNELS "
        "is 0, 1, sse41, avx2, avx512_core.\n"
    )
