"""TFC's own models, which Roundtrip's speed is measured against.

``ReferenceModel`` follows the published ``models/bls2017.py`` of TensorFlow Compression:
``SignalConv2D`` with its Fourier-domain kernels and GDN as its activation, the stock entropy model,
a Keras train step with Adam, and compress and decompress each as one ``tf.function``. The
factorized-prior model is the same script with other convolutions. ``HyperReferenceModel`` adds the
hyperprior of ``models/bmshj2018.py``, with one number of filters everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_compression as tfc

from entropy.conditional_gaussian import SCALES, scale_of


class ReferenceModel(tf.keras.Model):
    """Published transform coder: trains on batches, codes single images."""

    def __init__(
        self,
        convolutions: Sequence[tuple[int, int]],
        filters: int,
        latent_channels: int,
        lmbda: float = 0.01,
        init_scale: float = 10.0,
    ):
        """Builds the layers.

        Args:
            convolutions: ``(kernel, stride)`` of the analysis, from the image to the latents.
            filters: channels of the hidden layers.
            latent_channels: channels of the latents.
            lmbda: weight of the mean squared error.
            init_scale: width of the prior at the start.
        """
        super().__init__()
        self._lmbda = lmbda
        outputs = [filters] * (len(convolutions) - 1)
        self.analysis = tf.keras.Sequential([tf.keras.layers.Lambda(lambda x: x / 255.0)])
        for (size, stride), channels in zip(convolutions, [*outputs, latent_channels]):
            last = len(self.analysis.layers) == len(convolutions)
            self.analysis.add(
                tfc.SignalConv2D(
                    channels,
                    size,
                    corr=True,
                    strides_down=stride,
                    padding="same_zeros",
                    use_bias=not last,
                    activation=None if last else tfc.GDN(),
                )
            )
        self.synthesis = tf.keras.Sequential()
        for (size, stride), channels in zip(reversed(convolutions), [*outputs, 3]):
            last = len(self.synthesis.layers) == len(convolutions) - 1
            self.synthesis.add(
                tfc.SignalConv2D(
                    channels,
                    size,
                    corr=False,
                    strides_up=stride,
                    padding="same_zeros",
                    use_bias=True,
                    activation=None if last else tfc.GDN(inverse=True),
                )
            )
        self.synthesis.add(tf.keras.layers.Lambda(lambda x: x * 255.0))
        self.prior = tfc.NoisyDeepFactorized(batch_shape=(latent_channels,), init_scale=init_scale)
        self.build((None, None, None, 3))

    def call(self, images, training):
        """Loss, bits per pixel and mean squared error of a batch."""
        entropy_model = tfc.ContinuousBatchedEntropyModel(
            self.prior, coding_rank=3, compression=False
        )
        latents, bits = entropy_model(self.analysis(images), training=training)
        pixels = tf.cast(tf.reduce_prod(tf.shape(images)[:-1]), bits.dtype)
        bpp = tf.reduce_sum(bits) / pixels
        mse = tf.reduce_mean(tf.math.squared_difference(images, self.synthesis(latents)))
        return bpp + self._lmbda * mse, bpp, mse

    def compile(self, **arguments):
        """Keras' own, and the three running means."""
        super().compile(loss=None, **arguments)
        self.means = [tf.keras.metrics.Mean(name=name) for name in ("loss", "bpp", "mse")]

    def train_step(self, images):
        """One update."""
        with tf.GradientTape() as tape:
            values = self(images, training=True)
        gradients = tape.gradient(values[0], self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        for mean, value in zip(self.means, values):
            mean.update_state(value)
        return {mean.name: mean.result() for mean in self.means}

    def freeze(self):
        """Builds the coding tables, as the script does after training."""
        self.entropy_model = tfc.ContinuousBatchedEntropyModel(
            self.prior, coding_rank=3, compression=True
        )

    @tf.function(input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)])
    def compress(self, pixels):
        """Strings, image size and latents' size of one image."""
        images = tf.cast(pixels[tf.newaxis], tf.float32)
        latents = self.analysis(images)
        return self.entropy_model.compress(latents), tf.shape(pixels)[:2], tf.shape(latents)[1:3]

    @tf.function(
        input_signature=[
            tf.TensorSpec([1], tf.string),
            tf.TensorSpec([2], tf.int32),
            tf.TensorSpec([2], tf.int32),
        ]
    )
    def decompress(self, strings, image_size, latents_size):
        """Pixels uint8 from the results of ``compress``."""
        images = self.synthesis(self.entropy_model.decompress(strings, latents_size))
        image = images[0, : image_size[0], : image_size[1]]
        return tf.saturate_cast(tf.round(image), tf.uint8)


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


def _convolution(filters: int, size: int, *, use_bias: bool = True, **settings):
    return tfc.SignalConv2D(filters, size, padding="same_zeros", use_bias=use_bias, **settings)
