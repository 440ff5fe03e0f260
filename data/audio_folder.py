"""Any folder of recordings: WAV, FLAC, OGG and MP3 files of any rate and number of channels."""

from __future__ import annotations

import functools
from typing import Iterator, List, Optional, Tuple

import numpy as np
import tensorflow as tf

from data.audio_source import AudioSource, NamedRecording
from data.folder_splits import FolderSplits, Roots
from data.segments import (
    Rows,
    decode_rows,
    describe_form,
    describe_rows,
    padded,
    row_lengths,
    segment_sampler,
    stretches,
    training_form,
)
from data.source import SPLITS, check_split
from signals.audio_files import AudioSize, read_audio, read_audio_size

SUFFIXES = (".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav")


class AudioFolder(AudioSource):
    """Recordings under one or several folders.

    Splits and names: see `FolderSplits`. To split by speaker, give each split a folder of its own.

    Training recordings are kept decoded where they fit ``cache_gib``. Otherwise a whole file is
    decoded for each segment that is cut from it, so that files of many minutes train slowly.
    """

    evaluation_split = "all"

    def __init__(
        self,
        *,
        root: Roots,
        sample_rate: int,
        segment: int,
        validation_root: Optional[Roots] = None,
        test_root: Optional[Roots] = None,
        validation_fraction: float = 0.1,
        test_fraction: float = 0.1,
        cache_gib: float = 2.0,
    ):
        """Lists the files; reads none of them yet.

        Args:
            root: a folder or a list of folders.
            sample_rate: of training segments, Hz; recordings of another rate are resampled.
            segment: length of a training segment in samples.
            validation_root: folder or folders of the validation recordings.
            test_root: folder or folders of the test recordings.
            validation_fraction: share of ``root`` to validate on without ``validation_root``.
            test_fraction: share of ``root`` to test on without ``test_root``.
            cache_gib: keep decoded training recordings in memory up to this size.

        Raises:
            FileNotFoundError: a folder does not exist.
            ValueError: a folder holds no recording, or an argument is out of range.
        """
        self._files = FolderSplits(
            root=root,
            validation_root=validation_root,
            test_root=test_root,
            validation_fraction=validation_fraction,
            test_fraction=test_fraction,
            suffixes=SUFFIXES,
            kind="recording",
        )
        super().__init__(
            name=self._files.name, sample_rate=sample_rate, segment=segment, cache_gib=cache_gib
        )

    def name_of(self, split: str) -> str:
        """See `Source`."""
        return self._files.own_names.get(split, super().name_of(split))

    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """See `Source`; in memory or decoded at every use, the batches are the same."""
        sampler = segment_sampler(
            segment=self.segment, batch_size=batch_size, seed=seed, first_step=first_step
        )
        if not self._files.splits["train"]:
            raise ValueError(f"{', '.join(self._files.roots)}: no recording is left to train on.")
        if self._fits_memory:
            return sampler.from_memory(self._rows.images)
        rows = [
            (index, channel)
            for index, size in enumerate(self._sizes)
            for channel in range(size.channels)
        ]
        parts = stretches(self._row_lengths, self.segment)

        def stretch(number: int) -> np.ndarray:
            index, channel = rows[parts.rows[number]]
            start, width = parts.starts[number], parts.widths[number]
            row = padded(self._training_form(index)[channel : channel + 1], self.segment)
            return row[:, start : start + width, np.newaxis]

        return sampler.from_files(stretch, len(parts.rows))

    def recordings(self, split: str) -> Iterator[NamedRecording]:
        """See `AudioSource`; ordered by name."""
        check_split(split)
        return (
            NamedRecording(file.name, *read_audio(file.path)) for file in self._files.splits[split]
        )

    def describe(self) -> str:
        """See `Source`; reads the training recordings once, where they are kept."""
        files = self._files.splits
        counts = ", ".join(f"{len(files[split])} {split}" for split in SPLITS)
        if self._fits_memory:
            kept = describe_rows(self._rows)
        else:
            short = sum(length < self.segment for length in self._row_lengths)
            kept = (
                f"decoded at every use, {short} of {len(self._row_lengths)} channels padded with "
                "zeros, silent ones not counted"
            )
        return (
            f"{self.name}: {counts} recordings ({len(files['all'])} in all) from "
            f"{', '.join(self._files.roots)}\n"
            f"training recordings: {kept}; {describe_form(self.sample_rate, self.segment)}"
        )

    @functools.cached_property
    def _sizes(self) -> List[AudioSize]:
        return [read_audio_size(file.path) for file in self._files.splits["train"]]

    @property
    def _row_lengths(self) -> List[int]:
        return row_lengths(self._sizes, self.sample_rate)

    @property
    def _fits_memory(self) -> bool:
        samples = sum(max(length, self.segment) for length in self._row_lengths)
        return 4 * samples <= self._cache_bytes

    @functools.cached_property
    def _rows(self) -> Rows:
        return decode_rows(self._training_form, len(self._sizes), self.segment)

    def _training_form(self, index: int) -> np.ndarray:
        samples, rate = self._read_as_sized(index)
        return training_form(samples, rate, sample_rate=self.sample_rate)

    def _read_as_sized(self, index: int) -> Tuple[np.ndarray, int]:
        """As long as the header says, from which the segments are drawn: MP3 may fall short."""
        samples, rate = read_audio(self._files.splits["train"][index].path)
        missing = self._sizes[index].samples - len(samples)
        return np.pad(samples, ((0, max(0, missing)), (0, 0))), rate
