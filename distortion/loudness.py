"""Difference of two recordings in loudness, frame by frame and band by band.

What PESQ (ITU-T P.862, 2001) calls the symmetric disturbance, as a loss that has gradients: power
in bands of hearing becomes loudness by Zwicker's power law with a threshold in quiet; differences
below a quarter of the softer loudness are masked. PESQ's alignment, equalization, telephone filter
and average over time are left out; the threshold is Terhardt's (1979, "Calculating virtual pitch").
"""

from __future__ import annotations

from typing import Optional

import numpy as np
import tensorflow as tf

from distortion.spectrogram import power_spectrum
from signals.loudness import CODING_POWER

LISTENING_LEVEL = 79.0
"""Sound pressure level in dB of audio at the coding level: that of PESQ."""

POWER_LAW = 0.23
"""Exponent of loudness."""

MASKED = 0.25
"""Share of the softer of two loudnesses that a difference must exceed."""

BANDS_PER_BARK = 2.3

SECONDS = 0.032

SMALLEST = 0.01
"""Where the root over bands begins to be steep."""


class LoudnessDistance:
    """Mean over frames of the root of the sum of squares of differences over bands.

    Attributes:
        minimum_size: fewest samples of a signal: a frame of 32 ms, rounded to a power of two.
    """

    medium = "audio"

    def __init__(self, *, sample_rate: Optional[int]):
        """Takes the sample rate of the audio, in Hz.

        Raises:
            ValueError: it is out of its range.
        """
        if sample_rate is None or sample_rate < 1000:
            raise ValueError(
                f"sample_rate={sample_rate} must be at least 1000 Hz, which audio data has."
            )
        self.minimum_size = 2 ** round(np.log2(SECONDS * sample_rate))
        bins = self.minimum_size // 2 + 1
        bark = _bark(np.linspace(0, sample_rate / 2, bins))
        centres, self._width = np.linspace(
            0, bark[-1], round(bark[-1] * BANDS_PER_BARK), retstep=True
        )
        # Triangles that add up to one at each bin.
        shares = np.maximum(0, 1 - np.abs(bark[:, np.newaxis] - centres) / self._width)
        # The mean over bins is the signal's power.
        gain = 10 ** (LISTENING_LEVEL / 10) / CODING_POWER / bins
        self._bands = np.float32(shares * gain)
        self._threshold = np.float32(10 ** (_threshold(_hertz(centres)) / 10))

    def __call__(self, originals: tf.Tensor, reconstructions: tf.Tensor) -> tf.Tensor:
        """Compares two batches.

        Args:
            originals: float32 [batch, rows, samples, 1] in -1..1, ``minimum_size`` samples or more.
            reconstructions: The same shape; unclipped values are welcome.

        Returns:
            float32 [batch], in sone times the root of Bark.

        Raises:
            ValueError: The signals are shorter than ``minimum_size``; ``InvalidArgumentError`` in a
                graph of unknown length.
        """
        one, other = self._loudness(originals), self._loudness(reconstructions)
        heard = tf.abs(one - other) - MASKED * tf.minimum(one, other)
        squares = tf.reduce_sum(tf.maximum(heard, 0) ** 2, axis=-1) * self._width
        return tf.reduce_mean(tf.sqrt(squares + SMALLEST**2) - SMALLEST, axis=[1, 2])

    def _loudness(self, signals: tf.Tensor) -> tf.Tensor:
        """Sone per Bark, [batch, rows, frames, bands]; one sone per Bark near 40 dB."""
        power = tf.tensordot(power_spectrum(signals, self.minimum_size, 2), self._bands, 1)
        above = (power + self._threshold) ** POWER_LAW - self._threshold**POWER_LAW
        return above / 10 ** (4 * POWER_LAW)


def _bark(hertz: np.ndarray) -> np.ndarray:
    return 6 * np.arcsinh(hertz / 600)


def _hertz(bark: np.ndarray) -> np.ndarray:
    return 600 * np.sinh(bark / 6)


def _threshold(hertz: np.ndarray) -> np.ndarray:
    """In quiet, dB of sound pressure level."""
    khz = np.maximum(hertz, 50.0) / 1000
    return 3.64 * khz**-0.8 - 6.5 * np.exp(-0.6 * (khz - 3.3) ** 2) + 1e-3 * khz**4
