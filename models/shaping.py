"""Quantization steps that follow the signal: coarse where it is loud, fine where it is quiet.

Quantization noise is heard least where the signal masks it, in frequency and in time, so speech
codecs shape their noise after the signal's spectrum (Atal and Schroeder 1979, "Predictive coding of
speech signals and subjective error criteria"). Here no spectrum has to be coded for that: the scale
that the entropy model predicts for a latent is all that decoder and encoder need to know.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from models.prediction import Prediction
from models.variable_rate import INDEXES_PER_OCTAVE, STEPS_PER_OCTAVE, power_of_two

LARGEST_INDEX = 63
"""Scale indexes above or below the usual one up to which steps follow."""


class Shaping(tf.Module):
    """Gains of latents from the scale indexes predicted for them.

    A scale ``2**n`` times the usual one divides the latent by ``2**(exponent * n)``. In coding, n
    is a whole number of scale indexes and gains are taken from a table of whole 1/256 octaves.
    """

    def __init__(self, exponent: float):
        """Takes the exponent, above 0 and at most 1."""
        super().__init__(name="shaping")
        # A variable, so that it is part of what identifies a model.
        self._exponent = tf.Variable(exponent, trainable=False, name="exponent")
        indexes = np.arange(-LARGEST_INDEX, LARGEST_INDEX + 1)
        steps = np.rint(-exponent * indexes * (STEPS_PER_OCTAVE / INDEXES_PER_OCTAVE)).astype(int)
        self._gains = np.float32([power_of_two(step) for step in steps])
        self._shifts = np.float32(steps * (INDEXES_PER_OCTAVE / STEPS_PER_OCTAVE))

    def __call__(self, prediction: Prediction, above_usual: tf.Tensor, exact: bool) -> Prediction:
        """The prediction of latents times their gains.

        Args:
            prediction: means, and scale indexes of latents without gains.
            above_usual: those less the indexes that are usual for the channel.
            exact: whether gains must be equal bits on every machine; otherwise, they have
                gradients.
        """
        above_usual = tf.clip_by_value(above_usual, -LARGEST_INDEX, LARGEST_INDEX)
        if exact:
            places = tf.cast(tf.round(above_usual), tf.int32) + LARGEST_INDEX
            gains, shifts = tf.gather(self._gains, places), tf.gather(self._shifts, places)
        else:
            shifts = -self._exponent * above_usual
            gains = tf.exp((math.log(2) / INDEXES_PER_OCTAVE) * shifts)
        return prediction._replace(indexes=prediction.indexes + shifts, gains=gains)
