"""What every source keeps, for each YAML in configs/data."""

import pathlib

import hydra
import numpy as np
import pytest
import soundfile
import tensorflow as tf
from omegaconf import OmegaConf

from data import AudioSource, ImageSource
from data.segments import padded, training_form

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs" / "data"
SPLITS = ("train", "validation", "test")
PATCH, SEGMENT = 32, 640
SIZES = {"image": {"patch_size": PATCH}, "audio": {"segment": SEGMENT}}
CLASSES = {
    path.stem: hydra.utils.get_class(OmegaConf.load(path)._target_)
    for path in sorted(CONFIGS.glob("*.yaml"))
}
# Reading without a cache is a matter of the class, not of the YAML: once for each that defines it.
UNCACHED = {
    kind: name for name, kind in CLASSES.items() if "training_batches" in vars(kind)
}.values()


@pytest.fixture(scope="module")
def recordings_folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("recordings")
    generator = np.random.default_rng(0)
    for number in range(12):
        samples = generator.uniform(-0.3, 0.3, (500 + 400 * number, 1 + number % 2))
        soundfile.write(root / f"{number}.flac", samples, (8000, 16000, 44100)[number % 3])
    return str(root)


@pytest.fixture(scope="module")
def offline(located_folder, photos_dir, image_forms_dir, recordings_folder, audio_forms_dir):
    """``offline(name, config)``: arguments with which a source can be built without a network.

    A YAML that requires (``???``) another argument needs a value here.
    """
    # The only split of the dataset, in place of those that a YAML names.
    splits = {"train": "train[:14]", "validation": "train[14:17]", "test": "train[17:]"}
    audio = {"root": recordings_folder, "name": "audio_forms", "data_dir": audio_forms_dir}
    image = {"root": located_folder, "name": "image_forms", "data_dir": image_forms_dir}

    def values(name, config):
        if CLASSES[name].medium == "image":
            return {**image, "data_dir": photos_dir} if name == "photos" else image
        return {**audio, "splits": splits} if config.get("splits") else audio

    return values


@pytest.fixture(
    scope="module",
    params=[(name, 2.0) for name in CLASSES] + [(name, 0.0) for name in UNCACHED],
    ids=lambda choice: f"{choice[0]}-{'cached' if choice[1] else 'decoded-at-use'}",
    name="config",
)
def _config(request, offline):
    name, cache_gib = request.param
    config = OmegaConf.load(CONFIGS / f"{name}.yaml")
    values = {**offline(name, config), **SIZES[CLASSES[name].medium], "cache_gib": cache_gib}
    # Not `key in config`, which is False for a required value.
    known = {key: value for key, value in values.items() if key in list(config)}
    config = OmegaConf.merge(config, known)
    missing = [key for key in config if OmegaConf.is_missing(config, key)]
    assert not missing, f"the test lacks {missing}, which {name}.yaml requires"
    return config


@pytest.fixture(scope="module")
def source(config):
    return hydra.utils.instantiate(config, _convert_="all")


def read(source, split):
    """Whole images or recordings; their content is the second field of both."""
    return list(source.images(split) if source.medium == "image" else source.recordings(split))


@pytest.fixture(scope="module")
def files(source):
    """Whole files of all splits, read once."""
    return {split: read(source, split) for split in (*SPLITS, "all")}


def batches(source, count, **settings):
    settings = {"batch_size": 4, "seed": 7, **settings}
    return np.stack(list(source.training_batches(**settings).take(count).as_numpy_iterator()))


def test_is_a_source_as_its_yaml_says(source, config):
    if source.medium == "image":
        assert isinstance(source, ImageSource) and source.patch_size == config.patch_size
        assert source.training_shape == (PATCH, PATCH, 3)
    else:
        assert isinstance(source, AudioSource) and source.sample_rate == config.sample_rate
        assert source.segment == SEGMENT and source.training_shape == (1, SEGMENT, 1)
    assert source.name and "/" not in source.name
    assert source.name_of("test") == source.name
    assert source.evaluation_split in ("test", "all")


