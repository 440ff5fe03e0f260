"""Any folder of recordings: WAV, FLAC, OGG and MP3 files of any rate and number of channels."""

from __future__ import annotations

import functools
from typing import Any, Iterator, List

import numpy as np
import tensorflow as tf

from data.folder_splits import FolderSplits, Roots
from data.segments import (
    Rows,
    decode_rows,
    describe_form,
    padded,
    row_lengths,
    segment_sampler,
    stretches,
    training_form,
)
from data.source import AudioSource
from signals.audio_files import (
    AUDIO_SUFFIXES,
    AudioSize,
    NamedRecording,
    read_audio,
    read_audio_size,
)


class AudioFolder(AudioSource):
    """Recordings under one or several folders; for splits and names see `FolderSplits`.

    To split by speaker, give each split a folder of its own.

    Training recordings are decoded once if they fit into ``cache_gib``. Otherwise a whole file is
    decoded for each segment that is cut from it, so files of many minutes train slowly.
    """

    evaluation_split = "all"

    def __init__(
        self,
        *,
        root: Roots,
        sample_rate: int,
        segment: int,
        cache_gib: float = 2.0,
        **splits: Any,
    ):
        """Lists the files; reads none of them yet.

        Args:
            root: a folder or a list of folders.
            sample_rate: of training segments, Hz; recordings of another rate are resampled.
            segment: length of a training segment in samples.
            cache_gib: keep decoded training recordings in memory up to this size.
            **splits: ``validation_root``, ``test_root``, ``validation_fraction`` and
                ``test_fraction``: see `FolderSplits`, also for errors.
        """
        self._files = FolderSplits(root=root, suffixes=AUDIO_SUFFIXES, kind="recording", **splits)
        super().__init__(
            name=self._files.name, sample_rate=sample_rate, segment=segment, cache_gib=cache_gib
        )

    def name_of(self, split: str) -> str:
        """See `Source`."""
        return self._files.name_of(split)

    @property
    def files(self) -> str:
        """See `Source`."""
        return self._files.identity

    def training_batches(
        self, *, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """See `Source`; cached or decoded at every use, the batches are the same."""
        sampler = segment_sampler(
            segment=self.segment, batch_size=batch_size, seed=seed, first_step=first_step
        )
        self._files.check_training()
        if self._fits_memory:
            return sampler.from_memory(self._rows.images)
        channels = [size.channels for size in self._sizes]
        rows = [(index, row) for index, count in enumerate(channels) for row in range(count)]
        parts = stretches(self._row_lengths, self.segment)

        def stretch(number: int) -> np.ndarray:
            index, channel = rows[parts.rows[number]]
            start, width = parts.starts[number], parts.widths[number]
            row = padded(self._training_form(index)[channel : channel + 1], self.segment)
            return row[:, start : start + width, np.newaxis]

        return sampler.from_files(stretch, len(parts.rows))

    def recordings(self, split: str) -> Iterator[NamedRecording]:
        """See `AudioSource`; ordered by name."""
        return (NamedRecording(file.name, *read_audio(file.path)) for file in self._files[split])

    def describe(self) -> str:
        """See `Source`; reads the training recordings once if they are cached."""
        if self._fits_memory:
            kept = self._rows.describe()
        else:
            short = sum(length < self.segment for length in self._row_lengths)
            kept = (
                f"decoded at every use, {short} of {len(self._row_lengths)} channels padded with "
                "zeros, silent ones not counted"
            )
        form = describe_form(self.sample_rate, self.segment)
        return f"{self._files.describe()}\ntraining recordings: {kept}; {form}"

    @functools.cached_property
    def _sizes(self) -> List[AudioSize]:
        return [read_audio_size(file.path) for file in self._files["train"]]

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
        samples, rate = read_audio(self._files["train"][index].path)
        # Segments are drawn by the length in the header, of which an MP3 may fall short.
        missing = max(0, self._sizes[index].samples - len(samples))
        samples = np.pad(samples, ((0, missing), (0, 0)))
        return training_form(samples, rate, sample_rate=self.sample_rate)
