"""Audio segments to train on, in the terms of `data.patches`: an image is one row high.

Before it is cut, a recording is resampled to the source's rate, freed of what lies below hearing
and scaled to one loudness, all channels by one gain; this is its *training form*. Each channel is a
row of its own.

An epoch takes as many segments from a row as fit into it, so that every second counts the same in
long and short recordings. To this end a row is divided into *stretches*: stretch ``j`` holds the
segments that start within ``[j * segment, (j + 1) * segment)`` and is one "image" to the sampler. A
row shorter than a segment is padded with zeros at its end and is one stretch.

Silence is trained on too, with a gain of 1, because a codec has to code it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, List, NamedTuple, Sequence

import numpy as np
import tensorflow as tf

from data.patches import DecodedImages, PatchSampler
from signals.audio_files import AudioSize
from signals.loudness import CODING_LEVEL, LARGEST_PEAK, loudness_gain
from signals.model_form import at_model_rate
from signals.resampling import resampled_length


class Stretches(NamedTuple):
    """Parts of rows, which may overlap; each array is int64 ``[stretches]``."""

    rows: np.ndarray  # index of the row
    starts: np.ndarray  # first sample within the row
    widths: np.ndarray  # in samples; from one to nearly two segments


class Rows(NamedTuple):
    """Training recordings in memory; a row is one channel."""

    images: DecodedImages  # their stretches, as the sampler reads them
    count: int  # of rows
    padded: int  # rows that were shorter than a segment
    silent: int  # rows that are zero throughout
    size: int  # memory in bytes

    def describe(self) -> str:
        """Log text."""
        return (
            f"decoded once and kept in memory ({self.size / 2**20:.0f} MiB), {self.padded} of "
            f"{self.count} channels padded with zeros, {self.silent} silent"
        )


def training_form(samples: np.ndarray, rate: int, *, sample_rate: int) -> np.ndarray:
    """A recording, float32 ``[samples, channels]``, as it is trained on: ``[channels, length]``.

    Args:
        samples: the recording.
        rate: of ``samples``, Hz.
        sample_rate: of the result, Hz.
    """
    samples = at_model_rate(samples, rate, sample_rate, padding="constant")
    gain = np.float32(loudness_gain(samples))
    return np.ascontiguousarray(samples.T * gain, np.float32)


def padded(rows: np.ndarray, segment: int) -> np.ndarray:
    """``[channels, samples]`` with zeros at the end until a segment fits."""
    return np.pad(rows, ((0, 0), (0, max(0, segment - rows.shape[1]))))


def row_lengths(sizes: Iterable[AudioSize], sample_rate: int) -> List[int]:
    """Length of each row of recordings of these sizes, in samples of their training form."""
    return [
        resampled_length(size.samples, size.sample_rate, sample_rate)
        for size in sizes
        for _ in range(size.channels)
    ]


def stretches(lengths: Sequence[int], segment: int) -> Stretches:
    """Divides rows of these lengths into the stretches from which segments are drawn."""
    lengths = np.maximum(np.asarray(lengths, np.int64), segment)
    counts = lengths // segment
    rows = np.repeat(np.arange(len(lengths)), counts)
    numbers = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = numbers * segment
    return Stretches(rows, starts, np.minimum(2 * segment - 1, lengths[rows] - starts))


def decode_rows(load: Callable[[int], np.ndarray], count: int, segment: int) -> Rows:
    """Decodes ``count`` recordings, in threads; ``load`` gives the training form at an index."""
    with ThreadPoolExecutor() as pool:
        return join_rows(list(pool.map(load, range(count))), segment)


def join_rows(recordings: Sequence[np.ndarray], segment: int) -> Rows:
    """Puts recordings in their training form, float32 ``[channels, samples]``, into memory."""
    rows = [row for recording in recordings for row in recording]
    lengths = np.array([len(row) for row in rows], np.int64)
    parts = stretches(lengths, segment)
    kept = np.maximum(lengths, segment)
    samples = np.zeros((kept.sum(), 1), np.float32)
    starts = np.cumsum(kept) - kept
    for row, start in zip(rows, starts):
        samples[start : start + len(row), 0] = row
    with tf.device("CPU:0"):  # where tf.data runs, even if there is a GPU
        images = DecodedImages(
            pixels=tf.constant(samples),
            starts=tf.constant(starts[parts.rows] + parts.starts),
            heights=tf.ones(len(parts.rows), tf.int64),
            widths=tf.constant(parts.widths),
        )
    return Rows(
        images=images,
        count=len(rows),
        padded=int(np.sum(lengths < segment)),
        silent=sum(not row.any() for row in rows),
        size=samples.nbytes,
    )


def segment_sampler(*, segment: int, batch_size: int, seed: int, first_step: int) -> PatchSampler:
    """The sampler of a training run on audio: no segment is reversed."""
    return PatchSampler(
        patch_shape=(1, segment, 1),
        batch_size=batch_size,
        seed=seed,
        first_step=first_step,
        dtype=tf.float32,
        flips=False,
    )


def describe_form(sample_rate: int, segment: int) -> str:
    """Log text: the training form."""
    return (
        f"{sample_rate} Hz, scaled to {CODING_LEVEL:g} dBFS RMS with peaks of at most "
        f"{LARGEST_PEAK}; segments of {segment} samples ({segment / sample_rate:.3g} s)"
    )
