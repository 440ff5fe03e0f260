"""Annealed hyper-parameters: variables that follow a schedule, and how all of them are found."""

from __future__ import annotations

from typing import Dict

import tensorflow as tf

from quantizers.base.schedules import Schedule


class Annealed(tf.Module):
    """A hyper-parameter that follows a schedule; its current value is a checkpointed variable."""

    def __init__(self, schedule: Schedule, name: str):
        """Starts at the schedule's value for step 0."""
        super().__init__(name=name)
        self.schedule = schedule
        self.value = tf.Variable(schedule(0), trainable=False, dtype=tf.float32, name=name)

    def advance(self, step: int) -> None:
        """Sets the value to the schedule's for ``step``."""
        self.value.assign(self.schedule(step))


def find_annealed(module: tf.Module) -> Dict[str, Annealed]:
    """Every annealed hyper-parameter within a module, however deep, by its name in logs.

    Names of those in a rate slot (an attribute ``_rate``) begin with ``rate_``.
    """
    found: Dict[str, Annealed] = {}
    for path, item in module._flatten(
        predicate=lambda item: isinstance(item, Annealed), with_path=True
    ):
        name = f"rate_{item.name}" if "_rate" in path else item.name
        if found.setdefault(name, item) is not item:
            raise ValueError(f"two annealed values of {module.name} are called {name!r}.")
    return found
