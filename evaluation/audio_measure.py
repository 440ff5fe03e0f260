"""Rate and distortion of a learned codec for sound, on files that were written and decoded again.

The law is that of images (`evaluation.measure`): every file is read back from disk, and what it
decodes to must equal the test-time reconstruction in every sample.
"""

from __future__ import annotations

import hashlib
import math
import pathlib
import time
from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Protocol

import numpy as np

from evaluation.measure import RoundTripError, coded_file
from evaluation.media import AUDIO
from evaluation.metrics import audio as audio_metrics
from signals.files import write_atomically


class Recording(Protocol):
    """Sound with a name that is unique in its dataset."""

    name: str
    samples: np.ndarray  # float32 [samples, channels], -1 to 1
    sample_rate: int  # Hz


class Audio(Protocol):
    """What a file decodes to."""

    samples: np.ndarray  # int16 [samples, channels]
    sample_rate: int  # Hz


class AudioCodec(Protocol):
    """What evaluation needs of a learned codec for sound."""

    name: str
    has_fixed_length: bool  # whether `encode` takes `fixed_length=True`

    def encode(self, samples: np.ndarray, sample_rate: int, *, fixed_length: bool = False) -> bytes:
        """The whole file; with `fixed_length` all symbols at the same bits."""

    def decode(self, data: bytes) -> Audio:
        """The sound of a whole file; a ValueError where it is damaged."""

    def reconstruct(
        self, samples: np.ndarray, sample_rate: int, *, training: bool = False
    ) -> Audio:
        """The forward pass, no bytes involved: as at test time, or as while training."""

    def estimate_bits(self, samples: np.ndarray, sample_rate: int) -> Any:
        """Bits of the recording: `.noise`, `.training`, and `.rounded` for what is coded."""


class AudioFileRow(NamedTuple):
    """One measured file. Bits are of the whole file with all channels; NaN: does not apply."""

    file: str
    sha256: str  # of sample rate and original samples
    sample_rate: int  # Hz
    samples: int  # in each channel
    channels: int
    bits_noise: float  # estimated under uniform noise; NaN where symbols are indices
    bits_training: float  # estimated at the rate value that the quantizer trained on
    bits_rounded: float  # estimated for the symbols that are coded
    bits_coded: int  # 8 x the size on disk, header included
    bits_fixed_length: float  # 8 x the size with a fixed length code, or NaN
    si_sdr_training: float  # dB, of what the decoder saw while training
    si_sdr: float  # dB
    log_mel: float  # dB, distance
    pesq_nb: float  # MOS-LQO, or NaN
    pesq_wb: float  # MOS-LQO, or NaN
    stoi: float  # 0 to 1, or NaN
    encode_seconds: float
    decode_seconds: float

    medium = AUDIO

    @property
    def seconds(self) -> float:
        """How long the recording lasts."""
        return self.samples / self.sample_rate

    @property
    def kbps_noise(self) -> float:
        """Rate in kbit/s, estimated under uniform noise."""
        return kbps(self.bits_noise, self.seconds)

    @property
    def kbps_training(self) -> float:
        """Rate in kbit/s, estimated at the rate value of training."""
        return kbps(self.bits_training, self.seconds)

    @property
    def kbps_rounded(self) -> float:
        """Rate in kbit/s, estimated for the rounded values."""
        return kbps(self.bits_rounded, self.seconds)

    @property
    def kbps_fixed_length(self) -> float:
        """Rate in kbit/s of the file with a fixed length code, or NaN."""
        return kbps(self.bits_fixed_length, self.seconds)

    @property
    def kbps(self) -> float:
        """Rate in kbit/s of the file on disk, all channels together."""
        return kbps(self.bits_coded, self.seconds)


class Quality(NamedTuple):
    """How close decoded sound is to the original; see `evaluation.metrics.audio`."""

    si_sdr: float
    log_mel: float
    pesq_nb: float
    pesq_wb: float
    stoi: float


def measure(
    codec: AudioCodec,
    recordings: Iterable[Recording],
    folder: pathlib.Path,
    *,
    progress: Optional[Callable[[AudioFileRow], None]] = None,
) -> List[AudioFileRow]:
    """Codes every recording to ``folder/<name>.rtc`` and measures the files.

    Args:
        codec: the codec.
        recordings: read once, one at a time.
        folder: where the files go; made when missing.
        progress: called with every row as soon as it is measured.

    Returns:
        One row a recording, in their order.

    Raises:
        RoundTripError: a file does not decode to the test-time reconstruction.
        ValueError: there are no recordings.
    """
    rows = []
    for recording in recordings:
        if not rows:
            # The first call builds graphs; that time belongs to no file.
            codec.decode(codec.quantize(recording.samples, recording.sample_rate).encode())
        row = measure_recording(codec, recording, coded_file(folder, recording.name))
        rows.append(row)
        if progress is not None:
            progress(row)
    if not rows:
        raise ValueError("recordings must hold at least one recording to measure, got none")
    return rows


