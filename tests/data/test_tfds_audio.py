"""TFDS datasets of audio: the synthetic clips, and one that holds audio in every form."""

import pathlib

import numpy as np
import pytest
import soundfile
import tensorflow_datasets as tfds
from omegaconf import OmegaConf

from data import SpeakerSplit, TfdsAudio, TonesAudio
from data.segments import training_form
from data.tfds_records import TfdsRecords
from data.tones import clip

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs" / "data"
NAMED = [
    path.stem
    for path in sorted(CONFIGS.glob("*.yaml"))
    if "TfdsAudio" in path.read_text() and not OmegaConf.is_missing(OmegaConf.load(path), "name")
]


def source_of(folder, **settings):
    settings = {"sample_rate": 8000, "segment": 64, **settings}
    return TfdsAudio(name="audio_forms", data_dir=folder, **settings)


def sizes(source):
    return [sum(1 for _ in source.recordings(split)) for split in ("train", "validation", "test")]


def by_speaker(**settings):
    settings = {"key": "audio/filename", "pattern": r"_(\w+)_", **settings}
    return SpeakerSplit(**{"validation": "yweweler", "test": "theo", **settings})


def test_integers_are_16_bit_samples(audio_forms_dir, audio_forms):
    for recording in source_of(audio_forms_dir, name_key="id").recordings("all"):
        values = audio_forms.recording(int(recording.name))
        assert recording.sample_rate == 8000 and recording.samples.dtype == np.float32
        np.testing.assert_array_equal(recording.samples[:, 0], values / 32768)


@pytest.mark.parametrize("key", ["floats", "numbers", "file", "stereo", "deep"])
def test_every_form_of_record_gives_the_same_audio(audio_forms_dir, audio_forms, key):
    more = {"numbers": {"record_rate": 8000}, "deep": {"full_scale": 2**31}}.get(key, {})
    source = source_of(audio_forms_dir, audio_key=key, name_key="id", **more)
    recordings = list(source.recordings("all"))
    assert len(recordings) == 20
    for recording in recordings:
        expected = audio_forms.recording(int(recording.name))[:, np.newaxis] / 32768
        if key == "stereo":
            expected = expected * [1, -0.5]
        assert recording.samples.shape == expected.shape
        assert np.abs(recording.samples - expected).max() <= 2**-15
        assert recording.sample_rate == (16000 if key == "file" else 8000)


@pytest.mark.parametrize("key", ["audio", "file", "stereo"])
def test_streamed_segments_are_windows_of_training_recordings(audio_forms_dir, key):
    source = source_of(audio_forms_dir, audio_key=key, cache_gib=0)
    assert "streamed" in source.describe()
    rows = [
        row.tobytes()
        for recording in source.recordings("train")
        for row in training_form(*recording[1:], sample_rate=8000)
    ]
    batches = source.training_batches(batch_size=16, seed=1).take(3).as_numpy_iterator()
    for batch in batches:  # sixteen training recordings: each batch is one epoch
        owners = [
            next(index for index, row in enumerate(rows) if segment.tobytes() in row)
            for segment in batch
        ]
        channels = len(rows) // 16
        assert sorted(owner // channels for owner in owners) == list(range(16))


def test_values_above_16_bits_name_the_way_out(audio_forms_dir):
    source = source_of(audio_forms_dir, audio_key="deep")
    with pytest.raises(ValueError, match=r"above full_scale=32768: data.full_scale=2147483648"):
        list(source.recordings("all"))


def test_an_unknown_rate_names_the_way_out(audio_forms_dir):
    with pytest.raises(ValueError, match=r"sample rate of 'numbers': data.record_rate= gives it"):
        source_of(audio_forms_dir, audio_key="numbers")


@pytest.mark.parametrize("key", ["id", "gone", "label"])
def test_a_feature_that_is_no_audio_lists_the_features(audio_forms_dir, key):
    with pytest.raises(ValueError, match=rf"no audio feature '{key}'; its features: .*audio \(Au"):
        source_of(audio_forms_dir, audio_key=key)


def test_a_dataset_without_audio_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"has no audio feature; its features: .*image \(Image\)"):
        TfdsAudio(name="mnist", data_dir=str(tmp_path), sample_rate=8000, segment=64)


