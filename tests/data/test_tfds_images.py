"""TFDS datasets: the photographs, and small datasets that are defined here and really prepared."""

import logging
import os
import pathlib
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from data import Photos, PhotosImages, TfdsImages

# TFDS 4.9.3 finds no path for a builder in a module below a folder without __init__.
__name__ = "test_tfds_images"

ROOT = pathlib.Path(__file__).resolve().parents[2]


class OvertakenPhotos(Photos):
    """While one preparation is under way, another one of the same dataset comes to its end."""

    VERSION = tfds.core.Version("1.0.0")
    overtaken = False

    def _split_generators(self, dl_manager):
        if not OvertakenPhotos.overtaken:
            OvertakenPhotos.overtaken = True
            OvertakenPhotos(data_dir=self.data_dir_root).download_and_prepare()
        return super()._split_generators(dl_manager)


class Renewed(Photos):
    """A dataset of which there will be a newer version, of as many photographs."""

    VERSION = tfds.core.Version("1.0.0")


class OnlyOdd(Photos):
    """A dataset without a split named train."""

    VERSION = tfds.core.Version("1.0.0")

    def _split_generators(self, dl_manager):
        return {part: self._generate_examples(["coffee.png"]) for part in ("odd", "even")}


def forms(folder, **settings):
    return TfdsImages(name="image_forms", data_dir=folder, **settings)


def test_photos_are_split_by_scene(photos_dir):
    source = PhotosImages(data_dir=photos_dir)
    names = {
        split: {image.name for image in source.images(split)}
        for split in ("train", "validation", "test")
    }
    assert names == {
        "train": {
            "astronaut", "hubble_deep_field", "ihc", "motorcycle_left", "motorcycle_right", "retina"
        },
        "validation": {"rocket"},
        "test": {"chelsea", "coffee"},
    }  # fmt: skip
    assert source.name == "photos" and source.evaluation_split == "test"
    assert "0 of 6 reflected up to 128x128" in source.describe()


def test_photos_are_the_pixels_of_scikit_image(photos_dir):
    import skimage

    images = {image.name: image.pixels for image in PhotosImages(data_dir=photos_dir).images("all")}
    folder = f"{skimage.__path__[0]}/data"
    np.testing.assert_array_equal(images["coffee"], Image.open(f"{folder}/coffee.png"))
    np.testing.assert_array_equal(images["rocket"], Image.open(f"{folder}/rocket.jpg"))


def test_photos_credit_their_sources(photos_dir):
    info = tfds.builder("photos", data_dir=photos_dir).info
    assert "10.7717/peerj.453" in info.citation
    for name in ("astronaut", "chelsea", "coffee", "hubble", "ihc", "motorcycle", "retina"):
        assert name in info.description


