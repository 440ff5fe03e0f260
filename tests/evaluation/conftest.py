"""Real photographs, made-up speech, and small real codecs with containers, for all tests here."""

from __future__ import annotations

import functools
import struct
import zlib
from typing import NamedTuple

import numpy as np
import pytest
import skimage.data

from codec import Audio
from signals.audio_files import NamedRecording
from signals.image_files import NamedImage


class Estimate(NamedTuple):
    noise: float
    training: float
    rounded: float
    side: float = 0.0


class Quantized:
    """What ``quantize`` of these codecs returns; they start anew with each call."""

    def __init__(self, codec, signal, given):
        bind = functools.partial
        self.encode = bind(codec.encode, *signal, **given)
        self.reconstruct = bind(codec.reconstruct, *signal)
        self.estimate_bits = bind(codec.estimate_bits, *signal)


class QuantizesLate:
    def quantize(self, *signal, **given):
        return Quantized(self, signal, given)


class UniformCodec(QuantizesLate):
    """Rounds pixels to a coarse grid and packs the symbols with zlib behind a 12-byte header."""

    name = "uniform"
    has_fixed_length = True
    header_bytes = 12
    step = 16

    def encode(self, pixels, *, fixed_length=False):
        header = struct.pack("<4sII", b"UNIF", *pixels.shape[:2])
        return header + zlib.compress((pixels // self.step).tobytes(), 0 if fixed_length else 9)

    def decode(self, data, max_size=None):
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
        NamedImage("astronaut", skimage.data.astronaut()[:208, 100:340]),
        NamedImage("animals/cat 1.png", skimage.data.chelsea()[:, :300]),
        NamedImage("small", skimage.data.coffee()[100:180, 100:220]),
    ]


class CoarsePcm(QuantizesLate):
    """Rounds samples to a coarse grid and packs the symbols with zlib behind an 8-byte header."""

    name = "coarse"
    has_fixed_length = True
    header_bytes = 8
    step = 512

    def encode(self, samples, sample_rate, *, fixed_length=False):
        header = struct.pack("<II", sample_rate, samples.shape[1])
        level = 0 if fixed_length else 9
        return header + zlib.compress(self._symbols(samples).tobytes(), level)

    def decode(self, data, max_size=None):
        sample_rate, channels = struct.unpack("<II", data[:8])
        symbols = np.frombuffer(zlib.decompress(data[8:]), np.int8)
        return self._sound(symbols.reshape(-1, channels), sample_rate)

    def reconstruct(self, samples, sample_rate, *, training=False):
        if training:
            return Audio(np.round(samples * 32767).astype(np.int16), sample_rate)
        return self._sound(self._symbols(samples), sample_rate)

    def estimate_bits(self, samples, sample_rate):
        payload_bits = 8 * (len(self.encode(samples, sample_rate)) - self.header_bytes)
        return Estimate(1.05 * payload_bits, 0.9 * payload_bits, 0.998 * payload_bits)

    def _symbols(self, samples):
        return np.round(samples * 32768 / self.step).astype(np.int8)

    def _sound(self, symbols, sample_rate):
        samples = np.clip(symbols.astype(np.int32) * self.step, -32768, 32767)
        return Audio(samples.astype(np.int16), sample_rate)


def made_up_speech(seconds, sample_rate, seed=0):
    """Syllables: harmonics of a gliding pitch under a moving formant, pauses and hiss between."""
    generator = np.random.default_rng(seed)
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.9 * t + seed)) / sample_rate
    formant = 700 + 500 * np.sin(2 * np.pi * 1.7 * t + seed)
    voiced = sum(
        np.exp(-(((120 * k - formant) / 400) ** 2)) * np.sin(k * phase)
        for k in range(1, int(sample_rate / 2 / 160))
    )
    syllables = np.clip(1.5 * np.sin(2 * np.pi * 2.5 * t + 0.2), 0, 1)
    speech = syllables * voiced + 0.02 * (1 - syllables) * generator.standard_normal(len(t))
    return (0.2 * speech / np.abs(speech).max()).astype(np.float32)[:, np.newaxis]


@pytest.fixture
def sound_codec():
    return CoarsePcm()


@pytest.fixture(scope="session")
def sounds():
    """Speech at 8 kHz, stereo at 16 kHz, and a fifth of a second, too short for PESQ and STOI."""
    stereo = np.concatenate([made_up_speech(1.0, 16000, seed) for seed in (1, 2)], axis=1)
    return [
        NamedRecording("one", made_up_speech(1.2, 8000), 8000),
        NamedRecording("both/ears.wav", stereo, 16000),
        NamedRecording("short", made_up_speech(0.2, 8000, 3), 8000),
    ]
