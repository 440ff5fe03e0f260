"""What every source of training data offers, what image and audio sources add, shared checks."""

from __future__ import annotations

import abc
from typing import ClassVar, Iterator, Optional, Tuple

import numpy as np
import tensorflow as tf

from signals.audio_files import MAX_SAMPLE_RATE, NamedRecording
from signals.image_files import NamedImage

SPLITS = ("train", "validation", "test")


class Source(abc.ABC):
    """Files in three splits: random pieces of them to train on, whole ones to evaluate on.

    Law: the batch of step ``k`` is a pure function of (source, seed, batch size, ``k``), whichever
    step a run starts at. A run that was killed therefore resumes with the pieces that it would have
    seen, and runs that differ only in the quantizer see the same ones.

    Attributes:
        medium: "image" or "audio".
        name: short name for run directories and result files.
        evaluation_split: the split that is measured when this source is named for evaluation.
    """

    medium: ClassVar[str]
    evaluation_split = "test"

    def __init__(self, *, name: str, cache_gib: float):
        """Stores what all sources share.

        Args:
            name: short name for run directories and result files.
            cache_gib: decoded training files are kept in memory if they take at most this many GiB
                (twice as much for a moment while they are read); otherwise, and always with 0, they
                are decoded at every use.

        Raises:
            ValueError: ``cache_gib`` is not such a number.
        """
        if isinstance(cache_gib, bool) or not isinstance(cache_gib, (int, float)) or cache_gib < 0:
            raise ValueError(f"cache_gib={cache_gib!r} must be a number of GiB, at least 0.")
        self.name = name
        self._cache_bytes = cache_gib * 2**30

    @property
    @abc.abstractmethod
    def training_shape(self) -> Tuple[int, int, int]:
        """Height, width and channels of a training example."""

    def name_of(self, split: str) -> str:
        """The name for results on a split: the source's, or that of the split's own folder."""
        check_split(split)
        return self.name

    @property
    def files(self) -> Optional[str]:
        """One line that identifies the training and validation files, to notice if they change.

        None for data that never do.
        """
        return None

    @abc.abstractmethod
    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """Random patches or segments without end, starting with the batch of ``first_step``.

        Args:
            batch_size: patches or segments per batch, at least 1.
            seed: determines the order of the files and where they are cut.
            first_step: step of the first batch, 0 or later.

        Returns:
            A dataset of float32 ``[batch_size, *training_shape]``: pixels in 0..255, samples in
            -1..1.

        Raises:
            ValueError: an argument is out of range; there is no training file, or an unreadable
                one.
        """

    @abc.abstractmethod
    def describe(self) -> str:
        """Two log lines: files in each split and their origin; which are padded, which cached."""


class ImageSource(Source):
    """Images in three splits: random patches to train on, whole images to evaluate on.

    Attributes:
        patch_size: side of a training patch in pixels.
    """

    medium = "image"

    def __init__(self, *, name: str, patch_size: int, cache_gib: float):
        """As `Source`; ``patch_size`` is the side of a training patch in pixels, at least 1."""
        check_whole("patch_size", patch_size, minimum=1)
        super().__init__(name=name, cache_gib=cache_gib)
        self.patch_size = patch_size

    @property
    def training_shape(self) -> Tuple[int, int, int]:
        """See `Source`."""
        return (self.patch_size, self.patch_size, 3)

    @abc.abstractmethod
    def images(self, split: str) -> Iterator[NamedImage]:
        """Whole images of a split, decoded one by one, always in the same order; maybe none.

        Args:
            split: "train", "validation", "test" or "all".

        Raises:
            ValueError: another split, or an unreadable image.
        """


class AudioSource(Source):
    """Recordings in three splits: random mono segments to train on, whole ones to evaluate on.

    A training segment is an image one row high. Training recordings are resampled to one rate and
    scaled to one loudness (`signals.loudness`); whole recordings are left as they are.

    Attributes:
        sample_rate: of training segments, Hz.
        segment: length of a training segment in samples.
    """

    medium = "audio"

    def __init__(self, *, name: str, sample_rate: int, segment: int, cache_gib: float):
        """As `Source`; of training segments the rate in Hz and the length in samples."""
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
        """Whole recordings of a split, as `ImageSource.images` yields images."""


def check_whole(name: str, value: int, *, minimum: int) -> None:
    """Raises ValueError unless ``value`` is a whole number of at least ``minimum``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < minimum:
        raise ValueError(f"{name}={value!r} must be a whole number, at least {minimum}.")


def check_sample_rate(name: str, value: int) -> None:
    """Raises ValueError unless ``value`` is a rate in Hz that files may have."""
    check_whole(name, value, minimum=1)
    if value > MAX_SAMPLE_RATE:
        raise ValueError(f"{name}={value!r} must be at most {MAX_SAMPLE_RATE} Hz.")


def check_fraction(name: str, value: float) -> None:
    """Raises ValueError unless ``value`` is in [0, 1)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise ValueError(f"{name}={value!r} must be at least 0 and below 1.")


def check_split(split: str) -> None:
    """Raises ValueError unless ``split`` is one that every source has."""
    if split not in (*SPLITS, "all"):
        raise ValueError(f"split={split!r} must be one of {', '.join(SPLITS)}, all.")