def test_photos_obey_tfds_own_folder_setting(tmp_path):
    command = [sys.executable, "-c", "import data; data.PhotosImages()"]
    # TFDS reads the variable when it is imported.
    environment = {**os.environ, "TFDS_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert (tmp_path / "photos" / "1.0.0" / "dataset_info.json").exists()


def test_preparing_says_one_line_and_only_once(tmp_path, caplog, capfd):
    with caplog.at_level("INFO", logger="data.photos"):
        PhotosImages(data_dir=str(tmp_path))
        PhotosImages(data_dir=str(tmp_path))
    messages = [record.message for record in caplog.records if record.name == "data.photos"]
    assert messages == [f"Writing the photographs to {tmp_path}/photos/1.0.0"]
    assert "Downloading" not in "".join(capfd.readouterr())


def test_another_process_that_prepares_first_is_no_error(tmp_path):
    source = TfdsImages(name="overtaken_photos", data_dir=str(tmp_path), download=True)
    assert OvertakenPhotos.overtaken
    assert sum(1 for _ in source.images("all")) == 9


def test_tells_its_version_from_others(tmp_path, monkeypatch):
    def files():
        return TfdsImages(name="renewed", data_dir=str(tmp_path), download=True).files

    first = files()
    assert first == "6 train and 1 validation records of TFDS renewed/1.0.0" == files()
    monkeypatch.setattr(Renewed, "VERSION", tfds.core.Version("1.1.0"))
    assert files() == first.replace("1.0.0", "1.1.0")


def test_gray_is_found_and_brought_to_rgb(image_forms_dir):
    """The first image feature that is a picture: neither labels nor floats."""
    source = forms(image_forms_dir)
    assert "feature 'gray'" in source.describe()
    images = list(source.images("all"))
    assert sorted(int(image.pixels[0, 0, 0]) for image in images) == list(range(10, 30))
    for image in images:
        value = image.pixels[0, 0, 0]
        assert image.pixels.shape == (9 + value - 10, 30 - (value - 10), 3)
        assert (image.pixels == value).all()


def test_16_bit_samples_are_scaled(image_forms_dir):
    source = forms(image_forms_dir, image_key="deep")
    values = sorted(int(image.pixels.max()) for image in source.images("all"))
    assert values == list(range(10, 30))


def test_alpha_is_composited_over_white(image_forms_dir):
    source = forms(image_forms_dir, image_key="rgba")
    for image in source.images("validation"):
        assert (image.pixels == [224, 234, 244]).all()


def test_missing_splits_are_cut_from_train_and_stated(image_forms_dir):
    source = forms(image_forms_dir, patch_size=16)
    sizes = [sum(1 for _ in source.images(split)) for split in ("train", "validation", "test")]
    assert sizes == [16, 2, 2]
    described = source.describe()
    for part in ("16 train (train[:16])", "2 validation (train[16:18])", "2 test (train[18:20])"):
        assert part in described
    assert [image.name for image in source.images("test")] == ["test-000000", "test-000001"]


@pytest.mark.parametrize("cache_gib", [1, 0], ids=["kept", "streamed"])
def test_trains_on_each_image_once_an_epoch(image_forms_dir, cache_gib):
    source = TfdsImages(
        name="image_forms", data_dir=image_forms_dir, patch_size=16, cache_gib=cache_gib
    )
    batches = source.training_batches(batch_size=4, seed=0).take(8).as_numpy_iterator()
    shades = np.concatenate([batch[:, 0, 0, 0] for batch in batches]).reshape(2, 16)
    trained = sorted(int(image.pixels[0, 0, 0]) for image in source.images("train"))
    assert sorted(shades[0]) == sorted(shades[1]) == trained
    assert shades[0].tolist() != shades[1].tolist()


def test_counts_reflected_images_where_it_keeps_them(image_forms_dir):
    source = forms(image_forms_dir, patch_size=16)
    small = sum(min(image.pixels.shape[:2]) < 16 for image in source.images("train"))
    assert 0 < small < 16
    assert f"{small} of 16 reflected up to 16x16" in source.describe()
    streamed = TfdsImages(
        name="image_forms", data_dir=image_forms_dir, patch_size=16, cache_gib=1e-7
    )
    assert "streamed" in streamed.describe()


def test_an_unknown_dataset_names_close_ones():
    with pytest.raises(ValueError, match=r"name='photoss' is not a TFDS dataset; close .* photos"):
        TfdsImages(name="photoss")
    with pytest.raises(ValueError, match="name='qqqqqqq' is not a TFDS dataset; no name is close"):
        TfdsImages(name="qqqqqqq")


@pytest.mark.parametrize("name", ["cifar10_corrupted/no_such_one", "two words", "", "photos:9.9.9"])
def test_a_name_that_tfds_refuses_is_one_line(name, tmp_path):
    with pytest.raises(ValueError, match=f"name='{name}' cannot be loaded") as caught:
        TfdsImages(name=name, data_dir=str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_dataset_without_images_lists_its_features(tmp_path):
    with pytest.raises(ValueError, match=r"no image feature; its features: .*audio \(Audio\)"):
        TfdsImages(name="spoken_digit", data_dir=str(tmp_path))


def test_an_unknown_image_key_lists_the_features(image_forms_dir):
    with pytest.raises(ValueError, match=r"no image feature 'number'; its features: .*gray \(Ima"):
        forms(image_forms_dir, image_key="number")


def test_a_dataset_that_is_not_prepared_says_how_to(tmp_path):
    with pytest.raises(ValueError, match=r"not prepared in .*data\.download=true"):
        TfdsImages(name="mnist", data_dir=str(tmp_path))


def test_a_download_without_network_ends_soon(tmp_path, monkeypatch, capfd):
    def no_network(*_):
        raise socket.gaierror("Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    logging.getLogger("urllib3").setLevel(logging.NOTSET)  # As in a new process.
    started = time.monotonic()
    with pytest.raises(ValueError, match=r"mnist.* could not be prepared: .*name resolution"):
        TfdsImages(name="mnist", data_dir=str(tmp_path), download=True)
    assert time.monotonic() - started < 30 and "Retrying" not in capfd.readouterr().err
    # Three of the four files are still being tried.
    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.WARNING)


def test_several_splits_without_train_are_listed(tmp_path):
    with pytest.raises(ValueError, match=r"no split 'train'; its splits: (odd, even|even, odd)"):
        TfdsImages(name="only_odd", data_dir=str(tmp_path), download=True)


def test_a_configuration_is_part_of_the_name_but_no_folder(image_forms_dir):
    source = TfdsImages(name="image_forms:1.0.0", data_dir=image_forms_dir)
    assert source.name == "image_forms-1.0.0"
