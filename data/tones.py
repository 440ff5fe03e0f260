"""Synthetic audio as a TFDS dataset: nothing is recorded, nothing is downloaded.

For tests and a first try. Results on it say nothing about speech.
"""

from __future__ import annotations

import math
from typing import Dict, Iterator, Optional, Tuple

import numpy as np
import scipy.signal
import tensorflow_datasets as tfds

from data.tfds_audio import TfdsAudio
from data.tfds_records import prepare_quietly

SAMPLE_RATE = 8000

_COUNTS = {"train": 48, "validation": 6, "test": 6}

# Centres of the first three resonances (Hz) of five vowels, roughly those of an adult voice.
_VOWELS = np.array(
    [[730, 1090, 2440], [530, 1840, 2480], [270, 2290, 3010], [570, 840, 2410], [300, 870, 2240]],
    float,
)
_BANDWIDTHS = (80, 110, 160)


class Tones(tfds.core.GeneratorBasedBuilder):
    """TFDS builder of the synthetic audio; registered with TFDS as "tones"."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Sixty synthetic clips."}  # noqa: RUF012 (TFDS's form)

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "Synthetic audio, computed and not recorded: clips of one to two seconds at 8 kHz "
                "of pauses, voiced parts (harmonics with glide and vibrato through three "
                "resonances) and noisy parts (noise through one resonance). Every clip has a "
                "voice of its own, drawn from its number."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "audio": tfds.features.Audio(dtype=np.int16, sample_rate=SAMPLE_RATE),
                    "name": tfds.features.Text(),
                }
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> Dict[str, Iterator]:
        """Computes the clips; nothing is downloaded."""
        del dl_manager
        return {split: self._generate_examples(split) for split in _COUNTS}

    def _generate_examples(self, split: str) -> Iterator[Tuple[str, Dict]]:
        first = 1000 * list(_COUNTS).index(split)  # seeds of the splits never meet
        for number in range(_COUNTS[split]):
            name = f"{split}-{number:02d}"
            samples = clip(np.random.default_rng(first + number))
            yield name, {"audio": np.round(32767 * samples).astype(np.int16), "name": name}


class TonesAudio(TfdsAudio):
    """The synthetic clips as a source: 48 to train on, 6 to validate and 6 to test."""

    def __init__(
        self,
        *,
        sample_rate: int = SAMPLE_RATE,
        segment: int = 7680,
        data_dir: Optional[str] = None,
        cache_gib: float = 2.0,
    ):
        """Prepares the dataset on first use, which takes about a second; otherwise `TfdsAudio`.

        Raises:
            ValueError: the dataset cannot be written to ``data_dir``; an argument is out of range.
        """
        prepare_quietly("tones", data_dir, "Writing synthetic audio", __name__)
        super().__init__(
            name="tones",
            sample_rate=sample_rate,
            segment=segment,
            data_dir=data_dir,
            name_key="name",
            cache_gib=cache_gib,
        )


def clip(generator: np.random.Generator) -> np.ndarray:
    """One clip of pauses, voiced and noisy parts in one voice: float64 ``[samples]`` in -1..1."""
    length = int(generator.uniform(1, 2) * SAMPLE_RATE)
    pitch = generator.uniform(90, 260)
    size = generator.uniform(0.85, 1.2)  # of the voice: scales all resonances
    parts = [np.zeros(int(generator.uniform(0.02, 0.1) * SAMPLE_RATE))]
    while sum(map(len, parts)) < length:
        count = int(generator.uniform(0.08, 0.35) * SAMPLE_RATE)
        kind = generator.choice(["voiced", "noisy", "pause"], p=[0.6, 0.28, 0.12])
        if kind == "voiced":
            part = _voiced(generator, count, pitch, size)
        elif kind == "noisy":
            part = 0.4 * _noisy(generator, count)
        else:
            part = np.zeros(count)
        parts.append(generator.uniform(0.4, 1) * part)
    samples = np.concatenate(parts)[:length]
    breath = generator.standard_normal(length) * 10 ** (-60 / 20)
    loudest = generator.uniform(0.1, 0.9)
    return loudest * samples / max(np.abs(samples).max(), 1e-9) + breath * loudest


def _voiced(generator: np.random.Generator, count: int, pitch: float, size: float) -> np.ndarray:
    """Harmonics that fall with frequency, through the resonances of a vowel; peak 1."""
    time = np.arange(count) / SAMPLE_RATE
    glide = generator.uniform(-0.15, 0.15) * time / time[-1]
    vibrato = 0.015 * np.sin(
        2 * math.pi * (generator.uniform(4.5, 6.5) * time + generator.random())
    )
    frequency = pitch * generator.uniform(0.85, 1.2) * (1 + glide + vibrato)
    phase = 2 * math.pi * np.cumsum(frequency) / SAMPLE_RATE
    harmonics = np.arange(1, int(0.48 * SAMPLE_RATE / frequency.max()) + 1)[:, np.newaxis]
    samples = (np.sin(harmonics * phase) / harmonics).sum(axis=0)
    for centre, bandwidth in zip(size * generator.choice(_VOWELS), _BANDWIDTHS):
        samples = samples + 2 * _resonance(samples, min(centre, 3600), bandwidth)
    return _faded(samples)


def _noisy(generator: np.random.Generator, count: int) -> np.ndarray:
    """White noise through one broad resonance; peak 1."""
    centre, bandwidth = generator.uniform(1200, 3600), generator.uniform(300, 1200)
    return _faded(_resonance(generator.standard_normal(count), centre, bandwidth))


def _resonance(samples: np.ndarray, centre: float, bandwidth: float) -> np.ndarray:
    """A two-pole band-pass of gain 1 at its centre (Hz)."""
    zeros, poles = scipy.signal.iirpeak(centre, centre / bandwidth, fs=SAMPLE_RATE)
    return scipy.signal.lfilter(zeros, poles, samples)


def _faded(samples: np.ndarray) -> np.ndarray:
    """Peak 1, with an onset and an offset of 20 ms."""
    ramp = np.minimum(1, np.arange(len(samples)) / (0.02 * SAMPLE_RATE))
    samples = samples * ramp * ramp[::-1]
    return samples / max(np.abs(samples).max(), 1e-9)
