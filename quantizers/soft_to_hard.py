"""Learned centres on a line, one set for all latents: the nearest forward, a softmax backward.

Agustsson et al. 2017, "Soft-to-hard vector quantization", arXiv 1704.00648, for scalars as in
Mentzer et al. 2018, arXiv 1801.04260: values are hard from the first step on, and only the gradient
is that of the soft assignment, so ``sigma`` need not anneal (but may).
"""

from __future__ import annotations

import numbers
from typing import Sequence, Union

import numpy as np
import tensorflow as tf

from quantizers.base.annealing import Annealed
from quantizers.base.contract import Quantized
from quantizers.base.indices import IndexQuantizer, bounded, with_gradient_of
from quantizers.base.schedules import Schedule, as_schedule


class SoftToHardQuantizer(IndexQuantizer):
    """One of ``centres`` learned values per latent.

    The gradients of both slots are those of ``softmax(-sigma (y - c)^2)``: the decoder's moves
    latents and centres, the rate's pulls both towards probable values.

    Example: latents ``[8, 16, 16, 64]`` give symbols ``[8, 16, 16, 64]`` below ``centres``.
    """

    def __init__(self, *, centres: int = 12, sigma: Union[float, Schedule] = 1.0):
        """Spaces the centres evenly from ``-centres / 2`` to ``centres / 2``.

        Args:
            centres: their number, at least 2.
            sigma: sharpness of the soft assignment, positive; number or schedule.

        Raises:
            ValueError: an argument is out of its range.
        """
        super().__init__(name="soft_to_hard")
        if not isinstance(centres, numbers.Integral) or centres < 2:
            raise ValueError(f"centres={centres} must be a whole number, at least 2.")
        schedule = as_schedule(sigma)
        if schedule.bounds[0] <= 0:
            raise ValueError(f"sigma={sigma!r} must be positive at every step.")
        self._sigma = Annealed(schedule, "sigma")
        self.centres = tf.Variable(
            np.linspace(-centres / 2, centres / 2, centres, dtype=np.float32), name="centres"
        )

    def build(self, channels: int) -> None:
        """One symbol per channel."""
        self._set_sizes([self.centres.shape[0]] * channels)

    def encode(self, latents: tf.Tensor) -> tf.Tensor:
        """Nearest centres, of equally near ones the first: int32, the latents' shape."""
        return tf.argmax(self._scores(bounded(latents)), axis=-1, output_type=tf.int32)

    def decode(self, symbols: tf.Tensor, seed: None = None) -> tf.Tensor:
        del seed
        return tf.gather(self.centres, symbols)

    @property
    def coding_variables(self) -> Sequence[tf.Variable]:
        return (self.centres,)

    def _train(self, latents: tf.Tensor) -> Quantized:
        scores = self._sigma.value * self._scores(latents)
        # The softmax kernel supports at most five dimensions.
        soft = tf.nn.softmax(tf.reshape(scores, [-1, scores.shape[-1]]))
        soft = tf.reshape(soft, tf.shape(scores))
        symbols = self.encode(latents)
        return Quantized(
            rate_input=with_gradient_of(soft, self._one_hot(symbols)),
            decoder_input=with_gradient_of(
                tf.linalg.matvec(soft, self.centres), hard=self.decode(symbols)
            ),
            penalty=tf.zeros([], tf.float32),
        )

    def _scores(self, latents: tf.Tensor) -> tf.Tensor:
        """Negative squared distances ``[..., channels, centres]``."""
        return -tf.square(latents[..., tf.newaxis] - self.centres)
