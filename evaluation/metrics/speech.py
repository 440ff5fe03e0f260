"""Metrics of speech: PESQ and STOI. They follow the rules of `evaluation.metrics.audio`."""

from __future__ import annotations

import functools
import warnings

import numpy as np

from evaluation.media import AUDIO
from evaluation.metrics.audio import check_pair, mean_over_channels
from evaluation.metrics.metric import Metric, is_installed

PESQ_PIECE_SECONDS = 10.0
"""PESQ is the mean over pieces of about this length, weighted by their lengths."""

# P.862.1 and P.862.2: the mapping to MOS at the lowest raw score, -0.5.
_PESQ_LOWEST = {
    "nb": 0.999 + 4.0 / (1.0 + np.exp(1.4945 * 0.5 + 4.6607)),
    "wb": 0.999 + 4.0 / (1.0 + np.exp(1.3669 * 0.5 + 3.8224)),
}
_PESQ_RATE = {"nb": 8000, "wb": 16000}
_PESQ_SHORTEST = 0.25


def pesq(
    original: np.ndarray, reconstruction: np.ndarray, sample_rate: int, band: str = "nb"
) -> float:
    """Perceptual evaluation of speech quality: P.862.1 ("nb") or P.862.2 ("wb"), MOS-LQO.

    The signals are resampled to 8 kHz (nb) or 16 kHz (wb). P.862 is made for sentences, and its C
    code crashes on more than 50 utterances: the score of a longer recording is the mean over
    pieces of about ``PESQ_PIECE_SECONDS``.

    Args:
        original: float [samples, channels], speech.
        reconstruction: the same shape.
        sample_rate: Hz.
        band: "nb" or "wb".

    Returns:
        1 to 4.5, higher is better; the lowest score if the reconstruction is silent. NaN if the
        original is shorter than a quarter of a second, contains no utterance or has too low a
        sample rate for the band, or if the package ``pesq`` is not installed.

    Raises:
        ValueError: wrong type, shape or band.
    """
    if band not in _PESQ_RATE:
        raise ValueError(f"band={band!r} must be 'nb' or 'wb'.")
    check_pair(original, reconstruction)
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

    return mean_over_channels(score, original, reconstruction)


def stoi(original: np.ndarray, reconstruction: np.ndarray, sample_rate: int) -> float:
    """Short-time objective intelligibility (Taal et al. 2011) of speech, by the package ``pystoi``.

    Args:
        original: float [samples, channels], speech; pystoi resamples it to 10 kHz.
        reconstruction: the same shape.
        sample_rate: Hz.

    Returns:
        About 0 to 1, higher is better. NaN if the original has less than 0.4 s of audio.

    Raises:
        ValueError: wrong type or shape.
    """
    import pystoi

    def score(reference, decoded):
        if not reference.any():
            return float("nan")
        # With too few frames pystoi warns and returns 1e-5.
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Not enough STFT frames", RuntimeWarning)
            try:
                return float(pystoi.stoi(reference, decoded, sample_rate, extended=False))
            except RuntimeWarning:
                return float("nan")

    check_pair(original, reconstruction)
    # pystoi fails on signals shorter than a window.
    if len(original) < 0.4 * sample_rate:
        return float("nan")
    return mean_over_channels(score, original, reconstruction)


def has_pesq() -> bool:
    """Whether the package ``pesq`` is installed; installing it needs a C compiler."""
    return is_installed("pesq")


METRICS = (
    Metric(
        key="pesq-nb",
        column="pesq_nb",
        name="PESQ",
        unit="MOS",
        medium=AUDIO,
        function=functools.partial(pesq, band="nb"),
        definition="PESQ narrow band (P.862.1) at 8 kHz, MOS-LQO; mean over recordings that allow "
        "it",
        partial="no speech, shorter than 0.25 s or below 8 kHz",
        package="pesq",
    ),
    Metric(
        key="pesq-wb",
        column="pesq_wb",
        name="PESQ wb",
        unit="MOS",
        medium=AUDIO,
        function=functools.partial(pesq, band="wb"),
        definition="PESQ wide band (P.862.2) at 16 kHz, MOS-LQO; mean over recordings that allow "
        "it",
        partial="no speech, shorter than 0.25 s or below 16 kHz",
        package="pesq",
    ),
    Metric(
        key="stoi",
        column="stoi",
        name="STOI",
        unit="",
        medium=AUDIO,
        function=stoi,
        definition="STOI, not extended; mean over recordings that allow it",
        digits=3,
        partial="less than 0.4 s of audio",
    ),
)


def _pesq_of_piece(reference, decoded, rate, band):
    from pesq import BufferTooShortError, NoUtterancesError
    from pesq import pesq as score

    if len(reference) < _PESQ_SHORTEST * rate or not reference.any():
        return float("nan")
    # pesq itself divides by the peak of the reconstruction.
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
