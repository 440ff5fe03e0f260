"""Real photographs, and a small real codec with a container, for every test of evaluation."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np
import pytest
import skimage.data


class NamedPhoto(NamedTuple):
    name: str
    pixels: np.ndarray


class Estimate(NamedTuple):
    noise: float
    training: float
    rounded: float
    side: float = 0.0


class UniformCodec:
    """Rounds pixels to a coarse grid and packs the symbols with zlib behind a 12-byte header."""

    name = "uniform"
    has_fixed_length = True
    header_bytes = 12
    step = 16

    def encode(self, pixels, *, fixed_length=False):
        header = struct.pack("<4sII", b"UNIF", *pixels.shape[:2])
        return header + zlib.compress((pixels // self.step).tobytes(), 0 if fixed_length else 9)

    def decode(self, data):
        magic, height, width = struct.unpack("<4sII", data[:12])
        if magic != b"UNIF":
            raise ValueError("not a file of this codec")
        symbols = np.frombuffer(zlib.decompress(data[12:]), np.uint8)
        return self._dequantize(symbols.reshape(height, width, 3))

    def reconstruct(self, pixels, *, training=False):
        if training:
            return pixels // 2 * 2
        return self._dequantize(pixels // self.step)

    def estimate_bits(self, pixels):
        payload_bits = 8 * (len(self.encode(pixels)) - self.header_bytes)
        return Estimate(1.05 * payload_bits, 0.9 * payload_bits, 0.998 * payload_bits)

    def _dequantize(self, symbols):
        return symbols * np.uint8(self.step) + np.uint8(self.step // 2)


@pytest.fixture
def codec():
    return UniformCodec()


@pytest.fixture(scope="session")
def photos():
    """Three photographs, the last too small for MS-SSIM."""
    return [
        NamedPhoto("astronaut", skimage.data.astronaut()[:208, 100:340]),
        NamedPhoto("animals/cat 1.png", skimage.data.chelsea()[:, :300]),
        NamedPhoto("small", skimage.data.coffee()[100:180, 100:220]),
    ]
