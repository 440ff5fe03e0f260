"""The training loop: steps, log, checkpoints, and a clean exit when interrupted."""

from __future__ import annotations

import pathlib
import re
import signal
import time
from typing import Callable, Dict, Iterable, Iterator, Optional

import tensorflow as tf

from models import Autoencoder
from training.best import BestWeights
from training.checkpoints import Checkpoints
from training.distribution import Distribution
from training.log_columns import log_columns
from training.monitor import Monitor
from training.progress import Progress
from training.settings import Settings
from training.step import NonFiniteGradient, TrainStep


class Interrupted(Exception):
    """A signal stopped the run after a checkpoint; ``signum`` says which."""

    def __init__(self, signum: int, step: int):
        """Names the signal and the steps that are kept."""
        super().__init__(f"stopped by {signal.Signals(signum).name}; checkpoint at step {step}.")
        self.signum = signum


def fit(
    *,
    model: Autoencoder,
    train_step: TrainStep,
    checkpoints: Checkpoints,
    batches_from: Callable[[int], Iterable],
    settings: Settings,
    folder: pathlib.Path,
    monitor: Monitor,
    validate: Callable[[int], Dict[str, float]] = lambda step: {},
    best: Optional[BestWeights] = None,
    distribution: Optional[Distribution] = None,
) -> None:
    """Trains to ``settings.steps`` from the newest checkpoint, or from the start.

    Batch, noise and schedules are functions of the step or kept in the checkpoint, so an
    interrupted run reaches the same weights.

    Args:
        model: what is trained.
        train_step: updates it.
        checkpoints: hold the state between processes.
        batches_from: gives the endless batches from a step on.
        settings: the run's scalars.
        folder: run directory, for training.csv.
        monitor: TensorBoard.
        validate: measures whole validation files after a number of steps, before each checkpoint
            that is due.
        best: keeps the weights with the lowest validation loss.
        distribution: over which ``train_step`` was built; None: one device.

    Raises:
        Interrupted: on SIGINT or SIGTERM, after a checkpoint.
        NonFiniteGradient: the last good checkpoint stays.
    """
    distribution = distribution or Distribution()
    first_step = checkpoints.restore()
    distribution.check_agreement(first_step)
    if first_step:
        print(f"resuming at step {first_step} of {settings.steps}", flush=True)
    if first_step >= settings.steps:
        return
    progress = Progress(
        folder / "training.csv",
        settings.steps,
        first_step,
        settings.batch_size,
        log_columns(model.transforms),
    )
    with _SignalFlag() as stop:
        batches = iter(distribution.batches(batches_from(first_step), settings.batch_size))
        for step in range(first_step, settings.steps):
            train_step.advance(step)
            asked = time.perf_counter()
            images = _next(batches)
            waited = time.perf_counter() - asked
            rate = train_step.learning_rate
            result = train_step(images)
            try:
                train_step.check(result, step)
            except NonFiniteGradient as error:
                raise NonFiniteGradient(f"{error} {_kept(checkpoints)}") from None
            progress.add(result, waited)
            done = step + 1
            if done % settings.log_every == 0 or done == settings.steps:
                annealed = {n: float(a.value) for n, a in train_step.annealed.items()}
                row = progress.report(done, annealed)
                step_row = {"learning_rate": rate, "gradient_norm": float(result.gradient_norm)}
                monitor.scalars(done, {**row, **step_row})
            is_due = done % settings.checkpoint_every == 0 or done == settings.steps
            signum = stop.signum  # Once: a signal may come at any line.
            if is_due:
                monitor.examples(done)
                figures = validate(done)
                monitor.scalars(done, {f"validation/{n}": v for n, v in figures.items()})
                if best is not None and figures:
                    best.offer(done, figures["loss"])
            # Last: a step that a kill takes from the checkpoints is validated and offered again.
            if is_due or signum:
                checkpoints.save(done)
            if signum and done < settings.steps:
                raise Interrupted(signum, done)
        if stop.signum:  # Nobody who stops a run waits until its files are measured.
            raise Interrupted(stop.signum, settings.steps)


def input_rate(batches: tf.data.Dataset, batch_size: int, seconds: float = 0.2) -> float:
    """Patches (segments) per second of the input pipeline alone, over about ``seconds``."""
    iterator = iter(batches)
    _next(iterator)  # Fills caches and shuffle buffers.
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        _next(iterator)
        count += 1
    return count * batch_size / (time.perf_counter() - started)


def _next(batches: Iterator) -> tf.Tensor:
    """The next batch; errors in tf.data are raised without their Python traceback."""
    try:
        return next(batches)
    except tf.errors.OpError as error:
        reasons = re.findall(r"^\w+(?:Error|Exception): (.+)$", str(error), re.MULTILINE)
        raise ValueError(f"data: {reasons[-1] if reasons else error}") from error


def _kept(checkpoints: Checkpoints) -> str:
    step = checkpoints.newest_step
    return (
        "No checkpoint was written yet." if step is None else f"Kept the checkpoint at step {step}."
    )


class _SignalFlag:
    """Notes the first SIGINT or SIGTERM instead of dying by it; a later one acts as usual.

    What follows at once is the same event told twice: by the terminal and by a parent, or by the
    kernel for every thread of a parent that was killed.
    """

    _SAME_EVENT_SECONDS = 1.0

    def __init__(self):
        self.signum = 0
        self._noted = 0.0

    def __enter__(self):
        self._previous = {
            signum: signal.signal(signum, self._note) for signum in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_):
        self._restore()

    def _note(self, signum, _frame):
        now = time.monotonic()
        if not self.signum:
            self.signum, self._noted = signum, now
        elif now - self._noted > self._SAME_EVENT_SECONDS:
            self._restore()
            signal.raise_signal(signum)

    def _restore(self):
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)
