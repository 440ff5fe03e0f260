"""Classical codecs of sound at a wanted rate, and at a ladder of settings."""

from __future__ import annotations

import time
from typing import Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from evaluation.audio_measure import Quality, Recording, kbps, quality, sample_digest
from evaluation.classical.audio_formats import ClassicalAudioCodec
from evaluation.media import AUDIO
from evaluation.results import Dataset, Results


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