def test_an_unknown_name_feature_lists_the_features(audio_forms_dir):
    with pytest.raises(ValueError, match=r"name_key='who' is no feature of audio_forms.* has "):
        source_of(audio_forms_dir, name_key="who")


def test_a_name_feature_must_tell_records_apart(audio_forms_dir):
    recordings = source_of(audio_forms_dir, name_key="label").recordings("all")
    with pytest.raises(ValueError, match=r"name_key='label' gives two records of .* the name '"):
        list(recordings)


def test_splits_are_cut_or_named(audio_forms_dir):
    assert sizes(source_of(audio_forms_dir)) == [16, 2, 2]
    named = {"train": "train[:10]", "validation": "train[10:15]", "test": "train[15:]"}
    source = source_of(audio_forms_dir, splits=named)
    assert sizes(source) == [10, 5, 5]
    assert "10 train (train[:10]), 5 validation (train[10:15])" in source.describe()
    assert source.files == "10 train and 5 validation records of TFDS audio_forms/1.0.0"


@pytest.mark.parametrize(
    ("splits", "shared"),
    [
        ({"test": "train[:10%]"}, r"train \(train\[:18\]\) and test \(train\[:10%\]\)"),
        ({"test": "train[90%:]"}, r"validation \(train\[18:20\]\) and test"),
        ({"validation": "train[:2]", "test": "train[2:4]"}, r"train \(train\) and validation"),
        ({"train": "train[:4]+train[9:]", "test": "train[3:5]"}, "train .* and test"),
    ],
)
def test_no_record_is_in_two_splits(audio_forms_dir, splits, shared):
    with pytest.raises(ValueError, match=f"splits: {shared} .*share records of audio_forms"):
        source_of(audio_forms_dir, splits=splits)


@pytest.mark.parametrize(
    ("split", "share"),
    [("train", 1), ("train[:5]", 0.25), ("train[:3]+train[5:7]", 0.25), ("all", 1)],
)
def test_the_bytes_of_slices_and_sums_are_known(audio_forms_dir, audio_forms, split, share):
    builder = audio_forms.AudioForms(data_dir=audio_forms_dir)
    # Streams shuffle as many records at once as fit into memory by this.
    named = {"train": split, "validation": "train[:0]", "test": "train[:0]"}
    records = TfdsRecords(builder, "audio", is_file=False, splits=named)
    expected = share * builder.info.splits["train"].num_bytes
    assert records.training_bytes == pytest.approx(expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"splits": {"test": "dev"}}, r"splits.test='dev' is no split of audio_forms/1.0.0, which"),
        ({"splits": {"dev": "train"}}, "splits: 'dev' must be one of train, validation, test"),
        ({"record_rate": 0}, "record_rate=0 must be a whole number"),
        ({"full_scale": -1}, "full_scale=-1 must be a number above 0"),
        ({"sample_rate": 400_000}, "sample_rate=400000 must be at most 192000 Hz"),
        (
            {"splits": {"test": "train"}, "speakers": by_speaker()},
            "may name only train together with speakers",
        ),
    ],
)
def test_a_wrong_setting_is_named(audio_forms_dir, settings, message):
    with pytest.raises(ValueError, match=message):
        source_of(audio_forms_dir, **settings)


@pytest.mark.parametrize("cache_gib", [1.0, 0.0])
def test_speakers_are_held_out(audio_forms_dir, cache_gib):
    source = source_of(
        audio_forms_dir, name_key="audio/filename", speakers=by_speaker(), cache_gib=cache_gib
    )
    speakers = {
        split: {recording.name.split("_")[1] for recording in source.recordings(split)}
        for split in ("train", "validation", "test")
    }
    assert speakers == {
        "train": {"george", "jackson", "nicolas"},
        "validation": {"yweweler"},
        "test": {"theo"},
    }
    assert sizes(source) == [12, 4, 4]
    assert "4 test (train, speaker theo)" in source.describe()


