"""Distances between audio spectrograms, over windows of several lengths.

Short windows resolve time, long ones frequency (Yamamoto 2020, arXiv 1910.11480; with mel bands
as in SoundStream, arXiv 2107.03312). Every distance here compares levels in decibels: the mean
over windows, frames and bands of ``|L - L_hat|`` (``norm: 1``, in dB) or ``|L - L_hat|^2``
(``norm: 2``, in dB^2), with ``L = 10 log10(power + floor)``. The floor lies 60 dB below the level
at which audio is coded, so that silence has a finite level and gradient.
"""

from __future__ import annotations

import abc
import math
from typing import Optional, Sequence

import tensorflow as tf

from signals.loudness import CODING_POWER

FLOOR = CODING_POWER * 1e-6


class SpectrogramDistance(abc.ABC):
    """Mean distance of levels over windows; a subclass chooses the bands.

    Attributes:
        minimum_size: fewest samples of a signal: the longest window.
    """

    medium = "audio"

    def __init__(self, *, windows: Sequence[int], norm: int):
        """Checks windows and norm.

        Args:
            windows: lengths of the Hann windows in samples, each at least 16; they advance by a
                quarter.
            norm: 1 for the mean absolute difference in dB, 2 for the mean squared one in dB^2.

        Raises:
            ValueError: no or too short windows, or another norm.
        """
        if not windows or min(windows) < 16:
            raise ValueError(f"windows={list(windows)} must be lengths of at least 16 samples.")
        if norm not in (1, 2):
            raise ValueError(f"norm={norm} must be 1 or 2.")
        self._windows = tuple(windows)
        self._norm = norm
        self.minimum_size = max(windows)

    def __call__(self, originals: tf.Tensor, reconstructions: tf.Tensor) -> tf.Tensor:
        """Compares two batches.

        Args:
            originals: float32 [batch, rows, samples, 1] in -1..1, ``minimum_size`` samples or more.
            reconstructions: The same shape; unclipped values are welcome.

        Returns:
            float32 [batch], in dB or dB^2.

        Raises:
            ValueError: The signals are shorter than the longest window; ``InvalidArgumentError`` in
                a graph of unknown length.
        """
        samples = originals.shape[2]
        if samples is not None and samples < self.minimum_size:
            raise ValueError(
                f"windows={list(self._windows)} need signals of at least {self.minimum_size} "
                f"samples, got {samples}."
            )
        total = 0.0
        for window in self._windows:
            difference = tf.abs(
                self._levels(originals, window) - self._levels(reconstructions, window)
            )
            total += tf.reduce_mean(difference**self._norm, axis=[1, 2, 3])
        return total / len(self._windows)

    def _levels(self, signals: tf.Tensor, window: int) -> tf.Tensor:
        """Levels in dB, [batch, rows, frames, bands]."""
        power = power_spectrum(signals, window)
        return (10 / math.log(10)) * tf.math.log(self._bands(power, window) + FLOOR)

    @abc.abstractmethod
    def _bands(self, power: tf.Tensor, window: int) -> tf.Tensor:
        """Power of the compared bands, from the power of bins [..., window / 2 + 1]."""


def power_spectrum(signals: tf.Tensor, window: int, overlap: int = 4) -> tf.Tensor:
    """Power of the bins of short-time Fourier transforms.

    Args:
        signals: float32 [batch, rows, samples, 1], ``window`` samples or more.
        window: of the Hann windows, in samples.
        overlap: windows that cover each sample.

    Returns:
        float32 [batch, rows, frames, window / 2 + 1]; P in every bin for white noise of mean
        square P.

    Raises:
        ValueError: The signals are shorter than the window; ``InvalidArgumentError`` in a graph of
            unknown length.
    """
    hop = window // overlap
    slices = -(-window // hop)
    samples = signals.shape[2]
    message = f"a window needs signals of at least {window} samples"
    if samples is None:
        samples = tf.shape(signals)[2]
        tf.debugging.assert_greater_equal(samples, window, f"{message}.")
    elif samples < window:
        raise ValueError(f"{message}, got {samples}.")
    count = (samples - window) // hop + 1
    # As tf.signal.frame, but from slices: the gradient of its gather is slow.
    padded = tf.pad(signals[..., 0], [[0, 0], [0, 0], [0, slices * hop - window]])
    length = count + slices - 1
    hops = tf.reshape(padded[:, :, : length * hop], [-1, tf.shape(signals)[1], length, hop])
    frames = tf.concat([hops[:, :, k : k + count] for k in range(slices)], -1)[..., :window]
    hann = tf.signal.hann_window(window)
    bins = tf.signal.rfft(frames * hann)
    power = tf.math.real(bins) ** 2 + tf.math.imag(bins) ** 2
    return power / tf.reduce_sum(hann**2)


class StftDistance(SpectrogramDistance):
    """Compares every bin of the short-time Fourier transforms."""

    def __init__(self, *, windows: Sequence[int] = (128, 256, 512, 1024), norm: int = 1):
        """Takes windows and norm, see ``SpectrogramDistance``."""
        super().__init__(windows=windows, norm=norm)

    def _bands(self, power: tf.Tensor, window: int) -> tf.Tensor:
        del window
        return power


class MultiScaleMel(SpectrogramDistance):
    """Compares mel bands, which widen with frequency as in hearing; window / 8 bands per window.

    At high sample rates the lowest bands are narrow; those that hold no bin are left out.
    """

    def __init__(
        self,
        *,
        sample_rate: Optional[int],
        windows: Sequence[int] = (64, 128, 256, 512, 1024),
        norm: int = 1,
    ):
        """Takes the sample rate; windows and norm as in ``SpectrogramDistance``.

        Args:
            sample_rate: of the audio, in Hz.
            windows: in samples.
            norm: 1 or 2.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(windows=windows, norm=norm)
        if sample_rate is None or sample_rate < 1:
            raise ValueError(
                f"sample_rate={sample_rate} must be a number of Hz, which audio data has."
            )
        self._sample_rate = sample_rate

    def _bands(self, power: tf.Tensor, window: int) -> tf.Tensor:
        mel = tf.signal.linear_to_mel_weight_matrix(
            window // 8, window // 2 + 1, self._sample_rate, 0.0, self._sample_rate / 2
        )
        # The mean over a band, not the sum: white noise has the same level in all bands.
        mel /= tf.maximum(tf.reduce_sum(mel, axis=0), 1e-6)
        # Above 32 kHz some bands lie between two bins: there all signals would be equal.
        mel = tf.boolean_mask(mel, tf.reduce_any(mel > 0, axis=0), axis=1)
        return tf.tensordot(power, mel, 1)
