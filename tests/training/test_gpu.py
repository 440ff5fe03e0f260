"""A run on a GPU. No such run has been seen yet: docs/installation.md."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.gpu


def python(*arguments, gpu):
    environment = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
    if not gpu:
        environment["CUDA_VISIBLE_DEVICES"] = "-1"
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert not done.returncode, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("precision", ["float32", "auto"])
@pytest.mark.parametrize("strategy", ["single", "mirrored"])
def test_trains_on_a_gpu_and_files_cross_to_the_cpu(tmp_path, precision, strategy):
    devices = "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"
    assert int(python("-c", devices, gpu=True)) > 0
    python(
        "train.py", f"run={tmp_path}/run", "model=mean_scale_hyperprior", "steps=4",
        "test_images=1", "model.transforms.num_filters=16", "model.transforms.latent_channels=16",
        "classical=[]", "batch_size=16", f"precision={precision}", f"strategy={strategy}", gpu=True,
    )  # fmt: skip
    files = list((tmp_path / "run" / "results").rglob("*.rtc"))
    assert files
    pixels = []
    for gpu in (True, False):
        output = f"{tmp_path}/{gpu}.png"
        python("scripts/decompress.py", "--run", f"{tmp_path}/run", str(files[0]), output, gpu=gpu)
        pixels.append(np.asarray(Image.open(output), int))
    # Symbols are equal, or the file would be refused; the synthesis is floating point.
    assert np.abs(pixels[0] - pixels[1]).max() <= 1
