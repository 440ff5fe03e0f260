"""benchmarks/whole_images.py: a row per run, and one line for images that are too small."""

import re

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def run(compose, save_run, tmp_path):
    config = compose("quantizer=mixed", "model.transforms.num_filters=4", "precision=float32")
    save_run(config, tmp_path / "run")
    return tmp_path / "run"


def test_prints_the_rates_of_whole_images_and_tiles(run, warm, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(noise).save(photos / "photo.JPG", "JPEG")
    (photos / "list.txt").write_text("no image")
    done = warm("benchmarks/whole_images.py", run, "--images", photos, "--tiles", "16", "32")
    assert done.returncode == 0, done.stderr
    row = done.stdout.splitlines()[-1]
    rates = [float(number) for number in re.findall(r"\| (\d\.\d{3})", row)]
    assert rates[0] == rates[2] > 0, "both tile sizes fill the image: the whole is the same"
    assert len(rates) == 4 and re.search(r"\([-+]\d+\.\d%\)", row)
    done = warm("benchmarks/whole_images.py", run, "--images", photos, "--tiles", "64")
    assert done.returncode == 2
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .endswith("tiles=64 must fit four times into every image.")
    )
    (photos / "photo.JPG").unlink()
    done = warm("benchmarks/whole_images.py", run, "--images", photos)
    assert (done.returncode, done.stderr) == (2, f"error: {photos}: there is no image.\n")
