"""Opus, Vorbis and MP3 through libsndfile: the yardstick that every reader knows.

libsndfile comes with the package ``soundfile`` and has the reference encoders libopus, libvorbis
and LAME. Its single setting, the compression level (1 to 0), stands for the bit rate of Opus (6 to
256 kbit/s a channel, variable) and MP3 (constant, what the format has at the sample rate: 8 to 64
kbit/s below 16 kHz, 8 to 160 below 32 kHz, 32 to 320 above) and for the quality of Vorbis (0 to 1).

Files are whole and real. A learned file is little but its payload, while the headers of an Ogg file
(0.9 kB with Opus, 2.7 kB and more with Vorbis) outweigh the sound of a spoken digit. So two rates
are given: of the whole file, and of the packets of sound alone. `audio_matches.closest_to` looks
for the latter: at the rate of a whole learned file the classical codec has its container for free.

Decoders of Ogg files return as many samples as were coded, in their places (Opus at low rates to
within 0.1 ms, as its speech mode is made). The decoder of MP3 does so where the file holds LAME's
tag, for which frames of the lowest bit rates are too small; then 1105 samples of encoder and
decoder delay are cut off here. Sound of a sample rate that a codec does not have is resampled
(soxr) to its next higher one, and back after decoding.
"""

from __future__ import annotations

import dataclasses
import io
from typing import NamedTuple, Optional, Tuple

import numpy as np

from evaluation.classical.audio_containers import mp3_has_tag, mp3_sizes, ogg_sizes

# 576 samples of LAME and 529 of the decoder (a polyphase filter bank, and one sample).
_MP3_DELAY = 1105
# Larger writes overflow the stack inside of libvorbis.
_BLOCK_SAMPLES = 16384


class CodedSound(NamedTuple):
    """Files of one recording; more than one where a format has not as many channels.

    Attributes:
        files: the bytes of each.
        coded_rate: sample rate that they have, Hz.
        packet_bytes: of all files, what is sound and not container.
    """

    files: Tuple[bytes, ...]
    coded_rate: int
    packet_bytes: int

    @property
    def file_bytes(self) -> int:
        """Of all files, container included."""
        return sum(map(len, self.files))


@dataclasses.dataclass(frozen=True)
class ClassicalAudioCodec:
    """A file format with one integer quality setting.

    Attributes:
        name: in tables and figures.
        format: libsndfile's name of the container.
        subtype: libsndfile's name of the codec.
        lowest: quality at compression level 1.
        highest: quality at compression level 0.
        qualities: of its curve, dense where learned codecs work.
        sample_rates: that it has, Hz, rising.
        most_channels: that one file can have.
        bitrate_mode: libsndfile's, where the codec has several.
    """

    name: str
    format: str
    subtype: str
    lowest: int
    highest: int
    qualities: Tuple[int, ...]
    sample_rates: Tuple[int, ...]
    most_channels: int
    bitrate_mode: Optional[str] = None

    def encode(self, samples: np.ndarray, sample_rate: int, quality: int) -> CodedSound:
        """The files of float [samples, channels]."""
        coded_rate = self._coded_rate(sample_rate)
        samples = _resampled(samples, sample_rate, coded_rate)
        files = []
        for first in range(0, samples.shape[1], self.most_channels):
            channels = samples[:, first : first + self.most_channels]
            files.append(self._file(channels, coded_rate, quality))
        sizes = mp3_sizes if self.format == "MP3" else ogg_sizes
        packets = sum(sizes(file).packets for file in files)
        return CodedSound(tuple(files), coded_rate, packets)

    def decode(self, coded: CodedSound, length: int, sample_rate: int) -> np.ndarray:
        """Float32 [length, channels], -1 to 1, each sample in the place of the original's."""
        import soundfile

        parts = []
        for data in coded.files:
            decoded, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
            if self.format == "MP3" and not mp3_has_tag(data):
                decoded = decoded[_MP3_DELAY:]
            parts.append(_fitted(_resampled(decoded, coded.coded_rate, sample_rate), length))
        return np.clip(np.concatenate(parts, axis=1), -1, 1)

    def _file(self, samples, sample_rate, quality):
        import soundfile

        level = 1 - (quality - self.lowest) / (self.highest - self.lowest)
        mode = {"bitrate_mode": self.bitrate_mode} if self.bitrate_mode else {}
        file = io.BytesIO()
        with soundfile.SoundFile(
            file,
            "w",
            sample_rate,
            samples.shape[1],
            format=self.format,
            subtype=self.subtype,
            # LAME refuses 1 itself.
            compression_level=min(level, 0.999) if self.format == "MP3" else level,
            **mode,
        ) as writer:
            for start in range(0, len(samples), _BLOCK_SAMPLES):
                writer.write(samples[start : start + _BLOCK_SAMPLES])
        return file.getvalue()

    def _coded_rate(self, sample_rate):
        higher = [rate for rate in self.sample_rates if rate >= sample_rate]
        return higher[0] if higher else self.sample_rates[-1]


OPUS = ClassicalAudioCodec(
    "Opus",
    "OGG",
    "OPUS",
    lowest=6,
    highest=256,
    qualities=(6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64),
    sample_rates=(8000, 12000, 16000, 24000, 48000),
    most_channels=2,
)
VORBIS = ClassicalAudioCodec(
    "Vorbis",
    "OGG",
    "VORBIS",
    lowest=0,
    highest=100,
    qualities=(0, 10, 20, 30, 40, 50, 60, 80, 100),
    sample_rates=(8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000),
    most_channels=2,
)
MP3 = ClassicalAudioCodec(
    "MP3",
    "MP3",
    "MPEG_LAYER_III",
    lowest=0,
    highest=100,
    qualities=(0, 14, 29, 43, 57, 71, 86, 100),
    sample_rates=(8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    most_channels=2,
    bitrate_mode="CONSTANT",
)


def _resampled(samples, sample_rate, rate):
    if sample_rate == rate:
        return samples
    import soxr

    return soxr.resample(samples, sample_rate, rate)


def _fitted(samples, length):
    """Cut, or padded with silence, at the end."""
    return np.pad(samples[:length], [(0, max(length - len(samples), 0)), (0, 0)])
