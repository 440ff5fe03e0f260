"""Real files and real records for the tests of the data package."""

import importlib.util
import logging
import pathlib
import sys

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
    folder = str(tmp_path_factory.mktemp("photos"))
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


def dataset_module(name):
    """A module of this folder that defines a TFDS dataset of its name, which TFDS then knows."""
    # By path: TFDS 4.9.3 finds no path for a builder in a module below a folder without __init__.
    path = pathlib.Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def image_forms_dir(tmp_path_factory):
    """A TFDS folder in which "image_forms" is prepared."""
    folder = str(tmp_path_factory.mktemp("image_forms"))
    dataset_module("image_forms").ImageForms(data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture(scope="session")
def audio_forms():
    """The module of the dataset "audio_forms"."""
    return dataset_module("audio_forms")


@pytest.fixture(scope="session")
def audio_forms_dir(tmp_path_factory, audio_forms):
    """A TFDS folder in which "audio_forms" is prepared."""
    folder = str(tmp_path_factory.mktemp("audio_forms"))
    audio_forms.AudioForms(data_dir=folder).download_and_prepare()
    return folder
