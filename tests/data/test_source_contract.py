"""What every source of images keeps, for each YAML in configs/data that is one."""

import pathlib

import hydra
import numpy as np
import pytest
import tensorflow as tf
from omegaconf import OmegaConf

from data import ImageSource

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs" / "data"
PATCH = 32


@pytest.fixture(scope="module")
def offline_values(located_folder, photos_dir):
    """Values that let a source be built without a network, by the name of the argument.

    A YAML that requires (``???``) another argument needs a value here.
    """
    return {"root": located_folder, "name": "photos", "data_dir": photos_dir}


IMAGE_SOURCES = [
    path.stem
    for path in sorted(CONFIGS.glob("*.yaml"))
    if hydra.utils.get_class(OmegaConf.load(path)._target_).medium == "image"
]


@pytest.fixture(scope="module", params=IMAGE_SOURCES, name="config")
def _config(request, offline_values):
    config = OmegaConf.load(CONFIGS / f"{request.param}.yaml")
    # Not `key in config`, which is False for a required value.
    known = {key: value for key, value in offline_values.items() if key in list(config)}
    config = OmegaConf.merge(config, known, {"patch_size": PATCH})
    missing = [key for key in config if OmegaConf.is_missing(config, key)]
    assert not missing, f"offline_values lacks {missing}, which {request.param}.yaml requires"
    return config


@pytest.fixture(scope="module", params=[2.0, 0.0], ids=["kept", "decoded-at-use"])
def source(request, config):
    changes = {"cache_gib": request.param} if "cache_gib" in config else {}
    return hydra.utils.instantiate(config, **changes, _convert_="all")


def batches(source, count, **settings):
    settings = {"batch_size": 4, "seed": 7, **settings}
    return np.stack(list(source.training_batches(**settings).take(count).as_numpy_iterator()))


def test_is_a_source_with_the_patch_size_of_its_yaml(source, config):
    assert isinstance(source, ImageSource)
    assert source.patch_size == config.patch_size
    assert source.medium == "image"
    assert source.training_shape == (PATCH, PATCH, 3)
    assert source.name and "/" not in source.name
    assert source.evaluation_split in ("test", "all")


def test_batches_are_float32_patches_of_8_bit_values(source):
    dataset = source.training_batches(batch_size=4, seed=7)
    assert dataset.element_spec == tf.TensorSpec([4, PATCH, PATCH, 3], tf.float32)
    assert dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    values = batches(source, 3)
    assert values.min() >= 0 and values.max() <= 255
    assert np.array_equal(values, np.round(values))
    assert values.std() > 1


def test_a_step_has_one_batch_wherever_the_run_started(source):
    whole = batches(source, 20)
    for first_step in (1, 7, 19):
        later = batches(source, 20 - first_step, first_step=first_step)
        np.testing.assert_array_equal(later, whole[first_step:])


def test_the_seed_alone_decides(source):
    first = batches(source, 3)
    tf.random.set_seed(99)
    np.testing.assert_array_equal(batches(source, 3), first)
    assert not np.array_equal(batches(source, 3, seed=8), first)


def test_batches_of_one_run_differ(source):
    values = batches(source, 12)
    assert len({batch.tobytes() for batch in values}) == len(values)


def test_whole_images_have_unique_names_and_a_fixed_order(source):
    for split in ("train", "validation", "test", "all"):
        images = list(source.images(split))
        assert images
        assert len({image.name for image in images}) == len(images)
        for image, again in zip(images, source.images(split)):
            assert image.pixels.dtype == np.uint8
            assert image.pixels.ndim == 3 and image.pixels.shape[2] == 3
            assert image.name == again.name
            np.testing.assert_array_equal(image.pixels, again.pixels)


def test_no_image_is_in_two_splits(source):
    splits = ("train", "validation", "test")
    contents = {
        split: {image.pixels.tobytes() for image in source.images(split)} for split in splits
    }
    everything = {image.pixels.tobytes() for image in source.images("all")}
    assert sum(map(len, contents.values())) == len(everything)
    assert set.union(*contents.values()) == everything


def test_training_patches_come_from_training_images_only(source):
    """Every colour of a patch occurs in some training image, not each in one that is held out."""

    def colours(images):
        seen = np.zeros(2**24, bool)
        for pixels in images:
            seen[pixels.astype(np.uint32) @ np.array([2**16, 2**8, 1], np.uint32)] = True
        return seen

    patches = colours(batches(source, 8))
    assert not (patches & ~colours(image.pixels for image in source.images("train"))).any()
    for split in ("validation", "test"):
        assert (patches & ~colours(image.pixels for image in source.images(split))).any()


def test_describes_itself_in_two_lines(source):
    lines = source.describe().splitlines()
    assert len(lines) == 2
    for split in ("train", "validation", "test"):
        assert f"{sum(1 for _ in source.images(split))} {split}" in lines[0]
    assert "reflected" in lines[1]


def test_refuses_an_unknown_split(source):
    with pytest.raises(ValueError, match="split='dev' must be one of train, validation, test, all"):
        source.images("dev")


@pytest.mark.parametrize(
    ("setting", "value"),
    [("batch_size", 0), ("batch_size", 2.5), ("seed", -1), ("first_step", -1), ("seed", True)],
)
def test_refuses_settings_out_of_range(source, setting, value):
    settings = {"batch_size": 4, "seed": 7, setting: value}
    with pytest.raises(ValueError, match=f"{setting}={value} must be a whole number, at least"):
        source.training_batches(**settings)


@pytest.mark.parametrize(
    ("setting", "value", "rule"),
    [("patch_size", 0, "at least 1"), ("cache_gib", -1, "at least 0"), ("cache_gib", "2", "GiB")],
)
def test_refuses_constructor_arguments_out_of_range(config, setting, value, rule):
    if setting not in config:
        pytest.skip(f"it has no {setting}")
    with pytest.raises(hydra.errors.InstantiationException) as caught:
        hydra.utils.instantiate(config, **{setting: value}, _convert_="all")
    assert isinstance(caught.value.__cause__, ValueError)
    assert f"{setting}={value!r}" in str(caught.value.__cause__)
    assert rule in str(caught.value.__cause__)
