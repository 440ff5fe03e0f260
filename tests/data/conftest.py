"""Real files and real records for the tests of the data package."""

import logging

import numpy as np
import pytest
from PIL import Image

import data

logging.getLogger("absl").setLevel(logging.ERROR)


def located_pixels(height, width, blue):
    """uint8 pixels that say where they are: red is the row, green the column (both below 256)."""
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    return np.stack([rows, columns, np.full_like(rows, blue)], axis=-1).astype(np.uint8)


@pytest.fixture(scope="session")
def photos_dir(tmp_path_factory):
    """A TFDS folder in which the photographs are prepared."""
    folder = str(tmp_path_factory.mktemp("tfds"))
    data.PhotosImages(data_dir=folder)
    return folder


@pytest.fixture(scope="session")
def located_folder(tmp_path_factory):
    """Fifteen PNG files of different sizes in nested folders, blue numbers them."""
    root = tmp_path_factory.mktemp("located")
    for number in range(15):
        folder = root / f"part{number % 3}"
        folder.mkdir(exist_ok=True)
        pixels = located_pixels(40 + 7 * number, 90 - 3 * number, number)
        Image.fromarray(pixels).save(folder / f"image{number:02d}.png")
    return str(root)
