"""The loss on whole validation files while training."""

import csv

import numpy as np
import pytest
import tensorflow as tf

from assembly.parts import build_model
from distortion import MeanSquaredError, MultiScaleSsim
from training.validation import Validation


@pytest.fixture
def model(compose):
    settings = ("model.transforms.num_filters=8", "precision=float32", "quantizer=mixed")
    return build_model(compose(*settings))


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, size, np.uint8) for size in ((48, 64, 3), (37, 50, 3))]


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_figures_are_those_of_the_whole_files(model, images, tmp_path, capsys):
    figures = Validation(tmp_path / "v.csv", model, MeanSquaredError(), 0.01, images)(5)
    expected = []
    for image in images:
        bottom, right = (-side % 16 for side in image.shape[:2])
        padded = np.pad(image, [(0, bottom), (0, right), (0, 0)], mode="edge")
        forward = model(tf.constant(padded[None], tf.float32), training=False)
        decoded = forward.reconstructions[0, : image.shape[0], : image.shape[1]]
        bpp = float(forward.bits[0]) / (image.shape[0] * image.shape[1])
        expected.append((bpp, np.mean((image - decoded.numpy()) ** 2)))
    bpp, mse = np.mean(expected, axis=0)
    assert figures["bpp"] == pytest.approx(bpp, rel=1e-4)
    assert figures["mse"] == figures["distortion"] == pytest.approx(mse, rel=1e-4)
    assert figures["loss"] == pytest.approx(bpp + 0.01 * mse, rel=1e-4)
    assert f"loss {figures['loss']:.4f}" in capsys.readouterr().out
    assert float(read(tmp_path / "v.csv")[0]["loss"]) == pytest.approx(figures["loss"], rel=1e-4)


def test_a_resumed_run_writes_each_row_once(model, images, tmp_path):
    path = tmp_path / "v.csv"
    first = Validation(path, model, MeanSquaredError(), 0.01, images[:1])
    first(5), first(10)
    Validation(path, model, MeanSquaredError(), 0.01, images[:1], first_step=5)(10)
    assert [row["step"] for row in read(path)] == ["5", "10"]


def test_files_that_the_distortion_cannot_measure_are_left_out(model, images, tmp_path):
    assert Validation(tmp_path / "v.csv", model, MultiScaleSsim(), 1.0, images)(5) == {}
    assert not (tmp_path / "v.csv").exists()
