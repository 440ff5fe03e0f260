"""One training step: loss, gradients, update."""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Optional, Tuple, Union

import tensorflow as tf

from models import Autoencoder
from processor.stack import keras
from quantizers.base.annealing import Annealed
from quantizers.base.schedules import Schedule, as_schedule
from training.distribution import Distribution


class StepResult(NamedTuple):
    """Scalars of one step (float32), measured before its update.

    Attributes:
        loss: ``bpp + lmbda * distortion + penalty``, mean over the batch.
        bpp: bits per pixel, or per sample of audio, of the rate input.
        distortion: of the run's distortion measure.
        mse: mean squared error on the medium's scale.
        penalty: what the quantizer adds.
        gradient_norm: of all gradients together, before clipping.
        finite: bool ``[parameters]``: whether each parameter's gradient is finite.
    """

    loss: tf.Tensor
    bpp: tf.Tensor
    distortion: tf.Tensor
    mse: tf.Tensor
    penalty: tf.Tensor
    gradient_norm: tf.Tensor
    finite: tf.Tensor


class NonFiniteGradient(ArithmeticError):
    """Training broke: NaN or infinity."""


class TrainStep:
    """Updates a model by one batch of signals: images in 0..255, or audio in -1..1."""

    def __init__(
        self,
        model: Autoencoder,
        distortion: Callable,
        optimizer: keras.optimizers.Optimizer,
        lmbda: float,
        lmbda_factor: Union[float, Schedule] = 1.0,
        distribution: Optional[Distribution] = None,
    ):
        """Builds the optimizer's variables, so that a checkpoint can be restored before a step.

        Args:
            model: to train.
            distortion: of batches of images and reconstructions, see ``distortion``.
            optimizer: of the model's parameters.
            lmbda: weight of the distortion.
            lmbda_factor: number or schedule, at least 0, that multiplies the weight: a warm-up.
            distribution: in whose scope this is built; None: one device.

        Raises:
            ValueError: the factor falls below 0, or is no finite number and no schedule.
        """
        self._model = model
        self._distortion = distortion
        self._optimizer = optimizer
        try:
            schedule = as_schedule(lmbda_factor)
        except ValueError as error:
            raise ValueError(f"lmbda_factor: {error}") from None
        if schedule.bounds[0] < 0:
            raise ValueError(f"lmbda_factor={lmbda_factor!r} must be at least 0.")
        self._lmbda = lmbda
        self._distribution = distribution or Distribution()
        self._lmbda_factor = Annealed(schedule, "lmbda_factor")
        self._parameters = model.trainable_variables
        encoding = {v.ref() for v in model.encoding_variables}
        self._decoding = [v for v in self._parameters if v.ref() not in encoding]
        optimizer.build(self._parameters)

    @property
    def annealed(self) -> Dict[str, Annealed]:
        """Everything that follows a schedule, by its name in logs."""
        own = self._lmbda_factor
        is_constant = own.schedule.bounds[0] == own.schedule.bounds[1]
        return {**self._model.annealed, **({} if is_constant else {own.name: own})}

    def advance(self, step: int) -> None:
        """Brings all that depends on the training step to ``step`` (from 0)."""
        self._model.advance(step)
        self._lmbda_factor.advance(step)

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return float(tf.convert_to_tensor(self._optimizer.learning_rate))

    def __call__(self, images: tf.Tensor) -> StepResult:
        """Takes the step."""
        return self._step(images, self._model.hard_phases)

    @tf.function(autograph=False)
    def _step(self, images, hard_phases: Tuple[bool, ...]) -> StepResult:
        """The step; Python bools, so that each combination of phases has a graph of its own."""
        del hard_phases
        strategy = self._distribution.strategy
        if strategy is None:
            return self._update(images)

        def update(images):
            result = self._update(images)
            return result._replace(finite=tf.cast(result.finite, tf.int32))

        results = strategy.run(update, args=(images,))
        mean, total = tf.distribute.ReduceOp.MEAN, tf.distribute.ReduceOp.SUM
        finite = strategy.reduce(total, results.finite, axis=None)
        scalars = (strategy.reduce(mean, result, axis=None) for result in results[:-1])
        return StepResult(*scalars, finite=finite == self._distribution.replicas)

    @property
    def _trained(self) -> List[tf.Variable]:
        """The parameters that the present step updates."""
        return self._decoding if self._model.quantizer.in_hard_phase else self._parameters

    def _update(self, images: tf.Tensor) -> StepResult:
        """One replica's part: its gradients are summed with those of the others."""
        parameters = self._trained
        pixels = tf.cast(tf.shape(images)[1] * tf.shape(images)[2], tf.float32)
        with tf.GradientTape() as tape:
            model, weights, shares = self._at_rates(tf.shape(images)[0])
            forward = model(images, training=True)
            distortions = self._distortion(images, forward.reconstructions)
            bpp, distortion = tf.reduce_mean(forward.bits) / pixels, tf.reduce_mean(distortions)
            if weights is None:
                loss = bpp + self._lmbda * self._lmbda_factor.value * distortion
            else:
                losses = forward.bits / pixels + weights * self._lmbda_factor.value * distortions
                loss = tf.reduce_mean(shares * losses)
            loss += forward.penalty
            scaled = loss / self._distribution.replicas
        gradients = tape.gradient(scaled, parameters)
        self._optimizer.apply_gradients(zip(gradients, parameters))
        if not self._model.quantizer.in_hard_phase:
            self._model.update(forward.inputs)
        return StepResult(
            loss=loss,
            bpp=bpp,
            distortion=distortion,
            mse=tf.reduce_mean(tf.math.squared_difference(images, forward.reconstructions)),
            penalty=forward.penalty,
            gradient_norm=tf.linalg.global_norm(gradients),
            finite=tf.stack([tf.reduce_all(tf.math.is_finite(g)) for g in gradients]),
        )

    def _at_rates(self, batch):
        """The model, weights of the distortion ``[batch]`` and of each example; of one rate, None.

        A loss grows about with the root of its weight. Divided by it, no rate counts more than
        the others.
        """
        if self._model.rate is None:
            return self._model, None, None
        setting = self._model.rate.sample(batch)
        shares = tf.sqrt(self._lmbda / setting.lmbda)
        return self._model.at_rate(setting), setting.lmbda, shares

    def check(self, result: StepResult, step: int) -> None:
        """Raises ``NonFiniteGradient``, naming step and parameters, if it went wrong."""
        finite = result.finite.numpy()
        if finite.all():
            return
        broken = [p.name for p, good in zip(self._trained, finite) if not good]
        more = f" and {len(broken) - 1} more of {len(finite)}" if len(broken) > 1 else ""
        raise NonFiniteGradient(
            f"step {step}: the gradient of {broken[0]}{more} is not finite "
            f"(loss {result.loss:.4g}, bpp {result.bpp:.4g}, mse {result.mse:.4g}). "
            "A lower optimizer.learning_rate or optimizer.clip_norm may help."
        )
