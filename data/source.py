"""What every source of training data offers, what sources of images do, and shared checks."""

from __future__ import annotations

import abc
from typing import ClassVar, Iterator, NamedTuple, Tuple

import numpy as np
import tensorflow as tf

SPLITS = ("train", "validation", "test")


class NamedImage(NamedTuple):
    """One whole image.

    Attributes:
        name: unique within its split.
        pixels: uint8 ``[height, width, 3]``.
    """

    name: str
    pixels: np.ndarray


class Source(abc.ABC):
    """Files in three splits: random pieces of them to train on, whole ones to evaluate on.

    Law: the batch of step ``k`` is a pure function of (source, seed, batch size, ``k``), whichever
    step a run starts at. A killed run therefore resumes on the pieces that it would have seen,
    and runs that differ only in the quantizer see the same ones.

    Attributes:
        medium: "image" or "audio".
        name: short name for run directories and result files.
        evaluation_split: the split that is measured when this source is named for evaluation.
    """

    medium: ClassVar[str]
    evaluation_split = "test"

    def __init__(self, *, name: str, cache_gib: float):
        """Keeps what all sources share.

        Args:
            name: short name for run directories and result files.
            cache_gib: training files are decoded once and kept in memory if they take no more
                than this many GiB (twice as much for a moment while they are read), and decoded
                at every use otherwise. 0 always decodes at use.

        Raises:
            ValueError: for a cache size that is no such number.
        """
        if isinstance(cache_gib, bool) or not isinstance(cache_gib, (int, float)) or cache_gib < 0:
            raise ValueError(f"cache_gib={cache_gib!r} must be a number of GiB, at least 0.")
        self.name = name
        self._cache_bytes = cache_gib * 2**30

    @property
    @abc.abstractmethod
    def training_shape(self) -> Tuple[int, int, int]:
        """Height, width and channels of what a model trains on."""

    def name_of(self, split: str) -> str:
        """Under which name results on a split are kept: the source's, or its folder's own."""
        check_split(split)
        return self.name

    @abc.abstractmethod
    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """Random patches or segments without end, from the batch of step ``first_step`` on.

        Args:
            batch_size: patches or segments a batch, at least 1.
            seed: chooses the order of the files, and where they are cut.
            first_step: step of the first batch, 0 or later.

        Returns:
            A dataset of float32 ``[batch_size, *training_shape]``: pixels in 0..255, samples in
            -1..1.

        Raises:
            ValueError: for an argument out of range, no training file, or an unreadable one.
        """

    @abc.abstractmethod
    def describe(self) -> str:
        """Log lines: files of each split, where from, padded ones, cached or not."""


class ImageSource(Source):
    """Images in three splits: random patches to train on, whole images to evaluate on.

    Attributes:
        patch_size: side of a training patch in pixels.
    """

    medium = "image"

    def __init__(self, *, name: str, patch_size: int, cache_gib: float):
        """As `Source`.

        Args:
            name: short name for run directories and result files.
            patch_size: side of a training patch in pixels, at least 1.
            cache_gib: room for decoded training images, see `Source`.

        Raises:
            ValueError: for a patch size or a cache size that is no such number.
        """
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
            ValueError: for another split, or an unreadable image.
        """


def check_whole(name: str, value: int, *, minimum: int) -> None:
    """Raises ValueError unless ``value`` is a whole number of at least ``minimum``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < minimum:
        raise ValueError(f"{name}={value!r} must be a whole number, at least {minimum}.")


def check_fraction(name: str, value: float) -> None:
    """Raises ValueError unless ``value`` is in [0, 1)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise ValueError(f"{name}={value!r} must be at least 0 and below 1.")


def check_split(split: str) -> None:
    """Raises ValueError unless ``split`` is one that every source has."""
    if split not in (*SPLITS, "all"):
        raise ValueError(f"split={split!r} must be one of {', '.join(SPLITS)}, all.")
