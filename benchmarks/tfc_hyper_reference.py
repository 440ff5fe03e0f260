"""TFC's hyperprior, which training speed with side information is measured against.

The model follows the published ``models/bmshj2018.py`` of TensorFlow Compression: the
transforms of ``tfc_reference``, hyper-transforms of ``SignalConv2D``, a location-scale
indexed entropy model for the latents and a batched one for the hyper-latents, and one number of
filters everywhere.
"""

from __future__ import annotations

import math

import tensorflow as tf
import tensorflow_compression as tfc
from tfc_reference import ReferenceModel

SCALES, SMALLEST_SCALE, LARGEST_SCALE = 64, 0.11, 256.0


class HyperReferenceModel(ReferenceModel):
    """Published scale hyperprior; trains on batches."""

    def __init__(self, filters: int, lmbda: float = 0.01):
        """Builds the layers, all of ``filters`` channels."""
        super().__init__([(5, 2)] * 4, filters, filters, lmbda)
        self.hyper_analysis = tf.keras.Sequential(
            [
                _convolution(filters, 3, corr=True, activation=tf.nn.relu),
                _convolution(filters, 5, corr=True, strides_down=2, activation=tf.nn.relu),
                _convolution(filters, 5, corr=True, strides_down=2, use_bias=False),
            ]
        )
        plain = {"corr": False, "kernel_parameter": "variable"}
        self.hyper_synthesis = tf.keras.Sequential(
            [
                _convolution(filters, 5, strides_up=2, activation=tf.nn.relu, **plain),
                _convolution(filters, 5, strides_up=2, activation=tf.nn.relu, **plain),
                _convolution(filters, 3, **plain),
            ]
        )
        self(tf.zeros([1, 64, 64, 3]), training=True)  # Creates all variables.

    def call(self, images, training):
        """Loss, bits per pixel and mean squared error of a batch."""
        latent_model = tfc.LocationScaleIndexedEntropyModel(
            tfc.NoisyNormal, SCALES, scale_of, coding_rank=3, compression=False
        )
        side_model = tfc.ContinuousBatchedEntropyModel(self.prior, coding_rank=3, compression=False)
        latents = self.analysis(images)
        hyper_latents = self.hyper_analysis(tf.abs(latents))
        hyper_values, side_bits = side_model(hyper_latents, training=training)
        indexes = self.hyper_synthesis(hyper_values)
        values, bits = latent_model(latents, indexes, training=training)
        pixels = tf.cast(tf.reduce_prod(tf.shape(images)[:-1]), bits.dtype)
        bpp = (tf.reduce_sum(bits) + tf.reduce_sum(side_bits)) / pixels
        mse = tf.reduce_mean(tf.math.squared_difference(images, self.synthesis(values)))
        return bpp + self._lmbda * mse, bpp, mse

    def build(self, shape):
        """Does nothing: the parent's constructor builds before all layers exist."""
        self.built = True


def scale_of(indexes):
    """Standard deviations of scale indexes, in equal ratios."""
    step = (math.log(LARGEST_SCALE) - math.log(SMALLEST_SCALE)) / (SCALES - 1)
    return tf.exp(math.log(SMALLEST_SCALE) + step * indexes)


def _convolution(filters: int, size: int, *, use_bias: bool = True, **settings):
    return tfc.SignalConv2D(filters, size, padding="same_zeros", use_bias=use_bias, **settings)
