"""Opus, Vorbis and MP3 through libsndfile: the yardstick that every reader knows.

libsndfile comes with the package ``soundfile`` and has the reference encoders libopus, libvorbis
and LAME. Its single setting, the compression level (1 to 0), stands for the bit rate of Opus (6 to
256 kbit/s a channel, variable) and MP3 (constant, what the format has at the sample rate: 8 to 64
kbit/s below 16 kHz, 8 to 160 below 32 kHz, 32 to 320 above) and for the quality of Vorbis (0 to 1).

Files are whole and real. A learned file is little but its payload, while the headers of an Ogg file
(0.9 kB with Opus, 2.7 kB and more with Vorbis) outweigh the sound of a spoken digit. So two rates
are given: of the whole file, and of the packets of sound alone. `closest_to` looks for the latter:
at the rate of a whole learned file the classical codec has its container for free.

Decoders of Ogg files return as many samples as were coded, in their places (Opus at low rates to
within 0.1 ms, as its speech mode is made). The decoder of MP3 does so where the file holds LAME's
tag, for which frames of the lowest bit rates are too small; then 1105 samples of encoder and
decoder delay are cut off here. Sound of a sample rate that a codec does not have is resampled
(soxr) to its next higher one, and back after decoding.
"""

from __future__ import annotations

import dataclasses
import io
import time
from typing import Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from evaluation.audio_measure import Quality, Recording, kbps, quality, sample_digest
from evaluation.media import AUDIO
from evaluation.results import Dataset, Results
from evaluation.sound_containers import mp3_has_tag, mp3_sizes, ogg_sizes

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


class ClassicalAudioMatch(NamedTuple):
    """The file of a classical codec nearest to a wanted rate.

    Attributes:
        quality: the setting.
        kbps: of the packets of sound alone.
        kbps_file: of the whole file.
        si_sdr: dB.
        log_mel: dB, distance.
        pesq_nb: MOS-LQO, or NaN.
        pesq_wb: MOS-LQO, or NaN.
        stoi: 0 to 1, or NaN.
    """

    quality: int
    kbps: float
    kbps_file: float
    si_sdr: float
    log_mel: float
    pesq_nb: float
    pesq_wb: float
    stoi: float


def closest_to(
    codec: ClassicalAudioCodec, samples: np.ndarray, sample_rate: int, wanted_kbps: float
) -> Tuple[ClassicalAudioMatch, np.ndarray]:
    """Finds the quality whose packets of sound come nearest to a rate, by bisection.

    A rate outside the codec's range gives the end of the range.

    Args:
        codec: `OPUS`, `VORBIS` or `MP3`.
        samples: float32 [samples, channels].
        sample_rate: Hz.
        wanted_kbps: the wanted rate, kbit/s.

    Returns:
        The match, and what its file decodes to: float32, as `samples`.

    Raises:
        ValueError: `wanted_kbps` is not a positive number.
    """
    if not wanted_kbps > 0:
        raise ValueError(f"wanted_kbps must be positive, got {wanted_kbps}")
    seconds = len(samples) / sample_rate
    coded = {}

    def rate(setting):
        if setting not in coded:
            coded[setting] = codec.encode(samples, sample_rate, setting)
        return kbps(8 * coded[setting].packet_bytes, seconds)

    below, above = codec.lowest, codec.highest
    # The ends are tried first: nothing lies beyond them.
    if rate(below) < wanted_kbps < rate(above):
        while above - below > 1:
            middle = (below + above) // 2
            if rate(middle) <= wanted_kbps:
                below = middle
            else:
                above = middle
    setting = min(coded, key=lambda each: abs(rate(each) - wanted_kbps))
    decoded = codec.decode(coded[setting], len(samples), sample_rate)
    match = ClassicalAudioMatch(
        setting,
        rate(setting),
        kbps(8 * coded[setting].file_bytes, seconds),
        *quality(samples, decoded, sample_rate),
    )
    return match, decoded


def audio_ladder(
    codec: ClassicalAudioCodec,
    recordings: Iterable[Recording],
    *,
    dataset: str,
    qualities: Optional[Sequence[int]] = None,
) -> Results:
    """The codec's rate-distortion curve: one operating point a quality, means over recordings.

    Args:
        codec: `OPUS`, `VORBIS` or `MP3`.
        recordings: read once, one at a time.
        dataset: the name of the dataset.
        qualities: settings, in the order of the points; None for the codec's own.

    Returns:
        The curve; ``kbps`` is of whole files, ``kbps-packets`` of the sound in them.

    Raises:
        ValueError: there are no recordings.
    """
    import soundfile

    qualities = codec.qualities if qualities is None else qualities
    measured, digests = [], []
    for recording in recordings:
        measured.append([_measure(codec, recording, setting) for setting in qualities])
        digests.append(sample_digest(recording.samples, recording.sample_rate))
    if not measured:
        raise ValueError("recordings must hold at least one recording to measure, got none")
    return Results(
        name=codec.name,
        description=f"{codec.subtype} through libsndfile {soundfile.__libsndfile_version__}",
        points=_means(measured),
        dataset=Dataset.from_digests(dataset, digests),
        provenance={"qualities": list(qualities)},
    )


class _Point(NamedTuple):
    """A recording at a quality, under the names of `AUDIO.points`."""

    kbps: float
    kbps_packets: float
    encode_seconds: float
    decode_seconds: float
    si_sdr: float
    log_mel: float
    pesq_nb: float
    pesq_wb: float
    stoi: float


def _measure(codec, recording, setting) -> _Point:
    samples, sample_rate = recording.samples, recording.sample_rate
    start = time.perf_counter()
    coded = codec.encode(samples, sample_rate, setting)
    encoded = time.perf_counter()
    decoded = codec.decode(coded, len(samples), sample_rate)
    finished = time.perf_counter()
    seconds = len(samples) / sample_rate
    scores: Quality = quality(samples, decoded, sample_rate)
    return _Point(
        kbps(8 * coded.file_bytes, seconds),
        kbps(8 * coded.packet_bytes, seconds),
        encoded - start,
        finished - encoded,
        *scores,
    )


def _means(measured: List[List[_Point]]):
    columns = list(zip(*measured))  # [quality][recording]
    points = {
        quantity: [AUDIO.mean(quantity, column) for column in columns]
        for quantity, attribute in AUDIO.points.items()
        if attribute in _Point._fields
    }
    points["kbps-packets"] = [
        float(np.mean([point.kbps_packets for point in column])) for column in columns
    ]
    return points


def _resampled(samples, sample_rate, rate):
    if sample_rate == rate:
        return samples
    import soxr

    return soxr.resample(samples, sample_rate, rate)


def _fitted(samples, length):
    """Cut, or padded with silence, at the end."""
    return np.pad(samples[:length], [(0, max(length - len(samples), 0)), (0, 0)])
