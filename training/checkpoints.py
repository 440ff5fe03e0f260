"""Checkpoints of an unfinished run: parameters, optimizer, schedules' values, noise streams."""

from __future__ import annotations

import hashlib
import os
import pathlib
from typing import Optional

import tensorflow as tf

from models import Autoencoder


class Checkpoints:
    """Saves and restores a run's whole state in ``folder``; keeps the two newest.

    TensorFlow writes a checkpoint under temporary names and names it in the ``checkpoint`` file
    last, so a kill at any moment leaves the one before.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        model: Autoencoder,
        optimizer: tf.keras.optimizers.Optimizer,
        writes: bool = True,
    ):
        """The optimizer's variables must be built; without ``writes`` it only restores."""
        self._writes = writes
        self._model = model
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=self._step)
        self._manager = tf.train.CheckpointManager(checkpoint, os.fspath(folder), max_to_keep=2)

    def restore(self) -> int:
        """Restores the newest checkpoint, if any; returns the number of steps it has seen."""
        newest = self._manager.latest_checkpoint
        if newest is not None:
            self._manager.checkpoint.restore(newest).assert_consumed()
            self._model.advance(int(self._step) - 1)  # The last step that was taken.
        return int(self._step)

    @property
    def newest_step(self) -> Optional[int]:
        """Steps that the newest checkpoint has seen, None without one."""
        newest = self._manager.latest_checkpoint
        return None if newest is None else int(newest.rsplit("-", 1)[1])

    def save(self, step: int) -> None:
        """Saves the state after ``step`` steps."""
        if not self._writes:
            return
        self._step.assign(step)
        self._manager.save(checkpoint_number=step)


def save_model(model: Autoencoder, folder: pathlib.Path) -> None:
    """Writes a trained, frozen model: ``folder`` appears whole or not at all."""
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    temporary.mkdir()
    tf.train.Checkpoint(model=model).write(os.fspath(temporary / "weights"))
    os.replace(temporary, folder)


def restore_model(model: Autoencoder, folder: pathlib.Path, steps: int) -> None:
    """Restores what ``save_model`` wrote into a model built from the same configuration.

    Args:
        model: gets the weights, and the state that it had in the last training step.
        folder: of the saved model.
        steps: that the model was trained for.

    Raises:
        ValueError: the files are damaged or of a model with other parts.
    """
    try:
        status = tf.train.Checkpoint(model=model).read(os.fspath(folder / "weights"))
        status.assert_consumed()
        model.advance(steps - 1)
    except (AssertionError, ValueError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{str(folder)!r} does not hold this configuration's model: {reason}"
        ) from error


def model_digest(folder: pathlib.Path) -> str:
    """SHA-256, as hexadecimal digits, of the files that ``save_model`` wrote: no model is built."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