def test_batches_are_float32_of_8_bit_values_or_at_one_loudness(source):
    dataset = source.training_batches(batch_size=4, seed=7)
    assert dataset.element_spec == tf.TensorSpec([4, *source.training_shape], tf.float32)
    assert dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    values = batches(source, 20)
    if source.medium == "image":
        assert values.min() >= 0 and values.max() <= 255
        assert np.array_equal(values, np.round(values))
        assert values.std() > 1
    else:
        assert np.abs(values).max() <= 0.99 + 1e-6
        assert 0.03 < values.std() < 0.15  # -23 dBFS is .071


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


def test_whole_files_have_unique_names_and_a_fixed_order(source, files):
    for found in files.values():
        assert found
        assert len({file.name for file in found}) == len(found)
        for name, values, *rate in found:
            assert name
            if source.medium == "image":
                assert values.dtype == np.uint8 and values.ndim == 3 and values.shape[2] == 3
            else:
                assert values.dtype == np.float32 and values.ndim == 2 and rate[0] > 0
                assert np.abs(values).max() <= 1
    for file, again in zip(files["all"], read(source, "all")):
        assert file.name == again.name and file[2:] == again[2:]
        np.testing.assert_array_equal(file[1], again[1])


def test_no_file_is_in_two_splits(files):
    contents = {split: {file[1].tobytes() for file in found} for split, found in files.items()}
    everything = contents.pop("all")
    assert sum(map(len, contents.values())) == len(everything)
    assert set.union(*contents.values()) == everything


def test_training_batches_come_from_training_files_only(source, files):
    """Each pixel or segment occurs in some training file, and not each in one that is held out."""
    trained = batches(source, 8)

    def colours(images):
        seen = np.zeros(2**24, bool)
        for pixels in images:
            seen[pixels.astype(np.uint32) @ np.array([2**16, 2**8, 1], np.uint32)] = True
        return seen

    def all_are_from(split):
        if source.medium == "image":
            known = colours(image.pixels for image in files[split])
            return not (colours([trained]) & ~known).any()
        forms = (training_form(*file[1:], sample_rate=source.sample_rate) for file in files[split])
        rows = [row.tobytes() for form in forms for row in padded(form, SEGMENT)]
        segments = trained.reshape(-1, SEGMENT)
        return all(any(segment.tobytes() in row for row in rows) for segment in segments)

    assert all_are_from("train")
    assert not all_are_from("validation") and not all_are_from("test")


def test_describes_itself_in_two_lines(source, files):
    lines = source.describe().splitlines()
    assert len(lines) == 2
    for split in SPLITS:
        assert f"{len(files[split])} {split}" in lines[0]
    words = ["reflected"] if source.medium == "image" else ["padded", "silent", "-23 dBFS RMS"]
    assert all(word in lines[1] for word in words)


def test_refuses_an_unknown_split(source):
    with pytest.raises(ValueError, match="split='dev' must be one of train, validation, test, all"):
        read(source, "dev")


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
    [
        ("patch_size", 0, "at least 1"),
        ("segment", 0, "at least 1"),
        ("sample_rate", 0, "at least 1"),
        ("cache_gib", -1, "at least 0"),
        ("cache_gib", "2", "GiB"),
    ],
)
def test_refuses_constructor_arguments_out_of_range(config, setting, value, rule):
    if setting not in config:
        pytest.skip(f"it has no {setting}")
    with pytest.raises(hydra.errors.InstantiationException) as caught:
        hydra.utils.instantiate(config, **{setting: value}, _convert_="all")
    assert isinstance(caught.value.__cause__, ValueError)
    assert f"{setting}={value!r}" in str(caught.value.__cause__)
    assert rule in str(caught.value.__cause__)
