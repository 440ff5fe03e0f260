"""Mean squared error of audio, in thousandths of the power at which audio is coded.

Audio is scaled to -23 dBFS before it is coded (``signals.loudness``). An error of that power counts
1000: a distortion of 56 is a signal-to-noise ratio of 12.5 dB. On this scale the values of
``lmbda`` that are published for images are sensible for audio: at high rates the best codec for
noise has a distortion near ``1 / (2 ln(2) lmbda)``, which is 4 to 24 dB over .0018 to .18.
"""

from __future__ import annotations

import tensorflow as tf

from signals.loudness import CODING_POWER


class WaveformError:
    """``1000 * mean((x - x_hat)^2) / 10^-2.3`` over samples."""

    medium = "audio"
    minimum_size = 1  # samples that a signal needs at least

    def __call__(self, originals: tf.Tensor, reconstructions: tf.Tensor) -> tf.Tensor:
        """Compares two batches.

        Args:
            originals: float32 [batch, rows, samples, 1] in -1..1.
            reconstructions: The same shape; unclipped values are welcome.

        Returns:
            float32 [batch], in thousandths of the power at -23 dBFS.
        """
        squares = tf.math.squared_difference(originals, reconstructions)
        return tf.reduce_mean(squares, axis=[1, 2, 3]) * (1000 / CODING_POWER)
