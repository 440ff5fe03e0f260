"""Limits whose gradients still lead back: TensorFlow Compression's, at their default setting."""

from __future__ import annotations

import tensorflow as tf


def lower_bound(values: tf.Tensor, bound: float) -> tf.Tensor:
    """``max(values, bound)``; below the bound, gradients that descend upwards still pass."""
    return _bounded(values, bound, tf.maximum, lambda v, g: tf.logical_or(v >= bound, g < 0))


def upper_bound(values: tf.Tensor, bound: float) -> tf.Tensor:
    """``min(values, bound)``; above the bound, gradients that descend downwards still pass."""
    return _bounded(values, bound, tf.minimum, lambda v, g: tf.logical_or(v <= bound, g > 0))


def _bounded(values, bound, nearest, passes):
    @tf.custom_gradient
    def limit(values):
        def gradient(upstream):
            return tf.cast(passes(values, upstream), upstream.dtype) * upstream

        return nearest(values, tf.cast(bound, values.dtype)), gradient

    return limit(tf.convert_to_tensor(values))
