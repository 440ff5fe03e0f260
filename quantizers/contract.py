"""What every quantizer and every scalar surrogate offers.

A *scalar surrogate* stands in for rounding while training. It maps latents to values of the same
shape and knows nothing of models, data or coding. A *quantizer* fills the rate slot and the decoder
slot, and alone knows what happens after training: integer symbols and the values decoded from them.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Union

import tensorflow as tf

from quantizers.schedules import Schedule, as_schedule

INTEGERS = "integers"
"""Alphabet of the scalar quantizers: integers on a line, of any size."""


class Quantized(NamedTuple):
    """What a quantizer makes of latents ``[...]`` of any shape.

    Attributes:
        rate: float32, same shape: the value whose bits the entropy model counts.
        decoder: float32, same shape: the value that the synthesis transform sees.
        penalty: float32 scalar, added to the training loss.
    """

    rate: tf.Tensor
    decoder: tf.Tensor
    penalty: tf.Tensor


class Annealed(tf.Module):
    """A hyper-parameter that follows a schedule; its current value is a checkpointed variable."""

    def __init__(self, schedule: Schedule, name: str):
        """Starts at the schedule's value for step 0."""
        super().__init__(name=name)
        self.schedule = schedule
        self.value = tf.Variable(schedule(0), trainable=False, dtype=tf.float32, name=name)

    def advance(self, step: int) -> None:
        """Takes the schedule's value for ``step``."""
        self.value.assign(self.schedule(step))


class ScalarSurrogate(tf.Module):
    """Base of the scalar surrogates: differentiable stand-ins for rounding to the integers.

    A subclass hands its constructor's arguments to this one and implements ``__call__``, which is
    evaluated only while training: afterwards every surrogate of this family is ``tf.round``.

    Attributes:
        annealed: what follows a schedule, by name.
    """

    def __init__(self, **settings):
        """Keeps the settings: two surrogates of one class with equal settings are the same."""
        super().__init__(name=type(self).__name__)
        self._settings = settings
        self.annealed: Dict[str, Annealed] = {}

    def __call__(self, latents: tf.Tensor) -> tf.Tensor:
        """Training values for float32 ``latents`` of any shape; same shape, float32."""
        raise NotImplementedError

    def same_as(self, other: ScalarSurrogate) -> bool:
        """Whether the two compute the same, so that one sample can serve both slots."""
        return type(self) is type(other) and self._settings == other._settings

    def _anneal(self, name: str, value: Union[float, Schedule], *, minimum: float) -> tf.Variable:
        """Registers a hyper-parameter, number or schedule, that must never fall below a minimum."""
        schedule = as_schedule(value)
        if schedule.bounds[0] < minimum:
            raise ValueError(f"{name}={value!r} of {self.name} must be at least {minimum:g}.")
        self.annealed[name] = Annealed(schedule, name)
        return self.annealed[name].value
