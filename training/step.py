"""One training step: loss, gradients, update."""

from __future__ import annotations

from typing import Callable, List, NamedTuple

import tensorflow as tf

from models import Autoencoder


class StepResult(NamedTuple):
    """Scalars of one step (float32), measured before its update.

    Attributes:
        loss: ``bpp + lmbda * distortion + penalty``, mean over the batch.
        bpp: bits per pixel of the rate value.
        distortion: of the run's distortion measure.
        mse: mean squared error on the 0..255 scale.
        penalty: what the quantizer adds.
        finite: bool ``[parameters]``: whether each parameter's gradient is finite.
    """

    loss: tf.Tensor
    bpp: tf.Tensor
    distortion: tf.Tensor
    mse: tf.Tensor
    penalty: tf.Tensor
    finite: tf.Tensor


class NonFiniteGradient(ArithmeticError):
    """Training broke: NaN or infinity."""


class TrainStep:
    """Updates a model by one batch of images, float32 ``[batch, height, width, 3]`` in 0..255."""

    def __init__(
        self,
        model: Autoencoder,
        distortion: Callable,
        optimizer: tf.keras.optimizers.Optimizer,
        lmbda: float,
    ):
        """Builds the optimizer's variables, so that a checkpoint can be restored before a step."""
        self._model = model
        self._distortion = distortion
        self._optimizer = optimizer
        self._lmbda = lmbda
        self._parameters = model.trainable_variables
        optimizer.build(self._parameters)

    @tf.function
    def __call__(self, images: tf.Tensor) -> StepResult:
        """Takes the step."""
        pixels = tf.cast(tf.shape(images)[1] * tf.shape(images)[2], tf.float32)
        with tf.GradientTape() as tape:
            forward = self._model(images, training=True)
            bpp = tf.reduce_mean(forward.bits) / pixels
            distortion = tf.reduce_mean(self._distortion(images, forward.reconstructions))
            loss = bpp + self._lmbda * distortion + forward.penalty
        gradients = tape.gradient(loss, self._parameters)
        self._optimizer.apply_gradients(zip(gradients, self._parameters))
        return StepResult(
            loss=loss,
            bpp=bpp,
            distortion=distortion,
            mse=tf.reduce_mean(tf.math.squared_difference(images, forward.reconstructions)),
            penalty=forward.penalty,
            finite=tf.stack([tf.reduce_all(tf.math.is_finite(g)) for g in gradients]),
        )

    def check(self, result: StepResult, step: int) -> None:
        """Raises ``NonFiniteGradient``, naming step and parameters, if it went wrong."""
        finite = result.finite.numpy()
        if finite.all():
            return
        broken: List[str] = [p.name for p, good in zip(self._parameters, finite) if not good]
        more = f" and {len(broken) - 1} more of {len(finite)}" if len(broken) > 1 else ""
        raise NonFiniteGradient(
            f"step {step}: the gradient of {broken[0]}{more} is not finite "
            f"(loss {result.loss:.4g}, bpp {result.bpp:.4g}, mse {result.mse:.4g}). "
            "A lower optimizer.learning_rate or optimizer.clip_norm may help."
        )
