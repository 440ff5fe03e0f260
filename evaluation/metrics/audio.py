"""Metrics of any audio: SI-SDR and the log-mel distance.

All audio metrics take an original and a reconstruction of one shape, -1 to 1, measure each channel
on its own and average over channels. A metric that an original does not allow (silent, too short,
sample rate too low) is NaN. That depends on the original alone, so that every codec is averaged
over the same files. Channels that do not allow it are left out of the mean.
"""

from __future__ import annotations

import functools
from typing import Callable

import numpy as np

from evaluation.media import AUDIO
from evaluation.metrics.metric import Metric

WINDOW_SECONDS = 0.032
"""Length of the Hann window of the log-mel distance."""

HOP_SECONDS = 0.008
"""Time from window to window."""

BANDS = 40
"""Mel bands from 0 Hz to half the sample rate."""

FLOOR_DB = -80.0
"""Power in a band, relative to a full-scale sine, below which everything counts as silence."""


def si_sdr(original: np.ndarray, reconstruction: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019, arXiv 1811.02508, eq. 5).

    The mean is not removed: an offset that a codec adds is an error.

    Args:
        original: float [samples, channels].
        reconstruction: the same shape.

    Returns:
        ``10 log10(|a s|^2 / |a s - r|^2)`` with ``a = <r, s> / |s|^2``, dB, mean over channels.
        Infinity if the reconstruction is the original, minus infinity if it has nothing in common
        with it (silence, for one), NaN if the original is silent.

    Raises:
        ValueError: wrong type or shape.
    """
    return mean_over_channels(_si_sdr, original, reconstruction)


def log_mel_distance(original: np.ndarray, reconstruction: np.ndarray, sample_rate: int) -> float:
    """Mean distance of log-mel spectrograms: what the ear hears, whatever the phase.

    Power in ``BANDS`` triangles, evenly spaced on the mel scale ``2595 log10(1 + f / 700)``, of
    Hann windows of 32 ms every 8 ms, in dB relative to a full-scale sine, floored at -80 dB.

    Args:
        original: float [samples, channels].
        reconstruction: the same shape.
        sample_rate: Hz.

    Returns:
        Mean absolute difference over windows, bands and channels, dB. 0 for equal signals,
        including two silent ones.

    Raises:
        ValueError: wrong type or shape.
    """

    def distance(reference, decoded):
        difference = log_mel(reference, sample_rate) - log_mel(decoded, sample_rate)
        return float(np.mean(np.abs(difference)))

    return mean_over_channels(distance, original, reconstruction)


def log_mel(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Log-mel spectrogram as defined in `log_mel_distance`.

    Args:
        samples: float [samples], -1 to 1; padded with silence to whole windows.
        sample_rate: Hz.

    Returns:
        dB, [windows, BANDS].
    """
    length = max(2, round(WINDOW_SECONDS * sample_rate))
    hop = max(1, round(HOP_SECONDS * sample_rate))
    window = np.hanning(length + 1)[:-1]
    count = 1 + -(-max(len(samples) - length, 0) // hop)
    padded = np.zeros((count - 1) * hop + length)
    padded[: len(samples)] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    bands = _mel_bands(sample_rate, length)
    levels = np.empty([count, len(bands)])
    # In blocks: an hour of audio has half a million windows.
    for start in range(0, count, 4096):
        block = frames[start : start + 4096] * window
        power = np.abs(np.fft.rfft(block, 2 * length)) ** 2
        levels[start : start + 4096] = power @ bands.T
    # Parseval: the power of a full-scale sine over all positive frequencies.
    full_scale = 2 * length * np.sum(window**2) / 4
    return 10 * np.log10(np.maximum(levels / full_scale, 10 ** (FLOOR_DB / 10)))


METRICS = (
    Metric(
        key="si-sdr",
        column="si_sdr",
        name="SI-SDR",
        unit="dB",
        medium=AUDIO,
        function=lambda original, decoded, sample_rate: si_sdr(original, decoded),
        definition="SI-SDR, dB; mean over channels, then over recordings that are not silent",
        partial="silent",
    ),
    Metric(
        key="log-mel",
        column="log_mel",
        name="log-mel",
        unit="dB",
        medium=AUDIO,
        function=log_mel_distance,
        definition="distance of log-mel spectra (40 bands, Hann 32 ms, hop 8 ms, floor -80 dB), "
        "dB; mean over channels and recordings",
        higher_is_better=False,
        note="-log-mel is the log-mel distance with its sign changed: higher is closer.",
    ),
)


def mean_over_channels(
    score: Callable[[np.ndarray, np.ndarray], float],
    original: np.ndarray,
    reconstruction: np.ndarray,
) -> float:
    """The mean of a score of two float64 [samples] over the channels that have one, or NaN.

    Raises:
        ValueError: original and reconstruction are not floats [samples, channels] of one shape.
    """
    check_pair(original, reconstruction)
    channels = zip(original.T.astype(np.float64), reconstruction.T.astype(np.float64))
    scores = [score(reference, decoded) for reference, decoded in channels]
    known = [each for each in scores if not np.isnan(each)]
    return float(np.mean(known)) if known else float("nan")


def check_pair(original: np.ndarray, reconstruction: np.ndarray) -> None:
    """Raises ValueError unless both are floats [samples, channels] of one shape."""
    for argument, samples in (("original", original), ("reconstruction", reconstruction)):
        if samples.dtype.kind != "f" or samples.ndim != 2 or 0 in samples.shape:
            raise ValueError(
                f"{argument} must be floats [samples, channels], got {samples.dtype} "
                f"{samples.shape}"
            )
    if original.shape != reconstruction.shape:
        raise ValueError(
            f"reconstruction must have the original's shape {original.shape}, "
            f"got {reconstruction.shape}"
        )


@functools.lru_cache(maxsize=8)
def _mel_bands(sample_rate: int, length: int) -> np.ndarray:
    """Triangles of height 1 over the bins of a transform of twice the length: [BANDS, bins]."""
    frequencies = np.fft.rfftfreq(2 * length, 1 / sample_rate)
    top = 2595 * np.log10(1 + sample_rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    low, middle, high = edges[:-2, np.newaxis], edges[1:-1, np.newaxis], edges[2:, np.newaxis]
    rising = (frequencies - low) / (middle - low)
    falling = (high - frequencies) / (high - middle)
    return np.maximum(0, np.minimum(rising, falling))


def _si_sdr(reference, decoded):
    energy = np.dot(reference, reference)
    if energy == 0:
        return float("nan")
    target = np.dot(decoded, reference) / energy * reference
    signal, noise = np.sum(target**2), np.sum((decoded - target) ** 2)
    if signal == 0:
        return float("-inf")
    return float(10 * np.log10(signal / noise)) if noise > 0 else float("inf")
