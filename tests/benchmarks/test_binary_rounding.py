"""benchmarks/binary_rounding.py: trained models are measured on bits and on what training saw."""

import pathlib
import sys

import numpy as np
import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks"))
import binary_rounding


def test_what_rounding_takes_away_is_seen(monkeypatch):
    monkeypatch.setattr(binary_rounding, "EPOCHS", 2)
    photos = np.random.default_rng(0).uniform(size=(64, 64)).astype(np.float32)
    monkeypatch.setattr(binary_rounding, "patches", lambda split: photos)
    rows = [binary_rounding.measure(name, 0) for name in ("straight_through", "identity")]
    through, identity = rows
    assert through["psnr"] == through["psnr_training"]
    assert identity["psnr"] < identity["psnr_training"] - 0.1
    assert through["errors_percent"] < 50
    lines = binary_rounding.table(rows).splitlines()
    assert len(lines) == 4 and lines[2].startswith("| `straight_through` |")


def test_patches_are_in_order(monkeypatch):
    image = np.arange(32 * 48 * 3).reshape(32, 48, 3).astype(np.uint8)
    monkeypatch.setattr(binary_rounding, "prepare_quietly", lambda *_: None)
    monkeypatch.setattr(binary_rounding.tfds, "load", lambda name, split: None)
    monkeypatch.setattr(binary_rounding.tfds, "as_numpy", lambda _: [{"image": image}])
    found = binary_rounding.patches("test")
    assert found.shape == (2 * 3, 64)
    gray = image.astype(np.float32).mean(-1)[::2, ::2] / 255
    np.testing.assert_array_equal(found[1].reshape(8, 8), gray[:8, 8:16])


def test_an_unknown_quantizer_is_named():
    with pytest.raises(ValueError, match="nosuch"):
        binary_rounding.binary_layer("nosuch", 0, 10)