def test_several_speakers_and_speakers_by_number(audio_forms_dir):
    source = source_of(audio_forms_dir, speakers=by_speaker(test=["theo", "george"]))
    assert sizes(source) == [8, 4, 8]
    for validation, expected in ((3, [12, 4, 4]), (None, [16, 0, 4])):
        numbered = SpeakerSplit(key="label", validation=validation, test=4)
        assert sizes(source_of(audio_forms_dir, speakers=numbered)) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"test": "bob"}, r"speakers.test='bob' is no speaker of 'audio/filename', which has geo"),
        ({"pattern": "-(.)"}, r"speakers.pattern='-\(.\)' finds no speaker in '\d_"),
        ({"pattern": "_x"}, "speakers.pattern='_x' must have a group"),
        ({"pattern": "("}, r"speakers.pattern='\(' is not valid"),
        ({"test": "yweweler"}, "speakers.validation and speakers.test share 'yweweler'"),
        ({"key": "who"}, r"speakers.key='who' is no feature of audio_forms"),
    ],
)
def test_a_wrong_speaker_split_is_named(audio_forms_dir, settings, message):
    with pytest.raises(ValueError, match=message):
        source_of(audio_forms_dir, speakers=by_speaker(**settings))


@pytest.mark.parametrize("name", NAMED)
def test_the_configured_datasets_are_as_their_yaml_says(name, tmp_path):
    """Features and rates are those of TFDS; only the records are missing."""
    from assembly.parts import build_part

    config = OmegaConf.load(CONFIGS / f"{name}.yaml")
    with pytest.raises(Exception, match=r"not prepared in .*data\.download=true"):
        build_part(config, data_dir=str(tmp_path))
    features = tfds.builder(config.name, data_dir=str(tmp_path)).info.features
    rates = {f.sample_rate for f in features.values() if isinstance(f, tfds.features.Audio)}
    assert rates == {config.sample_rate}


def test_archives_are_looked_for_in_the_download_folder(tmp_path, audio_forms):
    TfdsAudio(
        name="fetched_audio_forms",
        sample_rate=8000,
        segment=64,
        data_dir=str(tmp_path / "data"),
        download=True,
        download_dir=str(tmp_path / "archives"),
    )
    assert audio_forms.FetchedAudioForms.download_dir == str(tmp_path / "archives")


def test_a_failed_download_is_one_line(tmp_path, audio_forms):
    with pytest.raises(ValueError, match="could not be prepared: no route to host"):
        TfdsAudio(
            name="unreachable_audio_forms",
            sample_rate=8000,
            segment=64,
            data_dir=str(tmp_path),
            download=True,
        )


def test_tones_are_the_same_everywhere_and_named_synthetic(audio_forms_dir):
    source = TonesAudio(data_dir=audio_forms_dir, segment=2000)
    assert sizes(source) == [48, 6, 6]
    assert "ynthetic" in tfds.builder("tones", data_dir=audio_forms_dir).info.description
    recordings = list(source.recordings("all"))
    assert len({recording.samples.tobytes() for recording in recordings}) == 60
    for recording in recordings:
        split, number = recording.name.split("-")
        first = {"train": 0, "validation": 1000, "test": 2000}[split]
        expected = clip(np.random.default_rng(first + int(number)))
        assert 8000 <= len(expected) <= 16000 and np.abs(expected).max() < 1
        assert np.abs(recording.samples[:, 0] - expected).max() < 1e-4


def test_tones_hold_harmonic_and_noisy_parts(audio_forms_dir):
    """A tonal frame has its power in few bins, a noisy one in many, by spectral flatness."""
    flatness = []
    for recording in TonesAudio(data_dir=audio_forms_dir).recordings("train"):
        frames = recording.samples[: len(recording.samples) // 512 * 512].reshape(-1, 512)
        loud = frames[np.sqrt(np.mean(frames**2, axis=1)) > 0.02]
        power = np.abs(np.fft.rfft(loud * np.hanning(512))) ** 2 + 1e-12
        flatness.extend(np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1))
    assert np.mean(np.array(flatness) < 0.05) > 0.4
    assert np.mean(np.array(flatness) > 0.15) > 0.1


def test_written_files_read_back_like_their_record(audio_forms_dir, tmp_path):
    """A user may write a recording to a file and evaluate that one: nothing is scaled."""
    from signals.audio_files import read_audio

    recording = next(source_of(audio_forms_dir).recordings("test"))
    soundfile.write(tmp_path / "a.wav", recording.samples, recording.sample_rate)
    samples, rate = read_audio(tmp_path / "a.wav")
    assert rate == recording.sample_rate
    np.testing.assert_array_equal(samples, recording.samples)
