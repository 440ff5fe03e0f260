"""Audio formats that libsndfile codes.

libsndfile comes with the package ``soundfile`` and contains the reference encoders libopus,
libvorbis and LAME. It has one parameter for all of them, the compression level, from 1 (smallest
file) to 0.

Files are whole. A learned file is little but its payload, while the headers of an Ogg file (0.9 kB
for Opus, 2.7 kB and more for Vorbis) outweigh a spoken digit. Two rates are therefore given: of the
whole file, and of the audio packets alone. `matches.closest_to` searches by the latter: at the rate
of a whole learned file, the classical codec gets its container for free.

A signal at a sample rate that a codec lacks is resampled (soxr) to the next higher one, and back
after decoding.
"""

from __future__ import annotations

import abc
import dataclasses
import io
from typing import Any, Dict, Sequence, Tuple

import numpy as np
import soundfile
import soxr

from evaluation.classical.codec import ClassicalCodec, Coded
from evaluation.media import AUDIO

CHANNELS = 2
"""The most channels in one file; more go to several files."""

# Larger writes overflow the stack inside libvorbis.
_BLOCK_SAMPLES = 16384


@dataclasses.dataclass(frozen=True)
class SndfileFormat(ClassicalCodec):
    """An audio format with one integer setting.

    Attributes:
        subtype: libsndfile's name of the codec.
        sample_rates: that the codec has, Hz, rising.
        format: libsndfile's name of the container.
    """

    medium = AUDIO
    has_container = True

    subtype: str
    sample_rates: Tuple[int, ...]
    format: str = "OGG"

    @abc.abstractmethod
    def packet_bytes(self, data: bytes) -> int:
        """Size of a file's audio packets, without the container."""

    def encode(self, file: Any, setting: int) -> Coded:
        """See `ClassicalCodec`; float samples [samples, channels]."""
        higher = [rate for rate in self.sample_rates if rate >= file.sample_rate]
        rate = higher[0] if higher else self.sample_rates[-1]
        samples = _resampled(file.samples, file.sample_rate, rate)
        files = tuple(
            self._file(samples[:, first : first + CHANNELS], rate, setting)
            for first in range(0, samples.shape[1], CHANNELS)
        )
        return Coded(files, sum(map(self.packet_bytes, files)))

    def decode(self, files: Sequence[bytes], original: Any) -> np.ndarray:
        """Float32 [samples, channels] from -1 to 1, aligned with the original."""
        length = len(original.samples)
        parts = []
        for data in files:
            decoded, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
            decoded = _resampled(self.aligned(decoded, data), rate, original.sample_rate)[:length]
            parts.append(np.pad(decoded, [(0, length - len(decoded)), (0, 0)]))
        return np.clip(np.concatenate(parts, axis=1), -1, 1)

    def aligned(self, decoded: np.ndarray, data: bytes) -> np.ndarray:
        """Decoded samples of a file without the delay of encoder and decoder."""
        return decoded

    def level(self, setting: int) -> float:
        """The compression level of a setting."""
        return 1 - (setting - self.lowest) / (self.highest - self.lowest)

    def versions(self) -> Dict[str, str]:
        return {"libsndfile": soundfile.__libsndfile_version__}

    def _file(self, samples, sample_rate, setting):
        file = io.BytesIO()
        with soundfile.SoundFile(
            file,
            "w",
            sample_rate,
            samples.shape[1],
            format=self.format,
            subtype=self.subtype,
            compression_level=self.level(setting),
            **self.options,
        ) as writer:
            for start in range(0, len(samples), _BLOCK_SAMPLES):
                writer.write(samples[start : start + _BLOCK_SAMPLES])
        return file.getvalue()


def _resampled(samples, sample_rate, rate):
    return samples if sample_rate == rate else soxr.resample(samples, sample_rate, rate)
