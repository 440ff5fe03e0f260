"""Where patches come from: order of images, crops, flips, reflection, errors, exit."""

import hashlib
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data import ImageFolder
from data.patches import PatchSampler, reflected

ROOT = pathlib.Path(__file__).resolve().parents[2]


def batches(source, count, **settings):
    settings = {"batch_size": 4, "seed": 7, **settings}
    return np.stack(list(source.training_batches(**settings).take(count).as_numpy_iterator()))


def all_to_train(root, **settings):
    return ImageFolder(root=root, validation_fraction=0, test_fraction=0, **settings)


@pytest.fixture(params=[2.0, 0.0], ids=["kept", "decoded-at-use"])
def located(request, located_folder):
    return all_to_train(located_folder, patch_size=24, cache_gib=request.param)


def test_a_patch_is_a_window_of_its_image_or_its_mirror_image(located):
    corners, flips = set(), set()
    for patch in batches(located, 60).reshape(-1, 24, 24, 3).astype(int):
        row, column = patch[0, 0, 0], patch[0, :, 1].min()
        flipped = patch[0, 0, 1] > patch[0, 1, 1]
        columns = column + (np.arange(23, -1, -1) if flipped else np.arange(24))
        np.testing.assert_array_equal(patch[:, :, 0], (row + np.arange(24))[:, None] + 0 * columns)
        np.testing.assert_array_equal(patch[:, :, 1], 0 * columns[:, None] + columns)
        number = patch[0, 0, 2]
        assert (patch[:, :, 2] == number).all()
        assert row <= 40 + 7 * number - 24 and column <= 90 - 3 * number - 24
        corners.add((row, column))
        flips.add(bool(flipped))
    assert flips == {False, True}
    assert len(corners) > 200


def test_crops_reach_the_borders(tmp_path):
    pixels = np.arange(9 * 9 * 3, dtype=np.uint8).reshape(9, 9, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    seen = {
        patch.astype(np.uint8).tobytes()
        for patch in batches(all_to_train(str(tmp_path), patch_size=8), 30).reshape(-1, 8, 8, 3)
    }
    windows = [pixels[r : r + 8, c : c + 8] for r in (0, 1) for c in (0, 1)]
    assert seen == {w.tobytes() for w in windows} | {w[:, ::-1].tobytes() for w in windows}


def test_an_epoch_uses_every_image_once_in_an_order_of_its_own(located):
    numbers = batches(located, 30, batch_size=5)[:, :, 0, 0, 2].reshape(10, 15)
    for epoch in numbers:
        assert sorted(epoch) == list(range(15))
    assert len({tuple(epoch) for epoch in numbers}) == 10


def test_kept_and_decoded_at_use_give_the_same_patches(located_folder):
    kept, decoded = (
        all_to_train(located_folder, patch_size=64, cache_gib=gib) for gib in (2.0, 0.0)
    )
    np.testing.assert_array_equal(batches(kept, 10), batches(decoded, 10))


def test_patches_do_not_depend_on_the_batch_size(located):
    np.testing.assert_array_equal(
        batches(located, 6, batch_size=4).reshape(-1, 24, 24, 3),
        batches(located, 3, batch_size=8).reshape(-1, 24, 24, 3),
    )


def test_reflection_repeats_the_edge_as_often_as_needed():
    pixels = np.array([1, 2, 3], np.uint8).reshape(1, 3, 1) * np.ones((1, 1, 3), np.uint8)
    grown = reflected(pixels, 8)
    assert grown.shape == (8, 8, 3)
    assert grown[0, :, 0].tolist() == [1, 2, 3, 3, 2, 1, 1, 2]
    assert (grown == grown[:1]).all()
    assert reflected(pixels[:, :1], 16).shape == (16, 16, 3)
    assert reflected(grown, 8) is not None and reflected(grown, 4).shape == (8, 8, 3)


@pytest.mark.parametrize("cache_gib", [2.0, 0.0])
def test_small_images_are_reflected_and_counted(tmp_path, cache_gib):
    for name, size in (("dot", (1, 1)), ("line", (1, 90)), ("wide", (90, 63)), ("fits", (64, 64))):
        Image.new("RGB", size, (5, 6, 7)).save(tmp_path / f"{name}.png")
    source = all_to_train(str(tmp_path), patch_size=64, cache_gib=cache_gib)
    assert "3 of 4 reflected up to 64x64" in source.describe()
    values = batches(source, 4)
    assert values.shape == (4, 4, 64, 64, 3)
    assert (values == [5, 6, 7]).all()


def test_an_unreadable_training_file_is_named_before_the_first_step(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"not an image")
    with pytest.raises(ValueError, match=r"bad\.png is not a PNG, JPEG or WebP image"):
        all_to_train(str(tmp_path), patch_size=8).training_batches(batch_size=1, seed=0)


def test_a_training_file_that_is_damaged_after_its_header_is_named(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:3000])
    kept, decoded = (all_to_train(str(tmp_path), patch_size=8, cache_gib=g) for g in (2, 0))
    with pytest.raises(ValueError, match=r"cut\.png cannot be decoded"):
        kept.training_batches(batch_size=1, seed=0)
    with pytest.raises(tf.errors.OpError, match=r"cut\.png cannot be decoded"):
        next(iter(decoded.training_batches(batch_size=1, seed=0)))


@pytest.mark.parametrize("first_step", range(6))
def test_a_stream_gives_every_record_once_an_epoch_and_starts_anywhere(first_step, monkeypatch):
    """Thirteen records of one colour each in blocks of four."""
    monkeypatch.setattr("data.patches._SHUFFLED_BYTES", 4)

    def numbers(first_step, count):
        sampler = PatchSampler(patch_shape=(2, 2, 3), batch_size=3, seed=5, first_step=first_step)
        records = tf.data.Dataset.from_tensor_slices([bytes([65 + i]) for i in range(13)])
        dataset = sampler.from_stream(
            records,
            lambda encoded: np.full((2, 2, 3), encoded[0], np.uint8),
            count=13,
            record_bytes=1,
        )
        return np.concatenate([b[:, 0, 0, 0] for b in dataset.take(count).as_numpy_iterator()])

    whole = numbers(0, 26)
    epochs = whole.reshape(6, 13)
    for epoch in epochs:
        assert sorted(epoch) == list(range(65, 78))
    assert len({tuple(epoch) for epoch in epochs}) == 6
    np.testing.assert_array_equal(numbers(first_step, 5), whole[3 * first_step :][:15])


SCRIPT = """
import hashlib, sys
import tensorflow as tf
tf.config.experimental.enable_op_determinism()
import data
iterators = []
for cache_gib in (2.0, 0.0):
    source = data.ImageFolder(root=sys.argv[1], patch_size=24, cache_gib=cache_gib)
    iterators.append(iter(source.training_batches(batch_size=4, seed=7)))
    digest = hashlib.sha256()
    for _ in range(20):
        digest.update(next(iterators[-1]).numpy().tobytes())
    print(digest.hexdigest())
"""


def test_deterministic_mode_in_another_process_that_ends_with_live_iterators(located_folder):
    """The same patches; and the endless pipelines do not keep the process from ending."""
    source = ImageFolder(root=located_folder, patch_size=24)
    expected = hashlib.sha256(batches(source, 20).tobytes()).hexdigest()
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, located_folder],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [expected, expected], "cached, decoded at every use"
