"""Segments of sound to train on, in the terms of `data.patches`: an image is one row high.

Before it is cut, a recording is resampled to the source's rate and scaled to one loudness, all of
its channels by one gain (its *training form*). Channels are separate rows.

An epoch takes as many segments from a row as fit into it, so that a second of a long recording is
heard as often as one of a short recording. For that a row is seen as *stretches*: stretch ``j``
holds the segments that begin within ``[j * segment, (j + 1) * segment)``, and is one "image" to the
sampler. A row shorter than a segment is padded with zeros at its end and is one stretch.

Silence is trained on like anything else, with a gain of 1: a codec meets silence too.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, List, NamedTuple, Sequence

import numpy as np
import soxr
import tensorflow as tf

from data.loudness import LEVEL, PEAK, loudness_gain
from data.patches import DecodedImages, PatchSampler
from signals.audio_files import AudioSize


class Stretches(NamedTuple):
    """Parts of rows, which may overlap.

    Attributes:
        rows: int64 ``[stretches]``, index of the row.
        starts: int64 ``[stretches]``, first sample within the row.
        widths: int64 ``[stretches]``, samples; from one to nearly two segments.
    """

    rows: np.ndarray
    starts: np.ndarray
    widths: np.ndarray


class Rows(NamedTuple):
    """Training recordings in memory.

    Attributes:
        images: their stretches, as the sampler reads them.
        count: how many channels of recordings there are.
        padded: how many of these were shorter than a segment.
        silent: how many of these are zero throughout.
        size: memory in bytes.
    """

    images: DecodedImages
    count: int
    padded: int
    silent: int
    size: int


def training_form(samples: np.ndarray, rate: int, *, sample_rate: int) -> np.ndarray:
    """A recording as it is trained on.

    Args:
        samples: float32 ``[samples, channels]``.
        rate: of ``samples``, Hz.
        sample_rate: of the result, Hz.

    Returns:
        float32 ``[channels, resampled_length(samples)]``.
    """
    wanted = resampled_length(len(samples), rate, sample_rate)
    if rate != sample_rate:
        samples = soxr.resample(samples, rate, sample_rate, quality="HQ")
        missing = max(0, wanted - len(samples))
        samples = np.pad(samples[:wanted], ((0, missing), (0, 0)))
    gain = np.float32(loudness_gain(samples))
    return np.ascontiguousarray(samples.T * gain, np.float32)


def resampled_length(length: int, rate: int, sample_rate: int) -> int:
    """Samples after resampling, at least one."""
    return -(-length * sample_rate // rate)


def padded(rows: np.ndarray, segment: int) -> np.ndarray:
    """Zeros after ``[channels, samples]`` until a segment fits into it."""
    return np.pad(rows, ((0, 0), (0, max(0, segment - rows.shape[1]))))


def row_lengths(sizes: Iterable[AudioSize], sample_rate: int) -> List[int]:
    """Length of each row of recordings that have these sizes, in samples of their training form."""
    return [
        resampled_length(size.samples, size.sample_rate, sample_rate)
        for size in sizes
        for _ in range(size.channels)
    ]


def stretches(lengths: Sequence[int], segment: int) -> Stretches:
    """Cuts rows of these lengths into the stretches from which segments are drawn."""
    lengths = np.maximum(np.asarray(lengths, np.int64), segment)
    counts = lengths // segment
    rows = np.repeat(np.arange(len(lengths)), counts)
    numbers = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = numbers * segment
    return Stretches(rows, starts, np.minimum(2 * segment - 1, lengths[rows] - starts))


def decode_rows(load: Callable[[int], np.ndarray], count: int, segment: int) -> Rows:
    """Decodes all recordings, in threads, to keep them in memory.

    Args:
        load: training form of the recording at an index.
        count: how many recordings there are.
        segment: length of a segment in samples.
    """
    with ThreadPoolExecutor() as pool:
        return join_rows(list(pool.map(load, range(count))), segment)


def join_rows(recordings: Sequence[np.ndarray], segment: int) -> Rows:
    """Rows of recordings in their training form, float32 ``[channels, samples]`` each."""
    rows = [row for recording in recordings for row in recording]
    lengths = np.array([len(row) for row in rows], np.int64)
    parts = stretches(lengths, segment)
    kept = np.maximum(lengths, segment)
    samples = np.zeros((kept.sum(), 1), np.float32)
    starts = np.cumsum(kept) - kept
    for row, start in zip(rows, starts):
        samples[start : start + len(row), 0] = row
    with tf.device("CPU:0"):  # tf.data runs there, also where there is a GPU
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
    """The sampler of a training run on sound: nothing is played backwards."""
    return PatchSampler(
        patch_shape=(1, segment, 1),
        batch_size=batch_size,
        seed=seed,
        first_step=first_step,
        dtype=tf.float32,
        flips=False,
    )


def describe_form(sample_rate: int, segment: int) -> str:
    """What a log says of the training form."""
    return (
        f"{sample_rate} Hz, scaled to {LEVEL:g} dBFS RMS with peaks of at most {PEAK}; "
        f"segments of {segment} samples ({segment / sample_rate:.3g} s)"
    )


def describe_rows(rows: Rows) -> str:
    """What a log says of recordings in memory."""
    return (
        f"decoded once and kept in memory ({rows.size / 2**20:.0f} MiB), {rows.padded} of "
        f"{rows.count} channels padded with zeros, {rows.silent} silent"
    )
