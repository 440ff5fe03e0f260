"""What every source of sounds offers."""

from __future__ import annotations

import abc
from typing import Iterator, NamedTuple, Tuple

import numpy as np

from data.source import Source, check_whole
from signals.audio_files import MAX_SAMPLE_RATE


class NamedRecording(NamedTuple):
    """One whole recording, as its file has it.

    Attributes:
        name: unique within its split.
        samples: float32 ``[samples, channels]``, nominally -1..1 (16-bit values over 32768).
        sample_rate: of ``samples``, Hz.
    """

    name: str
    samples: np.ndarray
    sample_rate: int


class AudioSource(Source):
    """Recordings in three splits: random mono segments to train on, whole ones to evaluate on.

    A training segment is an image one row high. Training recordings are resampled to one rate and
    scaled to one loudness (`data.loudness`); whole recordings are given as they are.

    Attributes:
        sample_rate: of training segments, Hz.
        segment: length of a training segment in samples.
    """

    medium = "audio"

    def __init__(self, *, name: str, sample_rate: int, segment: int, cache_gib: float):
        """As `Source`.

        Args:
            name: short name for run directories and result files.
            sample_rate: of training segments, Hz.
            segment: length of a training segment in samples, at least 1.
            cache_gib: room for decoded training recordings (4 bytes a sample), see `Source`.

        Raises:
            ValueError: for an argument out of range.
        """
        check_sample_rate("sample_rate", sample_rate)
        check_whole("segment", segment, minimum=1)
        super().__init__(name=name, cache_gib=cache_gib)
        self.sample_rate = sample_rate
        self.segment = segment

    @property
    def training_shape(self) -> Tuple[int, int, int]:
        """See `Source`."""
        return (1, self.segment, 1)

    @abc.abstractmethod
    def recordings(self, split: str) -> Iterator[NamedRecording]:
        """Whole recordings of a split, one by one, always in the same order; maybe none.

        Args:
            split: "train", "validation", "test" or "all".

        Raises:
            ValueError: for another split, or an unreadable recording.
        """


def check_sample_rate(name: str, value: int) -> None:
    """Raises ValueError unless ``value`` is a rate in Hz that files may have."""
    check_whole(name, value, minimum=1)
    if value > MAX_SAMPLE_RATE:
        raise ValueError(f"{name}={value!r} must be at most {MAX_SAMPLE_RATE} Hz.")
