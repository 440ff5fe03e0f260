"""What Roundtrip's speed is measured against: TFC's own scripts, and the machine's limits.

The models are built after the published ``models/bls2017.py`` of TensorFlow Compression:
``SignalConv2D`` with its Fourier-domain kernels and GDN as its activation, the stock entropy model,
a Keras train step with Adam, and compress and decompress each as one ``tf.function``. The
factorized-prior model is the same script with other convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf
import tensorflow_compression as tfc


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
        """Builds the coding tables, as the script does when it has trained."""
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
        """Pixels uint8 of what ``compress`` gave."""
        images = self.synthesis(self.entropy_model.decompress(strings, latents_size))
        image = images[0, : image_size[0], : image_size[1]]
        return tf.saturate_cast(tf.round(image), tf.uint8)


def machine_cases(
    batch: int, filters: int, precisions: Sequence[str]
) -> tuple[dict[str, Callable], dict[str, float]]:
    """What the machine can do, in each precision: cases, and floating-point operations of each.

    The convolution is the models' most expensive one: 5x5, stride 2, 128 to 128 channels. Its rate
    is the roofline of a training step, too, whose gradients take the same operations twice.
    """
    cases, operations = {}, {}
    for precision in precisions:

        def random(*shape, precision=precision):
            return tf.cast(tf.random.normal(shape), precision)

        left, right = random(2048, 2048), random(2048, 2048)
        inputs, kernel = random(batch, 64, 64, filters), random(5, 5, filters, filters)

        @tf.function
        def multiply(left, right):
            return tf.reduce_sum(tf.matmul(left, right)[0])

        @tf.function
        def forward(inputs, kernel):
            return tf.nn.conv2d(inputs, kernel, 2, "SAME")[0, 0, 0, 0]

        convolution = 2 * batch * 32 * 32 * 5 * 5 * filters * filters
        for name, count, function, tensors in [
            ("matrices", 2 * 2048**3, multiply, (left, right)),
            ("convolution", convolution, forward, (inputs, kernel)),
        ]:
            cases[f"{name} {precision}"] = lambda f=function, t=tensors: f(*t).numpy()
            operations[f"{name} {precision}"] = count
    return cases, operations


def operations_per_image(convolutions: Sequence[tuple[int, int]], filters: int, size: int) -> float:
    """Floating-point operations of a training step for one image of ``size * size``.

    Convolutions and GDN, analysis and synthesis, forward and both gradients; ``filters`` channels
    everywhere.
    """
    total, inputs = 0, 3
    for layer, (kernel, stride) in enumerate(convolutions):
        size //= stride
        forward = 2 * size**2 * inputs * filters * kernel**2
        normalization = 2 * size**2 * filters**2 if layer < len(convolutions) - 1 else 0
        total += 6 * (forward + normalization)
        if layer == 0:
            total -= forward  # Images need no gradient.
        inputs = filters
    return total


def hyper_operations_per_image(filters: int, size: int) -> float:
    """The same of what the hyperprior adds: 3x3, 5x5/2, 5x5/2 from the latents, and back."""
    latents = (size // 16) ** 2
    positions = 9 * latents + 25 * latents / 4 + 25 * latents / 16
    return 3 * 2 * (2 * positions * filters**2)
