"""Quality of decoded sound: SI-SDR, log-mel distance, PESQ and STOI.

All take an original and a reconstruction of one shape and rate, -1 to 1, measure every channel on
its own and give the mean over channels. A measure that an original does not allow (silence, too
short, too low a sample rate) is NaN, and whether it does depends on the original alone: every
codec is averaged over the same files. Channels that do not allow it are left out of the mean.
"""

from __future__ import annotations

import functools
import importlib.util
import warnings
from typing import Callable

import numpy as np

WINDOW_SECONDS = 0.032
"""Length of the Hann window of the log-mel distance."""

HOP_SECONDS = 0.008
"""Time from window to window."""

BANDS = 40
"""Mel bands from 0 Hz to half the sample rate."""

FLOOR_DB = -80.0
"""Power in a band, beside a sine of full scale, below which all is equally silent."""

PESQ_PIECE_SECONDS = 10.0
"""PESQ is the mean over pieces of about this length, weighted by their lengths."""

DEFINITIONS = {
    "si-sdr": "SI-SDR, dB; mean over channels, then over recordings that are not silent",
    "log-mel": "distance of log-mel spectra (40 bands, Hann 32 ms, hop 8 ms, floor -80 dB), dB; "
    "mean over channels and recordings",
    "pesq-nb": "PESQ narrow band (P.862.1) at 8 kHz, MOS-LQO; mean over recordings that allow it",
    "pesq-wb": "PESQ wide band (P.862.2) at 16 kHz, MOS-LQO; mean over recordings that allow it",
    "stoi": "STOI, not extended; mean over recordings that allow it",
}
"""What results files say of their qualities. Whoever changes a metric changes its words."""

# P.862.1 and P.862.2: what the mapping to MOS gives for the lowest raw score, -0.5.
_PESQ_LOWEST = {
    "nb": 0.999 + 4.0 / (1.0 + np.exp(1.4945 * 0.5 + 4.6607)),
    "wb": 0.999 + 4.0 / (1.0 + np.exp(1.3669 * 0.5 + 3.8224)),
}
_PESQ_RATE = {"nb": 8000, "wb": 16000}
_PESQ_SHORTEST = 0.25


