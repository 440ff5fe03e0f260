"""The soft rounding function and its conditional mean, as in TensorFlow Compression.

Agustsson & Theis 2020, "Universally Quantized Neural Compression", arXiv 2006.09952, section 4.
"""

from __future__ import annotations

from typing import Union

import tensorflow as tf

Sharpness = Union[float, tf.Tensor, tf.Variable]

SMALLEST = 1e-3
"""Below this alpha both functions are the identity, to which they tend."""


def soft_round(values: tf.Tensor, alpha: Sharpness) -> tf.Tensor:
    """``m + tanh(alpha (v - m)) / (2 tanh(alpha / 2))`` with ``m = floor(v) + 1/2``.

    Args:
        values: of any shape.
        alpha: sharpness, at least 0.
    """
    bounded, middles = tf.maximum(alpha, SMALLEST), _middles(values)
    soft = middles + tf.tanh(bounded * (values - middles)) / _range(bounded)
    # With the bounded alpha, the gradient of what is not chosen is finite.
    return tf.where(alpha < SMALLEST, values, soft)


def conditional_mean(values: tf.Tensor, alpha: Sharpness) -> tf.Tensor:
    """Mean of latents whose soft rounding plus uniform noise is ``values``.

    It is ``s^-1(v - 1/2) + 1/2`` with s the soft rounding; latents count as uniform where they can
    have been.
    """
    return _inverse(values - 0.5, alpha) + 0.5


def _inverse(values: tf.Tensor, alpha: Sharpness) -> tf.Tensor:
    bounded, middles = tf.maximum(alpha, SMALLEST), _middles(values)
    places = (values - middles) * _range(bounded)
    # Rounding can make a place 1, the end of the step: there atanh is infinite and its slope NaN.
    at_end = tf.abs(places) >= 1
    distances = tf.atanh(tf.where(at_end, 0.0, places)) / bounded
    distances = tf.clip_by_value(tf.where(at_end, places / 2, distances), -0.5, 0.5)
    return tf.where(alpha < SMALLEST, values, middles + distances)


def _middles(values: tf.Tensor) -> tf.Tensor:
    return tf.floor(values) + 0.5


def _range(alpha: tf.Tensor) -> tf.Tensor:
    return tf.tanh(alpha / 2.0) * 2.0
