"""What every source of sounds keeps, for each YAML in configs/data that is one."""

import pathlib

import hydra
import numpy as np
import pytest
import soundfile
import tensorflow as tf
from omegaconf import OmegaConf

from data import AudioSource

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs" / "data"
SEGMENT = 640
CLASSES = {
    path.stem: hydra.utils.get_class(OmegaConf.load(path)._target_)
    for path in sorted(CONFIGS.glob("*.yaml"))
}
AUDIO_SOURCES = [name for name, kind in CLASSES.items() if kind.medium == "audio"]
# Whether recordings are kept is a matter of the class, not of the YAML: once for each class.
NOT_KEPT = {CLASSES[name]: name for name in AUDIO_SOURCES}.values()


@pytest.fixture(scope="module")
def recordings_folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("recordings")
    generator = np.random.default_rng(0)
    for number in range(12):
        samples = generator.uniform(-0.3, 0.3, (500 + 400 * number, 1 + number % 2))
        soundfile.write(root / f"{number}.flac", samples, (8000, 16000, 44100)[number % 3])
    return str(root)


def offline(name, recordings_folder, sounds_dir):
    """A YAML on what is here: a folder, or a dataset with the features that they all read."""
    config = OmegaConf.load(CONFIGS / f"{name}.yaml")
    values = {"root": recordings_folder, "name": "sound_forms", "data_dir": sounds_dir}
    if config.get("splits"):  # names of splits that only the dataset itself has
        values["splits"] = {
            "train": "train[:14]",
            "validation": "train[14:17]",
            "test": "train[17:]",
        }
    known = {key: value for key, value in values.items() if key in list(config)}
    config = OmegaConf.merge(config, known, {"segment": SEGMENT})
    missing = [key for key in config if OmegaConf.is_missing(config, key)]
    assert not missing, f"the test lacks {missing}, which {name}.yaml requires"
    return config


@pytest.fixture(
    scope="module",
    params=[(name, 2.0) for name in AUDIO_SOURCES] + [(name, 0.0) for name in NOT_KEPT],
    ids=lambda choice: f"{choice[0]}-{'kept' if choice[1] else 'decoded-at-use'}",
    name="config",
)
def _config(request, recordings_folder, sounds_dir):
    name, cache_gib = request.param
    config = offline(name, recordings_folder, sounds_dir)
    return OmegaConf.merge(config, {"cache_gib": cache_gib})


@pytest.fixture(scope="module")
def source(config):
    return hydra.utils.instantiate(config, _convert_="all")


@pytest.fixture(scope="module")
def recordings(source):
    """All splits, read once."""
    return {
        split: list(source.recordings(split)) for split in ("train", "validation", "test", "all")
    }


def batches(source, count, **settings):
    settings = {"batch_size": 4, "seed": 7, **settings}
    return np.stack(list(source.training_batches(**settings).take(count).as_numpy_iterator()))


def test_is_a_source_of_segments_as_its_yaml_says(source, config):
    assert isinstance(source, AudioSource) and source.medium == "audio"
    assert source.sample_rate == config.sample_rate
    assert source.segment == SEGMENT and source.training_shape == (1, SEGMENT, 1)
    assert source.name and "/" not in source.name
    assert source.name_of("test") == source.name
    assert source.evaluation_split in ("test", "all")


def test_batches_are_float32_segments_at_one_loudness(source):
    dataset = source.training_batches(batch_size=4, seed=7)
    assert dataset.element_spec == tf.TensorSpec([4, 1, SEGMENT, 1], tf.float32)
    assert dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    values = batches(source, 20)
    assert np.abs(values).max() <= 0.99 + 1e-6
    assert 0.03 < values.std() < 0.15  # -23 dBFS is .071


def test_a_step_has_one_batch_wherever_the_run_started(source):
    whole = batches(source, 9)
    for first_step in (1, 7):
        later = batches(source, 9 - first_step, first_step=first_step)
        np.testing.assert_array_equal(later, whole[first_step:])


def test_the_seed_alone_decides(source):
    first = batches(source, 3)
    tf.random.set_seed(99)
    np.testing.assert_array_equal(batches(source, 3), first)
    assert not np.array_equal(batches(source, 3, seed=8), first)


def test_recordings_are_whole_and_have_unique_names_and_a_fixed_order(source, recordings):
    for found in recordings.values():
        assert found
        assert len({recording.name for recording in found}) == len(found)
        for recording in found:
            assert recording.samples.dtype == np.float32 and recording.samples.ndim == 2
            assert np.abs(recording.samples).max() <= 1
    for recording, again in zip(recordings["test"], source.recordings("test")):
        assert recording.name == again.name and recording.sample_rate == again.sample_rate
        np.testing.assert_array_equal(recording.samples, again.samples)


def test_no_recording_is_in_two_splits(recordings):
    contents = {
        split: {recording.samples.tobytes() for recording in found}
        for split, found in recordings.items()
    }
    everything = contents.pop("all")
    assert sum(map(len, contents.values())) == len(everything)
    assert set.union(*contents.values()) == everything


def test_describes_itself_in_two_lines(source, recordings):
    lines = source.describe().splitlines()
    assert len(lines) == 2
    for split in ("train", "validation", "test"):
        assert f"{len(recordings[split])} {split}" in lines[0]
    assert "padded" in lines[1] and "silent" in lines[1] and "-23 dBFS RMS" in lines[1]


def test_refuses_an_unknown_split(source):
    with pytest.raises(ValueError, match="split='dev' must be one of train, validation, test, all"):
        source.recordings("dev")


@pytest.mark.parametrize(
    ("setting", "value"), [("batch_size", 0), ("seed", -1), ("first_step", -1)]
)
def test_refuses_settings_out_of_range(source, setting, value):
    settings = {"batch_size": 4, "seed": 7, setting: value}
    with pytest.raises(ValueError, match=f"{setting}={value} must be a whole number, at least"):
        source.training_batches(**settings)


@pytest.mark.parametrize(
    ("setting", "value", "rule"),
    [("segment", 0, "at least 1"), ("sample_rate", 0, "at least 1"), ("cache_gib", -1, "GiB")],
)
def test_refuses_constructor_arguments_out_of_range(config, setting, value, rule):
    with pytest.raises(hydra.errors.InstantiationException) as caught:
        hydra.utils.instantiate(config, **{setting: value}, _convert_="all")
    assert isinstance(caught.value.__cause__, ValueError)
    assert f"{setting}={value!r}" in str(caught.value.__cause__)
    assert rule in str(caught.value.__cause__)