def si_sdr(original: np.ndarray, reconstruction: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019, arXiv 1811.02508, eq. 5).

    No mean is removed: an offset that a codec adds is an error.

    Args:
        original: float [samples, channels].
        reconstruction: the same shape.

    Returns:
        ``10 log10(|a s|^2 / |a s - r|^2)`` with ``a = <r, s> / |s|^2``, dB, mean over channels.
        Infinity where the reconstruction is the original; minus infinity where it has nothing of
        the original, as silence has not; NaN where the original is silent.

    Raises:
        ValueError: other types or shapes.
    """
    return _over_channels(_si_sdr, original, reconstruction)


def log_mel_distance(original: np.ndarray, reconstruction: np.ndarray, sample_rate: int) -> float:
    """Mean distance of log-mel spectrograms: what differs for the ear, whatever the phase.

    Power in ``BANDS`` triangles, evenly spaced on the mel scale ``2595 log10(1 + f / 700)``, of
    Hann windows of 32 ms every 8 ms, in dB beside a sine of full scale, and -80 dB at the least.

    Args:
        original: float [samples, channels].
        reconstruction: the same shape.
        sample_rate: Hz.

    Returns:
        Mean of the magnitude of the difference over windows, bands and channels, dB. 0 for equal
        sounds, and also for two that are silent.

    Raises:
        ValueError: other types or shapes.
    """

    def distance(reference, decoded):
        difference = log_mel(reference, sample_rate) - log_mel(decoded, sample_rate)
        return float(np.mean(np.abs(difference)))

    return _over_channels(distance, original, reconstruction)


def pesq(
    original: np.ndarray, reconstruction: np.ndarray, sample_rate: int, band: str = "nb"
) -> float:
    """Perceptual evaluation of speech quality: P.862.1 ("nb") or P.862.2 ("wb"), MOS-LQO.

    Sound of another rate is resampled to 8 kHz (nb) or 16 kHz (wb) first. P.862 is made for
    sentences, and its C code crashes on more than 50 utterances: longer recordings are the mean
    over pieces of about ``PESQ_PIECE_SECONDS``.

    Args:
        original: float [samples, channels], speech.
        reconstruction: the same shape.
        sample_rate: Hz.
        band: "nb" or "wb".

    Returns:
        1 to 4.5, higher is better; the lowest score where the reconstruction is silent. NaN where
        the original is shorter than a quarter of a second, has no utterance, or its sample rate
        does not hold the band; NaN, too, where the package ``pesq`` is missing (`has_pesq`).

    Raises:
        ValueError: other types or shapes, or another band.
    """
    if band not in _PESQ_RATE:
        raise ValueError(f"band={band!r} must be 'nb' or 'wb'.")
    _check_pair(original, reconstruction)
    rate = _PESQ_RATE[band]
    if sample_rate < rate or not has_pesq():
        return float("nan")

    def score(reference, decoded):
        reference, decoded = (_resampled(each, sample_rate, rate) for each in (reference, decoded))
        pieces = max(1, round(len(reference) / rate / PESQ_PIECE_SECONDS))
        scores, lengths = [], []
        for part in np.array_split(np.arange(len(reference)), pieces):
            scores.append(_pesq_of_piece(reference[part], decoded[part], rate, band))
            lengths.append(len(part))
        known = np.isfinite(scores)
        if not known.any():
            return float("nan")
        return float(np.average(np.array(scores)[known], weights=np.array(lengths)[known]))

    return _over_channels(score, original, reconstruction)


def stoi(original: np.ndarray, reconstruction: np.ndarray, sample_rate: int) -> float:
    """Short-time objective intelligibility (Taal et al. 2011), of speech; the package ``pystoi``.

    Args:
        original: float [samples, channels], speech; of any rate, pystoi resamples to 10 kHz.
        reconstruction: the same shape.
        sample_rate: Hz.

    Returns:
        About 0 to 1, higher is better. NaN where the original has less than 0.4 s of sound.

    Raises:
        ValueError: other types or shapes.
    """
    import pystoi

    def score(reference, decoded):
        # pystoi warns and gives 1e-5 where it has not enough frames.
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Not enough STFT frames", RuntimeWarning)
            try:
                return float(pystoi.stoi(reference, decoded, sample_rate, extended=False))
            except RuntimeWarning:
                return float("nan")

    _check_pair(original, reconstruction)
    # Of nothing but zeros, or fewer samples than a window, pystoi knows no frames at all.
    if len(original) < 0.4 * sample_rate:
        return float("nan")
    return _over_channels(
        lambda reference, decoded: score(reference, decoded) if reference.any() else float("nan"),
        original,
        reconstruction,
    )


@functools.cache
def has_pesq() -> bool:
    """Whether the package ``pesq`` is there: it is compiled on installation."""
    return importlib.util.find_spec("pesq") is not None


def log_mel(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Log-mel spectrogram as `log_mel_distance` states it.

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
    # In blocks: an hour of sound has half a million windows.
    for start in range(0, count, 4096):
        block = frames[start : start + 4096] * window
        power = np.abs(np.fft.rfft(block, 2 * length)) ** 2
        levels[start : start + 4096] = power @ bands.T
    # Parseval: what a sine of full scale has in all positive frequencies.
    full_scale = 2 * length * np.sum(window**2) / 4
    return 10 * np.log10(np.maximum(levels / full_scale, 10 ** (FLOOR_DB / 10)))


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


def _pesq_of_piece(reference, decoded, rate, band):
    from pesq import BufferTooShortError, NoUtterancesError
    from pesq import pesq as score

    if len(reference) < _PESQ_SHORTEST * rate or not reference.any():
        return float("nan")
    # Nothing to align with: pesq itself stumbles over the division by the highest sample.
    if np.ptp(decoded) == 0:
        return _PESQ_LOWEST[band]
    try:
        return float(score(rate, reference, decoded, band))
    except (BufferTooShortError, NoUtterancesError):
        return float("nan")


def _resampled(samples, sample_rate, rate):
    if sample_rate == rate:
        return samples
    import soxr

    return soxr.resample(samples, sample_rate, rate)


def _over_channels(
    score: Callable[[np.ndarray, np.ndarray], float],
    original: np.ndarray,
    reconstruction: np.ndarray,
) -> float:
    _check_pair(original, reconstruction)
    channels = zip(original.T.astype(np.float64), reconstruction.T.astype(np.float64))
    scores = [score(reference, decoded) for reference, decoded in channels]
    known = [each for each in scores if not np.isnan(each)]
    return float(np.mean(known)) if known else float("nan")


def _check_pair(original, reconstruction):
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
