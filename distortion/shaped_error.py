"""Waveform error weighted by the original's spectrum: noise counts less where it is masked.

Atal and Schroeder 1979, "Predictive coding of speech signals and subjective error criteria": how
much quantization noise is heard depends on the signal's power at its frequency and time. Here the
error's power in each bin of short-time Fourier transforms is divided by a power of the original's,
so that the best noise follows the signal's spectrum to that power. The original's is smoothed over
frequency first, because harmonics of a voice mask what is between them.
"""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from distortion.spectrogram import power_spectrum
from signals.loudness import CODING_POWER

FLOOR = 1e-3 * CODING_POWER
"""Added to the original's power: noise 30 dB below the coding level is hardly masked, or heard."""


class ShapedError:
    """``1000 * mean(E / P * (P / (S + FLOOR))^exponent)`` over frames and bins.

    E is the power of the error, S the smoothed one of the original, P that of audio at -23 dBFS.
    With exponent 0 it is ``waveform_mse``, up to windows.

    Attributes:
        minimum_size: fewest samples of a signal: the window.
    """

    medium = "audio"

    def __init__(
        self,
        *,
        sample_rate: Optional[int],
        exponent: float = 0.5,
        window: int = 256,
        bandwidth: float = 600.0,
    ):
        """Checks the arguments.

        Args:
            sample_rate: of the audio, in Hz.
            exponent: of the original's power, by which the error's power is divided; 0 to 1.
            window: length of the Hann windows in samples, at least 16; they advance by a quarter.
            bandwidth: over which the original's power is smoothed, in Hz, above 0.

        Raises:
            ValueError: an argument is out of its range.
        """
        if sample_rate is None or sample_rate < 1:
            raise ValueError(
                f"sample_rate={sample_rate} must be a number of Hz, which audio data has."
            )
        if not 0 <= exponent <= 1:
            raise ValueError(f"exponent={exponent} must be 0 to 1.")
        if window < 16:
            raise ValueError(f"window={window} must be at least 16 samples.")
        if not bandwidth > 0:
            raise ValueError(f"bandwidth={bandwidth} must be above 0 Hz.")
        self._exponent = exponent
        self._window = self.minimum_size = window
        # Two means of half the bandwidth each: a triangle. An odd number of bins is centred.
        self._bins = 2 * round(bandwidth / 4 * window / sample_rate) + 1

    def __call__(self, originals: tf.Tensor, reconstructions: tf.Tensor) -> tf.Tensor:
        """Compares two batches.

        Args:
            originals: float32 [batch, rows, samples, 1] in -1..1, ``minimum_size`` samples or more.
            reconstructions: The same shape; unclipped values are welcome.

        Returns:
            float32 [batch], in thousandths of the power at -23 dBFS.

        Raises:
            ValueError: The signals are shorter than ``minimum_size``; ``InvalidArgumentError`` in a
                graph of unknown length.
        """
        power = power_spectrum(originals, self._window)
        # Frames and bins as height and width: what is in the place of channels is not pooled.
        smooth = tf.reshape(power, tf.concat([[-1], tf.shape(power)[2:], [1]], 0))
        for _ in range(2):
            smooth = tf.nn.avg_pool2d(smooth, [1, self._bins], 1, "SAME")
        smooth = tf.reshape(smooth, tf.shape(power))
        weights = (CODING_POWER / (smooth + FLOOR)) ** self._exponent
        error = power_spectrum(originals - reconstructions, self._window)
        return tf.reduce_mean(error * weights, axis=[1, 2, 3]) * (1000 / CODING_POWER)
