"""Whether a run can be trained for more steps than it was begun with.

It can if it then is the run that it would have been with the larger number from the start: all
schedules have the same values in the steps that were taken.
"""

from __future__ import annotations

import pathlib
from typing import Any, Callable, Dict

import tensorflow as tf
from omegaconf import DictConfig

from assembly.parts import build_part
from processor.stack import keras
from quantizers.base.schedules import as_schedule


def check_prolonged(
    asked: DictConfig, run: pathlib.Path, saved: DictConfig, steps_taken: int
) -> None:
    """Compares the schedules of two configurations that differ in ``steps``.

    Args:
        asked: with the larger number.
        run: directory of the run, for the message.
        saved: as the run was begun.
        steps_taken: of the run's newest checkpoint.

    Raises:
        ValueError: one of them had another value.
    """
    ours, theirs = _schedules(asked), _schedules(saved)
    for name, schedule in theirs.items():
        for step in range(steps_taken):
            there, here = schedule(step), ours[name](step)
            if there != here:
                raise ValueError(
                    f"steps={asked.steps}: run={str(run)!r} was begun with steps={saved.steps} and "
                    f"cannot be prolonged, because {name} depends on it: {there:.4g} at step "
                    f"{step}, which it took, would be {here:.4g}. Choose another run=; "
                    f"init_from={run} starts it from these weights."
                )


def _schedules(config: DictConfig) -> Dict[str, Callable[[int], Any]]:
    """All that follows the step, by its name in logs."""
    found: Dict[str, Callable[[int], Any]] = {
        "learning_rate": _learning_rate(build_part(config.optimizer)),
        "lmbda_factor": as_schedule(build_part(config.lmbda_factor)),
    }
    for group in ("quantizer", "hyper_quantizer"):
        if config.get(group):
            quantizer = build_part(config[group])
            begins = quantizer.hard_from_step
            found[f"{group}.hard_from_step"] = lambda step, at=begins: at is not None and step >= at
            for name, annealed in quantizer.annealed.items():
                found[f"{group}.{name}"] = annealed.schedule
    return found


def _learning_rate(optimizer: keras.optimizers.Optimizer) -> Callable[[int], float]:
    rate = optimizer._learning_rate  # The public property has the present step's value alone.
    if callable(rate):
        return lambda step: float(rate(tf.constant(step, tf.int64)))
    return lambda step: float(rate)
