"""Optimizers with their learning-rate schedule and gradient clipping."""

from __future__ import annotations

import tensorflow as tf

from processor.stack import keras


def adam(
    *,
    steps: int,
    learning_rate: float = 1e-3,
    final_learning_rate: float = 1e-5,
    decay_share: float = 0.4,
    clip_norm: float = 1.0,
) -> keras.optimizers.Optimizer:
    """Adam, its rate constant at first and decayed linearly over the last steps.

    Args:
        steps: training steps in all.
        learning_rate: learning rate at the start, above 0.
        final_learning_rate: learning rate at the last step, 0 to ``learning_rate``.
        decay_share: share of the steps that decay, 0 to 1.
        clip_norm: gradients of a larger global norm are scaled down to it; above 0.

    Raises:
        ValueError: an argument is out of its range.
    """
    if not learning_rate > 0:
        raise ValueError(f"learning_rate={learning_rate} must be above 0.")
    if not 0 <= final_learning_rate <= learning_rate:
        raise ValueError(
            f"final_learning_rate={final_learning_rate} must be 0 to learning_rate={learning_rate}."
        )
    if not 0 <= decay_share <= 1:
        raise ValueError(f"decay_share={decay_share} must be 0 to 1.")
    if not clip_norm > 0:
        raise ValueError(f"clip_norm={clip_norm} must be above 0.")
    schedule = ConstantThenLinear(learning_rate, final_learning_rate, steps, decay_share)
    return _Adam(schedule, global_clipnorm=clip_norm)


class _Adam(keras.optimizers.Adam):
    """Keras' Adam with one operation for each parameter in place of twenty small ones."""

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        """Updates a parameter and its moments."""
        index = self._index_dict[self._var_key(variable)]
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].handle,
            v=self._velocities[index].handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=tf.cast(self.learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A pure function of the step, so that a resumed run goes on at the rate it had."""

    def __init__(self, start: float, end: float, steps: int, decay_share: float):
        """See ``adam``."""
        self._start, self._end = start, end
        self._decay_steps = max(steps * decay_share, 1.0)
        self._decay_from = steps - self._decay_steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Learning rate at ``step``, float32 scalar."""
        share = (tf.cast(step, tf.float32) - self._decay_from) / self._decay_steps
        return self._start + (self._end - self._start) * tf.clip_by_value(share, 0.0, 1.0)

    def get_config(self):
        """The constructor's arguments are in the run's config.yaml."""
        return {}
