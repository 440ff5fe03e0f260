"""Convolutions in fixed point: the same numbers on every machine.

A decoder must repeat the hyper-synthesis exactly, or it reads symbols with the wrong tables. Sums
of floating point numbers depend on their order, which depends on threads, libraries and processors.
Here weights and activations are rounded to so few bits that every sum of their products fits a
float64 without rounding: any order gives the same result. The idea is that of Balle, Johnston,
Minnen 2019, "Integer networks for data compression with latent-variable models"; training stays in
floating point.
"""

from __future__ import annotations

from typing import Sequence

import tensorflow as tf

from processor.stack import keras

WEIGHT_BITS = 12
"""Fractional bits of weights; biases have those of activations, too."""

ACTIVATION_BITS = 8
"""Fractional bits of activations."""

MOST_PRODUCTS = 2**16
"""The most products in a sum that is exact whatever the weights are."""

LARGEST_WEIGHT = 2.0**4
LARGEST_ACTIVATION = 2.0**11
"""Magnitudes are clipped to these. 2^(4 + 12) * 2^(11 + 8) * 2^16 products stay below 2^53."""


def apply_exactly(layers: Sequence[keras.layers.Layer], values: tf.Tensor) -> tf.Tensor:
    """Applies transposed and plain 'same' convolutions with ReLU between them, exactly.

    Args:
        layers: ``TransposedConvolution`` and stride-1 ``Convolution`` layers with up to 2**16
            products per sum.
        values: float32 or float64 ``[batch, height, width, channels]``.

    Returns:
        float64 ``[batch, height * s, width * s, out]``, multiples of ``2**-20``; equal bits on any
        machine for equal ``values``.
    """
    weights = [[tf.cast(w, tf.float64) for w in (layer.kernel, layer.bias)] for layer in layers]
    with tf.device("CPU:0"):  # GPUs may convolve by way of transforms, whose products do round.
        values = tf.cast(values, tf.float64)
        for number, (layer, (kernel, bias)) in enumerate(zip(layers, weights)):
            values = _rounded(values, ACTIVATION_BITS, LARGEST_ACTIVATION)
            kernel = _rounded(kernel, WEIGHT_BITS, LARGEST_WEIGHT)
            bias = _rounded(bias, WEIGHT_BITS + ACTIVATION_BITS, LARGEST_ACTIVATION)
            values = layer.apply_to(values, kernel) + bias
            if number < len(layers) - 1:
                values = tf.nn.relu(values)
        return values


def _rounded(values: tf.Tensor, bits: int, largest: float) -> tf.Tensor:
    return tf.round(tf.clip_by_value(values, -largest, largest) * 2.0**bits) * 2.0**-bits