def measure_recording(codec: AudioCodec, recording: Recording, path: pathlib.Path) -> AudioFileRow:
    """Codes one recording to `path`, reads the file back, decodes and compares.

    Raises:
        RoundTripError: the file does not decode, or not to the test-time reconstruction.
    """
    samples, sample_rate = recording.samples, recording.sample_rate
    start = time.perf_counter()
    quantized = codec.quantize(samples, sample_rate)
    data = quantized.encode()
    encode_seconds = time.perf_counter() - start

    write_atomically(path, data)
    stored = path.read_bytes()

    start = time.perf_counter()
    try:
        decoded = codec.decode(stored)
    except ValueError as error:
        raise RoundTripError(f"{path}: the file just written does not decode: {error}") from error
    decode_seconds = time.perf_counter() - start

    reconstruction = quantized.reconstruct()
    _check_equal(path, decoded, reconstruction)
    bits_fixed_length = math.nan
    if codec.has_fixed_length:
        fixed = quantized.encode(fixed_length=True)
        _check_equal(path, codec.decode(fixed), reconstruction)
        bits_fixed_length = 8 * len(fixed)
    estimate = quantized.estimate_bits()
    while_training = quantized.reconstruct(training=True)
    return AudioFileRow(
        file=recording.name,
        sha256=sample_digest(samples, sample_rate),
        sample_rate=sample_rate,
        samples=len(samples),
        channels=samples.shape[1],
        bits_noise=float(estimate.noise),
        bits_training=float(estimate.training),
        bits_rounded=float(estimate.rounded),
        bits_coded=8 * len(stored),
        bits_fixed_length=bits_fixed_length,
        si_sdr_training=audio_metrics.si_sdr(samples, as_float(while_training.samples)),
        **quality(samples, as_float(decoded.samples), sample_rate)._asdict(),
        encode_seconds=encode_seconds,
        decode_seconds=decode_seconds,
    )


def quality(original: np.ndarray, decoded: np.ndarray, sample_rate: int) -> Quality:
    """All measures of one reconstruction, float [samples, channels] like the original."""
    return Quality(
        si_sdr=audio_metrics.si_sdr(original, decoded),
        log_mel=audio_metrics.log_mel_distance(original, decoded, sample_rate),
        pesq_nb=audio_metrics.pesq(original, decoded, sample_rate, "nb"),
        pesq_wb=audio_metrics.pesq(original, decoded, sample_rate, "wb"),
        stoi=audio_metrics.stoi(original, decoded, sample_rate),
    )


def kbps(bits: float, seconds: float) -> float:
    """Kilobits (1000 bits) a second."""
    return bits / seconds / 1000


def as_float(samples: np.ndarray) -> np.ndarray:
    """Float32 -1 to 1 of 16-bit samples."""
    return samples.astype(np.float32) / 32768


def sample_digest(samples: np.ndarray, sample_rate: int) -> str:
    """SHA-256 of sample rate, shape and samples, as hexadecimal digits."""
    digest = hashlib.sha256(repr((sample_rate, samples.shape)).encode())
    digest.update(np.ascontiguousarray(samples))
    return digest.hexdigest()


def _check_equal(path, decoded, expected):
    for audio, what in ((decoded, "decodes to"), (expected, "the test-time reconstruction is")):
        if audio.samples.dtype != np.int16:
            raise RoundTripError(f"{path}: {what} {audio.samples.dtype}, not 16-bit samples")
    found, wanted = decoded.samples, expected.samples
    if found.shape != wanted.shape or decoded.sample_rate != expected.sample_rate:
        raise RoundTripError(
            f"{path}: decodes to {found.shape} samples at {decoded.sample_rate} Hz, the "
            f"test-time reconstruction is {wanted.shape} at {expected.sample_rate} Hz"
        )
    difference = np.abs(found.astype(np.int32) - wanted)
    if difference.any():
        raise RoundTripError(
            f"{path}: {np.count_nonzero(difference)} of {difference.size} samples differ from the "
            f"test-time reconstruction, by up to {difference.max()} steps of 16 bits"
        )
