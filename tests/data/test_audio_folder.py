"""Which recordings a folder gives, and what is trained on."""

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from data import AudioFolder
from signals.high_pass import high_pass
from signals.loudness import loudness_gain


def save(folder, name, samples, rate=8000, **how):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / name, samples, rate, **how)


def noise(samples, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (samples, channels)).astype(np.float32)


def source_of(root, **settings):
    settings = {"sample_rate": 8000, "segment": 64, **settings}
    return AudioFolder(root=str(root), **settings)


def all_to_train(root, **settings):
    return source_of(root, validation_fraction=0, test_fraction=0, **settings)


def batches(source, count, **settings):
    settings = {"batch_size": 4, "seed": 7, **settings}
    return np.stack(list(source.training_batches(**settings).take(count).as_numpy_iterator()))


@pytest.fixture
def mixed(tmp_path):
    """One recording of each kind."""
    save(tmp_path, "a.wav", noise(500), subtype="PCM_16")
    save(tmp_path, "deep/b.FLAC", noise(900, 2, seed=1), 44100, format="FLAC", subtype="PCM_24")
    save(tmp_path, "deep/c.ogg", noise(4000, seed=2), 16000)
    save(tmp_path, "d.mp3", noise(4000, seed=3), 24000)
    save(tmp_path, "e.wav", noise(30, 6, seed=4), 96000, subtype="FLOAT")
    save(tmp_path, "f.wav", np.zeros(300))
    (tmp_path / "notes.txt").write_text("no recording")
    return tmp_path


def test_recordings_are_as_their_files_are(mixed):
    found = {recording.name: recording for recording in source_of(mixed).recordings("all")}
    assert list(found) == ["a.wav", "d.mp3", "deep/b.FLAC", "deep/c.ogg", "e.wav", "f.wav"]
    assert found["deep/b.FLAC"].samples.shape == (900, 2)
    assert found["deep/b.FLAC"].sample_rate == 44100
    np.testing.assert_array_equal(found["e.wav"].samples, noise(30, 6, seed=4))


def test_kept_and_decoded_at_use_give_the_same_segments(mixed):
    kept, decoded = (all_to_train(mixed, cache_gib=gib) for gib in (2.0, 0.0))
    np.testing.assert_array_equal(batches(kept, 12), batches(decoded, 12))


def test_counts_what_is_padded_and_silent(mixed):
    kept, decoded = (all_to_train(mixed, cache_gib=gib) for gib in (2.0, 0.0))
    assert "6 of 12 channels padded with zeros, 1 silent" in kept.describe()
    assert "-23 dBFS RMS with peaks of at most 0.99" in kept.describe()
    assert "6 of 12 channels padded with zeros, silent ones not counted" in decoded.describe()


@pytest.mark.parametrize("cache_gib", [2.0, 0.0])
def test_a_segment_is_a_window_of_one_channel_of_the_scaled_recording(tmp_path, cache_gib):
    written = noise(300, 2)
    save(tmp_path, "a.wav", written, subtype="FLOAT")
    heard = high_pass(written, 8000)
    scaled = heard * np.float32(loudness_gain(heard))
    windows = {
        scaled[start : start + 64, channel].tobytes()
        for channel in range(2)
        for start in range(300 - 64 + 1)
    }
    seen = {s.tobytes() for s in batches(all_to_train(tmp_path, cache_gib=cache_gib), 40)
            .reshape(-1, 64)}  # fmt: skip
    assert seen <= windows
    assert len(seen) > 60


def test_silence_stays_silence(tmp_path):
    save(tmp_path, "a.wav", np.zeros(300))
    assert not batches(all_to_train(tmp_path), 3).any()


def test_an_unreadable_training_file_is_named(tmp_path):
    save(tmp_path, "good.wav", noise(99))
    (tmp_path / "bad.wav").write_text("not a recording")
    with pytest.raises(ValueError, match=r"bad\.wav is not a WAV, FLAC, OGG or MP3 file"):
        all_to_train(tmp_path).training_batches(batch_size=1, seed=0)


def test_a_training_file_with_a_hole_is_named(tmp_path):
    save(tmp_path, "hole.wav", np.array([0.1, np.nan] * 50), subtype="FLOAT")
    kept, decoded = (all_to_train(tmp_path, cache_gib=gib) for gib in (2.0, 0.0))
    with pytest.raises(ValueError, match=r"hole\.wav has 50 samples that are NaN"):
        kept.describe()
    with pytest.raises(tf.errors.OpError, match=r"hole\.wav has 50 samples that are NaN"):
        next(iter(decoded.training_batches(batch_size=1, seed=0)))


def test_folders_of_their_own_for_held_out_speakers(tmp_path):
    for number in range(4):
        save(tmp_path, f"anna/{number}.wav", noise(99, seed=number))
    save(tmp_path, "bert/a.wav", noise(99, seed=9))
    save(tmp_path, "carl/a.wav", noise(99, seed=10))
    source = source_of(
        tmp_path / "anna",
        validation_root=str(tmp_path / "bert"),
        test_root=str(tmp_path / "carl"),
    )
    assert source.describe().startswith("anna: 4 train, 1 validation, 1 test recordings (4 in all)")
    assert source.name_of("test") == "carl" and source.name_of("all") == "anna"


def test_a_folder_without_recordings_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"holds no recording \(\.flac, \.mp3, "):
        source_of(tmp_path)


def test_nothing_left_to_train_on_is_an_error(tmp_path):
    save(tmp_path, "a.wav", noise(99))
    source = source_of(tmp_path, test_root=str(tmp_path))
    assert "0 train" in source.describe()
    with pytest.raises(ValueError, match="no recording is left to train on"):
        source.training_batches(batch_size=1, seed=0)
